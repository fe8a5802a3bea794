//! What the stream of the page has of another world, of new direct messages, and of what a user may not see.

use reqwest::{Method, StatusCode};
use sandbox::Sandbox;
use sandbox::client::Run;
use serde_json::{Value, json};

use crate::api::bot::{Bot, id, text};
use crate::api::page::{Stream, ask, control};

#[tokio::test]
async fn a_restored_world_is_viewed_anew_by_those_who_are_in_it() {
    let sandbox = Sandbox::builder().start().await.unwrap();
    let user = sandbox.client();
    user.save_snapshot("before").await.unwrap();
    user.create_user("dora").await.unwrap();
    user.create_guild("Later", "alice").await.unwrap();
    let (mut alice, view) = Stream::of(&sandbox, "alice").await;
    let (mut dora, _) = Stream::of(&sandbox, "dora").await;
    assert_eq!(view["view"]["guilds"].as_array().unwrap().len(), 2);
    user.restore_snapshot("before").await.unwrap();
    let view = alice.next().await.unwrap();
    assert_eq!((&view["type"], view["view"]["guilds"].as_array().unwrap().len()), (&json!("view"), 1));
    user.send("bob", "general", "after").await.unwrap();
    assert_eq!(alice.change("message").await.0["message"]["content"], "after");
    let refused = dora.next().await.unwrap();
    assert_eq!(refused["type"], "refused", "{refused}");
    assert_eq!(dora.next().await, None);
}

#[tokio::test]
async fn a_planted_seed_is_in_the_stream_without_any_bot() {
    let sandbox = Sandbox::builder().start().await.unwrap();
    let (mut alice, _) = Stream::of(&sandbox, "alice").await;
    sandbox.client().plant("users: [{name: zoe}]\nguilds: [{name: Later, owner: alice}]").await.unwrap();
    let (world, _) = alice.change("world").await;
    assert!(world["users"].as_array().unwrap().iter().any(|user| user["username"] == "zoe"));
    sandbox.client().plant("guilds: [{name: Last, owner: alice}]").await.unwrap();
    assert_eq!(alice.change("guild").await.0["guild"]["name"], "Last");
}

#[tokio::test]
async fn direct_messages_are_in_the_stream_once_they_are_open() {
    let bot = Bot::start().await;
    let (mut alice, view) = Stream::of(&bot.sandbox, "alice").await;
    assert_eq!(view["view"]["direct_messages"], json!([]));
    let shown = |world: &Value| {
        let direct = world["direct_messages"].as_array().unwrap().iter();
        direct.map(|channel| text(&channel["recipients"][0]["username"]).to_owned()).collect::<Vec<_>>()
    };
    // What the control API needs a channel for opens it.
    assert!(bot.user.messages("alice", "@bob", 10).await.unwrap().is_empty());
    assert_eq!(shown(&alice.change("world").await.0), ["bob"]);
    let recipient = json!({ "recipient_id": bot.sandbox.user_id("alice").unwrap() });
    bot.post("/users/@me/channels", recipient).await;
    assert_eq!(shown(&alice.change("world").await.0), ["Sandbot", "bob"]);
}

#[tokio::test]
async fn a_message_is_shown_to_those_alone_who_see_its_channel() {
    let mut bot = Bot::start().await;
    bot.register(json!({ "name": "quietly", "description": "d" })).await;
    let user = bot.user.clone();
    let general = bot.channel("general");
    let button = json!({ "content": "hidden", "components": [{ "type": 1, "components": [
        { "type": 2, "style": 1, "label": "Press", "custom_id": "press" }] }] });
    let message = bot.post(&format!("{general}/messages"), button).await;
    let own = user.send("carol", "general", "my own").await.unwrap();
    let run = Run::typed("/quietly").by("carol").at("general");
    let reply = json!({ "type": 4, "data": { "content": "between us", "flags": 64 } });
    let (_, answer) = bot.answers(user.run(run), reply).await;
    let private = answer.message.unwrap();
    let one = async |who: &str, message: &Value| {
        let path = format!("messages/{}?as={who}", text(&message["id"]));
        control(&bot.sandbox, Method::GET, &path).send().await.unwrap().status()
    };
    assert_eq!(
        (one("carol", &message).await, one("carol", &private).await),
        (StatusCode::OK, StatusCode::OK)
    );
    assert_eq!(one("bob", &private).await, StatusCode::NOT_FOUND);
    let path = "guilds/Sandbox/channels/general/permissions/@carol";
    ask(&bot.sandbox, Method::PATCH, path, json!({ "deny": ["VIEW_CHANNEL"] })).await;
    for hidden in [&message, &own, &private] {
        assert_eq!(one("carol", hidden).await, StatusCode::NOT_FOUND, "{hidden}");
    }
    assert_eq!(one("bob", &message).await, StatusCode::OK);
    let edit = json!({ "as": "carol", "content": "changed" });
    let path = format!("messages/{}", text(&own["id"]));
    let edited = control(&bot.sandbox, Method::PATCH, &path).json(&edit).send().await.unwrap();
    assert_eq!(edited.status(), StatusCode::NOT_FOUND);
    let pressed = user.press("carol", id(&message["id"]), "press").await.unwrap_err().to_string();
    assert!(pressed.contains("carol sees no message"), "{pressed}");
}
