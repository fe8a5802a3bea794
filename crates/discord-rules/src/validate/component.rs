//! Components of messages and modals: what may be inside what, and the limits of each.
//!
//! A reader returns components in the form in which Discord shows them: every one with an `id`, defaults filled in,
//! nulls removed.

mod choose;
mod display;
mod ids;
mod press;
#[cfg(test)]
pub(super) mod tests;

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::form::{Form, Object};
use crate::error::FieldError;

/// Kinds of components.
pub mod kind {
    /// Row of buttons, or one select menu.
    pub const ACTION_ROW: u8 = 1;
    /// Button.
    pub const BUTTON: u8 = 2;
    /// Select menu of texts.
    pub const STRING_SELECT: u8 = 3;
    /// Text input.
    pub const TEXT_INPUT: u8 = 4;
    /// Select menu of users.
    pub const USER_SELECT: u8 = 5;
    /// Select menu of roles.
    pub const ROLE_SELECT: u8 = 6;
    /// Select menu of users and roles.
    pub const MENTIONABLE_SELECT: u8 = 7;
    /// Select menu of channels.
    pub const CHANNEL_SELECT: u8 = 8;
    /// Texts beside a button or picture.
    pub const SECTION: u8 = 9;
    /// Text.
    pub const TEXT_DISPLAY: u8 = 10;
    /// Small picture.
    pub const THUMBNAIL: u8 = 11;
    /// Pictures and videos.
    pub const MEDIA_GALLERY: u8 = 12;
    /// Attached file.
    pub const FILE: u8 = 13;
    /// Space between others.
    pub const SEPARATOR: u8 = 14;
    /// Frame around others.
    pub const CONTAINER: u8 = 17;
    /// Text above an input of a modal.
    pub const LABEL: u8 = 18;
    /// Upload of files.
    pub const FILE_UPLOAD: u8 = 19;
    /// Choice of one of several.
    pub const RADIO_GROUP: u8 = 21;
    /// Choice of any of several.
    pub const CHECKBOX_GROUP: u8 = 22;
    /// Yes or no.
    pub const CHECKBOX: u8 = 23;
}

const LEGACY_TOP: &[u8] = &[kind::ACTION_ROW];
const V2_TOP: &[u8] = &[
    kind::ACTION_ROW,
    kind::SECTION,
    kind::TEXT_DISPLAY,
    kind::MEDIA_GALLERY,
    kind::FILE,
    kind::SEPARATOR,
    kind::CONTAINER,
];
const IN_CONTAINER: &[u8] =
    &[kind::ACTION_ROW, kind::SECTION, kind::TEXT_DISPLAY, kind::MEDIA_GALLERY, kind::FILE, kind::SEPARATOR];
const IN_ROW: &[u8] = &[
    kind::BUTTON,
    kind::STRING_SELECT,
    kind::USER_SELECT,
    kind::ROLE_SELECT,
    kind::MENTIONABLE_SELECT,
    kind::CHANNEL_SELECT,
];
const ACCESSORY: &[u8] = &[kind::BUTTON, kind::THUMBNAIL];
const MODAL_TOP: &[u8] = &[kind::ACTION_ROW, kind::TEXT_DISPLAY, kind::LABEL];
const IN_LABEL: &[u8] = &[
    kind::STRING_SELECT,
    kind::TEXT_INPUT,
    kind::USER_SELECT,
    kind::ROLE_SELECT,
    kind::MENTIONABLE_SELECT,
    kind::CHANNEL_SELECT,
    kind::FILE_UPLOAD,
    kind::RADIO_GROUP,
    kind::CHECKBOX_GROUP,
    kind::CHECKBOX,
];

/// Maximum number of components of a message with `IS_COMPONENTS_V2`, nested ones included.
const MAX_TOTAL: usize = 40;
/// Maximum number of characters in all text displays of a message.
const MAX_TEXT: usize = 4000;
/// Width of an action row: a button takes one part of five, a select menu all.
const ROW_WIDTH: usize = 5;

/// Where components are shown, which decides the rules for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A message with content and embeds beside its components.
    LegacyMessage,
    /// Message with the flag `IS_COMPONENTS_V2`, which holds only components.
    Message,
    /// A modal.
    Modal,
}

