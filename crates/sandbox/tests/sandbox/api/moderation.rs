//! What moderators do to a whole guild: prunes, paused invites and direct messages, added members, vanity codes.

use reqwest::Method;
use sandbox::state::clock;
use serde_json::{Value, json};

use crate::api::bot::{Bot, id, text};

/// Returns the moment so many days ago.
fn days_ago(days: i64) -> Value {
    clock::iso(time::OffsetDateTime::now_utc() - time::Duration::days(days)).into()
}

#[tokio::test]
async fn a_prune_removes_who_has_not_been_seen() {
    let mut bot = Bot::start().await;
    let prune = format!("{}/prune", bot.guild());
    let count = async |query: &str| bot.get(&format!("{prune}{query}")).await["pruned"].clone();
    assert_eq!(count("?days=1").await, 0, "all have just come");
    // Carol has no role, Bob is a moderator, Alice owns the guild.
    for user in ["alice", "bob", "carol"] {
        bot.user.edit_user(user, &json!({ "last_seen": days_ago(8) })).await.unwrap();
    }
    assert_eq!((count("").await, count("?days=9").await), (json!(1), json!(0)));
    let roles = bot.get(&format!("{}/roles", bot.guild())).await;
    let moderator = roles.as_array().unwrap().iter().find(|role| role["name"] == "Moderator").unwrap();
    assert_eq!(count(&format!("?include_roles={}", text(&moderator["id"]))).await, 2);

    // Activity of any kind counts.
    bot.user.send("carol", "general", "back").await.unwrap();
    assert_eq!(count("").await, 0);
    bot.user.edit_user("carol", &json!({ "last_seen": days_ago(8) })).await.unwrap();
    bot.user.enter_voice("Sandbox", "carol", "Lounge").await.unwrap();
    assert_eq!(count("").await, 0);
    bot.user.leave_voice("Sandbox", "carol").await.unwrap();
    bot.user.edit_user("carol", &json!({ "last_seen": days_ago(8) })).await.unwrap();

    let body = json!({ "days": 7, "include_roles": [moderator["id"]], "reason": "quiet" });
    assert_eq!(bot.post(&prune, body).await, json!({ "pruned": 2 }));
    let gone = [bot.event("GUILD_MEMBER_REMOVE").await, bot.event("GUILD_MEMBER_REMOVE").await];
    assert_eq!(gone.map(|event| text(&event["user"]["username"]).to_owned()), ["bob", "carol"]);
    let entry = bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await;
    assert_eq!((&entry["action_type"], &entry["target_id"]), (&json!(21), &Value::Null));
    assert_eq!(entry["options"], json!({ "delete_member_days": "7", "members_removed": "2" }));
    assert_eq!(entry["reason"], "quiet");
    let uncounted = json!({ "compute_prune_count": false });
    assert_eq!(bot.post(&prune, uncounted).await, json!({ "pruned": null }));

    for (query, path) in [("?days=0", "days"), ("?days=31", "days"), ("?include_roles=a", "include_roles")] {
        let error = bot.expect(400, Method::GET, &format!("{prune}{query}"), &Value::Null).await;
        assert!(error["errors"].get(path).is_some(), "{error}");
    }
}

#[tokio::test]
async fn a_prune_needs_both_permissions() {
    let bot = Bot::start().await;
    bot.weaken(&["KICK_MEMBERS"]).await;
    let prune = format!("{}/prune", bot.guild());
    assert_eq!(bot.call(Method::GET, &prune, &Value::Null).await.1["code"], 50013);
    assert_eq!(bot.call(Method::POST, &prune, &json!({})).await.1["code"], 50013);
    bot.weaken(&["KICK_MEMBERS", "MANAGE_GUILD"]).await;
    bot.get(&prune).await;
}

