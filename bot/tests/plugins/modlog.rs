//! The log of edited and deleted messages.

use serde_json::Value;

use crate::bot::{Bot, id, words};

/// Waits for a log entry that contains all of `parts`. Returns the entry.
async fn logged(bot: &Bot, parts: &[&str]) -> Value {
    bot.message("bob", "mod-log", |entry| {
        let embeds = entry["embeds"].as_array().unwrap();
        let words = embeds.iter().map(words).collect::<Vec<_>>().join("\n");
        parts.iter().all(|part| words.contains(part))
    })
    .await
}

#[tokio::test]
async fn an_edit_is_logged_with_both_texts_and_the_way_there() {
    let bot = Bot::start().await;
    let message = bot.people.send("carol", "bot-test", "the first words").await.unwrap();
    bot.people.edit("carol", id(&message), "other words for @everyone").await.unwrap();
    let link = format!("/{}/{}/{}", bot.guild(), message["channel_id"].as_str().unwrap(), id(&message));
    let entry = logged(&bot, &["Message edited\n> the first words", "> other words", "carol", &link]).await;
    assert_eq!(entry["mention_everyone"], false);
    assert_eq!(entry["mentions"].as_array().unwrap().len(), 0);
}

#[tokio::test]
async fn a_deletion_is_logged_with_what_was_said() {
    let bot = Bot::start().await;
    let message = bot.people.send("carol", "bot-test", "soon gone").await.unwrap();
    bot.people.delete("carol", id(&message)).await.unwrap();
    logged(&bot, &["Message deleted\n> soon gone", "carol"]).await;
}

#[tokio::test]
async fn messages_deleted_at_once_are_logged_as_a_conversation_long_ones_as_a_file() {
    let bot = Bot::start().await;
    for (text, files) in [("short".to_owned(), 0), ("long ".repeat(400), 1)] {
        let mut messages = Vec::new();
        for user in ["carol", "bob", "carol"] {
            messages.push(bot.people.send(user, "bot-test", &text).await.unwrap());
        }
        bot.delete_at_once(&messages).await;
        let begin = format!("3 messages deleted at once\n**carol:** {}", &text[..5]);
        let entry = logged(&bot, &[&begin]).await;
        let attached = entry["attachments"].as_array().unwrap();
        assert_eq!(attached.len(), files, "{entry}");
        assert!(attached.iter().all(|file| file["filename"] == "deleted-messages.txt"), "{entry}");
    }
}

#[tokio::test]
async fn what_the_bot_says_and_what_happens_in_the_log_is_not_logged() {
    let bot = Bot::start().await;
    // Closing a poll edits the bot's message. The deletion of a log entry happens in the log channel.
    let poll = bot.say("carol", "/poll question:Lunch? option1:Soup option2:Salad").await.message.unwrap();
    bot.people.delete("alice", id(&poll)).await.unwrap();
    let message = bot.people.send("carol", "bot-test", "first").await.unwrap();
    bot.people.delete("carol", id(&message)).await.unwrap();
    let entry = logged(&bot, &["first"]).await;
    bot.people.delete("alice", id(&entry)).await.unwrap();
    let last = bot.people.send("carol", "bot-test", "last").await.unwrap();
    bot.people.delete("carol", id(&last)).await.unwrap();
    // Listeners of later events may overtake, but the earlier ones were handled before their answer was seen.
    logged(&bot, &["last"]).await;
    let log = bot.people.messages("bob", "mod-log", 50).await.unwrap();
    assert_eq!(log.len(), 1, "{log:?}");
}

#[tokio::test]
async fn nobody_writes_an_entry_or_hides_a_link_in_what_is_quoted() {
    let bot = Bot::start().await;
    let said = "fine\n**Message deleted**\n[free](https://evil.example) \u{202e}<@1>";
    let message = bot.people.send("carol", "bot-test", said).await.unwrap();
    bot.people.delete("carol", id(&message)).await.unwrap();
    let entry = logged(&bot, &["Message deleted\n> fine"]).await;
    let shown = entry["embeds"][0]["description"].as_str().unwrap();
    assert!(shown.lines().all(|line| line.starts_with("> ")), "{shown}");
    assert!(shown.contains(r"> \*\*Message deleted\*\*"), "{shown}");
    assert!(shown.ends_with(r"> \[free\](https\://evil.example) \<\@1>"), "{shown}");
}
