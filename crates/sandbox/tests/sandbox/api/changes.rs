//! What Discord's change log of 2025 and 2026 announced, where no other test has it.

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::api::bot::{Bot, text};

const PNG: &str = "data:image/png;base64,iVBORw0KGgo=";

#[tokio::test]
async fn a_bot_sets_its_own_avatar_banner_and_bio_in_a_guild() {
    let mut bot = Bot::start().await;
    let path = format!("{}/members/@me", bot.guild());
    let body = json!({ "nick": "Robo", "avatar": PNG, "banner": PNG, "bio": "I sort things." });
    let set = bot.expect(200, Method::PATCH, &path, &body).await;
    assert_eq!(set["nick"], "Robo");
    assert!(set["avatar"].is_string() && set["banner"].is_string());
    let event = bot.event("GUILD_MEMBER_UPDATE").await;
    assert_eq!((&event["avatar"], &event["banner"]), (&set["avatar"], &set["banner"]));
    let entry = bot.event("GUILD_AUDIT_LOG_ENTRY_CREATE").await;
    assert_eq!(
        (&entry["action_type"], &entry["changes"]),
        (&json!(24), &json!([{ "key": "nick", "new_value": "Robo" }]))
    );
    let bio = |bot: &Bot| {
        let live = bot.sandbox.discord().lock();
        live.member(bot.sandbox.guild_id(), bot.sandbox.bot_id()).unwrap().bio.clone()
    };
    assert_eq!(bio(&bot).as_deref(), Some("I sort things."));

    // An absent field stays, null clears; only CHANGE_NICKNAME is a permission, and only for the nickname.
    let set = bot.expect(200, Method::PATCH, &path, &json!({ "avatar": null, "bio": "" })).await;
    assert_eq!((&set["avatar"], &set["banner"]), (&Value::Null, &event["banner"]));
    assert_eq!(bio(&bot), None);
    let guild = bot.sandbox.guild_id().to_string();
    let deny = json!({ "deny": ["CHANGE_NICKNAME", "ADMINISTRATOR"] });
    for role in ["@everyone", "Sandbot"] {
        bot.user.edit_role(&guild, role, &deny).await.unwrap();
    }
    bot.expect(200, Method::PATCH, &path, &json!({ "bio": "still" })).await;
    let (status, answer) = bot.call(Method::PATCH, &path, &json!({ "nick": "x" })).await;
    assert_eq!((status, &answer["code"]), (403, &json!(50013)));
    for (field, wrong) in [
        ("avatar", json!("picture.png")),
        ("banner", json!(5)),
        ("bio", json!("b".repeat(191))),
        ("nick", json!("n".repeat(33))),
    ] {
        let (status, answer) = bot.call(Method::PATCH, &path, &json!({ field: wrong })).await;
        assert_eq!((status, &answer["code"]), (400, &json!(50035)), "{answer}");
        assert!(answer["errors"][field]["_errors"][0]["code"].is_string(), "{answer}");
    }
}

#[tokio::test]
async fn descriptions_and_spoilers_of_attachments_can_be_edited() {
    let mut bot = Bot::start().await;
    let messages = format!("{}/messages", bot.channel("general"));
    let file = |name: &str| Part::bytes(b"a".to_vec()).file_name(name.to_owned());
    let body = json!({ "attachments": [{ "id": 0, "description": "first" }, { "id": 1 }] });
    let form = Form::new().part("files[0]", file("a.txt")).part("files[1]", file("SPOILER_b.txt"));
    let (_, sent) = bot.upload(Method::POST, &messages, form.text("payload_json", body.to_string())).await;
    let [first, second] = [&sent["attachments"][0], &sent["attachments"][1]];
    assert_eq!((&first["flags"], &second["flags"]), (&json!(0), &json!(8)));

    let path = format!("{messages}/{}", text(&sent["id"]));
    let kept = json!([
        { "id": first["id"], "is_spoiler": true },
        { "id": second["id"], "description": "second", "is_spoiler": false },
    ]);
    let edited = bot.expect(200, Method::PATCH, &path, &json!({ "attachments": kept })).await;
    let [first, second] = [&edited["attachments"][0], &edited["attachments"][1]];
    assert_eq!((&first["flags"], &first["description"]), (&json!(8), &json!("first")));
    assert_eq!((&second["flags"], &second["description"]), (&json!(0), &json!("second")));
    assert_eq!(bot.event("MESSAGE_UPDATE").await["attachments"], edited["attachments"]);

    let cleared = json!([{ "id": first["id"], "description": null }]);
    let edited = bot.expect(200, Method::PATCH, &path, &json!({ "attachments": cleared })).await;
    assert_eq!(edited["attachments"].as_array().unwrap().len(), 1);
    assert!(edited["attachments"][0].get("description").is_none());
    assert_eq!(edited["attachments"][0]["flags"], 8);
}

