//! A copy of a database as lines of JSON, which either database can be filled from.
//!
//! The first line is a head, then come the migrations in the order in which they were run, then each table with its rows,
//! and a last line with their number, by which a copy that was cut off is noticed. Tables are made by running the
//! migrations again.

use std::io::{self, BufRead, Write};

use sdk_core::database::{DatabaseError, Parameter, Row};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::connection::{Connection, Pool};
use crate::{DatabaseAddress, OpenError, migrations, open};

/// Version of the format.
const FORMAT: u32 = 1;

/// Tables that the migrations' lines stand for.
const OF_MIGRATIONS: [&str; 2] = ["hotcord_migrations", "hotcord_migration_sql"];

/// A line of a backup.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    /// The first one, with the format.
    HotcordBackup(u32),
    /// A migration that was run.
    Migration { plugin: String, name: String, sql: String },
    /// A table. Its rows follow.
    Table { name: String, columns: Vec<String> },
    /// A row of the table before it.
    Row(Vec<Value>),
    /// The last one, with the number of rows.
    End(u64),
}

/// What was copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// Number of tables.
    pub tables: u64,
    /// Number of rows.
    pub rows: u64,
}

/// Why a database was not copied.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// There is no such file.
    #[error("there is no database at {0}")]
    Absent(String),
    /// The database refuses a statement, or does not answer.
    #[error("{0}")]
    Database(#[from] DatabaseError),
    /// A migration was run by a version that did not keep its text.
    #[error(
        "the text of the migration {name} of {plugin} is not kept; start the bot with that plugin once, then try again"
    )]
    NoText {
        /// The plugin.
        plugin: String,
        /// The migration.
        name: String,
    },
    /// The backup cannot be read or written.
    #[error("the backup cannot be read or written: {0}")]
    Io(#[from] io::Error),
    /// A line is not of a backup.
    #[error("line {line} is not of a backup: {reason}")]
    Line {
        /// Its number, from 1.
        line: u64,
        /// Why.
        reason: String,
    },
    /// The backup was cut off.
    #[error("the backup is not complete, so nothing was restored")]
    Incomplete,
    /// There is something in the database.
    #[error("the database is not empty: {table} has rows; restore into a new one")]
    NotEmpty {
        /// A table with rows.
        table: String,
    },
}

#[derive(Deserialize)]
struct Applied {
    plugin: String,
    name: String,
    sql: Option<String>,
}

/// Copies a database, which may be in use: what is written meanwhile is not in the copy, in no table.
///
/// # Errors
/// If the database or the copy cannot be used.
pub async fn back_up(
    address: &DatabaseAddress,
    copy: &mut (dyn Write + Send),
) -> Result<Copied, BackupError> {
    if let DatabaseAddress::Sqlite(path) = address
        && !path.exists()
    {
        return Err(BackupError::Absent(address.to_string()));
    }
    let pool = open::open_to_read(address).await?;
    let mut begun = pool.reader().await?.begin_to_read().await?;
    let connection = begun.connection()?;
    let mut lines = Lines { copy, copied: Copied::default() };
    lines.put(&Line::HotcordBackup(FORMAT))?;
    for row in connection.fetch(migrations::ALL, Vec::new()).await? {
        let Applied { plugin, name, sql } = row.read()?;
        let Some(sql) = sql else { return Err(BackupError::NoText { plugin, name }) };
        lines.put(&Line::Migration { plugin, name, sql })?;
    }
    for table in tables(connection).await? {
        if OF_MIGRATIONS.contains(&table.as_str()) {
            continue;
        }
        let columns = columns(connection, &table).await?;
        let select = columns.iter().map(Column::selected).collect::<Vec<_>>().join(", ");
        let names = columns.into_iter().map(|column| column.name).collect();
        lines.put(&Line::Table { name: table.clone(), columns: names })?;
        lines.copied.tables += 1;
        let statement = format!("SELECT {select} FROM {}", quoted(&table));
        connection
            .each(&statement, &mut |row: Row| {
                let values = row.into_columns().into_iter().map(|(_, value)| value).collect();
                lines.copied.rows += 1;
                lines.put(&Line::Row(values)).map_err(BackupError::from)
            })
            .await?;
    }
    let copied = lines.copied;
    lines.put(&Line::End(copied.rows))?;
    lines.copy.flush()?;
    begun.roll_back().await;
    pool.close().await;
    Ok(copied)
}

struct Lines<'a> {
    copy: &'a mut (dyn Write + Send),
    copied: Copied,
}

impl Lines<'_> {
    fn put(&mut self, line: &Line) -> io::Result<()> {
        serde_json::to_writer(&mut *self.copy, line)?;
        self.copy.write_all(b"\n")
    }
}

/// Fills an empty database from a copy. Nothing is changed if that fails.
///
/// # Errors
/// If the database is not empty, or it or the copy cannot be used.
pub async fn restore(
    address: &DatabaseAddress,
    copy: &mut (dyn BufRead + Send),
) -> Result<Copied, BackupError> {
    let opened = open::open(address).await?;
    let outcome = restore_into(&opened.pool, copy).await;
    opened.pool.close().await;
    outcome
}

async fn restore_into(pool: &Pool, copy: &mut (dyn BufRead + Send)) -> Result<Copied, BackupError> {
    let mut begun = pool.writer().await?.begin().await?;
    let outcome = fill(begun.connection()?, copy).await;
    match &outcome {
        Ok(_) => begun.commit().await?,
        Err(_) => begun.roll_back().await,
    }
    outcome
}

