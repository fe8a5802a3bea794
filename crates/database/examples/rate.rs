//! Measures documents on SQLite beside plain sqlx with the same settings, in turn: `./dev-env.sh bench --database`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use database::{Database, DatabaseAddress};
use sdk_core::PluginId;
use sdk_core::database::{DocumentKey, Engine, NewDocument, Scope};
use sdk_core::host::Host;
use sdk_core::server::ServerSetting;
use sdk_core::settings::Settings;
use serde_json::{Value, json};
use serenity::all::GuildId;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use tokio::task::JoinSet;

/// Writers at the same time.
const WRITERS: u64 = 64;
const GUILDS: u64 = 1000;
const ROUNDS: usize = 5;
const SECONDS: Duration = Duration::from_secs(2);
const READS: usize = 200_000;

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn key(guild: u64) -> DocumentKey {
    let scope = Scope::Guild(GuildId::new(guild + 1));
    DocumentKey { plugin: PluginId::new("commands/one"), kind: "settings".to_owned(), scope }
}

fn settings(number: u64) -> Value {
    json!({ "greeting": "Welcome to the server!", "channel": 1_573_614_736_073_949_184_u64, "count": number })
}

/// Calls `write` from all writers for a while. Returns the writes a second.
async fn rate<F, W>(write: W) -> Result<f64, Failure>
where
    F: Future<Output = Result<(), Failure>> + Send,
    W: Fn(u64) -> F + Clone + Send + Sync + 'static,
{
    let began = Instant::now();
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let write = write.clone();
        writers.spawn(async move {
            let mut number = 0;
            while began.elapsed() < SECONDS {
                write(writer * 7919 + number).await?;
                number += 1;
            }
            Ok::<_, Failure>(number)
        });
    }
    let mut total = 0_u32;
    while let Some(written) = writers.join_next().await {
        total += u32::try_from(written??)?;
    }
    Ok(f64::from(total) / began.elapsed().as_secs_f64())
}

async fn documents(folder: &std::path::Path) -> Result<f64, Failure> {
    let engine = Arc::new(Database::open(DatabaseAddress::file(folder.join("documents.db"))).await?);
    rate(move |number| {
        let engine = engine.clone();
        async move {
            let document = NewDocument { version: 1, value: settings(number) };
            engine.write_document(&key(number % GUILDS), Some(document), None).await?;
            Ok(())
        }
    })
    .await
}

async fn plain(folder: &std::path::Path) -> Result<f64, Failure> {
    let options = SqliteConnectOptions::new()
        .filename(folder.join("plain.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
    sqlx::query("CREATE TABLE IF NOT EXISTS settings (guild BIGINT PRIMARY KEY, body TEXT NOT NULL)")
        .execute(&pool)
        .await?;
    rate(move |number| {
        let pool = pool.clone();
        async move {
            sqlx::query(
                "INSERT INTO settings VALUES ($1, $2) ON CONFLICT (guild) DO UPDATE SET body = excluded.body",
            )
            .bind(i64::try_from(number % GUILDS)?)
            .bind(settings(number).to_string())
            .execute(&pool)
            .await?;
            Ok(())
        }
    })
    .await
}

/// Returns the median and the 99th percentile of reads, in microseconds.
async fn reads(folder: &std::path::Path) -> Result<(f64, f64), Failure> {
    let engine = Database::open(DatabaseAddress::file(folder.join("documents.db"))).await?;
    let mut times = Vec::with_capacity(READS);
    for number in 0..READS as u64 {
        let key = key(number * 7919 % GUILDS);
        let began = Instant::now();
        let document = engine.document(&key).await?;
        times.push(began.elapsed());
        assert!(document.is_some());
    }
    Ok(percentiles(times))
}

/// Returns the median and the 99th percentile of reads of a setting, and of looking up whether a plugin is switched
/// off, in microseconds. A third of the servers have set something.
async fn settings_of_servers(folder: &std::path::Path) -> Result<[(f64, f64); 2], Failure> {
    const LIMIT: ServerSetting<i64> = ServerSetting::integer("limit", "How many", 1..=100, 10);
    let engine = Arc::new(Database::open(DatabaseAddress::file(folder.join("servers.db"))).await?);
    let plugin = PluginId::new("commands/one");
    for guild in (0..GUILDS).step_by(3) {
        for (plugin, kind, value) in [
            (plugin.clone(), "hotcord_settings", json!({ "limit": 50, "style": "long" })),
            (PluginId::new("hotcord"), "server_rules", json!({ "commands_off": ["ping"] })),
        ] {
            let scope = Scope::Guild(GuildId::new(guild + 1));
            let key = DocumentKey { plugin, kind: kind.to_owned(), scope };
            engine.write_document(&key, Some(NewDocument { version: 1, value }), None).await?;
        }
    }
    let host = Host::builder("1.0.0", Settings::default()).database(Some(engine)).build();
    host.servers().watch_rules().load().await;
    let (mut settings, mut rules) = (Vec::with_capacity(READS), Vec::with_capacity(READS));
    for number in 0..READS as u64 {
        let at = number * 7919 % GUILDS;
        let guild = GuildId::new(at + 1);
        let began = Instant::now();
        let server = host.servers().settings_of(plugin.clone(), guild, host.settings());
        let limit = server.get(LIMIT).await?;
        settings.push(began.elapsed());
        let has_set = at.is_multiple_of(3);
        assert_eq!(limit, if has_set { 50 } else { 10 });
        let began = Instant::now();
        let is_off = host.servers().is_off(guild, &plugin, Some("ping"));
        rules.push(began.elapsed());
        assert_eq!(is_off, has_set);
    }
    Ok([percentiles(settings), percentiles(rules)])
}

/// Returns the median and the 99th percentile, in microseconds.
fn percentiles(mut times: Vec<Duration>) -> (f64, f64) {
    times.sort();
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    (micros(times[times.len() / 2]), micros(times[times.len() * 99 / 100]))
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        let (one, other) = (documents(folder.path()).await?, plain(folder.path()).await?);
        println!("round {round}: documents {one:.0} writes a second, plain sqlx {other:.0}");
        ours.push(one);
        theirs.push(other);
    }
    let (ours, theirs) = (median(ours), median(theirs));
    println!(
        "median of {WRITERS} writers: documents {ours:.0} writes a second, plain sqlx {theirs:.0}, ratio {:.2}",
        ours / theirs
    );
    let (p50, p99) = reads(folder.path()).await?;
    println!("{READS} reads of {GUILDS} documents: p50 {p50:.1} us, p99 {p99:.1} us");
    let [settings, rules] = settings_of_servers(folder.path()).await?;
    for (what, (p50, p99)) in [("reads of a setting", settings), ("looks whether a command is off", rules)] {
        println!("{READS} {what} in {GUILDS} servers: p50 {p50:.1} us, p99 {p99:.1} us");
    }
    Ok(())
}
