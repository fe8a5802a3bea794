#!/usr/bin/env bash
# serenity: HttpBuilder::proxy has no effect while serenity's own rate limiter is on, which is the default.
#
# A good guess: after HttpBuilder::new(token).proxy(url) every request to the API goes to url, and disabling the rate
#   limiter as well is a matter of who counts. The documentation says "in most cases" for the pair.
# What happens: with the rate limiter on, the request is built without the proxy and goes to discord.com, token and all.
# Package: serenity 0.12.5, feature "http".
# Source: src/http/ratelimiting.rs, Ratelimiter::perform, calls Request::build with None for the proxy;
#   src/http/client.rs, Http::request, passes the proxy only where there is no rate limiter.
#   Documentation: docs.rs/serenity/0.12.5, HttpBuilder::proxy and HttpBuilder::ratelimiter_disabled.
# Protocol: discord/discord-api-docs, developers/events/gateway.mdx, "Get Gateway" (needs no authentication).
# Affected: bots behind an API proxy that several processes share (its limits miss these requests), and tests against a
#   local server, which reach the real API. A way around: ratelimiter_disabled(true) with every proxy.
#
# How it is shown: the name discord.com is resolved to loopback, so that nothing leaves the machine. One listener there
# stands for discord.com and looks for that name in the TLS greeting; another is the proxy.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
mkdir src

cat >Cargo.toml <<'TOML'
[package]
name = "finding"
version = "0.0.0"
edition = "2021"

[dependencies]
# What serenity takes; pinned since serenity accepts any newer version.
reqwest = { version = "=0.12.28", default-features = false }
tokio = { version = "=1.54.1", features = ["io-util", "macros", "net", "rt"] }

[dependencies.serenity]
version = "=0.12.5"
default-features = false
features = ["builder", "http", "rustls_backend"]

[profile.dev]
debug = false
incremental = false
TOML

cat >src/main.rs <<'RUST'
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::Arc;

use serenity::all::HttpBuilder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Counts the connections whose first bytes contain `mark`, and answers each in plain HTTP.
async fn listen(mark: &'static str) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut start = vec![0; 8192];
            let read = stream.read(&mut start).await.unwrap();
            if start[..read].windows(mark.len()).any(|bytes| bytes == mark.as_bytes()) {
                counted.fetch_add(1, SeqCst);
            }
            let body = r#"{"url":"wss://gateway.discord.gg"}"#;
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: ";
            let _ = stream.write_all(format!("{head}{}\r\n\r\n{body}", body.len()).as_bytes()).await;
        }
    });
    (address, count)
}

/// One GET /gateway; how many requests reached the proxy, and how many discord.com.
async fn requests(ratelimiter_disabled: bool) -> (usize, usize) {
    let (proxy, at_proxy) = listen("GET /api/v10/gateway ").await;
    let (discord, at_discord) = listen("discord.com").await;
    let client = reqwest::Client::builder().no_proxy().resolve("discord.com", discord).build().unwrap();
    let http = HttpBuilder::new("token")
        .client(client)
        .proxy(format!("http://{proxy}"))
        .ratelimiter_disabled(ratelimiter_disabled)
        .build();
    // What came back does not matter: the listener for discord.com speaks no TLS.
    let _ = http.get_gateway().await;
    (at_proxy.load(SeqCst), at_discord.load(SeqCst))
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let (on, off) = (requests(false).await, requests(true).await);
    let holds = on.0 == 0 && on.1 > 0 && off == (1, 0);
    let word = if holds { "holds" } else { "CHANGED" };
    println!(
        "{word}: serenity 0.12.5, one request with HttpBuilder::proxy set: by default {} at the proxy and {} at \
         discord.com; with ratelimiter_disabled {} at the proxy and {} at discord.com",
        on.0, on.1, off.0, off.1
    );
    std::process::exit(i32::from(!holds));
}
RUST

CARGO_TARGET_DIR=$dir/target cargo run --quiet
