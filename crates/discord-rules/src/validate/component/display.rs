//! Content: texts, pictures, files and the space between them.

use serde_json::{Value, json};

use super::Reader;
use crate::error::FieldError;
use crate::validate::form::{Form, Object};

/// Prefix of an address that names a file of the message.
const ATTACHMENT: &str = "attachment://";

/// Fields of media that Discord adds ("Unfurled Media Item").
const RESOLVED: &[&str] = &[
    "id",
    "proxy_url",
    "height",
    "width",
    "placeholder",
    "placeholder_version",
    "content_type",
    "loading_state",
    "flags",
    "attachment_id",
];

impl Reader<'_> {
    pub(super) fn text_display(&mut self, form: &mut Form, body: &Object, out: &mut Object) {
        let content = form.required(body, "content", |form, value| form.text(value, 1..=4000));
        self.text += content.as_ref().map_or(0, |content| content.chars().count());
        out.insert("content".to_owned(), json!(content));
    }

    pub(super) fn thumbnail(&mut self, form: &mut Form, body: &Object, out: &mut Object) {
        self.picture(form, body, out);
    }

    pub(super) fn media_gallery(&mut self, form: &mut Form, body: &Object, out: &mut Object) {
        let items = form.required(body, "items", |form, value| {
            form.list(value, 1..=10, |form, item| {
                let item = form.object(item)?;
                let mut out = Object::new();
                self.picture(form, item, &mut out);
                Some(Value::Object(out))
            })
        });
        out.insert("items".to_owned(), json!(items));
    }

    pub(super) fn file(&mut self, form: &mut Form, body: &Object, out: &mut Object) {
        form.skip(body, &["name", "size"]);
        let media = form.required(body, "file", |form, value| self.media(form, value, true));
        out.insert("file".to_owned(), json!(media));
        spoiler(form, body, out);
    }

    pub(super) fn separator(form: &mut Form, body: &Object, out: &mut Object) {
        let divider = form.optional(body, "divider", Form::boolean).unwrap_or(true);
        let spacing = form.optional(body, "spacing", |form, value| form.one_of(value, &[1, 2])).unwrap_or(1);
        out.insert("divider".to_owned(), json!(divider));
        out.insert("spacing".to_owned(), json!(spacing));
    }

    /// Reads what a thumbnail and an item of a gallery have in common.
    fn picture(&self, form: &mut Form, body: &Object, out: &mut Object) {
        let media = form.required(body, "media", |form, value| self.media(form, value, false));
        out.insert("media".to_owned(), json!(media));
        let text = form.optional(body, "description", |form, value| form.text(value, 1..=1024));
        out.insert("description".to_owned(), json!(text));
        spoiler(form, body, out);
    }

    /// Reads `{"url": ...}`, where an attachment must be one of the message's.
    fn media(&self, form: &mut Form, value: &Value, attached_only: bool) -> Option<Value> {
        let media = form.object(value)?;
        // Libraries send back what Discord added; it sets these itself.
        form.skip(media, RESOLVED);
        let url = form.required(media, "url", |form, value| {
            let schemes: &[&str] =
                if attached_only { &["attachment"] } else { &["http", "https", "attachment"] };
            let url = form.url(value, 2048, schemes)?;
            if let Some(name) = url.strip_prefix(ATTACHMENT)
                && !self.files.iter().any(|file| file == name)
            {
                form.complain(FieldError::new(
                    "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND",
                    format!("The referenced attachment {name} was not found"),
                ));
                return None;
            }
            Some(url)
        })?;
        Some(json!({ "url": url }))
    }
}

fn spoiler(form: &mut Form, body: &Object, out: &mut Object) {
    let spoiler = form.optional(body, "spoiler", Form::boolean).unwrap_or(false);
    out.insert("spoiler".to_owned(), json!(spoiler));
}
