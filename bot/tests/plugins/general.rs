//! Everyday commands.

use sandbox::client::Run;

use crate::bot::{Bot, id, words};

#[tokio::test]
async fn ping_answers() {
    let bot = Bot::start().await;
    let answer = bot.say("bob", "/ping").await;
    assert!(answer.content.starts_with("Pong!"), "{answer:?}");
    assert_eq!(answer.callbacks, 1);
}

#[tokio::test]
async fn help_shows_each_user_what_that_user_may_run() {
    let bot = Bot::start().await;
    let (owner, other) = (bot.say("alice", "/help").await, bot.say("bob", "/help").await);
    assert!(owner.ephemeral && other.ephemeral);
    let (owner, other) = (words(&owner.embeds[0]), words(&other.embeds[0]));
    assert!(owner.contains("`/ping` – ") && owner.contains("`/dev` – "), "{owner}");
    assert!(other.contains("`/ping` – ") && !other.contains("/dev"), "{other}");
}

#[tokio::test]
async fn help_explains_a_command_and_completes_its_name() {
    let bot = Bot::start().await;
    let answer = bot.say("alice", "/help command:poll").await;
    let words = words(&answer.embeds[0]);
    assert!(words.contains("`/poll question: option1: option2: [option3:]"), "{words}");
    assert!(words.contains("`minutes` (optional) – "), "{words}");

    let complete = async |user: &str, text: &str| {
        let answer = bot.people.complete(Run::typed(text).by(user)).await.unwrap();
        let choices = answer.choices.unwrap();
        choices.iter().map(|choice| choice["value"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(complete("alice", "/help command:dev rel").await, ["dev reload"]);
    assert_eq!(complete("bob", "/help command:dev rel").await, Vec::<String>::new());
}

#[tokio::test]
async fn help_says_so_when_there_is_no_such_command() {
    let bot = Bot::start().await;
    let answer = bot.say("bob", "/help command:nonsense").await;
    assert!(words(&answer.embeds[0]).contains("no command `nonsense`"), "{answer:?}");
}

#[tokio::test]
async fn about_tells_version_uptime_and_generation() {
    let bot = Bot::start().await;
    let answer = bot.say("bob", "/about").await;
    let words = words(&answer.embeds[0]);
    for part in [env!("CARGO_PKG_VERSION"), "Up for", "commands/general\ngeneration 1"] {
        assert!(words.contains(part), "{part:?} not in {words}");
    }
}

#[tokio::test]
async fn userinfo_shows_oneself_or_another_also_from_the_menu() {
    let bot = Bot::start().await;
    let oneself = words(&bot.say("bob", "/userinfo").await.embeds[0]);
    assert!(oneself.starts_with("Bob\n") && oneself.contains("In this server since"), "{oneself}");
    let other = words(&bot.say("bob", "/userinfo user:@carol").await.embeds[0]);
    assert!(other.starts_with("carol\n"), "{other}");
    let menu = bot.people.run(Run::on("User information", "alice").by("bob")).await.unwrap();
    assert!(menu.ephemeral && words(&menu.embeds[0]).starts_with("Alice\n"), "{menu:?}");
}

#[tokio::test]
async fn serverinfo_counts_what_the_server_has() {
    let bot = Bot::start().await;
    let words = words(&bot.say("bob", "/serverinfo").await.embeds[0]);
    for part in ["Sandbox", "Channels\n3 text, 1 voice", "Members\n4"] {
        assert!(words.contains(part), "{part:?} not in {words}");
    }
}

#[tokio::test]
async fn a_user_gets_what_is_kept_and_erases_it_when_sure() {
    let bot = Bot::start().await;
    let answer = bot.say("bob", "/privacy export").await;
    assert!(
        answer.ephemeral && answer.content.starts_with("This is what is kept in documents and tables."),
        "{answer:?}"
    );
    let file = &answer.message.as_ref().unwrap()["attachments"][0];
    assert_eq!(file["filename"], "privacy.json");
    let refused = bot.say("bob", "/privacy export about:server").await;
    assert_eq!(refused.content, "Only the owner of this server can do that.");
    let asked = bot.say("bob", "/privacy erase").await;
    let question = "Erase what is kept about you, in all servers? It cannot be undone. Moderation cases stay with the \
                    servers that wrote them.";
    assert!(asked.ephemeral && asked.content == question, "{asked:?}");
    let message = asked.message.as_ref().unwrap();
    let button = message["components"][0]["components"][0]["custom_id"].as_str().unwrap();
    bot.people.press("bob", id(message), button).await.unwrap();
    bot.until("it is erased", async || {
        let now = bot.people.interaction(asked.interaction).await.unwrap();
        (now.content == "0 entries erased.").then_some(())
    })
    .await;
}
