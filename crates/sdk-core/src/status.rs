//! The bot's status as data: the same for the terminal, Discord and other programs.

use std::fmt;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::PluginId;
pub use crate::bus::LastFailure;
pub use crate::clock::{milliseconds, since_1970};
use crate::definition::CommandKey;

mod display;

/// The status of a running bot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The process and its session.
    pub host: HostStatus,
    /// Watching and building.
    pub reload: ReloadStatus,
    /// Live generations, by plugin.
    pub live: Vec<GenerationStatus>,
    /// Retired generations in which something still runs, or that are still referenced.
    pub retired: Vec<GenerationStatus>,
    /// Why newest saves are not live.
    pub failures: Vec<LastFailure>,
    /// Commands created within the last day, by scope. Empty before the first registration.
    #[serde(default)]
    pub creations: Vec<Creations>,
    /// Registered commands that no live plugin defines any more.
    #[serde(default)]
    pub withdrawn: Vec<Withdrawn>,
}

/// The process and its session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostStatus {
    /// Process id.
    pub pid: u32,
    /// Version of the bot.
    pub version: String,
    /// Mode, as `APP_ENV` names it.
    pub environment: String,
    /// Milliseconds since the host began.
    pub uptime_ms: u64,
    /// Bytes of memory that are private to the process, if the system reports them.
    pub memory_bytes: Option<u64>,
    /// Gateway sessions, by shard.
    pub sessions: Vec<SessionStatus>,
    /// Database that keeps values over a restart, without its password.
    #[serde(default)]
    pub database: Option<String>,
    /// A description of the music library.
    #[serde(default)]
    pub library: String,
    /// A description of yt-dlp and its JavaScript runtime.
    #[serde(default)]
    pub yt_dlp: String,
}

/// One shard's gateway session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionStatus {
    /// Number of the shard, from 0.
    pub shard: u32,
    /// `connected`, or the current stage.
    pub stage: String,
    /// Milliseconds from a heartbeat to its answer.
    pub latency_ms: Option<u64>,
}

/// Watching and building.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReloadStatus {
    /// Whether this bot can reload at all.
    pub on: bool,
    /// Whether saves start builds now.
    pub watching: bool,
    /// Watched folders, relative to the workspace.
    pub folders: Vec<String>,
    /// Milliseconds between two scans of them; `None` if the system reports changes.
    #[serde(default)]
    pub poll_ms: Option<u64>,
    /// Plugins being built, grouped by those that go live together.
    pub building: Vec<Vec<PluginId>>,
    /// Plugins that are held back until a save fixes one of their group.
    pub held: Vec<Vec<PluginId>>,
    /// Changed files that take effect only after a restart.
    pub awaiting_restart: Vec<String>,
    /// Why cargo is rebuilding what the host links, and how to avoid it, while it does so because of a plugin's
    /// dependency.
    #[serde(default)]
    pub rebuilding: Option<String>,
}

/// One generation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GenerationStatus {
    /// Plugin.
    pub plugin: PluginId,
    /// Number, from 1.
    pub generation: u64,
    /// Version of the plugin.
    pub version: String,
    /// Milliseconds since it was created.
    pub age_ms: u64,
    /// Number of calls in progress.
    pub calls: usize,
    /// Running tasks, each with the location of its spawn, and hooks that have not ended.
    pub tasks: Vec<String>,
    /// Number of commands that it defines.
    pub commands: usize,
    /// Number of handlers of events, components, modals and timers.
    pub listeners: usize,
    /// Bytes of memory of its library, if known.
    pub memory_bytes: Option<u64>,
}

/// Commands created within the last day. Discord limits their number in each guild.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Creations {
    /// Scope in which they are registered: `guild 41771983423143937` or `global`.
    pub scope: String,
    /// Number within the last 24 hours, as far as created by this bot.
    pub used: usize,
    /// Number that Discord allows.
    pub limit: usize,
    /// Milliseconds until another creation is possible, if none is now.
    pub possible_in_ms: Option<u64>,
}

/// The record from which [`Creations`] are computed, kept by the code that registers commands.
#[derive(Clone, Debug, Default)]
pub struct CreationAccount {
    /// Scope in which they are registered.
    pub scope: String,
    /// Number that Discord allows per day.
    pub limit: usize,
    /// When each was created, in milliseconds since 1970.
    pub made: Vec<u64>,
    /// Until when Discord refuses creations, by its own answer.
    pub closed_until: Option<SystemTime>,
}

impl CreationAccount {
    const DAY_MS: u64 = 24 * 60 * 60 * 1000;

    /// Returns the times of those created within the last day.
    pub fn made_today(&self) -> impl Iterator<Item = u64> {
        let day_ago = since_1970().saturating_sub(Self::DAY_MS);
        self.made.iter().copied().filter(move |at| *at > day_ago)
    }

    /// Returns the time until Discord accepts a creation again, if it has refused one.
    pub fn closed_for(&self) -> Option<Duration> {
        self.closed_until?.duration_since(SystemTime::now()).ok()
    }

    /// Returns the current status.
    pub fn now(&self) -> Creations {
        Creations {
            scope: self.scope.clone(),
            used: self.made_today().count(),
            limit: self.limit,
            possible_in_ms: self.closed_for().map(milliseconds),
        }
    }
}

/// A command that stays registered for a while although no live plugin defines it any more. If it comes back meanwhile,
/// that is not a creation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawn {
    /// Command, as in `/ping`.
    pub command: String,
    /// Scope in which it is registered, as in [`Creations::scope`].
    pub scope: String,
    /// Milliseconds until it is removed, if it only waits for a time.
    pub removed_in_ms: Option<u64>,
    /// A description of what else it waits for.
    pub waits_for: Option<String>,
}

/// The record from which [`Withdrawn`] is computed, kept by the code that registers commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WithdrawnCommand {
    /// Command.
    pub key: CommandKey,
    /// Scope in which it is registered.
    pub scope: String,
    /// Earliest time of its removal, in milliseconds since 1970.
    pub due: u64,
    /// A description of what else its removal waits for.
    pub waits_for: Option<&'static str>,
}

impl WithdrawnCommand {
    /// Returns the current status.
    pub fn now(&self) -> Withdrawn {
        let left = self.due.saturating_sub(since_1970());
        Withdrawn {
            command: self.key.to_string(),
            scope: self.scope.clone(),
            removed_in_ms: self.waits_for.is_none().then_some(left),
            waits_for: self.waits_for.map(str::to_owned),
        }
    }
}

/// A plugin that was reloaded by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reloaded {
    /// Plugin.
    pub plugin: PluginId,
    /// Generation that was live before.
    pub from: Option<u64>,
    /// Generation that is live now.
    pub to: Option<u64>,
    /// Version of the plugin before.
    pub from_version: Option<String>,
    /// Version of the plugin now.
    pub to_version: Option<String>,
    /// Milliseconds from the request to the swap.
    pub ms: u64,
    /// The result in one line, with what changed.
    pub line: String,
}

impl fmt::Display for Reloaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line)
    }
}
