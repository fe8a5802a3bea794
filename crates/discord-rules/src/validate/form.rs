//! Walks a request body, converts its fields as Discord does, and collects every error with its path.

use std::collections::HashSet;
use std::fmt::Display;
use std::ops::RangeInclusive;

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::error::{ApiError, ApiResult, FieldError, FormErrors, Segment};
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;

/// Reads the bytes of a body as JSON; an empty body counts as an empty object.
pub fn parse_json(bytes: &[u8]) -> ApiResult<Value> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Object(Map::new()));
    }
    serde_json::from_slice(bytes).map_err(|_| ApiError::invalid_json())
}

/// State of one field in a body: absent, null, or a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Change<T> {
    /// Absent: a PATCH keeps the field.
    #[default]
    Keep,
    /// Null: resets the field to none, or to the default.
    Clear,
    /// Sets the field to this value.
    Set(T),
}

impl<T> Change<T> {
    /// Returns the value, if one was given.
    pub fn value(self) -> Option<T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Keep | Self::Clear => None,
        }
    }

    /// Returns the value by reference, if one was given.
    pub fn as_ref(&self) -> Option<&T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Keep | Self::Clear => None,
        }
    }

    /// Returns whether the body mentions the field.
    pub fn is_change(&self) -> bool {
        !matches!(self, Self::Keep)
    }

    /// Writes the change into a field that may be empty; returns whether the field has changed.
    pub fn apply(self, field: &mut Option<T>) -> bool
    where
        T: PartialEq,
    {
        let next = match self {
            Self::Keep => return false,
            Self::Clear => None,
            Self::Set(value) => Some(value),
        };
        let changed = *field != next;
        *field = next;
        changed
    }

    /// Writes the change into a field that has a default; returns whether the field has changed.
    pub fn apply_or(self, field: &mut T, default: T) -> bool
    where
        T: PartialEq,
    {
        let next = match self {
            Self::Keep => return false,
            Self::Clear => default,
            Self::Set(value) => value,
        };
        let changed = *field != next;
        *field = next;
        changed
    }

    /// Returns the change with its value converted, or why it cannot be converted.
    pub fn try_map<U, E>(self, f: impl FnOnce(T) -> Result<U, E>) -> Result<Change<U>, E> {
        Ok(match self {
            Self::Keep => Change::Keep,
            Self::Clear => Change::Clear,
            Self::Set(value) => Change::Set(f(value)?),
        })
    }

    /// Returns the change with its value converted.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Change<U> {
        match self {
            Self::Keep => Change::Keep,
            Self::Clear => Change::Clear,
            Self::Set(value) => Change::Set(f(value)),
        }
    }
}

/// Null clears, any other value sets. A field of this type needs `#[serde(default)]`: absent keeps.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for Change<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Clear, Self::Set))
    }
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
}

