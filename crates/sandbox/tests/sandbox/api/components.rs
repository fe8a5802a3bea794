//! Buttons, menus and modals, from both sides.

use reqwest::Method;
use sandbox::snowflake::Snowflake;
use sandbox::{Answer, Client};
use serde_json::{Value, json};

use crate::api::bot::{Bot, id, text};

fn buttons() -> Value {
    json!([{ "type": 1, "components": [
        { "type": 2, "style": 1, "label": "More", "custom_id": "more" },
        { "type": 2, "style": 2, "label": "Off", "custom_id": "off", "disabled": true },
        { "type": 2, "style": 5, "label": "Site", "url": "https://example.org" },
    ] }])
}

async fn posted(bot: &Bot, components: Value) -> Snowflake {
    let path = format!("{}/messages", bot.channel("bot-test"));
    id(&bot.post(&path, json!({ "content": "here", "components": components })).await["id"])
}

/// Presses a button as alice, with a short wait for an update.
async fn press(user: &Client, message: Snowflake, custom_id: &str) -> Result<Answer, sandbox::client::Error> {
    let asked = json!({ "as": "alice", "message": message, "custom_id": custom_id, "deadline_ms": 50 });
    user.component(&asked).await
}

#[tokio::test]
async fn a_pressed_button_can_change_its_message() {
    let mut bot = Bot::start().await;
    let message = posted(&bot, buttons()).await;
    let user = bot.user.clone();
    let body = json!({ "type": 7, "data": { "content": "1", "components": [] } });
    let (interaction, answer) = bot.answers(user.press("bob", message, "more"), body).await;
    assert_eq!((&interaction["type"], &interaction["data"]["custom_id"]), (&json!(3), &json!("more")));
    assert_eq!(interaction["message"]["id"], message.to_string());
    assert_eq!((answer.content.as_str(), answer.components.len()), ("1", 0));
    assert_eq!(bot.event("MESSAGE_UPDATE").await["content"], "1");
    let gone = user.press("bob", message, "more").await.unwrap_err().to_string();
    assert!(gone.contains("no component"), "{gone}");
}

