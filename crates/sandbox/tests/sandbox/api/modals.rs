//! The possible answers to a submitted modal, for modals opened by a command and by a component.

use std::time::Duration;

use reqwest::Method;
use sandbox::{Answer, Client, Sandbox};
use serde_json::{Map, Value, json};

use crate::api::bot::{Bot, PATIENCE, id, text};

/// Returns a modal with one input, in the form of poise: the text in an action row.
fn modal() -> Value {
    json!({ "type": 9, "data": { "custom_id": "f", "title": "Form", "components": [
        { "type": 1, "components": [{ "type": 4, "custom_id": "name", "label": "Name", "style": 1 }] } ] } })
}

fn filled() -> Map<String, Value> {
    Map::from_iter([("name".to_owned(), json!("Tom"))])
}

/// Returns a bot with `/form`, the command's interaction, and the answer that opened a modal.
async fn opened_by_a_command(mut bot: Bot) -> (Bot, Value, Answer) {
    bot.register(json!({ "name": "form", "description": "d" })).await;
    let user = bot.user.clone();
    let (command, opened) = bot.answers(user.say("/form"), modal()).await;
    (bot, command, opened)
}

/// Returns a bot with a message, and the answer of its button that opened a modal.
async fn opened_by_a_component() -> (Bot, Value, Answer) {
    let mut bot = Bot::start().await;
    let path = format!("{}/messages", bot.channel("bot-test"));
    let button = json!([{ "type": 1, "components": [
        { "type": 2, "style": 1, "label": "Fill in", "custom_id": "b" } ] }]);
    let message = bot.post(&path, json!({ "content": "here", "components": button })).await;
    let user = bot.user.clone();
    let (_, opened) = bot.answers(user.press("alice", id(&message["id"]), "b"), modal()).await;
    (bot, message, opened)
}

/// Submits a modal, and waits for what follows a deferred update as long as a busy machine may take.
async fn submit_and_wait(user: &Client, opened: &Answer) -> Result<Answer, sandbox::client::Error> {
    let deadline_ms = u64::try_from(PATIENCE.as_millis()).unwrap();
    let asked = json!({ "interaction": opened.interaction, "values": filled(), "deadline_ms": deadline_ms });
    user.modal(&asked).await
}

/// Answers an interaction and returns the response to that.
async fn callback_with_response(bot: &Bot, interaction: &Value, body: Value) -> Value {
    let (id, token) = (text(&interaction["id"]), text(&interaction["token"]));
    bot.post(&format!("/interactions/{id}/{token}/callback?with_response=true"), body).await
}

#[tokio::test]
async fn a_modal_of_a_command_is_acknowledged_without_a_message_and_followed_up() {
    let (mut bot, _, opened) = opened_by_a_command(Bot::start().await).await;
    let user = bot.user.clone();
    let submit = submit_and_wait(&user, &opened);
    let reply = async {
        let interaction = bot.event("INTERACTION_CREATE").await;
        assert_eq!((&interaction["type"], interaction.get("message")), (&json!(5), None));
        let made = callback_with_response(&bot, &interaction, json!({ "type": 6 })).await;
        assert_eq!(made["interaction"]["type"], 5);
        assert_eq!((made.get("resource"), made["interaction"].get("response_message_id")), (None, None));
        // No message was created, so there is no first answer to read, edit or delete.
        let original = format!("{}/messages/@original", bot.webhook(&interaction));
        for method in [Method::GET, Method::PATCH, Method::DELETE] {
            let body = if method == Method::PATCH { json!({ "content": "x" }) } else { Value::Null };
            let (status, error) = bot.call(method, &original, &body).await;
            assert_eq!((status, &error["code"]), (404, &json!(10008)));
        }
        bot.post(&bot.webhook(&interaction), json!({ "content": "thanks", "flags": 64 })).await
    };
    let (followup, answer) = tokio::join!(reply, submit);
    let answer = answer.unwrap();
    assert_eq!((answer.content.as_str(), answer.ephemeral, answer.callbacks), ("thanks", true, 1));
    assert_eq!(answer.message.unwrap()["id"], followup["id"]);
    let metadata = &followup["interaction_metadata"];
    assert_eq!(
        (&metadata["type"], &metadata["triggering_interaction_metadata"]["type"]),
        (&json!(5), &json!(2))
    );
}

