//! Requests for messages: the validated body with its files, converted into a message of the world.

mod media;
mod mentions;

use axum::body::Bytes;
use serde_json::Value;

use crate::error::{ApiError, ApiResult};
use crate::snowflake::Snowflake;
use crate::state::message::{Attachment, Message, flag};
use crate::state::poll::Poll;
use crate::state::{File, World, picture};
use crate::validate::message::{AttachmentInfo, EditTarget, MessageCreate, MessageEdit};
use crate::validate::{self, Change};

/// A file of a multipart body: `files[n]`.
#[derive(Debug, Clone)]
pub struct Upload {
    /// Field of the form.
    pub field: String,
    /// The `n` of `files[n]`.
    pub index: u64,
    /// Name in the request.
    pub filename: String,
    /// Media type in the request.
    pub content_type: Option<String>,
    /// The bytes.
    pub bytes: Bytes,
}

/// Returns the data of the files that validation needs.
pub fn names(uploads: &[Upload]) -> Vec<crate::validate::message::Upload> {
    let name = |upload: &Upload| crate::validate::message::Upload {
        index: upload.index,
        filename: safe_name(&upload.filename),
    };
    uploads.iter().map(name).collect()
}

/// Returns the data of an edited message that validation needs.
pub fn edit_target(message: &Message) -> EditTarget {
    EditTarget {
        flags: message.flags & !flag::LOADING,
        content: !message.content.is_empty(),
        embeds: !message.embeds.is_empty(),
        components: !message.components.is_empty(),
        fixed: message.poll.is_some() || message.forwarded.is_some() || !message.stickers.is_empty(),
        attachments: message.files().map(|file| (file.id, file.filename.clone())).collect(),
    }
}

/// A message to be created.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// The body.
    pub message: MessageCreate,
    /// The files.
    pub uploads: Vec<Upload>,
}

impl Draft {
    /// Creates a draft with a text only.
    pub fn text(content: &str) -> Self {
        let message = MessageCreate { content: content.trim().to_owned(), ..MessageCreate::default() };
        Self { message, uploads: Vec::new() }
    }

    /// Checks that the file of a voice message is one of sound.
    pub fn check_recording(&self) -> ApiResult<()> {
        let is_recording = self.message.flags & validate::message::flag::IS_VOICE_MESSAGE != 0;
        let is_sound = |upload: &Upload| media_type(upload, &upload.filename).starts_with("audio/");
        if is_recording && !self.uploads.iter().all(is_sound) {
            return Err(ApiError::voice_message_file());
        }
        Ok(())
    }

    /// Writes the content of the body into a new message.
    pub fn fill(self, world: &mut World, message: &mut Message) {
        let body = self.message;
        message.flags |= body.flags;
        message.tts = body.tts;
        message.theme = body.shared_client_theme;
        message.nonce = body.nonce;
        message.poll = body.poll.map(|poll| Poll::new(poll, message.id.created_at()));
        message.content = body.content;
        message.stickers = body.sticker_ids.iter().filter_map(|id| world.sticker_item(*id)).collect();
        message.embeds = body.embeds;
        message.components = body.components;
        message.attachments = store(world, message, &body.attachments, self.uploads);
        media::resolve(world, message);
        mentions::apply(world, message, body.allowed_mentions);
    }
}

/// A change to a message.
#[derive(Debug, Clone, Default)]
pub struct Edit {
    /// The body.
    pub change: MessageEdit,
    /// New files.
    pub uploads: Vec<Upload>,
}

