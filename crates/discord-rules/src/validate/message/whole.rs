//! What a message must and must not hold altogether.

use super::{EditTarget, MessageCreate, MessageEdit, Upload, flag};
use crate::error::{ApiError, ApiResult};
use crate::validate::form::Change;

/// Checks what a message that was read holds altogether.
pub(in crate::validate) fn check_created(message: &MessageCreate, files: &[Upload]) -> ApiResult<()> {
    refuse_if_empty(message, files)?;
    if message.flags & flag::IS_VOICE_MESSAGE != 0 { check_recording(message, files) } else { Ok(()) }
}

/// Checks that a voice message is one recording and nothing else (Message, "Voice Messages"). Whether the file is one of
/// sound is decided by its bytes, which the caller has.
fn check_recording(message: &MessageCreate, files: &[Upload]) -> ApiResult<()> {
    if says_something(message) {
        return Err(ApiError::voice_message_content());
    }
    let [file] = files else { return Err(ApiError::voice_message_file()) };
    let info = message.attachments.iter().find(|info| info.id.0 == file.index);
    let complete = info.is_some_and(|info| info.duration_secs.is_some() && info.waveform.is_some());
    if complete { Ok(()) } else { Err(ApiError::voice_message_metadata()) }
}

/// Returns whether a message has anything of its own besides files and a theme.
fn says_something(message: &MessageCreate) -> bool {
    !message.content.is_empty()
        || !message.embeds.is_empty()
        || !message.components.is_empty()
        || !message.sticker_ids.is_empty()
        || message.poll.is_some()
}

/// Checks that a message has visible content (50006).
fn refuse_if_empty(message: &MessageCreate, files: &[Upload]) -> ApiResult<()> {
    let something = says_something(message)
        || message.shared_client_theme.is_some()
        || !files.is_empty()
        || message.message_reference.as_ref().is_some_and(|reference| reference.forward);
    if something { Ok(()) } else { Err(ApiError::empty_message()) }
}

/// Checks that an edit leaves visible content (50006).
pub(in crate::validate) fn refuse_if_emptied(
    edit: &MessageEdit,
    files: &[Upload],
    target: &EditTarget,
) -> ApiResult<()> {
    let stays = |change: Option<bool>, before: bool| change.unwrap_or(before);
    let something = target.fixed
        || edit.poll.is_some()
        || stays(changed(&edit.content, |text| !text.is_empty()), target.content)
        || stays(changed(&edit.embeds, |embeds| !embeds.is_empty()), target.embeds)
        || stays(changed(&edit.components, |components| !components.is_empty()), target.components)
        || !files.is_empty()
        || match &edit.attachments {
            Change::Keep => !target.attachments.is_empty(),
            Change::Clear => false,
            Change::Set(kept) => !kept.is_empty(),
        };
    if something { Ok(()) } else { Err(ApiError::empty_message()) }
}

/// Returns whether a field is filled after a change; `None` where there is no change.
fn changed<T>(change: &Change<T>, filled: impl Fn(&T) -> bool) -> Option<bool> {
    match change {
        Change::Keep => None,
        Change::Clear => Some(false),
        Change::Set(value) => Some(filled(value)),
    }
}