fn forward(message: &Value) -> Value {
    let reference = json!({ "type": 1, "message_id": message["id"], "channel_id": message["channel_id"] });
    json!({ "message_reference": reference })
}

#[tokio::test]
async fn a_forward_is_a_copy_that_stays_as_it_was() {
    let bot = Bot::start().await;
    let bob = bot.sandbox.user_id("bob").unwrap();
    let said = bot.user.send("alice", "general", &format!("hello <@{bob}>")).await.unwrap();
    let target = format!("{}/messages", bot.channel("bot-test"));
    let sent = bot.unjudged(Method::POST, &target, &forward(&said)).await;
    assert_eq!(sent["flags"].as_u64().unwrap() & 1 << 14, 1 << 14);
    assert_eq!(sent["message_reference"]["type"], 1);
    assert_eq!(sent["content"], "");
    let snapshot = &sent["message_snapshots"][0]["message"];
    assert_eq!(snapshot["content"], format!("hello <@{bob}>"));
    assert_eq!(snapshot["mentions"][0]["id"], bob.to_string());
    assert!(snapshot.get("author").is_none());

    let id = text(&said["id"]).parse().unwrap();
    bot.user.edit("alice", id, "changed").await.unwrap();
    let stored = format!("{target}/{}", text(&sent["id"]));
    let again = bot.unjudged(Method::GET, &stored, &Value::Null).await;
    assert_eq!(again["message_snapshots"], sent["message_snapshots"]);

    // A forward of a forward has one snapshot, not one in another.
    let twice = bot.unjudged(Method::POST, &target, &forward(&sent)).await;
    assert_eq!(twice["message_snapshots"], sent["message_snapshots"]);
}

#[tokio::test]
async fn what_cannot_be_read_or_is_no_plain_message_is_not_forwarded() {
    let mut bot = Bot::start().await;
    let (general, target) = (bot.channel("general"), format!("{}/messages", bot.channel("bot-test")));
    let refused = async |bot: &Bot, body: Value, status: u16, code: u64| {
        let (got, answer) = bot.call(Method::POST, &target, &body).await;
        assert_eq!((got, &answer["code"]), (status, &json!(code)), "{answer}");
        answer
    };
    let poll = json!({ "question": { "text": "tea?" }, "answers": [{ "poll_media": { "text": "yes" } }] });
    let poll = bot.post(&format!("{general}/messages"), json!({ "poll": poll })).await;
    refused(&bot, forward(&poll), 400, 50035).await;

    let said = bot.user.send("alice", "general", "news").await.unwrap();
    let pin = format!("{general}/messages/pins/{}", text(&said["id"]));
    bot.expect(204, Method::PUT, &pin, &Value::Null).await;
    let notice = loop {
        let message = bot.event("MESSAGE_CREATE").await;
        if message["type"] == 6 {
            break message;
        }
    };
    refused(&bot, forward(&notice), 400, 50035).await;
    let reply = json!({ "content": "a", "message_reference": { "message_id": notice["id"] } });
    let (status, answer) = bot.call(Method::POST, &format!("{general}/messages"), &reply).await;
    let code = &answer["errors"]["message_reference"]["_errors"][0]["code"];
    assert_eq!((status, code), (400, &json!("REPLIES_CANNOT_REPLY_TO_SYSTEM_MESSAGE")));

    // Without access to content: not another's message, but the bot's own.
    bot.user.edit_intents("Sandbot", &json!({ "disable": ["MESSAGE_CONTENT"] })).await.unwrap();
    let answer = refused(&bot, forward(&said), 400, 160_014).await;
    assert_eq!(answer["message"], "You cannot forward a message whose content you cannot read");
    let own = bot.post(&format!("{general}/messages"), json!({ "content": "mine" })).await;
    let copy = bot.unjudged(Method::POST, &target, &forward(&own)).await;
    assert_eq!(copy["message_snapshots"][0]["message"]["content"], "mine");

    // Without access to the channel, and without its history.
    let guild = bot.sandbox.guild_id().to_string();
    bot.user.edit_role(&guild, "Sandbot", &json!({ "deny": ["ADMINISTRATOR"] })).await.unwrap();
    let deny = json!({ "deny": ["READ_MESSAGE_HISTORY"] });
    bot.user.edit_overwrite(&guild, "bot-test", "@everyone", &deny).await.unwrap();
    let here = bot.user.send("alice", "bot-test", "here").await.unwrap();
    refused(&bot, json!({ "content": "a", "message_reference": { "message_id": here["id"] } }), 400, 160_002)
        .await;
    bot.user
        .edit_overwrite(&guild, "general", "@everyone", &json!({ "deny": ["VIEW_CHANNEL"] }))
        .await
        .unwrap();
    refused(&bot, forward(&own), 403, 50001).await;
}

