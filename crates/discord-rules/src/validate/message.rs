//! Messages: bodies of creations and edits, through channels, webhooks and interactions.

mod theme;
mod whole;

use serde_json::Value;

use super::component::{self, Place};
use super::form::{Change, Form, Object};
use super::mentions::{self, AllowedMentions};
use super::poll::{self, Poll};
use super::{embed, form};
use crate::error::{ApiError, ApiResult, FieldError};
use crate::snowflake::Snowflake;

pub(super) use whole::{check_created, refuse_if_emptied};

/// Longest content that an application may send, in characters.
const MAX_CONTENT: usize = 2000;
/// Maximum number of files of one message.
const MAX_FILES: usize = 10;

/// Flags of messages that a body may name.
pub mod flag {
    /// Links are not embedded.
    pub const SUPPRESS_EMBEDS: u64 = 1 << 2;
    /// Only one user sees it.
    pub const EPHEMERAL: u64 = 1 << 6;
    /// It notifies no device.
    pub const SUPPRESS_NOTIFICATIONS: u64 = 1 << 12;
    /// Voice message.
    pub const IS_VOICE_MESSAGE: u64 = 1 << 13;
    /// It holds only components.
    pub const IS_COMPONENTS_V2: u64 = 1 << 15;
}

/// Route by which a message is sent, which decides its possible flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageOrigin {
    /// `POST /channels/{id}/messages`.
    Channel,
    /// `POST /webhooks/{id}/{token}`.
    Webhook,
    /// Callback to an interaction, or a followup.
    Interaction,
}

impl MessageOrigin {
    /// Returns the flags that messages by this route may have; Discord silently drops the others.
    pub fn flags(self) -> u64 {
        let common = flag::SUPPRESS_EMBEDS | flag::SUPPRESS_NOTIFICATIONS | flag::IS_COMPONENTS_V2;
        match self {
            Self::Channel => common | flag::IS_VOICE_MESSAGE,
            Self::Webhook => common,
            Self::Interaction => common | flag::IS_VOICE_MESSAGE | flag::EPHEMERAL,
        }
    }
}

/// One file of a multipart body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// Number in its field's name, `files[n]`.
    pub index: u64,
    /// Name, as `attachment://` refers to it.
    pub filename: String,
}

/// Entry of an attachment in a body.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AttachmentInfo {
    /// Number of an uploaded file, or id of an attachment that stays.
    pub id: Snowflake,
    /// Another name for it.
    pub filename: Option<String>,
    /// Title.
    pub title: Option<String>,
    /// Text for users who cannot see it; an empty one clears it.
    pub description: Change<String>,
    /// Length of a voice message, in seconds.
    pub duration_secs: Option<f64>,
    /// Waveform of a voice message, in base64.
    pub waveform: Option<String>,
    /// Whether it is hidden as a spoiler.
    pub is_spoiler: Option<bool>,
}

/// Reference of a message to another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageReference {
    /// Whether it forwards the other message instead of replying to it.
    pub forward: bool,
    /// Id of the other message.
    pub message_id: Snowflake,
    /// Id of its channel; for a reply that of the new message.
    pub channel_id: Option<Snowflake>,
    /// Id of its guild.
    pub guild_id: Option<Snowflake>,
    /// Whether the message is refused if the other does not exist; otherwise it becomes an ordinary one.
    pub fail_if_not_exists: bool,
}

/// Message to be created.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MessageCreate {
    /// Text, without the white space around it.
    pub content: String,
    /// Whether it is read aloud.
    pub tts: bool,
    /// Embeds as Discord shows them.
    pub embeds: Vec<Value>,
    /// Components as Discord shows them.
    pub components: Vec<Value>,
    /// Flags that may be set and are.
    pub flags: u64,
    /// Whom it may notify; `None` for everyone.
    pub allowed_mentions: Option<AllowedMentions>,
    /// Message that it replies to or forwards.
    pub message_reference: Option<MessageReference>,
    /// Entries of its files in the body.
    pub attachments: Vec<AttachmentInfo>,
    /// Stickers.
    pub sticker_ids: Vec<Snowflake>,
    /// Poll.
    pub poll: Option<Poll>,
    /// Theme of the client that the message shares, in the form in which Discord shows it.
    pub shared_client_theme: Option<Value>,
    /// Value that is returned in the event.
    pub nonce: Option<Value>,
    /// Whether a second message with the same nonce returns the first one.
    pub enforce_nonce: bool,
    /// Displayed name of a webhook.
    pub username: Option<String>,
    /// Displayed picture of a webhook.
    pub avatar_url: Option<String>,
    /// Name of the thread to create, for a webhook in a forum.
    pub thread_name: Option<String>,
    /// Tags of that thread.
    pub applied_tags: Vec<Snowflake>,
}

