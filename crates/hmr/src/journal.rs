//! The libraries that are live in a host, so that a host that replaces it needs neither cargo nor rustc.
//!
//! # Theory of operation
//!
//! The engine records a plugin's library before it is loaded (`coming`), when it has gone live, and what was live
//! before it as long as it is on probation. After a crash the supervisor reads this and sets aside the libraries that
//! were coming or on probation and are involved in the crash. The next host loads exactly those that the journal then
//! names.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use sdk_core::PluginId;
use sdk_core::status::since_1970;
use serde::{Deserialize, Serialize};

/// Libraries of earlier generations that are kept for a rollback, for each plugin.
const RECENT: usize = 5;

/// A generation by its number and its file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Number of the generation.
    pub generation: u64,
    /// Its library.
    pub library: PathBuf,
}

/// The entry of one plugin.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What is live.
    pub live: Option<Version>,
    /// What was live before it, the newest last. The first of them has passed its probation; the others were replaced
    /// while they were on it.
    #[serde(default)]
    pub before: Vec<Version>,
    /// What is being loaded and started.
    pub coming: Option<Version>,
    /// What was live earlier and may be restored, the oldest first.
    #[serde(default)]
    pub recent: Vec<Version>,
    /// Milliseconds since 1970 until which a crash counts against `live`.
    pub until: u64,
    /// Highest number of any of its generations.
    pub last: u64,
}

impl Entry {
    /// Returns whether a crash at `now` counts against what is live.
    pub fn is_on_probation(&self, now: u64) -> bool {
        self.live.is_some() && !self.before.is_empty() && now < self.until
    }

    /// Keeps what was live for a rollback, and drops the oldest one above [`RECENT`].
    fn remember(&mut self, old: Option<Version>) {
        self.recent.extend(old);
        let surplus = self.recent.len().saturating_sub(RECENT);
        self.recent.drain(..surplus);
    }

    /// Keeps what was live for a rollback after a crash.
    fn go_back_to(&mut self, old: Option<Version>, is_proven: bool) {
        if is_proven {
            self.before.clear();
        }
        self.before.extend(old);
        if self.before.len() > RECENT {
            // The proven one stays, and the newest of the others.
            self.before.remove(1);
        }
    }

    fn versions(&self) -> impl Iterator<Item = &Version> {
        [&self.live, &self.coming].into_iter().flatten().chain(&self.before).chain(&self.recent)
    }
}

/// The plugins of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journal {
    /// Whether the host has ever been ready with these.
    pub ready: bool,
    /// Plugins, including those that are not live.
    pub plugins: BTreeMap<PluginId, Entry>,
}

impl Journal {
    /// Reads a journal. One that is missing or damaged is empty.
    pub fn read(file: &Path) -> Self {
        fs::read(file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
    }

    /// Writes it, as a whole or not at all.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, file: &Path) -> io::Result<()> {
        write_whole(file, &serde_json::to_vec(self).map_err(io::Error::other)?)
    }

    /// Returns the libraries that it names.
    pub fn libraries(&self) -> BTreeSet<PathBuf> {
        self.plugins.values().flat_map(Entry::versions).map(|version| version.library.clone()).collect()
    }
}

/// Writes a file under another name, then moves it into place.
pub(crate) fn write_whole(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = file.with_extension("new");
    fs::write(&beside, bytes)?;
    fs::rename(&beside, file)
}

/// Writes the journal of the running host.
#[derive(Debug, Default)]
pub struct Keeper {
    file: Option<PathBuf>,
    journal: Journal,
}

impl Keeper {
    /// Continues the journal in `file`. Without a file nothing is written.
    pub fn new(file: Option<PathBuf>) -> Self {
        let journal = file.as_deref().map(Journal::read).unwrap_or_default();
        Self { file, journal }
    }

    /// Returns the current journal.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Records plugins that are about to be loaded and started.
    pub fn coming(&mut self, plugins: Vec<(PluginId, Version)>) {
        for (plugin, version) in plugins {
            self.journal.plugins.entry(plugin).or_default().coming = Some(version);
        }
        self.write();
    }

    /// Records that plugins that were coming have not gone live.
    pub fn not_coming(&mut self) {
        for entry in self.journal.plugins.values_mut() {
            entry.coming = None;
        }
        self.write();
    }

    /// Records plugins that have gone live, on probation for `probation`. Returns the files that are not needed any
    /// more.
    ///
    /// A generation without a library of its own is created from the one that was live before it.
    pub fn live(
        &mut self,
        plugins: impl IntoIterator<Item = (PluginId, u64, Option<PathBuf>)>,
        probation: Duration,
    ) -> Vec<PathBuf> {
        let needed_before = self.journal.libraries();
        let now = since_1970();
        for (plugin, generation, library) in plugins {
            let entry = self.journal.plugins.entry(plugin).or_default();
            let was_on_probation = entry.is_on_probation(now);
            entry.coming = None;
            entry.last = entry.last.max(generation);
            if let Some(live) = &mut entry.live
                && library.as_ref().is_none_or(|library| live.library == *library)
            {
                live.generation = generation;
                continue;
            }
            let Some(library) = library else { continue };
            let old = entry.live.replace(Version { generation, library });
            entry.remember(old.clone());
            entry.go_back_to(old, !was_on_probation);
            entry.until = now.saturating_add(u64::try_from(probation.as_millis()).unwrap_or(u64::MAX));
        }
        self.write();
        let needed = self.journal.libraries();
        needed_before.difference(&needed).cloned().collect()
    }

