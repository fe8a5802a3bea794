//! Applications that users install to their accounts.

use reqwest::Method;
use sandbox::client::Run;
use serde_json::{Value, json};

use crate::api::bot::{Bot, id, text};
use crate::api::cli::command_for;

const DM: u64 = 1 << 15 | 1 << 14 | 1 << 17;

fn says(content: &str) -> Value {
    json!({ "type": 4, "data": { "content": content } })
}

async fn global(bot: &Bot, command: Value) -> Value {
    let path = format!("/applications/{}/commands", bot.sandbox.bot_id());
    bot.expect(201, Method::POST, &path, &command).await
}

/// Starts a bot and a guild "Elsewhere" of bob's, which it is not in.
async fn with_a_guild_elsewhere() -> Bot {
    let bot = Bot::start().await;
    let body = json!({ "name": "Elsewhere", "owner": "bob", "members": ["carol"], "bots": [] });
    let made = bot.control(Method::POST, "/guilds").json(&body).send().await.unwrap();
    assert_eq!(made.status(), 200);
    bot
}

#[tokio::test]
async fn a_command_of_a_user_install_rests_on_the_user() {
    let mut bot = Bot::start().await;
    let mine = json!({ "name": "hi", "description": "d", "contexts": [1, 2], "integration_types": [1] });
    assert_eq!(global(&bot, mine).await["integration_types"], json!([1]));
    let both = global(&bot, json!({ "name": "ho", "description": "d" })).await;
    assert_eq!(both["integration_types"], json!([0, 1]), "those of the application");
    let user = bot.user.clone();
    let carol = bot.sandbox.user_id("carol").unwrap();
    let ask = |text: &'static str, at: &'static str| user.run(Run::typed(text).by("carol").at(at));

    let (interaction, _) = bot.answers(ask("/ho", "@Sandbot"), says("hello")).await;
    assert_eq!(interaction["authorizing_integration_owners"], json!({ "0": "0" }));
    assert!(ask("/hi", "@Sandbot").await.is_err(), "she has not installed it");
    user.install_app("carol", "Sandbot").await.unwrap();
    let (interaction, _) = bot.answers(ask("/hi", "@Sandbot"), says("hello")).await;
    assert_eq!(interaction["authorizing_integration_owners"], json!({ "1": carol }));
    assert_eq!(interaction["context"], 1);
    let app_permissions = text(&interaction["app_permissions"]).parse::<u64>().unwrap();
    assert_eq!(app_permissions, DM | 1 << 18);
    let (interaction, _) = bot.answers(ask("/ho", "@Sandbot"), says("hello")).await;
    assert_eq!(interaction["authorizing_integration_owners"], json!({ "0": "0", "1": carol }));
    assert!(ask("/hi", "general").await.is_err(), "servers are none of its contexts");
    let guild = bot.sandbox.guild_id();
    let (interaction, _) = bot.answers(ask("/ho", "general"), says("hello")).await;
    assert_eq!(interaction["authorizing_integration_owners"], json!({ "0": guild, "1": carol }));

    // Direct messages with somebody else.
    let (interaction, answer) = bot.answers(ask("/hi", "@bob"), says("to both")).await;
    assert_eq!((&interaction["context"], &interaction["channel"]["type"]), (&json!(2), &json!(1)));
    assert_eq!(text(&interaction["app_permissions"]).parse::<u64>().unwrap(), DM);
    assert_eq!(answer.content, "to both");
    assert!(user.run(Run::typed("/hi").by("alice").at("@bob")).await.is_err());
    let counts = bot.get("/applications/@me").await;
    assert_eq!(counts["approximate_user_install_count"], 1);

    user.uninstall_app("carol", "Sandbot").await.unwrap();
    assert!(ask("/hi", "@bob").await.is_err());
}

