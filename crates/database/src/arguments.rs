//! Parameters as sqlx takes them.

use sdk_core::database::{DatabaseError, Parameter};
use sqlx::error::BoxDynError;
use sqlx::{Arguments, Encode, Type};

use crate::translate::translate;

/// Returns the parameters of a statement. `null` adds NULL, whose type differs between the databases.
pub(crate) fn collect<A: Arguments>(
    parameters: Vec<Parameter>,
    null: impl Fn(&mut A) -> Result<(), BoxDynError>,
) -> Result<A, DatabaseError>
where
    bool: for<'t> Encode<'t, A::Database> + Type<A::Database>,
    i64: for<'t> Encode<'t, A::Database> + Type<A::Database>,
    f64: for<'t> Encode<'t, A::Database> + Type<A::Database>,
    String: for<'t> Encode<'t, A::Database> + Type<A::Database>,
    Vec<u8>: for<'t> Encode<'t, A::Database> + Type<A::Database>,
{
    let mut arguments = A::default();
    for parameter in parameters {
        let added = match parameter {
            Parameter::Null => null(&mut arguments),
            Parameter::Bool(value) => arguments.add(value),
            Parameter::Integer(value) => arguments.add(value),
            Parameter::Real(value) => arguments.add(value),
            Parameter::Text(value) => arguments.add(value),
            Parameter::Bytes(value) => arguments.add(value),
        };
        added.map_err(|error| translate(sqlx::Error::Encode(error)))?;
    }
    Ok(arguments)
}
