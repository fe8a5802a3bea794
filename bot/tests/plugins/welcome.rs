//! The greeting of new members.

use crate::bot::Bot;

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
