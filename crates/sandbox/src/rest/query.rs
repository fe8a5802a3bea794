//! The query string of a request.

use std::ops::RangeInclusive;
use std::str::FromStr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde_json::Value;
use time::OffsetDateTime;

use super::request::parse_id;
use crate::error::{ApiError, ApiResult, FieldError, FormErrors, Segment};
use crate::snowflake::Snowflake;
use crate::validate::form::parse_moment;

/// The query string.
#[derive(Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> ApiResult<Self> {
        let query = axum::extract::Query::from_request_parts(parts, state).await;
        Ok(Self(query.map(|query| query.0).unwrap_or_default()))
    }
}

impl Query {
    /// Returns a text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.all(name).last()
    }

    /// Returns all texts of a name that is repeated (Reference, "Array Query Strings").
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Returns at most `most` ids.
    pub(crate) fn ids(&self, name: &str, most: usize) -> ApiResult<Vec<Snowflake>> {
        let ids = self.all(name).map(|text| parse_id(name, text)).collect::<ApiResult<Vec<_>>>()?;
        if ids.len() > most { Err(ApiError::field(&[name], FieldError::max_length(most))) } else { Ok(ids) }
    }

    /// Returns a boolean.
    pub(crate) fn flag(&self, name: &str) -> bool {
        matches!(self.text(name), Some("true" | "True" | "1"))
    }

    /// Returns an id.
    pub(crate) fn id(&self, name: &str) -> ApiResult<Option<Snowflake>> {
        self.text(name).filter(|text| !text.is_empty()).map(|text| parse_id(name, text)).transpose()
    }

    /// Returns a number within a range.
    pub(crate) fn number(
        &self,
        name: &str,
        range: RangeInclusive<usize>,
        default: usize,
    ) -> ApiResult<usize> {
        Ok(self.optional_number(name, range)?.unwrap_or(default))
    }

    /// Returns a number within a range, if there is one.
    pub(crate) fn optional_number(
        &self,
        name: &str,
        range: RangeInclusive<usize>,
    ) -> ApiResult<Option<usize>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let number = i64::from_str(text)
            .map_err(|_| ApiError::field(&[name], FieldError::not_a("int", &Value::from(text))))?;
        let number = usize::try_from(number).unwrap_or(0);
        if number < *range.start() {
            return Err(ApiError::field(&[name], FieldError::min("int", range.start())));
        }
        if number > *range.end() {
            return Err(ApiError::field(&[name], FieldError::max("int", range.end())));
        }
        Ok(Some(number))
    }

    /// Returns a boolean, if there is one.
    pub(crate) fn strict_flag(&self, name: &str) -> ApiResult<Option<bool>> {
        match self.text(name) {
            None => Ok(None),
            Some("true" | "True" | "1") => Ok(Some(true)),
            Some("false" | "False" | "0") => Ok(Some(false)),
            Some(_) => Err(ApiError::field(&[name], FieldError::not_bool())),
        }
    }

    /// Returns a text of at most `longest` characters.
    pub(crate) fn short_text(&self, name: &str, longest: usize) -> ApiResult<Option<&str>> {
        match self.text(name) {
            Some(text) if text.chars().count() > longest => {
                Err(ApiError::field(&[name], FieldError::max_length(longest)))
            }
            text => Ok(text),
        }
    }

    /// Returns one of a few words, if there is one.
    pub(crate) fn word(&self, name: &str, allowed: &[&'static str]) -> ApiResult<Option<&'static str>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let found = allowed.iter().copied().find(|word| *word == text);
        found.map(Some).ok_or_else(|| ApiError::field(&[name], FieldError::words(allowed)))
    }

    /// Returns a moment, if there is one.
    pub(crate) fn moment(&self, name: &str) -> ApiResult<Option<OffsetDateTime>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let error = || ApiError::field(&[name], FieldError::not_a_time(&Value::from(text)));
        parse_moment(text).map(Some).ok_or_else(error)
    }

    /// Returns ids that commas separate, if there are any.
    pub(crate) fn listed_ids(&self, name: &str) -> ApiResult<Option<Vec<Snowflake>>> {
        let text = self.text(name).filter(|text| !text.is_empty());
        text.map(|text| text.split(',').map(|id| parse_id(name, id.trim())).collect()).transpose()
    }

    /// Returns at most `most` different ids of a name that is repeated.
    pub(crate) fn id_set(&self, name: &str, most: usize) -> ApiResult<Vec<Snowflake>> {
        self.set(name, most, |text| {
            text.parse().map_err(|_| FieldError::not_a("snowflake", &Value::from(text)))
        })
    }

    /// Returns at most `most` different texts of at most `longest` characters.
    pub(crate) fn text_set(&self, name: &str, most: usize, longest: usize) -> ApiResult<Vec<String>> {
        self.set(name, most, |text| {
            let fits = text.chars().count() <= longest;
            if fits { Ok(text.to_owned()) } else { Err(FieldError::max_length(longest)) }
        })
    }

    /// Returns at most `most` different values of a name that is repeated, each read by `read`.
    pub(crate) fn set<T: PartialEq>(
        &self,
        name: &str,
        most: usize,
        read: impl Fn(&str) -> Result<T, FieldError>,
    ) -> ApiResult<Vec<T>> {
        let mut values = Vec::new();
        for (index, text) in self.all(name).enumerate() {
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
}

/// Returns the error of one item of a repeated value.
fn item(name: &str, index: usize, error: FieldError) -> ApiError {
    let mut errors = FormErrors::default();
    errors.push([Segment::from(name), Segment::from(index)], error);
    ApiError::form(errors)
}
