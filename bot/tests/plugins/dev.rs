//! Commands for owners.

use crate::bot::{Bot, words};

#[tokio::test]
async fn only_owners_may_look_and_reload() {
    let bot = Bot::start().await;
    for command in [
        "/dev plugins",
        "/dev reload",
        "/dev hmr switch:off",
        "/dev restart",
        "/dev snapshot plugin:commands/general",
        "/dev rollback plugin:commands/general",
        "/dev generations",
    ] {
        let answer = bot.say("bob", command).await;
        assert!(answer.ephemeral && answer.content.contains("owners"), "{answer:?}");
    }
}

#[tokio::test]
async fn plugins_lists_every_live_generation() {
    let bot = Bot::start().await;
    let answer = bot.say("alice", "/dev plugins").await;
    assert!(answer.ephemeral);
    let words = words(&answer.embeds[0]);
    for plugin in ["commands/dev", "commands/general", "events/modlog", "events/welcome"] {
        assert!(words.contains(&format!("`{plugin}` 0.1.0 · generation 1 · ")), "{plugin} not in {words}");
    }
    assert!(words.contains("1 call under way"), "{words}");
}

#[tokio::test]
async fn a_bot_without_hot_reload_says_so() {
    let bot = Bot::start().await;
    for command in [
        "/dev reload plugin:commands/general",
        "/dev hmr switch:on",
        "/dev restart",
        "/dev rollback plugin:commands/dev",
    ] {
        let answer = bot.say("alice", command).await;
        assert!(answer.ephemeral && answer.content.contains("without hot reload"), "{answer:?}");
    }
}

#[tokio::test]
async fn plugins_tells_how_the_bot_stands() {
    let bot = Bot::start().await;
    // The last of the registrations may still be in progress.
    let words = bot
        .until("the account of created commands is told", async || {
            let words = words(&bot.say("alice", "/dev plugins").await.embeds[0]);
            words.contains("creations used today").then_some(words)
        })
        .await;
    assert!(words.contains("gateway: shard 0 connected"), "{words}");
    assert!(words.contains("hot reload is off"), "{words}");
}

#[tokio::test]
async fn a_state_is_kept_and_put_back_by_hand() {
    let bot = Bot::start().await;
    let answer = bot.say("alice", "/dev snapshot plugin:commands/dev").await;
    assert!(answer.ephemeral && answer.content.contains("commands/dev declares no state"), "{answer:?}");
    let answer = bot.say("alice", "/dev restore plugin:commands/nothing snapshot:1").await;
    assert!(answer.content.contains("commands/nothing is not live"), "{answer:?}");
    let answer = bot.say("alice", "/dev restore plugin:commands/dev snapshot:7").await;
    assert!(answer.content.contains("there is no snapshot 7"), "{answer:?}");
}

#[tokio::test]
async fn generations_tells_what_has_been_live() {
    let bot = Bot::start().await;
    let answer = bot.say("alice", "/dev generations plugin:commands/general").await;
    assert!(answer.ephemeral, "{answer:?}");
    let words = words(&answer.embeds[0]);
    assert!(words.contains("**commands/general**\n`1` 0.1.0 · live for "), "{words}");
    assert!(!words.contains("commands/dev"), "{words}");
}
