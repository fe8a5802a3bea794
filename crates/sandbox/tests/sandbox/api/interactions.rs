//! Commands and their answers: immediate, deferred, late, twice, missing.

use std::time::Duration;

use reqwest::Method;
use sandbox::Sandbox;
use sandbox::client::Run;
use serde_json::{Value, json};

use crate::api::bot::{Bot, id, text};

async fn with_ping() -> Bot {
    let bot = Bot::start().await;
    bot.register(json!({ "name": "ping", "description": "Answers" })).await;
    bot
}

#[tokio::test]
async fn a_command_reaches_the_bot_and_its_answer_the_user() {
    let mut bot = with_ping().await;
    let user = bot.user.clone();
    let body = json!({ "type": 4, "data": { "content": "pong", "embeds": [{ "title": "t" }] } });
    let (interaction, answer) = bot.answers(user.say("/ping"), body).await;
    assert_eq!(interaction["data"]["name"], "ping");
    assert_eq!(interaction["member"]["user"]["username"], "alice");
    assert_eq!(interaction["context"], 0);
    assert_eq!(interaction["authorizing_integration_owners"]["0"], interaction["guild_id"]);
    assert_eq!((answer.content.as_str(), answer.embeds.len(), answer.ephemeral), ("pong", 1, false));
    assert_eq!((answer.callbacks, answer.error), (1, None));
    assert!(answer.latency_ms.is_some_and(|ms| ms > 0.0));
    let message = bot.event("MESSAGE_CREATE").await;
    assert_eq!((&message["content"], &message["type"]), (&json!("pong"), &json!(20)));
    assert_eq!(message["interaction_metadata"]["id"], interaction["id"]);
    assert_eq!(message["guild_id"], interaction["guild_id"]);
}

#[tokio::test]
async fn a_callback_tells_what_it_made_when_asked() {
    let mut bot = with_ping().await;
    let user = bot.user.clone();
    let ask = user.say("/ping");
    let answer = async {
        let interaction = bot.event("INTERACTION_CREATE").await;
        let path = format!(
            "/interactions/{}/{}/callback?with_response=true",
            text(&interaction["id"]),
            text(&interaction["token"])
        );
        bot.post(&path, json!({ "type": 4, "data": { "content": "x", "flags": 64 } })).await
    };
    let (answered, seen) = tokio::join!(answer, ask);
    assert_eq!(answered["interaction"]["response_message_ephemeral"], true);
    assert_eq!(answered["resource"]["message"]["content"], "x");
    assert!(seen.unwrap().ephemeral);
}

#[tokio::test]
async fn an_ephemeral_answer_is_in_no_history_and_no_event() {
    let mut bot = with_ping().await;
    let user = bot.user.clone();
    let body = json!({ "type": 4, "data": { "content": "secret", "flags": 64 } });
    let (interaction, answer) = bot.answers(user.say("/ping"), body).await;
    assert!(answer.ephemeral);
    assert_eq!(bot.get(&format!("{}/messages", bot.channel("bot-test"))).await, json!([]));
    assert!(!bot.pending().contains(&"MESSAGE_CREATE".to_owned()));
    let original = bot.get(&format!("{}/messages/@original", bot.webhook(&interaction))).await;
    assert_eq!(original["content"], "secret");
    let (of_alice, of_bob) = (user.messages("alice", "bot-test", 5), user.messages("bob", "bot-test", 5));
    let (of_alice, of_bob) = tokio::join!(of_alice, of_bob);
    assert_eq!((of_alice.unwrap().len(), of_bob.unwrap().len()), (1, 0));
}

#[tokio::test]
async fn a_deferred_answer_is_waited_for_until_the_edit() {
    let mut bot = with_ping().await;
    let user = bot.user.clone();
    let ask = user.say("/ping");
    let reply = async {
        let interaction = bot.event("INTERACTION_CREATE").await;
        assert_eq!(bot.callback(&interaction, json!({ "type": 5 })).await.0, 204);
        let thinking = bot.event("MESSAGE_CREATE").await;
        assert_eq!(thinking["flags"], 128);
        let path = format!("{}/messages/@original", bot.webhook(&interaction));
        let edited = bot.expect(200, Method::PATCH, &path, &json!({ "content": "done" })).await;
        assert_eq!(edited["flags"], 0);
        edited
    };
    let (edited, answer) = tokio::join!(reply, ask);
    let answer = answer.unwrap();
    assert!(answer.deferred);
    assert_eq!(answer.content, "done");
    assert!(answer.acknowledged_ms < answer.latency_ms);
    assert_eq!(answer.message.unwrap()["id"], edited["id"]);
}

