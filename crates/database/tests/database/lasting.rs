//! What survives: the end of the process at any moment, and a server that goes away.

use std::sync::Arc;
use std::time::{Duration, Instant};

use database::{Database, OpenError};
use sdk_core::database::Sql;
use sdk_core::params;

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_goes_away_is_a_sentence_in_bounded_time_and_comes_back() {
    let Some(server) = Server::start().unwrap() else { return };
    let database = Database::open(server.database("bot").parse().unwrap()).await.unwrap();
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
