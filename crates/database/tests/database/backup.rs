//! Copies of a database: made while it is in use, and restored into either database.

use std::io::BufReader;

use database::{BackupError, back_up, restore};
use sdk_core::PluginId;
use sdk_core::database::{Migration, Sql};
use sdk_core::params;

use crate::place::{Place, on_both};

const MIGRATION: Migration = Migration {
    name: "0001_cases",
    sql: "CREATE TABLE one_cases (id BIGINT PRIMARY KEY, reason TEXT, points DOUBLE PRECISION, open BOOLEAN, proof BYTEA);
        INSERT INTO one_cases (id, reason) VALUES (1, 'from the migration');",
};

type Case = (i64, Option<String>, Option<f64>, Option<bool>, Option<Vec<u8>>);

#[derive(Debug, serde::Deserialize, PartialEq)]
struct Columns {
    id: i64,
    reason: Option<String>,
    points: Option<f64>,
    open: Option<bool>,
    proof: Option<Vec<u8>>,
}

async fn cases(sql: &Sql) -> Vec<Case> {
    let rows: Vec<Columns> = sql.fetch("SELECT * FROM one_cases ORDER BY id", Vec::new()).await.unwrap();
    rows.into_iter().map(|row| (row.id, row.reason, row.points, row.open, row.proof)).collect()
}

async fn filled(place: &Place) -> Sql {
    let engine = place.engine().await;
    engine.migrate(&PluginId::new("commands/one"), &[MIGRATION]).await.unwrap();
    let sql = Sql::new(Some(engine));
    let insert = "INSERT INTO one_cases VALUES ($1, $2, $3, $4, $5)";
    sql.execute(insert, params![i64::MAX, "it's\n\u{1f389}", 1.5, true, vec![0_u8, 255]]).await.unwrap();
    let none: Option<String> = None;
    sql.execute(insert, params![3, none, 2.0, false, Vec::<u8>::new()]).await.unwrap();
    sql
}

/// Copies a database into an empty one and compares them.
async fn moves(from: &Place, to: &Place) {
    let sql = filled(from).await;
    let mut copy = Vec::new();
    let copied = back_up(&from.address, &mut copy).await.unwrap();
    let mut read = BufReader::new(copy.as_slice());
    assert_eq!(restore(&to.address, &mut read).await.unwrap(), copied);
    let engine = to.engine().await;
    assert_eq!(cases(&Sql::new(Some(engine.clone()))).await, cases(&sql).await);
    // The migration counts as run.
    let migrated = engine.migrate(&PluginId::new("commands/one"), &[MIGRATION]).await.unwrap();
    assert!(migrated.applied.is_empty());
}

on_both! {
    async fn it_is_restored_as_it_was_and_only_into_an_empty_database(place: Place) {
        let file = Place::file();
        moves(&place, &file).await;
        let mut copy = Vec::new();
        back_up(&place.address, &mut copy).await.unwrap();
        let error = restore(&place.address, &mut BufReader::new(copy.as_slice())).await.unwrap_err();
        let is_refused = matches!(error, BackupError::NotEmpty { .. } | BackupError::Open(_));
        assert!(is_refused, "{error}");
        // One that was cut off changes nothing.
        let text = String::from_utf8(copy).unwrap();
        let cut = text.lines().take(text.lines().count() - 1).collect::<Vec<_>>().join("\n");
        let empty = Place::file();
        let error = restore(&empty.address, &mut BufReader::new(cut.as_bytes())).await.unwrap_err();
        assert!(matches!(error, BackupError::Incomplete), "{error}");
        let none = Sql::new(Some(empty.engine().await)).fetch::<Columns>("SELECT * FROM one_cases", Vec::new()).await;
        assert!(none.is_err());
        let error = restore(&Place::file().address, &mut BufReader::new("notes".as_bytes())).await.unwrap_err();
        assert!(error.to_string().starts_with("line 1 is not of a backup"), "{error}");
    }

    async fn it_is_consistent_while_the_bot_writes(place: Place) {
        let sql = filled(&place).await;
        sql.execute("CREATE TABLE pairs_one (n BIGINT)", Vec::new()).await.unwrap();
        sql.execute("CREATE TABLE pairs_two (n BIGINT)", Vec::new()).await.unwrap();
        let writer = tokio::spawn(async move {
            for number in 0.. {
                let mut transaction = sql.begin().await.unwrap();
                transaction.execute("INSERT INTO pairs_one VALUES ($1)", params![number]).await.unwrap();
                transaction.execute("INSERT INTO pairs_two VALUES ($1)", params![number]).await.unwrap();
                transaction.commit().await.unwrap();
            }
        });
        for _ in 0..20 {
            let mut copy = Vec::new();
            back_up(&place.address, &mut copy).await.unwrap();
            let text = String::from_utf8(copy).unwrap();
            let rows = |table: &str| {
                let after = text.split(&format!("\"name\":\"{table}\"")).nth(1).unwrap();
                after.lines().skip(1).take_while(|line| line.starts_with("{\"row\"")).count()
            };
            assert_eq!(rows("pairs_one"), rows("pairs_two"));
        }
        writer.abort();
    }
}

#[tokio::test]
async fn a_bot_moves_from_a_file_to_a_server() {
    let Some(server) = Place::server() else { return };
    moves(&Place::file(), &server).await;
}

#[tokio::test]
async fn what_is_not_there_is_not_created() {
    let place = Place::file();
    let error = back_up(&place.address, &mut Vec::new()).await.unwrap_err();
    assert!(error.to_string().starts_with("there is no database at sqlite:"), "{error}");
    assert!(!place.folder.unwrap().path().join("bot.db").exists());
}
