//! Lenient values, as Discord reads them: a number for a text, a quoted number for a number.

use std::borrow::Cow;

use serde_json::Value;

/// One more than the largest integer that a double holds exactly along with all smaller ones.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Returns the text of a value, if it can be read as one.
pub(super) fn text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        _ => None,
    }
}

/// Returns the integer of a value, if it is one.
pub(super) fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| {
            let number = number.as_f64().filter(|number| number.fract() == 0.0 && number.abs() <= EXACT)?;
            #[expect(clippy::cast_possible_truncation, reason = "whole and held exactly")]
            Some(number as i64)
        }),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// Returns the number of a value, if it is one.
pub(super) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
        _ => None,
    }
}

/// Returns the bits of a permission set, written as a text or as a number.
pub(super) fn permissions(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}
