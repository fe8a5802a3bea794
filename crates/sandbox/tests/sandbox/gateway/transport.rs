//! The transports of payloads.

use sandbox::gateway::{Intents, Options};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::gateway::client::{Client, End, identify};
use crate::gateway::world::{Server, World};

const INTENTS: Intents = Intents::GUILDS.union(Intents::GUILD_MESSAGES);

/// Identifies, gets guilds, events and acknowledgements, and returns the client, which has counted binary frames.
async fn converse(query: &str) -> Client {
    let world = World { members: 200, ..World::default() };
    let server = Server::with(Options::default(), world).await;
    let mut client = server.connect_with(query).await;
    client.identify(INTENTS | Intents::GUILD_PRESENCES).await;
    client.event("READY").await;
    client.event("GUILD_CREATE").await;
    client.event("GUILD_CREATE").await;
    for number in 0..50 {
        server.message(number);
        assert_eq!(client.event("MESSAGE_CREATE").await["id"], number.to_string());
    }
    assert!(client.until_ack().await.is_empty());
    client
}

#[tokio::test]
async fn plain_json_is_all_text() {
    assert_eq!(converse("v=10&encoding=json").await.binary, 0);
}

#[tokio::test]
async fn zlib_stream_compresses_everything_in_one_context() {
    // HELLO, READY, two guilds, fifty messages, one acknowledgement.
    assert_eq!(converse("v=10&encoding=json&compress=zlib-stream").await.binary, 55);
}

#[tokio::test]
async fn zstd_stream_compresses_everything_in_one_frame() {
    assert_eq!(converse("v=10&encoding=json&compress=zstd-stream").await.binary, 55);
}

#[tokio::test]
async fn an_identify_with_compress_makes_long_payloads_binary_also_after_a_resume() {
    let options = Options { compress_from: 100, ..Options::default() };
    let server = Server::with(options, World::default()).await;
    let mut client = server.connect().await;
    let mut data = identify(INTENTS);
    data["compress"] = json!(true);
    client.send(2, data).await;
    client.event("READY").await;
    client.until_ack().await;
    assert!(client.binary >= 1);
    let mut again = server.connect().await;
    again.resume(&client.session_id, 1).await;
    again.event("GUILD_CREATE").await;
    assert!(again.binary >= 1);
}

#[tokio::test]
async fn a_client_may_send_text_or_binary_frames() {
    let server = Server::start().await;
    let mut client = server.connect_with("v=10").await;
    client.send_raw(Message::Binary(json!({"op": 2, "d": identify(INTENTS)}).to_string().into())).await;
    client.event("READY").await;
}

#[tokio::test]
async fn version_9_is_served_too() {
    let server = Server::start().await;
    let mut client = server.connect_with("v=9&encoding=json").await;
    client.send(2, identify(INTENTS)).await;
    assert_eq!(client.event("READY").await["v"], 9);
}

#[tokio::test]
async fn what_is_not_spoken_is_refused_with_a_code() {
    let server = Server::start().await;
    for (query, code) in [
        ("v=6&encoding=json", 4012),
        ("v=ten", 4012),
        ("v=10&encoding=etf", 4002),
        ("v=10&encoding=json&compress=brotli-stream", 4002),
    ] {
        assert_eq!(Client::connect(&server.url(query)).await.end().await, End::Close(code), "{query}");
    }
}
