//! Reports of dispatch to one observer of the host, for metrics that outlive every reload.
//!
//! Names are those that live generations have registered, never the user's input, so that there are no more names than
//! commands and handlers. Without an observer nothing is measured.

use std::time::Duration;

use crate::{Error, EventKind, Refusal};

/// Receives reports of dispatch. It is called for every event, so it must not block.
pub trait Observer: Send + Sync {
    /// An event has arrived from the gateway.
    fn event(&self, kind: EventKind);

    /// A user's call of a plugin has ended.
    fn call(&self, call: &Call<'_>);

    /// A user's interaction was not handled.
    fn unhandled(&self, why: Unhandled);

    /// A panic in a plugin was contained: in a command, a handler or a timer.
    fn panicked(&self, plugin: &crate::PluginId);
}

/// A user's call of a plugin that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call<'a> {
    /// Kind of interaction that triggered it.
    pub trigger: Trigger,
    /// Name as registered: of a command with its subcommands (`dev reload`), the custom-id prefix of a handler, or
    /// [`AWAITED`].
    pub name: &'a str,
    /// How it ended.
    pub outcome: Outcome,
    /// Time from the event to the end of its handling.
    pub took: Duration,
}

/// Name for a press, a choice or a modal that a call in progress had waited for.
pub const AWAITED: &str = "(awaited)";

/// The kind of interaction that triggered a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// A slash command.
    Slash,
    /// An entry in a user's context menu.
    User,
    /// An entry in a message's context menu.
    Message,
    /// A text command.
    Text,
    /// Suggestions for an option while a user types.
    Autocomplete,
    /// A button or a select menu.
    Component,
    /// A modal.
    Modal,
}

impl Trigger {
    /// Returns its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Slash => "slash",
            Self::User => "user",
            Self::Message => "message",
            Self::Text => "text",
            Self::Autocomplete => "autocomplete",
            Self::Component => "component",
            Self::Modal => "modal",
        }
    }
}

/// How a call ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Without an error.
    #[default]
    Ok,
    /// With an error.
    Error,
    /// With the reason for a refusal: a [`Refusal`], a missing permission, a cooldown or an invalid argument.
    Refused,
    /// With a panic.
    Panic,
}

impl Outcome {
    /// Returns its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Error => "error",
            Self::Refused => "refused",
            Self::Panic => "panic",
        }
    }

    pub(crate) fn of(error: &Error) -> Self {
        if Refusal::is(error) { Self::Refused } else { Self::Error }
    }
}

/// Why a user's interaction was not handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unhandled {
    /// The bot is about to exit.
    Closing,
    /// No live plugin defines the command.
    UnknownCommand,
    /// No live plugin has registered a handler for the component or modal, and no collector and no other process of the
    /// same application has acknowledged it in time.
    UnknownComponent,
}

impl Unhandled {
    /// Returns its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closing => "closing",
            Self::UnknownCommand => "unknown_command",
            Self::UnknownComponent => "unknown_component",
        }
    }
}
