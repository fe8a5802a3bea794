//! Walks a request body, converts its fields as Discord does, and collects every error with its path.

mod change;
mod moment;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::fmt::Display;
use std::ops::RangeInclusive;

use serde_json::{Map, Value};
use time::OffsetDateTime;

use crate::error::{ApiError, ApiResult, FieldError, FormErrors, Segment};
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::validate::unread::Seen;

pub use self::change::Change;
pub use self::moment::{format_moment, parse_moment};

/// Reads the bytes of a body as JSON; an empty body counts as an empty object.
pub fn parse_json(bytes: &[u8]) -> ApiResult<Value> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Object(Map::new()));
    }
    serde_json::from_slice(bytes).map_err(|_| ApiError::invalid_json())
}

/// Object inside a body.
pub type Object = Map<String, Value>;

/// State of walking one body.
///
/// Readers named after a type (`text`, `int`, ...) convert the value at the current path and report errors there.
#[derive(Debug, Default)]
pub struct Form {
    path: Vec<Segment>,
    errors: FormErrors,
    seen: Seen,
}

impl Form {
    /// Reads a whole body; returns the result if nothing was wrong with it, or else every error.
    pub fn read<T>(read: impl FnOnce(&mut Self) -> Option<T>) -> ApiResult<T> {
        Self::read_body(&Value::Null, read)
    }

    /// Reads a whole body like [`read`](Self::read), and reports its fields that nothing has read
    /// ([`unread`](super::unread)).
    pub fn read_body<T>(body: &Value, read: impl FnOnce(&mut Self) -> Option<T>) -> ApiResult<T> {
        let mut form = Self { seen: Seen::new(), ..Self::default() };
        let value = read(&mut form);
        match value {
            Some(value) if form.errors.is_empty() => {
                form.seen.report(body);
                Ok(value)
            }
            _ => {
                if form.errors.is_empty() {
                    form.complain(FieldError::required());
                }
                Err(ApiError::form(form.errors))
            }
        }
    }

    /// Reads a body that must be an object.
    pub fn read_object<T>(body: &Value, read: impl FnOnce(&mut Self, &Object) -> Option<T>) -> ApiResult<T> {
        Self::read_body(body, |form| {
            let object = form.object(body)?;
            read(form, object)
        })
    }

    /// Reports an error of the value at the current path.
    pub fn complain(&mut self, error: FieldError) {
        self.errors.push(self.path.iter().cloned(), error);
    }

    /// Reports an error of a field of the object at the current path.
    pub fn complain_at(&mut self, key: impl Into<Segment>, error: FieldError) {
        self.within(key, |form| form.complain(error));
    }

    /// Reports an error of something further inside the value at the current path.
    pub fn complain_below(&mut self, path: impl IntoIterator<Item = Segment>, error: FieldError) {
        let path: Vec<Segment> = self.path.iter().cloned().chain(path).collect();
        self.errors.push(path, error);
    }

    /// Returns whether no error has been reported so far.
    pub fn is_clean(&self) -> bool {
        self.errors.is_empty()
    }

    /// Calls `f` one step further down the path.
    pub fn within<T>(&mut self, key: impl Into<Segment>, f: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(key.into());
        let result = f(self);
        self.path.pop();
        result
    }

    /// Counts fields as read that something else than this form reads.
    pub fn skip(&mut self, object: &Object, keys: &[&str]) {
        for value in keys.iter().filter_map(|key| object.get(*key)) {
            self.seen.value(value);
        }
    }

    /// Reads a field that may be absent or null.
    pub fn field<T>(
        &mut self,
        object: &Object,
        key: &str,
        read: impl FnOnce(&mut Self, &Value) -> Option<T>,
    ) -> Change<T> {
        let value = object.get(key);
        value.inspect(|value| self.seen.value(value));
        match value {
            None => Change::Keep,
            Some(Value::Null) => Change::Clear,
            Some(value) => self.within(key, |form| read(form, value)).map_or(Change::Keep, Change::Set),
        }
    }

    /// Reads a field that may be absent, where null means the same.
    pub fn optional<T>(
        &mut self,
        object: &Object,
        key: &str,
        read: impl FnOnce(&mut Self, &Value) -> Option<T>,
    ) -> Option<T> {
        self.field(object, key, read).value()
    }

    /// Reads a required field.
    pub fn required<T>(
        &mut self,
        object: &Object,
        key: &str,
        read: impl FnOnce(&mut Self, &Value) -> Option<T>,
    ) -> Option<T> {
        let value = object.get(key);
        value.inspect(|value| self.seen.value(value));
        match value {
            None | Some(Value::Null) => {
                self.complain_at(key, FieldError::required());
                None
            }
            Some(value) => self.within(key, |form| read(form, value)),
        }
    }