/// The requests of `poise::Modal::execute` and a following `ctx.say`: 9 for the command, 6 for the modal, and a
/// followup with the command's token.
#[tokio::test]
async fn a_command_goes_on_with_its_own_token_after_its_modal() {
    let (mut bot, command, opened) = opened_by_a_command(Bot::start().await).await;
    let user = bot.user.clone();
    bot.post(&bot.webhook(&command), json!({ "content": "before the form" })).await;
    let submit = submit_and_wait(&user, &opened);
    let reply = async {
        let interaction = bot.event("INTERACTION_CREATE").await;
        assert_eq!(interaction["data"]["components"][0]["components"][0]["value"], "Tom");
        assert_eq!(bot.callback(&interaction, json!({ "type": 6 })).await.0, 204);
        bot.post(&bot.webhook(&command), json!({ "content": "Hello Tom" })).await
    };
    let (said, answer) = tokio::join!(reply, submit);
    let answer = answer.unwrap();
    assert_eq!((answer.content.as_str(), answer.error.as_ref()), ("Hello Tom", None));
    assert_eq!(answer.message.unwrap()["id"], said["id"]);
    assert_eq!(answer.followups.len(), 1, "what was said before the modal answers nothing");
}

#[tokio::test]
async fn an_update_finds_no_message_where_a_command_opened_the_modal() {
    let (mut bot, _, opened) = opened_by_a_command(Bot::start().await).await;
    let user = bot.user.clone();
    let reply = async {
        let interaction = bot.event("INTERACTION_CREATE").await;
        let (status, error) =
            bot.callback(&interaction, json!({ "type": 7, "data": { "content": "x" } })).await;
        assert_eq!((status, &error["code"]), (404, &json!(10008)));
        bot.callback(&interaction, json!({ "type": 4, "data": { "content": "new" } })).await.0
    };
    let (status, answer) = tokio::join!(reply, user.submit(&opened, filled()));
    assert_eq!((status, answer.unwrap().content.as_str()), (204, "new"));
}

#[tokio::test]
async fn a_modal_of_a_component_updates_its_message_now_or_later() {
    let (mut bot, message, opened) = opened_by_a_component().await;
    let user = bot.user.clone();
    let reply = async {
        let interaction = bot.event("INTERACTION_CREATE").await;
        assert_eq!(interaction["message"]["id"], message["id"]);
        let made = callback_with_response(&bot, &interaction, json!({ "type": 6 })).await;
        assert_eq!(
            (made.get("resource"), &made["interaction"]["response_message_id"]),
            (None, &message["id"])
        );
        let original = format!("{}/messages/@original", bot.webhook(&interaction));
        bot.expect(200, Method::PATCH, &original, &json!({ "content": "later" })).await
    };
    let (edited, answer) = tokio::join!(reply, submit_and_wait(&user, &opened));
    assert_eq!((&edited["id"], answer.unwrap().content.as_str()), (&message["id"], "later"));

    let (mut bot, message, opened) = opened_by_a_component().await;
    let user = bot.user.clone();
    let reply = async {
        let interaction = bot.event("INTERACTION_CREATE").await;
        let body = json!({ "type": 7, "data": { "content": "now", "components": [] } });
        callback_with_response(&bot, &interaction, body).await
    };
    let (made, answer) = tokio::join!(reply, user.submit(&opened, filled()));
    assert_eq!((&made["resource"]["type"], &made["resource"]["message"]["id"]), (&json!(7), &message["id"]));
    assert_eq!(answer.unwrap().content, "now");
}

