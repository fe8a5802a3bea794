//! Moderation: what each command changes in the server, cases, warnings, and the ends of temporary bans.

use sandbox::answer::Answer;
use sandbox::fault::Rule;
use serde_json::{Value, json};

use crate::bot::{Bot, words};

mod acts;
mod cases;
mod channels;
mod expiry;
mod members;
mod protection;
mod refusals;

/// Numbers of actions in the audit log. Source: "Audit Log Events" in Discord's documentation.
const KICKED: u64 = 20;
const BANNED: u64 = 22;
const UNBANNED: u64 = 23;
const MEMBER_CHANGED: u64 = 24;
const ROLES_CHANGED: u64 = 25;

/// Returns the reasons of the server's bans by user.
async fn bans(bot: &Bot) -> Vec<(String, String)> {
    let bans = bot.get(&format!("/guilds/{}/bans", bot.guild())).await;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let bans = bans.as_array().unwrap().iter();
    bans.map(|ban| (text(&ban["user"]["username"]), text(&ban["reason"]))).collect()
}

async fn is_banned(bot: &Bot, user: &str) -> bool {
    bans(bot).await.iter().any(|(banned, _)| banned == user)
}

/// Returns a member, or `None` if the user is none.
async fn member(bot: &Bot, user: &str) -> Option<Value> {
    let members = bot.get(&format!("/guilds/{}/members?limit=1000", bot.guild())).await;
    let members = members.as_array().unwrap().iter();
    members.into_iter().find(|member| member["user"]["username"] == user).cloned()
}

/// Returns the reason of the newest entry of a kind in the audit log.
async fn audited(bot: &Bot, action: u64) -> String {
    let path = format!("/guilds/{}/audit-logs?action_type={action}&limit=1", bot.guild());
    let log = bot.get(&path).await;
    log["audit_log_entries"][0]["reason"].as_str().unwrap_or_default().to_owned()
}

/// Returns what the bot has written to a user, newest last.
async fn told(bot: &Bot, user: &str) -> Vec<String> {
    let messages = bot.people.messages(user, "@Sandbot", 50).await.unwrap();
    messages.iter().map(|message| message["content"].as_str().unwrap().to_owned()).collect()
}

/// Waits for an entry in the moderators' log that has all of `parts`.
async fn logged(bot: &Bot, parts: &[&str]) -> Value {
    bot.message("bob", "mod-log", |entry| {
        let embeds = entry["embeds"].as_array().unwrap().iter();
        let shown = embeds.map(words).collect::<Vec<_>>().join("\n");
        parts.iter().all(|part| shown.contains(part))
    })
    .await
}

/// Returns what moderation has in the database, as a user gets it by `command`, an export of `/privacy`.
async fn exported(bot: &Bot, who: &str, command: &str) -> Value {
    let answer = bot.say(who, command).await;
    let file = &answer.message.as_ref().unwrap()["attachments"][0];
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let response = client.get(file["url"].as_str().unwrap()).send().await.unwrap();
    let data: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    data["tables"]["commands/moderation"].clone()
}

/// Adds members to the server.
async fn join(bot: &Bot, users: &[&str]) {
    for user in users {
        bot.people.create_user(user).await.unwrap();
        bot.people.join(&bot.guild(), user).await.unwrap();
    }
}

/// Makes the local Discord answer requests with an error, so often.
async fn fail(bot: &Bot, (method, path): (&str, &str), status: u16, times: u64) {
    let request = json!({ "method": method, "path": path, "effect": { "respond": { "status": status } } });
    let rule: Rule = serde_json::from_value(json!({ "on": { "request": request }, "count": times })).unwrap();
    bot.people.add_fault(&rule).await.unwrap();
}

/// Returns the only answer of a command: ephemeral, and without mentions that notify.
fn private(answer: &Answer) -> &str {
    assert!(answer.ephemeral, "{answer:?}");
    let message = answer.message.as_ref().unwrap_or_else(|| panic!("{answer:?}"));
    assert_eq!(message["mentions"].as_array().map_or(0, Vec::len), 0, "{message}");
    &answer.content
}