    /// Reads an object with fixed fields.
    pub fn object<'v>(&mut self, value: &'v Value) -> Option<&'v Object> {
        let object = value.as_object();
        match object {
            Some(object) => self.seen.object(object),
            None => self.complain(FieldError::not_an_object()),
        }
        object
    }

    /// Reads an object with free keys.
    pub fn dict<'v>(&mut self, value: &'v Value) -> Option<&'v Object> {
        let object = value.as_object();
        if object.is_none() {
            self.complain(FieldError::not_a_dict());
        }
        object
    }

    /// Reads text of any length; Discord accepts numbers for text as well.
    pub fn any_text(&mut self, value: &Value) -> Option<String> {
        match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => {
                self.complain(FieldError::not_text(value));
                None
            }
        }
    }

    /// Reads text whose number of characters is in this range.
    pub fn text(&mut self, value: &Value, length: RangeInclusive<usize>) -> Option<String> {
        let text = self.any_text(value)?;
        self.length(text.chars().count(), &length).then_some(text)
    }

    /// Reads text whose number of characters, without the white space around it, is in this range.
    pub fn trimmed(&mut self, value: &Value, length: RangeInclusive<usize>) -> Option<String> {
        let text = self.any_text(value)?;
        let text = text.trim();
        self.length(text.chars().count(), &length).then(|| text.to_owned())
    }

    /// Checks that a length is in range and reports an error if not; an empty value where one is required is a missing
    /// field.
    pub fn length(&mut self, length: usize, range: &RangeInclusive<usize>) -> bool {
        if range.contains(&length) {
            return true;
        }
        let (min, max) = (*range.start(), *range.end());
        self.complain(match (length, min) {
            (0, _) => FieldError::required(),
            (_, 0) => FieldError::max_length(max),
            _ if max == usize::MAX => FieldError::min_length(min),
            _ => FieldError::bad_length(min, max),
        });
        false
    }

    /// Reads a whole number; Discord accepts one in quotes as well.
    pub fn int(&mut self, value: &Value, range: RangeInclusive<i64>) -> Option<i64> {
        let number = match value {
            // JavaScript makes a float without a fraction of a large integer.
            Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        let Some(number) = number else {
            self.complain(FieldError::not_a("int", value));
            return None;
        };
        self.range("int", number, &range)
    }

    /// Reads a whole number, for fields that hold it unsigned.
    pub fn uint(&mut self, value: &Value, max: u32) -> Option<u32> {
        self.int(value, 0..=i64::from(max)).and_then(|number| u32::try_from(number).ok())
    }

    /// Reads any number.
    pub fn float(&mut self, value: &Value, range: RangeInclusive<f64>) -> Option<f64> {
        let number = match value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
            _ => None,
        };
        let Some(number) = number else {
            self.complain(FieldError::not_a("float", value));
            return None;
        };
        self.range("float", number, &range)
    }

    fn range<T: PartialOrd + Display + Copy>(
        &mut self,
        kind: &str,
        number: T,
        range: &RangeInclusive<T>,
    ) -> Option<T> {
        if number < *range.start() {
            self.complain(FieldError::min(kind, range.start()));
            return None;
        }
        if number > *range.end() {
            self.complain(FieldError::max(kind, range.end()));
            return None;
        }
        Some(number)
    }

    /// Reads a boolean.
    pub fn boolean(&mut self, value: &Value) -> Option<bool> {
        let boolean = value.as_bool();
        if boolean.is_none() {
            self.complain(FieldError::not_bool());
        }
        boolean
    }

    /// Reads an id.
    pub fn snowflake(&mut self, value: &Value) -> Option<Snowflake> {
        let id = serde_json::from_value(value.clone()).ok();
        if id.is_none() {
            self.complain(FieldError::not_a("snowflake", value));
        }
        id
    }

    /// Reads a permission set, as text or number.
    pub fn permissions(&mut self, value: &Value) -> Option<Permissions> {
        if let Ok(set) = serde_json::from_value(value.clone()) {
            return Some(set);
        }
        let whole = match value {
            Value::Number(number) if !number.is_f64() => Some(number.to_string()),
            Value::String(text) => Some(text.trim().to_owned()),
            _ => None,
        };
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        self.complain(match whole.as_deref() {
            Some(text) if text.strip_prefix('-').is_some_and(digits) => FieldError::min("int", 0),
            Some(text) if digits(text) => FieldError::max("int", u64::MAX),
            _ => FieldError::not_a("int", value),
        });
        None
    }

    /// Reads a moment in ISO 8601.
    pub fn moment(&mut self, value: &Value) -> Option<OffsetDateTime> {
        let moment = value.as_str().and_then(parse_moment);
        if moment.is_none() {
            self.complain(FieldError::not_a_time(value));
        }
        moment
    }

    /// Reads one of a few numbers.
    pub fn one_of(&mut self, value: &Value, allowed: &[u8]) -> Option<u8> {
        let number = self.int(value, i64::MIN..=i64::MAX)?;
        let found = allowed.iter().copied().find(|candidate| i64::from(*candidate) == number);
        if found.is_none() {
            self.complain(FieldError::choices(allowed));
        }
        found
    }

    /// Reads one of a few words.
    pub fn word(&mut self, value: &Value, allowed: &[&'static str]) -> Option<&'static str> {
        let text = self.any_text(value)?;
        let found = allowed.iter().copied().find(|candidate| *candidate == text);
        if found.is_none() {
            self.complain(FieldError::words(allowed));
        }
        found
    }

    /// Reads a list whose length is in this range, each item at its own index; an invalid item is left out, the others
    /// are still read.
    pub fn list<T>(
        &mut self,
        value: &Value,
        length: RangeInclusive<usize>,
        mut read: impl FnMut(&mut Self, &Value) -> Option<T>,
    ) -> Option<Vec<T>> {
        let Some(items) = value.as_array() else {
            self.complain(FieldError::not_a_list());
            return None;
        };
        if !self.length(items.len(), &length) {
            return None;
        }
        let read = |(index, item): (usize, &Value)| {
            self.within(index, |form| match item {
                Value::Null => {
                    form.complain(FieldError::required());
                    None
                }
                item => read(form, item),
            })
        };
        Some(items.iter().enumerate().filter_map(read).collect())
    }

    /// Reads a list of objects with fixed fields, in which null has an error of its own.
    pub fn objects<T>(
        &mut self,
        value: &Value,
        length: RangeInclusive<usize>,
        mut read: impl FnMut(&mut Self, &Object) -> Option<T>,
    ) -> Option<Vec<T>> {
        let Some(items) = value.as_array() else {
            self.complain(FieldError::not_a_list());
            return None;
        };
        if !self.length(items.len(), &length) {
            return None;
        }
        let read = |(index, item): (usize, &Value)| {
            self.within(index, |form| {
                if item.is_null() {
                    form.complain(FieldError::item_required());
                    return None;
                }
                let object = form.object(item)?;
                read(form, object)
            })
        };
        Some(items.iter().enumerate().filter_map(read).collect())
    }

    /// Checks a field that nothing uses, so that it still counts as unread.
    pub fn check<T>(
        &mut self,
        object: &Object,
        key: &str,
        read: impl FnOnce(&mut Self, &Value) -> Option<T>,
    ) {
        if let Some(value) = object.get(key).filter(|value| !value.is_null()) {
            self.within(key, |form| read(form, value));
        }
    }

    /// Reads a field that may be absent, but not null: what must be there keeps its value in a PATCH.
    pub fn present<T>(
        &mut self,
        object: &Object,
        key: &str,
        read: impl FnOnce(&mut Self, &Value) -> Option<T>,
    ) -> Option<T> {
        if object.contains_key(key) { self.required(object, key, read) } else { None }
    }

    /// Reads a list of ids without repetition.
    pub fn id_set(&mut self, value: &Value, length: RangeInclusive<usize>) -> Option<Vec<Snowflake>> {
        let mut seen = HashSet::new();
        self.list(value, length, |form, item| {
            let id = form.snowflake(item)?;
            if !seen.insert(id) {
                form.complain(FieldError::repeated());
                return None;
            }
            Some(id)
        })
    }

    /// Reads a web address, kept as it was given.
    pub fn url(&mut self, value: &Value, max: usize, schemes: &[&str]) -> Option<String> {
        let text = self.text(value, 1..=max)?;
        let Some((scheme, rest)) = text.split_once("://") else {
            self.complain(FieldError::bad_url());
            return None;
        };
        if !schemes.iter().any(|allowed| allowed.eq_ignore_ascii_case(scheme)) {
            self.complain(FieldError::bad_scheme(scheme, schemes));
            return None;
        }
        if rest.is_empty() || rest.starts_with(['/', '?', '#']) || rest.contains(char::is_whitespace) {
            self.complain(FieldError::bad_url());
            return None;
        }
        Some(text)
    }
}

/// Returns a float's value as a whole number, where it is one and held exactly.
fn whole(number: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53, so nothing is lost")]
    (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64)
}
