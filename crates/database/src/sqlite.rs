//! Parameters and rows of SQLite.

use sdk_core::database::{DatabaseError, DatabaseErrorKind, Parameter, Row};
use serde_json::Value;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments as _, Column as _, Row as _, TypeInfo as _, ValueRef as _};

use crate::arguments;
use crate::translate::translate;

/// Returns parameters as SQLite takes them.
pub(crate) fn arguments(parameters: Vec<Parameter>) -> Result<SqliteArguments, DatabaseError> {
    arguments::collect(parameters, |arguments: &mut SqliteArguments| arguments.add(None::<i64>))
}

/// Returns a row as JSON. A column that was declared BOOLEAN has truth values, whatever SQLite keeps.
pub(crate) fn row(row: &SqliteRow) -> Result<Row, DatabaseError> {
    let mut columns = Vec::with_capacity(row.columns().len());
    for column in row.columns() {
        let at = column.ordinal();
        let value = row.try_get_raw(at).map_err(translate)?;
        let value = if value.is_null() {
            Value::Null
        } else {
            match value.type_info().name() {
                "INTEGER" if column.type_info().name() == "BOOLEAN" => {
                    Value::Bool(row.try_get_unchecked::<i64, _>(at).map_err(translate)? != 0)
                }
                "BOOLEAN" => Value::Bool(row.try_get_unchecked::<i64, _>(at).map_err(translate)? != 0),
                "INTEGER" | "INT4" | "INT8" => row.try_get_unchecked::<i64, _>(at).map_err(translate)?.into(),
                "REAL" => row.try_get_unchecked::<f64, _>(at).map_err(translate)?.into(),
                "TEXT" => row.try_get_unchecked::<String, _>(at).map_err(translate)?.into(),
                "BLOB" => row.try_get_unchecked::<Vec<u8>, _>(at).map_err(translate)?.into(),
                other => {
                    return Err(DatabaseError::new(
                        DatabaseErrorKind::Refused,
                        format!("the column {} has the type {other}, which cannot be read", column.name()),
                    ));
                }
            }
        };
        columns.push((column.name().to_owned(), value));
    }
    Ok(Row::new(columns))
}
