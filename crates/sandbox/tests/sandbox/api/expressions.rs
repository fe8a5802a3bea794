//! Emojis of applications and guilds, and stickers: made, changed, limited, published, and sent.

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::api::bot::{Bot, text};

/// The smallest whole PNG.
pub(crate) const DOT: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

pub(crate) fn dot() -> String {
    format!("data:image/png;base64,{DOT}")
}

fn bytes() -> Vec<u8> {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.decode(DOT).unwrap()
}

fn sticker(name: &str, bytes: Vec<u8>) -> Form {
    let file = Part::bytes(bytes).file_name("sticker");
    Form::new().text("name", name.to_owned()).text("tags", "wave").text("description", "").part("file", file)
}

fn lottie() -> Vec<u8> {
    let file = json!({ "v": "5", "w": 320, "h": 320, "fr": 30, "ip": 0, "op": 60, "layers": [] });
    file.to_string().into_bytes()
}

async fn create(bot: &Bot, name: &str) -> Value {
    let path = format!("{}/stickers", bot.guild());
    let (status, made) = bot.upload(Method::POST, &path, sticker(name, bytes())).await;
    assert_eq!(status, 201, "{made}");
    made
}

#[tokio::test]
async fn an_application_has_emojis_of_its_own() {
    let mut bot = Bot::start().await;
    let path = format!("/applications/{}/emojis", bot.sandbox.bot_id());
    let made = bot.expect(201, Method::POST, &path, &json!({ "name": "blob", "image": dot() })).await;
    assert_eq!((&made["roles"], &made["user"]["id"]), (&json!([]), &json!(bot.sandbox.bot_id())));
    let one = format!("{path}/{}", text(&made["id"]));
    assert_eq!(bot.get(&one).await, made);
    let renamed = bot.expect(200, Method::PATCH, &one, &json!({ "name": "blob2" })).await;
    assert_eq!(bot.get(&path).await, json!({ "items": [renamed] }));
    let picture = format!("{}/emojis/{}.png", bot.sandbox.url(), text(&made["id"]));
    assert_eq!(reqwest::get(&picture).await.unwrap().bytes().await.unwrap(), bytes());

    // The application reacts with it, users only join in.
    let sent = bot.user.send("bob", "general", "x").await.unwrap();
    let emoji = format!("blob2:{}", text(&made["id"]));
    let message = crate::api::bot::id(&sent["id"]);
    assert!(bot.user.react("bob", message, &emoji).await.is_err());
    let react = format!("{}/messages/{message}/reactions/{emoji}/@me", bot.channel("general"));
    bot.expect(204, Method::PUT, &react, &Value::Null).await;
    bot.user.react("bob", message, &emoji).await.unwrap();

    for (method, body, code) in
        [(Method::PATCH, json!({ "name": "b" }), 50035), (Method::PATCH, json!({ "name": null }), 50035)]
    {
        assert_eq!(bot.call(method, &one, &body).await.1["code"], code, "{body}");
    }
    for (body, key) in [(json!({ "image": dot() }), "name"), (json!({ "name": "ab", "image": "x" }), "image")]
    {
        let (status, error) = bot.call(Method::POST, &path, &body).await;
        assert_eq!((status, error["errors"][key].is_object()), (400, true), "{error}");
    }
    let other = "/applications/1/emojis";
    assert_eq!(bot.call(Method::GET, other, &Value::Null).await.1["code"], 20012);
    bot.expect(204, Method::DELETE, &one, &Value::Null).await;
    assert_eq!(bot.call(Method::GET, &one, &Value::Null).await.1["code"], 10014);
    assert_eq!(reqwest::get(&picture).await.unwrap().status(), 404);
    // An application's emojis have no events.
    let mut names = bot.names_until("MESSAGE_CREATE").await;
    bot.post(&format!("{}/messages", bot.channel("general")), json!({ "content": "now" })).await;
    names.extend(bot.names_until("MESSAGE_CREATE").await);
    assert!(!names.iter().any(|name| name == "GUILD_EMOJIS_UPDATE"), "{names:?}");
}

