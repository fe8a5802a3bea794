//! What survives: the end of the process at any moment, and a server that goes away.

use std::sync::Arc;
use std::time::{Duration, Instant};

use database::{Database, OpenError};
use sdk_core::database::{DocumentKey, Engine, NewDocument, Scope, Sql};
use sdk_core::{PluginId, params};
use serde_json::json;
use serenity::all::GuildId;

use crate::place::{Place, Server};

#[tokio::test]
async fn a_file_is_private_and_has_one_process() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::file();
    let first = place.open().await;
    let file = place.folder.as_ref().unwrap().path().join("bot.db");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let second = Database::open(place.address.clone()).await.unwrap_err();
    assert!(matches!(second, OpenError::InUse { .. }) && second.to_string().contains("bot.db"), "{second}");
    first.close().await;
    drop(first);
    place.open().await;
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_kept() {
    let place = Place::file();
    let file = place.folder.as_ref().unwrap().path().join("bot.db");
    std::fs::write(&file, "these are my notes, and no database at all").unwrap();
    let error = Database::open(place.address.clone()).await.unwrap_err().to_string();
    assert!(error.contains("bot.db") && error.contains("not a database"), "{error}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "these are my notes, and no database at all");
}

/// Runs a copy of this test program that writes until it is killed; see `a_writer_for_the_next_test`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acknowledged_write_is_lost_when_the_process_is_killed() {
    use std::io::{BufRead as _, BufReader};
    use std::process::{Command, Stdio};
    let place = Place::file();
    let folder = place.folder.as_ref().unwrap().path();
    let mut acknowledged = [None::<u64>; 4];
    for round in 0..12 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "lasting::a_writer_for_the_next_test", "--nocapture", "--test-threads=1"])
            .env("WRITER_FOLDER", folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut killer = None;
        let mut seen = 0;
        for line in lines {
            if let Some((task, number)) = line.strip_prefix("wrote ").and_then(|rest| rest.split_once(' ')) {
                acknowledged[task.parse::<usize>().unwrap()] = Some(number.parse().unwrap());
                seen += 1;
                if seen == 20 + round * 7 && killer.is_none() {
                    child.kill().unwrap();
                    killer = Some(());
                }
            }
        }
        child.wait().unwrap();
        assert!(killer.is_some(), "the writer ended by itself");
    }
    let engine = place.open().await;
    for (task, last) in acknowledged.into_iter().enumerate() {
        let stored = engine.document(&key(task)).await.unwrap().unwrap();
        let stored = stored.value.as_u64().unwrap();
        // The last one may have been written and not told.
        assert!(stored >= last.unwrap(), "task {task}: {stored} of {last:?}");
    }
}

fn key(task: usize) -> DocumentKey {
    let scope = Scope::Guild(GuildId::new(task as u64 + 1));
    DocumentKey { plugin: PluginId::new("commands/one"), kind: "count".to_owned(), scope }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_for_the_next_test() {
    let Some(folder) = std::env::var_os("WRITER_FOLDER") else { return };
    let address = database::DatabaseAddress::file(std::path::Path::new(&folder).join("bot.db"));
    let engine: Arc<dyn Engine> = Arc::new(Database::open(address).await.unwrap());
    let tasks = (0..4).map(|task| {
        let engine = engine.clone();
        tokio::spawn(async move {
            let first =
                engine.document(&key(task)).await.unwrap().map_or(0, |stored| stored.value.as_u64().unwrap());
            for number in first + 1.. {
                let document = NewDocument { version: 1, value: json!(number) };
                assert!(engine.write_document(&key(task), Some(document), None).await.unwrap());
                println!("wrote {task} {number}");
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_goes_away_is_a_sentence_in_bounded_time_and_comes_back() {
    let Some(server) = Server::start().unwrap() else { return };
    let database = Database::open(server.database("bot")).await.unwrap();
    let sql = Sql::new(Some(Arc::new(database)));
    sql.execute("CREATE TABLE kept (id BIGINT)", Vec::new()).await.unwrap();
    sql.execute("INSERT INTO kept VALUES ($1)", params![1]).await.unwrap();
    server.crash();
    let began = Instant::now();
    let error = sql.execute("INSERT INTO kept VALUES ($1)", params![2]).await.unwrap_err();
    assert!(error.to_string().contains("does not answer right now"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(30));
    server.launch();
    let count: Option<i64> = loop {
        match sql.fetch_value("SELECT COUNT(*) FROM kept", Vec::new()).await {
            Ok(count) => break count,
            Err(error) => assert!(error.to_string().contains("does not answer right now"), "{error}"),
        }
        assert!(began.elapsed() < Duration::from_secs(90));
    };
    assert_eq!(count, Some(1));
}