/// State of a message before an edit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each says of one part whether it is there")]
pub struct EditTarget {
    /// Its flags.
    pub flags: u64,
    /// Whether it has text.
    pub content: bool,
    /// Whether it has embeds.
    pub embeds: bool,
    /// Whether it has components.
    pub components: bool,
    /// Whether it has stickers or a poll, which no edit removes.
    pub fixed: bool,
    /// Its attachments, by id and name.
    pub attachments: Vec<(Snowflake, String)>,
}

/// Changes of an edit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MessageEdit {
    /// Text.
    pub content: Change<String>,
    /// Embeds.
    pub embeds: Change<Vec<Value>>,
    /// Components.
    pub components: Change<Vec<Value>>,
    /// Flags after the edit; those that cannot be edited are kept.
    pub flags: u64,
    /// Whom it may notify.
    pub allowed_mentions: Option<AllowedMentions>,
    /// Attachments that are kept, and the entries of new ones; `Keep` keeps all.
    pub attachments: Change<Vec<AttachmentInfo>>,
    /// Poll, where the edit is the first answer to a deferred interaction.
    pub poll: Option<Poll>,
    /// Stickers, which must be those that the message has.
    pub sticker_ids: Vec<Snowflake>,
}

/// Reads the body of a creation.
pub fn create(body: &Value, files: &[Upload], origin: MessageOrigin) -> ApiResult<MessageCreate> {
    check_files(files)?;
    let message = Form::read_object(body, |form, body| Some(read_create(form, body, files, origin)))?;
    check_created(&message, files)?;
    Ok(message)
}

/// Checks that there are not more files than a message may have.
pub(super) fn check_files(files: &[Upload]) -> ApiResult<()> {
    if files.len() > MAX_FILES { Err(ApiError::max_attachments()) } else { Ok(()) }
}

/// Reads the creation in a field of a body, if there is one: the first message of a forum's post.
pub fn create_within(
    body: &Value,
    key: &str,
    files: &[Upload],
    origin: MessageOrigin,
) -> ApiResult<Option<MessageCreate>> {
    check_files(files)?;
    let Some(value) = body.get(key).filter(|value| !value.is_null()) else { return Ok(None) };
    let message = Form::read_body(value, |form| {
        form.within(key, |form| {
            let message = form.object(value)?;
            Some(read_create(form, message, files, origin))
        })
    })?;
    check_created(&message, files)?;
    Ok(Some(message))
}

/// Reads a creation inside a body that is being read.
pub(super) fn read_create(
    form: &mut Form,
    body: &Object,
    files: &[Upload],
    origin: MessageOrigin,
) -> MessageCreate {
    let flags = form.optional(body, "flags", flags).unwrap_or(0) & origin.flags();
    let v2 = flags & flag::IS_COMPONENTS_V2 != 0;
    let names: Vec<String> = files.iter().map(|file| file.filename.clone()).collect();
    if v2 {
        refuse_legacy(form, body, &["content", "embeds", "sticker_ids", "poll", "shared_client_theme"]);
    }
    let place = if v2 { Place::Message } else { Place::LegacyMessage };
    let webhook = origin == MessageOrigin::Webhook;
    MessageCreate {
        content: form.optional(body, "content", content).unwrap_or_default(),
        tts: form.optional(body, "tts", Form::boolean).unwrap_or(false),
        embeds: form.optional(body, "embeds", embed::read_all).unwrap_or_default(),
        components: form
            .optional(body, "components", |form, value| component::read_all(form, value, place, &names))
            .unwrap_or_default(),
        flags,
        allowed_mentions: mentions::read(form, body),
        message_reference: form.optional(body, "message_reference", reference),
        attachments: form
            .optional(body, "attachments", |form, value| attachments(form, value, files, &[]))
            .unwrap_or_default(),
        sticker_ids: form
            .optional(body, "sticker_ids", |form, value| form.id_set(value, 0..=3))
            .unwrap_or_default(),
        poll: poll::read(form, body),
        shared_client_theme: form.optional(body, "shared_client_theme", theme::read),
        nonce: form.optional(body, "nonce", nonce),
        enforce_nonce: form.optional(body, "enforce_nonce", Form::boolean).unwrap_or(false),
        username: form.optional(body, "username", super::webhook::name).filter(|_| webhook),
        avatar_url: form
            .optional(body, "avatar_url", |form, value| form.url(value, 2048, &["http", "https"]))
            .filter(|_| webhook),
        thread_name: form
            .optional(body, "thread_name", |form, value| form.trimmed(value, 1..=100))
            .filter(|_| webhook),
        applied_tags: form
            .optional(body, "applied_tags", |form, value| form.id_set(value, 0..=5))
            .unwrap_or_default(),
    }
}