async fn fill(connection: &mut Connection, copy: &mut (dyn BufRead + Send)) -> Result<Copied, BackupError> {
    migrations::lock(connection).await?;
    for table in tables(connection).await? {
        let any = connection.fetch(&format!("SELECT 1 FROM {} LIMIT 1", quoted(&table)), Vec::new()).await?;
        if !any.is_empty() {
            return Err(BackupError::NotEmpty { table });
        }
    }
    if !connection.is_postgres() {
        connection.run("PRAGMA defer_foreign_keys = ON").await?;
    }
    let mut copied = Copied::default();
    let mut insert = None;
    for (line, text) in (1..).zip(copy.lines()) {
        let parsed: Line = serde_json::from_str(&text?)
            .map_err(|error| BackupError::Line { line, reason: error.to_string() })?;
        let wrong = |reason: &str| BackupError::Line { line, reason: reason.to_owned() };
        if (line == 1) != matches!(parsed, Line::HotcordBackup(_)) {
            return Err(wrong("a backup begins with its head, and has only one"));
        }
        match parsed {
            Line::HotcordBackup(FORMAT) => {}
            Line::HotcordBackup(_) => return Err(wrong("it has the format of a newer bot")),
            Line::Migration { plugin, name, sql } => {
                connection.run(&sql).await?;
                migrations::note(connection, &plugin, &name, &sql).await?;
            }
            Line::Table { name, columns: names } => {
                // Migrations may have put rows into it, which are in the backup too.
                connection.execute(&format!("DELETE FROM {}", quoted(&name)), Vec::new()).await?;
                insert = Some(Insert::new(connection, &name, &names).await?);
                copied.tables += 1;
            }
            Line::Row(values) => {
                let Some(insert) = &insert else { return Err(wrong("a row comes after its table")) };
                connection.execute(&insert.statement, insert.parameters(values)).await?;
                copied.rows += 1;
            }
            Line::End(rows) if rows == copied.rows => return Ok(copied),
            Line::End(_) => return Err(BackupError::Incomplete),
        }
    }
    Err(BackupError::Incomplete)
}

/// A column and its type, as PostgreSQL names it; SQLite's has no type that matters.
#[derive(Deserialize)]
struct Column {
    name: String,
    kind: String,
}

impl Column {
    /// Returns whether values of the type are sent as they are. Others are sent as text.
    fn is_plain(&self) -> bool {
        ["", "bigint", "integer", "smallint", "text", "boolean", "double precision", "real", "bytea"]
            .contains(&self.kind.as_str())
    }

    fn selected(&self) -> String {
        let name = quoted(&self.name);
        if self.is_plain() { name } else { format!("CAST({name} AS TEXT) AS {name}") }
    }
}

/// The statement that inserts a row.
struct Insert {
    statement: String,
    /// Whether each value is sent as it is.
    plain: Vec<bool>,
}

impl Insert {
    async fn new(connection: &mut Connection, table: &str, names: &[String]) -> Result<Self, DatabaseError> {
        let known = columns(connection, table).await?;
        let (mut values, mut plain) = (Vec::new(), Vec::new());
        for (number, name) in (1..).zip(names) {
            let column = known.iter().find(|column| column.name == *name);
            let is_plain = column.is_none_or(Column::is_plain);
            values.push(match column {
                Some(column) if !is_plain => format!("CAST(CAST(${number} AS TEXT) AS {})", column.kind),
                _ => format!("${number}"),
            });
            plain.push(is_plain);
        }
        let names = names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ");
        let statement = format!("INSERT INTO {} ({names}) VALUES ({})", quoted(table), values.join(", "));
        Ok(Self { statement, plain })
    }

    fn parameters(&self, values: Vec<Value>) -> Vec<Parameter> {
        let plain = self.plain.iter().copied().chain(std::iter::repeat(true));
        values.into_iter().zip(plain).map(|(value, is_plain)| parameter(value, is_plain)).collect()
    }
}

fn parameter(value: Value, is_plain: bool) -> Parameter {
    match value {
        Value::Null => Parameter::Null,
        Value::Bool(value) if is_plain => Parameter::Bool(value),
        Value::Number(number) if is_plain => match number.as_i64() {
            Some(number) => Parameter::Integer(number),
            None => Parameter::Real(number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => Parameter::Text(text),
        // Bytes.
        Value::Array(bytes) if is_plain => {
            let bytes = bytes.iter().filter_map(|byte| u8::try_from(byte.as_u64()?).ok());
            Parameter::Bytes(bytes.collect())
        }
        other => Parameter::Text(other.to_string()),
    }
}

/// Returns the names of all tables, in the order in which they were created.
async fn tables(connection: &mut Connection) -> Result<Vec<String>, DatabaseError> {
    let statement = if connection.is_postgres() {
        "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace ORDER BY oid"
    } else {
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid"
    };
    connection.fetch(statement, Vec::new()).await?.into_iter().map(Row::read_first).collect()
}

/// Returns the columns of a table, in their order.
async fn columns(connection: &mut Connection, table: &str) -> Result<Vec<Column>, DatabaseError> {
    let statement = if connection.is_postgres() {
        "SELECT attname::text AS name, format_type(atttypid, atttypmod) AS kind FROM pg_attribute \
         WHERE attrelid = to_regclass(quote_ident($1)) AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
    } else {
        "SELECT name, '' AS kind FROM pragma_table_info($1)"
    };
    let rows = connection.fetch(statement, vec![table.into()]).await?;
    rows.into_iter().map(Row::read).collect()
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
