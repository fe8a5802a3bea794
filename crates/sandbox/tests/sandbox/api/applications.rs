//! The application: its settings, files and Activities, linked roles, and what it does in the name of users.

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::api::bot::{Bot, text};

/// Calls REST in the name of a user who has authorized the bot's application, and returns status and body.
pub(crate) async fn as_user(
    bot: &Bot,
    token: &str,
    method: Method,
    path: &str,
    body: &Value,
) -> (u16, Value) {
    let url = format!("{}{path}", bot.sandbox.api_url());
    let request = reqwest::Client::new().request(method.clone(), url).bearer_auth(token);
    let request = if body.is_null() { request } else { request.json(body) };
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    let body = if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() };
    if let Some(api) = &*crate::api::bot::DISCORD
        && status < 400
    {
        api.response(method.as_str(), path, status, &body).unwrap_or_else(|wrong| panic!("{wrong}"));
    }
    (status, body)
}

pub(crate) async fn token(bot: &Bot, user: &str, scopes: &[&str]) -> String {
    let made = bot.user.authorize(user, &bot.sandbox.bot_id().to_string(), scopes).await.unwrap();
    text(&made["access_token"]).to_owned()
}

#[tokio::test]
async fn settings_of_an_application_are_kept_by_either_address() {
    let bot = Bot::start().await;
    let path = format!("/applications/{}", bot.sandbox.bot_id());
    let body = json!({ "description": "d", "icon": crate::api::expressions::dot(), "tags": ["fun"], "flags": 1 << 13,
        "custom_install_url": "https://a.example", "event_webhooks_status": 2, "event_webhooks_types": ["ENTITLEMENT_CREATE"],
        "install_params": { "scopes": ["bot"], "permissions": "8" } });
    let changed = bot.unjudged(Method::PATCH, &path, &body).await;
    for key in [
        "description",
        "tags",
        "flags",
        "custom_install_url",
        "event_webhooks_status",
        "event_webhooks_types",
        "install_params",
    ] {
        assert_eq!(changed[key], body[key], "{key}");
    }
    assert!(changed["icon"].is_string());
    assert_eq!(bot.get("/applications/@me").await, changed);
    let cleared = json!({ "icon": null, "custom_install_url": null, "install_params": null });
    let cleared = bot.expect(200, Method::PATCH, "/applications/@me", &cleared).await;
    assert_eq!((&cleared["icon"], cleared.get("custom_install_url")), (&Value::Null, None));
    for (body, key) in [(json!({ "flags": "x" }), "flags"), (json!({ "tags": ["t".repeat(21)] }), "tags")] {
        let (status, error) = bot.call(Method::PATCH, &path, &body).await;
        assert_eq!((status, error["errors"][key].is_object()), (400, true));
    }
    assert_eq!(bot.call(Method::PATCH, "/applications/1", &json!({})).await.1["code"], 20012);
}

#[tokio::test]
async fn a_file_for_an_activity_is_stored() {
    let bot = Bot::start().await;
    let path = format!("/applications/{}/attachment", bot.sandbox.bot_id());
    let form = Form::new().part("file", Part::bytes(b"four".to_vec()).file_name("a b.txt"));
    let (status, made) = bot.upload(Method::POST, &path, form).await;
    assert_eq!(
        (status, &made["attachment"]["size"], &made["attachment"]["ephemeral"]),
        (200, &json!(4), &json!(true))
    );
    let file = reqwest::get(text(&made["attachment"]["url"])).await.unwrap();
    assert_eq!(file.bytes().await.unwrap(), b"four".as_slice());
    let (status, error) = bot.upload(Method::POST, &path, Form::new().text("a", "b")).await;
    assert_eq!((status, &error["errors"]["file"]["_errors"][0]["code"]), (400, &json!("BASE_TYPE_REQUIRED")));
}

