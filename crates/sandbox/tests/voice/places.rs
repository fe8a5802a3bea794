use std::time::Duration;

use reqwest::Method;
use sandbox::Sandbox;
use sandbox::event_log::Event;
use sandbox::gateway;
use serde_json::{Value, json};

use crate::client::End;
use crate::world::{GUILD, World};

const MANAGE_CHANNELS: u64 = 1 << 4;
const VIEW_CHANNEL: u64 = 1 << 10;
const CONNECT: u64 = 1 << 20;
const SPEAK: u64 = 1 << 21;
const MUTE_MEMBERS: u64 = 1 << 22;
const MOVE_MEMBERS: u64 = 1 << 24;
const REQUEST_TO_SPEAK: u64 = 1 << 32;
const SET_VOICE_CHANNEL_STATUS: u64 = 1 << 48;

#[tokio::test]
async fn a_bot_joins_mutes_itself_and_leaves() {
    let mut world = World::start().await;
    let ticket = world.join().await;
    assert_eq!(ticket.session_id, world.bot.session_id);
    let mut client = world.dial(&ticket, 8).await;
    client.identified(&ticket).await;
    let muted = json!({ "guild_id": ticket.guild, "channel_id": world.lounge, "self_mute": true, "self_deaf": false });
    world.bot.send(4, &muted);
    let state = world.bot.event("VOICE_STATE_UPDATE").await;
    assert_eq!((&state["self_mute"], &state["suppress"]), (&json!(true), &json!(false)));
    // The same channel, so no other server, and the connection stays.
    assert_eq!(world.bot.until_now(ticket.guild).await, Vec::<String>::new());
    client.until_ack().await;
    world.bot.ask(ticket.guild, None);
    let state = world.bot.event("VOICE_STATE_UPDATE").await;
    assert_eq!((&state["channel_id"], &state["member"]["user"]["bot"]), (&Value::Null, &json!(true)));
    assert_eq!(client.end().await, End::Close(4014));
}

#[tokio::test]
async fn a_bot_whose_connection_is_gone_asks_again_and_gets_a_server() {
    let mut world = World::start().await;
    let first = world.join().await;
    // It may be part of the first answer.
    assert_eq!(world.join().await.token, first.token);
    let mut client = world.dial(&first, 8).await;
    client.identified(&first).await;
    client.close(4000).await;
    let again = world.join().await;
    assert_ne!(first.token, again.token);
    world.dial(&again, 8).await.identified(&again).await;
}

#[tokio::test]
async fn who_may_not_join_gets_no_answer() {
    let world = World::start().await;
    let guild = world.guild();
    let everyone = json!({ "type": 0, "deny": (CONNECT | SPEAK).to_string(), "allow": "0" });
    let overwrite = format!("/channels/{}/permissions/{guild}", world.lounge);
    assert_eq!(world.bot.call(Method::PUT, &overwrite, &everyone).await, 204);
    let mut plain = world.plain_bot(0).await;
    plain.ask(guild, Some(world.lounge));
    assert_eq!(plain.until_now(guild).await, Vec::<String>::new());
    world.recorded(|event| matches!(event, Event::Note { text, .. } if text.contains("CONNECT"))).await;
    // Text channels and unknown channels cannot be joined.
    plain.ask(guild, world.sandbox.channel_id("general"));
    plain.ask(guild, Some("1".parse().unwrap()));
    assert_eq!(plain.until_now(guild).await, Vec::<String>::new());
    // CONNECT without SPEAK is enough to listen.
    let everyone = json!({ "type": 0, "deny": SPEAK.to_string(), "allow": "0" });
    assert_eq!(world.bot.call(Method::PUT, &overwrite, &everyone).await, 204);
    plain.ask(guild, Some(world.lounge));
    assert_eq!(plain.event("VOICE_STATE_UPDATE").await["suppress"], true);
    plain.event("VOICE_SERVER_UPDATE").await;
}

#[tokio::test]
async fn a_full_channel_takes_only_movers_of_members() {
    let world = World::start().await;
    let guild = world.guild();
    world.control.enter_voice(GUILD, "alice", "Lounge").await.unwrap();
    let limit = json!({ "user_limit": 1 });
    assert_eq!(world.bot.call(Method::PATCH, &format!("/channels/{}", world.lounge), &limit).await, 200);
    let mut plain = world.plain_bot(CONNECT).await;
    plain.ask(guild, Some(world.lounge));
    assert_eq!(plain.until_now(guild).await, Vec::<String>::new());
    let refused = world.control.enter_voice(GUILD, "bob", "Lounge").await.unwrap_err().to_string();
    assert!(refused.contains("full"), "{refused}");
    let mut mover = world.plain_bot(MOVE_MEMBERS).await;
    mover.join(guild, world.lounge).await;
}