impl Edit {
    /// Changes the parts of a message that the body names.
    pub fn apply(self, world: &mut World, message: &mut Message) {
        let change = self.change;
        message.flags = change.flags | message.flags & !edit_target(message).flags & !flag::LOADING;
        let text_changed = change.content.is_change();
        let or_empty = |change: Change<Vec<Value>>, field: &mut Vec<Value>| {
            change.apply_or(field, Vec::new());
        };
        change.content.apply_or(&mut message.content, String::new());
        or_empty(change.embeds, &mut message.embeds);
        or_empty(change.components, &mut message.components);
        if let Some(poll) = change.poll {
            message.poll = Some(Poll::new(poll, message.id.created_at()));
        }
        let infos = change.attachments.as_ref().cloned().unwrap_or_default();
        if change.attachments.is_change() {
            let kept = |attachment: &Attachment| infos.iter().any(|info| info.id == attachment.id);
            // A file that stays, but that nothing may show any more, is listed again.
            let stays: Vec<_> = message.shown.extract_if(.., |attachment| kept(attachment)).collect();
            message.attachments.extend(stays);
            for gone in message.attachments.iter().filter(|attachment| !kept(attachment)) {
                world.files.remove(&gone.id);
            }
            message.attachments.retain(kept);
            for attachment in &mut message.attachments {
                describe(attachment, &infos);
            }
        }
        let added = store(world, message, &infos, self.uploads);
        message.attachments.extend(added);
        media::resolve(world, message);
        if text_changed || change.allowed_mentions.is_some() || message.flags & flag::IS_COMPONENTS_V2 != 0 {
            mentions::apply(world, message, change.allowed_mentions);
        }
    }
}

/// Changes what an edit may change of an attachment that stays: its description, and whether it is a spoiler.
fn describe(attachment: &mut Attachment, infos: &[AttachmentInfo]) {
    let Some(info) = infos.iter().find(|info| info.id == attachment.id) else { return };
    info.description.clone().apply(&mut attachment.description);
    attachment.spoiler = info.is_spoiler.unwrap_or(attachment.spoiler);
}

/// Returns the media type of a file of this name: as declared, or else by its first bytes or its name.
fn media_type(upload: &Upload, filename: &str) -> String {
    let declared = upload.content_type.clone().filter(|kind| kind != "application/octet-stream");
    let found = || picture::sniff(&upload.bytes).unwrap_or(picture::content_type_of(filename)).to_owned();
    declared.unwrap_or_else(found)
}

/// Stores the bytes of new files and returns their attachments, as the body describes them.
fn store(
    world: &mut World,
    message: &Message,
    infos: &[AttachmentInfo],
    uploads: Vec<Upload>,
) -> Vec<Attachment> {
    uploads
        .into_iter()
        .map(|upload| {
            let info = infos.iter().find(|info| info.id == Snowflake(upload.index));
            let original =
                info.and_then(|info| info.filename.clone()).unwrap_or_else(|| upload.filename.clone());
            let filename = safe_name(&original);
            let content_type = media_type(&upload, &filename);
            let attachment = Attachment {
                id: world.next_id(),
                channel_id: message.channel_id,
                title: info
                    .and_then(|info| info.title.clone())
                    .or_else(|| (filename != original).then_some(original)),
                description: info.and_then(|info| info.description.clone().value()),
                content_type,
                size: upload.bytes.len(),
                dimensions: picture::dimensions(&upload.bytes),
                ephemeral: message.flags & flag::EPHEMERAL != 0,
                spoiler: info
                    .and_then(|info| info.is_spoiler)
                    .unwrap_or_else(|| filename.starts_with("SPOILER_")),
                recording: info.and_then(|info| Some((info.duration_secs?, info.waveform.clone()?))),
                filename,
            };
            let file = File {
                filename: attachment.filename.clone(),
                content_type: attachment.content_type.clone(),
                bytes: upload.bytes,
            };
            world.files.insert(attachment.id, file);
            attachment
        })
        .collect()
}

/// Returns a name that is safe in a path, by Discord's rule: other characters become underscores.
pub fn safe_name(name: &str) -> String {
    let safe: String = name
        .chars()
        .map(|c| if c.is_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' })
        .collect();
    let safe = safe.trim_start_matches('.');
    if safe.is_empty() { "unknown".to_owned() } else { safe.to_owned() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_file_name_never_leaves_its_folder(name: String) {
            let safe = safe_name(&name);
            prop_assert!(!safe.is_empty() && !safe.starts_with('.'));
            let has_separator = safe.contains(['/', '\\', '?', '#', '%']);
            prop_assert!(!has_separator);
        }
    }
}
