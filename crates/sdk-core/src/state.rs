//! A plugin's state: typed within a generation, data between generations.
//!
//! # Theory of operation
//!
//! A plugin names its state's type once, in [`Plugin::state`](crate::Plugin::state). Each generation holds a value of
//! that type in a `StateCell`, which only that generation's own code creates, reads, changes and drops. Types of the
//! same name in two generations are two types, so the value itself never leaves its generation, and only the code that
//! created it downcasts it. What is transferred is [`SavedState`], a version and JSON.
//!
//! Before a generation is live, its state can be read but not changed. From the moment in which it is saved for the
//! next generation, it cannot be changed any more: a change that would be lost is refused instead.

use std::any::{Any, type_name};
use std::fmt;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
pub use serde_json::Value;

use crate::changes::Changes;
use crate::{Error, PluginId};

/// Longest wait for the lock. Only a nested use takes that long.
const LOCKED_WITHIN: Duration = Duration::from_secs(2);

/// Maximum size in bytes of a plugin's state as JSON, and of its [store](crate::store).
///
/// A state is saved and restored while calls wait, for which Discord allows 3 s in all. The store refuses larger
/// values. A state is the plugin's own value, so a plugin has to limit what users can add to it, and tell them.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;

/// A plugin's state, kept over every reload and over restarts.
///
/// A new field needs `#[serde(default)]`. A change that serde cannot handle needs a higher [`VERSION`](Self::VERSION)
/// and a [`migrate`](Self::migrate).
pub trait State: Serialize + DeserializeOwned + Default + Send + 'static {
    /// Version of the type's format.
    const VERSION: u32 = 1;

    /// Creates a value from one saved by another version, older or newer.
    ///
    /// # Errors
    /// If that is not possible, which is the default. The reload is then refused, or starts with the default, as
    /// configured.
    fn migrate(from_version: u32, value: Value) -> Result<Self, Error> {
        drop(value);
        Err(format!(
            "{} has version {} and no migration from version {from_version}",
            short_name::<Self>(),
            Self::VERSION
        )
        .into())
    }
}

/// A state as transferred between generations, or stored in a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedState {
    /// Version of the format.
    pub version: u32,
    /// The value.
    pub value: Value,
}

impl SavedState {
    /// Returns the size of the value as JSON, in bytes.
    pub fn bytes(&self) -> usize {
        json_bytes(&self.value)
    }
}

/// Returns the size of a value as JSON, in bytes.
pub(crate) fn json_bytes(value: &Value) -> usize {
    struct Count(usize);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // Neither counting nor writing JSON as text can fail.
    let _ = serde_json::to_writer(&mut count, value);
    count.0
}

/// Deserialises a value as `T`. An error names the place in the value, for example `ballots.7.votes`.
///
/// # Errors
/// If the value has another shape.
pub fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, Error> {
    serde_path_to_error::deserialize::<Value, T>(value).map_err(|error| misfit(&error))
}

fn misfit(error: &serde_path_to_error::Error<serde_json::Error>) -> Error {
    let path = error.path().to_string();
    // A single dot stands for the whole value.
    if path == "." { error.inner().to_string() } else { format!("{path}: {}", error.inner()) }.into()
}

/// A plugin's declaration of its state: `StateSlot::of::<Polls>()`.
#[derive(Clone, Copy)]
pub struct StateSlot {
    name: &'static str,
    version: u32,
    preserved: bool,
    make: fn() -> Box<dyn Any + Send>,
    save: fn(&(dyn Any + Send)) -> Result<Value, Error>,
    restore: fn(SavedState) -> Result<Box<dyn Any + Send>, Error>,
}

impl StateSlot {
    /// Declares that the plugin keeps a value of type `S`.
    pub fn of<S: State>() -> Self {
        Self {
            name: short_name::<S>(),
            version: S::VERSION,
            preserved: true,
            make: || Box::new(S::default()),
            save: |value| match value.downcast_ref::<S>() {
                Some(value) => Ok(serde_json::to_value(value)?),
                None => Err(foreign()),
            },
            restore: |saved| {
                let value = if saved.version == S::VERSION {
                    from_value::<S>(saved.value)?
                } else {
                    S::migrate(saved.version, saved.value)?
                };
                Ok(Box::new(value))
            },
        }
    }

