//! The soundboard: sounds made, changed, limited and published, and effects in voice channels.

use reqwest::Method;
use serde_json::{Value, json};

use crate::api::bot::{Bot, text};
use crate::api::expressions;

/// Returns an MP3 of this many frames, 26 ms each.
pub(crate) fn mp3(frames: usize) -> String {
    use base64::Engine;
    let mut frame = vec![0xff, 0xfb, 0x90, 0x00];
    frame.resize(417, 0);
    format!(
        "data:audio/mpeg;base64,{}",
        base64::engine::general_purpose::STANDARD.encode(frame.repeat(frames))
    )
}

fn sound() -> Value {
    json!({ "name": "yay", "sound": mp3(10), "volume": 0.5, "emoji_name": "\u{1f986}" })
}

/// Asks to join the lounge with the bot.
fn ask(bot: &Bot, deaf: bool) {
    let guild = bot.sandbox.guild_id();
    let channel = bot.sandbox.channel_id("Lounge");
    bot.send(4, &json!({ "guild_id": guild, "channel_id": channel, "self_mute": false, "self_deaf": deaf }));
}

/// Moves the bot into the lounge.
async fn enter(bot: &mut Bot, deaf: bool) {
    ask(bot, deaf);
    bot.event("VOICE_STATE_UPDATE").await;
}

#[tokio::test]
async fn a_sound_is_made_changed_and_deleted_and_everyone_hears() {
    let mut bot = Bot::start().await;
    let path = format!("{}/soundboard-sounds", bot.guild());
    assert_eq!(bot.get(&path).await, json!({ "items": [] }));
    let made = bot.expect(201, Method::POST, &path, &sound()).await;
    assert_eq!((&made["volume"], &made["available"]), (&json!(0.5), &json!(true)));
    assert_eq!(bot.event("GUILD_SOUNDBOARD_SOUND_CREATE").await, made);
    let entry = bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await;
    assert_eq!((&entry["action_type"], &entry["target_id"]), (&json!(130), &made["sound_id"]));
    assert!(entry["changes"].as_array().unwrap().contains(&json!({ "key": "volume", "new_value": 0.5 })));
    assert_eq!(bot.get(&path).await["items"], json!([made]));
    let one = format!("{path}/{}", text(&made["sound_id"]));
    assert_eq!(bot.get(&one).await, made);
    let file = format!("{}/soundboard-sounds/{}", bot.sandbox.url(), text(&made["sound_id"]));
    let file = reqwest::get(file).await.unwrap();
    assert_eq!(file.headers()["content-type"], "audio/mpeg");
    assert_eq!(file.bytes().await.unwrap().len(), 4170);

    // Opcode 31 and a new GUILD_CREATE have it, too.
    bot.send(31, &json!({ "guild_ids": [bot.sandbox.guild_id()] }));
    let all = bot.event("SOUNDBOARD_SOUNDS").await;
    assert_eq!(all, json!({ "guild_id": bot.sandbox.guild_id(), "soundboard_sounds": [made] }));
    let bot_id = bot.sandbox.bot_id().to_string();
    bot.user.leave("Sandbox", &bot_id).await.unwrap();
    bot.user.join("Sandbox", &bot_id).await.unwrap();
    assert_eq!(bot.event("GUILD_CREATE").await["soundboard_sounds"], json!([made]));

    let emoji = json!({ "name": "ab", "image": expressions::dot() });
    let emoji = bot.expect(201, Method::POST, &format!("{}/emojis", bot.guild()), &emoji).await;
    bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await;
    let change = json!({ "volume": null, "emoji_id": emoji["id"] });
    let changed = bot.expect(200, Method::PATCH, &one, &change).await;
    assert_eq!((&changed["volume"], &changed["emoji_name"]), (&json!(1.0), &Value::Null));
    assert_eq!(bot.event("GUILD_SOUNDBOARD_SOUND_UPDATE").await, changed);
    let entry = bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await;
    let changes = json!([{ "key": "volume", "old_value": 0.5, "new_value": 1.0 },
        { "key": "emoji_id", "new_value": emoji["id"] }, { "key": "emoji_name", "old_value": "\u{1f986}" }]);
    assert_eq!((&entry["action_type"], &entry["changes"]), (&json!(131), &changes));
    bot.expect(200, Method::PATCH, &one, &change).await;
    bot.expect(204, Method::DELETE, &one, &Value::Null).await;
    let event = bot.event("GUILD_SOUNDBOARD_SOUND_DELETE").await;
    assert_eq!(event, json!({ "sound_id": made["sound_id"], "guild_id": bot.sandbox.guild_id() }));
    assert_eq!(bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await["action_type"], 132);
    for method in [Method::GET, Method::PATCH, Method::DELETE] {
        assert_eq!(bot.call(method, &one, &json!({})).await.1["code"], 10097);
    }
}

