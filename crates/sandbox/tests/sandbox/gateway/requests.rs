//! Requests of an identified client to the gateway.

use sandbox::gateway::{Intents, Options};
use serde_json::json;

use crate::gateway::client::identify;
use crate::gateway::world::{GUILD, Server, World};

#[tokio::test]
async fn all_members_come_in_chunks_of_a_thousand() {
    let server = Server::with(Options::default(), World { members: 2500, ..World::default() }).await;
    let mut client = server.identified(Intents::GUILD_MEMBERS).await;
    client.send(8, json!({"guild_id": GUILD, "query": "", "limit": 0, "nonce": "n"})).await;
    for (index, size) in [1000, 1000, 500].into_iter().enumerate() {
        let chunk = client.event("GUILD_MEMBERS_CHUNK").await;
        assert_eq!((&chunk["chunk_index"], &chunk["chunk_count"]), (&json!(index), &json!(3)));
        assert_eq!((chunk["members"].as_array().unwrap().len(), &chunk["nonce"]), (size, &json!("n")));
        assert!(chunk.get("presences").is_none() && chunk.get("not_found").is_none());
    }
}

#[tokio::test]
async fn the_whole_list_needs_the_members_intent_but_a_name_does_not() {
    let server = Server::with(Options::default(), World { members: 500, ..World::default() }).await;
    let mut client = server.identified(Intents::empty()).await;
    client.send(8, json!({"guild_id": GUILD, "query": "", "limit": 0})).await;
    assert!(client.until_ack().await.is_empty());
    client.send(8, json!({"guild_id": GUILD, "query": "user1", "limit": 0})).await;
    let found = client.event("GUILD_MEMBERS_CHUNK").await;
    assert_eq!(found["members"].as_array().unwrap().len(), 100);
    client.send(8, json!({"guild_id": GUILD, "query": "nobody", "limit": 5})).await;
    let none = client.event("GUILD_MEMBERS_CHUNK").await;
    assert_eq!((&none["members"], &none["chunk_count"]), (&json!([]), &json!(1)));
}

#[tokio::test]
async fn asking_for_the_whole_list_too_often_is_told() {
    let every = Some(std::time::Duration::from_mins(1));
    let server =
        Server::with(Options { member_list_every: every, ..Options::default() }, World::default()).await;
    let mut client = server.identified(Intents::GUILD_MEMBERS).await;
    let all = json!({"guild_id": GUILD, "query": "", "limit": 0, "nonce": "n"});
    client.send(8, all.clone()).await;
    client.event("GUILD_MEMBERS_CHUNK").await;
    client.send(8, all).await;
    let limited = client.event("RATE_LIMITED").await;
    assert_eq!(
        (&limited["opcode"], &limited["meta"]),
        (&json!(8), &json!({"guild_id": GUILD, "nonce": "n"}))
    );
    assert!((50.0..=60.0).contains(&limited["retry_after"].as_f64().unwrap()));
    client.send(8, json!({"guild_id": GUILD, "user_ids": "1001"})).await;
    client.event("GUILD_MEMBERS_CHUNK").await;
}

#[tokio::test]
async fn members_asked_for_by_id_are_found_or_named_as_missing() {
    let server = Server::start().await;
    let mut client = server.identified(Intents::GUILD_PRESENCES).await;
    let ids = json!(["1001", "1002", "9"]);
    client.send(8, json!({"guild_id": GUILD, "user_ids": ids, "presences": true})).await;
    let chunk = client.event("GUILD_MEMBERS_CHUNK").await;
    assert_eq!(chunk["members"].as_array().unwrap().len(), 2);
    assert_eq!(chunk["not_found"], json!(["9"]));
    assert_eq!(chunk["presences"], json!([{"user": {"id": "1001"}, "status": "online"}]));
}

#[tokio::test]
async fn presence_and_voice_reach_the_world() {
    let server = Server::start().await;
    let mut client = server.connect().await;
    let mut data = identify(Intents::empty());
    data["presence"] = json!({"status": "dnd", "activities": [], "since": null, "afk": false});
    client.send(2, data).await;
    client.event("READY").await;
    client.send(3, json!({"status": "idle", "activities": [], "since": 1, "afk": true})).await;
    let join = json!({"guild_id": GUILD, "channel_id": "77", "self_mute": false, "self_deaf": true});
    client.send(4, join).await;
    client.send(4, json!({"guild_id": "1", "channel_id": "78", "self_mute": false, "self_deaf": true})).await;
    client.until_ack().await;
    let told = ["presence 1000 \"dnd\"", "started [0, 1]", "presence 1000 \"idle\"", "voice 1000 Some(77)"];
    assert_eq!(*server.world.told.lock(), told);
}

#[tokio::test]
async fn a_soundboard_without_sounds_is_still_answered() {
    let server = Server::start().await;
    let mut client = server.identified(Intents::empty()).await;
    client.send(31, json!({"guild_ids": [GUILD, "5"]})).await;
    let sounds = client.event("SOUNDBOARD_SOUNDS").await;
    assert_eq!(sounds, json!({"guild_id": GUILD, "soundboard_sounds": []}));
    assert!(client.until_ack().await.is_empty());
}