    /// Makes every generation, and every start of the bot, begin with the default.
    #[must_use]
    pub fn not_preserved(mut self) -> Self {
        self.preserved = false;
        self
    }

    /// Returns the version of the format.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Returns whether the state is transferred from one generation to the next.
    pub fn is_preserved(&self) -> bool {
        self.preserved
    }
}

impl fmt::Debug for StateSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, version, preserved, .. } = self;
        write!(f, "StateSlot({name}, version {version}, preserved {preserved})")
    }
}

fn foreign() -> Error {
    "the value is of another type than its slot".into()
}

/// Returns a type's name without its modules.
fn short_name<S>() -> &'static str {
    let name = type_name::<S>();
    name.rsplit("::").next().unwrap_or(name)
}

/// The state has been transferred to the next generation, or is about to be. The change was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateMoved;

impl fmt::Display for StateMoved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "The bot's code was replaced while this ran, so it could not be finished. Please try again.",
        )
    }
}

impl std::error::Error for StateMoved {}

/// Why a plugin's state could not be saved, restored or reset.
///
/// Its source is the error of the plugin's code, or [`Panicked`](crate::panics::Panicked).
#[derive(Debug)]
pub struct StateError {
    plugin: PluginId,
    kind: StateErrorKind,
    source: Option<Error>,
}

/// What could not be done with a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StateErrorKind {
    /// The plugin declares no state.
    Undeclared,
    /// The state cannot be serialised.
    Save {
        /// Generation whose state it is.
        generation: u64,
        /// Version of its format.
        version: u32,
    },
    /// A state of the same version does not fit the type.
    Restore {
        /// That version.
        version: u32,
    },
    /// A state of another version cannot be migrated.
    Migrate {
        /// Version of the saved state.
        from: u32,
        /// Version of the code.
        to: u32,
    },
    /// The default cannot be created.
    Default,
}

impl StateError {
    /// Returns an error of a plugin's code.
    pub(crate) fn new(plugin: &PluginId, kind: StateErrorKind, source: Error) -> Self {
        Self { plugin: plugin.clone(), kind, source: Some(source) }
    }

    /// Returns the error of a plugin that declares no state.
    pub(crate) fn undeclared(plugin: &PluginId) -> Self {
        Self { plugin: plugin.clone(), kind: StateErrorKind::Undeclared, source: None }
    }

    /// Returns the plugin whose state it is.
    pub fn plugin(&self) -> &PluginId {
        &self.plugin
    }

    /// Returns what could not be done.
    pub fn kind(&self) -> StateErrorKind {
        self.kind
    }
}

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plugin = &self.plugin;
        match self.kind {
            StateErrorKind::Undeclared => write!(f, "{plugin} declares no state"),
            StateErrorKind::Save { generation, version } => {
                write!(f, "the state of {plugin} {generation} (version {version}) cannot be saved")
            }
            StateErrorKind::Restore { version } => {
                write!(f, "the state of {plugin} (version {version}) does not fit the new code")
            }
            StateErrorKind::Migrate { from, to } => {
                write!(f, "the state of {plugin} cannot be migrated from version {from} to {to}")
            }
            StateErrorKind::Default => write!(f, "the default state of {plugin} cannot be made"),
        }?;
        self.source.as_ref().map_or(Ok(()), |source| write!(f, ": {source}"))
    }
}

impl std::error::Error for StateError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}

/// The phase of a cell, which determines whether its value can be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Phase {
    /// Its generation is not live yet.
    Starting,
    /// Its generation is live.
    Live,
    /// It has been, or is being, saved for another generation.
    Moved,
}

/// The typed value of one generation.
pub(crate) struct StateCell {
    slot: StateSlot,
    phase: AtomicU8,
    value: Mutex<Box<dyn Any + Send>>,
}

impl StateCell {
    /// Creates a cell with the default. Runs the plugin's code, which may panic.
    pub(crate) fn new(slot: StateSlot) -> Self {
        Self { slot, phase: AtomicU8::new(Phase::Starting as u8), value: Mutex::new((slot.make)()) }
    }

