//! Nicknames and roles.

use serde_json::json;

use super::{MEMBER_CHANGED, ROLES_CHANGED, audited, logged, member, private};
use crate::bot::Bot;

#[tokio::test]
async fn a_nickname_is_changed_and_removed() {
    let bot = Bot::start().await;
    let answer = bot.say("alice", "/nick user:@carol nickname:*Cat* reason:asked").await;
    assert_eq!(private(&answer), "The nickname of **carol** is \\*Cat\\* now.");
    assert_eq!(member(&bot, "carol").await.unwrap()["nick"], "*Cat*");
    assert_eq!(audited(&bot, MEMBER_CHANGED).await, format!("alice ({}): asked", bot.user("alice")));
    let answer = bot.say("alice", "/nick user:@carol").await;
    assert_eq!(private(&answer), "**carol** has no nickname now.");
    assert!(member(&bot, "carol").await.unwrap()["nick"].is_null());
    logged(&bot, &["Nickname\n**carol** has no nickname now."]).await;
}

#[tokio::test]
async fn roles_below_both_are_given_and_taken() {
    let bot = Bot::start().await;
    let roles = bot.get(&format!("/guilds/{}/roles", bot.guild())).await;
    let id = |name: &str| {
        let role = roles.as_array().unwrap().iter().find(|role| role["name"] == name).unwrap();
        role["id"].as_str().unwrap().to_owned()
    };
    let mention = format!("<@&{}>", id("Member"));
    let answer = bot.say("bob", "/role add user:@carol role:@Member reason:new").await;
    assert_eq!(private(&answer), format!("**carol** has {mention} now."));
    assert_eq!(answer.message.as_ref().unwrap()["mention_roles"], json!([]));
    assert_eq!(member(&bot, "carol").await.unwrap()["roles"], json!([id("Member")]));
    assert_eq!(audited(&bot, ROLES_CHANGED).await, format!("bob ({}): new", bot.user("bob")));
    let answer = bot.say("bob", "/role add user:@carol role:@Member").await;
    assert_eq!(private(&answer), format!("**carol** has {mention} already."));
    let answer = bot.say("bob", "/role remove user:@carol role:@Member").await;
    assert_eq!(private(&answer), format!("**carol** lost {mention}."));
    assert_eq!(member(&bot, "carol").await.unwrap()["roles"], json!([]));

    let own = bot.say("bob", "/role add user:@carol role:@Moderator").await;
    assert!(private(&own).ends_with("because it is not below your highest role."), "{own:?}");
    let bots = bot.say("alice", "/role add user:@carol role:@Sandbot").await;
    assert!(private(&bots).contains("belongs to a bot or to Discord"), "{bots:?}");
}