#[tokio::test]
async fn a_sound_that_discord_would_not_take_is_refused() {
    let mut bot = Bot::start().await;
    let path = format!("{}/soundboard-sounds", bot.guild());
    for (key, value, code) in [
        ("name", json!("y"), 50035),
        ("volume", json!(2), 50035),
        ("sound", json!("data:audio/mpeg;base64,aGk="), 50123),
        ("sound", json!("aGk="), 50110),
        ("sound", json!(mp3(200)), 50124),
        ("sound", json!("data:audio/ogg;base64,T2dnUw=="), 50192),
        ("emoji_id", json!("1"), 50151),
        ("emoji_name", json!("duck"), 50151),
    ] {
        let mut body = sound();
        body[key] = value;
        let (status, error) = bot.call(Method::POST, &path, &body).await;
        assert_eq!((status, &error["code"]), (400, &json!(code)), "{key}");
    }
    bot.user.edit_guild("Sandbox", &json!({ "boosts": 2 })).await.unwrap();
    for _ in 0..9 {
        bot.expect(201, Method::POST, &path, &sound()).await;
    }
    bot.user.edit_guild("Sandbox", &json!({ "boosts": 0 })).await.unwrap();
    let sounds = bot.event("GUILD_SOUNDBOARD_SOUNDS_UPDATE").await["soundboard_sounds"].clone();
    assert_eq!((&sounds[7]["available"], &sounds[8]["available"]), (&json!(true), &json!(false)));
    let (_, error) = bot.call(Method::POST, &path, &sound()).await;
    assert_eq!(error["code"], 30045);
    // What has no slot any more is not played either.
    enter(&mut bot, false).await;
    let play = format!("{}/send-soundboard-sound", bot.channel("Lounge"));
    for (index, code) in [(7, Value::Null), (8, json!(10097))] {
        let (_, answer) =
            bot.call(Method::POST, &play, &json!({ "sound_id": sounds[index]["sound_id"] })).await;
        assert_eq!(answer["code"], code);
    }
}

#[tokio::test]
async fn a_sound_is_played_by_a_member_who_can_be_heard() {
    let mut bot = Bot::start().await;
    let guild = bot.sandbox.guild_id();
    let play = format!("{}/send-soundboard-sound", bot.channel("Lounge"));
    let quack = json!({ "sound_id": "1" });
    assert_eq!(bot.get("/soundboard-default-sounds").await[0]["name"], "quack");
    assert_eq!(bot.call(Method::POST, &play, &quack).await.1["code"], 40032);
    let general = format!("{}/send-soundboard-sound", bot.channel("general"));
    assert_eq!(bot.call(Method::POST, &general, &quack).await.1["code"], 50024);
    enter(&mut bot, false).await;
    bot.expect(204, Method::POST, &play, &quack).await;
    let mut effect = bot.event("VOICE_CHANNEL_EFFECT_SEND").await;
    let animation = effect.as_object_mut().unwrap().remove("animation_id");
    assert!(animation.is_some_and(|id| id.as_u64().unwrap() < 21), "its emoji is animated, too");
    assert_eq!(
        effect,
        json!({ "channel_id": bot.sandbox.channel_id("Lounge"), "guild_id": guild, "user_id": bot.sandbox.bot_id(),
            "animation_type": 1, "sound_id": 1, "sound_volume": 1.0, "emoji": { "id": null, "name": "\u{1f986}", "animated": false } })
    );
    let (status, error) = bot.call(Method::POST, &play, &json!({})).await;
    assert_eq!((status, error["errors"]["sound_id"].is_object()), (400, true));
    assert_eq!(bot.call(Method::POST, &play, &json!({ "sound_id": "99" })).await.1["code"], 10097);
    // Of another guild it is named with its guild.
    let second = bot.user.create_guild("Second", "bob").await.unwrap();
    let sounds = format!("/guilds/{}/soundboard-sounds", text(&second["id"]));
    let made = bot.expect(201, Method::POST, &sounds, &sound()).await;
    let mut body = json!({ "sound_id": made["sound_id"] });
    assert_eq!(bot.call(Method::POST, &play, &body).await.1["code"], 10097);
    body["source_guild_id"] = second["id"].clone();
    bot.expect(204, Method::POST, &play, &body).await;
    assert_eq!(bot.event("VOICE_CHANNEL_EFFECT_SEND").await["sound_id"], made["sound_id"]);
    // Who is muted by a moderator, or hears nothing, plays nothing.
    let me = bot.sandbox.bot_id().to_string();
    bot.user.edit_member("Sandbox", &me, &json!({ "mute": true })).await.unwrap();
    assert_eq!(bot.call(Method::POST, &play, &quack).await.1["code"], 50167);
    bot.user.edit_member("Sandbox", &me, &json!({ "mute": false })).await.unwrap();
    enter(&mut bot, true).await;
    assert_eq!(bot.call(Method::POST, &play, &quack).await.1["code"], 50167);
}

#[tokio::test]
async fn people_play_sounds_for_those_in_the_same_channel() {
    let mut bot = Bot::start().await;
    let user = bot.user.clone();
    let effect = async |effect: Value| user.send_effect("Sandbox", "bob", &effect).await;
    assert!(effect(json!({ "sound": "1" })).await.is_err(), "bob is not in voice");
    user.enter_voice("Sandbox", "bob", "Lounge").await.unwrap();
    bot.event("VOICE_CHANNEL_START_TIME_UPDATE").await;
    // A bot that is elsewhere does not hear of it.
    effect(json!({ "sound": "1" })).await.unwrap();
    ask(&bot, false);
    assert_eq!(bot.names_until("VOICE_STATE_UPDATE").await, [""; 0]);
    effect(json!({ "emoji": "\u{1f389}" })).await.unwrap();
    let event = bot.event("VOICE_CHANNEL_EFFECT_SEND").await;
    let emoji = json!({ "id": null, "name": "\u{1f389}", "animated": false });
    assert_eq!((&event["emoji"], &event["animation_type"]), (&emoji, &json!(1)));
    assert_eq!(event["user_id"], json!(bot.sandbox.user_id("bob")));
    assert!(effect(json!({})).await.is_err());
    assert!(effect(json!({ "sound": "1", "emoji": "\u{1f389}" })).await.is_err());
    let run = crate::api::cli::command_for(&bot).args(["voice", "effect", "2", "--as", "bob"]).output().await;
    assert!(run.unwrap().status.success());
    assert_eq!(bot.event("VOICE_CHANNEL_EFFECT_SEND").await["sound_id"], 2);
}
