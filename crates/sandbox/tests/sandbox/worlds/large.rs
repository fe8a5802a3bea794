//! Guilds that a bot gets one after the other: none is lost, and events keep their order.

use sandbox::Sandbox;
use sandbox::gateway::Options;
use sandbox::ratelimit::Config;
use sandbox::seed::Seed;
use serde_json::json;

use crate::api::bot::{ALL_INTENTS, id, text};
use crate::gateway::client::{Client as Gateway, End};

async fn start(guilds: u32) -> Sandbox {
    let builder = Sandbox::builder().rate_limits(Config::off()).seed(Seed::large(guilds, 3));
    let options = Options { guilds_per_shard: 5000, ..Options::default() };
    builder.gateway(options).start().await.unwrap()
}

async fn connect(sandbox: &Sandbox) -> Gateway {
    let mut gateway = Gateway::connect(&format!("{}/?v=10&encoding=json", sandbox.gateway_url())).await;
    gateway.op(10).await;
    gateway
}

#[tokio::test]
async fn a_bot_gets_all_its_guilds_and_what_happens_meanwhile() {
    let sandbox = start(3000).await;
    let mut gateway = connect(&sandbox).await;
    let identify = json!({ "token": sandbox.token(), "intents": ALL_INTENTS, "properties": {} });
    gateway.send(2, identify).await;
    let ready = gateway.event("READY").await;
    let last = ready["guilds"].as_array().unwrap().last().unwrap()["id"].clone();
    assert_eq!(ready["guilds"].as_array().unwrap().len(), 3000);
    // In a guild whose turn has not come, and that is not read before.
    let channel = {
        let live = sandbox.discord().lock();
        live.guilds[&id(&last)].channels[0].to_string()
    };
    let sent = sandbox.client().send("alice", &channel, "early").await.unwrap();
    let mut received = Vec::new();
    let mut messages = Vec::new();
    while received.len() < 3000 || messages.is_empty() {
        let payload = gateway.payload().await;
        match payload["t"].as_str() {
            Some("GUILD_CREATE") => received.push(payload["d"]["id"].clone()),
            Some("MESSAGE_CREATE") => {
                assert!(received.contains(&last), "a message came before its guild");
                messages.push(payload["d"]["id"].clone());
            }
            _ => {}
        }
    }
    assert_eq!(messages, [sent["id"].clone()]);
    let announced: Vec<_> =
        ready["guilds"].as_array().unwrap().iter().map(|guild| guild["id"].clone()).collect();
    assert_eq!(received, announced);
}

#[tokio::test]
async fn guilds_go_on_to_come_after_a_resume() {
    let sandbox = start(500).await;
    let mut gateway = connect(&sandbox).await;
    gateway.send(2, json!({ "token": sandbox.token(), "intents": 1, "properties": {} })).await;
    gateway.event("READY").await;
    gateway.event("GUILD_CREATE").await;
    let (session, seq) = (gateway.session_id.clone(), gateway.seq.unwrap());
    drop(gateway);
    let mut gateway = connect(&sandbox).await;
    gateway.send(6, json!({ "token": sandbox.token(), "session_id": session, "seq": seq })).await;
    let mut names = Vec::new();
    while names.iter().filter(|name| *name == "GUILD_CREATE").count() < 499 {
        names.push(text(&gateway.payload().await["t"]).to_owned());
    }
    assert!(names.contains(&"RESUMED".to_owned()), "{names:?}");
}

#[tokio::test]
async fn a_shard_has_discords_number_of_guilds_unless_it_is_told_otherwise() {
    let sandbox = Sandbox::builder().seed(Seed::large(2501, 1)).start().await.unwrap();
    let mut gateway = connect(&sandbox).await;
    gateway.send(2, json!({ "token": sandbox.token(), "intents": 1, "properties": {} })).await;
    assert_eq!(gateway.end().await, End::Close(4011));
}