#[tokio::test]
async fn a_followup_right_after_deferring_fills_the_answer_in() {
    let mut bot = with_ping().await;
    let user = bot.user.clone();
    let ask = user.say("/ping");
    let reply = async {
        let interaction = bot.event("INTERACTION_CREATE").await;
        bot.callback(&interaction, json!({ "type": 5, "data": { "flags": 64 } })).await;
        let first = bot.post(&bot.webhook(&interaction), json!({ "content": "first" })).await;
        assert_eq!(first["flags"], 64);
        bot.post(&bot.webhook(&interaction), json!({ "content": "second" })).await;
        interaction
    };
    let (interaction, answer) = tokio::join!(reply, ask);
    assert_eq!(answer.unwrap().content, "first");
    let later = user.interaction(id(&interaction["id"])).await.unwrap();
    assert_eq!(later.followups.len(), 1);
    assert_eq!(later.followups[0]["content"], "second");
}

#[tokio::test]
async fn an_answer_to_one_user_alone_after_a_deferral_for_all_is_waited_for() {
    let mut bot = with_ping().await;
    let user = bot.user.clone();
    let ask = user.say("/ping");
    let reply = async {
        let interaction = bot.event("INTERACTION_CREATE").await;
        bot.callback(&interaction, json!({ "type": 5 })).await;
        let webhook = bot.webhook(&interaction);
        bot.expect(204, Method::DELETE, &format!("{webhook}/messages/@original"), &Value::Null).await;
        // The bot hears of it like everyone, and whoever waits for the answer has had time to give up.
        bot.event("MESSAGE_DELETE").await;
        bot.post(&webhook, json!({ "content": "for you", "flags": 64 })).await
    };
    let (sent, answer) = tokio::join!(reply, ask);
    let answer = answer.unwrap();
    assert!(answer.deferred && answer.error.is_none());
    assert_eq!((answer.content.as_str(), answer.ephemeral), ("for you", true), "{answer:?}");
    assert_eq!(answer.message.unwrap()["id"], sent["id"]);
}

#[tokio::test]
async fn a_second_callback_is_refused_and_counted() {
    let mut bot = with_ping().await;
    let user = bot.user.clone();
    let (interaction, _) =
        bot.answers(user.say("/ping"), json!({ "type": 4, "data": { "content": "1" } })).await;
    let (status, error) = bot.callback(&interaction, json!({ "type": 4, "data": { "content": "2" } })).await;
    assert_eq!((status, &error["code"]), (400, &json!(40060)));
    assert_eq!(user.interaction(id(&interaction["id"])).await.unwrap().callbacks, 2);
    assert_eq!(user.stats().await.unwrap()["interactions"]["doubled"], 1);
}

#[tokio::test]
async fn an_answer_with_a_mistake_in_it_is_none_and_the_next_is_the_first() {
    let mut bot = with_ping().await;
    let user = bot.user.clone();
    let asked = tokio::spawn(async move { user.say("/ping").await });
    let interaction = bot.event("INTERACTION_CREATE").await;
    for (mistake, code) in
        [(json!({ "content": "" }), 50006), (json!({ "content": "x".repeat(2001) }), 50035)]
    {
        let (status, error) = bot.callback(&interaction, json!({ "type": 4, "data": mistake })).await;
        assert_eq!((status, &error["code"]), (400, &json!(code)));
    }
    let (status, _) = bot.callback(&interaction, json!({ "type": 4, "data": { "content": "1" } })).await;
    assert_eq!(status, 204);
    let answer = asked.await.unwrap().unwrap();
    assert_eq!((answer.content.as_str(), answer.callbacks), ("1", 1));
}

