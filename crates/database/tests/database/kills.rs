//! A process that is killed at any moment: nothing that was acknowledged is lost, and no timer runs twice.
//!
//! `DATABASE_KILLS` is the number of kills, 12 by default and 200 in `./dev-env.sh test --slow`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use database::{Database, DatabaseAddress};
use sdk_core::PluginId;
use sdk_core::checkpoint::Checkpoint;
use sdk_core::database::{DocumentKey, Engine, NewDocument, Scope};
use sdk_core::host::Host;
use sdk_core::settings::Settings;
use serde_json::json;
use serenity::all::GuildId;

use crate::place::Place;

const WRITERS: usize = 4;
const PATIENCE: Duration = Duration::from_mins(1);

/// What the processes have told.
#[derive(Default)]
struct Told {
    documents: [Option<u64>; WRITERS],
    /// Timers whose setting was acknowledged.
    set: BTreeSet<u64>,
    /// How often each timer has run without an interruption before.
    ran: BTreeMap<u64, u32>,
    /// Those that have run at all.
    run: BTreeSet<u64>,
    /// Timers whose end was acknowledged.
    done: BTreeSet<u64>,
}

impl Told {
    /// Takes a line. Returns whether it is one of the writer's.
    fn take(&mut self, line: &str) -> bool {
        let words = line.split(' ').collect::<Vec<_>>();
        match words.as_slice() {
            ["wrote", task, number] => {
                self.documents[task.parse::<usize>().unwrap()] = Some(number.parse().unwrap());
            }
            ["set", number] => _ = self.set.insert(number.parse().unwrap()),
            ["ran", number, interrupted] => {
                let number = number.parse().unwrap();
                assert!(!self.done.contains(&number), "timer {number} runs again after its end");
                self.run.insert(number);
                if *interrupted == "false" {
                    *self.ran.entry(number).or_default() += 1;
                }
            }
            ["done", number] => _ = self.done.insert(number.parse().unwrap()),
            _ => return false,
        }
        true
    }
}

/// Runs copies of this test program that write until they are killed; see `a_writer_for_the_next_test`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_and_no_timer_runs_twice_when_the_process_is_killed() {
    let kills = std::env::var("DATABASE_KILLS").map_or(12, |kills| kills.parse::<u64>().unwrap());
    let place = Place::file();
    let folder = place.folder.as_ref().unwrap().path().to_owned();
    let mut told = Told::default();
    for round in 0..kills {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "kills::a_writer_for_the_next_test", "--nocapture", "--test-threads=1"])
            .env("WRITER_FOLDER", &folder)
            .env("WRITER_ROUND", round.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let (mut seen, mut is_killed) = (0, false);
        for line in lines {
            seen += u64::from(told.take(&line));
            if !is_killed && seen == 20 + round * 7 % 83 {
                child.kill().unwrap();
                is_killed = true;
            }
        }
        child.wait().unwrap();
        assert!(is_killed, "the writer ended by itself");
    }

    let running = Timers::open(&folder).await;
    while !running.host.scheduler().is_empty() {
        let timer = running.host.scheduler().next(|_, _| true).await.claimed().await.unwrap();
        told.take(&format!("ran {} {}", timer.key, timer.interrupted));
        running.host.scheduler().finish(timer);
    }
    let lost: Vec<_> = told.set.difference(&told.run).collect();
    assert!(lost.is_empty(), "of {} timers that were set, {lost:?} are lost", told.set.len());
    let twice: Vec<_> = told.ran.iter().filter(|(_, runs)| **runs > 1).collect();
    assert!(twice.is_empty(), "{twice:?} have run more than once");
    assert!(told.done.len() > 20, "{} timers have run", told.done.len());
    for (task, last) in told.documents.into_iter().enumerate() {
        let stored = running.database.document(&key(task)).await.unwrap().unwrap();
        let stored = stored.value.as_u64().unwrap();
        // The last one may have been written and not told.
        assert!(stored >= last.unwrap(), "task {task}: {stored} of {last:?}");
    }
}

fn key(task: usize) -> DocumentKey {
    let scope = Scope::Guild(GuildId::new(task as u64 + 1));
    DocumentKey { plugin: PluginId::new("commands/one"), kind: "count".to_owned(), scope }
}

/// A host whose timers are kept.
struct Timers {
    database: Arc<Database>,
    host: Host,
}

impl Timers {
    async fn open(folder: &Path) -> Self {
        let database = Database::open(DatabaseAddress::file(folder.join("bot.db"))).await.unwrap();
        let database = Arc::new(database);
        let host = Host::builder("1.0.0", Settings::default()).database(Some(database.clone())).build();
        let checkpoint = Checkpoint::open(&host, None, 77).await.unwrap();
        tokio::spawn(checkpoint.keep());
        Self { database, host }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_for_the_next_test() {
    let Some(folder) = std::env::var_os("WRITER_FOLDER") else { return };
    let round: u64 = std::env::var("WRITER_ROUND").unwrap().parse().unwrap();
    // Ends the line that the test program has begun.
    println!();
    let Timers { database, host } = Timers::open(Path::new(&folder)).await;
    for task in 0..WRITERS {
        let engine = database.clone();
        tokio::spawn(async move {
            let first =
                engine.document(&key(task)).await.unwrap().map_or(0, |stored| stored.value.as_u64().unwrap());
            for number in first + 1.. {
                let document = NewDocument { version: 1, value: json!(number) };
                assert!(engine.write_document(&key(task), Some(document), None).await.unwrap());
                println!("wrote {task} {number}");
            }
        });
    }
    let setter = host.clone();
    tokio::spawn(async move {
        for number in round * 1_000_000.. {
            let scheduler = setter.scheduler();
            let delay = Duration::from_millis(number % 5 * 3);
            let set = scheduler.set(
                &PluginId::new("commands/one"),
                "close",
                &number.to_string(),
                delay,
                json!(number),
            );
            scheduler.written(set.unwrap()).await;
            println!("set {number}");
        }
    });
    let runs = async {
        loop {
            let due = host.scheduler().next(|_, _| true).await;
            let host = host.clone();
            tokio::spawn(async move {
                let Some(timer) = due.claimed().await else { return };
                println!("ran {} {}", timer.key, timer.interrupted);
                let key = timer.key.clone();
                host.scheduler().written(host.scheduler().finish(timer)).await;
                println!("done {key}");
            });
        }
    };
    tokio::time::timeout(PATIENCE, runs).await.unwrap_or(());
}
