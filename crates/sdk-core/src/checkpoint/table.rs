//! The table of what the bot remembers.

use super::rows::{RowKey, Rows};
use crate::PluginId;
use crate::database::{DatabaseError, Engine, Migration, Parameter, Statements};

/// The host's own migrations.
const MIGRATIONS: &[Migration] = &[
    Migration { name: "0001_state", sql: include_str!("migrations/0001_state.sql") },
    Migration { name: "0002_left_guilds", sql: include_str!("migrations/0002_left_guilds.sql") },
    Migration { name: "0003_shards", sql: include_str!("migrations/0003_shards.sql") },
];

/// Name under which they are noted.
const OWNER: &str = "hotcord";

/// Most rows of one statement.
const TOGETHER: usize = 200;

const DELETE: &str =
    "DELETE FROM hotcord_state WHERE application = $1 AND area = $2 AND plugin = $3 AND key = $4";

/// Creates the host's tables if they are missing.
pub(super) async fn create(engine: &dyn Engine) -> Result<(), DatabaseError> {
    let migrated = engine.migrate(&PluginId::new(OWNER), MIGRATIONS).await?;
    if !migrated.unknown.is_empty() {
        let unknown = migrated.unknown.join(", ");
        tracing::warn!(unknown, "the database was used by a newer bot");
    }
    Ok(())
}

/// Returns an id as a parameter.
pub(super) fn id(id: u64) -> Parameter {
    Parameter::Integer(id.cast_signed())
}

#[derive(serde::Deserialize)]
struct Stored {
    area: String,
    plugin: String,
    key: String,
    body: String,
}

/// Reads all rows of an application.
pub(super) async fn read(engine: &dyn Engine, application: u64) -> Result<Rows, DatabaseError> {
    let select = "SELECT area, plugin, key, body FROM hotcord_state WHERE application = $1";
    let rows = engine.fetch(select, vec![id(application)]).await?;
    let rows = rows.into_iter().map(|row| {
        let Stored { area, plugin, key, body } = row.read()?;
        Ok((RowKey { area, plugin, key }, body))
    });
    rows.collect()
}

/// Writes and deletes rows.
pub(super) async fn write(
    statements: &mut dyn Statements,
    application: u64,
    rows: Vec<(&RowKey, &String)>,
    deleted: &[RowKey],
) -> Result<(), DatabaseError> {
    for RowKey { area, plugin, key } in deleted {
        statements.execute(DELETE, vec![id(application), area.into(), plugin.into(), key.into()]).await?;
    }
    let rows = rows.into_iter().map(|(RowKey { area, plugin, key }, body)| {
        vec![id(application), area.into(), plugin.into(), key.into(), body.into()]
    });
    insert(
        statements,
        "INSERT INTO hotcord_state (application, area, plugin, key, body)",
        rows.collect(),
        "ON CONFLICT (application, area, plugin, key) DO UPDATE SET body = excluded.body",
    )
    .await
}

/// Runs an INSERT for any number of rows with the same number of columns.
pub(super) async fn insert(
    statements: &mut dyn Statements,
    head: &str,
    rows: Vec<Vec<Parameter>>,
    tail: &str,
) -> Result<(), DatabaseError> {
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let (mut values, mut parameters) = (Vec::new(), Vec::new());
        for row in rows.by_ref().take(TOGETHER) {
            let numbers = parameters.len() + 1..=parameters.len() + row.len();
            let numbers = numbers.map(|number| format!("${number}")).collect::<Vec<_>>();
            values.push(format!("({})", numbers.join(", ")));
            parameters.extend(row);
        }
        statements.execute(&format!("{head} VALUES {} {tail}", values.join(", ")), parameters).await?;
    }
    Ok(())
}