#[tokio::test]
async fn a_silent_bot_is_given_up_on_and_its_late_answer_refused() {
    let builder = Sandbox::builder().response_deadline(Duration::from_millis(100));
    let mut bot = Bot::start_with(builder).await;
    bot.register(json!({ "name": "ping", "description": "Answers" })).await;
    let answer = bot.user.say("/ping").await.unwrap();
    assert_eq!(answer.error.as_deref(), Some("The application did not respond"));
    assert_eq!((answer.callbacks, answer.latency_ms), (0, None));
    let interaction = bot.event("INTERACTION_CREATE").await;
    let (status, error) =
        bot.callback(&interaction, json!({ "type": 4, "data": { "content": "late" } })).await;
    assert_eq!((status, &error["code"]), (404, &json!(10062)));
    let (status, error) =
        bot.call(Method::POST, &bot.webhook(&interaction), &json!({ "content": "x" })).await;
    assert_eq!((status, &error["code"]), (404, &json!(10015)));
}

#[tokio::test]
async fn a_token_ends_with_its_lifetime() {
    let builder = Sandbox::builder().token_lifetime(Duration::ZERO);
    let mut bot = Bot::start_with(builder).await;
    bot.register(json!({ "name": "ping", "description": "Answers" })).await;
    let user = bot.user.clone();
    let (interaction, _) =
        bot.answers(user.say("/ping"), json!({ "type": 4, "data": { "content": "1" } })).await;
    let (status, error) =
        bot.call(Method::POST, &bot.webhook(&interaction), &json!({ "content": "x" })).await;
    assert_eq!((status, &error["code"]), (401, &json!(50027)));
}

#[tokio::test]
async fn the_first_answer_can_be_read_edited_and_deleted() {
    let mut bot = with_ping().await;
    let user = bot.user.clone();
    let (interaction, _) =
        bot.answers(user.say("/ping"), json!({ "type": 4, "data": { "content": "1" } })).await;
    let path = format!("{}/messages/@original", bot.webhook(&interaction));
    assert_eq!(bot.get(&path).await["content"], "1");
    let edited = bot.expect(200, Method::PATCH, &path, &json!({ "content": "2" })).await;
    assert!(edited["edited_timestamp"].is_string());
    assert_eq!(bot.event("MESSAGE_UPDATE").await["content"], "2");
    bot.expect(204, Method::DELETE, &path, &Value::Null).await;
    assert_eq!(bot.event("MESSAGE_DELETE").await["id"], edited["id"]);
    assert_eq!(bot.call(Method::GET, &path, &Value::Null).await.1["code"], 10008);
}

#[tokio::test]
async fn an_invalid_answer_is_refused_and_may_be_corrected() {
    let mut bot = with_ping().await;
    let user = bot.user.clone();
    let ask = user.say("/ping");
    let reply = async {
        let interaction = bot.event("INTERACTION_CREATE").await;
        let (status, error) =
            bot.callback(&interaction, json!({ "type": 4, "data": { "content": "x".repeat(2001) } })).await;
        assert_eq!((status, &error["code"]), (400, &json!(50035)));
        assert!(error["errors"]["data"]["content"]["_errors"].is_array(), "{error}");
        assert_eq!(bot.callback(&interaction, json!({ "type": 7, "data": {} })).await.0, 400);
        bot.callback(&interaction, json!({ "type": 4, "data": { "content": "short" } })).await
    };
    let ((status, _), answer) = tokio::join!(reply, ask);
    assert_eq!((status, answer.unwrap().content.as_str()), (204, "short"));
}

#[tokio::test]
async fn autocompletion_returns_the_bots_choices() {
    let mut bot = Bot::start().await;
    let option = json!({ "type": 3, "name": "what", "description": "d", "autocomplete": true });
    bot.register(json!({ "name": "help", "description": "d", "options": [option] })).await;
    let user = bot.user.clone();
    let choices = json!([{ "name": "Ping", "value": "ping" }]);
    let ask = user.complete(Run::typed("/help what:pi"));
    let (interaction, answer) = bot.answers(ask, json!({ "type": 8, "data": { "choices": choices } })).await;
    assert_eq!(interaction["type"], 4);
    assert_eq!(
        interaction["data"]["options"][0],
        json!({ "type": 3, "name": "what", "value": "pi", "focused": true })
    );
    let seen = answer.choices.unwrap();
    assert_eq!((&seen[0]["name"], &seen[0]["value"]), (&json!("Ping"), &json!("ping")));
}

