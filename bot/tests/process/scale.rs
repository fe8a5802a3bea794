//! Several processes of one bot, which share its shards through PostgreSQL, on a sandbox of many servers.
//!
//! `SCALE` is `large` in `./dev-env.sh test --slow`: 12 shards and 3,000 servers.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::{Duration, Instant};

use sandbox::Sandbox;
use sandbox::client::Run;
use sandbox::event_log::Event;
use sandbox::gateway::Options;
use sandbox::seed::Seed;
use sdk::tokio;
use sdk::tokio::process::{Child, Command};
use sdk::tokio::task::JoinSet;
use tempfile::TempDir;

use crate::server::Server;

/// The last time between two IDENTIFYs of a bucket that Discord takes.
const SPACING_US: u64 = 5_000_000;
/// Longest time from the death of a process until its shards have sessions again: the lease, and an IDENTIFY after the
/// other for each bucket.
const REPLACED_WITHIN: Duration = Duration::from_secs(90);
const AGAIN: Duration = Duration::from_millis(200);

struct Bot {
    child: Child,
    _folder: TempDir,
}

impl Bot {
    fn start(discord: &Sandbox, database: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_hotcord"));
        command
            .env_clear()
            .env("APP_ENV", "production")
            .env("DATABASE_URL", database)
            .env("DISCORD_API_URL", discord.api_url())
            .env("DISCORD_TOKEN", discord.token())
            .env("HEALTH_ADDR", "off")
            .env("SHARDS", "auto")
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        Self { child: command.spawn().unwrap(), _folder: folder }
    }
}

/// Times of the sessions that began, by shard, in microseconds since 1970.
fn sessions(discord: &Sandbox) -> BTreeMap<u32, Vec<u64>> {
    let mut sessions = BTreeMap::<u32, Vec<u64>>::new();
    for entry in discord.event_log().read(1, usize::MAX).entries {
        if let Event::Identified { shard, .. } = &entry.event {
            sessions.entry(shard[0]).or_default().push(entry.at_us);
        }
    }
    sessions
}

/// Runs a command in each of these servers. Returns how many were answered; none may be answered twice.
async fn ask(discord: &Sandbox, guilds: &[String]) -> usize {
    let mut work = JoinSet::new();
    for guild in guilds {
        let (client, guild) = (discord.client().clone(), guild.clone());
        work.spawn(async move {
            let run = Run::typed("/ping").in_guild(guild.as_str()).at("channel-1");
            let answer = client.run(run.settle(Duration::from_millis(200))).await.unwrap();
            assert!(answer.callbacks <= 1, "{guild}: {answer:?}");
            answer.callbacks == 1 && answer.is_ok()
        });
    }
    work.join_all().await.into_iter().filter(|answered| *answered).count()
}

/// Waits until a command is answered in each of these servers.
async fn all_answer(discord: &Sandbox, guilds: &[String], began: Instant) -> (Duration, usize) {
    let mut lost = 0;
    loop {
        let answered = ask(discord, guilds).await;
        if answered == guilds.len() {
            return (began.elapsed(), lost);
        }
        lost += guilds.len() - answered;
        assert!(began.elapsed() < REPLACED_WITHIN, "{answered} of {} servers answer", guilds.len());
        tokio::time::sleep(AGAIN).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_process_is_replaced_by_the_others_and_no_event_is_handled_twice() {
    let Some(server) = Server::start().unwrap() else { return };
    let is_large = std::env::var("SCALE").is_ok_and(|scale| scale == "large");
    let (shards, servers) = if is_large { (12, 3_000) } else { (6, 60) };
    let database = server.database("bot");
    let max_concurrency = 3;
    let options = Options { shards, max_concurrency, limit_identify: true, ..Options::default() };
    let discord = Sandbox::builder().seed(Seed::large(servers, 1)).gateway(options).start().await.unwrap();
    // One in each few, of all shards.
    let names = (1..=servers).step_by(servers as usize / 30);
    let guilds: Vec<String> = names
        .map(|number| if number == 1 { "Guild".to_owned() } else { format!("Guild {number}") })
        .collect();

    let mut bots: Vec<Bot> = (0..3).map(|_| Bot::start(&discord, &database)).collect();
    let began = Instant::now();
    while sessions(&discord).len() < shards as usize {
        assert!(began.elapsed() < REPLACED_WITHIN, "{:?}", sessions(&discord));
        tokio::time::sleep(AGAIN).await;
    }
    all_answer(&discord, &guilds, Instant::now()).await;
    println!("{shards} shards over 3 processes: {} ms", began.elapsed().as_millis());
    for _ in 0..3 {
        let mut killed = bots.remove(0);
        killed.child.kill().await.unwrap();
        let (time, lost) = all_answer(&discord, &guilds, Instant::now()).await;
        println!(
            "a process was killed: all servers answered again after {} ms; until then {lost} commands got no answer",
            time.as_millis()
        );
        bots.push(Bot::start(&discord, &database));
    }
    let mut buckets = BTreeMap::<u32, Vec<u64>>::new();
    for (shard, times) in sessions(&discord) {
        buckets.entry(shard % max_concurrency).or_default().extend(times);
    }
    for (bucket, mut times) in buckets {
        times.sort_unstable();
        for pair in times.windows(2) {
            assert!(pair[1] - pair[0] >= SPACING_US, "bucket {bucket}: {} us", pair[1] - pair[0]);
        }
    }
    let refused = discord
        .event_log()
        .read(1, usize::MAX)
        .entries
        .into_iter()
        .filter(|entry| matches!(&entry.event, Event::Sent { op, .. } if *op == 9));
    assert_eq!(refused.count(), 0, "IDENTIFYs were refused");
}