    /// Records that what is live, if it is that generation, is not on probation any more.
    pub fn passed(&mut self, plugin: &PluginId, generation: u64) {
        let Some(entry) = self.journal.plugins.get_mut(plugin) else { return };
        if entry.live.as_ref().is_some_and(|live| live.generation == generation) {
            entry.until = 0;
            self.write();
        }
    }

    /// Records that earlier code is live again, as a new generation.
    ///
    /// Code whose file is gone exists only in memory. The next host then has what was live before.
    pub fn back(&mut self, plugin: &PluginId, generation: u64, library: Option<PathBuf>) {
        let entry = self.journal.plugins.entry(plugin.clone()).or_default();
        entry.last = entry.last.max(generation);
        if let Some(library) = library.filter(|library| library.is_file()) {
            let old = entry.live.replace(Version { generation, library });
            entry.remember(old);
            entry.before.clear();
        }
        self.write();
    }

    /// Records plugins that exist but are not live.
    pub fn left_out(&mut self, plugins: impl IntoIterator<Item = PluginId>) {
        for plugin in plugins {
            self.journal.plugins.entry(plugin).or_default();
        }
        self.write();
    }

    /// Forgets a plugin whose folder is gone.
    pub fn gone(&mut self, plugin: &PluginId) {
        if self.journal.plugins.remove(plugin).is_some() {
            self.write();
        }
    }

    fn write(&self) {
        if let Some(file) = &self.file {
            // Another part of the host records `ready`, which must not be undone.
            let journal = Journal { ready: Journal::read(file).ready, ..self.journal.clone() };
            if let Err(error) = journal.write(file) {
                tracing::warn!(%error, "after a crash the plugins would not come back as they are now");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(generation: u64) -> Version {
        Version { generation, library: format!("/l/{generation}.so").into() }
    }

    #[test]
    fn what_was_good_before_stays_as_long_as_the_new_one_is_on_probation() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("journal.json");
        let plugin = PluginId::new("commands/one");
        let mut keeper = Keeper::new(Some(file.clone()));
        let came = |generation| (plugin.clone(), generation, Some(version(generation).library));
        keeper.coming(vec![(plugin.clone(), version(1))]);
        assert_eq!(Journal::read(&file).plugins[&plugin].coming, Some(version(1)));
        assert_eq!(keeper.live([came(1)], Duration::from_mins(1)), Vec::<PathBuf>::new());
        assert!(
            !keeper.journal().plugins[&plugin].is_on_probation(since_1970()),
            "there is nothing to go back to"
        );
        keeper.live([came(2)], Duration::from_mins(1));
        let entry = keeper.journal().plugins[&plugin].clone();
        assert!(entry.is_on_probation(since_1970()) && !entry.is_on_probation(since_1970() + 61_000));
        // A third one while the second is on probation: a rollback goes through the second to the first.
        keeper.live([came(3)], Duration::from_mins(1));
        assert_eq!(keeper.journal().plugins[&plugin].before, [version(1), version(2)]);
        assert_eq!(Journal::read(&file), *keeper.journal());
        // Without a probation each is proven once it is live. Of the earlier ones, the last few are kept.
        for generation in 4..=8 {
            assert_eq!(keeper.live([came(generation)], Duration::ZERO).len(), usize::from(generation > 6));
        }
        let entry = &Journal::read(&file).plugins[&plugin];
        assert_eq!((entry.live.clone(), entry.last), (Some(version(8)), 8));
        assert!(!keeper.journal().libraries().contains(Path::new("/l/2.so")));
    }

    #[test]
    fn calls_that_were_stood_end_a_probation_before_its_time() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("journal.json");
        let mut keeper = Keeper::new(Some(file.clone()));
        let plugin = PluginId::new("commands/one");
        let version = |generation: u64| Version { generation, library: format!("/l/{generation}.so").into() };
        for generation in 1..=2 {
            keeper.live(
                [(plugin.clone(), generation, Some(version(generation).library))],
                Duration::from_mins(1),
            );
        }
        let is_on_probation = || Journal::read(&file).plugins[&plugin].is_on_probation(since_1970());
        keeper.passed(&plugin, 1);
        keeper.passed(&PluginId::new("commands/other"), 2);
        assert!(is_on_probation(), "it was another one");
        keeper.passed(&plugin, 2);
        assert!(!is_on_probation());
        // So a crash of the next one restores it.
        keeper.live([(plugin.clone(), 3, Some(version(3).library))], Duration::from_mins(1));
        assert!(is_on_probation());
        assert_eq!(Journal::read(&file).plugins[&plugin].before, [version(2)]);
    }

    #[test]
    fn a_damaged_journal_is_an_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("journal.json");
        fs::write(&file, "{\"ready\":tr").unwrap();
        assert_eq!(Journal::read(&file), Journal::default());
    }
}