/// Reads the body of an edit of a message.
pub fn edit(body: &Value, files: &[Upload], target: &EditTarget) -> ApiResult<MessageEdit> {
    check_files(files)?;
    if target.flags & flag::IS_VOICE_MESSAGE != 0 {
        return Err(ApiError::voice_message_edit());
    }
    let edit = Form::read_object(body, |form, body| Some(read_edit(form, body, files, target)))?;
    refuse_if_emptied(&edit, files, target)?;
    Ok(edit)
}

/// Reads an edit inside a body that is being read.
pub(super) fn read_edit(
    form: &mut Form,
    body: &Object,
    files: &[Upload],
    target: &EditTarget,
) -> MessageEdit {
    let editable = flag::SUPPRESS_EMBEDS | flag::IS_COMPONENTS_V2;
    let asked = form.optional(body, "flags", flags);
    // A message that holds only components stays so.
    let lasting = target.flags & flag::IS_COMPONENTS_V2;
    let flags = asked.map_or(target.flags, |asked| target.flags & !editable | asked & editable | lasting);
    let v2 = flags & flag::IS_COMPONENTS_V2 != 0;
    if v2 {
        refuse_legacy(form, body, &["content", "embeds", "poll"]);
        if lasting == 0 {
            for (key, there) in [("content", target.content), ("embeds", target.embeds)] {
                if there && !body.contains_key(key) {
                    form.complain_at(key, legacy(key));
                }
            }
        }
    }
    let mut names: Vec<String> = files.iter().map(|file| file.filename.clone()).collect();
    names.extend(target.attachments.iter().map(|(_, name)| name.clone()));
    let place = if v2 { Place::Message } else { Place::LegacyMessage };
    let known: Vec<Snowflake> = target.attachments.iter().map(|(id, _)| *id).collect();
    MessageEdit {
        content: form.field(body, "content", content),
        embeds: form.field(body, "embeds", embed::read_all),
        components: form
            .field(body, "components", |form, value| component::read_all(form, value, place, &names)),
        flags,
        allowed_mentions: mentions::read(form, body),
        attachments: form.field(body, "attachments", |form, value| attachments(form, value, files, &known)),
        poll: poll::read(form, body),
        sticker_ids: form
            .optional(body, "sticker_ids", |form, value| form.id_set(value, 0..=3))
            .unwrap_or_default(),
    }
}

/// Reads the body of a bulk deletion: 2 to 100 different ids, none older than 14 days at `now_ms`.
pub fn bulk_delete(body: &Value, now_ms: u64) -> ApiResult<Vec<Snowflake>> {
    const TWO_WEEKS_MS: u64 = 14 * 24 * 60 * 60 * 1000;
    let count = body["messages"].as_array().map_or(0, Vec::len);
    if body["messages"].is_array() && !(2..=100).contains(&count) {
        return Err(ApiError::bulk_delete_count());
    }
    let ids = Form::read_object(body, |form, body| {
        form.required(body, "messages", |form, value| form.id_set(value, 2..=100))
    })?;
    let oldest = Snowflake::first_at(now_ms.saturating_sub(TWO_WEEKS_MS));
    if ids.iter().any(|id| *id < oldest) { Err(ApiError::too_old_for_bulk_delete()) } else { Ok(ids) }
}

