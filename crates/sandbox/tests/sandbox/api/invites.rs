//! Invites: who may accept them, what they give, how they end.

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::api::bot::{Bot, text};

fn with_file(content: &str, payload: &Value) -> Form {
    let part = Part::text(content.to_owned()).file_name("users.csv");
    Form::new().part("target_users_file", part).text("payload_json", payload.to_string())
}

/// Returns status, media type and text of a response, which is no JSON.
async fn raw(bot: &Bot, path: &str) -> (u16, String, String) {
    let url = format!("{}{path}", bot.sandbox.api_url());
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let token = format!("Bot {}", bot.sandbox.token());
    let response = client.get(url).header("authorization", token).send().await.unwrap();
    let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
    (response.status().as_u16(), kind, response.text().await.unwrap())
}

#[tokio::test]
async fn an_invite_gives_roles_to_newcomers_and_members() {
    let mut bot = Bot::start().await;
    let invites = format!("{}/invites", bot.channel("general"));
    let role = bot.post(&format!("{}/roles", bot.guild()), json!({ "name": "Player", "color": 255 })).await;
    bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await;
    let invite = bot.post(&invites, json!({ "role_ids": [role["id"]], "max_age": 0 })).await;
    let shown = &invite["roles"][0];
    assert_eq!(
        (&shown["name"], &shown["color"], shown.get("permissions")),
        (&json!("Player"), &json!(255), None)
    );
    assert_eq!(bot.event("INVITE_CREATE").await["role_ids"], json!([role["id"]]));
    let entry = bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await;
    assert_eq!((&entry["action_type"], &entry["target_id"]), (&json!(40), &Value::Null));
    assert_eq!(entry["changes"][0], json!({ "key": "code", "new_value": invite["code"] }));

    let code = text(&invite["code"]);
    bot.user.create_user("dave").await.unwrap();
    bot.user.accept_invite(code, "dave").await.unwrap();
    assert_eq!(bot.event("GUILD_MEMBER_ADD").await["roles"], json!([role["id"]]));
    let carol = bot.user.accept_invite(code, "carol").await.unwrap();
    assert_eq!(carol["roles"], json!([role["id"]]));
    assert_eq!(bot.event("GUILD_MEMBER_UPDATE").await["roles"], json!([role["id"]]));
    let listed = bot.get(&invites).await;
    assert_eq!((&listed[0]["uses"], &listed[0]["roles"][0]["id"]), (&json!(1), &role["id"]));

    // The same again is the same invite, unless a new one is asked for.
    let again = bot.post(&invites, json!({ "role_ids": [role["id"]], "max_age": 0 })).await;
    assert_eq!(again["code"], invite["code"]);
    let other = bot.post(&invites, json!({ "role_ids": [role["id"]], "max_age": 0, "unique": true })).await;
    assert_ne!(other["code"], invite["code"]);

    let roles = bot.get(&format!("{}/roles", bot.guild())).await;
    let own = roles.as_array().unwrap().iter().find(|role| role["name"] == "Sandbot").unwrap();
    for (role, code) in [(&own["id"], 50028), (&json!("1"), 10011)] {
        assert_eq!(bot.call(Method::POST, &invites, &json!({ "role_ids": [role] })).await.1["code"], code);
    }
    bot.weaken(&["CREATE_INSTANT_INVITE", "VIEW_CHANNEL", "VIEW_AUDIT_LOG"]).await;
    assert_eq!(bot.call(Method::POST, &invites, &json!({ "role_ids": [role["id"]] })).await.1["code"], 50013);
    // Without MANAGE_GUILD, the list lacks the usage.
    let listed = bot.get(&format!("{}/invites", bot.guild())).await;
    assert_eq!((listed[0].get("uses"), &listed[0]["code"]), (None, &invite["code"]));
    assert_eq!(bot.call(Method::DELETE, &format!("/invites/{code}"), &Value::Null).await.1["code"], 50013);
}

