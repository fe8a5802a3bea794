//! `/config`: settings of plugins, what is switched off, and the prefix, in each server.

use sandbox::answer::Answer;
use sandbox::client::Run;
use serde_json::{Value, json};

use crate::bot::{Bot, id, words};

/// Runs a command of alice, who owns the server. Returns the text of the answer, which only she sees.
async fn said(bot: &Bot, command: &str) -> String {
    let answer = bot.say("alice", command).await;
    assert!(answer.is_ok() && answer.ephemeral, "{command}: {answer:?}");
    answer.content
}

async fn shown(bot: &Bot, command: &str) -> String {
    words(&bot.say("alice", command).await.embeds[0])
}

async fn completed(bot: &Bot, command: &str) -> Vec<(String, String)> {
    let answer = bot.people.complete(Run::typed(command)).await.unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let choices = answer.choices.unwrap_or_else(|| panic!("{command}: {:?}", answer.error));
    choices.iter().map(|choice| (text(&choice["name"]), text(&choice["value"]))).collect()
}

/// Adds a user to the server and waits for the greeting in `channel`.
async fn greeted(bot: &Bot, user: &str, channel: &str) -> String {
    let made = bot.people.create_user(user).await.unwrap();
    bot.people.join(&bot.guild(), user).await.unwrap();
    let mention = format!("<@{}>", made["id"].as_str().unwrap());
    let greeting = bot
        .message("bob", channel, |message| {
            message["content"].as_str().is_some_and(|words| words.contains(&mention))
        })
        .await;
    greeting["content"].as_str().unwrap().replace(&mention, &format!("@{user}"))
}

fn is_off(answer: &Answer, what: &str) {
    let expected =
        format!("{what} is switched off in this server; a manager can switch it on with /config enable.");
    assert!(answer.ephemeral && answer.content == expected, "{answer:?}");
}

#[tokio::test]
async fn a_setting_counts_from_the_moment_it_is_set_and_until_it_is_reset() {
    let mut bot = Bot::start().await;
    let channel = bot.people.create_channel(&bot.guild(), &json!({ "name": "arrivals" })).await.unwrap();
    let arrivals = channel["id"].as_str().unwrap();
    assert!(shown(&bot, "/config show").await.contains("`welcome.channel`: not set\n"));
    let set = said(&bot, &format!("/config set setting:welcome.channel value:{arrivals}")).await;
    assert_eq!(set, format!("`welcome.channel` is <#{arrivals}> now."));
    said(&bot, "/config set setting:events/welcome.message value:Ahoy {user} at {server}!").await;
    assert_eq!(greeted(&bot, "dave", "arrivals").await, "Ahoy @dave at Sandbox!");
    let listed = shown(&bot, "/config show plugin:events/welcome").await;
    assert!(listed.contains(&format!("`welcome.channel`: <#{arrivals}>\n")), "{listed}");
    assert!(listed.contains("`welcome.message`: `Ahoy {user} at {server}!`\n"), "{listed}");
    assert!(!listed.contains("modlog"), "{listed}");

    bot.restart().await;
    assert_eq!(greeted(&bot, "erin", "arrivals").await, "Ahoy @erin at Sandbox!");

    let reset = said(&bot, "/config reset setting:welcome.channel").await;
    assert_eq!(reset, "`welcome.channel` is back to its default: not set.");
    let reset = said(&bot, "/config reset setting:welcome.message").await;
    assert!(reset.contains("back to its default: `Welcome to {server}, {user}!"), "{reset}");
    assert!(greeted(&bot, "frank", "general").await.starts_with("Welcome to Sandbox, @frank!"));
    let again = said(&bot, "/config reset setting:welcome.channel").await;
    assert_eq!(again, "`welcome.channel` was not changed in this server: not set.");
}

