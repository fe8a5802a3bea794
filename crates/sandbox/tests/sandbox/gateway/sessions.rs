//! Starting sessions: HELLO, IDENTIFY, READY, guilds, shards, limits.

use std::time::{Duration, Instant};

use sandbox::event_log::{Event, Kind};
use sandbox::gateway::{Dispatch, Intents, Options};
use serde_json::{Value, json};

use crate::gateway::client::{End, PATIENCE, identify};
use crate::gateway::world::{BOT, GUILD, OTHER_GUILD, Server, TOKEN, World};

#[tokio::test]
async fn a_client_gets_hello_ready_and_its_guilds() {
    let server = Server::start().await;
    let mut client = sandbox_client(&server).await;
    let ready = client.event("READY").await;
    assert_eq!((&ready["v"], &ready["user"]["id"]), (&json!(10), &json!(BOT)));
    assert_eq!(ready["guilds"][0], json!({"id": GUILD, "unavailable": true}));
    assert_eq!(ready["application"], json!({"id": BOT, "flags": 0}));
    assert!(ready["resume_gateway_url"].as_str().unwrap().starts_with("ws://127.0.0.1:"));
    assert!(ready.get("shard").is_none(), "not sent when identifying");
    // Not documented, but older libraries (eris) read them.
    for list in ["private_channels", "relationships", "presences", "guild_join_requests"] {
        assert_eq!(ready[list], json!([]), "{list}");
    }
    for guild in [GUILD, OTHER_GUILD] {
        let created = client.event("GUILD_CREATE").await;
        assert_eq!((&created["id"], &created["unavailable"]), (&json!(guild), &json!(false)));
    }
    assert!(client.until_ack().await.is_empty());
    assert_eq!(server.log.count(Kind::Identified), 1);
    assert_eq!(*server.world.told.lock(), ["presence 1000 \"online\"", "started [0, 1]"]);
}

async fn sandbox_client(server: &Server) -> crate::gateway::client::Client {
    let mut client = server.connect().await;
    client.identify(Intents::GUILDS).await;
    client
}

#[tokio::test]
async fn a_resume_address_leads_back_even_when_it_is_set() {
    let options = Options { resume_url: Some("wss://elsewhere".into()), ..Options::default() };
    let server = Server::with(options, World::default()).await;
    let mut client = sandbox_client(&server).await;
    assert_eq!(client.event("READY").await["resume_gateway_url"], "wss://elsewhere");
}

#[tokio::test]
async fn without_the_guilds_intent_there_are_no_guild_creates() {
    let server = Server::start().await;
    let mut client = server.identified(Intents::GUILD_MESSAGES).await;
    assert!(client.until_ack().await.is_empty());
}

#[tokio::test]
async fn events_go_to_the_shard_of_their_guild_and_direct_ones_to_shard_zero() {
    let server = Server::start().await;
    let mut shards = Vec::new();
    for shard in 0..2 {
        let mut client = server.connect().await;
        let mut data = identify(Intents::GUILDS | Intents::GUILD_MESSAGES | Intents::DIRECT_MESSAGES);
        data["shard"] = json!([shard, 2]);
        client.send(2, data).await;
        assert_eq!(client.event("READY").await["shard"], json!([shard, 2]));
        let guild = client.event("GUILD_CREATE").await["id"].clone();
        assert_eq!(guild, json!(if shard == 1 { GUILD } else { OTHER_GUILD }));
        shards.push(client);
    }
    server.message(1);
    server.hub.dispatch(&Dispatch::direct(BOT, "MESSAGE_CREATE", json!({"id": "2", "content": "psst"})));
    let direct = shards[0].until_ack().await;
    assert_eq!(direct.iter().map(|event| &event["d"]["id"]).collect::<Vec<_>>(), ["2"]);
    let guild = shards[1].until_ack().await;
    assert_eq!(guild.iter().map(|event| &event["d"]["id"]).collect::<Vec<_>>(), ["1"]);
}

#[tokio::test]
async fn a_guild_s_events_begin_when_the_bot_joins_and_stop_when_it_leaves() {
    let server = Server::start().await;
    let mut client = server.identified(Intents::GUILDS).await;
    let new = sandbox::snowflake::Snowflake(9 << 22);
    let channel = |id: &str| Dispatch::guild(new, "CHANNEL_CREATE", json!({"id": id, "guild_id": new}));
    server.hub.dispatch(&channel("1"));
    let create = json!({"id": new, "members": [], "presences": []});
    server.hub.dispatch(&Dispatch::guild(new, "GUILD_CREATE", create).only(BOT));
    server.hub.dispatch(&channel("2"));
    let outage = json!({"id": new, "unavailable": true});
    server.hub.dispatch(&Dispatch::guild(new, "GUILD_DELETE", outage));
    server.hub.dispatch(&channel("3"));
    server.hub.dispatch(&Dispatch::guild(new, "GUILD_DELETE", json!({"id": new})).only(BOT));
    server.hub.dispatch(&channel("4"));
    let names: Vec<_> = client.until_ack().await.iter().map(|event| event["t"].clone()).collect();
    assert_eq!(names, ["GUILD_CREATE", "CHANNEL_CREATE", "GUILD_DELETE", "CHANNEL_CREATE", "GUILD_DELETE"]);
}