#[tokio::test]
async fn an_invite_for_some_is_hidden_from_others() {
    let mut bot = Bot::start().await;
    let invites = format!("{}/invites", bot.channel("general"));
    let (dave, erin) =
        (bot.user.create_user("dave").await.unwrap(), bot.user.create_user("erin").await.unwrap());
    let file = format!("{}\n{}\n", text(&dave["id"]), text(&dave["id"]));
    let (status, invite) =
        bot.upload(Method::POST, &invites, with_file(&file, &json!({ "max_uses": 5 }))).await;
    assert_eq!((status, &invite["max_uses"]), (200, &json!(5)));
    let code = text(&invite["code"]);
    let users = format!("/invites/{code}/target-users");
    let csv = |id: &Value| (200, "text/csv; charset=utf-8".to_owned(), format!("user_id\n{}\n", text(id)));
    assert_eq!(raw(&bot, &users).await, csv(&dave["id"]));
    let job = bot.get(&format!("{users}/job-status")).await;
    assert_eq!(
        (&job["status"], &job["total_users"], &job["processed_users"]),
        (&json!(2), &json!(1), &json!(1))
    );

    let refused = bot.user.accept_invite(code, "erin").await.unwrap_err().to_string();
    assert!(refused.contains("Unknown Invite"), "{refused}");
    bot.user.accept_invite(code, "dave").await.unwrap();
    bot.get(&format!("/invites/{code}")).await;
    let anonymous = reqwest::get(format!("{}/invites/{code}", bot.sandbox.api_url())).await.unwrap();
    assert_eq!(anonymous.status(), 404);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let wrong = client
        .get(format!("{}/invites/{code}", bot.sandbox.api_url()))
        .header("authorization", "Bot no.such.one");
    assert_eq!(wrong.send().await.unwrap().status(), 401);

    let (status, answer) = bot.upload(Method::PUT, &users, with_file(text(&erin["id"]), &json!({}))).await;
    assert_eq!((status, answer), (204, Value::Null));
    assert_eq!(bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await["action_type"], 40);
    assert_eq!(bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await["action_type"], 41);
    assert_eq!(raw(&bot, &users).await, csv(&erin["id"]));
    bot.user.accept_invite(code, "erin").await.unwrap();

    let lines = json!({ "target_users_file": [
        "Line 2: invalid user ID - must be a valid Discord snowflake", "Line 3: invalid user ID format"] });
    let wrong = || with_file("user_id\n7\nbob", &json!({}));
    assert_eq!(bot.upload(Method::PUT, &users, wrong()).await, (400, lines.clone()));
    assert_eq!(bot.upload(Method::POST, &invites, wrong()).await, (400, lines));
    let (status, error) = bot.upload(Method::PUT, &users, Form::new().text("a", "b")).await;
    assert_eq!(
        (status, &error["errors"]["target_users_file"]["_errors"][0]["code"]),
        (400, &json!("BASE_TYPE_REQUIRED"))
    );

    let open = bot.post(&invites, json!({})).await;
    let open = format!("/invites/{}/target-users", text(&open["code"]));
    assert_eq!(bot.call(Method::GET, &open, &Value::Null).await.1["code"], 10129);
    assert_eq!(bot.call(Method::GET, &format!("{open}/job-status"), &Value::Null).await.1["code"], 10124);
    assert_eq!(bot.call(Method::GET, "/invites/none/target-users", &Value::Null).await.1["code"], 10006);
    bot.weaken(&["CREATE_INSTANT_INVITE", "VIEW_CHANNEL"]).await;
    let (_, error) = bot.upload(Method::POST, &invites, with_file(text(&erin["id"]), &json!({}))).await;
    assert_eq!(error["code"], 50013, "needs MANAGE_GUILD");
    assert_eq!(raw(&bot, &users).await.0, 200, "its own");
}