#[tokio::test]
async fn an_application_has_two_thousand_emojis() {
    let bot = Bot::start().await;
    let path = format!("/applications/{}/emojis", bot.sandbox.bot_id());
    let body = json!({ "name": "ab", "image": dot() });
    let make = || bot.call(Method::POST, &path, &body);
    for _ in 0..200 {
        let ten = futures_util::future::join_all((0..10).map(|_| make())).await;
        assert!(ten.iter().all(|(status, _)| *status == 201));
    }
    let (status, error) = make().await;
    assert_eq!((status, &error["code"]), (400, &json!(30008)));
    assert_eq!(error["message"], "Maximum number of emojis reached (2000)");
}

#[tokio::test]
async fn a_guilds_emojis_are_limited_by_its_boosts_and_written_down() {
    let mut bot = Bot::start().await;
    let path = format!("{}/emojis", bot.guild());
    let body = json!({ "name": "ab", "image": dot() });
    let first = bot.expect(201, Method::POST, &path, &body).await;
    assert_eq!(bot.names_until("GUILD_AUDIT_LOG_ENTRY_CREATE").await, ["GUILD_EMOJIS_UPDATE"]);
    for _ in 1..50 {
        bot.expect(201, Method::POST, &path, &body).await;
    }
    let (status, error) = bot.call(Method::POST, &path, &body).await;
    assert_eq!((status, &error["code"]), (400, &json!(30008)));
    let gif = json!({ "name": "gif", "image": "data:image/gif;base64,R0lGODlhAQABAAAAADs=" });
    let gif = bot.expect(201, Method::POST, &path, &gif).await;
    assert_eq!(gif["animated"], true);
    bot.user.edit_guild("Sandbox", &json!({ "boosts": 2 })).await.unwrap();
    bot.event("GUILD_UPDATE").await;
    let last = bot.expect(201, Method::POST, &path, &body).await;
    for (boosts, available) in [(0, false), (2, true)] {
        bot.user.edit_guild("Sandbox", &json!({ "boosts": boosts })).await.unwrap();
        bot.event("GUILD_UPDATE").await;
        let emojis = bot.event("GUILD_EMOJIS_UPDATE").await["emojis"].clone();
        let of = |id: &Value| {
            emojis.as_array().unwrap().iter().find(|emoji| emoji["id"] == *id).unwrap()["available"].clone()
        };
        assert_eq!(
            (of(&last["id"]), of(&first["id"]), of(&gif["id"])),
            (json!(available), json!(true), json!(true))
        );
        assert_eq!(bot.get(&format!("{path}/{}", text(&last["id"]))).await["available"], available);
    }

    let one = format!("{path}/{}", text(&first["id"]));
    bot.expect(200, Method::PATCH, &one, &json!({ "name": "cd" })).await;
    bot.expect(200, Method::PATCH, &one, &json!({ "name": "cd" })).await;
    bot.expect(204, Method::DELETE, &one, &Value::Null).await;
    let log = bot.get(&format!("{}/audit-logs?limit=2", bot.guild())).await;
    let entries: Vec<_> = log["audit_log_entries"].as_array().unwrap().iter().collect();
    assert_eq!((&entries[0]["action_type"], &entries[0]["target_id"]), (&json!(62), &first["id"]));
    assert_eq!(entries[0]["changes"], json!([{ "key": "name", "old_value": "cd" }]));
    assert_eq!(entries[1]["action_type"], 61);
    assert_eq!(entries[1]["changes"], json!([{ "key": "name", "old_value": "ab", "new_value": "cd" }]));
}