/// State of reading one list of components.
struct Reader<'a> {
    place: Place,
    /// Names that `attachment://` may refer to.
    files: &'a [String],
    custom_ids: HashSet<String>,
    given_ids: HashSet<i64>,
    count: usize,
    text: usize,
}

/// Reads the value of `components`; `files` are the names that `attachment://` may refer to.
pub(super) fn read_all(form: &mut Form, value: &Value, place: Place, files: &[String]) -> Option<Vec<Value>> {
    let mut reader =
        Reader { place, files, custom_ids: HashSet::new(), given_ids: HashSet::new(), count: 0, text: 0 };
    let (top, length) = match place {
        Place::LegacyMessage => (LEGACY_TOP, 0..=5),
        Place::Message => (V2_TOP, 0..=MAX_TOTAL),
        Place::Modal => (MODAL_TOP, 1..=5),
    };
    let mut components = form.list(value, length, |form, item| reader.read(form, item, top))?;
    if reader.count > MAX_TOTAL {
        form.complain(FieldError::new(
            "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED",
            format!("The maximum number of components is {MAX_TOTAL}, {} were given", reader.count),
        ));
    }
    if reader.text > MAX_TEXT {
        form.complain(FieldError::new(
            "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED",
            format!("Components displayable text size exceeds maximum size of {MAX_TEXT}"),
        ));
    }
    ids::fill(&mut components);
    Some(components)
}

/// Calls `f` with each media object (`{"url": ...}`) in these components, so that a server can describe the file there.
pub fn each_media(components: &mut [Value], f: &mut impl FnMut(&mut Object)) {
    for component in components {
        for key in ["media", "file"] {
            if let Some(media) = component.get_mut(key).and_then(Value::as_object_mut) {
                f(media);
            }
        }
        for key in ["components", "items"] {
            if let Some(inside) = component.get_mut(key).and_then(Value::as_array_mut) {
                each_media(inside, f);
            }
        }
        if let Some(accessory) = component.get_mut("accessory") {
            each_media(std::slice::from_mut(accessory), f);
        }
    }
}

/// Returns every component in these and inside these, outer ones before inner ones.
pub fn flatten(components: &[Value]) -> Vec<&Value> {
    let mut all = Vec::new();
    for component in components {
        all.push(component);
        if let Some(inside) = component["components"].as_array() {
            all.extend(flatten(inside));
        }
        for key in ["accessory", "component"] {
            if component[key].is_object() {
                all.extend(flatten(std::slice::from_ref(&component[key])));
            }
        }
    }
    all
}