#[tokio::test]
async fn a_visitor_leaves_with_their_presence() {
    let mut bot = Bot::start().await;
    let invite = bot.post(&format!("{}/invites", bot.channel("general")), json!({ "temporary": true })).await;
    for user in ["dave", "erin"] {
        bot.user.create_user(user).await.unwrap();
        bot.user.accept_invite(text(&invite["code"]), user).await.unwrap();
    }
    bot.user.edit_member("Sandbox", "erin", &json!({ "roles": ["Member"] })).await.unwrap();
    for user in ["erin", "dave"] {
        for status in ["online", "offline"] {
            let path = format!("/presences/{user}");
            bot.control(Method::PUT, &path).json(&json!({ "status": status })).send().await.unwrap();
        }
    }
    assert_eq!(bot.event("GUILD_MEMBER_REMOVE").await["user"]["username"], "dave", "erin has a role");
}

#[tokio::test]
async fn an_invite_leads_to_what_is_there() {
    let mut bot = Bot::start().await;
    let (voice, written) =
        (format!("{}/invites", bot.channel("Lounge")), format!("{}/invites", bot.channel("general")));
    let bob = json!(bot.sandbox.user_id("bob").unwrap());
    let stream = json!({ "target_type": 1, "target_user_id": bob });
    let error = bot.expect(400, Method::POST, &voice, &stream).await;
    assert_eq!(error["errors"]["target_user_id"]["_errors"][0]["code"], "GUILD_INVITE_INVALID_STREAMER");
    bot.user.enter_voice("Sandbox", "bob", "Lounge").await.unwrap();
    let invite = bot.post(&voice, stream.clone()).await;
    assert_eq!((&invite["target_type"], &invite["target_user"]["id"]), (&json!(1), &bob));
    assert_eq!(bot.event("INVITE_CREATE").await["target_user"]["id"], bob);
    let activity = json!({ "target_type": 2, "target_application_id": bot.sandbox.bot_id() });
    let target = bot.post(&voice, activity).await["target_application"].clone();
    // py-cord and interactions.py read the summary, though no document has it.
    assert_eq!((&target["name"], &target["summary"]), (&json!("Sandbot"), &json!("")));
    assert_eq!(bot.event("INVITE_CREATE").await["target_application"], target);
    let unknown = json!({ "target_type": 2, "target_application_id": "1" });
    assert_eq!(bot.call(Method::POST, &voice, &unknown).await.1["code"], 50035);
    assert_eq!(bot.call(Method::POST, &written, &stream).await.1["code"], 50035);
}

#[tokio::test]
async fn an_expired_invite_is_none() {
    let bot = Bot::start().await;
    let invites = format!("{}/invites", bot.channel("general"));
    let one = bot.post(&invites, json!({ "max_age": 60 })).await;
    let code = text(&one["code"]);
    assert_eq!(bot.post(&invites, json!({ "max_age": 60 })).await["code"], code);
    bot.user.advance_clock(std::time::Duration::from_secs(61)).await.unwrap();

    let path = format!("/invites/{code}");
    for (method, path) in [
        (Method::GET, path.clone()),
        (Method::DELETE, path.clone()),
        (Method::GET, format!("{path}/target-users")),
        (Method::GET, format!("{path}/target-users/job-status")),
    ] {
        let (status, answer) = bot.call(method.clone(), &path, &Value::Null).await;
        assert_eq!((status, &answer["code"]), (404, &json!(10006)), "{method} {path}");
    }
    assert_eq!(bot.get(&invites).await, json!([]));
    assert!(bot.user.accept_invite(code, "carol").await.is_err());
    // These are open for an hour, longer than the slowest machine takes for a thousand.
    assert_ne!(bot.post(&invites, json!({ "max_age": 3600 })).await["code"], code);

    // A guild's thousand invites are those that are open.
    let general = bot.channel("bot-test");
    for _ in 0..999 {
        bot.post(&format!("{general}/invites"), json!({ "max_age": 3600, "unique": true })).await;
    }
    let body = json!({ "max_age": 0, "unique": true });
    let (status, full) = bot.call(Method::POST, &invites, &body).await;
    assert_eq!((status, &full["code"]), (400, &json!(30016)));
    bot.user.advance_clock(std::time::Duration::from_secs(3601)).await.unwrap();
    bot.post(&invites, body).await;
}