/// Starts a bot with a command with German names in the guild, and sets bob's client to German.
async fn with_german() -> Bot {
    let bot = Bot::start().await;
    bot.register(json!({ "name": "paint", "description": "Paints", "name_localizations": { "de": "malen" },
        "description_localizations": { "de": "Malt" }, "options": [
        { "type": 3, "name": "color", "description": "d", "name_localizations": { "de": "farbe" },
          "choices": [{ "name": "Red", "value": "r", "name_localizations": { "de": "Rot" } }] },
        { "type": 3, "name": "hint", "description": "d", "autocomplete": true,
          "name_localizations": { "de": "tipp" } } ] }))
        .await;
    bot.register(json!({ "name": "Wave", "type": 2, "name_localizations": { "de": "Winken" } })).await;
    bot.user.edit_user("bob", &json!({ "locale": "de" })).await.unwrap();
    bot
}

#[tokio::test]
async fn commands_are_shown_and_taken_in_the_users_language() {
    let mut bot = with_german().await;
    let user = bot.user.clone();
    let shown = user.commands("bob", "bot-test").await.unwrap();
    let localized = |field: &str| [&shown[0][field], &shown[1][field]];
    assert_eq!(localized("name"), ["paint", "Wave"]);
    assert_eq!(localized("name_localized"), ["malen", "Winken"]);
    assert_eq!(shown[0]["description_localized"], "Malt");
    assert_eq!(shown[0]["options"][0]["name_localized"], "farbe");
    assert_eq!(shown[0]["options"][0]["choices"][0]["name_localized"], "Rot");
    let english = user.commands("alice", "bot-test").await.unwrap();
    assert_eq!(english[0].get("name_localized"), None);

    let ok = json!({ "type": 4, "data": { "content": "ok" } });
    let by_bob = |run: Run| user.run(run.by("bob"));
    for run in [
        Run::typed("/malen farbe:Rot"),
        Run::typed("/paint color:Red"),
        Run::named("malen", json!({ "farbe": "Rot" })),
        Run::named("paint", json!({ "color": "Red" })),
    ] {
        let (interaction, _) = bot.answers(by_bob(run), ok.clone()).await;
        let data = &interaction["data"];
        assert_eq!((&data["name"], &data["options"][0]["name"]), (&json!("paint"), &json!("color")));
        assert_eq!((&data["options"][0]["value"], &interaction["locale"]), (&json!("r"), &json!("de")));
    }
    for name in ["Winken", "Wave"] {
        let (interaction, _) = bot.answers(by_bob(Run::on(name, "carol")), ok.clone()).await;
        assert_eq!(interaction["data"]["name"], "Wave");
    }
    for (run, nearest) in [(Run::typed("/mallen"), "/malen"), (Run::typed("/malen farbr:Rot"), "farbe")] {
        let refused = by_bob(run).await.unwrap_err().to_string();
        assert!(refused.ends_with(&format!("the nearest is {nearest}.")), "{refused}");
    }
    // The German names work only in a client set to German.
    assert!(user.say("/malen farbe:Rot").await.is_err());
}

#[tokio::test]
async fn suggestions_are_shown_in_the_users_language() {
    let mut bot = with_german().await;
    let user = bot.user.clone();
    let choices =
        json!([{ "name": "Warm", "value": "w", "name_localizations": { "de": "Heiß", "fr": "Chaud" } }]);
    let ask = user.complete(Run::typed("/malen tipp:hei").by("bob"));
    let (interaction, answer) = bot.answers(ask, json!({ "type": 8, "data": { "choices": choices } })).await;
    assert_eq!(
        interaction["data"]["options"][0],
        json!({ "type": 3, "name": "hint", "value": "hei", "focused": true })
    );
    assert_eq!(answer.choices.unwrap(), [json!({ "name": "Warm", "name_localized": "Heiß", "value": "w" })]);
}

