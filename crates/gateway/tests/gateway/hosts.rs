use std::collections::BTreeSet;

use gateway::client::{Answers, Events};
use sandbox::client::Run;
use sandbox::event_log::Kind;
use serde_json::json;

use crate::rig::{Host, INTENTS, Rig, find, until};

#[tokio::test]
async fn the_next_host_gets_the_state_as_it_is_and_discord_sees_one_session() {
    let rig = Rig::new().await;
    let (mut host, _, guilds) = rig.open().await;
    let before = guilds[0]["d"]["channels"].as_array().unwrap().len();
    host.socket.close(None).await.unwrap();
    until("the host is gone", || !rig.gateway.status().shards[0].host).await;
    let guild = rig.sandbox.guild_id().to_string();
    let held = rig.gateway.status().shards[0].held;
    rig.people.create_channel(&guild, &json!({"name": "new-one", "type": 0})).await.unwrap();
    until("the event is held", || rig.gateway.status().shards[0].held > held).await;
    let (_host, _, guilds) = rig.open().await;
    let channels = guilds[0]["d"]["channels"].as_array().unwrap();
    assert_eq!(channels.len(), before + 1);
    assert!(channels.iter().any(|channel| channel["name"] == "new-one"));
    assert_eq!((rig.count(Kind::Identified), rig.count(Kind::Closed)), (1, 0));
}

#[tokio::test]
async fn events_without_a_host_come_once_and_in_order() {
    let rig = Rig::new().await;
    let (mut host, _, _) = rig.open().await;
    rig.say("before").await;
    assert_eq!(host.messages(1).await, ["before"]);
    drop(host);
    until("the host is gone", || !rig.gateway.status().shards[0].host).await;
    for number in 0..20 {
        rig.say(&format!("number {number}")).await;
    }
    let (mut host, _, _) = rig.open().await;
    let all = host.messages(20).await;
    assert_eq!(all, (0..20).map(|number| format!("number {number}")).collect::<Vec<_>>());
    drop(host);
    until("the host is gone", || !rig.gateway.status().shards[0].host).await;
    rig.say("after").await;
    let (mut host, _, _) = rig.open().await;
    assert_eq!(host.messages(1).await, ["after"], "no event comes again");
    assert_eq!(rig.count(Kind::Identified), 1);
}

#[tokio::test]
async fn a_host_resumes_where_it_was() {
    let rig = Rig::new().await;
    let (mut host, session, _) = rig.open().await;
    rig.say("one").await;
    rig.say("two").await;
    assert_eq!(host.messages(2).await, ["one", "two"]);
    let after = host.sequence - 1;
    drop(host);
    until("the host is gone", || !rig.gateway.status().shards[0].host).await;
    rig.say("three").await;
    let mut host = rig.host().await;
    host.sequence = after;
    host.resume(rig.sandbox.token(), &session, after).await;
    assert_eq!(host.messages(1).await, ["two"]);
    host.event("RESUMED").await;
    assert_eq!(host.messages(1).await, ["three"]);
    let mut other = rig.host().await;
    other.resume(rig.sandbox.token(), "unknown", 3).await;
    assert_eq!(other.next().await, json!({"op": 9, "d": false}));
}

#[tokio::test]
async fn an_interaction_that_is_not_answered_is_given_again_and_one_that_is_answered_is_not() {
    let rig = Rig::new().await;
    rig.register("ping").await;
    let (mut host, _, _) = rig.open().await;
    let answers = Answers::connect(rig.gateway.url(), rig.sandbox.token()).await;
    let mut ids = Vec::new();
    for user in ["alice", "bob"] {
        let people = rig.people.clone();
        let run = Run::named("ping", json!({})).by(user);
        tokio::spawn(async move { people.run(run).await });
        ids.push(host.event("INTERACTION_CREATE").await["d"]["id"].as_str().unwrap().to_owned());
    }
    answers.answer(ids[0].parse().unwrap());
    until("the answer is known", || rig.gateway.status().shards[0].unanswered == 1).await;
    drop(host);
    rig.say("later").await;
    let mut host = rig.host().await;
    host.identify(rig.sandbox.token(), INTENTS, (0, 1)).await;
    assert_eq!(host.event("INTERACTION_CREATE").await["d"]["id"], *ids[1]);
    let mut next = host.next().await;
    while next["t"] != "MESSAGE_CREATE" {
        assert_ne!(next["t"], "INTERACTION_CREATE");
        next = host.next().await;
    }
}

#[tokio::test]
async fn strangers_are_refused() {
    let rig = Rig::new().await;
    let mut host = rig.host().await;
    host.identify("wrong", INTENTS, (0, 1)).await;
    assert_eq!(host.closed().await, 4004);
    let mut host = rig.host().await;
    host.resume("wrong", "session", 0).await;
    assert_eq!(host.closed().await, 4004);
    let mut host = rig.host().await;
    host.send(json!({"op": 4, "d": {}})).await;
    assert_eq!(host.closed().await, 4003);
    let mut request =
        tokio_tungstenite::tungstenite::client::IntoClientRequest::into_client_request(rig.gateway.url())
            .unwrap();
    request.headers_mut().insert("origin", "https://example.com".parse().unwrap());
    let error = tokio_tungstenite::connect_async(request).await.unwrap_err().to_string();
    assert!(error.contains("403"), "{error}");
    assert!(Events::subscribe(rig.gateway.url(), "wrong", &[]).await.is_err());
    assert_eq!(rig.count(Kind::Identified), 0, "no stranger starts a session");
}