#[tokio::test]
async fn resolved_channels_have_the_permissions_of_the_bot() {
    let mut bot = Bot::start().await;
    let option = json!({ "type": 7, "name": "where", "description": "d", "required": true });
    bot.register(json!({ "name": "look", "description": "d", "options": [option] })).await;
    let guild = bot.sandbox.guild_id().to_string();
    bot.user.edit_role(&guild, "Sandbot", &json!({ "deny": ["ADMINISTRATOR"] })).await.unwrap();
    let deny = json!({ "deny": ["SEND_MESSAGES"] });
    bot.user.edit_overwrite(&guild, "general", "Sandbot", &deny).await.unwrap();
    let user = bot.user.clone();
    let run = sandbox::client::Run::typed("/look where:general").by("alice");
    let (interaction, _) =
        bot.answers(user.run(run), json!({ "type": 4, "data": { "content": "ok" } })).await;
    let general = bot.sandbox.channel_id("general").unwrap();
    let channel = &interaction["data"]["resolved"]["channels"][general.to_string()];
    let bits = |field: &str| text(&channel[field]).parse::<u64>().unwrap();
    assert_eq!(bits("app_permissions") & 1 << 11, 0, "SEND_MESSAGES is denied to the bot: {channel}");
    assert_eq!(bits("permissions") & 1 << 11, 1 << 11, "and not to the user: {channel}");
    assert_eq!(bits("app_permissions") & 1 << 10, 1 << 10);

    // A menu of channels, too.
    let menu = json!([{ "type": 1, "components": [{ "type": 8, "custom_id": "m" }] }]);
    let sent = bot
        .post(&format!("{}/messages", bot.channel("bot-test")), json!({ "content": "m", "components": menu }))
        .await;
    let id = text(&sent["id"]).parse().unwrap();
    let choose = user.choose("alice", id, "m", &["general"]);
    let (interaction, _) = bot.answers(choose, json!({ "type": 6 })).await;
    let channel = &interaction["data"]["resolved"]["channels"][general.to_string()];
    assert_eq!(text(&channel["app_permissions"]).parse::<u64>().unwrap() & 1 << 11, 0);
}