#[tokio::test]
async fn disabled_absent_and_invisible_components_can_not_be_pressed() {
    let mut bot = Bot::start().await;
    let message = posted(&bot, buttons()).await;
    let user = bot.user.clone();
    for (name, why) in [("off", "disabled"), ("none", "no component")] {
        let error = user.press("bob", message, name).await.unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
    let site = json!({ "as": "bob", "message": message, "label": "Site" });
    assert!(user.component(&site).await.unwrap_err().to_string().contains("link"));
    let error = user.press("Sandbot", message, "more").await.unwrap_err().to_string();
    assert!(error.contains("is a bot"), "{error}");
    let whisper = json!({ "type": 4, "data": { "flags": 64, "content": "psst", "components": buttons() } });
    let (_, answer) = bot.answers(user.press("alice", message, "more"), whisper).await;
    let hidden = id(&answer.message.unwrap()["id"]);
    assert!(user.press("bob", hidden, "more").await.unwrap_err().to_string().contains("sees no message"));
    let (interaction, _) = bot.answers(press(&user, hidden, "more"), json!({ "type": 6 })).await;
    assert_eq!(interaction["message"]["flags"], 64);
}

#[tokio::test]
async fn a_deferred_update_is_answered_by_an_edit_through_any_route() {
    let mut bot = Bot::start().await;
    let message = posted(&bot, buttons()).await;
    let user = bot.user.clone();
    // On a busy machine the edit may take longer than users wait for one.
    let asked = json!({ "as": "alice", "message": message, "custom_id": "more", "deadline_ms": 60_000 });
    let press = user.component(&asked);
    let reply = async {
        let interaction = bot.event("INTERACTION_CREATE").await;
        assert_eq!(bot.callback(&interaction, json!({ "type": 6 })).await.0, 204);
        let path = format!("{}/messages/{message}", bot.channel("bot-test"));
        bot.expect(200, Method::PATCH, &path, &json!({ "content": "edited" })).await;
    };
    let ((), answer) = tokio::join!(reply, press);
    let answer: Answer = answer.unwrap();
    assert_eq!((answer.content.as_str(), answer.deferred), ("edited", true));
}

#[tokio::test]
async fn menus_take_what_they_offer_and_no_more() {
    let mut bot = Bot::start().await;
    let options = json!([{ "label": "Tea", "value": "t" }, { "label": "Coffee", "value": "c" }]);
    let message = posted(&bot, json!([
        { "type": 1, "components": [{ "type": 3, "custom_id": "drink", "options": options, "max_values": 2 }] },
        { "type": 1, "components": [{ "type": 5, "custom_id": "who" }] },
        { "type": 1, "components": [{ "type": 8, "custom_id": "where", "channel_types": [2] }] },
    ])).await;
    let user = bot.user.clone();
    let done = json!({ "type": 4, "data": { "content": "ok" } });
    let (interaction, _) =
        bot.answers(user.choose("bob", message, "drink", &["Tea", "c"]), done.clone()).await;
    assert_eq!(interaction["data"]["values"], json!(["t", "c"]));
    let (interaction, _) = bot.answers(user.choose("bob", message, "who", &["carol"]), done.clone()).await;
    let carol = text(&interaction["data"]["values"][0]).to_owned();
    assert_eq!(interaction["data"]["resolved"]["users"][&carol]["username"], "carol");
    let (interaction, _) = bot.answers(user.choose("bob", message, "where", &["Lounge"]), done).await;
    assert_eq!(interaction["data"]["resolved"]["channels"].as_object().unwrap().len(), 1);
    for (menu, values) in
        [("drink", &["water"][..]), ("drink", &[]), ("who", &["nobody"]), ("where", &["general"])]
    {
        assert!(user.choose("bob", message, menu, values).await.is_err(), "{menu} took {values:?}");
    }
}

#[tokio::test]
async fn a_modal_opens_and_comes_back_filled_in() {
    let mut bot = Bot::start().await;
    bot.register(json!({ "name": "form", "description": "d" })).await;
    let user = bot.user.clone();
    let modal = json!({ "type": 9, "data": { "custom_id": "f", "title": "Form", "components": [
        { "type": 18, "label": "Name", "component": { "type": 4, "custom_id": "name", "style": 1, "max_length": 5 } },
        { "type": 18, "label": "Pet", "component": { "type": 3, "custom_id": "pet", "required": false,
            "options": [{ "label": "Cat", "value": "cat" }] } },
    ] } });
    let (_, opened) = bot.answers(user.say("/form"), modal).await;
    assert_eq!(opened.modal.as_ref().unwrap()["title"], "Form");
    let fill = |value: Value| value.as_object().unwrap().clone();
    for wrong in [
        json!({}),
        json!({ "name": "too long" }),
        json!({ "name": "ok", "pet": ["dog"] }),
        json!({ "x": "y" }),
    ] {
        assert!(user.submit(&opened, fill(wrong.clone())).await.is_err(), "{wrong} was taken");
    }
    let submit = user.submit(&opened, fill(json!({ "name": "Tom", "pet": ["Cat"] })));
    let (interaction, answer) =
        bot.answers(submit, json!({ "type": 4, "data": { "content": "thanks" } })).await;
    assert_eq!((&interaction["type"], &interaction["data"]["custom_id"]), (&json!(5), &json!("f")));
    assert_eq!(interaction["data"]["components"][0]["component"]["value"], "Tom");
    assert_eq!(interaction["data"]["components"][1]["component"]["values"], json!(["cat"]));
    assert_eq!(answer.content, "thanks");
}

#[tokio::test]
async fn a_message_made_of_components_has_them_numbered_and_pressable() {
    let mut bot = Bot::start().await;
    let path = format!("{}/messages", bot.channel("bot-test"));
    let components = json!([{ "type": 17, "components": [
        { "type": 10, "content": "# Hello <@1>" },
        { "type": 9, "components": [{ "type": 10, "content": "text" }],
          "accessory": { "type": 2, "style": 1, "label": "Go", "custom_id": "go" } },
    ] }]);
    let message = bot.post(&path, json!({ "flags": 32768, "components": components })).await;
    assert_eq!(message["flags"], 32768);
    let user = bot.user.clone();
    let (interaction, _) = bot.answers(press(&user, id(&message["id"]), "go"), json!({ "type": 6 })).await;
    assert!(interaction["data"]["id"].as_u64().is_some_and(|id| id > 0));
    let (status, error) = bot
        .call(Method::POST, &path, &json!({ "flags": 32768, "content": "no", "components": components }))
        .await;
    assert_eq!((status, &error["code"]), (400, &json!(50035)));
}
