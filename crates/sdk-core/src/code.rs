//! The code of a plugin, linked or loaded.

use crate::PluginEntry;
use crate::services::Linked;

/// Code of a plugin, from which any number of generations can be created. It stays mapped for the life of the process.
#[derive(Clone, Debug)]
pub struct Code {
    pub(crate) entry: PluginEntry,
    pub(crate) linked: Linked,
    pub(crate) of: u64,
}

impl Code {
    /// Returns the number of the generation that it was built for.
    pub fn of(&self) -> u64 {
        self.of
    }

    /// Returns what its library was linked from.
    pub fn linked(&self) -> &Linked {
        &self.linked
    }
}
