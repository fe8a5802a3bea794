//! `hotcord backup FILE` and `hotcord restore FILE`.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

/// Runs a command of the binary in a folder. Returns the exit code and what it prints.
fn hotcord(folder: &Path, words: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_hotcord"))
        .env_clear()
        .env("APP_ENV", "testing")
        .env("DISCORD_TOKEN", "anything")
        .env("DISCORD_API_URL", "http://127.0.0.1:9")
        .env("DATABASE_URL", "sqlite:bot.db")
        .current_dir(folder)
        .args(words)
        .output()
        .unwrap();
    (status.code(), String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap())
}

#[tokio::test]
async fn a_database_in_use_is_copied_and_restored_elsewhere() {
    use std::os::unix::fs::PermissionsExt as _;
    let (from, to) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (code, said) = hotcord(from.path(), &["backup", "copy"]);
    assert_eq!(code, Some(1));
    assert!(
        said.contains("there is no database at sqlite:bot.db") && !from.path().join("copy").exists(),
        "{said}"
    );

    let address = database::DatabaseAddress::file(from.path().join("bot.db"));
    // It stays open meanwhile, as in a bot.
    let database = database::Database::open(address).await.unwrap();
    let (code, said) = hotcord(from.path(), &["backup", "copy"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.starts_with("copy has 0 rows of 1 table of the database sqlite:bot.db"), "{said}");
    let copy = from.path().join("copy");
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    let contents = fs::read(&copy).unwrap();
    let (code, said) = hotcord(from.path(), &["backup", "copy"]);
    assert_eq!(
        (code, said.as_str()),
        (Some(1), "copy exists already and is not overwritten; name another file.\n")
    );
    assert_eq!(fs::read(&copy).unwrap(), contents);
    // Not into the database that the bot uses.
    let (code, said) = hotcord(from.path(), &["restore", "copy"]);
    assert!(code == Some(1) && said.contains("another bot uses the file"), "{said}");
    database.close().await;

    let (code, said) = hotcord(to.path(), &["restore", copy.to_str().unwrap()]);
    assert!(
        code == Some(0) && said.starts_with("The database sqlite:bot.db has 0 rows of 1 table of"),
        "{said}"
    );
    let (code, said) = hotcord(to.path(), &["restore", "nothing"]);
    assert!(code == Some(1) && said.starts_with("nothing cannot be read"), "{said}");
}
