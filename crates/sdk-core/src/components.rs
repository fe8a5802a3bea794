//! Messages with every component that Discord has, for commands, interactions and channels.
//!
//! serenity 0.12 can send action rows only. A [`ComponentMessage`] takes components of [`twilight_model`], made with
//! the builders of [`twilight_util`], and is sent through serenity's `Http`, so through the same rate limits as every
//! other request. `docs/components.md` has an example of each kind.
//!
//! Sources: "Component Reference", "Message Resource" and "Receiving and Responding" in Discord's documentation.

use serde::Serialize;
use serde_json::{Map, Value, json};
use serenity::all::{ChannelId, CreateAttachment, MessageId};

use crate::Error;

mod request;
mod send;

pub use send::{ComponentContext, ComponentInteractions, ComponentMessages, Sent};
pub use twilight_util::builder::message as builder;
pub use {twilight_model, twilight_util};

/// Message flag `EPHEMERAL`.
const EPHEMERAL: u64 = 1 << 6;
/// Message flag `SUPPRESS_NOTIFICATIONS`.
const SUPPRESS_NOTIFICATIONS: u64 = 1 << 12;
/// Message flag `IS_VOICE_MESSAGE`.
const IS_VOICE_MESSAGE: u64 = 1 << 13;
/// Message flag `IS_COMPONENTS_V2`.
const IS_COMPONENTS_V2: u64 = 1 << 15;

/// Type of a component that has existed since before Components V2.
const ACTION_ROW: u64 = 1;
/// Largest number of components of a message, nested ones included.
const MOST_COMPONENTS: usize = 40;
/// Largest number of action rows of a message without Components V2.
const MOST_ROWS: usize = 5;
/// Largest number of characters in all texts of a message with Components V2.
const MOST_TEXT: usize = 4000;

/// A message to send or the new form of one: components, and what a message has besides.
///
/// The flag `IS_COMPONENTS_V2` is set when a component other than an action row is added. Discord then allows no
/// content, poll, sticker or embed.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct ComponentMessage {
    body: Map<String, Value>,
    components: Vec<Value>,
    flags: u64,
    file: Option<CreateAttachment>,
    voice: Option<Value>,
    problem: Option<String>,
}

impl ComponentMessage {
    /// Returns an empty message.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a component: one of `twilight_model`, or JSON for a kind that it does not know.
    pub fn component(self, component: impl Serialize) -> Self {
        self.add(serde_json::to_value(component))
    }

    fn add(mut self, component: serde_json::Result<Value>) -> Self {
        match component {
            Ok(component) => {
                if component["type"].as_u64() != Some(ACTION_ROW) {
                    self.flags |= IS_COMPONENTS_V2;
                }
                self.components.push(component);
            }
            Err(error) => self.problem = Some(format!("a component can't be written as JSON: {error}")),
        }
        self
    }

    /// Adds a text display with Markdown.
    pub fn text(self, markdown: impl Into<String>) -> Self {
        self.add(Ok(json!({ "type": 10, "content": markdown.into() })))
    }

    /// Sets the text of a message without Components V2.
    pub fn content(self, content: impl Into<String>) -> Self {
        self.field("content", Ok(content.into().into()))
    }

    /// Sets whether only the user of the interaction sees it. A message in a channel is seen by everyone.
    pub fn ephemeral(self, yes: bool) -> Self {
        self.flag(EPHEMERAL, yes)
    }

    /// Sets whether members get no notification of it.
    pub fn silent(self, yes: bool) -> Self {
        self.flag(SUPPRESS_NOTIFICATIONS, yes)
    }

    /// Adds a poll: `twilight_model::poll::Poll`, or JSON as in "Poll Create Request Object".
    pub fn poll(self, poll: impl Serialize) -> Self {
        self.field("poll", serde_json::to_value(poll))
    }

    /// Sets whom the message may notify: `twilight_model`'s or serenity's allowed mentions. Without it the texts of the
    /// message decide.
    pub fn allowed_mentions(self, mentions: impl Serialize) -> Self {
        self.field("allowed_mentions", serde_json::to_value(mentions))
    }

    /// Makes it a reply to a message of the same channel.
    pub fn reply_to(self, message: MessageId) -> Self {
        self.field("message_reference", Ok(json!({ "message_id": message })))
    }

    /// Makes it a forward of a message. Discord allows nothing else in such a message.
    pub fn forward(self, channel: ChannelId, message: MessageId) -> Self {
        let reference = json!({ "type": 1, "channel_id": channel, "message_id": message });
        self.field("message_reference", Ok(reference))
    }

    /// Uploads a file, which components name as `attachment://FILENAME`. serenity numbers no files, so a message has at
    /// most one.
    pub fn file(mut self, file: CreateAttachment) -> Self {
        if self.file.replace(file).is_some() {
            self.problem =
                Some("a component message uploads at most one file; send the others by URL".to_owned());
        }
        self
    }

