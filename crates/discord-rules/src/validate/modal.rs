//! Modals: a title and one to five components.

use serde_json::{Value, json};

use super::component::{self, Place};
use super::form::{Form, Object};
use crate::error::FieldError;

/// Reads the `data` of a modal and returns its `custom_id`, `title` and `components` with their numbers.
pub(super) fn read(form: &mut Form, data: &Object) -> Option<Value> {
    let custom_id = form.required(data, "custom_id", |form, value| form.text(value, 1..=100));
    let title = form.required(data, "title", |form, value| form.text(value, 1..=45));
    let components =
        form.required(data, "components", |form, value| component::read_all(form, value, Place::Modal, &[]));
    // In an action row an input has no label around it, so it must have its own.
    for (row, component) in data.get("components").and_then(Value::as_array).into_iter().flatten().enumerate()
    {
        for (index, input) in component["components"].as_array().into_iter().flatten().enumerate() {
            let labelled = input["label"].as_str().is_some_and(|label| !label.is_empty());
            if !labelled && input["type"] == json!(component::kind::TEXT_INPUT) {
                let path =
                    ["components".into(), row.into(), "components".into(), index.into(), "label".into()];
                form.complain_below(path, FieldError::required());
            }
        }
    }
    Some(json!({ "custom_id": custom_id?, "title": title?, "components": components? }))
}
