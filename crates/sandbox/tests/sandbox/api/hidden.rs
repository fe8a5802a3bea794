//! Channels that a bot does not see: what it gets of them, and what when access comes or goes.

use reqwest::Method;
use serde_json::{Value, json};

use crate::api::bot::{Bot, text};

const OBFUSCATED: u64 = 1 << 17;
const VIEW_CHANNEL: &str = "1024";

/// Starts a bot that is no administrator but may manage channels and roles, and sees every channel but `mod-log`.
async fn plain() -> Bot {
    let mut bot = Bot::start().await;
    let manages = json!({ "deny": ["ADMINISTRATOR"], "allow": ["MANAGE_CHANNELS", "MANAGE_ROLES"] });
    role(&bot, manages).await;
    let hidden = bot.event("CHANNEL_UPDATE").await;
    assert_eq!(hidden["id"], id_of(&bot, "mod-log"));
    bot
}

async fn role(bot: &Bot, change: Value) {
    let guild = bot.sandbox.guild_id().to_string();
    bot.user.edit_role(&guild, "Sandbot", &change).await.unwrap();
}

async fn overwrite(bot: &Bot, channel: &str, who: &str, change: Value) {
    let guild = bot.sandbox.guild_id().to_string();
    bot.user.edit_overwrite(&guild, channel, who, &change).await.unwrap();
}

fn id_of(bot: &Bot, channel: &str) -> String {
    bot.sandbox.channel_id(channel).unwrap().to_string()
}

fn is_hidden(channel: &Value) -> bool {
    let hidden = channel["name"] == "___hidden___";
    assert_eq!(channel["flags"].as_u64().unwrap() & OBFUSCATED != 0, hidden, "{channel}");
    hidden
}

/// Returns the ids and whether they are hidden, of the CHANNEL_UPDATEs up to a marker.
async fn updates(bot: &mut Bot) -> Vec<(String, bool)> {
    bot.user.send("alice", "general", "marker").await.unwrap();
    let mut found = Vec::new();
    for event in bot.events_until("MESSAGE_CREATE").await {
        if event["t"] == "CHANNEL_UPDATE" {
            found.push((text(&event["d"]["id"]).to_owned(), is_hidden(&event["d"])));
        }
    }
    found
}

#[tokio::test]
async fn a_hidden_channel_has_only_its_id_type_position_and_category() {
    let mut bot = plain().await;
    let guild = bot.sandbox.guild_id().to_string();
    let secret = id_of(&bot, "mod-log");
    let topic = json!({ "topic": "plans", "nsfw": true, "rate_limit_per_user": 5 });
    bot.user.edit_channel(&guild, "mod-log", &topic).await.unwrap();
    let shown = bot.event("CHANNEL_UPDATE").await;
    assert!(is_hidden(&shown));
    let parent = bot.get(&bot.channel("general")).await["parent_id"].clone();
    assert_eq!((&shown["id"], &shown["type"], &shown["parent_id"]), (&json!(secret), &json!(0), &parent));
    assert_eq!(shown["position"], 3);
    assert_eq!((&shown["topic"], &shown["nsfw"]), (&Value::Null, &json!(false)));
    assert_eq!((&shown["rate_limit_per_user"], &shown["last_message_id"]), (&json!(0), &Value::Null));
    let everyone = json!([{ "id": guild, "type": 0, "allow": "0", "deny": VIEW_CHANNEL }]);
    assert_eq!(shown["permission_overwrites"], everyone);

    // Nothing else happens there for this bot.
    bot.user.send("alice", "mod-log", "among us").await.unwrap();
    bot.user.send("alice", "general", "marker").await.unwrap();
    assert_eq!(bot.event("MESSAGE_CREATE").await["content"], "marker");

    let created = json!({ "name": "vault", "type": 0, "parent": "Text channels" });
    bot.user.create_channel(&guild, &created).await.unwrap();
    assert!(!is_hidden(&bot.event("CHANNEL_CREATE").await));
    overwrite(&bot, "vault", "@everyone", json!({ "deny": ["VIEW_CHANNEL"] })).await;
    let vault = bot.event("CHANNEL_UPDATE").await;
    assert!(is_hidden(&vault));
    let (status, answer) = bot.call(Method::GET, &bot.channel("vault"), &Value::Null).await;
    assert_eq!((status, &answer["code"]), (403, &json!(50001)));
    role(&bot, json!({ "allow": ["ADMINISTRATOR"] })).await;
    let path = bot.channel("vault");
    role(&bot, json!({ "deny": ["ADMINISTRATOR"] })).await;
    updates(&mut bot).await;
    bot.sandbox.discord().lock().delete_channel(vault["id"].as_str().unwrap().parse().unwrap()).unwrap();
    assert!(is_hidden(&bot.event("CHANNEL_DELETE").await));
    let (status, answer) = bot.call(Method::GET, &path, &Value::Null).await;
    assert_eq!((status, &answer["code"]), (404, &json!(10003)));
}