    pub(crate) fn slot(&self) -> &StateSlot {
        &self.slot
    }

    pub(crate) fn set_phase(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::SeqCst);
    }

    /// Saves the value. Runs the plugin's code, which may panic.
    ///
    /// A change that began before the phase was set to [`Phase::Moved`] is included.
    pub(crate) fn save(&self) -> Result<SavedState, Error> {
        let value = (self.slot.save)(&**self.lock()?)?;
        Ok(SavedState { version: self.slot.version, value })
    }

    /// Replaces the value by a saved one. Runs the plugin's code, which may panic.
    pub(crate) fn restore(&self, saved: SavedState) -> Result<(), Error> {
        let value = (self.slot.restore)(saved)?;
        *self.lock()? = value;
        Ok(())
    }

    /// Resets the value to the default. Runs the plugin's code, which may panic.
    pub(crate) fn reset(&self) -> Result<(), Error> {
        let value = (self.slot.make)();
        *self.lock()? = value;
        Ok(())
    }

    fn lock(&self) -> Result<MutexGuard<'_, Box<dyn Any + Send>>, Error> {
        self.value.try_lock_for(LOCKED_WITHIN).ok_or_else(|| {
            format!(
                "the state {} has been in use for {} s; is it used inside of another use of it?",
                self.slot.name,
                LOCKED_WITHIN.as_secs()
            )
            .into()
        })
    }

    fn lock_to_change(&self) -> Result<MutexGuard<'_, Box<dyn Any + Send>>, Error> {
        let value = self.lock()?;
        match self.phase.load(Ordering::SeqCst) {
            phase if phase == Phase::Live as u8 => Ok(value),
            phase if phase == Phase::Starting as u8 => Err(format!(
                "the state {} can be changed once the plugin is live, not in its start hook",
                self.slot.name
            )
            .into()),
            _ => Err(StateMoved.into()),
        }
    }
}

/// A plugin's handle to its state, from [`Data::state`](crate::Data::state).
pub struct StateHandle<'a, S> {
    plugin: &'a PluginId,
    cell: Option<&'a StateCell>,
    changes: &'a Changes,
    of: PhantomData<fn() -> S>,
}

impl<'a, S: State> StateHandle<'a, S> {
    /// Creates the handle of `plugin`. `cell` is `None` if it declares no state.
    pub(crate) fn new(plugin: &'a PluginId, cell: Option<&'a StateCell>, changes: &'a Changes) -> Self {
        Self { plugin, cell, changes, of: PhantomData }
    }

    /// Reads the state. It cannot change meanwhile, so keep `look` short.
    ///
    /// # Errors
    /// If the plugin has declared no state, or one of another type.
    pub fn read<R>(&self, look: impl FnOnce(&S) -> R) -> Result<R, Error> {
        let value = self.cell()?.lock()?;
        value.downcast_ref().map(look).ok_or_else(|| self.mistaken())
    }

    /// Changes the state in one step, of which no other caller sees an intermediate result. Keep `change` short.
    ///
    /// # Errors
    /// As [`read`](Self::read); in a `start` hook; and [`StateMoved`] if the state has been transferred to the next
    /// generation, so that the change would be lost.
    pub fn update<R>(&self, change: impl FnOnce(&mut S) -> R) -> Result<R, Error> {
        let mut value = self.cell()?.lock_to_change()?;
        let value = value.downcast_mut().ok_or_else(|| self.mistaken())?;
        let result = change(value);
        self.changes.mark();
        Ok(result)
    }

    fn cell(&self) -> Result<&'a StateCell, Error> {
        self.cell.ok_or_else(|| self.mistaken())
    }

    fn mistaken(&self) -> Error {
        mistaken(self.plugin, self.cell, short_name::<S>())
    }
}

fn mistaken(plugin: &PluginId, cell: Option<&StateCell>, asked: &str) -> Error {
    let declared = cell.map_or("none", |cell| cell.slot.name);
    format!("{plugin} asked for the state {asked}, but its Plugin::state declares {declared}").into()
}