#[tokio::test]
async fn an_entry_point_is_handled_by_the_bot_or_by_discord() {
    let mut bot = Bot::start().await;
    let commands = format!("/applications/{}/commands", bot.sandbox.bot_id());
    let launch = json!({ "name": "launch", "type": 4, "handler": 1 });
    let made = bot.expect(201, Method::POST, &commands, &launch).await;
    assert_eq!(made["handler"], 1);
    let user = bot.user.clone();
    let run = || sandbox::client::Run::typed("/launch").by("alice");
    let (interaction, answer) = bot.answers(user.run(run()), json!({ "type": 12 })).await;
    assert_eq!((&interaction["data"]["type"], &interaction["data"]["name"]), (&json!(4), &json!("launch")));
    assert!(answer.activity.is_some());

    let path = format!("{commands}/{}", text(&made["id"]));
    let edited = bot.expect(200, Method::PATCH, &path, &json!({ "handler": 2 })).await;
    assert_eq!(edited["handler"], 2);
    bot.pending();
    let answer = user.run(run()).await.unwrap();
    assert!(answer.is_ok() && answer.activity.is_some(), "{answer:?}");
    assert_eq!(answer.callbacks, 0);
    // A message in the channel is all that the bot gets.
    let message = bot.event("MESSAGE_CREATE").await;
    assert_eq!(message["author"]["id"], bot.sandbox.bot_id().to_string());
    assert_eq!(message["interaction_metadata"]["id"], answer.interaction.to_string());
    bot.user.send("alice", "general", "marker").await.unwrap();
    assert_eq!(bot.names_until("MESSAGE_CREATE").await, Vec::<String>::new());
    let callback = format!("/interactions/{}/{}/callback", answer.interaction, "t");
    assert!(bot.call(Method::POST, &callback, &json!({ "type": 12 })).await.0 >= 400);
}

#[tokio::test]
async fn a_call_has_a_start_time_while_somebody_is_in_it() {
    let mut bot = Bot::start().await;
    let guild = bot.sandbox.guild_id();
    let lounge = bot.sandbox.channel_id("Lounge").unwrap();
    bot.user.enter_voice(&guild.to_string(), "bob", "Lounge").await.unwrap();
    let began = bot.event("VOICE_CHANNEL_START_TIME_UPDATE").await;
    assert_eq!((&began["id"], &began["guild_id"]), (&json!(lounge), &json!(guild)));
    let time = began["voice_start_time"].as_i64().unwrap();
    assert!((0..=120).contains(&(time::OffsetDateTime::now_utc().unix_timestamp() - time)), "{began}");

    let live = bot.sandbox.discord();
    let fields = ["status", "voice_start_time"].map(str::to_owned);
    let info = |fields: &[String]| live.lock().channels[&lounge].info_json(fields);
    assert_eq!(info(&fields), Some(json!({ "id": lounge, "voice_start_time": time })));
    assert_eq!(info(&fields[..1]), None);
    // A second member changes nothing, the last one who leaves ends it.
    let live = bot.sandbox.discord().clone();
    bot.user.enter_voice(&guild.to_string(), "carol", "Lounge").await.unwrap();
    bot.user.leave_voice(&guild.to_string(), "bob").await.unwrap();
    bot.user.leave_voice(&guild.to_string(), "carol").await.unwrap();
    let before = bot.names_until("VOICE_CHANNEL_START_TIME_UPDATE").await;
    assert_eq!(before, ["VOICE_STATE_UPDATE"; 3]);
    assert_eq!(live.lock().channels[&lounge].info_json(&fields), None);
}

#[tokio::test]
async fn users_wait_in_slow_mode_and_bots_do_not() {
    let bot = Bot::start().await;
    let guild = bot.sandbox.guild_id().to_string();
    bot.user.edit_channel(&guild, "general", &json!({ "rate_limit_per_user": 3600 })).await.unwrap();
    bot.user.send("carol", "general", "one").await.unwrap();
    let refused = bot.user.send("carol", "general", "two").await.unwrap_err();
    assert!(refused.to_string().contains("slowmode"), "{refused}");
    bot.user.send("carol", "bot-test", "elsewhere").await.unwrap();
    for content in ["one", "two"] {
        bot.post(&format!("{}/messages", bot.channel("general")), json!({ "content": content })).await;
    }
    // Managing messages does not help any more; the permission for it does.
    let manage = json!({ "allow": ["MANAGE_MESSAGES", "MANAGE_CHANNELS"] });
    bot.user.edit_role(&guild, "@everyone", &manage).await.unwrap();
    assert!(bot.user.send("carol", "general", "two").await.is_err());
    bot.user.edit_role(&guild, "@everyone", &json!({ "allow": ["BYPASS_SLOWMODE"] })).await.unwrap();
    bot.user.send("carol", "general", "two").await.unwrap();
}