#[tokio::test]
async fn a_move_by_a_moderator_closes_the_connection_and_names_a_server() {
    let mut world = World::start().await;
    let moderator = world.another("moderator").await;
    for by_rest in [true, false] {
        let ticket = world.join().await;
        let mut client = world.dial(&ticket, 8).await;
        client.identified(&ticket).await;
        if by_rest {
            let member = format!("/guilds/{}/members/{}", ticket.guild, ticket.user);
            let body = json!({ "channel_id": world.attic });
            assert_eq!(moderator.call(Method::PATCH, &member, &body).await, 200);
        } else {
            world.control.enter_voice(GUILD, &ticket.user.to_string(), "Attic").await.unwrap();
        }
        let moved = world.bot.ticket(ticket.guild, world.attic).await;
        assert_eq!(moved.session_id, ticket.session_id);
        assert_ne!(moved.token, ticket.token);
        assert_eq!(client.end().await, End::Close(4014));
        let mut client = world.dial(&moved, 8).await;
        client.identified(&moved).await;
        client.until_ack().await;
    }
}

#[tokio::test]
async fn a_disconnect_by_a_moderator_closes_the_connection_and_names_no_server() {
    let mut world = World::start().await;
    let moderator = world.another("moderator").await;
    for by_rest in [true, false] {
        let ticket = world.join().await;
        let mut client = world.dial(&ticket, 8).await;
        client.identified(&ticket).await;
        if by_rest {
            let member = format!("/guilds/{}/members/{}", ticket.guild, ticket.user);
            assert_eq!(moderator.call(Method::PATCH, &member, &json!({ "channel_id": null })).await, 200);
            assert_eq!(moderator.call(Method::PATCH, &member, &json!({ "channel_id": null })).await, 400);
        } else {
            world.control.leave_voice(GUILD, &ticket.user.to_string()).await.unwrap();
        }
        assert_eq!(world.bot.event("VOICE_STATE_UPDATE").await["channel_id"], Value::Null);
        assert_eq!(client.end().await, End::Close(4014));
        assert_eq!(world.bot.until_now(ticket.guild).await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_member_without_the_permission_moves_nobody() {
    let mut world = World::start().await;
    let ticket = world.join().await;
    let plain = world.plain_bot(CONNECT).await;
    let member = format!("/guilds/{}/members/{}", ticket.guild, ticket.user);
    assert_eq!(plain.call(Method::PATCH, &member, &json!({ "channel_id": world.attic })).await, 403);
}

#[tokio::test]
async fn the_status_of_a_voice_channel_is_for_those_in_it_or_managers_and_read_by_channel_info() {
    let world = World::start().await;
    let guild = world.guild();
    let path = format!("/channels/{}/voice-status", world.lounge);
    let body = json!({ "status": "Tea" });
    let manager = world.plain_bot(MANAGE_CHANNELS).await;
    assert_eq!(manager.call(Method::PUT, &path, &body).await, 403);
    let manager = world.plain_bot(MANAGE_CHANNELS | SET_VOICE_CHANNEL_STATUS).await;
    assert_eq!(manager.call(Method::PUT, &path, &json!({ "status": "Coffee" })).await, 204);
    let mut plain = world.plain_bot(CONNECT | SET_VOICE_CHANNEL_STATUS).await;
    assert_eq!(plain.call(Method::PUT, &path, &body).await, 403);
    plain.join(guild, world.attic).await;
    assert_eq!(plain.call(Method::PUT, &path, &body).await, 403);
    plain.join(guild, world.lounge).await;
    assert_eq!(plain.call(Method::PUT, &path, &body).await, 204);
    assert_eq!(plain.event("VOICE_CHANNEL_STATUS_UPDATE").await["status"], "Tea");
    plain.send(43, &json!({ "guild_id": guild, "fields": ["status"] }));
    let channels = json!([{ "id": world.lounge, "status": "Tea" }]);
    assert_eq!(plain.event("CHANNEL_INFO").await, json!({ "guild_id": guild, "channels": channels }));
    plain.send(43, &json!({ "guild_id": guild, "fields": ["voice_start_time"] }));
    let info = plain.event("CHANNEL_INFO").await;
    assert_eq!(
        info["channels"].as_array().unwrap().len(),
        1,
        "only the channel in which somebody is: {info}"
    );
    assert_eq!(info["channels"][0]["id"], json!(world.lounge));
    assert!(info["channels"][0]["voice_start_time"].is_i64() && info["channels"][0].get("status").is_none());
    // A channel that a bot does not see has no info for it.
    let everyone = json!({ "type": 0, "deny": VIEW_CHANNEL.to_string() });
    let overwrite = format!("/channels/{}/permissions/{guild}", world.lounge);
    assert_eq!(world.bot.call(Method::PUT, &overwrite, &everyone).await, 204);
    plain.send(43, &json!({ "guild_id": guild, "fields": ["status"] }));
    assert_eq!(plain.event("CHANNEL_INFO").await["channels"], json!([]));
}

#[tokio::test]
async fn another_region_is_another_server() {
    let mut world = World::start().await;
    for by_rest in [false, true] {
        let ticket = world.join().await;
        let mut client = world.dial(&ticket, 8).await;
        client.identified(&ticket).await;
        let region = if by_rest {
            let body = json!({ "rtc_region": "sandbox" });
            let channel = format!("/channels/{}", world.lounge);
            assert_eq!(world.bot.call(Method::PATCH, &channel, &body).await, 200);
            0
        } else {
            let set = world.control.change_region(GUILD, "Lounge", None).await.unwrap();
            assert_eq!(set["region"], "outpost");
            1
        };
        let gone = world.bot.event("VOICE_SERVER_UPDATE").await;
        assert_eq!(gone["endpoint"], Value::Null);
        let (name, server) = world.bot.next().await;
        assert_eq!(name, "VOICE_SERVER_UPDATE");
        let endpoint = world.sandbox.voice().endpoints().nth(region).unwrap().1;
        assert_eq!(server["endpoint"], endpoint);
        assert_eq!(client.end().await, End::Close(4022));
        let moved = world.bot.redeem(&json!({ "session_id": ticket.session_id }), &server);
        world.call(&moved).await;
    }
    let refused = world.control.change_region(GUILD, "Lounge", Some("moon")).await.unwrap_err().to_string();
    assert!(refused.contains("sandbox, outpost"), "{refused}");
    world.control.change_region(GUILD, "bot-test", None).await.unwrap_err();
}

#[tokio::test]
async fn a_deleted_channel_ends_the_call_for_everyone() {
    let mut world = World::start().await;
    let moderator = world.another("moderator").await;
    let ticket = world.join().await;
    let mut client = world.dial(&ticket, 8).await;
    client.identified(&ticket).await;
    assert_eq!(moderator.call(Method::DELETE, &format!("/channels/{}", world.lounge), &json!({})).await, 200);
    assert_eq!(world.bot.event("VOICE_STATE_UPDATE").await["channel_id"], Value::Null);
    assert_eq!(client.end().await, End::Close(4022));
}

#[tokio::test]
async fn a_bot_that_is_removed_from_the_guild_leaves_voice() {
    let mut world = World::start().await;
    let ticket = world.join().await;
    let mut client = world.dial(&ticket, 8).await;
    client.identified(&ticket).await;
    world.control.leave(GUILD, &ticket.user.to_string()).await.unwrap();
    assert_eq!(client.end().await, End::Close(4014));
}

#[tokio::test]
async fn a_bot_leaves_voice_when_its_session_can_no_longer_be_resumed() {
    let options =
        gateway::Options { resume_window: Duration::from_millis(50), ..gateway::Options::default() };
    let mut world = World::build(Sandbox::builder().voice(World::plain()).gateway(options)).await;
    let mut watcher = world.another("watcher").await;
    let ticket = world.join().await;
    assert_eq!(watcher.event("VOICE_STATE_UPDATE").await["channel_id"], world.lounge.to_string());
    let mut client = world.dial(&ticket, 8).await;
    client.identified(&ticket).await;
    world.bot.quit();
    let left = watcher.event("VOICE_STATE_UPDATE").await;
    assert_eq!((&left["user_id"], &left["channel_id"]), (&json!(ticket.user), &Value::Null));
    assert_eq!(client.end().await, End::Close(4014));
}

#[tokio::test]
async fn several_guilds_are_several_calls() {
    let mut world = World::start().await;
    let made = world.control.create_guild("Second", "bob").await.unwrap();
    let second = made["id"].as_str().unwrap().parse().unwrap();
    let channel =
        world.control.create_channel("Second", &json!({ "name": "Hall", "type": 2 })).await.unwrap();
    let hall = channel["id"].as_str().unwrap().parse().unwrap();
    let (here, there) = (world.join().await, world.bot.join(second, hall).await);
    let (mut first, mut audio) = world.call(&here).await;
    let (mut other, elsewhere) = world.call(&there).await;
    assert_ne!(audio.ssrc, elsewhere.ssrc);
    audio.speak(&mut first).await;
    first.until_ack().await;
    audio.send(&crate::audio::encode(&[0; 1920])[0]).await;
    crate::packets::heard(&world, &here, |heard| heard.counts.packets == 1).await;
    assert_eq!(world.sandbox.voice().heard(second, there.user).unwrap().counts.packets, 0);
    world.control.leave_voice(GUILD, &here.user.to_string()).await.unwrap();
    assert_eq!(first.end().await, End::Close(4014));
    other.until_ack().await;
}

/// Creates a stage, and returns its id.
async fn stage(world: &World) -> sandbox::snowflake::Snowflake {
    let made = world.control.create_channel(GUILD, &json!({ "name": "Forum", "type": 13 })).await.unwrap();
    made["id"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_bot_with_the_permission_becomes_a_speaker_of_a_stage_by_itself() {
    let world = World::start().await;
    let (guild, stage) = (world.guild(), stage(&world).await);
    let mut bot = world.plain_bot(CONNECT | MUTE_MEMBERS).await;
    let own = format!("/guilds/{guild}/voice-states/@me");
    let speak = json!({ "channel_id": stage, "suppress": false });
    assert_eq!(bot.call(Method::PATCH, &own, &speak).await, 404);
    bot.ask(guild, Some(stage));
    assert_eq!(bot.event("VOICE_STATE_UPDATE").await["suppress"], true);
    let elsewhere = json!({ "channel_id": world.attic, "suppress": false });
    assert_eq!(bot.call(Method::PATCH, &own, &elsewhere).await, 400);
    assert_eq!(bot.call(Method::PATCH, &own, &speak).await, 204);
    let state = bot.event("VOICE_STATE_UPDATE").await;
    assert_eq!((&state["suppress"], &state["request_to_speak_timestamp"]), (&json!(false), &Value::Null));
    // Self-mute does not change the position on the stage; moving into the audience needs no permission.
    let muted = json!({ "guild_id": guild, "channel_id": stage, "self_mute": true, "self_deaf": false });
    bot.send(4, &muted);
    assert_eq!(bot.event("VOICE_STATE_UPDATE").await["suppress"], false);
    assert_eq!(bot.call(Method::PATCH, &own, &json!({ "suppress": true })).await, 204);
    assert_eq!(bot.event("VOICE_STATE_UPDATE").await["suppress"], true);
    // A bot that comes back is in the audience again.
    bot.call(Method::PATCH, &own, &speak).await;
    bot.event("VOICE_STATE_UPDATE").await;
    bot.ask(guild, None);
    bot.ask(guild, Some(stage));
    bot.event("VOICE_STATE_UPDATE").await;
    assert_eq!(bot.event("VOICE_STATE_UPDATE").await["suppress"], true);
}

#[tokio::test]
async fn a_bot_without_it_asks_to_speak_and_a_moderator_lets_it() {
    let world = World::start().await;
    let (guild, stage) = (world.guild(), stage(&world).await);
    let mut bot = world.plain_bot(CONNECT | REQUEST_TO_SPEAK).await;
    bot.ask(guild, Some(stage));
    bot.event("VOICE_STATE_UPDATE").await;
    let own = format!("/guilds/{guild}/voice-states/@me");
    assert_eq!(bot.call(Method::PATCH, &own, &json!({ "suppress": false })).await, 403);
    let at = "2026-11-21T12:00:00.000000+00:00";
    assert_eq!(bot.call(Method::PATCH, &own, &json!({ "request_to_speak_timestamp": at })).await, 204);
    let state = bot.event("VOICE_STATE_UPDATE").await;
    assert_eq!((&state["suppress"], &state["request_to_speak_timestamp"]), (&json!(true), &json!(at)));
    world.control.suppress_voice(GUILD, &bot.id.to_string(), false).await.unwrap();
    let state = bot.event("VOICE_STATE_UPDATE").await;
    assert_eq!((&state["suppress"], &state["request_to_speak_timestamp"]), (&json!(false), &Value::Null));

    // For others this needs the permission to mute members, and a voice channel has no stage.
    world.control.enter_voice(GUILD, "alice", "Forum").await.unwrap();
    let alice = world.sandbox.user_id("alice").unwrap();
    let others = format!("/guilds/{guild}/voice-states/{alice}");
    assert_eq!(bot.call(Method::PATCH, &others, &json!({ "suppress": false })).await, 403);
    assert_eq!(world.bot.call(Method::PATCH, &others, &json!({ "suppress": false })).await, 204);
    let state = bot.event("VOICE_STATE_UPDATE").await;
    assert!(state["suppress"] == true, "it is what alice came in with: {state}");
    let state = bot.event("VOICE_STATE_UPDATE").await;
    assert!(state["suppress"] == false && state["request_to_speak_timestamp"].is_string(), "{state}");
    bot.ask(guild, Some(world.attic));
    bot.event("VOICE_STATE_UPDATE").await;
    assert_eq!(bot.call(Method::PATCH, &own, &json!({ "suppress": true })).await, 400);
}