#[tokio::test]
async fn an_activity_runs_as_long_as_somebody_takes_part() {
    let mut bot = Bot::start().await;
    bot.register(json!({ "name": "play", "description": "d" })).await;
    let user = bot.user.clone();
    let (interaction, answer) = bot.answers(user.say("/play"), json!({ "type": 12 })).await;
    let instance = answer.activity.unwrap();
    let path = format!("/applications/{}/activity-instances/{instance}", bot.sandbox.bot_id());
    let found = bot.get(&path).await;
    assert_eq!((&found["launch_id"], &found["location"]["kind"]), (&interaction["id"], &json!("gc")));
    assert_eq!(found["location"]["channel_id"], interaction["channel_id"]);
    let [alice, bob] = ["alice", "bob"].map(|name| json!(bot.sandbox.user_id(name).unwrap()));
    assert_eq!(found["users"], json!([alice]));
    user.set_in_activity("bob", &instance, true).await.unwrap();
    assert_eq!(bot.get(&path).await["users"], json!([alice, bob]));
    user.set_in_activity("alice", &instance, false).await.unwrap();
    user.set_in_activity("bob", &instance, false).await.unwrap();
    bot.expect(404, Method::GET, &path, &Value::Null).await;
}

#[tokio::test]
async fn linked_roles_have_records_and_users_have_connections() {
    let bot = Bot::start().await;
    let id = bot.sandbox.bot_id();
    let path = format!("/applications/{id}/role-connections/metadata");
    let records = json!([{ "type": 2, "key": "level", "name": "Level", "description": "at least" }]);
    assert_eq!(bot.expect(200, Method::PUT, &path, &records).await, records);
    assert_eq!(bot.get(&path).await, records);
    let six: Vec<Value> = (0..6)
        .map(|n| json!({ "type": 1, "key": format!("k{n}"), "name": "n", "description": "d" }))
        .collect();
    assert_eq!(bot.call(Method::PUT, &path, &json!(six)).await.1["code"], 50035);

    let own = format!("/users/@me/applications/{id}/role-connection");
    let bearer = token(&bot, "bob", &["role_connections.write"]).await;
    let call = async |method: Method, body: Value| as_user(&bot, &bearer, method, &own, &body).await;
    assert_eq!(call(Method::GET, Value::Null).await, (200, json!({ "metadata": {} })));
    let connection =
        json!({ "platform_name": "Chess", "platform_username": "b", "metadata": { "level": "3" } });
    assert_eq!(call(Method::PUT, connection.clone()).await, (200, connection.clone()));
    assert_eq!(call(Method::GET, Value::Null).await.1, connection);
    let (status, error) = call(Method::PUT, json!({ "metadata": { "level": "x" } })).await;
    assert_eq!(
        (status, &error["errors"]["metadata"]["level"]["_errors"][0]["code"]),
        (400, &json!("NUMBER_TYPE_COERCE"))
    );
    assert_eq!(call(Method::DELETE, Value::Null).await.0, 204);
    assert_eq!(call(Method::GET, Value::Null).await.1, json!({ "metadata": {} }));
    // Only with this scope, and only for the application that it was given to.
    let weak = token(&bot, "bob", &["identify"]).await;
    assert_eq!(as_user(&bot, &weak, Method::GET, &own, &Value::Null).await.1["code"], 50026);
    let other = "/users/@me/applications/1/role-connection";
    assert_eq!(as_user(&bot, &bearer, Method::GET, other, &Value::Null).await.1["code"], 20012);
    assert_eq!(bot.call(Method::GET, &own, &Value::Null).await.1["code"], 50025);
    assert_eq!(as_user(&bot, "nothing", Method::GET, &own, &Value::Null).await.0, 401);
}