#[tokio::test]
async fn a_bot_adds_a_user_who_lets_it() {
    let mut bot = Bot::start().await;
    let dave = bot.user.create_user("dave").await.unwrap();
    let path = format!("{}/members/{}", bot.guild(), text(&dave["id"]));
    let call = async |token: &Value| bot.call(Method::PUT, &path, &json!({ "access_token": token })).await;
    assert_eq!(call(&json!("nonsense")).await.1["code"], 50025);
    let other = bot.user.authorize("carol", "Sandbot", &["guilds.join"]).await.unwrap();
    assert_eq!(call(&other["access_token"]).await.1["code"], 50025, "of another user");
    let narrow = bot.user.authorize("dave", "Sandbot", &["identify"]).await.unwrap();
    assert_eq!(call(&narrow["access_token"]).await.1["code"], 50026);
    assert_eq!(bot.call(Method::PUT, &path, &json!({})).await.1["code"], 50035);

    let token = bot.user.authorize("dave", "Sandbot", &["identify", "guilds.join"]).await.unwrap();
    let roles = bot.get(&format!("{}/roles", bot.guild())).await;
    let role = roles.as_array().unwrap().iter().find(|role| role["name"] == "Member").unwrap()["id"].clone();
    let body = json!({ "access_token": token["access_token"], "nick": "D", "roles": [role], "mute": true });
    let member = bot.expect(201, Method::PUT, &path, &body).await;
    assert_eq!(
        (&member["nick"], &member["roles"], &member["mute"]),
        (&json!("D"), &json!([role]), &json!(true))
    );
    let event = bot.event("GUILD_MEMBER_ADD").await;
    assert_eq!((&event["nick"], &event["user"]["id"]), (&json!("D"), &dave["id"]));
    assert_eq!(bot.expect(204, Method::PUT, &path, &body).await, Value::Null);

    // One who comes back has a flag that says so.
    bot.user.leave("Sandbox", "dave").await.unwrap();
    let member = bot.expect(201, Method::PUT, &path, &json!({ "access_token": token["access_token"] })).await;
    assert_eq!(member["flags"], 1);
    bot.expect(204, Method::PUT, &format!("{}/bans/{}", bot.guild(), text(&dave["id"])), &json!({})).await;
    let body = json!({ "access_token": token["access_token"] });
    assert_eq!(bot.call(Method::PUT, &path, &body).await.1["code"], 40007);
}

#[tokio::test]
async fn only_the_flag_that_bypasses_verification_is_set() {
    let bot = Bot::start().await;
    let path = format!("{}/members/{}", bot.guild(), bot.sandbox.user_id("carol").unwrap());
    let edit = async |flags: u64| {
        bot.expect(200, Method::PATCH, &path, &json!({ "flags": flags })).await["flags"].clone()
    };
    assert_eq!((edit(0xff).await, edit(0).await), (json!(4), json!(0)));
    bot.weaken(&["MODERATE_MEMBERS"]).await;
    assert_eq!(bot.call(Method::PATCH, &path, &json!({ "flags": 4 })).await.1["code"], 50013);
}

#[tokio::test]
async fn paused_invites_let_nobody_in() {
    let mut bot = Bot::start().await;
    bot.user.create_user("dave").await.unwrap();
    let invite = bot.post(&format!("{}/invites", bot.channel("general")), json!({ "max_uses": 1 })).await;
    let code = text(&invite["code"]);
    let path = format!("{}/incident-actions", bot.guild());
    assert_eq!(bot.get(&bot.guild()).await["incidents_data"], Value::Null);
    let until = clock::iso(time::OffsetDateTime::now_utc() + time::Duration::hours(23));
    let body = json!({ "invites_disabled_until": until });
    let answer = bot.expect(200, Method::PUT, &path, &body).await;
    assert_eq!(answer, json!({ "invites_disabled_until": until, "dms_disabled_until": null }));
    assert_eq!(bot.event("GUILD_UPDATE").await["incidents_data"], answer);
    let entry = bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await;
    assert_eq!(
        (&entry["action_type"], &entry["changes"]),
        (&json!(1), &json!([{ "key": "incidents_data", "new_value": answer }]))
    );
    let error = bot.user.accept_invite(code, "dave").await.unwrap_err().to_string();
    assert!(error.contains("paused"), "{error}");

    bot.expect(200, Method::PUT, &path, &json!({ "invites_disabled_until": null })).await;
    assert_eq!(bot.event("GUILD_UPDATE").await["incidents_data"], Value::Null);
    let member = bot.user.accept_invite(code, "dave").await.unwrap();
    assert_eq!(member["user"]["username"], "dave");
    assert_eq!(bot.names_until("GUILD_MEMBER_ADD").await, ["GUILD_AUDIT_LOG_ENTRY_CREATE", "INVITE_DELETE"]);
    let error = bot.user.accept_invite(code, "dave").await.unwrap_err().to_string();
    assert!(error.contains("Unknown Invite"), "its only use is over: {error}");

    let late = clock::iso(time::OffsetDateTime::now_utc() + time::Duration::hours(25));
    let error = bot.expect(400, Method::PUT, &path, &json!({ "dms_disabled_until": late })).await;
    assert!(error["errors"]["dms_disabled_until"].is_object(), "{error}");
    bot.weaken(&["KICK_MEMBERS"]).await;
    assert_eq!(bot.call(Method::PUT, &path, &json!({})).await.1["code"], 50013);
}

