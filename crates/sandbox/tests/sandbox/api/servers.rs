//! What users do with a whole server through the control API, and what their clients show of it.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::api::bot::{Bot, PNG, text};
use crate::api::page::{Stream, ask, control};
use crate::api::soundboard::mp3;

#[tokio::test]
async fn invites_are_made_listed_looked_at_accepted_and_deleted() {
    let mut bot = Bot::start().await;
    let sandbox = &bot.sandbox;
    let guild = sandbox.guild_id();
    let invites = format!("guilds/{guild}/invites");
    let body = json!({ "as": "alice", "channel": "general", "max_uses": 2, "max_age": 3600 });
    let made = ask(sandbox, Method::POST, &invites, body).await;
    assert_eq!((&made["max_uses"], &made["inviter"]["username"]), (&json!(2), &json!("alice")));
    let code = text(&made["code"]).to_owned();
    let list = ask(sandbox, Method::GET, &format!("{invites}?as=alice"), Value::Null).await;
    assert_eq!(list[0]["code"], *code);
    let refused = control(sandbox, Method::GET, &format!("{invites}?as=bob")).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    let wrong = json!({ "as": "alice", "channel": "general", "max_uses": 101 });
    let refused = control(sandbox, Method::POST, &invites).json(&wrong).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);

    ask(sandbox, Method::POST, "users", json!({ "username": "dora" })).await;
    let one = format!("invites/{code}");
    let shown = ask(sandbox, Method::GET, &format!("{one}?as=dora"), Value::Null).await;
    assert_eq!(shown["guild"]["id"], guild.to_string());
    assert!(shown["approximate_member_count"].as_u64().unwrap() > 1);
    let member = ask(sandbox, Method::POST, &one, json!({ "as": "dora" })).await;
    assert_eq!(member["user"]["username"], "dora");
    let refused = control(sandbox, Method::DELETE, &one).json(&json!({ "as": "bob" })).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    ask(sandbox, Method::DELETE, &one, json!({ "as": "alice" })).await;
    let gone = control(sandbox, Method::GET, &format!("{one}?as=dora")).send().await.unwrap();
    assert_eq!(gone.status(), StatusCode::NOT_FOUND);
    assert_eq!(bot.event("INVITE_DELETE").await["code"], *code);
}

#[tokio::test]
async fn users_search_the_channels_that_they_may_read() {
    let bot = Bot::start().await;
    let sandbox = &bot.sandbox;
    let guild = sandbox.guild_id();
    for content in ["a red fish", "a blue fish", "a red bird"] {
        let body = json!({ "as": "bob", "channel": "general", "content": content });
        ask(sandbox, Method::POST, "messages", body).await;
    }
    let search = |query: &'static str| async move {
        let path = format!("guilds/{guild}/messages/search?{query}");
        ask(sandbox, Method::GET, &path, Value::Null).await
    };
    let found = search("as=alice&content=fish&limit=1").await;
    assert_eq!(found["total_results"], 2);
    assert_eq!(found["messages"][0][0]["content"], "a blue fish");
    let second = search("as=alice&content=fish&limit=1&offset=1&sort_order=desc").await;
    assert_eq!(second["messages"][0][0]["content"], "a red fish");
    let deny = json!({ "deny": ["READ_MESSAGE_HISTORY"] });
    let overwrite = format!("guilds/{guild}/channels/general/permissions/@bob");
    ask(sandbox, Method::PATCH, &overwrite, deny).await;
    assert_eq!(search("as=bob&content=fish").await["total_results"], 0);
    let refused = |query: &str| {
        control(sandbox, Method::GET, &format!("guilds/{guild}/messages/search?{query}")).send()
    };
    for (query, why) in
        [("content=fish", "is missing: a user"), ("as=alice&limit=99", "limit"), ("as=ghost", "ghost")]
    {
        let answer = refused(query).await.unwrap();
        assert!(answer.status().is_client_error(), "{query}");
        let error = answer.text().await.unwrap();
        assert!(error.contains(why), "{query}: {error}");
    }
}

