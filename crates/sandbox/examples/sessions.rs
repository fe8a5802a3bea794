//! Opens gateway sessions of one bot, and counts the messages that they receive until its standard input ends.
//! `sessions GATEWAY TOKEN [COUNT]`, with the gateway's address as `ws://...`; by default 20 sessions. Used by
//! `./dev-env.sh bench --sandbox`.

use std::io::Read as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Intents GUILDS, `GUILD_MESSAGES` and `MESSAGE_CONTENT`.
const INTENTS: u64 = 1 | 1 << 9 | 1 << 15;

/// Time after which a session that was refused identifies again.
const AGAIN: Duration = Duration::from_secs(1);

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let (Some(gateway), Some(token)) = (arguments.next(), arguments.next()) else {
        return Err("usage: sessions GATEWAY TOKEN [COUNT]".into());
    };
    let count = arguments.next().map_or(Ok(20), |count| count.parse::<usize>())?;
    let received = Arc::new(AtomicU64::new(0));
    let (ready, mut all) = mpsc::channel(count.max(1));
    for _ in 0..count {
        let (gateway, token) = (gateway.clone(), token.clone());
        let (ready, received) = (ready.clone(), Arc::clone(&received));
        tokio::spawn(async move {
            if let Err(error) = session(&gateway, &token, &ready, &received).await {
                eprintln!("a session ended: {error}");
                std::process::exit(1);
            }
        });
    }
    for _ in 0..count {
        all.recv().await;
    }
    println!("{count} sessions");
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    println!("{} messages", received.load(Ordering::Relaxed));
    Ok(())
}

async fn session(
    gateway: &str,
    token: &str,
    ready: &mpsc::Sender<()>,
    received: &AtomicU64,
) -> Result<(), Failure> {
    let (mut socket, _) = tokio_tungstenite::connect_async(format!("{gateway}/?v=10&encoding=json")).await?;
    let identify =
        json!({ "op": 2, "d": { "token": token, "intents": INTENTS, "properties": {} } }).to_string();
    let mut heartbeat: Option<tokio::time::Interval> = None;
    let mut sequence = Value::Null;
    loop {
        let beat = async {
            match &mut heartbeat {
                Some(interval) => interval.tick().await,
                None => std::future::pending().await,
            }
        };
        let frame = tokio::select! {
            frame = socket.next() => frame,
            _ = beat => {
                socket.send(Message::text(json!({ "op": 1, "d": sequence }).to_string())).await?;
                continue;
            }
        };
        let Some(frame) = frame else { return Err("the sandbox closed the connection".into()) };
        let Message::Text(text) = frame? else { continue };
        // Messages are only counted, so that the client costs little beside what is measured.
        if text.contains(r#""t":"MESSAGE_CREATE""#) {
            received.fetch_add(1, Ordering::Relaxed);
            continue;
        }
        let event: Value = serde_json::from_str(&text)?;
        if !event["s"].is_null() {
            sequence = event["s"].clone();
        }
        match event["op"].as_u64() {
            Some(10) => {
                let every = event["d"]["heartbeat_interval"].as_u64().unwrap_or(40_000);
                heartbeat = Some(tokio::time::interval(Duration::from_millis(every)));
                socket.send(Message::text(identify.clone())).await?;
            }
            // Sessions may start only so fast.
            Some(9) => {
                tokio::time::sleep(AGAIN).await;
                socket.send(Message::text(identify.clone())).await?;
            }
            _ if event["t"] == "READY" => ready.send(()).await?,
            _ => {}
        }
    }
}
