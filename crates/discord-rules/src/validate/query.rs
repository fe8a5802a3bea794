//! Values of a query string; errors name their key.

use std::ops::RangeInclusive;

use serde_json::Value;

use super::form::Form;
use crate::error::ApiResult;
use crate::snowflake::Snowflake;

/// Reads one value of a query as a number in a range, as in `?limit=50`.
pub fn number(key: &str, text: Option<&str>, range: RangeInclusive<i64>) -> ApiResult<Option<i64>> {
    query(key, text, |form, value| form.int(value, range))
}

/// Reads one value of a query as an id, as in `?before=123`.
pub fn id(key: &str, text: Option<&str>) -> ApiResult<Option<Snowflake>> {
    query(key, text, Form::snowflake)
}

fn query<T>(
    key: &str,
    text: Option<&str>,
    read: impl FnOnce(&mut Form, &Value) -> Option<T>,
) -> ApiResult<Option<T>> {
    let Some(text) = text else { return Ok(None) };
    Form::read(|form| form.within(key, |form| read(form, &Value::from(text)))).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_refused_by_the_name_of_their_key() {
        assert_eq!(number("limit", Some("50"), 1..=100).unwrap(), Some(50));
        assert_eq!(number("limit", None, 1..=100).unwrap(), None);
        let error = number("limit", Some("101"), 1..=100).unwrap_err();
        assert_eq!(error.errors().unwrap().at(&["limit"])[0].code, "NUMBER_TYPE_MAX");
        assert_eq!(id("before", Some("x")).unwrap_err().code(), 50035);
        assert_eq!(id("before", Some("7")).unwrap(), Some(Snowflake(7)));
    }
}