fn content(form: &mut Form, value: &Value) -> Option<String> {
    form.trimmed(value, 0..=MAX_CONTENT)
}

fn flags(form: &mut Form, value: &Value) -> Option<u64> {
    form.int(value, 0..=i64::MAX).and_then(|flags| u64::try_from(flags).ok())
}

/// Reports an error for each of these fields that the body fills.
fn refuse_legacy(form: &mut Form, body: &Object, keys: &[&str]) {
    for key in keys {
        let filled = match body.get(*key) {
            None | Some(Value::Null) => false,
            Some(Value::String(text)) => !text.is_empty(),
            Some(Value::Array(items)) => !items.is_empty(),
            Some(_) => true,
        };
        if filled {
            form.complain_at(*key, legacy(key));
        }
    }
}

fn legacy(key: &str) -> FieldError {
    FieldError::new(
        "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
        format!("The '{key}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2"),
    )
}

fn nonce(form: &mut Form, value: &Value) -> Option<Value> {
    match value {
        Value::String(text) if text.chars().count() <= 25 => Some(value.clone()),
        Value::String(_) => {
            form.complain(FieldError::new("NONCE_TYPE_TOO_LONG", "Must be 25 or fewer characters long."));
            None
        }
        Value::Number(number) if !number.is_f64() => Some(value.clone()),
        _ => {
            form.complain(FieldError::new(
                "NONCE_TYPE_INVALID_TYPE",
                "This field must be a string or integer.",
            ));
            None
        }
    }
}

fn reference(form: &mut Form, value: &Value) -> Option<MessageReference> {
    let reference = form.object(value)?;
    let forward = form.optional(reference, "type", |form, value| form.one_of(value, &[0, 1])) == Some(1);
    let message_id = form.required(reference, "message_id", Form::snowflake);
    let channel_id = form.optional(reference, "channel_id", Form::snowflake);
    if forward && !reference.contains_key("channel_id") {
        form.complain_at("channel_id", FieldError::required());
    }
    Some(MessageReference {
        forward,
        message_id: message_id?,
        channel_id,
        guild_id: form.optional(reference, "guild_id", Form::snowflake),
        fail_if_not_exists: form.optional(reference, "fail_if_not_exists", Form::boolean).unwrap_or(true),
    })
}

/// Reads `attachments`: each names an uploaded file by its number, or an existing one by its id.
fn attachments(
    form: &mut Form,
    value: &Value,
    files: &[Upload],
    known: &[Snowflake],
) -> Option<Vec<AttachmentInfo>> {
    form.objects(value, 0..=MAX_FILES, |form, item| {
        form.check(item, "is_remix", Form::boolean);
        let id = form.required(item, "id", |form, value| {
            let id = form.snowflake(value)?;
            if !files.iter().any(|file| file.index == id.0) && !known.contains(&id) {
                form.complain(FieldError::new("ATTACHMENT_NOT_FOUND", "Attachment data not found"));
                return None;
            }
            Some(id)
        });
        let text = |form: &mut Form, key: &str, max: usize| {
            form.optional(item, key, |form, value| form.text(value, 0..=max)).filter(|text| !text.is_empty())
        };
        let info = AttachmentInfo {
            id: Snowflake(0),
            filename: form.optional(item, "filename", |form, value| form.text(value, 1..=1024)),
            title: text(form, "title", 1024),
            description: match form.field(item, "description", |form, value| form.text(value, 0..=1024)) {
                Change::Set(text) if text.is_empty() => Change::Clear,
                change => change,
            },
            duration_secs: form
                .optional(item, "duration_secs", |form, value| form.float(value, 0.0..=f64::from(i32::MAX))),
            waveform: text(form, "waveform", 400),
            is_spoiler: form.optional(item, "is_spoiler", Form::boolean),
        };
        Some(AttachmentInfo { id: id?, ..info })
    })
}

/// Reads the `payload_json` of a multipart body; without it the body is an empty object.
pub fn payload_json(text: Option<&[u8]>) -> ApiResult<Value> {
    form::parse_json(text.unwrap_or_default())
}

#[cfg(test)]
mod tests;