#[tokio::test]
async fn lists_leave_hidden_channels_out_and_guild_create_has_them_without_names() {
    let bot = plain().await;
    let listed = bot.get(&format!("{}/channels", bot.guild())).await;
    let names: Vec<&str> = listed.as_array().unwrap().iter().map(|channel| text(&channel["name"])).collect();
    assert_eq!(names, ["Text channels", "general", "bot-test", "Voice channels", "Lounge"]);

    let mut second = bot.second_session().await;
    let guild = second.event("GUILD_CREATE").await;
    let channels = guild["channels"].as_array().unwrap();
    let hidden: Vec<&Value> = channels.iter().filter(|channel| is_hidden(channel)).collect();
    assert_eq!(hidden.len(), 1);
    assert_eq!(hidden[0]["id"], id_of(&bot, "mod-log"));
    assert!(hidden[0].get("guild_id").is_none());
    assert_eq!(channels.len(), 6);
}

#[tokio::test]
async fn access_comes_and_goes_by_roles_overwrites_and_guild_permissions() {
    let mut bot = plain().await;
    let (guild, secret) = (bot.sandbox.guild_id().to_string(), id_of(&bot, "mod-log"));
    let both = |hidden| vec![(secret.clone(), hidden)];

    // The bot's roles: Moderator sees the channel.
    let me = bot.sandbox.bot_id().to_string();
    bot.user.edit_member(&guild, &me, &json!({ "roles": ["Sandbot", "Moderator"] })).await.unwrap();
    assert_eq!(updates(&mut bot).await, both(false));
    bot.user.edit_member(&guild, &me, &json!({ "roles": ["Sandbot"] })).await.unwrap();
    assert_eq!(updates(&mut bot).await, both(true));
    // Another member's roles do not matter.
    bot.user.edit_member(&guild, "carol", &json!({ "roles": ["Moderator"] })).await.unwrap();
    assert_eq!(updates(&mut bot).await, []);

    // The channel's overwrites: one event, in the form for what is true now.
    overwrite(&bot, "mod-log", "Sandbot", json!({ "allow": ["VIEW_CHANNEL"] })).await;
    assert_eq!(updates(&mut bot).await, both(false));
    overwrite(&bot, "mod-log", "Sandbot", json!({ "inherit": ["VIEW_CHANNEL"] })).await;
    assert_eq!(updates(&mut bot).await, both(true));

    // The guild's permissions: all channels, and their categories. `general` is kept for the marker.
    overwrite(&bot, "general", "Sandbot", json!({ "allow": ["VIEW_CHANNEL"] })).await;
    updates(&mut bot).await;
    role(&bot, json!({ "allow": ["ADMINISTRATOR"] })).await;
    assert_eq!(updates(&mut bot).await, both(false));
    role(&bot, json!({ "deny": ["ADMINISTRATOR", "VIEW_CHANNEL"] })).await;
    assert_eq!(updates(&mut bot).await, both(true));
    bot.user.edit_role(&guild, "@everyone", &json!({ "deny": ["VIEW_CHANNEL"] })).await.unwrap();
    let gone = ["bot-test", "Voice channels", "Lounge"].map(|name| (id_of(&bot, name), true));
    // The category of `general` stays, since a channel in it is seen.
    assert_eq!(updates(&mut bot).await, gone);
    let category = bot.channel("Text channels");
    assert_eq!(bot.get(&category).await["name"], "Text channels");

    // A role that is deleted, and an owner who sees everything.
    let seer = json!({ "name": "Seer", "permissions": VIEW_CHANNEL });
    bot.user.create_role(&guild, &seer).await.unwrap();
    bot.user.edit_member(&guild, &me, &json!({ "roles": ["Sandbot", "Seer"] })).await.unwrap();
    let back = ["bot-test", "Voice channels", "Lounge"].map(|name| (id_of(&bot, name), false));
    assert_eq!(updates(&mut bot).await, back);
    let seer = {
        let mut live = bot.sandbox.discord().lock();
        let id = bot.sandbox.guild_id();
        let role = live.guilds[&id].roles.values().find(|role| role.name == "Seer").unwrap().id;
        live.delete_role(id, role);
        role
    };
    assert_ne!(seer, bot.sandbox.guild_id());
    assert_eq!(updates(&mut bot).await, gone);
}

