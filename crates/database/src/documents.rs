//! Documents as rows of one table. A deleted document stays as a row without a body, so that its revisions go on. An erased one
//! has no row: the first revision is the time in milliseconds, which is more than an erased row had.

use std::time::{SystemTime, UNIX_EPOCH};

use sdk_core::PluginId;
use sdk_core::database::{
    DatabaseError, DatabaseErrorKind, DocumentKey, MAX_DOCUMENT, NewDocument, Parameter, Row, Scope,
    StoredDocument,
};
use serde_json::Value;
use serenity::all::{GuildId, UserId};

/// The table, in either database. A guild or user of 0 is none.
pub(crate) const TABLE: &str = "
    CREATE TABLE IF NOT EXISTS hotcord_documents (
        plugin TEXT NOT NULL,
        kind TEXT NOT NULL,
        guild BIGINT NOT NULL,
        user_id BIGINT NOT NULL,
        version BIGINT NOT NULL,
        revision BIGINT NOT NULL,
        body TEXT,
        changed_ms BIGINT NOT NULL,
        PRIMARY KEY (plugin, kind, guild, user_id)
    );
    CREATE INDEX IF NOT EXISTS hotcord_documents_guild ON hotcord_documents (guild);
    CREATE INDEX IF NOT EXISTS hotcord_documents_user ON hotcord_documents (user_id);
";

pub(crate) const READ: &str = "SELECT version, revision, body FROM hotcord_documents \
    WHERE plugin = $1 AND kind = $2 AND guild = $3 AND user_id = $4";

/// All documents of one name.
pub(crate) const READ_ALL: &str = "SELECT guild, user_id, version, revision, body FROM hotcord_documents \
    WHERE plugin = $1 AND kind = $2 AND body IS NOT NULL";

macro_rules! insert {
    ($condition:literal) => {
        concat!(
            "INSERT INTO hotcord_documents (plugin, kind, guild, user_id, version, revision, body, changed_ms) \
             VALUES ($1, $2, $3, $4, $5, $7, $6, $7) \
             ON CONFLICT (plugin, kind, guild, user_id) DO UPDATE SET version = excluded.version, \
             revision = hotcord_documents.revision + 1, body = excluded.body, changed_ms = excluded.changed_ms",
            $condition,
            " RETURNING revision"
        )
    };
}

const PUT: &str = insert!("");
const PUT_IF_NONE: &str = insert!(" WHERE hotcord_documents.body IS NULL");
const PUT_IF: &str = "UPDATE hotcord_documents SET version = $5, revision = revision + 1, body = $6, changed_ms = $7 \
    WHERE plugin = $1 AND kind = $2 AND guild = $3 AND user_id = $4 AND revision = $8 AND body IS NOT NULL \
    RETURNING revision";
const DELETE: &str = "UPDATE hotcord_documents SET revision = revision + 1, body = NULL, changed_ms = $5 \
    WHERE plugin = $1 AND kind = $2 AND guild = $3 AND user_id = $4 AND body IS NOT NULL RETURNING revision";
const DELETE_IF: &str = "UPDATE hotcord_documents SET revision = revision + 1, body = NULL, changed_ms = $5 \
    WHERE plugin = $1 AND kind = $2 AND guild = $3 AND user_id = $4 AND revision = $6 AND body IS NOT NULL \
    RETURNING revision";

/// A statement that writes one document. It returns the new revision, or no row if the condition does not hold.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    pub(crate) sql: &'static str,
    pub(crate) parameters: Vec<Parameter>,
}

/// Returns the parameters that identify a document.
pub(crate) fn identify(key: &DocumentKey) -> Vec<Parameter> {
    let guild = key.scope.guild().map_or(0, |guild| guild.get().cast_signed());
    let user = key.scope.user().map_or(0, |user| user.get().cast_signed());
    vec![
        key.plugin.as_str().into(),
        key.kind.as_str().into(),
        Parameter::Integer(guild),
        Parameter::Integer(user),
    ]
}