#[tokio::test]
async fn other_intents_begin_another_session() {
    let rig = Rig::new().await;
    let (host, _, _) = rig.open().await;
    drop(host);
    let mut host = rig.host().await;
    host.identify(rig.sandbox.token(), 1, (0, 1)).await;
    host.event("READY").await;
    assert_eq!(rig.count(Kind::Identified), 2);
    assert_eq!(rig.people.sessions().await.unwrap().len(), 1, "the first one has ended");
}

#[tokio::test]
async fn shards_have_sessions_of_their_own() {
    let rig = Rig::new().await;
    for shard in [0, 1] {
        let mut host = rig.host().await;
        host.identify(rig.sandbox.token(), INTENTS, (shard, 2)).await;
        assert_eq!(host.event("READY").await["d"]["shard"], json!([shard, 2]));
    }
    assert_eq!(rig.gateway.status().shards.iter().map(|shard| shard.id).collect::<Vec<_>>(), [0, 1]);
    let mut host = rig.host().await;
    host.identify(rig.sandbox.token(), INTENTS, (2, 2)).await;
    assert_eq!(host.closed().await, 4010);
}

#[tokio::test]
async fn commands_reach_discord_and_its_answers_the_host() {
    let rig = Rig::new().await;
    let (mut host, _, _) = rig.open().await;
    let guild = rig.sandbox.guild_id().to_string();
    host.send(json!({"op": 8, "d": {"guild_id": guild, "query": "", "limit": 0, "nonce": "n"}})).await;
    let chunk = host.event("GUILD_MEMBERS_CHUNK").await;
    assert_eq!(chunk["d"]["nonce"], "n");
    let channel = rig.people.create_channel(&guild, &json!({"name": "talk", "type": 2})).await.unwrap();
    host.send(json!({"op": 4, "d": {"guild_id": guild, "channel_id": channel["id"], "self_mute": false, "self_deaf": true}}))
        .await;
    assert_eq!(host.event("VOICE_STATE_UPDATE").await["d"]["channel_id"], channel["id"]);
    host.event("VOICE_SERVER_UPDATE").await;
    drop(host);
    let (_host, _, guilds) = rig.open().await;
    assert_eq!(
        guilds[0]["d"]["voice_states"][0]["channel_id"], channel["id"],
        "the bot is in the channel still"
    );
    let members = guilds[0]["d"]["members"].as_array().unwrap().len();
    assert!(members >= chunk["d"]["members"].as_array().unwrap().len(), "members that were sent are kept");
}

#[tokio::test]
async fn raw_events_are_tapped_in_the_process_and_over_the_socket() {
    let rig = Rig::new().await;
    let mut inside = rig.gateway.subscribe(BTreeSet::from(["MESSAGE_CREATE".to_owned()]));
    let mut outside =
        Events::subscribe(rig.gateway.url(), rig.sandbox.token(), &["MESSAGE_CREATE"]).await.unwrap();
    let (mut host, _, _) = rig.open().await;
    rig.say("hello").await;
    let event = inside.recv().await.unwrap();
    assert_eq!(outside.recv().await.unwrap(), event);
    let data: serde_json::Value = serde_json::from_str(&event.data).unwrap();
    assert_eq!(host.event("MESSAGE_CREATE").await["d"], data);
    assert_eq!((&*event.name, event.shard, inside.missed()), ("MESSAGE_CREATE", 0, 0));
}

#[tokio::test]
async fn a_stored_session_is_resumed_with_its_state() {
    let rig = Rig::new().await;
    let (host, _, guilds) = rig.open().await;
    drop(host);
    let Rig { sandbox, people, gateway } = rig;
    let stored = gateway.suspend().await;
    let stored = serde_json::from_str(&serde_json::to_string(&stored).unwrap()).unwrap();
    people.send("alice", "general", "meanwhile").await.unwrap();
    let mut options = gateway::Options::new(sandbox.token(), find(sandbox.gateway_url()));
    options.sessions = stored;
    let gateway = gateway::Gateway::start(options).await.unwrap();
    let mut host = Host::connect(gateway.url()).await;
    host.identify(sandbox.token(), INTENTS, (0, 1)).await;
    host.event("READY").await;
    let again = host.event("GUILD_CREATE").await;
    assert_eq!(again["d"]["channels"], guilds[0]["d"]["channels"]);
    assert_eq!(host.messages(1).await, ["meanwhile"]);
    let log = sandbox.event_log();
    assert_eq!((log.count(Kind::Identified), log.count(Kind::Resumed)), (1, 1));
}
