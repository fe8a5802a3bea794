//! Inputs: select menus of all five kinds, and those of modals only - text, files, groups, checkboxes.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::{Place, Reader, kind};
use crate::error::FieldError;
use crate::validate::file_types;
use crate::validate::form::{Form, Object};
use crate::validate::reaction::emoji_object;

const CHANNEL_TYPES: &[u8] = &[0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15, 16];

impl Reader<'_> {
    pub(super) fn select(&mut self, form: &mut Form, body: &Object, kind: u8, out: &mut Object) {
        self.custom_id(form, body, out);
        if let Some(text) = form.optional(body, "placeholder", |form, value| form.text(value, 0..=150)) {
            out.insert("placeholder".to_owned(), json!(text));
        }
        let (min, max) = counts(form, body, 25, 1);
        out.insert("min_values".to_owned(), json!(min));
        out.insert("max_values".to_owned(), json!(max));
        let disabled = form.optional(body, "disabled", Form::boolean).unwrap_or(false);
        if self.place == Place::Modal {
            if disabled {
                form.complain_at(
                    "disabled",
                    FieldError::new(
                        "SELECT_COMPONENT_DISABLED_IN_MODAL",
                        "A select menu in a modal cannot be disabled",
                    ),
                );
            }
            required(form, body, out);
        } else {
            form.check(body, "required", Form::boolean);
            if disabled {
                out.insert("disabled".to_owned(), json!(true));
            }
        }
        match kind {
            kind::STRING_SELECT => {
                let options = options(form, body, 1..=25, max, true);
                // All that were given: an invalid one has an error of its own.
                let given = body.get("options").and_then(Value::as_array).map(Vec::len);
                if let (Some(count), true) = (given, options.is_some()) {
                    if max > count {
                        form.complain_at("options", FieldError::min_length(max));
                    } else if min > count {
                        form.complain_at("min_values", FieldError::max("min_values", count));
                    }
                }
                out.insert("options".to_owned(), json!(options));
            }
            kind => {
                if kind == kind::CHANNEL_SELECT {
                    let types = form.optional(body, "channel_types", |form, value| {
                        form.list(value, 0..=CHANNEL_TYPES.len(), |form, item| {
                            form.one_of(item, CHANNEL_TYPES)
                        })
                    });
                    if let Some(types) = types {
                        out.insert("channel_types".to_owned(), json!(types));
                    }
                }
                default_values(form, body, kind, min, max, out);
            }
        }
    }

    pub(super) fn text_input(&mut self, form: &mut Form, body: &Object, out: &mut Object) {
        self.custom_id(form, body, out);
        let style = form.required(body, "style", |form, value| form.one_of(value, &[1, 2]));
        out.insert("style".to_owned(), json!(style));
        if let Some(label) = form.optional(body, "label", |form, value| form.text(value, 1..=45)) {
            out.insert("label".to_owned(), json!(label));
        }
        let min = form.optional(body, "min_length", |form, value| form.int(value, 0..=4000));
        let max = form.optional(body, "max_length", |form, value| form.int(value, 1..=4000));
        if let (Some(min), Some(max)) = (min, max)
            && min > max
        {
            form.complain_at("max_length", FieldError::min("int", min));
        }
        for (key, length) in [("min_length", min), ("max_length", max)] {
            if let Some(length) = length {
                out.insert(key.to_owned(), json!(length));
            }
        }
        for (key, most) in [("value", 4000), ("placeholder", 100)] {
            if let Some(text) = form.optional(body, key, |form, value| form.text(value, 0..=most)) {
                out.insert(key.to_owned(), json!(text));
            }
        }
        required(form, body, out);
    }

    pub(super) fn file_upload(&mut self, form: &mut Form, body: &Object, out: &mut Object) {
        self.custom_id(form, body, out);
        let (min, max) = counts(form, body, 10, 1);
        out.insert("min_values".to_owned(), json!(min));
        out.insert("max_values".to_owned(), json!(max));
        let types = file_types::read(form, body);
        if !types.is_empty() {
            out.insert("file_types".to_owned(), json!(types));
        }
        required(form, body, out);
    }

    pub(super) fn group(&mut self, form: &mut Form, body: &Object, kind: u8, out: &mut Object) {
        self.custom_id(form, body, out);
        if kind == kind::RADIO_GROUP {
            out.insert("options".to_owned(), json!(options(form, body, 2..=10, 1, false)));
        } else {
            let options = options(form, body, 1..=10, 10, false);
            let count = options.as_ref().map_or(10, Vec::len);
            let (min, max) = counts(form, body, 10, count);
            if max > count {
                form.complain_at("max_values", FieldError::max("max_values", count));
            }
            out.insert("min_values".to_owned(), json!(min));
            out.insert("max_values".to_owned(), json!(max));
            out.insert("options".to_owned(), json!(options));
        }
        required(form, body, out);
    }

    pub(super) fn checkbox(&mut self, form: &mut Form, body: &Object, out: &mut Object) {
        self.custom_id(form, body, out);
        let default = form.optional(body, "default", Form::boolean).unwrap_or(false);
        out.insert("default".to_owned(), json!(default));
    }
}

