//! Buttons: each style with the fields that it must and must not have.

use serde_json::{Value, json};

use super::Reader;
use crate::error::FieldError;
use crate::validate::form::{Form, Object};
use crate::validate::reaction::emoji_object;

/// Style that opens an address.
const LINK: u8 = 5;
/// Style of a purchase.
const PREMIUM: u8 = 6;

impl Reader<'_> {
    pub(super) fn button(&mut self, form: &mut Form, body: &Object, out: &mut Object) {
        let style =
            form.required(body, "style", |form, value| form.one_of(value, &[1, 2, 3, 4, LINK, PREMIUM]));
        let label = form.optional(body, "label", |form, value| form.text(value, 0..=80));
        let emoji = form.optional(body, "emoji", emoji_object);
        let has_emoji = body.get("emoji").is_some_and(|emoji| !emoji.is_null());
        let has_label = body.get("label").is_some_and(|label| !matches!(label, Value::Null) && label != "");
        if form.optional(body, "disabled", Form::boolean) == Some(true) {
            out.insert("disabled".to_owned(), json!(true));
        }
        if let Some(label) = label.filter(|label| !label.is_empty()) {
            out.insert("label".to_owned(), json!(label));
        }
        if let Some(emoji) = emoji {
            out.insert("emoji".to_owned(), emoji);
        }
        let Some(style) = style else { return };
        out.insert("style".to_owned(), json!(style));
        if style != PREMIUM && !has_label && !has_emoji {
            form.complain(FieldError::new(
                "BUTTON_COMPONENT_LABEL_OR_EMOJI_REQUIRED",
                "A button must have a label or an emoji",
            ));
        }
        match style {
            LINK => {
                forbid(form, body, style, &["sku_id"]);
                if given(body, "custom_id") {
                    exclusive(form);
                }
                let url = form
                    .required(body, "url", |form, value| form.url(value, 512, &["http", "https", "discord"]));
                out.insert("url".to_owned(), json!(url));
            }
            PREMIUM => {
                forbid(form, body, style, &["custom_id", "label", "url", "emoji"]);
                let sku = form.required(body, "sku_id", Form::snowflake);
                out.insert("sku_id".to_owned(), json!(sku));
            }
            _ => {
                forbid(form, body, style, &["sku_id"]);
                match (given(body, "custom_id"), given(body, "url")) {
                    (true, true) => exclusive(form),
                    (true, false) => self.custom_id(form, body, out),
                    (false, with_url) => {
                        if with_url {
                            forbid(form, body, style, &["url"]);
                        }
                        let missing = "BUTTON_COMPONENT_CUSTOM_ID_REQUIRED";
                        form.complain_at("custom_id", FieldError::new(missing, "A custom id is required"));
                    }
                }
            }
        }
    }
}

fn given(body: &Object, key: &str) -> bool {
    body.get(key).is_some_and(|value| !value.is_null() && value != "")
}

fn exclusive(form: &mut Form) {
    for key in ["custom_id", "url"] {
        form.complain_at(
            key,
            FieldError::new(
                "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE",
                "A custom id and url cannot both be specified",
            ),
        );
    }
}

fn forbid(form: &mut Form, body: &Object, style: u8, keys: &[&str]) {
    for key in keys.iter().filter(|key| given(body, key)) {
        form.complain_at(
            *key,
            FieldError::new(
                "BUTTON_COMPONENT_FIELD_NOT_ALLOWED",
                format!("A button of style {style} cannot have the field {key}"),
            ),
        );
    }
}
