//! Bans, kicks and timeouts.

use database::Database;
use sdk::database::Engine as _;

use super::{
    BANNED, KICKED, MEMBER_CHANGED, UNBANNED, audited, bans, fail, is_banned, join, logged, member, private,
    told,
};
use crate::bot::{Bot, words};

#[tokio::test]
async fn a_ban_is_told_to_the_user_and_listed_with_its_reason_and_has_a_case() {
    let bot = Bot::start().await;
    let answer = bot.say("bob", "/ban user:@carol reason:\"spam **again**\"").await;
    assert_eq!(private(&answer), "**carol** was banned (case 1).");
    assert_eq!(told(&bot, "carol").await, ["You were banned in **Sandbox**: spam \\*\\*again\\*\\*"]);
    let reason = format!("bob ({}): spam **again**", bot.user("bob"));
    assert_eq!(bans(&bot).await, [("carol".to_owned(), reason.clone())]);
    assert_eq!(audited(&bot, BANNED).await, reason);
    assert!(member(&bot, "carol").await.is_none());
    let entry = logged(&bot, &["Case 1: ban\nspam \\*\\*again\\*\\*", "carol"]).await;
    assert_eq!(entry["mentions"].as_array().unwrap().len(), 0);
    let shown = words(&bot.say("bob", "/case show number:1").await.embeds[0]);
    assert!(shown.starts_with("Case 1: ban\nspam \\*\\*again\\*\\*\nUser\n"), "{shown}");
    assert!(shown.contains(&format!("<@{}>", bot.user("bob"))), "{shown}");

    let answer = bot.say("bob", "/unban user:@carol reason:sorry").await;
    assert_eq!(private(&answer), "**carol** was unbanned (case 2).");
    assert!(!is_banned(&bot, "carol").await);
    assert_eq!(audited(&bot, UNBANNED).await, format!("bob ({}): sorry", bot.user("bob")));
    let again = bot.say("bob", "/unban user:@carol").await;
    assert_eq!(private(&again), "I cannot unban **carol**, who is not banned here.");
}

#[tokio::test]
async fn somebody_outside_of_the_server_is_banned_too() {
    let bot = Bot::start().await;
    bot.people.create_user("dave").await.unwrap();
    let answer = bot.say("bob", "/ban user:@dave").await;
    assert_eq!(private(&answer), "**dave** was banned (case 1).");
    assert!(is_banned(&bot, "dave").await);
}

#[tokio::test]
async fn a_softban_removes_member_and_messages_and_leaves_no_ban() {
    let bot = Bot::start().await;
    let message = bot.people.send("carol", "bot-test", "buy now").await.unwrap();
    let answer = bot.say("bob", "/softban user:@carol reason:advertising delete:1h").await;
    assert_eq!(private(&answer), "**carol** was softbanned (case 1).");
    assert!(member(&bot, "carol").await.is_none() && !is_banned(&bot, "carol").await);
    let left = bot.people.messages("bob", "bot-test", 50).await.unwrap();
    assert!(!left.iter().any(|other| other["id"] == message["id"]), "{left:?}");
    let answer = bot.say("bob", "/softban user:@carol").await;
    assert_eq!(private(&answer), "I cannot softban **carol**, who is not in this server.");
}

#[tokio::test]
async fn a_softban_whose_ban_stays_is_a_ban() {
    let bot = Bot::start().await;
    fail(&bot, ("DELETE", "/guilds/*/bans/*"), 403, 1).await;
    let answer = bot.say("bob", "/softban user:@carol").await;
    assert_eq!(private(&answer), "**carol** was banned (case 1); the ban could not be lifted, use `/unban`.");
    assert!(is_banned(&bot, "carol").await);
    logged(&bot, &["Case 1: ban", "carol"]).await;
}

#[tokio::test]
async fn a_kick_removes_a_member() {
    let bot = Bot::start().await;
    let answer = bot.say("bob", "/kick user:@carol reason:bye evidence:https://example.org/a").await;
    assert_eq!(private(&answer), "**carol** was kicked (case 1).");
    assert!(member(&bot, "carol").await.is_none() && !is_banned(&bot, "carol").await);
    assert_eq!(audited(&bot, KICKED).await, format!("bob ({}): bye", bot.user("bob")));
    assert_eq!(told(&bot, "carol").await, ["You were kicked in **Sandbox**: bye"]);
    logged(&bot, &["Case 1: kick", "Evidence\nhttps://example.org/a"]).await;
    let answer = bot.say("bob", "/kick user:@carol").await;
    assert_eq!(private(&answer), "I cannot kick **carol**, who is not in this server.");
}

