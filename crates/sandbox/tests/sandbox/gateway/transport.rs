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
        let id = client.event("MESSAGE_CREATE").await["id"].clone();
        // Only an id as short as a test's is a number in ETF; libraries get text for all others.
        assert_eq!(id.as_str().map_or_else(|| id.to_string(), str::to_owned), number.to_string());
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
async fn etf_is_served_plain_and_with_both_compressions() {
    for compress in ["", "&compress=zlib-stream", "&compress=zstd-stream"] {
        assert_eq!(converse(&format!("v=10&encoding=etf{compress}")).await.binary, 55, "{compress}");
    }
}

#[tokio::test]
async fn etf_of_a_client_has_text_as_keys_and_comes_in_binary_frames() {
    let server = Server::start().await;
    let heartbeat = json!({"op": 1, "d": null});
    let mut atoms = sandbox::gateway::etf::encode(&heartbeat);
    for wrong in [
        Message::Text(heartbeat.to_string().into()),
        Message::Binary(heartbeat.to_string().into()),
        Message::Binary(std::mem::take(&mut atoms).into()),
        Message::Binary(vec![131, 106].into()),
    ] {
        let mut client = server.connect_with("v=10&encoding=etf").await;
        client.send_raw(wrong).await;
        assert_eq!(client.end().await, End::Close(4002));
    }
    let mut client = server.connect_with("v=10&encoding=etf").await;
    client.send(1, json!(null)).await;
    client.op(11).await;
}

#[tokio::test]
async fn ids_in_etf_are_integers_and_a_session_is_resumed_in_either_encoding() {
    let server = Server::start().await;
    let mut client = server.connect_with("v=10&encoding=etf").await;
    client.identify(INTENTS).await;
    let ready = client.event("READY").await;
    assert_eq!(ready["guilds"][0]["id"], json!(crate::gateway::world::GUILD.0));
    assert!(ready["session_id"].is_string());
    let mut again = server.connect().await;
    again.resume(&client.session_id, 1).await;
    assert_eq!(again.event("GUILD_CREATE").await["id"], crate::gateway::world::GUILD.to_string());
}

#[tokio::test]
async fn hello_comes_a_moment_after_the_answer_to_the_upgrade() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let options = Options { hello_after: std::time::Duration::from_secs(1), ..Options::default() };
    let server = Server::with(options, World::default()).await;
    let url = server.url("v=10&encoding=json");
    let (host, path) = url.trim_start_matches("ws://").split_once('/').unwrap();
    let mut socket = tokio::net::TcpStream::connect(host).await.unwrap();
    let request = format!(
        "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = vec![0; 4096];
    let length = socket.read(&mut answer).await.unwrap();
    let first = String::from_utf8_lossy(&answer[..length]).into_owned();
    assert!(first.starts_with("HTTP/1.1 101") && first.ends_with("\r\n\r\n"), "{first}");
    let length = socket.read(&mut answer).await.unwrap();
    assert!(String::from_utf8_lossy(&answer[..length]).contains("heartbeat_interval"));
}

#[tokio::test]
async fn a_text_as_compress_is_no_compression() {
    let options = Options { compress_from: 100, ..Options::default() };
    let server = Server::with(options, World::default()).await;
    let mut client = server.connect().await;
    let mut data = identify(INTENTS);
    data["compress"] = json!("zlib-stream");
    client.send(2, data).await;
    client.event("READY").await;
    client.until_ack().await;
    assert_eq!(client.binary, 0);
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
        ("v=10&encoding=bert", 4002),
        ("v=10&encoding=json&compress=brotli-stream", 4002),
    ] {
        assert_eq!(Client::connect(&server.url(query)).await.end().await, End::Close(code), "{query}");
    }
}
