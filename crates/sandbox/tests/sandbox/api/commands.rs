//! Registration of commands, and who may run them.

use reqwest::Method;
use sandbox::client::Run;
use serde_json::{Value, json};

use crate::api::bot::{Bot, text};

#[tokio::test]
async fn a_command_of_a_taken_name_changes_the_one_that_has_it() {
    let bot = Bot::start().await;
    let first = bot.register(json!({ "name": "a", "description": "1" })).await;
    let second = bot.post(&bot.commands(), json!({ "name": "a", "description": "2" })).await;
    assert_eq!(first["id"], second["id"]);
    assert_ne!(first["version"], second["version"]);
    let third = bot.post(&bot.commands(), json!({ "name": "a", "description": "2" })).await;
    assert_eq!(second["version"], third["version"]);
}

#[tokio::test]
async fn an_overwrite_keeps_ids_of_what_stays_and_drops_the_rest() {
    let bot = Bot::start().await;
    let stays = bot.register(json!({ "name": "a", "description": "d" })).await;
    let goes = bot.register(json!({ "name": "b", "description": "d" })).await;
    let list = json!([{ "name": "a", "description": "d" }, { "name": "c", "description": "d" }]);
    let after = bot.expect(200, Method::PUT, &bot.commands(), &list).await;
    assert_eq!((&after[0]["id"], &after[0]["version"]), (&stays["id"], &stays["version"]));
    let path = format!("{}/{}", bot.commands(), text(&goes["id"]));
    assert_eq!(bot.call(Method::GET, &path, &Value::Null).await.1["code"], 10063);
    assert_eq!(bot.get(&bot.commands()).await.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_bad_definition_is_told_field_by_field_and_changes_nothing() {
    let bot = Bot::start().await;
    let bad = json!([{ "name": "ok", "description": "d" }, { "name": "Not Ok", "description": "" }]);
    let (status, error) = bot.call(Method::PUT, &bot.commands(), &bad).await;
    assert_eq!((status, &error["code"]), (400, &json!(50035)));
    assert!(error["errors"]["1"]["name"]["_errors"].is_array(), "{error}");
    assert!(error["errors"]["1"]["description"]["_errors"].is_array(), "{error}");
    assert_eq!(bot.get(&bot.commands()).await, json!([]));
}

#[tokio::test]
async fn translations_come_when_asked_for() {
    let bot = Bot::start().await;
    bot.register(json!({ "name": "a", "description": "d", "name_localizations": { "de": "b" } })).await;
    assert!(bot.get(&bot.commands()).await[0]["name_localizations"].is_null());
    let full = bot.get(&format!("{}?with_localizations=true", bot.commands())).await;
    assert_eq!(full[0]["name_localizations"]["de"], "b");
}

#[tokio::test]
async fn an_edit_and_a_deletion_touch_one_command() {
    let bot = Bot::start().await;
    let command = bot.register(json!({ "name": "a", "description": "d", "nsfw": true })).await;
    bot.register(json!({ "name": "b", "description": "d" })).await;
    let path = format!("{}/{}", bot.commands(), text(&command["id"]));
    let edited = bot.expect(200, Method::PATCH, &path, &json!({ "description": "new" })).await;
    assert_eq!((&edited["description"], &edited["nsfw"]), (&json!("new"), &json!(true)));
    assert_eq!(bot.call(Method::PATCH, &path, &json!({ "name": "b" })).await.1["code"], 40041);
    bot.expect(204, Method::DELETE, &path, &Value::Null).await;
    assert_eq!(bot.get(&bot.commands()).await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn only_those_may_run_a_command_whom_it_is_for() {
    let mut bot = Bot::start().await;
    let command = json!({ "name": "ban", "description": "d", "default_member_permissions": "4" });
    let command = bot.register(command).await;
    let user = bot.user.clone();
    let refused = user.run(Run::typed("/ban").by("carol")).await.unwrap_err().to_string();
    assert!(refused.contains("BAN_MEMBERS"), "{refused}");
    assert!(user.commands("carol", "bot-test").await.unwrap().is_empty());
    assert_eq!(user.commands("bob", "bot-test").await.unwrap().len(), 1);
    let done = json!({ "type": 4, "data": { "content": "ok" } });
    bot.answers(user.run(Run::typed("/ban").by("bob")), done.clone()).await;

    let carol = bot.sandbox.user_id("carol").unwrap();
    let path = format!("/guilds/Sandbox/commands/{}/permissions", text(&command["id"]));
    let rules = json!([{ "id": carol, "type": 2, "permission": true }]);
    let set = bot.control(Method::PUT, &path).json(&rules).send().await.unwrap();
    assert_eq!(set.status(), 200);
    assert_eq!(bot.event("APPLICATION_COMMAND_PERMISSIONS_UPDATE").await["id"], command["id"]);
    bot.answers(user.run(Run::typed("/ban").by("carol")), done).await;
    let seen = bot.get(&format!("{}/{}/permissions", bot.commands(), text(&command["id"]))).await;
    assert_eq!(seen["permissions"], rules);
}

#[tokio::test]
async fn creations_of_a_day_are_counted() {
    let config = sandbox::ratelimit::Config {
        command_creates_per_day: Some(2),
        ..sandbox::ratelimit::Config::default()
    };
    let bot = Bot::start_with(sandbox::Sandbox::builder().rate_limits(config)).await;
    bot.register(json!({ "name": "a", "description": "d" })).await;
    bot.register(json!({ "name": "b", "description": "d" })).await;
    let (_, error) =
        bot.call(Method::POST, &bot.commands(), &json!({ "name": "c", "description": "d" })).await;
    assert_eq!(error["code"], 30034);
    bot.post(&bot.commands(), json!({ "name": "b", "description": "changed" })).await;
}

/// "Locale is determined by looking at the X-Discord-Locale header, then the Accept-Language header if not present, then
/// lastly the user settings locale" (Application Commands, "Retrieving localized commands").
#[tokio::test]
async fn a_list_of_commands_comes_in_the_language_that_is_asked_for() {
    let bot = Bot::start().await;
    bot.register(json!({ "name": "color", "description": "d",
        "name_localizations": { "de": "farbe", "en-US": "hue", "en-GB": "colour", "pt-BR": "cor" } }))
        .await;
    let url = format!("{}{}", bot.sandbox.api_url(), bot.commands());
    let http = reqwest::Client::new();
    for (headers, name) in [
        (vec![], json!("hue")),
        (vec![("x-discord-locale", "de")], json!("farbe")),
        (vec![("x-discord-locale", "de"), ("accept-language", "en-GB")], json!("farbe")),
        (vec![("accept-language", "tlh, en-GB;q=0.8, de")], json!("colour")),
        (vec![("accept-language", "de-AT")], json!("farbe")),
        // Fallbacks are up to the client: for a locale without a translation there is no such field.
        (vec![("x-discord-locale", "fr")], Value::Null),
    ] {
        let mut request = http.get(&url).header("authorization", format!("Bot {}", bot.sandbox.token()));
        for (header, value) in &headers {
            request = request.header(*header, *value);
        }
        let list: Value = request.send().await.unwrap().json().await.unwrap();
        assert_eq!(list[0]["name_localized"], name, "{headers:?}");
        assert_eq!(list[0]["name"], "color");
    }
}