    /// Makes it a voice message of this recording. `waveform` has up to 256 values, one for each part of its length.
    pub fn voice(mut self, recording: CreateAttachment, seconds: f64, waveform: &[u8]) -> Self {
        if waveform.len() > 256 || !seconds.is_finite() || seconds <= 0.0 {
            let words = "a voice message has a positive length and at most 256 values in its waveform";
            self.problem = Some(words.to_owned());
        }
        self.voice = Some(json!({ "duration_secs": seconds, "waveform": base64(waveform) }));
        self.flag(IS_VOICE_MESSAGE, true).file(recording)
    }

    fn field(mut self, name: &str, value: serde_json::Result<Value>) -> Self {
        match value {
            Ok(value) => _ = self.body.insert(name.to_owned(), value),
            Err(error) => self.problem = Some(format!("{name} can't be written as JSON: {error}")),
        }
        self
    }

    fn flag(mut self, flag: u64, yes: bool) -> Self {
        self.flags = if yes { self.flags | flag } else { self.flags & !flag };
        self
    }

    fn is_v2(&self) -> bool {
        self.flags & IS_COMPONENTS_V2 != 0
    }

    /// Returns Discord's form of the message, and the file to upload.
    fn finish(mut self) -> Result<(Value, Option<CreateAttachment>), Error> {
        if let Some(problem) = self.problem {
            return Err(problem.into());
        }
        self.check()?;
        if let Some(file) = &self.file {
            let mut attachment =
                json!({ "id": "0", "filename": file.filename, "description": file.description });
            if let (Some(attachment), Some(Value::Object(voice))) = (attachment.as_object_mut(), self.voice) {
                attachment.extend(voice);
            }
            self.body.insert("attachments".to_owned(), json!([attachment]));
        }
        if !self.components.is_empty() {
            self.body.insert("components".to_owned(), self.components.into());
        }
        if self.flags != 0 {
            self.body.insert("flags".to_owned(), self.flags.into());
        }
        Ok((Value::Object(self.body), self.file))
    }

    fn check(&self) -> Result<(), Error> {
        if self.is_v2() {
            if let Some(name) = ["content", "poll"].into_iter().find(|name| self.body.contains_key(*name)) {
                let words = "a message with Components V2 has no";
                return Err(format!("{words} {name}; use a text display, or send two messages").into());
            }
            let count: usize = self.components.iter().map(count).sum();
            if count > MOST_COMPONENTS {
                return Err(format!(
                    "a message has at most {MOST_COMPONENTS} components, and this one {count}"
                )
                .into());
            }
            let text: usize = self.components.iter().map(text_length).sum();
            if text > MOST_TEXT {
                let words = format!("at most {MOST_TEXT} characters in all its texts, and this one {text}");
                return Err(format!("a message with Components V2 has {words}").into());
            }
        } else if self.components.len() > MOST_ROWS {
            let count = self.components.len();
            return Err(format!("a message has at most {MOST_ROWS} action rows, and this one {count}").into());
        }
        Ok(())
    }
}

/// Returns the components within a component, one level down.
fn children(component: &Value) -> impl Iterator<Item = &Value> {
    let list = component["components"].as_array().into_iter().flatten();
    list.chain(component.get("accessory")).chain(component.get("component"))
}

fn count(component: &Value) -> usize {
    1 + children(component).map(count).sum::<usize>()
}

fn text_length(component: &Value) -> usize {
    let own = match component["type"].as_u64() {
        Some(10) => component["content"].as_str().map_or(0, |text| text.chars().count()),
        _ => 0,
    };
    own + children(component).map(text_length).sum::<usize>()
}

/// Encodes bytes as standard base64.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = (0..3).fold(0, |group, at| group << 8 | usize::from(*chunk.get(at).unwrap_or(&0)));
        for digit in 0..4 {
            let is_padding = digit > chunk.len();
            text.push(if is_padding { '=' } else { char::from(DIGITS[group >> (18 - 6 * digit) & 63]) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_follows_from_the_components() {
        let row = json!({ "type": 1, "components": [{ "type": 2, "style": 6, "sku_id": "1" }] });
        let (plain, _) = ComponentMessage::new().content("a").component(&row).finish().unwrap();
        assert_eq!(plain, json!({ "content": "a", "components": [row] }));
        let (new, _) = ComponentMessage::new().text("a").ephemeral(true).finish().unwrap();
        assert_eq!(new["flags"], IS_COMPONENTS_V2 | EPHEMERAL);
    }

    #[test]
    fn what_discord_would_refuse_is_refused_with_a_sentence() {
        let sentence = |message: ComponentMessage| message.finish().unwrap_err().to_string();
        let both = ComponentMessage::new().text("a").content("b");
        assert!(sentence(both).contains("has no content"));
        let long = ComponentMessage::new().text("ä".repeat(4001));
        assert!(sentence(long).ends_with("this one 4001"));
        let inner: Vec<_> = (0..40).map(|_| json!({ "type": 10, "content": "a" })).collect();
        let many = ComponentMessage::new().component(json!({ "type": 17, "components": inner }));
        assert!(sentence(many).ends_with("this one 41"));
        let file = || CreateAttachment::bytes("a", "a.txt");
        assert!(sentence(ComponentMessage::new().file(file()).file(file())).contains("one file"));
    }

    #[test]
    fn base64_is_as_in_rfc_4648() {
        for (bytes, text) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }
}
