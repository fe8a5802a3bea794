//! The socket by which other programs read the status, follow events and send commands.
//!
//! # Protocol
//!
//! The unix socket `.hotcord/control.sock` in the workspace, which only its owner may open. Where that path is too long
//! for a socket, `.hotcord/control.path` names one in the folder for temporary files. Each request is one line of JSON,
//! and so is each reply: `{"ok": ...}`, or `{"error": "a sentence"}`.
//!
//! | request | `ok` |
//! |---|---|
//! | `{"do":"status"}` | a [`Status`](sdk_core::status::Status) |
//! | `{"do":"events","last":20,"follow":true}` | none: every line from here on is a [`Stamped`](sdk_core::bus::Stamped) event |
//! | `{"do":"reload","plugin":"commands/general"}` | [`Outcome`]; without `plugin`, all are reloaded |
//! | `{"do":"watch","on":false}` | a sentence |
//! | `{"do":"rollback","plugin":"commands/general","generation":3}` | a sentence; without `generation`, the one before |
//! | `{"do":"generations"}` | a list of [`PluginLedger`](sdk_core::ledger::PluginLedger)s |
//! | `{"do":"prune"}` | a sentence |
//! | `{"do":"restart","now":false}` | a sentence |
//!
//! A connection may make any number of requests, one after the other. The bot does not wait for a slow reader: it
//! closes the connection and logs that.

use std::path::PathBuf;

use sdk_core::status::Reloaded;
use serde::{Deserialize, Serialize};

mod address;
pub mod client;
mod server;

pub use server::{Server, serve};

/// Most bytes of a request.
const REQUEST: usize = 64 * 1024;

/// A request of another program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// The status.
    Status,
    /// Events, past ones first.
    Events {
        /// Count of past events.
        #[serde(default)]
        last: usize,
        /// Whether future events are wanted too.
        #[serde(default = "yes")]
        follow: bool,
    },
    /// Builds and swaps one plugin, or all, even if no code has changed.
    Reload {
        /// Plugin.
        #[serde(default)]
        plugin: Option<String>,
    },
    /// Makes earlier code of a plugin live again.
    Rollback {
        /// Plugin.
        plugin: String,
        /// Generation that the code was built for. If left out, the generation before the live one.
        #[serde(default)]
        generation: Option<u64>,
    },
    /// The ledger of all generations.
    Generations,
    /// Stops watching, or resumes it.
    Watch {
        /// Whether saves start builds.
        on: bool,
    },
    /// Removes commands from Discord that no live plugin defines any more, without waiting for the end of their grace
    /// period.
    Prune,
    /// Replaces the host by a new process.
    Restart {
        /// Whether the host does not wait for calls in progress.
        #[serde(default)]
        now: bool,
    },
}

/// The result of a reload.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Plugins that were reloaded, with the generations before and after.
    pub reloaded: Vec<Reloaded>,
    /// One sentence for each plugin that was not reloaded.
    pub failed: Vec<String>,
}

/// An answer to a request.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Reply<T> {
    Ok(T),
    Error(String),
}

fn yes() -> bool {
    true
}

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// Another bot has it.
    #[error("another bot of this folder is running; ./dev-env.sh status and its like reach that one")]
    Taken,
    /// It could not be created.
    #[error("{} could not be {action} ({source}); ./dev-env.sh status and its like do not reach this bot", path.display())]
    Io {
        /// The failed action, as a past participle.
        action: &'static str,
        /// File or folder.
        path: PathBuf,
        /// System's reason.
        source: std::io::Error,
    },
}

impl ControlError {
    fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}
