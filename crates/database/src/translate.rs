//! Errors of the databases, as sentences.

use sdk_core::database::{DatabaseError, DatabaseErrorKind as Kind};
use sqlx::error::ErrorKind;

/// Returns what an error of sqlx means for a plugin.
pub(crate) fn translate(error: sqlx::Error) -> DatabaseError {
    match &error {
        sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::WorkerCrashed => DatabaseError::unavailable().caused_by(error),
        sqlx::Error::Database(said) => {
            let code = said.code().unwrap_or_default().into_owned();
            let text = said.message().to_owned();
            let kind = match said.kind() {
                ErrorKind::UniqueViolation => Kind::Taken,
                ErrorKind::ForeignKeyViolation | ErrorKind::NotNullViolation | ErrorKind::CheckViolation => {
                    Kind::Constraint
                }
                _ if said.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() => of_sqlite(&code),
                _ => of_postgres(&code),
            };
            match kind {
                Kind::Unavailable => DatabaseError::unavailable().caused_by(error),
                Kind::Full => {
                    DatabaseError::new(kind, format!("the database cannot write: {text}")).caused_by(error)
                }
                _ => DatabaseError::new(kind, format!("the database refused it: {text}")).caused_by(error),
            }
        }
        _ => DatabaseError::new(Kind::Refused, format!("the statement cannot be run: {error}"))
            .caused_by(error),
    }
}

/// Returns the kind of a result code of SQLite (https://www.sqlite.org/rescode.html). The low byte is the primary code.
fn of_sqlite(code: &str) -> Kind {
    match code.parse::<u32>().map(|code| code & 0xff) {
        // BUSY, LOCKED, NOMEM, CANTOPEN.
        Ok(5 | 6 | 7 | 14) => Kind::Unavailable,
        // READONLY, IOERR, FULL.
        Ok(8 | 10 | 13) => Kind::Full,
        _ => Kind::Refused,
    }
}

/// Returns the kind of an SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html).
fn of_postgres(code: &str) -> Kind {
    match code {
        // disk_full
        "53100" => Kind::Full,
        // read_only_sql_transaction: a replica, or a server that has become one.
        "25006" => Kind::Unavailable,
        // Connections, resources, serialization failures and deadlocks, shutting down.
        _ if ["08", "53", "40", "57P"].iter().any(|class| code.starts_with(class)) => Kind::Unavailable,
        // query_canceled, by the time limit.
        "57014" => Kind::Unavailable,
        _ => Kind::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_by_what_the_caller_can_do() {
        assert_eq!(of_sqlite("5"), Kind::Unavailable);
        assert_eq!(of_sqlite("261"), Kind::Unavailable);
        assert_eq!(of_sqlite("13"), Kind::Full);
        assert_eq!(of_sqlite("1"), Kind::Refused);
        for code in ["08006", "53300", "40001", "40P01", "57P01", "57P03", "57014"] {
            assert_eq!(of_postgres(code), Kind::Unavailable, "{code}");
        }
        assert_eq!(of_postgres("53100"), Kind::Full);
        assert_eq!(of_postgres("42P01"), Kind::Refused);
    }
}