#[tokio::test]
async fn a_category_is_seen_while_any_channel_in_it_is() {
    let mut bot = plain().await;
    let guild = bot.sandbox.guild_id().to_string();
    bot.user.create_channel(&guild, &json!({ "name": "Staff", "type": 4 })).await.unwrap();
    overwrite(&bot, "Staff", "@everyone", json!({ "deny": ["VIEW_CHANNEL"] })).await;
    let staff = id_of(&bot, "Staff");
    assert_eq!(updates(&mut bot).await, [(staff.clone(), true)]);

    let room = json!({ "name": "room", "type": 0, "parent": "Staff" });
    bot.user.create_channel(&guild, &room).await.unwrap();
    assert!(!is_hidden(&bot.event("CHANNEL_CREATE").await));
    assert_eq!(updates(&mut bot).await, [(staff.clone(), false)]);

    overwrite(&bot, "room", "@everyone", json!({ "deny": ["VIEW_CHANNEL"] })).await;
    let room = id_of(&bot, "room");
    assert_eq!(updates(&mut bot).await, [(room.clone(), true), (staff.clone(), true)]);
    overwrite(&bot, "room", "@everyone", json!({ "inherit": ["VIEW_CHANNEL"] })).await;
    assert_eq!(updates(&mut bot).await, [(room.clone(), false), (staff.clone(), false)]);
    bot.expect(200, Method::DELETE, &format!("/channels/{room}"), &Value::Null).await;
    assert_eq!(updates(&mut bot).await, [(staff, true)]);
}

#[tokio::test]
async fn a_bot_in_voice_sees_the_channel_that_it_is_in() {
    let mut bot = plain().await;
    let (guild, lounge) = (bot.sandbox.guild_id(), bot.sandbox.channel_id("Lounge").unwrap());
    overwrite(&bot, "Lounge", "@everyone", json!({ "deny": ["VIEW_CHANNEL"] })).await;
    assert_eq!(updates(&mut bot).await[0], (lounge.to_string(), true));
    // Somebody moves it there from a channel that it does see.
    let other = json!({ "name": "Hall", "type": 2 });
    bot.user.create_channel(&guild.to_string(), &other).await.unwrap();
    let hall = bot.sandbox.channel_id("Hall").unwrap();
    let me = bot.sandbox.bot_id();
    let join = sandbox::gateway::VoiceStateUpdate {
        guild_id: guild,
        channel_id: Some(hall),
        self_mute: false,
        self_deaf: false,
    };
    let session = "s".repeat(32);
    bot.sandbox.discord().lock().ask_voice(me, &session, &join);
    updates(&mut bot).await;
    bot.sandbox.discord().lock().move_voice(guild, me, Some(lounge)).unwrap();
    let seen = updates(&mut bot).await;
    assert_eq!(seen.first(), Some(&(lounge.to_string(), false)), "{seen:?}");
    assert_eq!(bot.get(&format!("/channels/{lounge}")).await["name"], "Lounge");
    bot.sandbox.discord().lock().move_voice(guild, me, None).unwrap();
    assert!(updates(&mut bot).await.contains(&(lounge.to_string(), true)));
}

#[tokio::test]
async fn interactions_are_not_obfuscated() {
    let mut bot = plain().await;
    let option = json!({ "type": 7, "name": "where", "description": "d", "required": true });
    bot.register(json!({ "name": "look", "description": "d", "options": [option] })).await;
    let secret = id_of(&bot, "mod-log");
    let run = sandbox::client::Run::typed("/look where:mod-log").by("alice").at("mod-log");
    let user = bot.user.clone();
    let (interaction, _) =
        bot.answers(user.run(run), json!({ "type": 4, "data": { "content": "ok" } })).await;
    assert_eq!(interaction["channel"]["name"], "mod-log");
    assert_eq!(interaction["data"]["resolved"]["channels"][&secret]["name"], "mod-log");
}

#[tokio::test]
async fn a_bot_added_to_a_private_thread_gets_it_and_hears_of_its_removal() {
    let mut bot = plain().await;
    role(&bot, json!({ "deny": ["MANAGE_CHANNELS", "MANAGE_THREADS"] })).await;
    let (guild, general) = (bot.sandbox.guild_id(), bot.sandbox.channel_id("general").unwrap());
    let me = bot.sandbox.bot_id();
    let alice = bot.sandbox.user_id("alice").unwrap();
    let thread = {
        let mut live = bot.sandbox.discord().lock();
        let settings =
            sandbox::validate::channel::thread_create(&json!({ "name": "aside", "type": 12 })).unwrap();
        live.open_thread(general, None, 12, alice, settings).unwrap()
    };
    bot.sandbox.discord().lock().join_thread(thread, me).unwrap();
    let made = bot.event("THREAD_CREATE").await;
    assert_eq!((&made["name"], &made["member"]["user_id"]), (&json!("aside"), &json!(me)));
    assert!(made.get("newly_created").is_none());
    assert_eq!(bot.event("THREAD_MEMBERS_UPDATE").await["added_members"][0]["user_id"], json!(me));
    bot.sandbox.discord().lock().leave_thread(thread, me).unwrap();
    let gone = bot.event("THREAD_MEMBERS_UPDATE").await;
    assert_eq!((&gone["removed_member_ids"], &gone["guild_id"]), (&json!([me]), &json!(guild)));
    bot.user.send("alice", &thread.to_string(), "alone").await.unwrap();
    assert_eq!(updates(&mut bot).await, []);
}