/// Reads whether a modal's input must be filled in; it must unless stated otherwise.
fn required(form: &mut Form, body: &Object, out: &mut Object) {
    let required = form.optional(body, "required", Form::boolean).unwrap_or(true);
    out.insert("required".to_owned(), json!(required));
    // A required input of which nothing need be chosen contradicts itself.
    if required && body.get("min_values").and_then(Value::as_i64) == Some(0) && body.get("required").is_some()
    {
        form.complain_at("min_values", FieldError::min("int", 1));
    }
}

/// Reads how many may be chosen: `min_values` and `max_values`, with their defaults.
fn counts(form: &mut Form, body: &Object, most: u8, default_max: usize) -> (usize, usize) {
    let count = |form: &mut Form, key: &str, least: i64| {
        form.optional(body, key, |form, value| {
            form.int(value, least..=i64::from(most)).and_then(|count| usize::try_from(count).ok())
        })
    };
    let min = count(form, "min_values", 0).unwrap_or(1);
    let max = count(form, "max_values", 1).unwrap_or_else(|| default_max.max(1));
    if min > max {
        form.complain_at("min_values", FieldError::max("min_values", max));
    }
    (min, max)
}

/// Reads the texts to choose from, of which at most `max` are chosen from the start.
fn options(
    form: &mut Form,
    body: &Object,
    length: std::ops::RangeInclusive<usize>,
    max: usize,
    with_emoji: bool,
) -> Option<Vec<Value>> {
    form.required(body, "options", |form, value| {
        let mut values = HashSet::new();
        let mut chosen = 0;
        let options = form.objects(value, length, |form, option| {
            let text = |form: &mut Form, value: &Value| form.text(value, 1..=100);
            let label = form.required(option, "label", text);
            let value = form.required(option, "value", text);
            let mut out = Map::new();
            out.insert("label".to_owned(), json!(label));
            out.insert("value".to_owned(), json!(value));
            if let Some(text) = form.optional(option, "description", |form, value| form.text(value, 0..=100))
            {
                out.insert("description".to_owned(), json!(text));
            }
            if with_emoji && let Some(emoji) = form.optional(option, "emoji", emoji_object) {
                out.insert("emoji".to_owned(), emoji);
            }
            if let Some(default) = form.optional(option, "default", Form::boolean) {
                chosen += usize::from(default);
                out.insert("default".to_owned(), json!(default));
            }
            if !values.insert(value?) {
                form.complain(FieldError::new(
                    "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED",
                    "The specified option value is already used",
                ));
            }
            label.map(|_| Value::Object(out))
        });
        if chosen > max {
            form.complain(too_many_defaults());
        }
        options
    })
}

fn too_many_defaults() -> FieldError {
    FieldError::new(
        "SELECT_COMPONENT_TOO_MANY_DEFAULT_VALUES",
        "The specified number of default values exceeds the specified maximum values",
    )
}

/// Reads the values chosen from the start in a menu that Discord itself fills.
fn default_values(form: &mut Form, body: &Object, kind: u8, min: usize, max: usize, out: &mut Object) {
    let types: &[&'static str] = match kind {
        kind::USER_SELECT => &["user"],
        kind::ROLE_SELECT => &["role"],
        kind::CHANNEL_SELECT => &["channel"],
        _ => &["user", "role"],
    };
    let values = form.optional(body, "default_values", |form, value| {
        let values = form.objects(value, 0..=25, |form, item| {
            let id = form.required(item, "id", Form::snowflake);
            let kind = form.required(item, "type", |form, value| form.word(value, types));
            Some(json!({ "id": id?, "type": kind? }))
        })?;
        if values.len() > max {
            form.complain(too_many_defaults());
        } else if !values.is_empty() && values.len() < min {
            form.complain(FieldError::min_length(min));
        }
        Some(values)
    });
    if let Some(values) = values {
        out.insert("default_values".to_owned(), json!(values));
    }
}