impl Reader<'_> {
    /// Reads one component, which must be of one of these kinds.
    fn read(&mut self, form: &mut Form, value: &Value, allowed: &[u8]) -> Option<Value> {
        self.count += 1;
        let body = form.object(value)?;
        let kind = form.required(body, "type", |form, value| form.int(value, i64::MIN..=i64::MAX))?;
        let Some(kind) = u8::try_from(kind).ok().filter(|kind| allowed.contains(kind)) else {
            form.complain(FieldError::union(allowed));
            return None;
        };
        let mut out = Map::new();
        out.insert("type".to_owned(), json!(kind));
        self.id(form, body, &mut out);
        match kind {
            kind::ACTION_ROW => self.action_row(form, body, &mut out),
            kind::BUTTON => self.button(form, body, &mut out),
            kind::TEXT_INPUT => self.text_input(form, body, &mut out),
            kind::STRING_SELECT
            | kind::USER_SELECT
            | kind::ROLE_SELECT
            | kind::MENTIONABLE_SELECT
            | kind::CHANNEL_SELECT => self.select(form, body, kind, &mut out),
            kind::SECTION => self.section(form, body, &mut out),
            kind::TEXT_DISPLAY => self.text_display(form, body, &mut out),
            kind::THUMBNAIL => self.thumbnail(form, body, &mut out),
            kind::MEDIA_GALLERY => self.media_gallery(form, body, &mut out),
            kind::FILE => self.file(form, body, &mut out),
            kind::SEPARATOR => Self::separator(form, body, &mut out),
            kind::CONTAINER => self.container(form, body, &mut out),
            kind::LABEL => self.label(form, body, &mut out),
            kind::FILE_UPLOAD => self.file_upload(form, body, &mut out),
            kind::RADIO_GROUP | kind::CHECKBOX_GROUP => self.group(form, body, kind, &mut out),
            _ => self.checkbox(form, body, &mut out),
        }
        Some(Value::Object(out))
    }

    /// Reads the optional number of a component; zero means none, and numbers must not repeat.
    fn id(&mut self, form: &mut Form, body: &Object, out: &mut Object) {
        let id = form.optional(body, "id", |form, value| form.int(value, 0..=i64::from(i32::MAX)));
        let Some(id) = id.filter(|id| *id != 0) else { return };
        if self.given_ids.insert(id) {
            out.insert("id".to_owned(), json!(id));
        } else {
            form.complain_at(
                "id",
                FieldError::new("COMPONENT_ID_DUPLICATED", "Component id cannot be duplicated"),
            );
        }
    }

    /// Reads a `custom_id`, which is required and which no other component may have.
    fn custom_id(&mut self, form: &mut Form, body: &Object, out: &mut Object) {
        let id = form.required(body, "custom_id", |form, value| {
            let id = form.text(value, 1..=100)?;
            if !self.custom_ids.insert(id.clone()) {
                form.complain(FieldError::new(
                    "COMPONENT_CUSTOM_ID_DUPLICATED",
                    "Component custom id cannot be duplicated",
                ));
                return None;
            }
            Some(id)
        });
        if let Some(id) = id {
            out.insert("custom_id".to_owned(), json!(id));
        }
    }

    fn action_row(&mut self, form: &mut Form, body: &Object, out: &mut Object) {
        let allowed: &[u8] = if self.place == Place::Modal { &[kind::TEXT_INPUT] } else { IN_ROW };
        let mut width = 0;
        let inside = form.required(body, "components", |form, value| {
            form.list(value, 1..=ROW_WIDTH, |form, item| {
                width += if item["type"] == json!(kind::BUTTON) { 1 } else { ROW_WIDTH };
                if width > ROW_WIDTH {
                    form.complain(FieldError::new(
                        "COMPONENT_LAYOUT_WIDTH_EXCEEDED",
                        "The specified component exceeds the maximum width",
                    ));
                    return None;
                }
                self.read(form, item, allowed)
            })
        });
        out.insert("components".to_owned(), json!(inside));
    }

    fn container(&mut self, form: &mut Form, body: &Object, out: &mut Object) {
        let color = form.optional(body, "accent_color", |form, value| form.uint(value, 0xff_ff_ff));
        out.insert("accent_color".to_owned(), json!(color));
        let spoiler = form.optional(body, "spoiler", Form::boolean).unwrap_or(false);
        out.insert("spoiler".to_owned(), json!(spoiler));
        let inside = form.required(body, "components", |form, value| {
            form.list(value, 1..=MAX_TOTAL, |form, item| self.read(form, item, IN_CONTAINER))
        });
        out.insert("components".to_owned(), json!(inside));
    }

    fn section(&mut self, form: &mut Form, body: &Object, out: &mut Object) {
        let texts = form.required(body, "components", |form, value| {
            form.list(value, 1..=3, |form, item| self.read(form, item, &[kind::TEXT_DISPLAY]))
        });
        out.insert("components".to_owned(), json!(texts));
        let accessory = form.required(body, "accessory", |form, value| self.read(form, value, ACCESSORY));
        out.insert("accessory".to_owned(), json!(accessory));
    }

    fn label(&mut self, form: &mut Form, body: &Object, out: &mut Object) {
        let label = form.required(body, "label", |form, value| form.text(value, 1..=45));
        out.insert("label".to_owned(), json!(label));
        if let Some(text) = form.optional(body, "description", |form, value| form.text(value, 0..=100)) {
            out.insert("description".to_owned(), json!(text));
        }
        let component = form.required(body, "component", |form, value| self.read(form, value, IN_LABEL));
        out.insert("component".to_owned(), json!(component));
    }
}
