//! Parameters and rows of PostgreSQL.

use sdk_core::database::{DatabaseError, DatabaseErrorKind, Parameter, Row};
use serde_json::Value;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgArguments, PgRow, PgTypeInfo, PgValueFormat};
use sqlx::{Arguments as _, Column as _, Encode, Postgres, Row as _, Type, TypeInfo as _, ValueRef as _};

use crate::arguments;
use crate::numeric::numeric;
use crate::translate::translate;

/// NULL of whichever type the statement wants. A type that is not given (0) is inferred by the server.
struct Null;

impl Type<Postgres> for Null {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(0))
    }
}

impl Encode<'_, Postgres> for Null {
    fn encode_by_ref(&self, _: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        Ok(IsNull::Yes)
    }
}

/// Returns parameters as PostgreSQL takes them.
pub(crate) fn arguments(parameters: Vec<Parameter>) -> Result<PgArguments, DatabaseError> {
    arguments::collect(parameters, |arguments: &mut PgArguments| arguments.add(Null))
}

/// Returns a row as JSON.
pub(crate) fn row(row: &PgRow) -> Result<Row, DatabaseError> {
    let mut columns = Vec::with_capacity(row.columns().len());
    for column in row.columns() {
        let value = value(row, column.ordinal(), column.type_info().name())
            .map_err(translate)?
            .ok_or_else(|| unread(column.name(), column.type_info().name()))?;
        columns.push((column.name().to_owned(), value));
    }
    Ok(Row::new(columns))
}

/// Returns a value as JSON, or `None` if its type is not read.
fn value(row: &PgRow, at: usize, kind: &str) -> Result<Option<Value>, sqlx::Error> {
    let raw = row.try_get_raw(at)?;
    if raw.is_null() {
        return Ok(Some(Value::Null));
    }
    Ok(Some(match kind {
        "BOOL" => row.try_get::<bool, _>(at)?.into(),
        "INT2" => row.try_get::<i16, _>(at)?.into(),
        "INT4" => row.try_get::<i32, _>(at)?.into(),
        "INT8" => row.try_get::<i64, _>(at)?.into(),
        "FLOAT4" => row.try_get::<f32, _>(at)?.into(),
        "FLOAT8" => row.try_get::<f64, _>(at)?.into(),
        "TEXT" | "VARCHAR" | "CHAR" | "NAME" | "UNKNOWN" => row.try_get_unchecked::<String, _>(at)?.into(),
        "BYTEA" => row.try_get::<Vec<u8>, _>(at)?.into(),
        "JSON" | "JSONB" => row.try_get::<Value, _>(at)?,
        // Sums of whole numbers, and averages.
        "NUMERIC" if raw.format() == PgValueFormat::Binary => {
            let bytes = raw.as_bytes().map_err(sqlx::Error::Decode)?;
            return Ok(numeric(bytes));
        }
        "VOID" => Value::Null,
        _ => return Ok(None),
    }))
}

fn unread(column: &str, kind: &str) -> DatabaseError {
    DatabaseError::new(
        DatabaseErrorKind::Refused,
        format!(
            "the column {column} has the type {kind}, which is not read; cast it in the statement, for example {column}::text"
        ),
    )
}
