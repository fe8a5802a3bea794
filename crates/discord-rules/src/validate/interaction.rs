//! Answers to interactions: which callback fits which interaction, and the rules for its data.

use serde_json::Value;

use super::command::{Choice, option, options};
use super::form::Form;
use super::message::{self, EditTarget, MessageCreate, MessageEdit, MessageOrigin, Upload, flag};
use super::modal;
use crate::error::{ApiError, ApiResult, FieldError};

/// Kinds of interactions.
pub mod kind {
    /// Discord checks whether an endpoint is alive.
    pub const PING: u8 = 1;
    /// A command was run.
    pub const APPLICATION_COMMAND: u8 = 2;
    /// A component was used.
    pub const MESSAGE_COMPONENT: u8 = 3;
    /// A user is typing.
    pub const AUTOCOMPLETE: u8 = 4;
    /// A modal was sent.
    pub const MODAL_SUBMIT: u8 = 5;
}

/// Interaction that an answer must fit.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// One of [`kind`].
    pub kind: u8,
    /// Type of the option that is being typed, for autocompletion.
    pub focused: Option<u8>,
    /// Message whose component was used, directly or before a modal.
    pub message: Option<&'a EditTarget>,
}

/// Answer that fits its interaction.
#[derive(Clone, Debug, PartialEq)]
pub enum Callback {
    /// Alive (1).
    Pong,
    /// New message (4).
    Message(Box<MessageCreate>),
    /// Message later (5).
    DeferMessage {
        /// Whether only its user sees it.
        ephemeral: bool,
    },
    /// Edit of the component's message later, or none (6).
    DeferUpdate,
    /// Edit of the component's message (7).
    Update(Box<MessageEdit>),
    /// Suggestions (8).
    Choices(Vec<Choice>),
    /// Modal (9): its `custom_id`, `title` and `components`.
    Modal(Value),
    /// Upgrade button (10, deprecated).
    PremiumRequired,
    /// The application's Activity (12).
    LaunchActivity,
}

/// Returns the callback types that a kind of interaction accepts.
///
/// Source: "Interaction Callback Type" in Discord's documentation, as its servers apply it: every modal submission
/// accepts the two updates, whatever opened the modal (discord-api-docs#8612). A modal that a command opened has no
/// message, so that 6 only acknowledges it, and 7 finds nothing to edit (discord-api-docs#7774).
fn allowed(kind: u8) -> &'static [u8] {
    match kind {
        kind::PING => &[1],
        kind::MESSAGE_COMPONENT => &[4, 5, 6, 7, 9, 10, 12],
        kind::AUTOCOMPLETE => &[8],
        kind::MODAL_SUBMIT => &[4, 5, 6, 7, 10, 12],
        _ => &[4, 5, 9, 10, 12],
    }
}

/// Reads the body of a callback to an interaction.
pub fn callback(body: &Value, files: &[Upload], asked: Asked<'_>) -> ApiResult<Callback> {
    message::check_files(files)?;
    let callback = Form::read_object(body, |form, body| {
        let kind = form.required(body, "type", |form, value| form.one_of(value, allowed(asked.kind)))?;
        form.skip(body, &["data"]);
        let none = Value::Object(serde_json::Map::new());
        let data = body.get("data").filter(|data| !data.is_null());
        if data.is_none() && matches!(kind, 4 | 8 | 9) {
            form.complain_at("data", FieldError::required());
            return None;
        }
        form.within("data", |form| {
            let data = form.object(data.unwrap_or(&none))?;
            match kind {
                1 => Some(Callback::Pong),
                4 => Some(Callback::Message(Box::new(message::read_create(
                    form,
                    data,
                    files,
                    MessageOrigin::Interaction,
                )))),
                5 => {
                    let flags = form.optional(data, "flags", |form, value| form.int(value, 0..=i64::MAX));
                    let flags = flags.and_then(|flags| u64::try_from(flags).ok()).unwrap_or(0);
                    Some(Callback::DeferMessage { ephemeral: flags & flag::EPHEMERAL != 0 })
                }
                6 => Some(Callback::DeferUpdate),
                7 => {
                    let target = asked.message.cloned().unwrap_or_default();
                    let edit = message::read_edit(form, data, files, &target);
                    Some(Callback::Update(Box::new(edit)))
                }
                8 => {
                    let kind = asked.focused.unwrap_or(option::STRING);
                    let read = |form: &mut Form, item: &Value| options::choice(form, item, kind);
                    let choices =
                        form.optional(data, "choices", |form, value| form.list(value, 0..=25, read));
                    Some(Callback::Choices(choices.unwrap_or_default()))
                }
                9 => modal::read(form, data).map(Callback::Modal),
                10 => Some(Callback::PremiumRequired),
                _ => Some(Callback::LaunchActivity),
            }
        })
    })?;
    match &callback {
        Callback::Message(message) => message::check_created(message, files)?,
        // An update without data is an empty edit of the message, whatever it holds.
        Callback::Update(edit) => match asked.message {
            Some(target) => message::refuse_if_emptied(edit, files, target)?,
            None => return Err(ApiError::unknown_message()),
        },
        _ => {}
    }
    Ok(callback)
}

#[cfg(test)]
mod tests;
