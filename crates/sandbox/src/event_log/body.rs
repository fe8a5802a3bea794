//! Bodies in the log: JSON as text, or only a type and a length.

use std::borrow::Cow;
use std::sync::Arc;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// Deepest nesting of a body in an entry. `serde_json` and others read 127 levels. An entry and a page of entries add
/// some around a body, and a program that embeds a page needs some as well.
pub(super) const DEEPEST: usize = 100;

/// Valid JSON text on one line, shared instead of copied.
#[derive(Clone, Debug)]
pub struct Json(Arc<RawValue>);

impl Json {
    /// Creates it from a text, if that is JSON. In a text of several lines, the white space between values is removed.
    pub fn parse(text: String) -> Option<Self> {
        let mut raw = RawValue::from_string(text).ok()?;
        if raw.get().contains(['\n', '\r']) {
            raw = RawValue::from_string(compact(raw.get())).ok()?;
        }
        Some(Self(raw.into()))
    }

    /// Returns the text of this value.
    pub fn get(&self) -> &str {
        self.0.get()
    }

    /// Returns whether readers of an entry can be expected to read this JSON in it.
    pub(super) fn is_shallow(&self) -> bool {
        // Most JSON has so few arrays and objects that it cannot be nested deeper.
        let opened = self.get().bytes().filter(|byte| matches!(byte, b'[' | b'{')).count();
        opened <= DEEPEST || nesting(self.get()) <= DEEPEST
    }

    /// Parses this text into a value.
    pub fn value(&self) -> Value {
        serde_json::from_str(self.get()).unwrap_or_default()
    }
}

/// Returns how deep arrays and objects of valid JSON are nested; 0 for a plain value.
fn nesting(json: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for (character, _) in characters(json).filter(|(_, in_string)| !in_string) {
        match character {
            '[' | '{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Returns valid JSON without the white space between its values. Numbers and strings stay as they are.
fn compact(json: &str) -> String {
    let is_space = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r');
    characters(json).filter(|(c, in_string)| *in_string || !is_space(*c)).map(|(c, _)| c).collect()
}

/// Returns the characters of valid JSON, each with whether it is part of a string.
fn characters(json: &str) -> impl Iterator<Item = (char, bool)> {
    let (mut in_string, mut escaped) = (false, false);
    json.chars().map(move |c| {
        let was_in_string = in_string;
        if in_string {
            in_string = escaped || c != '"';
            escaped = c == '\\' && !escaped;
        } else {
            in_string = c == '"';
        }
        (c, was_in_string || in_string)
    })
}

impl From<Arc<RawValue>> for Json {
    /// Converts JSON that was written without white space.
    fn from(raw: Arc<RawValue>) -> Self {
        Self(raw)
    }
}

impl From<&Value> for Json {
    fn from(value: &Value) -> Self {
        // A `Value` can always be serialised, so `null` is never used.
        let raw = serde_json::value::to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned());
        Self(raw.into())
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (*self.0).serialize(serializer)
    }
}

/// A recorded body of a request or response.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// JSON, tokens redacted.
    Json(Json),
    /// Another type, or too long: only its type and length.
    Omitted {
        /// Content type as sent.
        content_type: Cow<'static, str>,
        /// Length in bytes, if it was known.
        bytes: Option<u64>,
    },
}

impl Body {
    /// Returns the JSON of this body, if it was recorded.
    pub fn json(&self) -> Option<Value> {
        match self {
            Self::Json(json) => Some(json.value()),
            Self::Omitted { .. } => None,
        }
    }

    /// Returns a body with only its type and its length in bytes.
    pub(crate) fn omitted(content_type: Option<&str>, bytes: usize) -> Self {
        let content_type = content_type.unwrap_or("unknown").to_owned().into();
        Self::Omitted { content_type, bytes: Some(bytes as u64) }
    }

    pub(super) fn weight(&self) -> usize {
        match self {
            Self::Json(json) => json.get().len(),
            Self::Omitted { content_type, .. } => content_type.len(),
        }
    }
}

impl From<Json> for Body {
    /// Converts JSON: as it is, or to its length if it is nested so deep that readers of an entry would refuse it.
    fn from(json: Json) -> Self {
        if json.is_shallow() {
            return Self::Json(json);
        }
        Self::omitted(Some("application/json"), json.get().len())
    }
}

impl Serialize for Body {
    /// Serialises JSON as it is, and others as `{"omitted": content type, "bytes": length}`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Json(json) => json.serialize(serializer),
            Self::Omitted { content_type, bytes } => {
                let mut map = serializer.serialize_map(Some(2))?;
                map.serialize_entry("omitted", content_type)?;
                map.serialize_entry("bytes", bytes)?;
                map.end()
            }
        }
    }
}
