//! What a plugin remembers: typed while a generation lives, data when it goes from one generation to the next.
//!
//! # Theory of operation
//!
//! A plugin names its state's type once, in [`Plugin::state`](crate::Plugin::state). Each generation holds a value of
//! that type in a `StateCell`, made, read, changed and dropped by that generation's own code. Two generations' types of
//! one name are two types, so the value itself never leaves its generation, and nobody but the code that made it
//! downcasts it: what crosses is [`SavedState`], a version and JSON. Before a generation is live its state can be read
//! and not changed, and from the moment in which it is saved for the next one it cannot be changed any more: a change
//! that would be lost is refused instead.

use std::any::{Any, type_name};
use std::fmt;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
pub use serde_json::Value;

use crate::{Data, Error};

/// Longest wait for the lock; only a use inside of another use takes as long.
const LOCKED_WITHIN: Duration = Duration::from_secs(2);

/// Most bytes of JSON that a plugin keeps, in its state and in its [store](crate::store) each.
///
/// A state is saved and restored while calls wait, which Discord does for 3 s in all. The store refuses more; a state is the
/// plugin's own value, so a plugin bounds what users can add to it, and tells them so.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;

/// A plugin's state, kept over every reload and, where the bot has a state file, over restarts.
///
/// A new field wants `#[serde(default)]`. A change that serde cannot bridge wants a higher [`VERSION`](Self::VERSION)
/// and a [`migrate`](Self::migrate).
pub trait State: Serialize + DeserializeOwned + Default + Send + 'static {
    /// Version of the type's shape.
    const VERSION: u32 = 1;

    /// Makes a value of what another version has saved, older or newer.
    ///
    /// # Errors
    /// When that cannot be done, which is the default; the reload is then refused or starts from the default, as
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

/// State as it crosses from one generation to another, or lies in a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedState {
    /// Version of the shape.
    pub version: u32,
    /// The value.
    pub value: Value,
}

impl SavedState {
    /// Measures the value as JSON, in bytes.
    pub fn bytes(&self) -> usize {
        json_bytes(&self.value)
    }
}

/// Measures a value as JSON, in bytes.
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
    // Counting does not fail, and neither does writing JSON as text.
    let _ = serde_json::to_writer(&mut count, value);
    count.0
}

/// Reads a value as `T`; an error names the place in the value, `ballots.7.votes` say.
///
/// # Errors
/// When the value has another shape.
pub fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, Error> {
    serde_path_to_error::deserialize::<Value, T>(value).map_err(|error| misfit(&error))
}

fn misfit(error: &serde_path_to_error::Error<serde_json::Error>) -> Error {
    let path = error.path().to_string();
    // A lone dot stands for the value as a whole.
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

    /// Has every generation, and every start of the bot, begin with the default.
    #[must_use]
    pub fn not_preserved(mut self) -> Self {
        self.preserved = false;
        self
    }

    /// Gives the version of the shape.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Says whether the state goes from one generation to the next.
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

/// Gives a type's name without the modules around it.
fn short_name<S>() -> &'static str {
    let name = type_name::<S>();
    name.rsplit("::").next().unwrap_or(name)
}

/// The state has gone over to the next generation, or is about to; the change was not made.
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

/// Who may change a cell's value.
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
    /// Makes a cell with the default; runs the plugin's code, which may panic.
    pub(crate) fn new(slot: StateSlot) -> Self {
        Self { slot, phase: AtomicU8::new(Phase::Starting as u8), value: Mutex::new((slot.make)()) }
    }

    pub(crate) fn slot(&self) -> &StateSlot {
        &self.slot
    }

    pub(crate) fn set_phase(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::SeqCst);
    }

    /// Saves the value; runs the plugin's code, which may panic.
    ///
    /// A change that began before the phase was set to [`Phase::Moved`] is part of what is saved.
    pub(crate) fn save(&self) -> Result<SavedState, Error> {
        let value = (self.slot.save)(&**self.lock()?)?;
        Ok(SavedState { version: self.slot.version, value })
    }

    /// Replaces the value by what was saved; runs the plugin's code, which may panic.
    pub(crate) fn restore(&self, saved: SavedState) -> Result<(), Error> {
        let value = (self.slot.restore)(saved)?;
        *self.lock()? = value;
        Ok(())
    }

    /// Puts the default back; runs the plugin's code, which may panic.
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

/// A plugin's way to its state, from [`Data::state`].
pub struct StateHandle<'a, S> {
    data: &'a Data,
    of: PhantomData<fn() -> S>,
}

impl<'a, S: State> StateHandle<'a, S> {
    pub(crate) fn new(data: &'a Data) -> Self {
        Self { data, of: PhantomData }
    }

    /// Looks at the state; nobody changes it meanwhile, so keep it short.
    ///
    /// # Errors
    /// When the plugin has declared no state, or one of another type.
    pub fn read<R>(&self, look: impl FnOnce(&S) -> R) -> Result<R, Error> {
        let value = self.cell()?.lock()?;
        value.downcast_ref().map(look).ok_or_else(|| self.mistaken())
    }

    /// Changes the state in one step that no other caller sees half done; keep it short.
    ///
    /// # Errors
    /// As [`read`](Self::read); in a `start` hook; and with [`StateMoved`] when the state has gone over to the next
    /// generation, so that the change would be lost.
    pub fn update<R>(&self, change: impl FnOnce(&mut S) -> R) -> Result<R, Error> {
        let mut value = self.cell()?.lock_to_change()?;
        let value = value.downcast_mut().ok_or_else(|| self.mistaken())?;
        let result = change(value);
        self.data.host().changes().mark();
        Ok(result)
    }

    fn cell(&self) -> Result<&'a StateCell, Error> {
        self.data.state_cell().ok_or_else(|| self.mistaken())
    }

    fn mistaken(&self) -> Error {
        mistaken(self.data, short_name::<S>())
    }
}

fn mistaken(data: &Data, asked: &str) -> Error {
    let declared = data.state_cell().map_or("none", |cell| cell.slot.name);
    format!("{} asked for the state {asked}, but its Plugin::state declares {declared}", data.plugin()).into()
}