#[tokio::test]
async fn a_sticker_is_made_changed_and_deleted_and_everyone_hears() {
    let mut bot = Bot::start().await;
    let made = create(&bot, "hello").await;
    assert_eq!((&made["format_type"], &made["type"]), (&json!(1), &json!(2)));
    assert_eq!((&made["description"], &made["available"]), (&Value::Null, &json!(true)));
    let event = bot.event("GUILD_STICKERS_UPDATE").await;
    assert_eq!((&event["stickers"], &event["guild_id"]), (&json!([made]), &json!(bot.sandbox.guild_id())));
    let entry = bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await;
    assert_eq!((&entry["action_type"], &entry["target_id"]), (&json!(90), &made["id"]));
    assert!(entry["changes"].as_array().unwrap().contains(&json!({ "key": "name", "new_value": "hello" })));

    let path = format!("{}/stickers", bot.guild());
    let one = format!("{path}/{}", text(&made["id"]));
    assert_eq!(bot.get(&one).await, made);
    assert_eq!(bot.get(&path).await, json!([made]));
    let mut anonymous = made.clone();
    anonymous.as_object_mut().unwrap().remove("user");
    assert_eq!(bot.get(&format!("/stickers/{}", text(&made["id"]))).await, anonymous);
    assert_eq!(bot.get(&bot.guild()).await["stickers"], json!([anonymous]));
    let file = format!("{}/stickers/{}.png", bot.sandbox.url(), text(&made["id"]));
    assert_eq!(reqwest::get(&file).await.unwrap().bytes().await.unwrap(), bytes());

    let change = json!({ "name": "bye", "description": "leaving" });
    let changed = bot.expect(200, Method::PATCH, &one, &change).await;
    assert_eq!(bot.event("GUILD_STICKERS_UPDATE").await["stickers"], json!([changed]));
    let entry = bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await;
    let changes = json!([{ "key": "name", "old_value": "hello", "new_value": "bye" },
        { "key": "description", "new_value": "leaving" }]);
    assert_eq!((&entry["action_type"], &entry["changes"]), (&json!(91), &changes));
    // What changes nothing is no change.
    bot.expect(200, Method::PATCH, &one, &change).await;
    bot.expect(204, Method::DELETE, &one, &Value::Null).await;
    assert_eq!(bot.event("GUILD_STICKERS_UPDATE").await["stickers"], json!([]));
    assert_eq!(bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await["action_type"], 92);
    for (method, path) in [
        (Method::GET, &one),
        (Method::PATCH, &one),
        (Method::DELETE, &one),
        (Method::GET, &"/stickers/1".to_owned()),
    ] {
        assert_eq!(bot.call(method, path, &json!({})).await.1["code"], 10060);
    }
    assert_eq!(bot.call(Method::GET, "/sticker-packs/1", &Value::Null).await.1["code"], 10061);
}

#[tokio::test]
async fn a_sticker_that_discord_would_not_take_is_refused() {
    let bot = Bot::start().await;
    let path = format!("{}/stickers", bot.guild());
    for (form, code) in [
        (sticker("a", bytes()), 50035),
        (Form::new().text("name", "ab").text("tags", "t"), 50035),
        (sticker("ab", b"{}".to_vec()), 170_001),
        (sticker("ab", lottie()), 50046),
        (sticker("ab", vec![0; (512 << 10) + 1]), 50045),
    ] {
        assert_eq!(bot.upload(Method::POST, &path, form).await.1["code"], code);
    }
    bot.user.edit_guild("Sandbox", &json!({ "boosts": 0, "add_features": ["VERIFIED"] })).await.unwrap();
    let (status, made) = bot.upload(Method::POST, &path, sticker("ab", lottie())).await;
    assert_eq!((status, &made["format_type"]), (201, &json!(3)));
    for _ in 1..5 {
        create(&bot, "ab").await;
    }
    let (_, error) = bot.upload(Method::POST, &path, sticker("ab", bytes())).await;
    assert_eq!(
        (&error["code"], &error["message"]),
        (&json!(30039), &json!("Maximum number of stickers reached (5)"))
    );
}

