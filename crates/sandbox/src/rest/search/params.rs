//! Values of a search's query string.

use serde_json::Value;

use super::super::Query;
use crate::error::{ApiError, ApiResult, FieldError, FormErrors, Segment};
use crate::snowflake::Snowflake;

/// Returns the error of one item of a repeated value.
fn item(name: &str, index: usize, error: FieldError) -> ApiError {
    let mut errors = FormErrors::default();
    errors.push([Segment::from(name), Segment::from(index)], error);
    ApiError::form(errors)
}

/// Returns a boolean, if there is one.
pub(super) fn flag(query: &Query, name: &str) -> ApiResult<Option<bool>> {
    match query.text(name) {
        None => Ok(None),
        Some("true" | "True" | "1") => Ok(Some(true)),
        Some("false" | "False" | "0") => Ok(Some(false)),
        Some(_) => Err(ApiError::field(&[name], FieldError::not_bool())),
    }
}

/// Returns a text of at most `longest` characters.
pub(super) fn text(query: &Query, name: &str, longest: usize) -> ApiResult<Option<String>> {
    let Some(text) = query.text(name) else { return Ok(None) };
    if text.chars().count() > longest {
        return Err(ApiError::field(&[name], FieldError::max_length(longest)));
    }
    Ok(Some(text.to_owned()))
}

/// Returns one of a few words, or the first of them.
pub(super) fn word(query: &Query, name: &str, allowed: &[&'static str]) -> ApiResult<&'static str> {
    let first = allowed.first().copied().unwrap_or_default();
    let Some(text) = query.text(name) else { return Ok(first) };
    let found = allowed.iter().copied().find(|word| *word == text);
    found.ok_or_else(|| ApiError::field(&[name], choices(allowed)))
}

fn choices(allowed: &[&'static str]) -> FieldError {
    FieldError::choices(allowed.iter().map(|word| format!("'{word}'")))
}

/// Returns at most `most` different ids.
pub(super) fn ids(query: &Query, name: &str, most: usize) -> ApiResult<Vec<Snowflake>> {
    set(query, name, most, |text| {
        text.parse().map_err(|_| FieldError::not_a("snowflake", &Value::from(text)))
    })
}

/// Returns at most `most` different texts of at most `longest` characters.
pub(super) fn texts(query: &Query, name: &str, most: usize, longest: usize) -> ApiResult<Vec<String>> {
    set(query, name, most, |text| {
        let fits = text.chars().count() <= longest;
        if fits { Ok(text.to_owned()) } else { Err(FieldError::max_length(longest)) }
    })
}

/// Things that a message must have one of, and things that it must not have.
#[derive(Debug, Default)]
pub(super) struct Kinds {
    wanted: Vec<&'static str>,
    refused: Vec<&'static str>,
}

impl Kinds {
    /// Reads words, each of which a minus sign negates if `negatable`.
    pub(super) fn read(
        query: &Query,
        name: &str,
        allowed: &[&'static str],
        negatable: bool,
    ) -> ApiResult<Self> {
        let most = if negatable { allowed.len() * 2 } else { allowed.len() };
        let words = set(query, name, most, |text| {
            let (negated, word) = match text.strip_prefix('-').filter(|_| negatable) {
                Some(word) => (true, word),
                None => (false, text),
            };
            let found = allowed.iter().copied().find(|allowed| *allowed == word);
            found.map(|word| (negated, word)).ok_or_else(|| choices(allowed))
        })?;
        let mut kinds = Self::default();
        for (negated, word) in words {
            if negated { kinds.refused.push(word) } else { kinds.wanted.push(word) }
        }
        Ok(kinds)
    }

    /// Returns whether something fits for which `has` tells what it has.
    pub(super) fn fit(&self, has: impl Fn(&str) -> bool) -> bool {
        (self.wanted.is_empty() || self.wanted.iter().any(|word| has(word)))
            && !self.refused.iter().any(|word| has(word))
    }
}

fn set<T: PartialEq>(
    query: &Query,
    name: &str,
    most: usize,
    read: impl Fn(&str) -> Result<T, FieldError>,
) -> ApiResult<Vec<T>> {
    let mut values = Vec::new();
    for (index, text) in query.all(name).enumerate() {
        let value = read(text).map_err(|error| item(name, index, error))?;
        if values.contains(&value) {
            return Err(item(name, index, FieldError::repeated()));
        }
        values.push(value);
    }
    if values.len() > most {
        return Err(ApiError::field(&[name], FieldError::max_length(most)));
    }
    Ok(values)
}