#[tokio::test]
async fn paused_direct_messages_hold_between_members_but_not_with_bots() {
    let bot = Bot::start().await;
    bot.user.send("bob", "@carol", "before").await.unwrap();
    let until = clock::iso(time::OffsetDateTime::now_utc() + time::Duration::hours(1));
    let path = format!("{}/incident-actions", bot.guild());
    bot.expect(200, Method::PUT, &path, &json!({ "dms_disabled_until": until })).await;
    let error = bot.user.send("bob", "@carol", "psst").await.unwrap_err().to_string();
    assert!(error.contains("Cannot send messages to this user"), "{error}");
    bot.user.send("bob", "@Sandbot", "hello").await.unwrap();
    // Another guild in common allows it.
    bot.user.create_guild("Second", "bob").await.unwrap();
    bot.user.join("Second", "carol").await.unwrap();
    bot.user.send("bob", "@carol", "here").await.unwrap();
}

#[tokio::test]
async fn a_vanity_code_is_an_invite() {
    let mut bot = Bot::start().await;
    let path = format!("{}/vanity-url", bot.guild());
    assert_eq!(bot.call(Method::GET, &path, &Value::Null).await.1["code"], 50001);
    let early = bot.user.edit_guild("Sandbox", &json!({ "vanity_url_code": "tea" })).await;
    assert!(early.unwrap_err().to_string().contains("VANITY_URL"));
    bot.user.edit_guild("Sandbox", &json!({ "boosts": 14 })).await.unwrap();
    assert_eq!(bot.event("GUILD_UPDATE").await["premium_tier"], 3);
    assert_eq!(bot.get(&path).await, json!({ "code": null, "uses": 0 }));
    bot.user.edit_guild("Sandbox", &json!({ "vanity_url_code": "tea" })).await.unwrap();
    assert_eq!(bot.event("GUILD_UPDATE").await["vanity_url_code"], "tea");
    let entry = bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await;
    assert_eq!(entry["changes"], json!([{ "key": "vanity_url_code", "new_value": "tea" }]));

    let invite = bot.get("/invites/tea?with_counts=true").await;
    assert_eq!((&invite["guild"]["vanity_url_code"], invite.get("inviter")), (&json!("tea"), None));
    bot.user.create_user("dave").await.unwrap();
    bot.user.accept_invite("tea", "dave").await.unwrap();
    bot.event("GUILD_MEMBER_ADD").await;
    assert_eq!(bot.get(&path).await, json!({ "code": "tea", "uses": 1 }));
}

#[tokio::test]
async fn a_new_member_accepts_the_rules_before_anything_else() {
    let mut bot = Bot::start().await;
    let gate = json!({ "add_features": ["MEMBER_VERIFICATION_GATE_ENABLED"] });
    bot.user.edit_guild("Sandbox", &gate).await.unwrap();
    bot.user.create_user("dave").await.unwrap();
    bot.user.join("Sandbox", "dave").await.unwrap();
    assert_eq!(bot.event("GUILD_MEMBER_ADD").await["pending"], true);
    assert!(bot.user.send("dave", "general", "hi").await.is_err());
    assert_eq!(bot.user.pass_screening("Sandbox", "dave").await.unwrap()["pending"], false);
    let event = bot.event("GUILD_MEMBER_UPDATE").await;
    assert_eq!(
        (&event["pending"], id(&event["user"]["id"])),
        (&json!(false), bot.sandbox.user_id("dave").unwrap())
    );
    bot.user.send("dave", "general", "hi").await.unwrap();
}

#[tokio::test]
async fn the_command_line_boosts_a_guild_and_lets_people_in() {
    let bot = Bot::start().await;
    let run = async |arguments: &[&str]| {
        let output = crate::api::cli::command_for(&bot).args(arguments).output().await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let shown = run(&["guild", "--boosts", "14", "--vanity", "tea", "--feature", "community"]).await;
    assert!(shown.contains("level 3") && shown.contains("COMMUNITY") && shown.contains("BANNER"), "{shown}");
    bot.user.create_user("dave").await.unwrap();
    run(&["accept", "tea", "--as", "dave"]).await;
    run(&["seen", "dave", "31"]).await;
    assert_eq!(bot.get(&format!("{}/prune?days=30", bot.guild())).await["pruned"], 1);
    let shown = run(&["guild", "--boosts", "0", "--without", "COMMUNITY"]).await;
    assert!(shown.contains("level 0") && !shown.contains("COMMUNITY"), "{shown}");
    assert_eq!(bot.call(Method::GET, "/invites/tea", &Value::Null).await.1["code"], 10006);
}