#[tokio::test]
async fn the_bots_variable_is_the_default_of_a_server() {
    let bot = Bot::start_with(vec![("WELCOME_CHANNEL_ID", "77".to_owned())]).await;
    let listed = shown(&bot, "/config show plugin:welcome").await;
    assert!(listed.contains("`welcome.channel`: <#77> (the bot's)\n"), "{listed}");
    said(&bot, "/config set setting:welcome.channel value:bot-test").await;
    assert!(greeted(&bot, "dave", "bot-test").await.contains("@dave"));
    let bot = Bot::start_with(vec![("WELCOME_CHANNEL_ID", "#arrivals".to_owned())]).await;
    let listed = shown(&bot, "/config show").await;
    assert!(listed.contains("WELCOME_CHANNEL_ID has to be the id of a channel"), "{listed}");
    assert!(listed.contains("`modlog.edits`: `true` (default)"), "{listed}");
}

#[tokio::test]
async fn what_does_not_fit_is_refused_with_what_does() {
    let bot = Bot::start().await;
    for (command, expected) in [
        (
            "/config set setting:welcome.channel value:nowhere",
            "`welcome.channel` has to be a channel of this server, of the type text or announcement, not `nowhere`.",
        ),
        (
            "/config set setting:welcome.channel value:1120000000000000000",
            "`welcome.channel` has to be a channel of this server, of the type text or announcement, not \
             `1120000000000000000`.",
        ),
        (
            "/config set setting:modlog.edits value:maybe",
            "`modlog.edits` has to be true or false, not `maybe`.",
        ),
        (
            "/config set setting:welcome.colour value:red",
            "There is no setting `welcome.colour`; /config show lists them.",
        ),
        ("/config reset setting:channel", "There is no setting `channel`; /config show lists them."),
        ("/config show plugin:general", "There is no plugin `general` with settings."),
        ("/config disable name:nothing", "There is no plugin or command `nothing`."),
        ("/config disable name:/config", "`/config` cannot be switched off."),
        ("/config disable name:commands/dev", "`commands/dev` cannot be switched off."),
        ("/config disable name:dev", "`dev` cannot be switched off."),
        (
            "/config prefix prefix:?",
            "Text commands are turned off for this bot; whoever runs it can turn them on with COMMAND_PREFIX.",
        ),
    ] {
        assert_eq!(said(&bot, command).await, expected);
    }
    let long = format!("/config set setting:welcome.message value:{}", "x".repeat(1001));
    let refused = said(&bot, &long).await;
    assert!(refused.contains("has to be a text of 1 to 1000 characters, not `xxx"), "{refused}");
    let listed = shown(&bot, "/config show").await;
    assert!(
        listed.contains("Switched off: nothing\n") && listed.contains("`modlog.edits`: `true` (default)")
    );
}