#[tokio::test]
async fn in_a_server_without_the_bot_it_speaks_with_the_users_permissions() {
    let mut bot = with_a_guild_elsewhere().await;
    global(&bot, json!({ "name": "hi", "description": "d", "default_member_permissions": "8" })).await;
    bot.register(json!({ "name": "local", "description": "d" })).await;
    let user = bot.user.clone();
    user.install_app("carol", "Sandbot").await.unwrap();
    let run = |text: &str| user.run(Run::typed(text).by("carol").at("general").in_guild("Elsewhere"));
    assert!(run("/local").await.is_err(), "a server's own command stays there");
    assert!(user.run(Run::typed("/hi").by("bob").at("general").in_guild("Elsewhere")).await.is_err());

    let (interaction, answer) = bot.answers(run("/hi"), says("public")).await;
    let carol = bot.sandbox.user_id("carol").unwrap();
    assert_eq!(interaction["authorizing_integration_owners"], json!({ "1": carol }));
    assert_eq!(interaction["app_permissions"], interaction["member"]["permissions"]);
    assert_eq!(interaction["context"], 0);
    assert!(!answer.ephemeral && answer.content == "public");
    // Nothing of that server comes through the gateway, and its channels are none of the bot's.
    let channel = format!("/channels/{}/messages", text(&interaction["channel_id"]));
    assert_eq!(bot.call(Method::POST, &channel, &json!({ "content": "a" })).await.0, 403);
    assert_eq!(bot.pending(), Vec::<String>::new());

    // Five further messages, and not a sixth.
    for number in 1..=5 {
        bot.post(&bot.webhook(&interaction), json!({ "content": number.to_string() })).await;
    }
    let (status, answer) =
        bot.call(Method::POST, &bot.webhook(&interaction), &json!({ "content": "6" })).await;
    assert_eq!((status, &answer["code"]), (400, &json!(40094)));

    // Without the permission, an answer is for the user alone, deferred or not.
    for denied in ["USE_EXTERNAL_APPS", "SEND_MESSAGES"] {
        user.edit_role("Elsewhere", "@everyone", &json!({ "deny": [denied] })).await.unwrap();
        let (interaction, answer) = bot.answers(run("/hi"), says("quiet")).await;
        assert!(answer.ephemeral, "{denied}");
        let more = bot.post(&bot.webhook(&interaction), json!({ "content": "more" })).await;
        assert_eq!(more["flags"].as_u64().unwrap() & 64, 64);
        user.edit_role("Elsewhere", "@everyone", &json!({ "allow": [denied] })).await.unwrap();
    }
}

#[tokio::test]
async fn components_rest_on_the_installation_of_the_message_s_command() {
    let mut bot = with_a_guild_elsewhere().await;
    global(&bot, json!({ "name": "hi", "description": "d" })).await;
    let user = bot.user.clone();
    user.install_app("carol", "Sandbot").await.unwrap();
    let button =
        json!([{ "type": 1, "components": [{ "type": 2, "style": 1, "label": "b", "custom_id": "b" }] }]);
    let body = json!({ "type": 4, "data": { "content": "press", "components": button } });
    let run = user.run(Run::typed("/hi").by("carol").at("general").in_guild("Elsewhere"));
    let (_, answer) = bot.answers(run, body).await;
    let message = id(&answer.message.unwrap()["id"]);
    let carol = bot.sandbox.user_id("carol").unwrap();
    let (interaction, _) = bot.answers(user.press("bob", message, "b"), json!({ "type": 6 })).await;
    assert_eq!(interaction["member"]["user"]["username"], "bob");
    assert_eq!(interaction["authorizing_integration_owners"], json!({ "1": carol }));
}

#[tokio::test]
async fn the_command_line_installs_and_removes() {
    let bot = Bot::start().await;
    let run = async |arguments: &[&str]| {
        let output = command_for(&bot).args(arguments).output().await.unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    };
    assert_eq!(run(&["install", "Sandbot"]).await, (true, "alice has installed Sandbot.\n".to_owned()));
    assert_eq!(bot.get("/applications/@me").await["approximate_user_install_count"], 1);
    assert_eq!(run(&["uninstall", "Sandbot"]).await, (true, "alice has removed Sandbot.\n".to_owned()));
    assert_eq!(bot.get("/applications/@me").await["approximate_user_install_count"], 0);
    assert!(!run(&["install", "nobody"]).await.0);
}
