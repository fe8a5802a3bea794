//! Commands for the owners.

use crate::bot::{Bot, words};

#[tokio::test]
async fn only_owners_may_look_and_reload() {
    let bot = Bot::start().await;
    for command in ["/dev plugins", "/dev reload", "/dev hmr switch:off"] {
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
    for command in ["/dev reload plugin:commands/general", "/dev hmr switch:on"] {
        let answer = bot.say("alice", command).await;
        assert!(answer.ephemeral && answer.content.contains("without hot reload"), "{answer:?}");
    }
}

#[tokio::test]
async fn plugins_tells_how_the_bot_stands() {
    let bot = Bot::start().await;
    // The last of the registrations may still be under way.
    let words = bot
        .until("the account of created commands is told", async || {
            let words = words(&bot.say("alice", "/dev plugins").await.embeds[0]);
            words.contains("creations used today").then_some(words)
        })
        .await;
    assert!(words.contains("gateway: shard 0 connected"), "{words}");
    assert!(words.contains("hot reload is off"), "{words}");
}
