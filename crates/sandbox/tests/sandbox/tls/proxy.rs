//! The proxy that leads names of other servers to the sandbox.

use sandbox::Sandbox;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{Gateway, get, secure, trusting};
use crate::api::bot::PATIENCE;

const NAMES: [&str; 3] = ["discord.com", "gateway.discord.gg", "cdn.discordapp.com"];

/// Asks a proxy for a tunnel, and returns the stream and the head of the answer.
async fn connect(sandbox: &Sandbox, target: &str) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(sandbox.address()).await.unwrap();
    let request = format!("CONNECT {target} HTTP/1.1\r\nhost: {target}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(timeout(PATIENCE, stream.read_u8()).await.unwrap().unwrap());
    }
    (stream, String::from_utf8(head).unwrap())
}

#[tokio::test]
async fn a_bot_with_built_in_hosts_reaches_the_sandbox_by_the_proxy() {
    let sandbox = Sandbox::builder().tls(NAMES).proxy().start().await.unwrap();
    let proxy = sandbox.proxy_url().unwrap();
    let http = trusting(&sandbox).proxy(reqwest::Proxy::https(&proxy).unwrap()).build().unwrap();
    let bot = get(&http, &sandbox, "https://discord.com/api/v10/gateway/bot").await;
    assert_eq!(bot["url"], "wss://gateway.discord.gg");

    let (stream, head) = connect(&sandbox, "gateway.discord.gg:443").await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let stream = secure(stream, "gateway.discord.gg", sandbox.root_certificate()).await.unwrap();
    let mut gateway = Gateway::open("wss://gateway.discord.gg", stream).await.unwrap();
    let ready = gateway.identify(&sandbox).await;
    assert_eq!(ready["resume_gateway_url"], "wss://gateway.discord.gg");
    let channel = sandbox.channel_id("general").unwrap();
    let url = format!("https://discord.com/api/v10/channels/{channel}/messages");
    let request = http.post(url).header("authorization", format!("Bot {}", sandbox.token()));
    assert_eq!(request.json(&json!({ "content": "hi" })).send().await.unwrap().status(), 200);
    assert_eq!(gateway.event("MESSAGE_CREATE").await["d"]["content"], "hi");

    // The websocket of a call, whose endpoint is not one of the names.
    let endpoint = sandbox.voice().endpoints().next().unwrap().1.to_owned();
    let (stream, head) = connect(&sandbox, &endpoint).await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    secure(stream, "127.0.0.1", sandbox.root_certificate()).await.unwrap();
}

#[tokio::test]
async fn the_proxy_leads_nowhere_else() {
    let sandbox = Sandbox::builder().tls(NAMES).proxy().start().await.unwrap();
    let elsewhere = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = elsewhere.local_addr().unwrap().port();
    for target in [
        "example.com:443",
        "canary.discord.com:443",
        "discord.com:80",
        "discord.com:22",
        &format!("discord.com:{port}"),
        &format!("127.0.0.1:{port}"),
        &format!("localhost:{port}"),
        "discord.com",
    ] {
        let (_, head) = connect(&sandbox, target).await;
        assert!(head.starts_with("HTTP/1.1 4"), "{target}: {head}");
    }
    let taken = timeout(std::time::Duration::ZERO, elsewhere.accept()).await;
    assert!(taken.is_err(), "a tunnel was dug");
    // A proxy for requests without TLS it is not.
    let http =
        reqwest::Client::builder().proxy(reqwest::Proxy::http(sandbox.local_url()).unwrap()).build().unwrap();
    assert_eq!(http.get("http://example.com/").send().await.unwrap().status(), 403);
    // Through TLS, as from another machine, there is none.
    let stream = TcpStream::connect(sandbox.address()).await.unwrap();
    let mut stream = secure(stream, "localhost", sandbox.root_certificate()).await.unwrap();
    stream.write_all(b"CONNECT discord.com:443 HTTP/1.1\r\nhost: discord.com:443\r\n\r\n").await.unwrap();
    let mut head = [0; 12];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 403");
}

#[tokio::test]
async fn there_is_no_proxy_unless_it_is_asked_for() {
    for sandbox in [Sandbox::builder().tls(NAMES), Sandbox::builder()] {
        let sandbox = sandbox.start().await.unwrap();
        assert_eq!(sandbox.proxy_url(), None);
        let (_, head) = connect(&sandbox, "discord.com:443").await;
        assert!(head.starts_with("HTTP/1.1 4"), "{head}");
    }
}
