//! Whom moderators cannot act on, and permissions that the bot lacks.

use serde_json::json;

use super::{is_banned, join, member, private};
use crate::bot::Bot;

#[tokio::test]
async fn nobody_acts_on_themselves_the_bot_the_owner_or_a_role_that_is_not_lower() {
    let bot = Bot::start().await;
    join(&bot, &["dave"]).await;
    bot.people.edit_member(&bot.guild(), "dave", &json!({ "roles": ["Moderator"] })).await.unwrap();
    for (user, words) in [
        ("@bob", "You cannot ban yourself."),
        ("@Sandbot", "I cannot ban myself."),
        ("@alice", "**alice** owns this server, so nobody can ban them."),
        ("@dave", "You cannot ban **dave**, because their highest role is not below yours."),
    ] {
        let answer = bot.say("bob", &format!("/ban user:{user}")).await;
        assert_eq!(private(&answer), words);
    }
    for command in ["kick user:@dave", "timeout user:@dave duration:1h", "warn user:@dave reason:no"] {
        let answer = bot.say("bob", &format!("/{command}")).await;
        assert!(
            private(&answer).contains("**dave**, because their highest role is not below yours"),
            "{answer:?}"
        );
    }
    assert!(member(&bot, "dave").await.is_some() && !is_banned(&bot, "dave").await);
    // The owner may.
    assert_eq!(private(&bot.say("alice", "/kick user:@dave").await), "**dave** was kicked (case 1).");
}

#[tokio::test]
async fn the_bot_says_that_its_own_role_is_too_low() {
    let bot = Bot::start().await;
    join(&bot, &["dave"]).await;
    bot.people.edit_member(&bot.guild(), "dave", &json!({ "roles": ["Member"] })).await.unwrap();
    bot.people.edit_role(&bot.guild(), "@everyone", &json!({ "allow": ["BAN_MEMBERS"] })).await.unwrap();
    bot.people.edit_member(&bot.guild(), "Sandbot", &json!({ "roles": [] })).await.unwrap();
    let answer = bot.say("alice", "/ban user:@dave").await;
    assert_eq!(
        private(&answer),
        "I cannot ban **dave**, because their highest role is not below mine; move mine up in the server's settings."
    );
    assert_eq!(
        private(&bot.say("alice", "/ban user:@carol").await),
        "I cannot ban **carol**, because their highest \
         role is not below mine; move mine up in the server's settings."
    );
}

#[tokio::test]
async fn the_bot_names_the_permission_that_it_lacks() {
    let bot = Bot::start().await;
    bot.is_no_administrator().await;
    for (command, permission) in [
        ("ban user:@carol", "Ban Members"),
        ("unban user:@carol", "Ban Members"),
        ("kick user:@carol", "Kick Members"),
        ("timeout user:@carol duration:1h", "Moderate Members"),
        ("nick user:@carol nickname:c", "Manage Nicknames"),
        ("role add user:@carol role:@Member", "Manage Roles"),
        ("purge count:1", "Manage Messages"),
        ("slowmode duration:10s", "Manage Channels"),
        ("automod spam", "Manage Guild"),
    ] {
        let answer = bot.say("alice", &format!("/{command}")).await;
        let words = private(&answer);
        assert!(
            words.starts_with("I need the permission") && words.contains(permission),
            "{command}: {words}"
        );
    }
    // A warning needs none.
    let warned = bot.say("alice", "/warn user:@carol reason:careful").await;
    assert_eq!(private(&warned), "**carol** was warned with 1 point (case 1).");
}

#[tokio::test]
async fn an_administrator_is_not_timed_out() {
    let bot = Bot::start().await;
    bot.people.edit_role(&bot.guild(), "Member", &json!({ "allow": ["ADMINISTRATOR"] })).await.unwrap();
    bot.people.edit_member(&bot.guild(), "carol", &json!({ "roles": ["Member"] })).await.unwrap();
    let answer = bot.say("bob", "/timeout user:@carol duration:1h").await;
    assert_eq!(
        private(&answer),
        "I cannot time out **carol**, because Discord does not let anybody time out administrators."
    );
}

#[tokio::test]
async fn discord_shows_each_command_to_those_with_its_permission() {
    let bot = Bot::start().await;
    let names = async |user: &str| {
        let commands = bot.people.commands(user, "bot-test").await.unwrap();
        commands.iter().map(|command| command["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (owner, moderator, member) = (names("alice").await, names("bob").await, names("carol").await);
    // Those of other plugins that everyone sees stay.
    let only = |some: &[String], others: &[String]| {
        let mut only: Vec<_> = some.iter().filter(|name| !others.contains(name)).cloned().collect();
        only.sort_unstable();
        only
    };
    let for_moderators = [
        "Moderation history",
        "Warn about this message",
        "ban",
        "case",
        "kick",
        "purge",
        "role",
        "softban",
        "tempban",
        "timeout",
        "unban",
        "untimeout",
        "warn",
    ];
    assert_eq!(only(&moderator, &member), for_moderators);
    let for_managers = only(&owner, &moderator);
    for name in ["automod", "lock", "nick", "slowmode", "unlock", "warnings"] {
        assert!(for_managers.contains(&name.to_owned()), "{name} not in {for_managers:?}");
    }
}
