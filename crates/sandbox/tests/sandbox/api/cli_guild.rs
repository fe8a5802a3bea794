//! The command line for what members do besides commands: votes, events, stages, and the owner's rules.

use serde_json::json;

use crate::api::bot::{Bot, text};
use crate::api::cli::printed;

#[tokio::test]
async fn a_vote_shows_the_counts() {
    let bot = Bot::start().await;
    let answer = |text: &str| json!({ "poll_media": { "text": text } });
    let poll = json!({ "question": { "text": "?" }, "answers": [answer("tea"), answer("mate")] });
    let sent = bot.post(&format!("{}/messages", bot.channel("general")), json!({ "poll": poll })).await;
    let message = text(&sent["id"]);
    assert_eq!(printed(&bot, &["vote", message, "mate", "--as", "bob"]).await, "0 tea\n1 mate\n");
    assert_eq!(printed(&bot, &["vote", message, "1"]).await, "1 tea\n1 mate\n");
    assert_eq!(
        printed(&bot, &["vote", message]).await,
        "0 tea\n1 mate\n",
        "without an answer it is withdrawn"
    );
}

#[tokio::test]
async fn rules_are_added_listed_and_removed() {
    let mut bot = Bot::start().await;
    let add = [
        "automod",
        "add",
        "cat*",
        "--name",
        "Cats",
        "--message",
        "No cats",
        "--alert",
        "mod-log",
        "--timeout",
        "60",
    ];
    assert!(printed(&bot, &add).await.ends_with("Cats (on)\n"));
    let rule = bot.event("AUTO_MODERATION_RULE_CREATE").await;
    let log = bot.sandbox.channel_id("mod-log").unwrap();
    assert_eq!(
        rule["actions"],
        json!([
            { "type": 1, "metadata": { "custom_message": "No cats" } },
            { "type": 2, "metadata": { "channel_id": log } },
            { "type": 3, "metadata": { "duration_seconds": 60 } },
        ])
    );
    assert_eq!(printed(&bot, &["automod", "list"]).await.lines().count(), 1);
    printed(&bot, &["automod", "remove", "cats"]).await;
    assert_eq!(printed(&bot, &["automod", "list"]).await, "");
}

#[tokio::test]
async fn an_event_is_created_subscribed_to_and_ended() {
    let bot = Bot::start().await;
    let create = ["event", "create", "Party", "Garden", "2100-01-01T10:00:00Z", "2100-01-01T12:00:00Z"];
    assert!(printed(&bot, &create).await.contains("Party (scheduled, 2100-01-01T10:00:00"));
    let subscribed = printed(&bot, &["event", "subscribe", "party", "--as", "bob"]).await;
    assert!(subscribed.contains("1 interested"), "{subscribed}");
    assert!(printed(&bot, &["event", "start", "party"]).await.contains("active"));
    assert!(printed(&bot, &["event", "end", "party"]).await.contains("completed"));
    assert_eq!(printed(&bot, &["event", "list"]).await.lines().count(), 1);
}

#[tokio::test]
async fn a_stage_is_opened_and_closed() {
    let mut bot = Bot::start().await;
    let stage = json!({ "name": "Stage", "type": 13 });
    bot.expect(201, reqwest::Method::POST, &format!("{}/channels", bot.guild()), &stage).await;
    printed(&bot, &["stage", "open", "Stage", "Tea"]).await;
    assert_eq!(bot.event("STAGE_INSTANCE_CREATE").await["topic"], "Tea");
    printed(&bot, &["stage", "close", "Stage"]).await;
    bot.event("STAGE_INSTANCE_DELETE").await;
}
