//! A disk that is full: a sentence, and nothing that was acknowledged is lost.

use std::process::{Command, Stdio};
use std::sync::Arc;

use database::{Database, DatabaseAddress};
use sdk_core::PluginId;
use sdk_core::database::{DatabaseErrorKind, DocumentKey, Engine, NewDocument, Scope};
use serde_json::{Value, json};
use serenity::all::GuildId;

use crate::place::Place;

fn key(number: u64) -> DocumentKey {
    let scope = Scope::Guild(GuildId::new(number));
    DocumentKey { plugin: PluginId::new("commands/one"), kind: "text".to_owned(), scope }
}

fn document(number: u64) -> Value {
    json!(format!("{number} {}", "x".repeat(20_000)))
}

/// Runs a copy of this test program whose files have at most 2 MiB, which SQLite sees as a full disk.
#[tokio::test]
async fn a_full_disk_is_a_sentence_and_loses_nothing() {
    let place = Place::file();
    let folder = place.folder.as_ref().unwrap().path();
    // The signal of the limit would end the process; a disk sends none.
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 4096; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "full::a_writer_for_the_test_before", "--nocapture", "--test-threads=1"])
        .env("FULL_FOLDER", folder)
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let written: Vec<u64> =
        said.lines().filter_map(|line| line.strip_prefix("wrote ")?.parse().ok()).collect();
    assert!(written.len() > 20, "{said}");
    assert!(said.contains("refused Full: the database cannot write: "), "{said}");
    assert!(said.contains("reads 1"), "{said}");
    let engine = place.open().await;
    for number in &written {
        assert_eq!(engine.document(&key(*number)).await.unwrap().unwrap().value, document(*number));
    }
    // With room again, it goes on.
    let new = NewDocument { version: 1, value: json!("more") };
    assert!(engine.write_document(&key(1), Some(new), None).await.unwrap());
}

#[tokio::test]
async fn a_writer_for_the_test_before() {
    let Some(folder) = std::env::var_os("FULL_FOLDER") else { return };
    let address = DatabaseAddress::file(std::path::Path::new(&folder).join("bot.db"));
    let engine: Arc<dyn Engine> = Arc::new(Database::open(address).await.unwrap());
    println!();
    for number in 1.. {
        let new = NewDocument { version: 1, value: document(number) };
        match engine.write_document(&key(number), Some(new), None).await {
            Ok(written) => {
                assert!(written);
                println!("wrote {number}");
            }
            Err(error) => {
                println!("refused {:?}: {error}", error.kind());
                assert_eq!(error.kind(), DatabaseErrorKind::Full);
                break;
            }
        }
    }
    let rows =
        engine.fetch("SELECT COUNT(*) FROM hotcord_documents WHERE guild = 1", Vec::new()).await.unwrap();
    let count: u64 = rows.into_iter().next().unwrap().read_first().unwrap();
    println!("reads {count}");
}