#[tokio::test]
async fn stickers_that_boosts_no_longer_pay_for_cannot_be_sent() {
    let mut bot = Bot::start().await;
    bot.user.edit_guild("Sandbox", &json!({ "boosts": 2 })).await.unwrap();
    let guild = bot.event("GUILD_UPDATE").await;
    assert_eq!((&guild["premium_tier"], &guild["premium_subscription_count"]), (&json!(1), &json!(2)));
    let mut last = Value::Null;
    for _ in 0..6 {
        last = create(&bot, "ab").await;
        bot.event("GUILD_STICKERS_UPDATE").await;
    }
    let messages = format!("{}/messages", bot.channel("general"));
    let body = json!({ "sticker_ids": [last["id"]] });
    bot.post(&messages, body.clone()).await;
    bot.user.edit_guild("Sandbox", &json!({ "boosts": 1 })).await.unwrap();
    let stickers = bot.event("GUILD_STICKERS_UPDATE").await["stickers"].clone();
    let available: Vec<bool> =
        stickers.as_array().unwrap().iter().map(|sticker| sticker["available"].as_bool().unwrap()).collect();
    assert_eq!(available, [true, true, true, true, true, false]);
    assert_eq!(bot.call(Method::POST, &messages, &body).await.1["code"], 50081);
}

#[tokio::test]
async fn a_message_has_up_to_three_stickers_and_keeps_them() {
    let mut bot = Bot::start().await;
    let made = create(&bot, "hello").await;
    let pack = bot.get("/sticker-packs").await["sticker_packs"][0].clone();
    assert_eq!(bot.get(&format!("/sticker-packs/{}", text(&pack["id"]))).await, pack);
    let banner = format!("{}/app-assets/710982414301790216/store/", bot.sandbox.url());
    let served = reqwest::get(format!("{banner}{}.png", text(&pack["banner_asset_id"]))).await.unwrap();
    assert_eq!(served.headers()["content-type"], "image/png");
    assert!(served.bytes().await.unwrap().starts_with(b"\x89PNG"));
    assert_eq!(reqwest::get(format!("{banner}1.png")).await.unwrap().status(), 404);
    let standard = &pack["stickers"][0];
    assert_eq!(&bot.get(&format!("/stickers/{}", text(&standard["id"]))).await, standard);
    let drawing = format!("{}/stickers/{}.json", bot.sandbox.url(), text(&standard["id"]));
    assert_eq!(reqwest::get(drawing).await.unwrap().json::<Value>().await.unwrap()["w"], 320);

    let messages = format!("{}/messages", bot.channel("general"));
    let sent = bot.post(&messages, json!({ "sticker_ids": [made["id"], standard["id"]] })).await;
    let items = json!([{ "id": made["id"], "name": "hello", "format_type": 1 },
        { "id": standard["id"], "name": standard["name"], "format_type": 3 }]);
    assert_eq!(sent["sticker_items"], items);
    assert_eq!(bot.event("MESSAGE_CREATE").await["sticker_items"], items);
    // An edit leaves them, and they are content enough.
    let one = format!("{messages}/{}", text(&sent["id"]));
    let edited = bot.expect(200, Method::PATCH, &one, &json!({ "content": "" })).await;
    assert_eq!(edited["sticker_items"], items);
    let forward = json!({ "message_reference":
        { "type": 1, "channel_id": sent["channel_id"], "message_id": sent["id"] } });
    let forward = bot.unjudged(Method::POST, &messages, &forward).await;
    assert_eq!(forward["message_snapshots"][0]["message"]["sticker_items"], items);

    for (ids, code) in [
        (json!([standard["id"], pack["stickers"][1]["id"], pack["stickers"][2]["id"], made["id"]]), 50035),
        (json!([made["id"], made["id"]]), 50035),
        (json!(["1"]), 50081),
    ] {
        let (status, error) = bot.call(Method::POST, &messages, &json!({ "sticker_ids": ids })).await;
        assert_eq!((status, &error["code"]), (400, &json!(code)), "{ids}");
    }
    // Another guild's stickers are its own: bots never send them, people who are there do.
    let second = bot.user.create_guild("Second", "bob").await.unwrap();
    let general = second["system_channel_id"].clone();
    let there = format!("/channels/{}/messages", text(&general));
    let (status, error) = bot.call(Method::POST, &there, &json!({ "sticker_ids": [made["id"]] })).await;
    assert_eq!((status, &error["code"]), (403, &json!(50600)));
    let id = crate::api::bot::id(&made["id"]);
    let seen = bot.user.send_stickers("bob", text(&general), "", &[id]).await.unwrap();
    assert_eq!(seen["sticker_items"][0]["id"], made["id"]);
}
