//! Seed files: a world in YAML, as people write it and keep it beside their tests.
//!
//! [`Seed::read`] reads one, `plant` adds its objects to a world, [`export`] writes a world as one, and [`import`] writes
//! what Discord says of a guild as one. Names refer to names. Every mistake has its line and column.

mod apply;
mod bots;
mod channels;
mod community;
mod content;
mod export;
mod file;
mod from_discord;
mod guild;
pub mod import;
mod mistake;
mod names;
mod settings;

use std::path::Path;

use serde_saphyr::{Location, Spanned};

pub(crate) use apply::{Applied, Defaults, plant};
pub use export::{Exported, export};
pub use file::Seed;
pub use mistake::Mistake;

/// Variable with seed files.
const SEED: &str = "SANDBOX_SEED";

/// A text of a seed file, with its place there.
pub(crate) type Name = Spanned<String>;

/// Returns a text that comes from no file.
pub(crate) fn name(text: impl Into<String>) -> Name {
    unplaced(text.into())
}

/// Returns a value that comes from no file.
pub(crate) fn unplaced<T>(value: T) -> Spanned<T> {
    Spanned::new(value, Location::UNKNOWN, Location::UNKNOWN)
}

/// Returns a text with the place of something else.
pub(crate) fn unplaced_at<T>(text: String, place: &Spanned<T>) -> Name {
    Spanned::new(text, place.referenced, place.defined)
}

impl Seed {
    /// Returns a seed of this many guilds with this many text channels each.
    pub fn large(guilds: u32, channels: u32) -> Self {
        let channel = |number: u32| file::Channel::new("text", &format!("channel-{number}"));
        let guild = file::Guild {
            repeat: Some(unplaced(guilds)),
            channels: (1..=channels).map(channel).collect(),
            ..file::Guild::new("Guild")
        };
        Self { guilds: vec![guild], ..Self::default() }
    }

    /// Reads a seed file.
    ///
    /// # Errors
    /// When it cannot be read, or has a mistake.
    pub fn read_file(path: &Path) -> Result<Self, Mistake> {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| Mistake::anywhere(format!("it can't be read: {error}.")).in_file(&file))?;
        Self::read(&text, &file)
    }

    /// Reads the seed files that `SANDBOX_SEED` names, separated as in `PATH`.
    ///
    /// # Errors
    /// When one cannot be read, or has a mistake.
    pub fn of_environment() -> Result<Vec<Self>, Mistake> {
        let paths = std::env::var_os(SEED).unwrap_or_default();
        let named = std::env::split_paths(&paths).filter(|path| !path.as_os_str().is_empty());
        named.map(|path| Self::read_file(&path)).collect()
    }

    /// Returns the seed as YAML.
    ///
    /// # Errors
    /// When it cannot be written, which no seed that was read causes.
    pub fn to_yaml(&self) -> Result<String, String> {
        serde_saphyr::to_string(self).map_err(|error| error.to_string())
    }
}
