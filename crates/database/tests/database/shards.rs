//! Processes that share shards, with pauses, kills and clocks that jump. PostgreSQL alone.

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use database::{Database, IdentifyGate, ShardLeases, ShardSession, Timing};
use sdk_core::checkpoint::Checkpoint;
use sdk_core::database::Sql;
use sdk_core::host::Host;
use sdk_core::params;
use sdk_core::settings::Settings;
use tokio::task::JoinSet;

use crate::place::Place;

const APPLICATION: u64 = 77;
const SHARDS: u32 = 7;
const PATIENCE: Duration = Duration::from_mins(1);
/// For processes that die or are paused.
const SHORT: Timing =
    Timing { lease: Duration::from_secs(3), stop: Duration::from_secs(2), renew: Duration::from_millis(150) };
/// For processes that never do, on a machine that is busy.
const LONG: Timing = Timing { lease: Duration::from_mins(2), stop: Duration::from_mins(1), ..SHORT };
/// Longest time from the death of a process until its shards are held again, on a machine that is busy.
const REPLACED_WITHIN: Duration = Duration::from_secs(15);

/// Opens the database with the host's tables in it.
async fn open(place: &Place) -> Arc<Database> {
    let database = place.open().await;
    let host = Host::builder("1.0.0", Settings::default()).database(Some(database.clone())).build();
    Checkpoint::open(&host, None, APPLICATION).await.unwrap();
    database
}

async fn join(database: &Database, timing: Timing) -> Arc<ShardLeases> {
    database.shard_leases(APPLICATION, SHARDS, timing).await.unwrap()
}

/// Starts what is held and stops what is to leave, as a bot does.
fn follow(leases: &ShardLeases) {
    for (shard, term) in leases.held() {
        leases.started(shard, term);
    }
    for shard in leases.leaving() {
        leases.stopped(shard);
    }
}

