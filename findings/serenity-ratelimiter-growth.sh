#!/usr/bin/env bash
# serenity: the Ratelimiter keeps one entry for every interaction that was ever answered.
#
# A good guess: the map of rate limits has about one entry for each route, channel, guild and webhook in use, and an
#   entry is dropped some time after its limit was reset.
# What happens: the key of POST /interactions/{id}/{token}/callback holds the id of the interaction. An id is answered
#   once, within 3 seconds, and never comes again; its entry stays for the life of the process.
# Package: serenity 0.12.5, feature "http".
# Source: src/http/routing.rs, Route::InteractionResponse (PathAndId(interaction_id)); src/http/ratelimiting.rs,
#   Ratelimiter::perform: inserts with entry(), and nothing in the package removes.
# Protocol: discord/discord-api-docs, developers/interactions/receiving-and-responding.mdx, "Create Interaction
#   Response"; developers/topics/rate-limits.mdx, "Header Format" and the top-level resources that count for a limit
#   (channel, guild, webhook; not interaction).
# Affected: bots that run for weeks and answer slash commands, buttons or autocompletion (which asks while the user
#   types). A way around: remove old entries through Ratelimiter::routes().
#
# How it is shown: an HTTPS server on loopback in the same program stands for discord.com, with its own certificate, and
# answers 204 with a limit that is reset after 0.1 s. After 3000 answers, two seconds and one more answer, the entries
# are counted, and the growth of the heap since the hundredth answer.
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
rcgen = { version = "=0.14.10", default-features = false, features = ["crypto", "ring"] }
# What serenity takes; pinned since serenity accepts any newer version.
reqwest = { version = "=0.12.28", default-features = false }
serde_json = "=1.0.154"
tokio = { version = "=1.54.1", features = ["io-util", "macros", "net", "rt", "time"] }
tokio-rustls = { version = "=0.26.6", default-features = false, features = ["ring", "tls12"] }

[dependencies.serenity]
version = "=0.12.5"
default-features = false
features = ["builder", "http", "rustls_backend"]

[profile.dev]
debug = false
incremental = false
TOML

cat >src/main.rs <<'RUST'
use std::alloc::{GlobalAlloc, Layout, System};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::Arc;
use std::time::Duration;

use serenity::all::{Http, HttpBuilder, InteractionId};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::TlsAcceptor;

static LIVE: AtomicUsize = AtomicUsize::new(0);

/// Counts the bytes on the heap.
struct Counting;

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size(), Relaxed);
        System.alloc(layout)
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        System.dealloc(pointer, layout)
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Answers every request with 204 and a rate limit. Its address, and its certificate for discord.com.
async fn serve() -> (SocketAddr, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed(["discord.com".to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let chain = vec![certificate.clone()];
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut stream = BufReader::new(acceptor.accept(stream).await.unwrap());
                let (mut line, mut length) = (String::new(), 0);
                while stream.read_line(&mut line).await.is_ok_and(|read| read > 0) {
                    if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                        length = value.trim().parse().unwrap();
                    }
                    if line == "\r\n" {
                        stream.read_exact(&mut vec![0; length]).await.unwrap();
                        let answer = "HTTP/1.1 204 No Content\r\nx-ratelimit-limit: 5\r\nx-ratelimit-remaining: 4\r\n\
                            x-ratelimit-reset-after: 0.1\r\nx-ratelimit-bucket: abcd1234\r\n\r\n";
                        stream.write_all(answer.as_bytes()).await.unwrap();
                        stream.flush().await.unwrap();
                        length = 0;
                    }
                    line.clear();
                }
            });
        }
    });
    (address, certificate)
}

async fn answer(http: &Http, ids: std::ops::Range<u64>) {
    let response = serde_json::json!({ "type": 4, "data": { "content": "done" } });
    for id in ids {
        http.create_interaction_response(InteractionId::new(id), "token", &response, Vec::new()).await.unwrap();
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let (address, certificate) = serve().await;
    let client = reqwest::Client::builder()
        .no_proxy()
        .resolve("discord.com", address)
        .add_root_certificate(reqwest::Certificate::from_der(&certificate).unwrap())
        .build()
        .unwrap();
    let http = HttpBuilder::new("token").client(client).build();

    answer(&http, 1..101).await;
    let before = LIVE.load(Relaxed);
    answer(&http, 101..3001).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    answer(&http, 3001..3002).await;
    let grown = LIVE.load(Relaxed).saturating_sub(before);
    let entries = http.ratelimiter.as_ref().unwrap().routes().read().await.len();

    let holds = entries == 3001;
    let word = if holds { "holds" } else { "CHANGED" };
    println!(
        "{word}: serenity 0.12.5, 3001 interactions answered, all but the last limit reset over 1 s ago: the \
         Ratelimiter has {entries} entries; the heap grew by {} KiB",
        grown / 1024
    );
    std::process::exit(i32::from(!holds));
}
RUST

CARGO_TARGET_DIR=$dir/target cargo run --quiet
