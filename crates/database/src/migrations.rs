//! Migrations of plugins: run once, in order, in one transaction; never edited afterwards.

use std::collections::BTreeMap;

use sdk_core::PluginId;
use sdk_core::database::{DatabaseError, DatabaseErrorKind, Migrated, Migration};
use sha2::{Digest as _, Sha256};

use crate::connection::{Connection, Pool};
use crate::script;

/// The table, in either database.
pub(crate) const TABLE: &str = "
    CREATE TABLE IF NOT EXISTS hotcord_migrations (
        plugin TEXT NOT NULL,
        name TEXT NOT NULL,
        checksum TEXT NOT NULL,
        PRIMARY KEY (plugin, name)
    );
";

/// The table of their texts, in the order in which they were run, from which a [backup](crate::back_up) makes the tables
/// again.
pub(crate) const TEXTS: &str = "
    CREATE TABLE IF NOT EXISTS hotcord_migration_sql (
        plugin TEXT NOT NULL,
        name TEXT NOT NULL,
        number BIGINT NOT NULL,
        sql TEXT NOT NULL,
        PRIMARY KEY (plugin, name)
    );
";

/// All migrations that were run, with their texts, in that order.
pub(crate) const ALL: &str = "SELECT applied.plugin, applied.name, texts.sql FROM hotcord_migrations AS applied \
    LEFT JOIN hotcord_migration_sql AS texts ON texts.plugin = applied.plugin AND texts.name = applied.name \
    ORDER BY texts.number, applied.plugin, applied.name";

/// Number of the lock of PostgreSQL under which migrations of all processes run one after the other: "hotcord".
const LOCK: i64 = 0x68_6f74_636f_7264;

/// Runs the migrations of a plugin that were not run yet.
pub(crate) async fn migrate(
    pool: &Pool,
    plugin: &PluginId,
    migrations: &[Migration],
) -> Result<Migrated, DatabaseError> {
    check(migrations)?;
    let mut begun = pool.writer().await?.begin().await?;
    let migrated = in_transaction(begun.connection()?, plugin, migrations).await;
    match &migrated {
        Ok(_) => begun.commit().await?,
        Err(_) => begun.roll_back().await,
    }
    migrated
}

/// Takes the lock of PostgreSQL, until the transaction ends. In SQLite the transaction is one.
pub(crate) async fn lock(connection: &mut Connection) -> Result<(), DatabaseError> {
    if connection.is_postgres() {
        connection
            .run(&format!("SET LOCAL statement_timeout = 0; SELECT pg_advisory_xact_lock({LOCK})"))
            .await?;
    }
    Ok(())
}

async fn in_transaction(
    connection: &mut Connection,
    plugin: &PluginId,
    migrations: &[Migration],
) -> Result<Migrated, DatabaseError> {
    lock(connection).await?;
    let rows = connection
        .fetch(
            "SELECT applied.name, applied.checksum, texts.name AS text FROM hotcord_migrations AS applied \
             LEFT JOIN hotcord_migration_sql AS texts ON texts.plugin = applied.plugin AND texts.name = applied.name \
             WHERE applied.plugin = $1",
            vec![plugin.as_str().into()],
        )
        .await?;
    let mut known = BTreeMap::new();
    for row in rows {
        let Known { name, checksum, text } = row.read()?;
        known.insert(name, (checksum, text.is_some()));
    }
    let newest = known.keys().next_back().cloned();
    let mut migrated = Migrated::default();
    for migration in migrations {
        match known.remove(migration.name) {
            Some((applied, has_text)) if applied == checksum(migration.sql) => {
                if !has_text {
                    keep_text(connection, plugin.as_str(), migration.name, migration.sql).await?;
                }
                continue;
            }
            Some(_) => {
                return Err(refused(format!(
                    "{} was edited after it had been applied; undo that, and add another migration instead",
                    migration.name
                )));
            }
            None => {}
        }
        if let Some(newest) = newest.as_deref().filter(|newest| *newest > migration.name) {
            return Err(refused(format!(
                "{} comes before {newest}, which was applied already; give it a later name",
                migration.name
            )));
        }
        connection.run(migration.sql).await.map_err(|error| {
            DatabaseError::new(error.kind(), format!("{}: {error}", migration.name)).caused_by(error)
        })?;
        note(connection, plugin.as_str(), migration.name, migration.sql).await?;
        migrated.applied.push(migration.name.to_owned());
    }
    migrated.unknown = known.into_keys().collect();
    Ok(migrated)
}

/// Notes that a migration was run.
pub(crate) async fn note(
    connection: &mut Connection,
    plugin: &str,
    name: &str,
    sql: &str,
) -> Result<(), DatabaseError> {
    connection
        .execute(
            "INSERT INTO hotcord_migrations (plugin, name, checksum) VALUES ($1, $2, $3)",
            vec![plugin.into(), name.into(), checksum(sql).into()],
        )
        .await?;
    keep_text(connection, plugin, name, sql).await
}

async fn keep_text(
    connection: &mut Connection,
    plugin: &str,
    name: &str,
    sql: &str,
) -> Result<(), DatabaseError> {
    connection
        .execute(
            "INSERT INTO hotcord_migration_sql (plugin, name, number, sql) \
             SELECT $1, $2, COALESCE(MAX(number), 0) + 1, $3 FROM hotcord_migration_sql",
            vec![plugin.into(), name.into(), sql.into()],
        )
        .await?;
    Ok(())
}

/// A row of the table, and the name of its text if that is kept.
#[derive(serde::Deserialize)]
struct Known {
    name: String,
    checksum: String,
    text: Option<String>,
}

fn check(migrations: &[Migration]) -> Result<(), DatabaseError> {
    for pair in migrations.windows(2) {
        if pair[0].name >= pair[1].name {
            return Err(refused(format!(
                "{} is listed before {}; list migrations once each, in the order of their names",
                pair[0].name, pair[1].name
            )));
        }
    }
    for migration in migrations {
        if let Some(word) = script::transaction_control(migration.sql) {
            return Err(refused(format!(
                "{} has a statement {word}; all migrations run in one transaction, which they must not begin or end",
                migration.name
            )));
        }
    }
    Ok(())
}

fn refused(sentence: String) -> DatabaseError {
    DatabaseError::new(DatabaseErrorKind::Refused, sentence)
}

fn checksum(sql: &str) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(sql) {
        text += &format!("{byte:02x}");
    }
    text
}
