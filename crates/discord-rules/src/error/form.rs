//! The tree of error 50035: errors by their paths of object keys and array indices.

use std::fmt;

use indexmap::IndexMap;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// Error of one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// Discord's name of the rule.
    pub code: &'static str,
    /// Sentence for the user.
    pub message: String,
}

impl FieldError {
    /// Creates an error with Discord's code for it.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// Creates the error of an absent field, or of null where it is not allowed.
    pub fn required() -> Self {
        Self::new("BASE_TYPE_REQUIRED", "This field is required")
    }

    /// Creates the error of a text or list outside a range that has both ends.
    pub fn bad_length(min: usize, max: usize) -> Self {
        Self::new("BASE_TYPE_BAD_LENGTH", format!("Must be between {min} and {max} in length."))
    }

    /// Creates the error of a text or list that is too long.
    pub fn max_length(max: usize) -> Self {
        Self::new("BASE_TYPE_MAX_LENGTH", format!("Must be {max} or fewer in length."))
    }

    /// Creates the error of a text or list that is too short.
    pub fn min_length(min: usize) -> Self {
        Self::new("BASE_TYPE_MIN_LENGTH", format!("Must be {min} or more in length."))
    }

    /// Creates the error of a value that is none of these.
    pub fn choices<T: fmt::Display>(values: impl IntoIterator<Item = T>) -> Self {
        Self::new("BASE_TYPE_CHOICES", format!("Value must be one of {}.", set(values)))
    }

    /// Creates the error of a text that is none of these.
    pub fn words<T: fmt::Display>(words: impl IntoIterator<Item = T>) -> Self {
        Self::choices(words.into_iter().map(|word| format!("'{word}'")))
    }

    /// Creates the error of a kind that is not allowed here; kinds are distinguished by their `type`.
    pub fn union<T: fmt::Display>(values: impl IntoIterator<Item = T>) -> Self {
        Self::new("UNION_TYPE_CHOICES", format!("Value of field \"type\" must be one of {}.", set(values)))
    }

    /// Creates the error of a number that is none of an enumeration.
    pub fn not_in_enum(value: &Value) -> Self {
        Self::new("ENUM_TYPE_COERCE", format!("Value \"{}\" is not a valid enum value.", plain(value)))
    }

    /// Creates the error of a value that is not a number of this kind: `int`, `float`, `snowflake`.
    pub fn not_a(kind: &str, value: &Value) -> Self {
        Self::new("NUMBER_TYPE_COERCE", format!("Value \"{}\" is not {kind}.", plain(value)))
    }

    /// Creates the error of a number that is too large.
    pub fn max(kind: &str, max: impl fmt::Display) -> Self {
        Self::new("NUMBER_TYPE_MAX", format!("{kind} value should be less than or equal to {max}."))
    }

    /// Creates the error of a number that is too small.
    pub fn min(kind: &str, min: impl fmt::Display) -> Self {
        Self::new("NUMBER_TYPE_MIN", format!("{kind} value should be greater than or equal to {min}."))
    }

    /// Creates the error of a value that is not text.
    pub fn not_text(value: &Value) -> Self {
        Self::new("STRING_TYPE_CONVERT", format!("Could not interpret \"{}\" as string.", plain(value)))
    }

    /// Creates the error of a text of the wrong form.
    pub fn regex() -> Self {
        Self::new("STRING_TYPE_REGEX", "String value did not match validation regex.")
    }

    /// Creates the error of a value that is not a boolean.
    pub fn not_bool() -> Self {
        Self::new("BOOLEAN_TYPE_CONVERT", "Must be either true or false.")
    }

    /// Creates the error of a value that is not a list.
    pub fn not_a_list() -> Self {
        Self::new("LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
    }

    /// Creates the error of a value that is not an object with fixed fields.
    pub fn not_an_object() -> Self {
        Self::new("MODEL_TYPE_CONVERT", "Expected an object/dictionary.")
    }

    /// Creates the error of null in a list of objects with fixed fields.
    pub fn item_required() -> Self {
        Self::new("LIST_ITEM_VALUE_REQUIRED", "List item values of ModelType are required")
    }

    /// Creates the error of a value that is not an object with free keys.
    pub fn not_a_dict() -> Self {
        Self::new("DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
    }

    /// Creates the error of a value that occurs twice in a set.
    pub fn repeated() -> Self {
        Self::new("SET_TYPE_ALREADY_CONTAINS_VALUE", "The set already contains this value")
    }

    /// Creates the error of a value that is not a moment in ISO 8601.
    pub fn not_a_time(value: &Value) -> Self {
        Self::new("DATE_TIME_TYPE_PARSE", format!("Could not parse {}. Should be ISO8601.", plain(value)))
    }

    /// Creates the error of a text that is not an address.
    pub fn bad_url() -> Self {
        Self::new("URL_TYPE_INVALID_URL", "Not a well formed URL.")
    }

    /// Creates the error of an address whose scheme is not allowed here.
    pub fn bad_scheme(scheme: &str, allowed: &[&str]) -> Self {
        let allowed = set(allowed.iter().map(|scheme| format!("'{scheme}'")));
        Self::new(
            "URL_TYPE_INVALID_SCHEME",
            format!("Scheme \"{scheme}\" is not supported. Scheme must be one of {allowed}."),
        )
    }
}

/// Returns values as Discord lists them in a message, in the form of a Python tuple: `(1, 2, 3)`, but `(1,)`.
fn set<T: fmt::Display>(values: impl IntoIterator<Item = T>) -> String {
    let values: Vec<String> = values.into_iter().map(|value| value.to_string()).collect();
    match values.as_slice() {
        [only] => format!("({only},)"),
        values => format!("({})", values.join(", ")),
    }
}

/// Returns a value for a sentence: text without its quotes, anything else as JSON, cut after 100 characters.
fn plain(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match text.char_indices().nth(100) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

/// Step from a value to one inside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// Key of an object.
    Key(String),
    /// Index of a list.
    Index(usize),
}

impl From<&str> for Segment {
    fn from(key: &str) -> Self {
        Self::Key(key.to_owned())
    }
}

impl From<usize> for Segment {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => f.write_str(key),
            Self::Index(index) => index.fmt(f),
        }
    }
}

