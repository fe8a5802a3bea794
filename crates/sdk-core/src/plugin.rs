//! The plugin trait, and the one symbol by which a built plugin is found.

use std::fmt;

use serenity::all::GatewayIntents;
use serenity::async_trait;

use crate::database::{Migration, PersonalData};
use crate::offers::Services;
use crate::server::SettingDeclaration;
use crate::state::StateSlot;
use crate::{Command, Data, Dependency, Error, FrameworkOptions, PluginId, Subscriptions};

/// Identifies a build of this crate: compiler, profile, features and sources, hashed by the build script.
///
/// A plugin carries the value it was compiled against. A host loads only plugins whose value equals its own.
pub const FINGERPRINT: &str = env!("SDK_FINGERPRINT");

/// One crate under `commands/` or `events/`: its commands, subscriptions and lifecycle hooks.
///
/// Every method has a default, so a plugin implements only what it has. A new instance is created for each generation.
/// Data that must outlive it is its [`state`](Self::state) or belongs to the host ([`Data::store`],
/// [`Data::schedule`]).
#[async_trait]
pub trait Plugin: Send + Sync + 'static {
    /// Returns the plugins and services that this one needs, or uses if they are live.
    ///
    /// It starts after them, and is reloaded with them.
    fn dependencies(&self) -> Vec<Dependency> {
        Vec::new()
    }

    /// Returns its commands, created by `#[poise::command]` functions.
    fn commands(&self) -> Vec<Command> {
        Vec::new()
    }

    /// Changes poise's options for this plugin's commands. `options` holds the host's defaults.
    ///
    /// Its `commands` are added to those of [`commands`](Self::commands). Fields that would replace something shared by
    /// all plugins (owners, the edit tracker) are refused when the plugin is loaded. `docs/poise.md` describes each
    /// field.
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

    /// Returns the gateway intents that commands and handlers need beyond those that their subscriptions imply.
    ///
    /// An event's own intent comes with its subscription; `MESSAGE_CONTENT` and cached guild data do not.
    fn intents(&self) -> GatewayIntents {
        GatewayIntents::empty()
    }

    /// Declares the state that is kept over reloads and restarts: `Some(StateSlot::of::<Polls>())`.
    ///
    /// Commands and handlers access it with [`Data::state`].
    fn state(&self) -> Option<StateSlot> {
        None
    }

    /// Returns the settings that each server can change: `vec![CHANNEL.declaration()]`; see
    /// [`ServerSetting`](crate::server::ServerSetting).
    ///
    /// Commands and handlers read them with [`Data::server`].
    fn server_settings(&self) -> Vec<SettingDeclaration> {
        Vec::new()
    }

    /// Returns whether no server can switch the plugin or one of its commands off.
    fn is_always_on(&self) -> bool {
        false
    }

    /// Returns the migrations of its tables: `sdk::migrations!["0001_cases"]`.
    ///
    /// Those that were not run yet are run before [`start`](Self::start), in one transaction. An error keeps the old
    /// generation live. One that was run must not be edited: a change is a new migration.
    fn migrations(&self) -> &'static [Migration] {
        &[]
    }

    /// Returns what its tables have about users and guilds, which the host exports and erases for them. Documents need no
    /// declaration.
    fn personal_data(&self) -> &'static [PersonalData] {
        &[]
    }

    /// Runs before the generation goes live. An error or a panic keeps the old generation live.
    async fn start(&self, data: &Data) -> Result<(), Error> {
        let _ = data;
        Ok(())
    }

    /// Runs after the generation has left the live snapshot. Spawned tasks are cancelled afterwards.
    async fn stop(&self, data: &Data) -> Result<(), Error> {
        let _ = data;
        Ok(())
    }
}

/// A plugin's name, version and dependencies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Folder of the plugin in the workspace.
    pub id: PluginId,
    /// Version from the crate's Cargo.toml.
    pub version: String,
    /// One sentence from the crate's Cargo.toml; empty if there is none.
    pub description: String,
    /// Plugins and services that it needs or uses.
    pub dependencies: Vec<Dependency>,
}

/// The only export of a plugin crate: its name, what it was built with, and how an instance is created.
///
/// The layout is fixed (`repr(C)`, the magic first), so that a host can refuse a foreign library by reading only its
/// first two fields.
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

    /// Describes a plugin. Called only by [`export!`](crate::export).
    #[doc(hidden)]
    pub const fn new(
        package: &'static str,
        version: &'static str,
        description: &'static str,
        make: fn() -> Box<dyn Plugin>,
    ) -> Self {
        Self { magic: Self::MAGIC, fingerprint: FINGERPRINT, package, version, description, make }
    }

    /// Returns whether this is an entry at all. Any library may export a symbol of that name.
    pub fn has_magic(&self) -> bool {
        self.magic == Self::MAGIC
    }

    /// Returns the [`FINGERPRINT`] that the plugin was compiled with.
    pub fn fingerprint(&self) -> &'static str {
        self.fingerprint
    }

    /// Returns the plugin's id, from its package name.
    pub fn id(&self) -> PluginId {
        PluginId::from_package(self.package)
    }

    /// Creates a new instance of the plugin.
    pub fn instance(&self) -> Box<dyn Plugin> {
        (self.make)()
    }

    /// Returns the manifest of `instance`, which must come from this entry.
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

/// Exports a plugin: `sdk::export!(General);`, where the argument is an expression that creates an instance.
///
/// It defines `PLUGIN`, which the static list names, under a unique symbol, which a host looks up in a built library.
#[macro_export]
macro_rules! export {
    ($instance:expr) => {
        /// The entry of this plugin, found by the host.
        #[allow(unsafe_code)]
        // SAFETY: the name contains the crate's own name, so no other symbol of the program has it.
        #[unsafe(export_name = concat!("hotcord_plugin_", env!("CARGO_CRATE_NAME")))]
        pub static PLUGIN: $crate::PluginEntry = $crate::PluginEntry::new(
            env!("CARGO_PKG_NAME"),
            env!("CARGO_PKG_VERSION"),
            env!("CARGO_PKG_DESCRIPTION"),
            || ::std::boxed::Box::new($instance),
        );
    };
}
