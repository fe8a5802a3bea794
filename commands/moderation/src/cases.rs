//! Cases in the database: what moderators did, numbered per server.
//!
//! A number is taken in the transaction that writes its case, so that there are neither gaps nor doubles. A removed case
//! keeps its number.

use std::fmt;

use sdk::database::Sql;
use sdk::params;
use sdk::prelude::*;
use serde::{Deserialize, Serialize};
use serenity::{GuildId, Timestamp, User, UserId};

/// Kinds of cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Ban,
    TemporaryBan,
    Softban,
    Unban,
    Kick,
    Timeout,
    TimeoutEnd,
    Warning,
}

impl Kind {
    const ALL: [(Self, &str, &str); 8] = [
        (Self::Ban, "ban", "ban"),
        (Self::TemporaryBan, "temporary_ban", "temporary ban"),
        (Self::Softban, "softban", "softban"),
        (Self::Unban, "unban", "unban"),
        (Self::Kick, "kick", "kick"),
        (Self::Timeout, "timeout", "timeout"),
        (Self::TimeoutEnd, "timeout_end", "end of a timeout"),
        (Self::Warning, "warning", "warning"),
    ];

    fn names(self) -> (&'static str, &'static str) {
        let found = Self::ALL.iter().find(|(kind, ..)| *kind == self);
        found.map_or(("", ""), |(_, stored, shown)| (stored, shown))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.names().1)
    }
}

/// A case as stored.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Case {
    pub(crate) number: i64,
    pub(crate) kind: Kind,
    pub(crate) user_id: UserId,
    pub(crate) user_name: String,
    pub(crate) moderator: UserId,
    pub(crate) reason: Option<String>,
    pub(crate) evidence: Option<String>,
    pub(crate) quote: Option<String>,
    pub(crate) points: i64,
    /// Seconds since 1970.
    pub(crate) created_at: i64,
    pub(crate) expires_at: Option<i64>,
    /// Number of the warning whose consequence this is.
    pub(crate) cause: Option<i64>,
    pub(crate) removed_by: Option<UserId>,
    pub(crate) removed_at: Option<i64>,
}

const COLUMNS: &str = "number, kind, user_id, user_name, moderator, reason, evidence, quote, points, created_at, \
                       expires_at, cause, removed_by, removed_at";

/// A case to write.
pub(crate) struct NewCase<'a> {
    pub(crate) kind: Kind,
    pub(crate) user: &'a User,
    pub(crate) moderator: UserId,
    pub(crate) reason: Option<&'a str>,
    pub(crate) evidence: Option<&'a str>,
    pub(crate) quote: Option<&'a str>,
    pub(crate) points: i64,
    pub(crate) expires_at: Option<i64>,
    pub(crate) cause: Option<i64>,
}

/// A case that was written.
pub(crate) struct Written {
    pub(crate) number: i64,
    /// The user's points with those of this case.
    pub(crate) points: i64,
}

/// A change of a case's reason.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Edit {
    pub(crate) edited_by: UserId,
    pub(crate) edited_at: i64,
    pub(crate) old_reason: Option<String>,
}

/// A ban that ends by itself.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct TemporaryBan {
    pub(crate) user_id: UserId,
    pub(crate) number: i64,
    pub(crate) ends_at: i64,
}

/// Returns the seconds since 1970.
pub(crate) fn now() -> i64 {
    Timestamp::now().unix_timestamp()
}

/// Points of a user that are younger than `$3`. PostgreSQL's sum of BIGINT is of another type.
const POINTS: &str = "SELECT CAST(COALESCE(SUM(points), 0) AS BIGINT) FROM moderation_cases \
                      WHERE guild = $1 AND user_id = $2 AND created_at > $3 AND removed_at IS NULL";

/// Writes a case, and whether the user's ban ends by itself. Points from before `since` do not count any more.
pub(crate) async fn write(
    sql: &Sql,
    guild: GuildId,
    case: &NewCase<'_>,
    since: i64,
) -> Result<Written, Error> {
    let mut transaction = sql.begin().await?;
    // The first statement, because it makes others who write a case of this server wait.
    let number: i64 = transaction
        .fetch_value(
            "INSERT INTO moderation_counters (guild, last) VALUES ($1, 1) \
             ON CONFLICT (guild) DO UPDATE SET last = moderation_counters.last + 1 RETURNING last",
            params![guild],
        )
        .await?
        .ok_or("the number of a case could not be taken")?;
    transaction
        .execute(
            "INSERT INTO moderation_cases (guild, number, kind, user_id, user_name, moderator, reason, evidence, quote, \
             points, created_at, expires_at, cause) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
            params![
                guild,
                number,
                case.kind.names().0,
                case.user.id,
                &case.user.name,
                case.moderator,
                case.reason,
                case.evidence,
                case.quote,
                case.points,
                now(),
                case.expires_at,
                case.cause
            ],
        )
        .await?;
    let user = case.user.id;
    match (case.kind, case.expires_at) {
        (Kind::TemporaryBan, Some(ends_at)) => {
            transaction
                .execute(
                    "INSERT INTO moderation_temporary_bans (guild, user_id, number, ends_at) VALUES ($1, $2, $3, $4) \
                     ON CONFLICT (guild, user_id) DO UPDATE SET number = excluded.number, ends_at = excluded.ends_at",
                    params![guild, user, number, ends_at],
                )
                .await?;
        }
        (Kind::Ban | Kind::Softban | Kind::Unban, _) => {
            let sql = "DELETE FROM moderation_temporary_bans WHERE guild = $1 AND user_id = $2";
            transaction.execute(sql, params![guild, user]).await?;
        }
        _ => {}
    }
    let points = transaction.fetch_value(POINTS, params![guild, user, since]).await?.unwrap_or_default();
    transaction.commit().await?;
    Ok(Written { number, points })
}

