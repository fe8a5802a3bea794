//! The ends of temporary bans. In tests a minute lasts a second.

use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};

use super::{UNBANNED, audited, exported, fail, is_banned, join, logged, private};
use crate::bot::Bot;

async fn ban(bot: &Bot, user: &str, duration: &str) {
    let answer = bot.say("bob", &format!("/tempban user:@{user} duration:{duration} reason:later")).await;
    let words = private(&answer);
    assert!(words.starts_with(&format!("**{user}** was banned until <t:")), "{words}");
    assert!(is_banned(bot, user).await);
}

/// Waits until the ban of a case is over.
async fn until_over(bot: &Bot, user: &str, case: u32) {
    logged(bot, &["Temporary ban over", &bot.user(user), &format!("Case\n{case}")]).await;
    assert!(!is_banned(bot, user).await);
}

fn ban_path(bot: &Bot, user: &str) -> String {
    format!("/guilds/{}/bans/{}", bot.guild(), bot.user(user))
}

#[tokio::test]
async fn a_temporary_ban_ends_by_itself() {
    let bot = Bot::start().await;
    ban(&bot, "carol", "1m").await;
    until_over(&bot, "carol", 1).await;
    assert_eq!(audited(&bot, UNBANNED).await, "Case 1: the temporary ban is over");
}

#[tokio::test]
async fn a_ban_that_was_lifted_by_hand_does_not_end_a_later_one() {
    let bot = Bot::start().await;
    join(&bot, &["dave", "erin"]).await;
    ban(&bot, "carol", "2m").await;
    ban(&bot, "dave", "2m").await;
    // One is lifted by a command and one by hand; both are then banned for good.
    assert_eq!(private(&bot.say("bob", "/unban user:@carol").await), "**carol** was unbanned (case 3).");
    assert_eq!(private(&bot.say("bob", "/ban user:@carol").await), "**carol** was banned (case 4).");
    bot.rest(Method::DELETE, &ban_path(&bot, "dave"), &Value::Null).await;
    bot.requested("GET", &ban_path(&bot, "dave")).await;
    bot.rest(Method::PUT, &ban_path(&bot, "dave"), &json!({})).await;
    ban(&bot, "erin", "3m").await;
    // Timers fire in the order of their times.
    until_over(&bot, "erin", 5).await;
    assert!(is_banned(&bot, "carol").await && is_banned(&bot, "dave").await);
}

#[tokio::test]
async fn a_second_temporary_ban_replaces_the_first() {
    let bot = Bot::start().await;
    join(&bot, &["dave"]).await;
    ban(&bot, "carol", "1m").await;
    ban(&bot, "carol", "10h").await;
    ban(&bot, "dave", "2m").await;
    until_over(&bot, "dave", 3).await;
    assert!(is_banned(&bot, "carol").await);
    ban(&bot, "carol", "1m").await;
    until_over(&bot, "carol", 4).await;
    assert_eq!(audited(&bot, UNBANNED).await, "Case 4: the temporary ban is over");
}

#[tokio::test]
async fn a_ban_made_permanent_does_not_end() {
    let bot = Bot::start().await;
    join(&bot, &["dave"]).await;
    ban(&bot, "carol", "1m").await;
    assert_eq!(private(&bot.say("bob", "/ban user:@carol").await), "**carol** was banned (case 2).");
    ban(&bot, "dave", "2m").await;
    until_over(&bot, "dave", 3).await;
    assert!(is_banned(&bot, "carol").await);
}

#[tokio::test]
async fn a_temporary_ban_ends_after_a_restart() {
    // The state file keeps timers, and without it the database does.
    for state_file in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let file = |folder: &Path| ("STATE_FILE", folder.join("state.json").display().to_string());
        let variables = if state_file { vec![file(folder.path())] } else { Vec::new() };
        let mut bot = Bot::start_with(variables).await;
        join(&bot, &["dave"]).await;
        ban(&bot, "carol", "1m").await;
        ban(&bot, "dave", "10h").await;
        bot.restart().await;
        until_over(&bot, "carol", 1).await;
        assert!(is_banned(&bot, "dave").await);
        assert_eq!(private(&bot.say("bob", "/warn user:@bob reason:x").await), "You cannot warn yourself.");
    }
}

/// Waits until no ban of the server ends by itself.
async fn until_forgotten(bot: &Bot) {
    bot.until("no ban ends by itself", async || {
        let tables = exported(bot, "alice", "/privacy export about:server").await;
        tables["temporary bans"].as_array().unwrap().is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_ban_that_was_lifted_while_the_bot_was_away_is_forgotten() {
    let mut bot = Bot::start().await;
    ban(&bot, "carol", "10h").await;
    bot.stop().await;
    bot.rest(Method::DELETE, &ban_path(&bot, "carol"), &Value::Null).await;
    bot.go_on().await;
    until_forgotten(&bot).await;
}

#[tokio::test]
async fn unbanning_somebody_who_is_not_banned_forgets_the_end_of_an_earlier_ban() {
    let mut bot = Bot::start().await;
    ban(&bot, "carol", "10h").await;
    bot.stop().await;
    bot.rest(Method::DELETE, &ban_path(&bot, "carol"), &Value::Null).await;
    fail(&bot, ("GET", "/guilds/*/bans/*"), 500, 1).await;
    bot.go_on().await;
    bot.requested("GET", &ban_path(&bot, "carol")).await;
    let tables = exported(&bot, "alice", "/privacy export about:server").await;
    assert_eq!(tables["temporary bans"].as_array().unwrap().len(), 1);
    let answer = bot.say("bob", "/unban user:@carol").await;
    assert_eq!(private(&answer), "I cannot unban **carol**, who is not banned here.");
    let tables = exported(&bot, "alice", "/privacy export about:server").await;
    assert_eq!(tables["temporary bans"], json!([]));
}

#[tokio::test]
async fn an_unban_that_fails_is_reported_and_the_ban_stays_for_moderators() {
    let bot = Bot::start().await;
    ban(&bot, "carol", "1m").await;
    // It still sees the log.
    let change = json!({ "allow": ["VIEW_CHANNEL"] });
    bot.people.edit_overwrite(&bot.guild(), "mod-log", "Sandbot", &change).await.unwrap();
    bot.is_no_administrator().await;
    logged(&bot, &["A temporary ban could not be ended", "every day", &bot.user("carol")]).await;
    let tables = exported(&bot, "alice", "/privacy export about:server").await;
    assert_eq!(tables["temporary bans"].as_array().unwrap().len(), 1);
}