#[tokio::test]
async fn a_timeout_lasts_at_most_28_days_and_can_be_ended() {
    let bot = Bot::start().await;
    let answer = bot.say("bob", "/timeout user:@carol duration:29d").await;
    assert_eq!(private(&answer), "A timeout can be at most 28 days at Discord.");
    let answer = bot.say("bob", "/timeout user:@carol duration:soon").await;
    assert_eq!(private(&answer), "`soon` is no duration; write it like `90m`, `2h` or `1d12h`.");
    assert!(member(&bot, "carol").await.unwrap()["communication_disabled_until"].is_null());

    let answer = bot.say("bob", "/timeout user:@carol duration:1h30m reason:calm").await;
    let words = private(&answer);
    assert!(
        words.starts_with("**carol** was timed out until <t:") && words.ends_with(":f> (case 1)."),
        "{words}"
    );
    let until = member(&bot, "carol").await.unwrap()["communication_disabled_until"].clone();
    assert!(until.is_string(), "{until}");
    assert_eq!(audited(&bot, MEMBER_CHANGED).await, format!("bob ({}): calm", bot.user("bob")));

    let answer = bot.say("bob", "/untimeout user:@carol").await;
    assert_eq!(private(&answer), "**carol** was released from the timeout (case 2).");
    assert!(member(&bot, "carol").await.unwrap()["communication_disabled_until"].is_null());
}

#[tokio::test]
async fn a_direct_message_that_does_not_arrive_is_only_noted() {
    let bot = Bot::start().await;
    fail(&bot, ("POST", "/users/@me/channels"), 403, 1).await;
    let answer = bot.say("bob", "/kick user:@carol").await;
    assert_eq!(private(&answer), "**carol** was kicked (case 1); a direct message did not reach them.");
    assert!(member(&bot, "carol").await.is_none());
}

#[tokio::test]
async fn what_discord_refuses_has_no_case_and_its_direct_message_is_deleted() {
    let bot = Bot::start().await;
    fail(&bot, ("PUT", "/guilds/*/bans/*"), 403, 1).await;
    let answer = bot.say("bob", "/ban user:@carol").await;
    assert!(private(&answer).contains("ban **carol**"), "{answer:?}");
    assert!(!is_banned(&bot, "carol").await && told(&bot, "carol").await.is_empty());
    assert_eq!(private(&bot.say("bob", "/case show number:1").await), "This server has no case 1.");
    assert_eq!(private(&bot.say("bob", "/ban user:@carol").await), "**carol** was banned (case 1).");
}

#[tokio::test]
async fn a_case_that_cannot_be_written_is_told_in_a_sentence() {
    let mut bot = Bot::start().await;
    join(&bot, &["dave", "erin"]).await;
    bot.stop().await;
    let database = Database::open(bot.database_address()).await.unwrap();
    let trigger = "CREATE TRIGGER refuses BEFORE INSERT ON moderation_cases WHEN NEW.reason = 'unwritable' \
                   BEGIN SELECT RAISE(ABORT, 'refused'); END";
    database.execute(trigger, Vec::new()).await.unwrap();
    database.close().await;
    // With it goes the lock of the file.
    drop(database);
    bot.go_on().await;
    let answer = bot.say("bob", "/ban user:@carol reason:unwritable").await;
    assert_eq!(private(&answer), "**carol** was banned, but the case could not be written.");
    let answer = bot.say("bob", "/tempban user:@dave duration:1m reason:unwritable").await;
    let words = private(&answer);
    assert!(
        words.ends_with("the case could not be written, and so the ban will not end by itself."),
        "{words}"
    );
    assert!(is_banned(&bot, "carol").await && is_banned(&bot, "dave").await);
    // A warning is nothing but its case.
    bot.say("bob", "/warn user:@erin reason:unwritable").await;
    assert!(told(&bot, "erin").await.is_empty());
    // The numbers that were taken are given again.
    let answer = bot.say("bob", "/warn user:@erin reason:fine").await;
    assert_eq!(private(&answer), "**erin** was warned with 1 point (case 1).");
}