impl Form {
    /// Reads a whole body; returns the result if nothing was wrong with it, or else every error.
    pub fn read<T>(read: impl FnOnce(&mut Self) -> Option<T>) -> ApiResult<T> {
        let mut form = Self::default();
        let value = read(&mut form);
        match value {
            Some(value) if form.errors.is_empty() => Ok(value),
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
        Self::read(|form| {
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

    /// Reads a field that may be absent or null.
    pub fn field<T>(
        &mut self,
        object: &Object,
        key: &str,
        read: impl FnOnce(&mut Self, &Value) -> Option<T>,
    ) -> Change<T> {
        match object.get(key) {
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
        match object.get(key) {
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
        if object.is_none() {
            self.complain(FieldError::not_an_object());
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
        let set = serde_json::from_value(value.clone()).ok();
        if set.is_none() {
            self.complain(FieldError::not_a("int", value));
        }
        set
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
            self.complain(FieldError::choices(allowed.iter().map(|word| format!("'{word}'"))));
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

/// Returns a moment from ISO 8601; without an offset it is taken as UTC, and a date alone as its first second.
pub fn parse_moment(text: &str) -> Option<OffsetDateTime> {
    let text = text.trim();
    let with_time = if text.len() == 10 { format!("{text}T00:00:00") } else { text.replacen(' ', "T", 1) };
    OffsetDateTime::parse(&with_time, &Rfc3339)
        .or_else(|_| OffsetDateTime::parse(&format!("{with_time}Z"), &Rfc3339))
        .ok()
}

/// Returns a moment as Discord writes it: UTC as `+00:00`, microseconds only where there are any.
pub fn format_moment(moment: OffsetDateTime) -> String {
    let moment = moment.to_offset(time::UtcOffset::UTC);
    let (date, time) = (moment.date(), moment.time());
    let fraction = match time.microsecond() {
        0 => String::new(),
        micros => format!(".{micros:06}"),
    };
    format!("{date}T{:02}:{:02}:{:02}{fraction}+00:00", time.hour(), time.minute(), time.second())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn complaint<T: std::fmt::Debug>(read: impl FnOnce(&mut Form) -> Option<T>) -> Option<&'static str> {
        let error = Form::read(read).err()?;
        Some(error.errors()?.at(&[]).first()?.code)
    }

    #[test]
    fn json_that_is_none_has_a_code_of_its_own() {
        assert_eq!(parse_json(b"{\"a\":").unwrap_err().code(), 50109);
        assert_eq!(parse_json(b" \n").unwrap(), json!({}));
    }

    #[test]
    fn all_complaints_of_a_body_come_at_once() {
        let error = Form::read_object(&json!({ "a": 5, "c": [true, "x"] }), |form, body| {
            form.required(body, "a", |form, value| form.int(value, 0..=4));
            form.required(body, "b", Form::any_text);
            form.required(body, "c", |form, value| form.list(value, 0..=5, Form::boolean));
            Some(())
        });
        assert_eq!(
            error.unwrap_err().to_json()["errors"],
            json!({
                "a": { "_errors": [{
                    "code": "NUMBER_TYPE_MAX", "message": "int value should be less than or equal to 4."
                }] },
                "b": { "_errors": [{ "code": "BASE_TYPE_REQUIRED", "message": "This field is required" }] },
                "c": { "1": { "_errors": [{
                    "code": "BOOLEAN_TYPE_CONVERT", "message": "Must be either true or false."
                }] } },
            })
        );
    }

    #[test]
    fn numbers_are_read_as_discord_reads_them() {
        for good in [json!(7), json!("7"), json!(7.0), json!(" 7 ")] {
            assert_eq!(Form::read(|form| form.int(&good, 0..=10)).unwrap(), 7, "{good}");
        }
        for bad in [json!(7.5), json!("x"), json!(true), json!([7]), json!("")] {
            assert_eq!(complaint(|form| form.int(&bad, 0..=10)), Some("NUMBER_TYPE_COERCE"), "{bad}");
        }
        assert_eq!(complaint(|form| form.int(&json!(-1), 0..=10)), Some("NUMBER_TYPE_MIN"));
        assert_eq!(complaint(|form| form.int(&json!(11), 0..=10)), Some("NUMBER_TYPE_MAX"));
        assert_eq!(complaint(|form| form.float(&json!("NaN"), 0.0..=10.0)), Some("NUMBER_TYPE_COERCE"));
        assert_eq!(complaint(|form| form.one_of(&json!(3), &[1, 2])), Some("BASE_TYPE_CHOICES"));
    }

    #[test]
    fn lengths_are_counted_in_characters() {
        let text = json!("é".repeat(4));
        assert!(Form::read(|form| form.text(&text, 1..=4)).is_ok());
        assert_eq!(complaint(|form| form.text(&text, 1..=3)), Some("BASE_TYPE_BAD_LENGTH"));
        assert_eq!(complaint(|form| form.text(&text, 0..=3)), Some("BASE_TYPE_MAX_LENGTH"));
        assert_eq!(complaint(|form| form.text(&json!(""), 1..=3)), Some("BASE_TYPE_REQUIRED"));
        assert_eq!(complaint(|form| form.text(&json!({}), 1..=3)), Some("STRING_TYPE_CONVERT"));
        assert_eq!(Form::read(|form| form.trimmed(&json!("  a "), 1..=1)).unwrap(), "a");
    }

    #[test]
    fn ids_are_read_from_text_or_number_and_not_twice() {
        assert_eq!(Form::read(|form| form.snowflake(&json!("12"))).unwrap(), Snowflake(12));
        assert_eq!(complaint(|form| form.snowflake(&json!("me"))), Some("NUMBER_TYPE_COERCE"));
        let error = Form::read(|form| form.id_set(&json!(["1", 2, "1"]), 0..=5)).unwrap_err();
        assert_eq!(error.errors().unwrap().at(&["2"])[0].code, "SET_TYPE_ALREADY_CONTAINS_VALUE");
    }

    #[test]
    fn addresses_need_a_host_and_a_known_scheme() {
        for good in ["https://example.com", "http://a/b?c#d"] {
            assert!(Form::read(|form| form.url(&json!(good), 100, &["http", "https"])).is_ok(), "{good}");
        }
        for (bad, code) in [
            ("example.com", "URL_TYPE_INVALID_URL"),
            ("https://", "URL_TYPE_INVALID_URL"),
            ("https://a b", "URL_TYPE_INVALID_URL"),
            ("ftp://a", "URL_TYPE_INVALID_SCHEME"),
        ] {
            let read = |form: &mut Form| form.url(&json!(bad), 100, &["http", "https"]);
            assert_eq!(complaint(read), Some(code), "{bad}");
        }
    }

    #[test]
    fn moments_are_read_in_the_forms_that_libraries_send() {
        for good in [
            "2026-07-18T10:00:00.000Z",
            "2026-07-18T12:00:00+02:00",
            "2026-07-18T10:00:00",
            "2026-07-18 10:00:00+00:00",
        ] {
            let moment = parse_moment(good).unwrap_or_else(|| panic!("{good} was not read"));
            assert_eq!(moment.unix_timestamp(), 1_784_368_800, "{good}");
        }
        let moment = parse_moment("2026-07-18T12:00:00.5+02:00").unwrap();
        assert_eq!(format_moment(moment), "2026-07-18T10:00:00.500000+00:00");
        assert!(parse_moment("tomorrow").is_none());
        assert_eq!(complaint(|form| form.moment(&json!(5))), Some("DATE_TIME_TYPE_PARSE"));
    }

    #[test]
    fn a_change_tells_whether_it_changed_anything() {
        let mut topic = Some("a".to_owned());
        assert!(!Change::Keep.apply(&mut topic));
        assert!(!Change::Set("a".to_owned()).apply(&mut topic));
        assert!(Change::Clear.apply(&mut topic));
        assert_eq!(topic, None);
        let mut limit = 5;
        assert!(Change::Clear.apply_or(&mut limit, 0));
        assert_eq!(limit, 0);
    }
}
