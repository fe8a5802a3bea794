//! Rules of Discord's auto moderation.

use serde_json::{Value, json};

use super::{audited, logged, private};
use crate::bot::{Bot, words};

/// A rule of auto moderation was created. Source: "Audit Log Events" in Discord's documentation.
const CREATED: u64 = 140;

async fn rule(bot: &Bot, name: &str) -> Value {
    let rules = bot.people.auto_moderation_rules(&bot.guild()).await.unwrap();
    rules.into_iter().find(|rule| rule["name"] == name).unwrap_or_else(|| panic!("no rule {name}"))
}

#[tokio::test]
async fn rules_are_set_up_updated_and_removed() {
    let bot = Bot::start().await;
    let answer = bot.say("alice", "/automod spam alert:#mod-log").await;
    assert_eq!(private(&answer), "The rule Spam is set up.");
    let spam = rule(&bot, "Spam").await;
    assert_eq!((&spam["trigger_type"], &spam["enabled"]), (&json!(3), &json!(true)));
    let kinds: Vec<_> = spam["actions"].as_array().unwrap().iter().map(|action| &action["type"]).collect();
    assert_eq!(kinds, [1, 2]);
    assert_eq!(audited(&bot, CREATED).await, format!("alice ({})", bot.user("alice")));

    let answer = bot.say("alice", "/automod mentions limit:5 timeout:10m").await;
    assert_eq!(private(&answer), "The rule Mentions is set up.");
    let mentions = rule(&bot, "Mentions").await;
    let metadata = &mentions["trigger_metadata"];
    assert_eq!(metadata["mention_total_limit"], 5);
    assert_eq!(metadata["mention_raid_protection_enabled"], true);
    assert_eq!(mentions["actions"][1]["metadata"]["duration_seconds"], 600);
    let answer = bot.say("alice", "/automod mentions limit:8 raids:false").await;
    assert_eq!(private(&answer), "The rule Mentions is updated.");
    let updated = rule(&bot, "Mentions").await;
    assert_eq!(
        (&updated["id"], &updated["trigger_metadata"]["mention_total_limit"]),
        (&mentions["id"], &json!(8))
    );
    assert_eq!(updated["actions"].as_array().unwrap().len(), 1);

    bot.say("alice", "/automod presets slurs:true").await;
    assert_eq!(rule(&bot, "Discord's lists").await["trigger_metadata"]["presets"], json!([3]));
    let listed = words(&bot.say("alice", "/automod list").await.embeds[0]);
    assert!(listed.contains("**Spam**: spam, blocks, reports in <#"), "{listed}");
    assert!(listed.contains("**Mentions**: mentions, blocks"), "{listed}");
    let answer = bot.say("alice", "/automod remove name:spam").await;
    assert_eq!(private(&answer), "The rule spam is removed.");
    let answer = bot.say("alice", "/automod remove name:spam").await;
    assert_eq!(private(&answer), "There is no rule spam; `/automod list` shows their names.");
    logged(&bot, &["Auto moderation\nThe rule Mentions is updated."]).await;
}

#[tokio::test]
async fn invitations_and_words_are_blocked_by_discord() {
    let bot = Bot::start().await;
    bot.say("alice", "/automod invites").await;
    bot.say("alice", "/automod words name:pets words:\"cat*, the mat\" timeout:1h").await;
    assert_eq!(
        rule(&bot, "Words: pets").await["trigger_metadata"]["keyword_filter"],
        json!(["cat*", "the mat"])
    );
    for text in ["join https://discord.gg/abc now", "discord.com/invite/abc", "Caterpillar"] {
        let refused = bot.people.send("carol", "bot-test", text).await;
        assert!(refused.is_err(), "{text}: {refused:?}");
        let end = json!({ "timeout_until": null });
        bot.people.edit_member(&bot.guild(), "carol", &end).await.unwrap();
    }
    bot.people.send("carol", "bot-test", "a dog").await.unwrap();
    bot.say("alice", "/automod invites allow:\"https://discord.gg/abc, discord.gg/def\"").await;
    for text in ["https://discord.gg/abc", "come to discord.gg/abc", "https://discord.gg/def now"] {
        bot.people.send("carol", "bot-test", text).await.unwrap();
    }
    assert!(bot.people.send("carol", "bot-test", "https://discord.gg/abcd").await.is_err());
    // A list of the same name is replaced.
    let answer = bot.say("alice", "/automod words name:Pets words:dog").await;
    assert_eq!(private(&answer), "The rule Words: pets is updated.");
    assert!(bot.people.send("carol", "bot-test", "a dog").await.is_err());
    bot.people.send("carol", "bot-test", "Caterpillar").await.unwrap();
    let answer = bot.say("alice", "/automod words name:x words:,").await;
    assert_eq!(private(&answer), "The list needs a word or more.");
}