#[tokio::test]
async fn an_access_token_shows_what_the_user_allows() {
    let bot = Bot::start().await;
    let all =
        ["identify", "guilds", "guilds.members.read", "connections", "openid", "applications.entitlements"];
    let full = token(&bot, "bob", &all).await;
    let none = token(&bot, "bob", &["gdm.join"]).await;
    let bob = json!(bot.sandbox.user_id("bob").unwrap());
    let get = async |token: &str, path: &str| as_user(&bot, token, Method::GET, path, &Value::Null).await;
    let about = get(&full, "/oauth2/@me").await.1;
    assert_eq!((&about["user"]["id"], &about["application"]["id"]), (&bob, &json!(bot.sandbox.bot_id())));
    assert_eq!(about["scopes"], json!(all));
    assert_eq!(get(&none, "/oauth2/@me").await.1.get("user"), None);
    assert_eq!(bot.call(Method::GET, "/oauth2/@me", &Value::Null).await.1["code"], 50025);
    let me = get(&full, "/users/@me").await.1;
    assert_eq!((&me["id"], me.get("email")), (&bob, None));
    assert_eq!(get(&full, "/users/@me/guilds").await.1[0]["name"], "Sandbox");
    let member = format!("/users/@me{}/member", bot.guild());
    assert_eq!(get(&full, &member).await.1["user"]["id"], bob);
    assert_eq!(get(&full, "/oauth2/userinfo").await.1["sub"], bob);
    let accounts = json!([{ "type": "github", "id": "1", "name": "bobby", "verified": true }]);
    bot.user.set_connections("bob", &accounts).await.unwrap();
    assert_eq!(get(&full, "/users/@me/connections").await.1[0]["name"], "bobby");
    let sku = json!({ "name": "Hat", "type": "user_subscription" });
    let sku = bot.user.create_sku(&bot.sandbox.bot_id().to_string(), &sku).await.unwrap();
    bot.user.buy(&json!({ "as": "bob", "sku": sku["id"] })).await.unwrap();
    bot.user.buy(&json!({ "as": "carol", "sku": sku["id"] })).await.unwrap();
    let owned = format!("/users/@me/applications/{}/entitlements", bot.sandbox.bot_id());
    let found = get(&full, &owned).await.1;
    assert_eq!((found.as_array().unwrap().len(), &found[0]["user_id"]), (1, &bob));
    assert_eq!(get(&full, &format!("{owned}?sku_ids=1")).await.1, json!([]));
    for path in
        ["/users/@me", "/users/@me/guilds", &member, "/oauth2/userinfo", "/users/@me/connections", &owned]
    {
        assert_eq!(get(&none, path).await.1["code"], 50026, "{path}");
    }
    let key = bot.get("/oauth2/keys").await["keys"][0].clone();
    assert_eq!((&key["kty"], text(&key["n"]).len()), (&json!("RSA"), 342));
    let run = crate::api::cli::command_for(&bot)
        .args(["authorize", "Sandbot", "--as", "carol"])
        .output()
        .await
        .unwrap();
    let carols = String::from_utf8(run.stdout).unwrap();
    assert_eq!(get(carols.trim(), "/users/@me").await.1["username"], "carol");
    assert!(bot.user.authorize("bob", "Sandbot", &["everything"]).await.is_err());
    assert!(
        bot.user.set_connections("bob", &json!([{ "type": "icq", "id": "1", "name": "b" }])).await.is_err()
    );
}

#[tokio::test]
async fn permissions_of_a_command_are_set_in_the_name_of_an_admin() {
    let mut bot = Bot::start().await;
    let command = bot.register(json!({ "name": "ping", "description": "d" })).await;
    let path = format!("{}/{}/permissions", bot.commands(), text(&command["id"]));
    let bob = json!(bot.sandbox.user_id("bob").unwrap());
    let body = json!({ "permissions": [{ "id": bob, "type": 2, "permission": false }] });
    let scope = ["applications.commands.permissions.update"];
    let (owner, member) = (token(&bot, "alice", &scope).await, token(&bot, "carol", &scope).await);
    let weak = token(&bot, "alice", &["identify"]).await;
    let (status, set) = as_user(&bot, &owner, Method::PUT, &path, &body).await;
    assert_eq!((status, &set["permissions"]), (200, &body["permissions"]));
    assert_eq!(bot.event("APPLICATION_COMMAND_PERMISSIONS_UPDATE").await, set);
    let entry = bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await;
    assert_eq!((&entry["action_type"], &entry["changes"][0]["key"]), (&json!(121), &bob));
    assert_eq!(bot.get(&path).await, set);
    assert!(bot.user.run(sandbox::client::Run::typed("/ping").by("bob")).await.is_err());
    assert_eq!(as_user(&bot, &member, Method::PUT, &path, &body).await.1["code"], 50013);
    assert_eq!(as_user(&bot, &weak, Method::PUT, &path, &body).await.1["code"], 50026);
    assert_eq!(bot.call(Method::PUT, &path, &body).await.1["code"], 20001);
    for (item, key) in [
        (json!({ "id": bob, "type": 4, "permission": true }), "type"),
        (json!({ "id": bob, "type": 1 }), "permission"),
    ] {
        let (status, error) =
            as_user(&bot, &owner, Method::PUT, &path, &json!({ "permissions": [item] })).await;
        assert_eq!((status, error["errors"]["permissions"]["0"][key].is_object()), (400, true), "{error}");
    }
}