#[tokio::test]
async fn a_session_that_the_client_closes_with_1000_has_ended() {
    let server = Server::start().await;
    let client = server.identified(Intents::GUILDS).await;
    client.close(1000).await;
    let ended = |entry: &sandbox::event_log::Entry| entry.event.kind() == Kind::SessionEnded;
    server.log.wait_for(1, PATIENCE, ended).await.unwrap();
    assert!(server.hub.sessions().is_empty());
    assert_eq!(*server.world.told.lock(), ["presence 1000 \"online\"", "started [0, 1]", "ended [0, 1]"]);
}

#[tokio::test]
async fn a_session_without_a_connection_ends_when_its_time_is_over() {
    let options = Options { resume_window: Duration::from_millis(30), ..Options::default() };
    let server = Server::with(options, World::default()).await;
    let client = server.identified(Intents::GUILDS).await;
    drop(client);
    let ended = |entry: &sandbox::event_log::Entry| matches!(&entry.event, Event::SessionEnded { reason, .. } if *reason == "not resumed in time");
    server.log.wait_for(1, PATIENCE, ended).await.unwrap();
    assert!(server.hub.sessions().is_empty());
}

#[tokio::test]
async fn identifies_beyond_the_limit_are_turned_down() {
    let options = Options { limit_identify: true, ..Options::default() };
    let server = Server::with(options, World::default()).await;
    let _first = server.identified(Intents::GUILDS).await;
    let mut second = server.connect().await;
    second.identify(Intents::GUILDS).await;
    assert_eq!(second.op(9).await, false);
    assert_eq!(server.hub.session_start_limit(BOT).remaining, 999);
}

#[tokio::test]
async fn a_bot_that_has_used_up_its_starts_loses_every_session() {
    let options =
        Options { limit_identify: true, max_concurrency: 3, session_starts: 2, ..Options::default() };
    let server = Server::with(options, World::default()).await;
    let mut clients = Vec::new();
    for shard in 0..2 {
        let mut client = server.connect().await;
        let mut data = identify(Intents::GUILDS);
        data["shard"] = json!([shard, 3]);
        client.send(2, data).await;
        client.event("READY").await;
        clients.push(client);
        let limit = server.hub.session_start_limit(BOT);
        assert_eq!((limit.total, limit.remaining), (2, 1 - shard));
        let day = 24 * 60 * 60 * 1000;
        assert!((day - 600_000..=day).contains(&limit.reset_after), "{limit:?}");
    }
    let mut third = server.connect().await;
    let mut data = identify(Intents::GUILDS);
    data["shard"] = json!([2, 3]);
    third.send(2, data).await;
    assert_eq!(third.end().await, End::Close(4004));
    assert!(server.hub.sessions().is_empty());
}

#[tokio::test]
async fn a_bot_in_too_many_guilds_must_shard() {
    let options = Options { guilds_per_shard: 8, ..Options::default() };
    let server = Server::with(options, World { extra_guilds: 8, ..World::default() }).await;
    let mut client = sandbox_client(&server).await;
    assert_eq!(client.end().await, End::Close(4011));
    let mut client = server.connect().await;
    let mut data = identify(Intents::empty());
    data["shard"] = json!([0, 2]);
    client.send(2, data).await;
    client.event("READY").await;
}

#[tokio::test]
async fn the_record_tells_the_whole_conversation_without_the_token() {
    let server = Server::start().await;
    let mut client = server.identified(Intents::GUILDS).await;
    let interaction = json!({"id": "7", "token": "interaction-token", "guild_id": GUILD});
    server.hub.dispatch(&Dispatch::guild(GUILD, "INTERACTION_CREATE", interaction).only(BOT));
    assert_eq!(client.event("INTERACTION_CREATE").await["token"], "interaction-token");
    client.until_ack().await;
    let page = server.log.read(1, 100);
    let lines: Vec<_> = page.entries.iter().map(|entry| entry.line()).collect();
    for secret in [TOKEN, "interaction-token"] {
        assert!(lines.iter().all(|line| !line.contains(secret)), "{lines:#?}");
    }
    let kinds: Vec<_> = page.entries.iter().map(|entry| entry.event.kind().name()).collect();
    let expected = [
        "connected",
        "sent",
        "received",
        "identified",
        "dispatch",
        "dispatch",
        "dispatch",
        "dispatch",
        "received",
        "sent",
    ];
    assert_eq!(kinds, expected);
}

#[tokio::test]
async fn a_heartbeat_is_acknowledged_once_and_never_before_its_latency() {
    let latency = Duration::from_secs(1);
    let options = Options { heartbeat_latency: latency, ..Options::default() };
    let server = Server::with(options, World::default()).await;
    let mut client = server.identified(Intents::GUILD_MESSAGES).await;
    let sent = Instant::now();
    client.send(1, Value::Null).await;
    client.send(1, Value::Null).await;
    // Events do not wait for it.
    server.message(1);
    client.event("MESSAGE_CREATE").await;
    client.op(11).await;
    assert!(sent.elapsed() >= latency);
    client.op(11).await;
    assert!(client.until_ack().await.is_empty());
}
