//! The greeting of new members.

use serde_json::json;

use crate::bot::{Bot, words};

#[tokio::test]
async fn a_new_member_is_greeted_in_the_system_channel_and_alone_mentioned() {
    let bot = Bot::start().await;
    let user = bot.people.create_user("dave").await.unwrap();
    bot.people.join(&bot.guild(), "dave").await.unwrap();
    let id = user["id"].as_str().unwrap();
    let greeting = bot
        .message("bob", "general", |message| {
            message["content"].as_str().is_some_and(|words| words.contains(&format!("<@{id}>")))
        })
        .await;
    assert_eq!(greeting["content"], format!("Welcome to Sandbox, <@{id}>! You are member 5."));
    let mentioned: Vec<_> = greeting["mentions"].as_array().unwrap().iter().map(|user| &user["id"]).collect();
    assert_eq!(mentioned, [id]);
}

#[tokio::test]
async fn a_new_name_and_another_system_channel_count_from_the_moment_they_are_changed() {
    let bot = Bot::start().await;
    let channel = bot.people.create_channel(&bot.guild(), &json!({ "name": "arrivals" })).await.unwrap();
    let change = json!({ "name": "Beach", "system_channel_id": channel["id"] });
    bot.edit_guild(&bot.guild(), &change).await;
    // The bot's shard receives events in order, so users who join from here on join after the change.
    let user = bot.people.create_user("dave").await.unwrap();
    bot.people.join(&bot.guild(), "dave").await.unwrap();
    let id = user["id"].as_str().unwrap();
    let greeting = bot
        .message("bob", "arrivals", |message| {
            message["content"].as_str().is_some_and(|words| words.contains(id))
        })
        .await;
    assert_eq!(greeting["content"], format!("Welcome to Beach, <@{id}>! You are member 5."));
    let shown = words(&bot.say("bob", "/serverinfo").await.embeds[0]);
    assert!(shown.contains("Beach") && !shown.contains("Sandbox"), "{shown}");
}