#[tokio::test]
async fn only_managers_see_the_command() {
    let bot = Bot::start().await;
    let names = async |user: &str| {
        let commands = bot.people.commands(user, "bot-test").await.unwrap();
        commands.iter().map(|command| command["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert!(names("alice").await.contains(&"config".to_owned()));
    assert!(!names("bob").await.contains(&"config".to_owned()));
}

#[tokio::test]
async fn settings_and_their_values_are_suggested() {
    let bot = Bot::start().await;
    let values =
        |choices: Vec<(String, String)>| choices.into_iter().map(|(_, value)| value).collect::<Vec<_>>();
    let settings = completed(&bot, "/config set setting:modlog").await;
    assert_eq!(settings[0].0, "modlog.channel: Channel in which edited and deleted messages are logged");
    assert_eq!(values(settings), ["modlog.channel", "modlog.edits", "modlog.deletions"]);
    let plugins = values(completed(&bot, "/config show plugin:").await);
    assert_eq!(plugins, ["events/modlog", "events/welcome"]);

    assert_eq!(values(completed(&bot, "/config set setting:modlog.edits value:").await), ["true", "false"]);
    let current = completed(&bot, "/config set setting:modlog.edits value:").await;
    assert_eq!(current[0].0, "true (current)");
    let channels = completed(&bot, "/config set setting:modlog.channel value:gen").await;
    assert_eq!(channels.len(), 1, "{channels:?}");
    assert_eq!(channels[0].0, "#general");
    said(&bot, &format!("/config set setting:modlog.channel value:{}", channels[0].1)).await;
    let channels = completed(&bot, "/config set setting:modlog.channel value:").await;
    assert_eq!(channels[0].0, "#general (current)");
    assert!(channels.iter().all(|(name, _)| name != "#general"), "{channels:?}");
    assert_eq!(completed(&bot, "/config set setting:nothing value:").await, Vec::new());

    assert_eq!(values(completed(&bot, "/config disable name:ping").await), ["/ping"]);
    assert_eq!(values(completed(&bot, "/config disable name:dev").await), Vec::<String>::new());
    assert_eq!(completed(&bot, "/config enable name:").await, Vec::new());
    said(&bot, "/config disable name:/ping").await;
    assert_eq!(values(completed(&bot, "/config disable name:ping").await), Vec::<String>::new());
    assert_eq!(values(completed(&bot, "/config enable name:").await), ["/ping"]);
}

#[tokio::test]
async fn a_command_that_is_switched_off_says_so_until_it_is_switched_on() {
    let mut bot = Bot::start().await;
    assert_eq!(said(&bot, "/config disable name:PING").await, "`/ping` is switched off now.");
    assert_eq!(said(&bot, "/config disable name:ping").await, "`/ping` is switched off already.");
    is_off(&bot.say("bob", "/ping").await, "/ping");
    is_off(&bot.say("alice", "/ping").await, "/ping");
    assert!(bot.say("bob", "/about").await.is_ok());
    assert_eq!(said(&bot, "/config disable name:help").await, "`/help` is switched off now.");
    assert_eq!(completed(&bot, "/help command:p").await, Vec::new());
    said(&bot, "/config disable name:user information").await;
    is_off(
        &bot.people.run(Run::on("User information", "bob").by("carol")).await.unwrap(),
        "User information",
    );
    assert!(!bot.say("bob", "/userinfo").await.embeds.is_empty());
    let listed = shown(&bot, "/config show").await;
    assert!(listed.contains("Switched off: `User information`, `/help`, `/ping`\n"), "{listed}");

    bot.restart().await;
    is_off(&bot.say("bob", "/ping").await, "/ping");
    assert_eq!(said(&bot, "/config enable name:/ping").await, "`/ping` is switched on now.");
    assert_eq!(said(&bot, "/config enable name:ping").await, "`/ping` is not switched off.");
    assert!(!bot.say("bob", "/ping").await.content.contains("switched off"));
    said(&bot, "/config enable name:help").await;
    assert!(!completed(&bot, "/help command:p").await.is_empty());
}

#[tokio::test]
async fn a_plugin_that_is_switched_off_answers_with_one_sentence_everywhere() {
    let bot = Bot::start().await;
    let poll = bot.say("alice", "/poll question:Lunch? option1:Soup option2:Salad").await.message.unwrap();
    let button = poll["components"][0]["components"][0]["custom_id"].as_str().unwrap();
    assert_eq!(
        said(&bot, "/config disable name:commands/general").await,
        "`commands/general` is switched off now."
    );
    is_off(&bot.say("bob", "/ping").await, "/ping");
    is_off(&bot.people.press("bob", id(&poll), button).await.unwrap(), "commands/general");
    is_off(&bot.people.run(Run::on("User information", "bob")).await.unwrap(), "User information");
    assert_eq!(completed(&bot, "/help command:p").await, Vec::new());
    let enabled = said(&bot, "/config enable name:/ping").await;
    let expected = "`/ping` is not switched off, but its plugin `commands/general` is off: use /config enable for that too.";
    assert_eq!(enabled, expected);
    said(&bot, "/config enable name:commands/general").await;
    assert!(bot.people.press("bob", id(&poll), button).await.unwrap().is_ok());
    bot.message("bob", "bot-test", |message| {
        message["id"] == poll["id"] && words(&message["embeds"][0]).contains("1 vote, 100 %")
    })
    .await;
}

#[tokio::test]
async fn a_plugin_that_is_switched_off_hears_nothing_of_this_server_and_all_of_others() {
    let bot = Bot::start().await;
    let other = bot.people.create_guild("Second", "bob").await.unwrap();
    said(&bot, "/config disable name:events/welcome").await;
    said(&bot, "/config disable name:events/modlog").await;
    let silent = bot.people.send("carol", "bot-test", "unseen").await.unwrap();
    bot.people.delete("carol", id(&silent)).await.unwrap();
    bot.people.create_user("dave").await.unwrap();
    bot.people.join(&bot.guild(), "dave").await.unwrap();
    // The bot's shard receives events in order, and the other server's are greeted and logged.
    let second = other["id"].as_str().unwrap();
    let channel = bot.people.create_channel(second, &json!({ "name": "arrivals" })).await.unwrap();
    let channel = channel["id"].as_str().unwrap();
    bot.edit_guild(second, &json!({ "system_channel_id": channel })).await;
    bot.people.create_user("erin").await.unwrap();
    bot.people.join(second, "erin").await.unwrap();
    bot.message("bob", channel, |message| message["content"].as_str().unwrap().contains("Welcome to Second"))
        .await;
    said(&bot, "/config enable name:events/modlog").await;
    let seen = bot.people.send("carol", "bot-test", "seen").await.unwrap();
    bot.people.delete("carol", id(&seen)).await.unwrap();
    let logged = |message: &Value| words(&message["embeds"][0]).contains("> seen");
    bot.message("bob", "mod-log", logged).await;
    let log = bot.people.messages("bob", "mod-log", 50).await.unwrap();
    assert_eq!(log.len(), 1, "{log:?}");
    let general = bot.people.messages("bob", "general", 50).await.unwrap();
    let greeted = general.iter().any(|message| message["content"].as_str().unwrap().contains("Welcome"));
    assert!(!greeted, "{general:?}");
}

#[tokio::test]
async fn what_is_logged_is_a_servers_choice() {
    let bot = Bot::start().await;
    said(&bot, "/config set setting:modlog.edits value:off").await;
    let message = bot.people.send("carol", "bot-test", "before").await.unwrap();
    bot.people.edit("carol", id(&message), "after").await.unwrap();
    bot.people.delete("carol", id(&message)).await.unwrap();
    bot.message("bob", "mod-log", |message| words(&message["embeds"][0]).contains("> after")).await;
    let log = bot.people.messages("bob", "mod-log", 50).await.unwrap();
    assert_eq!(log.len(), 1, "{log:?}");
}

#[tokio::test]
async fn a_prefix_of_the_servers_own_is_set_and_taken_back() {
    let bot = Bot::start_with(vec![("COMMAND_PREFIX", "!".to_owned())]).await;
    assert!(shown(&bot, "/config show").await.contains("Prefix: `!` (the bot's)\n"));
    assert_eq!(
        said(&bot, "/config prefix prefix:?").await,
        "Text commands begin with `?` in this server now."
    );
    assert!(shown(&bot, "/config show").await.contains("Prefix: `?`\n"));
    for wrong in ["12345678901", "a b", "/"] {
        let refused = said(&bot, &format!("/config prefix prefix:{wrong}")).await;
        assert!(refused.starts_with("A prefix "), "{wrong}: {refused}");
    }
    assert_eq!(said(&bot, "/config prefix").await, "Text commands begin with `!` in this server.");
    assert!(shown(&bot, "/config show").await.contains("Prefix: `!` (the bot's)\n"));
}