/// Renews all leases until the processes have as many shards as that, most first, whichever has most.
async fn settle<const N: usize>(all: [&ShardLeases; N], counts: [usize; N]) {
    let began = Instant::now();
    let has_settled = || {
        let mut held = all.map(|leases| leases.held().len());
        held.sort_unstable_by(|a, b| b.cmp(a));
        held == counts
    };
    while !has_settled() {
        for leases in all {
            leases.renew().await.unwrap();
            follow(leases);
        }
        assert!(began.elapsed() < PATIENCE, "{:?}", all.map(ShardLeases::held));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shards_are_divided_fairly_as_processes_come_and_go() {
    let Some(place) = Place::server() else { return };
    let database = open(&place).await;
    let one = join(&database, LONG).await;
    settle([&one], [7]).await;
    // The number is agreed on.
    let two = database.shard_leases(APPLICATION, 99, LONG).await.unwrap();
    assert_eq!(two.total(), SHARDS);
    settle([&one, &two], [4, 3]).await;
    let session = ShardSession { id: "abc".to_owned(), sequence: 9, resume_url: "wss://gateway".to_owned() };
    let (shard, other) = (*one.held().keys().next().unwrap(), *two.held().keys().next().unwrap());
    assert!(one.save_session(shard, &session).await.unwrap());
    assert!(!one.save_session(other, &session).await.unwrap(), "the shard of another process");
    assert_eq!(two.session(shard).await.unwrap(), Some(session));
    assert_eq!(two.session(other).await.unwrap(), None);
    let three = join(&database, LONG).await;
    settle([&one, &two, &three], [3, 2, 2]).await;
    one.leave().await.unwrap();
    assert!(one.held().is_empty());
    let (two_has, three_has) = (two.held(), three.held());
    let began = Instant::now();
    while two.held().len() + three.held().len() < 7 {
        for leases in [&two, &three] {
            leases.renew().await.unwrap();
            follow(leases);
        }
        assert!(began.elapsed() < PATIENCE);
    }
    assert!(two.held().len().abs_diff(three.held().len()) == 1);
    // Nothing moves without need.
    assert!(two_has.keys().all(|shard| two.held().contains_key(shard)));
    assert!(three_has.keys().all(|shard| three.held().contains_key(shard)));
    two.leave().await.unwrap();
    three.leave().await.unwrap();
    let anew = database.shard_leases(APPLICATION, 9, LONG).await.unwrap();
    assert_eq!((anew.total(), anew.session(shard).await.unwrap()), (9, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_paused_gives_its_shards_up_before_another_can_take_them() {
    let Some(place) = Place::server() else { return };
    let database = open(&place).await;
    let (one, two) = (join(&database, SHORT).await, join(&database, SHORT).await);
    settle([&one, &two], [4, 3]).await;
    let lost = one.held();
    let shard = *lost.keys().next().unwrap();
    assert!(one.is_ours(shard));
    // It does not renew any more.
    let began = Instant::now();
    while two.held().len() < 7 {
        two.renew().await.unwrap();
        follow(&two);
        assert!(!(one.is_ours(shard) && two.is_ours(shard)));
        assert!(began.elapsed() < PATIENCE);
    }
    assert!(began.elapsed() > SHORT.stop && !one.is_ours(shard) && one.held().is_empty());
    // Back again, it is another process, and what it ran before is not taken for what it gets.
    settle([&one, &two], [4, 3]).await;
    for (shard, term) in one.held() {
        assert!(lost.get(&shard).is_none_or(|before| *before < term));
    }
}

#[tokio::test]
async fn one_process_alone_uses_a_file_so_it_has_no_leases() {
    let place = Place::file();
    let database = open(&place).await;
    let error = database.shard_leases(APPLICATION, 1, SHORT).await.unwrap_err();
    assert!(error.to_string().contains("several processes need PostgreSQL"), "{error}");
}

/// Sends a number of IDENTIFYs. Returns their times by the monotonic clock, with their buckets.
async fn identify(gate: Arc<IdentifyGate>, buckets: u32, shards: Vec<u32>) -> Vec<(u32, Instant)> {
    let mut sent = Vec::new();
    for shard in shards {
        let permit = gate.acquire(shard).await;
        // The connection is made meanwhile.
        tokio::time::sleep(Duration::from_millis(u64::from(shard) * 7 % 50)).await;
        sent.push((shard % buckets, Instant::now()));
        drop(permit);
    }
    sent
}

fn check_spacing(mut sent: Vec<(u32, Instant)>, spacing: Duration) {
    sent.sort();
    for pair in sent.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
        let gap = pair[1].1.duration_since(pair[0].1);
        assert!(gap >= spacing, "{gap:?} between two of bucket {}", pair[0].0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn identifies_of_a_bucket_keep_their_distance_over_processes_also_when_the_clock_jumps() {
    let Some(place) = Place::server() else { return };
    let database = open(&place).await;
    let sql = Sql::new(Some(database.clone()));
    // A clock in place of the server's, which can be set.
    for statement in [
        "CREATE TABLE clock (ahead TEXT)",
        "INSERT INTO clock VALUES ('0')",
        "CREATE FUNCTION clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS \
         $$ SELECT pg_catalog.clock_timestamp() + ahead::interval FROM clock $$",
    ] {
        sql.execute(statement, Vec::new()).await.unwrap();
    }
    let name: String = sql.fetch_value("SELECT current_database()::text", Vec::new()).await.unwrap().unwrap();
    sql.execute(&format!("ALTER DATABASE {name} SET search_path = public, pg_catalog"), Vec::new())
        .await
        .unwrap();
    let spacing = Duration::from_millis(400);
    let buckets = 2;
    let mut work = JoinSet::new();
    for process in 0..3_u32 {
        let database = place.open().await;
        work.spawn(async move {
            let gate = database.identify_gate(APPLICATION, buckets, Some(spacing)).await.unwrap();
            let shards = (0..4).map(|number| number * 3 + process).collect();
            let sent = identify(gate, buckets, shards).await;
            database.close().await;
            sent
        });
    }
    let mut sent = Vec::new();
    let mut jumps = ["1 hour", "-1 hour", "30 days", "0"].into_iter().cycle();
    while !work.is_empty() {
        tokio::select! {
            Some(one) = work.join_next() => sent.extend(one.unwrap()),
            () = tokio::time::sleep(Duration::from_millis(300)) => {
                sql.execute("UPDATE clock SET ahead = $1", params![jumps.next().unwrap()]).await.unwrap();
            }
        }
    }
    assert_eq!(sent.len(), 12);
    check_spacing(sent, spacing);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_ends_before_its_identify_does_not_block_the_others() {
    let Some(place) = Place::server() else { return };
    let database = open(&place).await;
    let gate = database.identify_gate(APPLICATION, 1, Some(Duration::from_secs(1))).await.unwrap();
    let began = Instant::now();
    let permit = gate.acquire(0).await;
    let next = tokio::time::timeout(PATIENCE, gate.acquire(1)).await.unwrap();
    assert!(began.elapsed() >= Duration::from_millis(2900) && !permit.is_valid());
    // Too late: it does not change the other's turn.
    drop(permit);
    assert!(next.is_valid());
}

/// A process of the next test, which is killed.
struct Process(Child);

impl Process {
    fn start(address: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "shards::a_process_for_the_next_test", "--nocapture", "--test-threads=1"])
            .env("SHARDS_DATABASE", address)
            .stdout(Stdio::null());
        Self(command.spawn().unwrap())
    }

    fn signal(&self, name: &str) {
        let id = self.0.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_for_the_next_test() {
    let Ok(address) = std::env::var("SHARDS_DATABASE") else { return };
    let database = Arc::new(Database::open(address.parse().unwrap()).await.unwrap());
    let leases = join(&database, SHORT).await;
    let renewing = leases.clone();
    tokio::spawn(async move { renewing.run().await });
    let sql = Sql::new(Some(database.clone()));
    let process = i64::from(std::process::id());
    loop {
        follow(&leases);
        let before = leases.held();
        let ours: Vec<u32> = before.keys().copied().filter(|shard| leases.is_ours(*shard)).collect();
        let now = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)";
        let Ok(Some(at)) = sql.fetch_value::<i64>(now, Vec::new()).await else { continue };
        for shard in ours {
            // It had the shard before and after that moment, in one term, so it had it at that moment.
            if leases.is_ours(shard) && leases.held().get(&shard) == before.get(&shard) {
                let parameters = params![i64::from(shard), before[&shard], process, at];
                let _ = sql.execute("INSERT INTO seen VALUES ($1, $2, $3, $4)", parameters).await;
            }
        }
    }
}

#[derive(serde::Deserialize)]
struct Seen {
    shard: i64,
    term: i64,
    processes: i64,
    first: i64,
    last: i64,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shard_never_has_two_holders_although_processes_are_paused_and_killed() {
    let Some(place) = Place::server() else { return };
    let address = place.url.clone().unwrap();
    let database = open(&place).await;
    let sql = Sql::new(Some(database.clone()));
    let table = "CREATE TABLE seen (shard BIGINT, term BIGINT, process BIGINT, at_us BIGINT)";
    sql.execute(table, Vec::new()).await.unwrap();
    let mut processes: Vec<Process> = (0..3).map(|_| Process::start(&address)).collect();
    let mut longest = Duration::ZERO;
    for round in 0..6 {
        // All shards are held by processes that live.
        let began = Instant::now();
        loop {
            let ids: Vec<String> = processes.iter().map(|process| process.0.id().to_string()).collect();
            let held = format!(
                "SELECT COUNT(DISTINCT shard) FROM seen WHERE process IN ({}) AND \
                 at_us > CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT) - 300000",
                ids.join(", ")
            );
            if sql.fetch_value::<i64>(&held, Vec::new()).await.unwrap() == Some(i64::from(SHARDS)) {
                break;
            }
            assert!(began.elapsed() < REPLACED_WITHIN, "the shards are not held again");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        longest = longest.max(began.elapsed());
        let one = processes.remove(0);
        if round % 2 == 0 {
            one.signal("-KILL");
            processes.push(Process::start(&address));
        } else {
            one.signal("-STOP");
            tokio::time::sleep(SHORT.lease * 2).await;
            one.signal("-CONT");
            processes.push(one);
        }
    }
    drop(processes);
    println!("the shards of a process were held again within {} ms", longest.as_millis());
    let terms = "SELECT shard, term, COUNT(DISTINCT process) AS processes, MIN(at_us) AS first, MAX(at_us) AS last \
        FROM seen GROUP BY shard, term ORDER BY shard, term";
    let terms: Vec<Seen> = sql.fetch(terms, Vec::new()).await.unwrap();
    let mut changes = 0;
    let mut before = BTreeMap::<i64, (i64, i64)>::new();
    for Seen { shard, term, processes, first, last } in terms {
        assert_eq!(processes, 1, "shard {shard}, term {term}");
        if let Some((earlier, until)) = before.insert(shard, (term, last)) {
            changes += 1;
            assert!(until < first, "shard {shard}: term {earlier} until {until}, term {term} from {first}");
        }
    }
    assert!(changes >= 6, "shards have changed hands {changes} times");
}