#[tokio::test]
async fn events_and_sounds_are_in_the_view_and_a_sound_reaches_those_in_its_channel() {
    let bot = Bot::start().await;
    let sandbox = &bot.sandbox;
    let guild = sandbox.guild_id();
    let (mut alice, view) = Stream::of(sandbox, "alice").await;
    assert_eq!(view["view"]["guilds"][0]["scheduled_events"], json!([]));
    assert_eq!(view["view"]["default_sounds"][0]["name"], "quack");
    let event = json!({ "as": "alice", "name": "Picnic", "privacy_level": 2, "entity_type": 3,
        "scheduled_start_time": "2099-01-01T12:00:00Z", "scheduled_end_time": "2099-01-01T13:00:00Z",
        "entity_metadata": { "location": "The park" } });
    ask(sandbox, Method::POST, &format!("guilds/{guild}/scheduled-events"), event).await;
    let (change, _) = alice.change("guild").await;
    assert_eq!(change["guild"]["scheduled_events"][0]["name"], "Picnic");
    let subscription = format!("guilds/{guild}/scheduled-events/Picnic/users/alice");
    ask(sandbox, Method::PUT, &subscription, json!({})).await;
    let (change, _) = alice.change("guild").await;
    let shown = &change["guild"]["scheduled_events"][0];
    assert_eq!((&shown["interested"], &shown["user_count"]), (&json!(true), &json!(1)));

    let sound = json!({ "name": "yay", "sound": mp3(10) });
    let sounds = format!("{}/soundboard-sounds", bot.guild());
    let made = bot.expect(201, Method::POST, &sounds, &sound).await;
    let (change, _) = alice.change("guild").await;
    assert_eq!(change["guild"]["soundboard_sounds"][0]["name"], "yay");

    let (mut bob, _) = Stream::of(sandbox, "bob").await;
    ask(sandbox, Method::PUT, &format!("guilds/{guild}/voice/alice"), json!({ "channel": "Lounge" })).await;
    let played = json!({ "sound": made["sound_id"] });
    ask(sandbox, Method::POST, &format!("guilds/{guild}/voice/alice/effects"), played).await;
    let (change, _) = alice.change("sound").await;
    assert_eq!(change["sound"], made["sound_id"]);
    assert_eq!(change["channel"], sandbox.channel_id("Lounge").unwrap().to_string());
    // Bob is in no channel: the next of his changes is the message.
    ask(sandbox, Method::POST, "messages", json!({ "as": "alice", "channel": "general", "content": "x" }))
        .await;
    let mut kinds = Vec::new();
    loop {
        let message = bob.next().await.unwrap();
        kinds.extend(
            message["changes"].as_array().unwrap().iter().map(|change| text(&change["change"]).to_owned()),
        );
        if kinds.iter().any(|kind| kind == "message") {
            break;
        }
    }
    assert!(!kinds.iter().any(|kind| kind == "sound"), "{kinds:?}");
}

#[tokio::test]
async fn whether_a_bot_is_connected_is_live() {
    let bot = Bot::start().await;
    let online = |change: &Value| change["bots"][0]["online"].as_bool().unwrap();
    let (mut alice, view) = Stream::of(&bot.sandbox, "alice").await;
    assert!(online(&view["view"]));
    let target = json!({ "target": {}, "command": "sever" });
    ask(&bot.sandbox, Method::POST, "sessions", target).await;
    let (change, _) = alice.change("world").await;
    assert!(!online(&change));
}

#[tokio::test]
async fn uploaded_pictures_are_served_by_their_hash_also_from_a_snapshot() {
    let bot = Bot::start().await;
    let sandbox = &bot.sandbox;
    let me = sandbox.bot_id();
    let fetch = |path: String| async move { reqwest::get(format!("{}{path}", sandbox.url())).await.unwrap() };
    let changed = bot.expect(200, Method::PATCH, "/users/@me", &json!({ "avatar": PNG })).await;
    let avatar = format!("/avatars/{me}/{}", text(&changed["avatar"]));
    let guild = bot.expect(200, Method::PATCH, &bot.guild(), &json!({ "icon": PNG })).await;
    let icon = format!("/icons/{}/{}", sandbox.guild_id(), text(&guild["icon"]));
    let person = ask(sandbox, Method::PATCH, "users/alice", json!({ "avatar": PNG })).await;
    assert_eq!(person["avatar"], changed["avatar"], "the same bytes have the same hash");
    ask(sandbox, Method::PUT, "snapshots/pictured", json!({})).await;
    for path in [&avatar, &icon] {
        let answer = fetch(format!("{path}.png?size=64")).await;
        assert_eq!(
            (answer.status(), &answer.headers()["content-type"]),
            (StatusCode::OK, &"image/png".parse().unwrap())
        );
        assert!(answer.bytes().await.unwrap().starts_with(b"\x89PNG"));
    }
    let removed = bot.expect(200, Method::PATCH, "/users/@me", &json!({ "avatar": null })).await;
    assert_eq!(removed["avatar"], Value::Null);
    ask(sandbox, Method::POST, "snapshots/pictured/restore", json!({})).await;
    assert_eq!(fetch(format!("{avatar}.png")).await.status(), StatusCode::OK);
    for unknown in [format!("/avatars/{me}/0123.png"), format!("/avatars/{me}/a_0123456789abcdef.gif")] {
        assert_eq!(fetch(unknown).await.status(), StatusCode::NOT_FOUND);
    }
    let wrong = json!({ "avatar": "data:image/png;base64,AAAA" });
    let refused = control(sandbox, Method::PATCH, "users/alice").json(&wrong).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
}
