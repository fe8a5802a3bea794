//! What a plugin is, and the one symbol by which a built plugin is found.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serenity::all::GatewayIntents;
use serenity::async_trait;

use crate::services::Services;
use crate::state::StateSlot;
use crate::{Command, Data, Dependency, Error, FrameworkOptions, Subscriptions};

/// Tells builds of this crate apart: compiler, profile, features and sources, hashed by the build script.
///
/// A plugin carries the value it was compiled against; a host loads only plugins whose value equals its own.
pub const FINGERPRINT: &str = env!("SDK_FINGERPRINT");

/// One crate under `commands/` or `events/`: commands, subscriptions and what happens when it comes and goes.
///
/// Every method has a default, so a plugin implements only what it has. A new instance is made for each
/// generation; what must outlive it is its [`state`](Self::state), or belongs to the host ([`Data::store`],
/// [`Data::schedule`]).
#[async_trait]
pub trait Plugin: Send + Sync + 'static {
    /// Plugins and services that this one needs, or uses where they are live.
    ///
    /// It starts after them, and is reloaded when they are.
    fn dependencies(&self) -> Vec<Dependency> {
        Vec::new()
    }

    /// Commands, as `#[poise::command]` functions make them.
    fn commands(&self) -> Vec<Command> {
        Vec::new()
    }

    /// Changes poise's options for this plugin's commands, from what the host has set.
    ///
    /// Its `commands` are added to those of [`commands`](Self::commands). Fields that would make something of the
    /// plugin's own of what is one for all plugins (owners, the edit tracker) are refused when the plugin is loaded.
    /// What each field does here: `docs/poise.md`.
    fn options(&self, options: &mut FrameworkOptions) {
        let _ = options;
    }

    /// Adds listeners, component handlers and timer handlers.
    fn subscriptions(&self, on: &mut Subscriptions) {
        let _ = on;
    }

    /// Offers services to other plugins; see [`services`](crate::services).
    fn services(&self, offer: &mut Services) {
        let _ = offer;
    }

    /// Gateway intents that commands and handlers need beyond those their subscriptions imply.
    ///
    /// An event's own intent comes with its subscription; `MESSAGE_CONTENT` and cached guild data do not.
    fn intents(&self) -> GatewayIntents {
        GatewayIntents::empty()
    }

    /// Declares what is remembered over reloads and restarts: `Some(StateSlot::of::<Polls>())`.
    ///
    /// Commands and handlers reach it with [`Data::state`].
    fn state(&self) -> Option<StateSlot> {
        None
    }

    /// Runs before the generation goes live; an error or a panic here keeps the old generation live.
    async fn start(&self, data: &Data) -> Result<(), Error> {
        let _ = data;
        Ok(())
    }

    /// Runs after the generation has left the live snapshot; spawned tasks are cancelled afterwards.
    async fn stop(&self, data: &Data) -> Result<(), Error> {
        let _ = data;
        Ok(())
    }
}

/// Names a plugin by its folder in the workspace, `commands/general` say.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PluginId(Arc<str>);

impl PluginId {
    /// Makes an id from the folder's path inside the workspace, with forward slashes.
    pub fn new(folder: impl AsRef<str>) -> Self {
        Self(folder.as_ref().into())
    }

    /// Makes the id of a package named `commands-NAME` or `events-NAME`, as plugins in this workspace are.
    ///
    /// Any other package name stands for itself.
    pub fn from_package(package: &str) -> Self {
        for folder in ["commands", "events"] {
            if let Some(name) = package.strip_prefix(folder).and_then(|rest| rest.strip_prefix('-')) {
                return Self(format!("{folder}/{name}").into());
            }
        }
        Self(package.into())
    }

    /// Gives the id as it is written in logs and commands.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Gives the last part, `general` of `commands/general`.
    pub fn short(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }
}

impl fmt::Display for PluginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for PluginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Who a plugin is: name, version, and what it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Folder of the plugin in the workspace.
    pub id: PluginId,
    /// Version from the crate's Cargo.toml.
    pub version: String,
    /// One sentence from the crate's Cargo.toml, empty when there is none.
    pub description: String,
    /// Plugins and services that it needs or uses.
    pub dependencies: Vec<Dependency>,
}

/// The one thing a plugin crate exports: who it is, what it was built with, and how an instance is made.
///
/// The layout is fixed (`repr(C)`, the magic first) so that a host can refuse a foreign library by reading only
/// its first two fields.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct PluginEntry {
    magic: [u8; 16],
    fingerprint: &'static str,
    package: &'static str,
    version: &'static str,
    description: &'static str,
    make: fn() -> Box<dyn Plugin>,
}

impl PluginEntry {
    /// First bytes of every entry.
    pub const MAGIC: [u8; 16] = *b"hotcord plugin 1";

    /// Prefix of the exported symbol's name; the crate's name follows.
    pub const SYMBOL_PREFIX: &'static str = "hotcord_plugin_";

    /// Describes a plugin; called by [`export!`](crate::export) alone.
    #[doc(hidden)]
    pub const fn new(
        package: &'static str,
        version: &'static str,
        description: &'static str,
        make: fn() -> Box<dyn Plugin>,
    ) -> Self {
        Self { magic: Self::MAGIC, fingerprint: FINGERPRINT, package, version, description, make }
    }

    /// Says whether this is an entry at all, which a symbol of the right name need not be.
    pub fn has_magic(&self) -> bool {
        self.magic == Self::MAGIC
    }

    /// Gives the [`FINGERPRINT`] that the plugin was compiled with.
    pub fn fingerprint(&self) -> &'static str {
        self.fingerprint
    }

    /// Gives the plugin's id, from its package name.
    pub fn id(&self) -> PluginId {
        PluginId::from_package(self.package)
    }

    /// Makes a new instance of the plugin.
    pub fn instance(&self) -> Box<dyn Plugin> {
        (self.make)()
    }

    /// Gives the manifest of `instance`, which must come from this entry.
    pub fn manifest(&self, instance: &dyn Plugin) -> Manifest {
        Manifest {
            id: self.id(),
            version: self.version.to_owned(),
            description: self.description.to_owned(),
            dependencies: instance.dependencies(),
        }
    }
}

impl fmt::Debug for PluginEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PluginEntry")
            .field("package", &self.package)
            .field("version", &self.version)
            .field("fingerprint", &self.fingerprint)
            .finish_non_exhaustive()
    }
}

/// Exports a plugin: `sdk::export!(General);`, where the argument is an expression that makes an instance.
///
/// It defines `PLUGIN`, which the static list names, under a symbol of its own, which a host looks up in a
/// built library.
#[macro_export]
macro_rules! export {
    ($instance:expr) => {
        /// This plugin, as the host finds it.
        #[allow(unsafe_code)]
        // SAFETY: the name holds the crate's own name, so no other symbol of the program has it.
        #[unsafe(export_name = concat!("hotcord_plugin_", env!("CARGO_CRATE_NAME")))]
        pub static PLUGIN: $crate::PluginEntry = $crate::PluginEntry::new(
            env!("CARGO_PKG_NAME"),
            env!("CARGO_PKG_VERSION"),
            env!("CARGO_PKG_DESCRIPTION"),
            || ::std::boxed::Box::new($instance),
        );
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_name_tells_the_folder() {
        assert_eq!(PluginId::from_package("commands-general").as_str(), "commands/general");
        assert_eq!(PluginId::from_package("events-mod-log").as_str(), "events/mod-log");
        assert_eq!(PluginId::from_package("other").as_str(), "other");
        assert_eq!(PluginId::from_package("commands-general").short(), "general");
    }
}