#[tokio::test]
async fn options_are_resolved_as_discords_client_does() {
    let mut bot = Bot::start().await;
    bot.register(json!({ "name": "give", "description": "d", "options": [
        { "type": 6, "name": "to", "description": "d", "required": true },
        { "type": 4, "name": "n", "description": "d", "min_value": 1, "max_value": 3 },
        { "type": 7, "name": "where", "description": "d" },
        { "type": 11, "name": "file", "description": "d" },
    ] }))
    .await;
    let user = bot.user.clone();
    let run = Run::typed("/give to:bob n:2 where:#general file:a.txt").file("a.txt", b"hello");
    let (interaction, _) =
        bot.answers(user.run(run), json!({ "type": 4, "data": { "content": "ok" } })).await;
    let data = &interaction["data"];
    let bob = bot.sandbox.user_id("bob").unwrap().to_string();
    assert_eq!(data["options"][0]["value"], bob);
    assert_eq!(data["options"][1]["value"], 2);
    assert_eq!(data["resolved"]["users"][&bob]["username"], "bob");
    assert!(data["resolved"]["members"][&bob]["roles"].is_array());
    let file = &data["resolved"]["attachments"][text(&data["options"][3]["value"])];
    let bytes = reqwest::get(text(&file["url"])).await.unwrap().bytes().await.unwrap();
    assert_eq!(&bytes[..], b"hello");
    for wrong in ["/give n:2", "/give to:nobody", "/give to:bob n:9", "/give to:bob what:1", "/gift"] {
        let error = user.say(wrong).await.unwrap_err().to_string();
        assert!(error.ends_with('.') || error.ends_with('?'), "{wrong}: {error}");
    }
    assert_eq!(user.stats().await.unwrap()["interactions"]["dispatched"], 1);
}

#[tokio::test]
async fn a_command_runs_in_direct_messages_too() {
    let mut bot = Bot::start().await;
    let path = format!("/applications/{}/commands", bot.sandbox.bot_id());
    bot.expect(201, Method::POST, &path, &json!({ "name": "hi", "description": "d" })).await;
    let user = bot.user.clone();
    let ask = user.run(Run::typed("/hi").by("carol").at("@Sandbot"));
    let (interaction, answer) = bot.answers(ask, json!({ "type": 4, "data": { "content": "hello" } })).await;
    assert_eq!((&interaction["context"], &interaction["user"]["username"]), (&json!(1), &json!("carol")));
    assert!(interaction.get("guild_id").is_none() && interaction.get("member").is_none());
    assert_eq!(answer.content, "hello");
}

#[tokio::test]
async fn context_menu_commands_carry_their_target() {
    let mut bot = Bot::start().await;
    bot.register(json!({ "name": "Who", "type": 2 })).await;
    bot.register(json!({ "name": "Quote", "type": 3 })).await;
    let user = bot.user.clone();
    let answer = json!({ "type": 4, "data": { "content": "ok" } });
    let (interaction, seen) = bot.answers(user.run(Run::on("Who", "carol")), answer.clone()).await;
    let carol = bot.sandbox.user_id("carol").unwrap().to_string();
    assert_eq!(interaction["data"]["target_id"], carol);
    assert_eq!(interaction["data"]["resolved"]["users"][&carol]["username"], "carol");
    assert_eq!(seen.message.unwrap()["type"], 23);
    // A target is named as a user in an option is.
    for target in [carol.clone(), "@carol".to_owned(), format!("<@{carol}>"), format!("<@!{carol}>")] {
        let (interaction, _) = bot.answers(user.run(Run::on("Who", target)), answer.clone()).await;
        assert_eq!(interaction["data"]["target_id"], carol);
        assert!(interaction["data"]["resolved"]["members"][&carol]["roles"].is_array());
    }
    let message = user.send("bob", "bot-test", "wise words").await.unwrap();
    let (interaction, _) = bot.answers(user.run(Run::on("Quote", text(&message["id"]))), answer).await;
    assert_eq!(interaction["data"]["resolved"]["messages"][text(&message["id"])]["content"], "wise words");
}

#[tokio::test]
async fn a_callback_may_come_as_a_form_without_files() {
    let mut bot = Bot::start().await;
    bot.register(json!({ "name": "ping", "description": "d" })).await;
    let user = bot.user.clone();
    let answer = tokio::spawn(async move { user.say("/ping").await.unwrap() });
    let interaction = bot.event("INTERACTION_CREATE").await;
    let (id, token) = (text(&interaction["id"]), text(&interaction["token"]));
    let body = json!({ "type": 4, "data": { "content": "form & all" } }).to_string();
    let sent = reqwest::Client::new()
        .post(format!("{}/interactions/{id}/{token}/callback", bot.sandbox.api_url()))
        .form(&[("payload_json", body)])
        .send()
        .await
        .unwrap();
    assert_eq!(sent.status(), 204);
    assert_eq!(answer.await.unwrap().content, "form & all");
}
