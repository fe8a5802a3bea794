//! Messages of the gateway: read without their data, written around the original text.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, de};
use serde_json::value::RawValue;

/// The opcodes that the gateway reads or writes (Discord's documentation: "Opcodes and Status Codes").
pub(crate) mod op {
    pub(crate) const DISPATCH: u8 = 0;
    pub(crate) const HEARTBEAT: u8 = 1;
    pub(crate) const IDENTIFY: u8 = 2;
    pub(crate) const PRESENCE: u8 = 3;
    pub(crate) const VOICE_STATE: u8 = 4;
    pub(crate) const RESUME: u8 = 6;
    pub(crate) const REQUEST_MEMBERS: u8 = 8;
    pub(crate) const REQUEST_SOUNDS: u8 = 31;
    pub(crate) const REQUEST_CHANNEL_INFO: u8 = 43;
}

/// A message whose data is not read yet.
#[derive(Debug, Deserialize)]
pub(crate) struct Frame<'a> {
    pub(crate) op: u8,
    #[serde(default)]
    pub(crate) s: Option<u64>,
    #[serde(borrow, default)]
    pub(crate) t: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) d: Option<&'a RawValue>,
}

impl<'a> Frame<'a> {
    /// Reads a message; `None` if it is none.
    pub(crate) fn read(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// Returns the text of the data.
    pub(crate) fn data(&self) -> &'a str {
        self.d.map_or("null", RawValue::get)
    }
}

/// Writes a dispatch. `name` is the name of an event, which needs no escapes once it was checked by [`is_name`].
pub(crate) fn dispatch(sequence: u64, name: &str, data: &str) -> String {
    format!(r#"{{"op":0,"s":{sequence},"t":"{name}","d":{data}}}"#)
}

/// Returns whether a text is the name of an event.
pub(crate) fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

/// An id of Discord's, written as a string or as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Id(pub(crate) u64);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Id;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("an id")
            }

            fn visit_u64<E: de::Error>(self, id: u64) -> Result<Id, E> {
                Ok(Id(id))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Id, E> {
                text.parse().map(Id).map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// The ids by which an event or an entry of a list is found.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Ids {
    pub(crate) id: Option<Id>,
    pub(crate) guild_id: Option<Id>,
    pub(crate) channel_id: Option<Id>,
    pub(crate) parent_id: Option<Id>,
    pub(crate) user_id: Option<Id>,
    pub(crate) role_id: Option<Id>,
    pub(crate) sound_id: Option<Id>,
    pub(crate) user: Option<User>,
    pub(crate) unavailable: Option<bool>,
}

/// A user inside an entry.
#[derive(Debug, Deserialize)]
pub(crate) struct User {
    pub(crate) id: Id,
}

impl Ids {
    /// Reads the ids of an object; all are missing if it is none.
    pub(crate) fn of(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }
}