/// Returns the statement that writes or deletes a document, and the size of its body.
///
/// # Errors
/// If the document is too large.
pub(crate) fn write(
    key: &DocumentKey,
    document: Option<&NewDocument>,
    expected: Option<u64>,
) -> Result<(Write, usize), DatabaseError> {
    let mut parameters = identify(key);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let now = Parameter::Integer(i64::try_from(now).unwrap_or(i64::MAX));
    let revision = |revision: u64| Parameter::Integer(revision.cast_signed());
    let Some(document) = document else {
        parameters.push(now);
        let sql = expected.map_or(DELETE, |_| DELETE_IF);
        parameters.extend(expected.map(revision));
        return Ok((Write { sql, parameters }, 0));
    };
    let body = document.value.to_string();
    let bytes = body.len();
    if bytes > MAX_DOCUMENT {
        return Err(key.too_large(bytes));
    }
    parameters.extend([document.version.into(), body.into(), now]);
    let sql = match expected {
        None => PUT,
        Some(0) => PUT_IF_NONE,
        Some(known) => {
            parameters.push(revision(known));
            PUT_IF
        }
    };
    Ok((Write { sql, parameters }, bytes))
}

/// Returns the revision that a [`Write`] has returned, or `None` if its condition did not hold.
pub(crate) fn written(rows: Vec<Row>) -> Result<Option<u64>, DatabaseError> {
    rows.into_iter().next().map(Row::read_first).transpose()
}

/// A document as read: its revision, and the document with the size of its body if there is one.
pub(crate) type Found = (u64, Option<(StoredDocument, usize)>);

/// Returns what [`READ`] has returned.
pub(crate) fn found(key: &DocumentKey, rows: Vec<Row>) -> Result<Found, DatabaseError> {
    let Some(row) = rows.into_iter().next() else { return Ok((0, None)) };
    let Columns { version, revision, body } = row.read()?;
    let Some(body) = body else { return Ok((revision, None)) };
    let value = parsed(key, &body)?;
    Ok((revision, Some((StoredDocument { version, revision, value }, body.len()))))
}

/// Returns a document that [`READ_ALL`] has returned.
pub(crate) fn found_one(
    plugin: &PluginId,
    kind: &str,
    row: Row,
) -> Result<(DocumentKey, StoredDocument), DatabaseError> {
    let Listed { guild, user_id, version, revision, body } = row.read()?;
    let key = DocumentKey { plugin: plugin.clone(), kind: kind.to_owned(), scope: scope(guild, user_id) };
    let value = parsed(&key, &body)?;
    Ok((key, StoredDocument { version, revision, value }))
}

fn parsed(key: &DocumentKey, body: &str) -> Result<Value, DatabaseError> {
    serde_json::from_str(body).map_err(|error| {
        let DocumentKey { plugin, kind, scope } = key;
        DatabaseError::new(
            DatabaseErrorKind::Refused,
            format!("the document '{kind}' of {plugin} for {scope} is no JSON in the database: {error}"),
        )
    })
}

/// Returns the scope with the ids of a row, of which 0 is none.
pub(crate) fn scope(guild: i64, user: i64) -> Scope {
    let guild = (guild != 0).then(|| GuildId::new(guild.cast_unsigned()));
    let user = (user != 0).then(|| UserId::new(user.cast_unsigned()));
    match (guild, user) {
        (None, None) => Scope::Global,
        (Some(guild), None) => Scope::Guild(guild),
        (None, Some(user)) => Scope::User(user),
        (Some(guild), Some(user)) => Scope::Member(guild, user),
    }
}

/// The columns of [`READ`].
#[derive(serde::Deserialize)]
struct Columns {
    version: u32,
    revision: u64,
    body: Option<String>,
}

/// The columns of [`READ_ALL`].
#[derive(serde::Deserialize)]
struct Listed {
    guild: i64,
    user_id: i64,
    version: u32,
    revision: u64,
    body: String,
}
