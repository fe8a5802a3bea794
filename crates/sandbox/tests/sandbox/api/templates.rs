//! Templates of guilds: taken, synced, and used by people.

use reqwest::Method;
use serde_json::{Value, json};

use crate::api::bot::{Bot, text};

/// Returns the item of a list that has this name.
fn named<'a>(list: &'a Value, name: &str) -> &'a Value {
    list.as_array().unwrap().iter().find(|item| item["name"] == name).unwrap()
}

#[tokio::test]
async fn a_template_is_a_snapshot_that_grows_old() {
    let bot = Bot::start().await;
    let path = format!("{}/templates", bot.guild());
    let made = bot.post(&path, json!({ "name": "Ours", "description": "d" })).await;
    assert_eq!(
        (&made["name"], &made["usage_count"], &made["is_dirty"]),
        (&json!("Ours"), &json!(0), &Value::Null)
    );
    let guild = &made["serialized_source_guild"];
    let everyone = named(&guild["roles"], "@everyone");
    assert_eq!(everyone["id"], 0);
    assert!(guild["roles"].as_array().unwrap().iter().all(|role| role["name"] != "Sandbot"), "roles of bots");
    let log = named(&guild["channels"], "mod-log");
    let category = named(&guild["channels"], "Text channels");
    assert_eq!(log["parent_id"], category["id"].to_string());
    let moderator = named(&guild["roles"], "Moderator")["id"].to_string();
    let view = "1024";
    assert_eq!(
        log["permission_overwrites"],
        json!([
            { "id": "0", "type": 0, "allow": "0", "deny": view },
            { "id": moderator, "type": 0, "allow": view, "deny": "0" },
        ])
    );
    assert_eq!(guild["system_channel_id"], named(&guild["channels"], "general")["id"].to_string());

    assert_eq!(bot.call(Method::POST, &path, &json!({ "name": "Two" })).await.1["code"], 30031);
    let code = text(&made["code"]);
    let one = format!("{path}/{code}");
    bot.expect(200, Method::PATCH, &bot.guild(), &json!({ "name": "Renamed" })).await;
    let stale = bot.get(&format!("/guilds/templates/{code}")).await;
    assert_eq!(
        (&stale["is_dirty"], &stale["serialized_source_guild"]["name"]),
        (&json!(true), &json!("Sandbox"))
    );
    let synced = bot.expect(200, Method::PUT, &one, &Value::Null).await;
    assert_eq!(
        (&synced["is_dirty"], &synced["serialized_source_guild"]["name"]),
        (&Value::Null, &json!("Renamed"))
    );
    assert_ne!(synced["updated_at"], made["updated_at"]);
    let edited = bot.expect(200, Method::PATCH, &one, &json!({ "description": null })).await;
    assert_eq!((&edited["name"], &edited["description"]), (&json!("Ours"), &Value::Null));
    assert_eq!(bot.get(&path).await, json!([edited]));

    // Anyone may look at it, and only at one that exists.
    let open = reqwest::get(format!("{}/guilds/templates/{code}", bot.sandbox.api_url())).await.unwrap();
    assert_eq!(open.json::<Value>().await.unwrap(), edited);
    assert_eq!(bot.expect(200, Method::DELETE, &one, &Value::Null).await["code"], code);
    for (method, path) in [
        (Method::GET, format!("/guilds/templates/{code}")),
        (Method::PUT, one.clone()),
        (Method::DELETE, one),
    ] {
        assert_eq!(bot.call(method, &path, &Value::Null).await.1["code"], 10057);
    }
    bot.weaken(&["KICK_MEMBERS"]).await;
    assert_eq!(bot.call(Method::GET, &path, &Value::Null).await.1["code"], 50013);
    assert_eq!(bot.call(Method::POST, &path, &json!({ "name": "a" })).await.1["code"], 50013);
}

#[tokio::test]
async fn a_person_makes_a_guild_of_it() {
    let mut bot = Bot::start().await;
    let path = format!("{}/templates", bot.guild());
    let forum = json!({ "name": "help", "type": 15, "available_tags": [{ "name": "a", "emoji_name": "\u{1f600}" }],
        "default_sort_order": 1, "default_thread_rate_limit_per_user": 5 });
    bot.expect(201, Method::POST, &format!("{}/channels", bot.guild()), &forum).await;
    let role = json!({ "name": "Blue", "color": 255, "hoist": true, "permissions": "2048" });
    bot.post(&format!("{}/roles", bot.guild()), role).await;
    let template = bot.post(&path, json!({ "name": "Ours" })).await;
    let code = text(&template["code"]);
    let made = bot.user.create_from_template(code, "Second", "bob").await.unwrap();
    let told = bot.event("GUILD_CREATE").await;
    assert_eq!((&told["name"], &told["owner_id"]), (&json!("Second"), &json!(bot.sandbox.user_id("bob"))));

    let second = format!("/guilds/{}", text(&made["id"]));
    let taken = bot.post(&format!("{second}/templates"), json!({ "name": "Copy" })).await;
    let mut expected = template["serialized_source_guild"].clone();
    expected["name"] = json!("Second");
    assert_eq!(taken["serialized_source_guild"], expected, "a copy of the copy is the same");
    let channels = bot.get(&format!("{second}/channels")).await;
    let (log, help) = (named(&channels, "mod-log"), named(&channels, "help"));
    assert_eq!(log["permission_overwrites"][0]["id"], made["id"], "@everyone has the guild's id");
    assert_eq!(help["available_tags"][0]["name"], "a");
    let known = bot.get(&format!("/guilds/templates/{code}")).await;
    assert_eq!(known["usage_count"], 1);
    assert!(bot.user.create_from_template("nothing", "Third", "bob").await.is_err());

    let run = crate::api::cli::command_for(&bot)
        .args(["create-guild", "Third", "--template", code, "--as", "bob"])
        .output();
    assert!(run.await.unwrap().status.success());
    assert_eq!(bot.event("GUILD_CREATE").await["name"], "Third");
    // Bots cannot make guilds any more.
    let body = json!({ "name": "Fourth" });
    assert_eq!(bot.call(Method::POST, &format!("/guilds/templates/{code}"), &body).await.0, 405);
    assert_eq!(bot.call(Method::POST, "/guilds", &body).await.0, 404);
}
