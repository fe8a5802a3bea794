//! Measures a world of many guilds: how long it takes to start, how much memory it needs, and how a bot with one shard
//! gets it. `cargo run --release -p sandbox --example large_world [GUILDS [CHANNELS]]`, by default 10000 and 50.

use std::time::Instant;

use futures_util::{SinkExt as _, StreamExt as _};
use sandbox::Sandbox;
use sandbox::gateway::Options;
use sandbox::seed::Seed;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

/// Intents GUILDS and GUILD_MESSAGES.
const INTENTS: u64 = 1 | 1 << 9;

/// Returns a figure of this process's memory in MiB, as Linux counts it: `VmRSS` now, `VmHWM` at most.
fn memory(figure: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(figure)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) / 1024
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<u32>());
    let guilds = arguments.next().transpose()?.unwrap_or(10_000);
    let channels = arguments.next().transpose()?.unwrap_or(50);
    let began = Instant::now();
    let gateway = Options { guilds_per_shard: usize::MAX, ..Options::default() };
    let sandbox = Sandbox::builder().gateway(gateway).seed(Seed::large(guilds, channels)).start().await?;
    println!(
        "{guilds} guilds of {channels} channels: started in {:.2} s, {} MiB",
        began.elapsed().as_secs_f64(),
        memory("VmRSS")
    );

    let began = Instant::now();
    let url = format!("{}/?v=10&encoding=json", sandbox.gateway_url());
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await?;
    let identify =
        json!({ "op": 2, "d": { "token": sandbox.token(), "intents": INTENTS, "properties": {} } });
    socket.send(Message::text(identify.to_string())).await?;
    let (mut received, mut bytes) = (0, 0);
    while received < guilds {
        let Some(frame) = socket.next().await else { return Err("the connection ended".into()) };
        let Message::Text(text) = frame? else { continue };
        bytes += text.len();
        // Only what tells events apart is read, so that the client does not count.
        let name = |name: &str| text.contains(&format!("\"t\":\"{name}\""));
        if name("READY") {
            let ready: Value = serde_json::from_str(&text)?;
            let listed = ready["d"]["guilds"].as_array().map_or(0, Vec::len);
            println!("READY with {listed} guilds after {:.2} s", began.elapsed().as_secs_f64());
        } else if name("GUILD_CREATE") {
            received += 1;
        }
    }
    println!(
        "{received} GUILD_CREATE, {} MiB, after {:.2} s; {} MiB of memory, {} MiB at most",
        bytes >> 20,
        began.elapsed().as_secs_f64(),
        memory("VmRSS"),
        memory("VmHWM"),
    );
    let began = Instant::now();
    let saved = sandbox.discord().lock().save(sandbox::state::saved::Files::Inside)?;
    println!("saved in {:.2} s, {} MiB", began.elapsed().as_secs_f64(), saved.len() >> 20);
    let began = Instant::now();
    let read = sandbox::state::World::load(&saved, sandbox.url(), sandbox.url(), |_| {
        Err(std::io::ErrorKind::NotFound.into())
    })?;
    println!(
        "read in {:.2} s: {} guilds, {} channels",
        began.elapsed().as_secs_f64(),
        read.guilds.len(),
        read.channels.len()
    );
    sandbox.shutdown().await;
    Ok(())
}