/// All errors of one body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FormErrors {
    here: Vec<FieldError>,
    inside: IndexMap<String, FormErrors>,
}

impl FormErrors {
    /// Adds an error of the value at this path; an empty path is the body itself.
    pub fn push(&mut self, path: impl IntoIterator<Item = Segment>, error: FieldError) {
        let mut node = self;
        for segment in path {
            node = node.inside.entry(segment.to_string()).or_default();
        }
        node.here.push(error);
    }

    /// Returns whether there is no error.
    pub fn is_empty(&self) -> bool {
        self.here.is_empty() && self.inside.values().all(Self::is_empty)
    }

    /// Returns the errors of the value at this path itself.
    pub fn at(&self, path: &[&str]) -> &[FieldError] {
        let node = path.iter().try_fold(self, |node, key| node.inside.get(*key));
        node.map_or(&[], |node| &node.here)
    }

    /// Returns the tree as Discord sends it: list indices are keys, errors are under `_errors`.
    pub fn to_json(&self) -> Value {
        let mut node = Map::new();
        if !self.here.is_empty() {
            node.insert("_errors".to_owned(), json!(self.here));
        }
        for (key, inside) in &self.inside {
            if !inside.is_empty() {
                node.insert(key.clone(), inside.to_json());
            }
        }
        Value::Object(node)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_and_indices_nest_as_in_discords_reference() {
        let mut errors = FormErrors::default();
        errors.push(
            ["activities".into(), 0.into(), "platform".into()],
            FieldError::choices(["'desktop'", "'android'", "'ios'"]),
        );
        errors.push(["activities".into(), 0.into(), "type".into()], FieldError::choices([0, 1, 2, 3, 4, 5]));
        assert_eq!(
            errors.to_json(),
            json!({ "activities": { "0": {
                "platform": { "_errors": [{
                    "code": "BASE_TYPE_CHOICES",
                    "message": "Value must be one of ('desktop', 'android', 'ios')."
                }] },
                "type": { "_errors": [{
                    "code": "BASE_TYPE_CHOICES",
                    "message": "Value must be one of (0, 1, 2, 3, 4, 5)."
                }] },
            } } })
        );
    }

    #[test]
    fn a_complaint_about_the_body_itself_stands_at_the_top() {
        let mut errors = FormErrors::default();
        errors.push(
            [],
            FieldError::new("APPLICATION_COMMAND_TOO_LARGE", "Command exceeds maximum size (8000)"),
        );
        assert_eq!(errors.to_json()["_errors"][0]["code"], "APPLICATION_COMMAND_TOO_LARGE");
    }

    #[test]
    fn a_long_value_is_cut_between_characters() {
        let long = "é".repeat(500);
        let error = FieldError::not_a("int", &json!(long));
        assert_eq!(error.message, format!("Value \"{}...\" is not int.", "é".repeat(100)));
    }

    proptest! {
        #[test]
        fn every_complaint_is_found_again_at_its_path(
            paths in proptest::collection::vec(proptest::collection::vec("[a-z]{1,3}|[0-9]", 0..5), 1..20),
        ) {
            let mut errors = FormErrors::default();
            for (n, path) in paths.iter().enumerate() {
                let segments = path.iter().map(|key| Segment::from(key.as_str()));
                errors.push(segments, FieldError::new("TEST", n.to_string()));
            }
            prop_assert!(!errors.is_empty());
            let json = errors.to_json();
            for (n, path) in paths.iter().enumerate() {
                let keys: Vec<&str> = path.iter().map(String::as_str).collect();
                let wanted = FieldError::new("TEST", n.to_string());
                prop_assert!(errors.at(&keys).contains(&wanted));
                let node = keys.iter().fold(&json, |node, key| &node[*key]);
                prop_assert!(node["_errors"].as_array().unwrap().contains(&json!(wanted)));
            }
        }
    }
}
