//! Hosts that end and start again with the same database.

use std::fs;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use database::Database;
use sdk_core::checkpoint::Checkpoint;
use sdk_core::database::{Engine, Sql};
use sdk_core::generation::Generation;
use sdk_core::handover::{self, HandoverPolicy};
use sdk_core::host::Host;
use sdk_core::params;
use sdk_core::registry::Change;
use sdk_core::settings::Settings;
use sdk_core::state::{State, StateSlot};
use sdk_core::{Data, Error, Plugin, PluginEntry, PluginId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use serenity::async_trait;

use crate::place::{Place, Server, on_both};

fn since_1970() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    u64::try_from(now.as_millis()).unwrap()
}

const APPLICATION: u64 = 77;
const PATIENCE: Duration = Duration::from_mins(1);

#[derive(Default, Serialize, Deserialize)]
struct Counts {
    presses: u32,
}

impl State for Counts {}

/// Hands its data to the test.
struct Counter(&'static Mutex<Option<Data>>);

#[async_trait]
impl Plugin for Counter {
    fn state(&self) -> Option<StateSlot> {
        Some(StateSlot::of::<Counts>())
    }

    async fn start(&self, data: &Data) -> Result<(), Error> {
        *self.0.lock().unwrap() = Some(data.clone());
        Ok(())
    }
}

/// A host with its checkpoint.
struct Running {
    database: Arc<Database>,
    host: Host,
    checkpoint: Arc<Checkpoint>,
}

impl Running {
    async fn open(place: &Place) -> Self {
        Self::open_as(place, APPLICATION).await
    }

    async fn open_as(place: &Place, application: u64) -> Self {
        let database = place.open().await;
        let host = Host::builder("1.0.0", Settings::default()).database(Some(database.clone())).build();
        let file = place.folder.as_ref().map(|folder| folder.path().join("state.json"));
        let checkpoint = Checkpoint::open(&host, file, application).await.unwrap();
        Self { database, host, checkpoint }
    }

    /// Ends as a crash does: what is not written is lost.
    async fn crash(self) {
        self.database.close().await;
    }

    async fn end(self) {
        self.checkpoint.save().await;
        self.database.close().await;
    }

    async fn counter(&self, number: u64) -> (Arc<Generation>, Data) {
        static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
        static HANDED: Mutex<Option<Data>> = Mutex::new(None);
        static ENTRY: PluginEntry =
            PluginEntry::new("commands-counter", "1.0.0", "", || Box::new(Counter(&HANDED)));
        let _turn = TURN.lock().await;
        let generation = Generation::new(&ENTRY, number, &self.host).unwrap();
        generation.start(PATIENCE).await.unwrap();
        let data = HANDED.lock().unwrap().take().unwrap();
        let change = Change { install: vec![generation.clone()], remove: Vec::new() };
        handover::swap(&self.host, change, HandoverPolicy::default()).await.ok().unwrap();
        (generation, data)
    }
}

fn press(data: &Data) -> u32 {
    let press = |counts: &mut Counts| {
        counts.presses += 1;
        counts.presses
    };
    data.state::<Counts>().update(press).unwrap()
}

fn counter() -> PluginId {
    PluginId::new("commands/counter")
}

on_both! {
    async fn a_host_that_begins_again_remembers(place: Place) {
        let running = Running::open(&place).await;
        let (first, data) = running.counter(1).await;
        press(&data);
        press(&data);
        running.host.state_history().take(&first).unwrap();
        press(&data);
        data.store().put("greeting", &"hello").unwrap();
        data.store().put("gone", &"soon").unwrap();
        let number = running
            .host
            .scheduler()
            .set(&counter(), "close", "7", Duration::from_hours(1), json!([1, 2]))
            .unwrap();
        running.checkpoint.save().await;
        running.host.scheduler().written(number).await;
        data.store().remove("gone");
        running.end().await;

        let running = Running::open(&place).await;
        // A write before the plugin is back loses nothing.
        running.host.changes().mark();
        running.end().await;
        let running = Running::open(&place).await;
        assert_eq!(running.host.store().of(&counter()).get::<String>("greeting").unwrap().as_deref(), Some("hello"));
        assert_eq!(running.host.store().of(&counter()).get::<String>("gone").unwrap(), None);
        assert_eq!(running.host.scheduler().len(), 1);
        let (_, data) = running.counter(1).await;
        assert_eq!(press(&data), 4);
        assert_eq!(running.host.state_history().list(&counter())[0].state.value, json!({"presses": 2}));
        handover::restore_snapshot(&running.host, &counter(), 1).await.unwrap();
        assert_eq!(press(&data), 3);
    }

    async fn only_rows_that_differ_are_written_and_soon(place: Place) {
        let running = Running::open(&place).await;
        let (_, data) = running.counter(1).await;
        data.store().put("large", &"x".repeat(100_000)).unwrap();
        running.checkpoint.save().await;
        let sql = Sql::new(Some(running.database.clone()));
        // A row that is written again would be as it was.
        sql.execute("UPDATE hotcord_state SET body = '1' WHERE key = 'large'", Vec::new()).await.unwrap();
        let mut writes = running.checkpoint.writes();
        let keeping = tokio::spawn(running.checkpoint.clone().keep());
        for _ in 0..100 {
            press(&data);
        }
        let state = "SELECT body FROM hotcord_state WHERE area = 'state' AND plugin = $1";
        let written = async {
            loop {
                writes.changed().await.unwrap();
                let body: Option<String> = sql.fetch_value(state, params![counter().as_str()]).await.unwrap();
                if body.is_some_and(|body| body.contains("\"presses\":100}")) {
                    return *writes.borrow();
                }
            }
        };
        let count = tokio::time::timeout(PATIENCE, written).await.unwrap();
        assert!(count <= 10, "{count} writes for what came at once");
        let large: Option<String> =
            sql.fetch_value("SELECT body FROM hotcord_state WHERE key = 'large'", Vec::new()).await.unwrap();
        assert_eq!(large.as_deref(), Some("1"));
        keeping.abort();
    }

    async fn two_applications_do_not_share_what_they_remember(place: Place) {
        let running = Running::open(&place).await;
        let (_, data) = running.counter(1).await;
        press(&data);
        running.end().await;
        let other = Running::open_as(&place, 78).await;
        let (_, data) = other.counter(1).await;
        assert_eq!(press(&data), 1);
        other.end().await;
        let running = Running::open(&place).await;
        let (_, data) = running.counter(1).await;
        assert_eq!(press(&data), 2);
    }

    async fn a_timer_that_was_awaited_outlives_a_crash_and_one_that_ran_does_not_come_back(place: Place) {
        let running = Running::open(&place).await;
        let keeping = tokio::spawn(running.checkpoint.clone().keep());
        let scheduler = running.host.scheduler();
        let set = |key: &str| scheduler.set(&counter(), "close", key, Duration::ZERO, json!(key)).unwrap();
        let written = scheduler.written(set("done"));
        written.await;
        let timer = scheduler.next(|_, _| true).await.claimed().await.unwrap();
        assert!(!timer.interrupted);
        let written = scheduler.written(scheduler.finish(timer));
        written.await;
        let written = scheduler.written(set("running"));
        written.await;
        let timer = scheduler.next(|_, _| true).await.claimed().await.unwrap();
        assert_eq!(timer.key, "running");
        let number = scheduler.set(&counter(), "close", "ahead", Duration::from_hours(1), json!("ahead")).unwrap();
        scheduler.written(number).await;
        keeping.abort();
        running.crash().await;

        let running = Running::open(&place).await;
        assert_eq!(running.host.scheduler().len(), 2);
        if place.address.is_shared() {
            // The process that runs it may still be there, for as long as its lease lasts.
            let sql = Sql::new(Some(running.database.clone()));
            let leased: Option<i64> =
                sql.fetch_value("SELECT COUNT(*) FROM hotcord_timers WHERE owner IS NOT NULL", Vec::new()).await.unwrap();
            assert_eq!(leased, Some(1));
            return;
        }
        let keeping = tokio::spawn(running.checkpoint.clone().keep());
        let timer = running.host.scheduler().next(|_, _| true).await.claimed().await.unwrap();
        assert!(timer.interrupted && timer.key == "running", "{timer:?}");
        keeping.abort();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_processes_one_runs_a_timer() {
    let Some(place) = Place::server() else { return };
    let first = Running::open(&place).await;
    for number in 0..100 {
        first
            .host
            .scheduler()
            .set(&counter(), "close", &number.to_string(), Duration::ZERO, json!(number))
            .unwrap();
    }
    first.checkpoint.save().await;
    let second = Running::open(&place).await;
    assert_eq!(second.host.scheduler().len(), 100);
    let ran = Arc::new(Mutex::new(Vec::new()));
    let mut tasks = Vec::new();
    for running in [&first, &second] {
        tasks.push(tokio::spawn(running.checkpoint.clone().keep()));
        let (host, ran) = (running.host.clone(), ran.clone());
        tasks.push(tokio::spawn(async move {
            loop {
                let due = host.scheduler().next(|_, _| true).await;
                let (host, ran) = (host.clone(), ran.clone());
                tokio::spawn(async move {
                    let Some(timer) = due.claimed().await else { return };
                    ran.lock().unwrap().push(timer.key.clone());
                    host.scheduler().finish(timer);
                });
            }
        }));
    }
    let sql = Sql::new(Some(first.database.clone()));
    let began = std::time::Instant::now();
    loop {
        let left: Option<i64> =
            sql.fetch_value("SELECT COUNT(*) FROM hotcord_timers", Vec::new()).await.unwrap();
        if left == Some(0) {
            break;
        }
        assert!(began.elapsed() < PATIENCE, "{left:?} timers are left");
    }
    for task in tasks {
        task.abort();
    }
    let mut ran = std::mem::take(&mut *ran.lock().unwrap());
    ran.sort();
    let count = ran.len();
    ran.dedup();
    assert_eq!((ran.len(), count), (100, 100));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_timer_that_another_process_sets_is_known_at_once_and_run_by_one() {
    let Some(place) = Place::server() else { return };
    let (first, second) = (Running::open(&place).await, Running::open(&place).await);
    let keeping = [&first, &second].map(|running| tokio::spawn(running.checkpoint.clone().keep()));
    let (here, there) = (first.host.scheduler(), second.host.scheduler());
    let known = async |count: usize| {
        let began = std::time::Instant::now();
        while there.len() != count {
            // Notes arrive at once; the look for lost ones comes each minute.
            assert!(began.elapsed() < Duration::from_secs(20), "{} timers are known", there.len());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let set = |key: &str, delay| here.set(&counter(), "close", key, delay, json!(key)).unwrap();
    set("later", Duration::from_hours(1));
    known(1).await;
    set("also", Duration::from_hours(1));
    known(2).await;
    assert!(here.remove(&counter(), "close", "later"));
    known(1).await;
    // Set again by the other process, it is another timer.
    there.set(&counter(), "close", "also", Duration::ZERO, json!("there")).unwrap();
    let due = tokio::time::timeout(PATIENCE, here.next(|_, _| true)).await.unwrap();
    let timer = due.claimed().await.unwrap();
    assert_eq!(timer.payload, json!("there"));
    // While it runs here, the other process does not run it.
    let due = tokio::time::timeout(PATIENCE, there.next(|_, _| true)).await.unwrap();
    assert!(tokio::time::timeout(PATIENCE, due.claimed()).await.unwrap().is_none());
    here.finish(timer);
    known(0).await;
    keeping.iter().for_each(tokio::task::JoinHandle::abort);
}

/// What a process leaves behind that died while it ran a timer for the third time, a minute ago.
async fn abandon(sql: &Sql) {
    let abandoned = "UPDATE hotcord_timers SET owner = 1, lease_ms = 1, attempts = 3";
    assert_eq!(sql.execute(abandoned, Vec::new()).await.unwrap(), 1);
}

on_both! {
    async fn two_due_timers_of_one_key_do_not_stop_the_others(place: Place) {
        let running = Running::open(&place).await;
        let scheduler = running.host.scheduler();
        // Neither is written yet, as while the database is away.
        let mut due = Vec::new();
        for number in [1, 2] {
            scheduler.set(&counter(), "close", "same", Duration::ZERO, json!(number)).unwrap();
            due.push(scheduler.next(|_, _| true).await);
        }
        scheduler.set(&counter(), "close", "another", Duration::ZERO, json!(3)).unwrap();
        due.push(scheduler.next(|_, _| true).await);
        let keeping = tokio::spawn(running.checkpoint.clone().keep());
        let mut ran = Vec::new();
        for due in due {
            let timer = tokio::time::timeout(PATIENCE, due.claimed()).await.unwrap().unwrap();
            ran.push(timer.payload.clone());
            scheduler.finish(timer);
        }
        assert_eq!(ran, [json!(1), json!(2), json!(3)]);
        running.checkpoint.save().await;
        keeping.abort();
        let sql = Sql::new(Some(running.database.clone()));
        let left: Option<i64> = sql.fetch_value("SELECT COUNT(*) FROM hotcord_timers", Vec::new()).await.unwrap();
        assert_eq!(left, Some(0));
    }

    async fn a_timer_that_ended_the_bot_each_time_is_given_up_at_its_claim(place: Place) {
        let running = Running::open(&place).await;
        let scheduler = running.host.scheduler();
        scheduler.set(&counter(), "close", "deadly", Duration::ZERO, json!(1)).unwrap();
        running.checkpoint.save().await;
        let sql = Sql::new(Some(running.database.clone()));
        abandon(&sql).await;
        let keeping = tokio::spawn(running.checkpoint.clone().keep());
        let due = scheduler.next(|_, _| true).await;
        assert!(tokio::time::timeout(PATIENCE, due.claimed()).await.unwrap().is_none());
        let left: Option<i64> = sql.fetch_value("SELECT COUNT(*) FROM hotcord_timers", Vec::new()).await.unwrap();
        assert_eq!(left, Some(0));
        keeping.abort();
    }

    async fn a_timer_of_another_process_is_run_here_when_that_is_gone(place: Place) {
        let running = Running::open(&place).await;
        let scheduler = running.host.scheduler();
        scheduler.set(&counter(), "close", "held", Duration::ZERO, json!(1)).unwrap();
        running.checkpoint.save().await;
        // Another process runs it, and is gone before it says so again.
        let sql = Sql::new(Some(running.database.clone()));
        let until = since_1970() + 1_500;
        let held = "UPDATE hotcord_timers SET owner = 1, lease_ms = $1, attempts = 1";
        assert_eq!(sql.execute(held, params![until.cast_signed()]).await.unwrap(), 1);
        let keeping = tokio::spawn(running.checkpoint.clone().keep());
        let due = scheduler.next(|_, _| true).await;
        assert!(tokio::time::timeout(PATIENCE, due.claimed()).await.unwrap().is_none());
        let due = tokio::time::timeout(PATIENCE, scheduler.next(|_, _| true)).await.unwrap();
        let timer = tokio::time::timeout(PATIENCE, due.claimed()).await.unwrap().unwrap();
        assert!(timer.interrupted && since_1970() > until, "{timer:?}");
        keeping.abort();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_server_is_away_the_bot_goes_on_and_then_writes() {
    let Some(server) = Server::start().unwrap() else { return };
    let place = Place { address: server.database("bot").parse().unwrap(), folder: None, url: None };
    let running = Running::open(&place).await;
    let (_, data) = running.counter(1).await;
    press(&data);
    running.checkpoint.save().await;
    let keeping = tokio::spawn(running.checkpoint.clone().keep());
    server.crash();
    press(&data);
    // It is set in any case, and does not wait for longer than a user can.
    let set = data.schedule("close", "7", Duration::from_hours(1), &7);
    tokio::time::timeout(Duration::from_secs(20), set).await.unwrap().unwrap();
    assert_eq!(running.host.scheduler().len(), 1);
    let problem = async {
        loop {
            match running.checkpoint.problem() {
                Some(problem) => break problem,
                None => tokio::task::yield_now().await,
            }
        }
    };
    let problem = tokio::time::timeout(PATIENCE, problem).await.unwrap();
    assert!(problem.starts_with("what the bot remembers cannot be written to "), "{problem}");
    let mut writes = running.checkpoint.writes();
    writes.mark_unchanged();
    server.launch();
    tokio::time::timeout(PATIENCE, writes.changed()).await.unwrap().unwrap();
    running.checkpoint.save().await;
    assert_eq!(running.checkpoint.problem(), None);
    keeping.abort();
    running.crash().await;
    let running = Running::open(&place).await;
    assert_eq!(running.host.scheduler().len(), 1);
    let (_, data) = running.counter(1).await;
    assert_eq!(press(&data), 3);
}

/// A state file as version 0.1 has written it.
fn state_file(application: u64) -> String {
    json!({
        "format": 1,
        "application": application,
        "store": { "commands/counter": { "greeting": "hello" } },
        "plugins": { "commands/counter": {
            "state": { "version": 1, "value": { "presses": 3 } },
            "last": 2,
            "kept": [{
                "number": 1, "generation": 1, "at": 1_700_000_000_000_u64, "bytes": 13, "reason": "by-hand",
                "state": { "version": 1, "value": { "presses": 2 } },
            }],
        } },
        "timers": [{
            "plugin": "commands/counter", "name": "close", "key": "7", "at": 1_700_000_000_000_u64, "payload": [1, 2],
        }],
        "voice": {
            "settings": { "5": { "volume": 70 } },
            "players": {},
            "closed": true,
        },
    })
    .to_string()
}

#[tokio::test]
async fn a_state_file_is_taken_over_once() {
    let place = Place::file();
    let file = place.folder.as_ref().unwrap().path().join("state.json");
    fs::write(&file, state_file(APPLICATION)).unwrap();
    let running = Running::open(&place).await;
    let aside = file.with_extension("json.imported");
    assert!(!file.exists() && fs::read_to_string(&aside).unwrap() == state_file(APPLICATION));
    running.crash().await;

    // What is in the database now counts, and not another file.
    fs::write(&file, state_file(APPLICATION).replace("hello", "bye")).unwrap();
    let running = Running::open(&place).await;
    assert!(file.exists());
    assert_eq!(
        running.host.store().of(&counter()).get::<String>("greeting").unwrap().as_deref(),
        Some("hello")
    );
    assert_eq!(running.host.voice().settings(5.into()).volume, 70);
    let list = running.host.state_history().list(&counter());
    assert_eq!((list[0].number, list[0].state.value.clone()), (1, json!({ "presses": 2 })));
    let keeping = tokio::spawn(running.checkpoint.clone().keep());
    let timer = running.host.scheduler().next(|_, _| true).await.claimed().await.unwrap();
    assert_eq!(timer.payload, json!([1, 2]));
    let (_, data) = running.counter(1).await;
    assert_eq!(press(&data), 4);
    keeping.abort();
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_put_aside_and_never_overwritten() {
    for (number, broken) in ["{\"format\": 1, \"sto", "{\"format\": 99}", "[]"].iter().enumerate() {
        let place = Place::file();
        let folder = place.folder.as_ref().unwrap().path();
        fs::write(folder.join("state.json"), broken).unwrap();
        if number == 1 {
            fs::write(folder.join("state.json.broken"), "from before").unwrap();
        }
        let running = Running::open(&place).await;
        let (_, data) = running.counter(1).await;
        assert_eq!(press(&data), 1);
        let name = if number == 1 { "state.json.broken.2" } else { "state.json.broken" };
        assert_eq!(fs::read_to_string(folder.join(name)).unwrap(), *broken);
        assert!(!folder.join("state.json").exists());
    }
    // Another application's file waits for it.
    let place = Place::file();
    let folder = place.folder.as_ref().unwrap().path();
    fs::write(folder.join("state.json"), state_file(78)).unwrap();
    Running::open(&place).await.crash().await;
    assert!(folder.join("state.json.of-78").exists());
    let running = Running::open_as(&place, 78).await;
    assert_eq!(
        running.host.store().of(&counter()).get::<String>("greeting").unwrap().as_deref(),
        Some("hello")
    );
}

#[tokio::test]
async fn rows_that_cannot_be_read_are_kept_although_their_plugin_writes_again() {
    let place = Place::file();
    let running = Running::open(&place).await;
    let (_, data) = running.counter(1).await;
    data.store().put("greeting", &"hello").unwrap();
    press(&data);
    running.checkpoint.save().await;
    let damage = "UPDATE hotcord_state SET body = '{' WHERE area = 'value' OR area = 'state'";
    assert_eq!(running.database.execute(damage, Vec::new()).await.unwrap(), 2);
    running.crash().await;
    for _ in 0..2 {
        let running = Running::open(&place).await;
        let (_, data) = running.counter(1).await;
        assert_eq!(data.store().get::<String>("greeting").unwrap(), None);
        press(&data);
        running.checkpoint.save().await;
        let kept = "SELECT COUNT(*) FROM hotcord_state WHERE area = 'unreadable' AND body = '{'";
        let kept: Option<i64> =
            Sql::new(Some(running.database.clone())).fetch_value(kept, Vec::new()).await.unwrap();
        assert_eq!(kept, Some(2));
        running.end().await;
    }
}
