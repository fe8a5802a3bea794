//! Purges, slow mode and locks.

use std::time::Duration;

use reqwest::Method;
use sandbox::client::Run;
use serde_json::{Value, json};

use super::{fail, logged, private};
use crate::bot::{Bot, id};

async fn channel(bot: &Bot) -> Value {
    bot.people.channel("alice", "bot-test", None).await.unwrap()
}

async fn send(bot: &Bot, user: &str, texts: &[&str]) -> Vec<Value> {
    let mut messages = Vec::new();
    for text in texts {
        messages.push(bot.people.send(user, "bot-test", text).await.unwrap());
    }
    messages
}

async fn left(bot: &Bot) -> Vec<String> {
    let messages = bot.people.messages("carol", "bot-test", 100).await.unwrap();
    let contents = messages.iter().filter(|message| message["author"]["bot"] != true);
    contents.map(|message| message["content"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_purge_deletes_what_matches_and_counts_it() {
    let bot = Bot::start().await;
    let carols = send(&bot, "carol", &["one", "two https://example.org", "THREE cats"]).await;
    send(&bot, "bob", &["four", "five cats"]).await;
    let channel = carols[0]["channel_id"].as_str().unwrap();
    let said = |count: &str| format!("{count} deleted in <#{channel}>.");
    let answer = bot.say("bob", "/purge count:100 contains:Cats user:@carol reason:pets").await;
    assert_eq!(private(&answer), said("1 message"));
    assert_eq!(left(&bot).await, ["one", "two https://example.org", "four", "five cats"]);
    let answer = bot.say("bob", "/purge count:100 has:links").await;
    assert_eq!(private(&answer), said("1 message"));
    let answer = bot.say("bob", "/purge count:100 has:attachments").await;
    assert_eq!(private(&answer), said("0 messages"));
    let path = format!("/channels/{channel}/messages/pins/{}", id(&carols[0]));
    bot.rest(Method::PUT, &path, &Value::Null).await;
    // Discord's own message about the pin is the newest one.
    let answer = bot.say("bob", "/purge count:2").await;
    assert_eq!(private(&answer), said("2 messages"));
    assert_eq!(left(&bot).await, ["one", "four"], "a pinned message stays");
    let answer = bot.say("bob", "/purge count:100 user:@bob").await;
    assert_eq!(private(&answer), said("1 message"));
    assert_eq!(left(&bot).await, ["one"]);
    logged(&bot, &["Messages purged"]).await;
}

#[tokio::test]
async fn a_purge_stays_between_two_messages() {
    let bot = Bot::start().await;
    let messages = send(&bot, "carol", &["one", "two", "three", "four"]).await;
    let link = format!("https://discord.com/channels/{}/1/{}", bot.guild(), id(&messages[0]));
    let command = format!("/purge count:100 after:{link} before:{}", id(&messages[3]));
    assert!(private(&bot.say("bob", &command).await).starts_with("2 messages deleted in "));
    assert_eq!(left(&bot).await, ["one", "four"]);
    let answer = bot.say("bob", "/purge count:1 before:yesterday").await;
    assert_eq!(private(&answer), "`yesterday` is no message; give its link or its id.");
}

#[tokio::test]
async fn more_than_a_hundred_messages_are_deleted_in_several_requests() {
    let bot = Bot::start().await;
    let texts: Vec<_> = (0..130).map(|number| format!("message {number}")).collect();
    send(&bot, "carol", &texts.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let answer = bot.say("bob", "/purge count:120 user:@carol").await;
    assert!(private(&answer).starts_with("120 messages deleted in "), "{answer:?}");
    assert_eq!(left(&bot).await.len(), 10);
}

#[tokio::test]
async fn messages_older_than_two_weeks_stay_and_that_is_said() {
    let bot = Bot::start().await;
    send(&bot, "carol", &["old"]).await;
    bot.people.advance_clock(Duration::from_hours(15 * 24)).await.unwrap();
    send(&bot, "carol", &["new"]).await;
    let answer = bot.say("bob", "/purge count:10").await;
    let said = private(&answer);
    assert!(said.starts_with("1 message deleted in <#"), "{said}");
    assert!(said.contains("messages older than 14 days stay"), "{said}");
    assert_eq!(left(&bot).await, ["old"]);
}

#[tokio::test]
async fn a_purge_that_has_to_stop_says_how_far_it_came() {
    let bot = Bot::start().await;
    send(&bot, "carol", &["one", "two"]).await;
    fail(&bot, ("POST", "/channels/*/messages/bulk-delete"), 403, 1).await;
    let answer = bot.say("bob", "/purge count:2 user:@carol").await;
    assert!(private(&answer).contains("delete messages in this channel"), "{answer:?}");
    assert_eq!(left(&bot).await.len(), 2);
}

#[tokio::test]
async fn the_beginning_of_a_thread_stays_because_discord_does_not_delete_it() {
    let bot = Bot::start().await;
    let message = send(&bot, "carol", &["one"]).await.remove(0);
    let path = format!(
        "/channels/{}/messages/{}/threads",
        message["channel_id"].as_str().unwrap(),
        message["id"].as_str().unwrap()
    );
    let thread = bot.rest(Method::POST, &path, &json!({ "name": "talk" })).await;
    let thread = thread["id"].as_str().unwrap();
    for text in ["two", "three"] {
        bot.people.send("carol", thread, text).await.unwrap();
    }
    let answer = bot.people.run(Run::typed("/purge count:100").by("bob").at(thread)).await.unwrap();
    assert_eq!(private(&answer), format!("2 messages deleted in <#{thread}>."));
    let left = bot.get(&format!("/channels/{thread}/messages")).await;
    let kinds: Vec<_> = left.as_array().unwrap().iter().map(|message| &message["type"]).collect();
    assert_eq!(kinds, [21]);
}

#[tokio::test]
async fn the_permission_counts_in_the_channel_that_is_changed() {
    let bot = Bot::start().await;
    let change = json!({ "allow": ["MANAGE_CHANNELS"] });
    bot.people.edit_overwrite(&bot.guild(), "bot-test", "@carol", &change).await.unwrap();
    let general = bot.people.channel("alice", "general", None).await.unwrap();
    let refusal =
        format!("You need the permission Manage Channels in <#{}>.", general["id"].as_str().unwrap());
    for command in ["lock", "unlock", "slowmode duration:5s"] {
        let answer = bot.say("carol", &format!("/{command} channel:#general")).await;
        assert_eq!(private(&answer), refusal, "{command}");
    }
    let now = bot.people.channel("alice", "general", None).await.unwrap();
    assert_eq!(now["permission_overwrites"], general["permission_overwrites"]);
    let answer = bot.say("carol", "/lock").await;
    assert!(private(&answer).ends_with("is locked."), "{answer:?}");
    bot.people.edit_overwrite(&bot.guild(), "general", "@carol", &change).await.unwrap();
    let answer = bot.say("carol", "/slowmode duration:5s channel:#general").await;
    assert!(private(&answer).starts_with("Members wait 5 seconds"), "{answer:?}");
}

#[tokio::test]
async fn slow_mode_is_set_and_ended_within_what_discord_takes() {
    let bot = Bot::start().await;
    let answer = bot.say("alice", "/slowmode duration:2h").await;
    let id = channel(&bot).await["id"].as_str().unwrap().to_owned();
    assert_eq!(private(&answer), format!("Members wait 2 hours between two messages in <#{id}> now."));
    assert_eq!(channel(&bot).await["rate_limit_per_user"], 7200);
    let refused = bot.say("alice", "/slowmode duration:7h").await;
    assert_eq!(private(&refused), "Slow mode can be at most 6 hours at Discord.");
    let answer = bot.say("alice", "/slowmode duration:off").await;
    assert_eq!(private(&answer), format!("<#{id}> has no slow mode now."));
    assert_eq!(channel(&bot).await["rate_limit_per_user"], 0);
}

/// Returns what everyone is allowed and denied in the channel, if there is an overwrite.
async fn everyone(bot: &Bot) -> Option<Value> {
    let id = channel(bot).await["id"].as_str().unwrap().to_owned();
    let channel = bot.get(&format!("/channels/{id}")).await;
    let all = channel["permission_overwrites"].as_array().unwrap();
    all.iter().find(|one| one["id"] == bot.guild().as_str()).cloned()
}

#[tokio::test]
async fn unlocking_restores_exactly_what_everyone_had() {
    let bot = Bot::start().await;
    let (guild, id) = (bot.guild(), channel(&bot).await["id"].as_str().unwrap().to_owned());
    assert!(everyone(&bot).await.is_none());
    // None; one that allows some and denies some, with a permission that serenity does not know; and a closed one.
    let kept = (1u64 << 11 | 1 << 51).to_string();
    for before in [
        None,
        Some(json!({ "allow": kept, "deny": "64", "type": 0 })),
        Some(json!({ "allow": "0", "deny": "2048", "type": 0 })),
    ] {
        if let Some(before) = &before {
            bot.rest(Method::PUT, &format!("/channels/{id}/permissions/{guild}"), before).await;
        }
        let before = everyone(&bot).await;
        let answer = bot.say("alice", "/lock reason:raid").await;
        assert_eq!(private(&answer), format!("<#{id}> is locked."));
        let denied: u64 = everyone(&bot).await.unwrap()["deny"].as_str().unwrap().parse().unwrap();
        assert_eq!(denied & 1 << 11, 1 << 11);
        assert!(bot.people.send("carol", "bot-test", "let me").await.is_err());
        let again = bot.say("alice", "/lock").await;
        assert_eq!(private(&again), format!("<#{id}> is locked already."));
        let answer = bot.say("alice", "/unlock").await;
        assert_eq!(private(&answer), format!("<#{id}> is unlocked."));
        assert_eq!(everyone(&bot).await, before);
        let again = bot.say("alice", "/unlock").await;
        assert!(private(&again).contains("is not locked, or not by me"), "{again:?}");
    }
}

#[tokio::test]
async fn what_is_changed_during_a_lock_stays_and_a_lock_outlives_a_restart() {
    let mut bot = Bot::start().await;
    bot.say("alice", "/lock").await;
    bot.restart().await;
    let change = json!({ "deny": ["ATTACH_FILES"] });
    bot.people.edit_overwrite(&bot.guild(), "bot-test", "@everyone", &change).await.unwrap();
    bot.say("alice", "/unlock").await;
    let now = everyone(&bot).await.unwrap();
    assert_eq!((&now["allow"], &now["deny"]), (&json!("0"), &json!((1u64 << 15).to_string())));
}

#[tokio::test]
async fn a_channel_that_was_opened_by_hand_is_locked_anew() {
    let bot = Bot::start().await;
    bot.say("alice", "/lock").await;
    // Writing is allowed again, and the rest of the lock stays.
    let change = json!({ "allow": ["SEND_MESSAGES"] });
    bot.people.edit_overwrite(&bot.guild(), "bot-test", "@everyone", &change).await.unwrap();
    send(&bot, "carol", &["open"]).await;
    let answer = bot.say("alice", "/lock").await;
    assert!(private(&answer).ends_with("is locked."), "{answer:?}");
    assert!(bot.people.send("carol", "bot-test", "let me").await.is_err());
    bot.say("alice", "/unlock").await;
    let now = everyone(&bot).await.unwrap();
    assert_eq!((&now["allow"], &now["deny"]), (&json!((1u64 << 11).to_string()), &json!("0")));
}

#[tokio::test]
async fn a_lock_may_have_succeeded_although_discord_did_not_answer_well() {
    let bot = Bot::start().await;
    fail(&bot, ("PUT", "/channels/*/permissions/*"), 502, 1).await;
    bot.say("alice", "/lock").await;
    // As Discord may have done after all.
    let lock = (1u64 << 6 | 1 << 11 | 1 << 35 | 1 << 36 | 1 << 38).to_string();
    let id = channel(&bot).await["id"].as_str().unwrap().to_owned();
    let body = json!({ "allow": "0", "deny": lock, "type": 0 });
    bot.rest(Method::PUT, &format!("/channels/{id}/permissions/{}", bot.guild()), &body).await;
    assert_eq!(private(&bot.say("alice", "/unlock").await), format!("<#{id}> is unlocked."));
    assert!(everyone(&bot).await.is_none());
}

#[tokio::test]
async fn a_lock_that_discord_refuses_is_none() {
    let bot = Bot::start().await;
    fail(&bot, ("PUT", "/channels/*/permissions/*"), 403, 1).await;
    let answer = bot.say("alice", "/lock").await;
    assert!(private(&answer).contains("lock <#"), "{answer:?}");
    assert!(everyone(&bot).await.is_none());
    assert!(private(&bot.say("alice", "/lock").await).ends_with("is locked."));
}