/// Returns a user's points that count.
pub(crate) async fn points(sql: &Sql, guild: GuildId, user: UserId, since: i64) -> Result<i64, Error> {
    Ok(sql.fetch_value(POINTS, params![guild, user, since]).await?.unwrap_or_default())
}

/// Returns a case, or a refusal if there is none with this number.
pub(crate) async fn one(sql: &Sql, guild: GuildId, number: i64) -> Result<Case, Error> {
    let query = format!("SELECT {COLUMNS} FROM moderation_cases WHERE guild = $1 AND number = $2");
    let found = sql.fetch_one(&query, params![guild, number]).await?;
    found.ok_or_else(|| no_case(number))
}

fn no_case(number: i64) -> Error {
    Refusal::new(format!("This server has no case {number}.")).into()
}

/// Returns the changes of a case's reason, oldest first.
pub(crate) async fn edits(sql: &Sql, guild: GuildId, number: i64) -> Result<Vec<Edit>, Error> {
    let query = "SELECT edited_by, edited_at, old_reason FROM moderation_edits \
                 WHERE guild = $1 AND number = $2 ORDER BY edit";
    sql.fetch(query, params![guild, number]).await
}

/// Returns a page of a user's cases, newest first, and the number of all of them.
pub(crate) async fn of_user(
    sql: &Sql,
    guild: GuildId,
    user: UserId,
    (first, most): (i64, i64),
) -> Result<(Vec<Case>, i64), Error> {
    let query = "SELECT COUNT(*) FROM moderation_cases WHERE guild = $1 AND user_id = $2";
    let count = sql.fetch_value(query, params![guild, user]).await?.unwrap_or_default();
    let query = format!(
        "SELECT {COLUMNS} FROM moderation_cases WHERE guild = $1 AND user_id = $2 \
         ORDER BY number DESC LIMIT $3 OFFSET $4"
    );
    Ok((sql.fetch(&query, params![guild, user, most, first]).await?, count))
}

/// Changes the reason of a case and keeps the old one.
pub(crate) async fn edit(
    sql: &Sql,
    guild: GuildId,
    number: i64,
    by: UserId,
    reason: &str,
) -> Result<(), Error> {
    #[derive(Deserialize)]
    struct Old {
        reason: Option<String>,
    }
    let mut transaction = sql.begin().await?;
    // Locks the row, so that two edits at once are kept one after the other.
    let locked = "UPDATE moderation_cases SET kind = kind WHERE guild = $1 AND number = $2 RETURNING reason";
    let old: Old =
        transaction.fetch_one(locked, params![guild, number]).await?.ok_or_else(|| no_case(number))?;
    transaction
        .execute(
            "INSERT INTO moderation_edits (guild, number, edit, edited_by, edited_at, old_reason) \
             SELECT $1, $2, COUNT(*) + 1, $3, $4, $5 FROM moderation_edits WHERE guild = $1 AND number = $2",
            params![guild, number, by, now(), old.reason],
        )
        .await?;
    let change = "UPDATE moderation_cases SET reason = $3 WHERE guild = $1 AND number = $2";
    transaction.execute(change, params![guild, number, reason]).await?;
    transaction.commit().await
}

/// Marks a case as removed, so that its points do not count. Its number is not given again.
pub(crate) async fn remove(sql: &Sql, guild: GuildId, number: i64, by: UserId) -> Result<(), Error> {
    let change = "UPDATE moderation_cases SET removed_by = $3, removed_at = $4 \
                  WHERE guild = $1 AND number = $2 AND removed_at IS NULL";
    if sql.execute(change, params![guild, number, by, now()]).await? == 0 {
        one(sql, guild, number).await?;
        return Err(Refusal::new(format!("Case {number} is removed already.")).into());
    }
    Ok(())
}

/// Returns a user's ban that ends by itself.
pub(crate) async fn temporary_ban(
    sql: &Sql,
    guild: GuildId,
    user: UserId,
) -> Result<Option<TemporaryBan>, Error> {
    let query =
        "SELECT user_id, number, ends_at FROM moderation_temporary_bans WHERE guild = $1 AND user_id = $2";
    sql.fetch_one(query, params![guild, user]).await
}

/// Returns all bans of a server that end by themselves.
pub(crate) async fn temporary_bans(sql: &Sql, guild: GuildId) -> Result<Vec<TemporaryBan>, Error> {
    let query = "SELECT user_id, number, ends_at FROM moderation_temporary_bans WHERE guild = $1";
    sql.fetch(query, params![guild]).await
}

/// Forgets that a ban ends by itself, unless a newer one has replaced it.
pub(crate) async fn forget_temporary_ban(
    sql: &Sql,
    guild: GuildId,
    user: UserId,
    number: i64,
) -> Result<(), Error> {
    let delete = "DELETE FROM moderation_temporary_bans WHERE guild = $1 AND user_id = $2 AND number = $3";
    sql.execute(delete, params![guild, user, number]).await?;
    Ok(())
}

/// Changes when a ban ends, unless a newer one has replaced it. Its case keeps the time that was set.
pub(crate) async fn postpone_temporary_ban(
    sql: &Sql,
    guild: GuildId,
    ban: &TemporaryBan,
    ends_at: i64,
) -> Result<(), Error> {
    let update =
        "UPDATE moderation_temporary_bans SET ends_at = $4 WHERE guild = $1 AND user_id = $2 AND number = $3";
    sql.execute(update, params![guild, ban.user_id, ban.number, ends_at]).await?;
    Ok(())
}