#[tokio::test]
async fn an_open_modal_is_submitted_once() {
    let (mut bot, _, opened) = opened_by_a_command(Bot::start().await).await;
    let user = bot.user.clone();
    let by = |name: &str| json!({ "interaction": opened.interaction, "values": filled(), "as": name });
    let refused = user.modal(&by("bob")).await.unwrap_err().to_string();
    assert!(refused.contains("opened for alice, so bob cannot"), "{refused}");
    let reply = async {
        let interaction = bot.event("INTERACTION_CREATE").await;
        // The bot has not answered yet, so the user still sees the loading button.
        let refused = bot.user.submit(&opened, filled()).await.unwrap_err().to_string();
        assert!(refused.contains("is being submitted"), "{refused}");
        bot.callback(&interaction, json!({ "type": 4, "data": { "content": "done" } })).await;
    };
    let asked = by("alice");
    let ((), answer) = tokio::join!(reply, user.modal(&asked));
    assert_eq!(answer.unwrap().content, "done");
    let refused = user.submit(&opened, filled()).await.unwrap_err().to_string();
    assert!(refused.contains("was submitted before"), "{refused}");
    assert_eq!(user.stats().await.unwrap()["interactions"]["dispatched"], 2);
}

#[tokio::test]
async fn a_modal_that_was_not_answered_in_time_stays_open() {
    // Long enough for the answers that are given, on a busy machine too.
    let builder = Sandbox::builder().response_deadline(Duration::from_secs(2));
    let bot = Bot::start_with(builder).await;
    let (mut bot, _, opened) = opened_by_a_command(bot).await;
    let user = bot.user.clone();
    let silence = user.submit(&opened, filled()).await.unwrap();
    assert_eq!(silence.error.as_deref(), Some("The application did not respond"));
    bot.event("INTERACTION_CREATE").await;
    let (_, answer) = bot
        .answers(user.submit(&opened, filled()), json!({ "type": 4, "data": { "content": "at last" } }))
        .await;
    assert_eq!(answer.content, "at last");
}

#[tokio::test]
async fn a_launched_activity_is_told_with_its_instance() {
    let mut bot = Bot::start().await;
    bot.register(json!({ "name": "play", "description": "d" })).await;
    let user = bot.user.clone();
    let reply = async {
        let interaction = bot.event("INTERACTION_CREATE").await;
        callback_with_response(&bot, &interaction, json!({ "type": 12 })).await
    };
    let (made, answer) = tokio::join!(reply, user.say("/play"));
    let instance = text(&made["resource"]["activity_instance"]["id"]);
    assert_eq!(
        (&made["resource"]["type"], &made["interaction"]["activity_instance_id"]),
        (&json!(12), &json!(instance))
    );
    let place = format!("-gc-{}-{}", bot.sandbox.guild_id(), bot.sandbox.channel_id("bot-test").unwrap());
    assert!(instance.starts_with("i-") && instance.ends_with(&place), "{instance}");
    assert_eq!(answer.unwrap().activity.as_deref(), Some(instance));
}

#[tokio::test]
async fn a_checkbox_takes_true_and_false_and_nothing_else() {
    let mut bot = Bot::start().await;
    bot.register(json!({ "name": "form", "description": "d" })).await;
    let checkbox = json!({ "type": 18, "label": "L", "component": { "type": 23, "custom_id": "c" } });
    let user = bot.user.clone();
    for (given, ticked) in
        [(json!(true), true), (json!("true"), true), (json!("false"), false), (Value::Null, false)]
    {
        let modal =
            json!({ "type": 9, "data": { "custom_id": "f", "title": "Form", "components": [checkbox] } });
        let (_, opened) = bot.answers(user.say("/form"), modal).await;
        for wrong in [json!("yes"), json!(1), json!([true])] {
            let asked = json!({ "interaction": opened.interaction, "values": { "c": wrong } });
            let refused = user.modal(&asked).await.unwrap_err().to_string();
            assert!(refused.contains("\"c\" is a checkbox and takes true or false"), "{refused}");
        }
        let asked = json!({ "interaction": opened.interaction, "values": { "c": given } });
        let reply = json!({ "type": 4, "data": { "content": "ok" } });
        let (interaction, _) = bot.answers(user.modal(&asked), reply).await;
        assert_eq!(interaction["data"]["components"][0]["component"]["value"], ticked, "{given}");
    }
}
