//! The ledger of generations: when each was live, what still runs in it, and how much memory its code takes.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};

use crate::PluginId;
use crate::clock::milliseconds;
use crate::code::Code;
use crate::generation::{Generation, Stage};

/// Rows kept for each plugin, besides generations in which something still runs.
const KEPT: usize = 64;

/// The number and the code of a generation that was live.
#[derive(Clone, Debug)]
pub struct Former {
    /// Its number.
    pub generation: u64,
    /// Its code.
    pub code: Code,
    /// Whether it was rolled back because it panicked on probation.
    pub is_set_aside: bool,
}

/// The stage of a generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LedgerStage {
    /// It did not go live, and something of it still runs.
    NeverLive,
    /// It is live. A panic restores the code before it.
    Probation,
    /// It is live.
    Live,
    /// It has been replaced, or its plugin has been removed.
    Retired,
    /// It panicked on probation.
    SetAside,
}

/// One generation of a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerRow {
    /// Its number, from 1.
    pub generation: u64,
    /// Generation that its code was built for: its own number, unless the code was restored or instantiated again.
    pub code_of: u64,
    /// Version of the plugin.
    pub version: String,
    /// Its stage.
    pub stage: LedgerStage,
    /// When it was created, in milliseconds since 1970.
    pub made_at: u64,
    /// When it went live, in milliseconds since 1970.
    pub live_at: Option<u64>,
    /// When it was retired, in milliseconds since 1970.
    pub retired_at: Option<u64>,
    /// Milliseconds for which it has been live.
    pub live_ms: u64,
    /// Its last error.
    pub error: Option<String>,
    /// Calls in progress, each with its age.
    pub calls: Vec<String>,
    /// Running tasks, each with the location of its spawn.
    pub tasks: Vec<String>,
    /// Hooks that have not ended, each with its age.
    pub hooks: Vec<String>,
    /// Handlers of events, components, modals and timers.
    pub listeners: usize,
    /// Bytes of address space of the library with its code, if known.
    pub mapped_bytes: Option<u64>,
    /// Bytes of these that are in memory and private to this process.
    pub private_bytes: Option<u64>,
}

/// The sum of the rows that are no longer kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Older {
    /// Number of generations.
    pub generations: u64,
    /// Bytes of address space of their libraries.
    pub mapped_bytes: u64,
    /// Bytes of these that are in memory and private to this process.
    pub private_bytes: u64,
}

/// All generations of a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginLedger {
    /// Plugin.
    pub plugin: PluginId,
    /// Its generations, the newest first.
    pub rows: Vec<LedgerRow>,
    /// The sum of older generations.
    pub older: Older,
}

/// Memory of a library.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Bytes of address space.
    pub mapped: u64,
    /// Bytes of these that are in memory and private to this process.
    pub private: u64,
}

#[derive(Default)]
pub(crate) struct Ledger {
    plugins: BTreeMap<PluginId, Account>,
}

#[derive(Default)]
struct Account {
    last: u64,
    /// The last one is the newest.
    entries: VecDeque<Entry>,
    older: Older,
}

struct Entry {
    number: u64,
    code: Code,
    generation: Weak<Generation>,
    version: String,
    listeners: usize,
    made: Moment,
    live: Option<Moment>,
    retired: Option<Moment>,
    is_set_aside: bool,
    error: Option<String>,
    /// Memory of its own library; `None` if its code belongs to another row.
    memory: Option<Memory>,
}

/// A time by the wall clock, for people, and by the monotonic clock, for durations.
#[derive(Clone, Copy)]
struct Moment {
    wall: u64,
    steady: Instant,
}

impl Moment {
    fn ago(span: Duration) -> Self {
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let now = Instant::now();
        Self { wall: milliseconds(wall.saturating_sub(span)), steady: now.checked_sub(span).unwrap_or(now) }
    }
}

impl Entry {
    fn of(generation: &Arc<Generation>) -> Self {
        Self {
            number: generation.number(),
            code: generation.code().clone(),
            generation: Arc::downgrade(generation),
            version: generation.manifest().version.clone(),
            listeners: generation.subscriptions().len(),
            made: Moment::ago(generation.age()),
            live: None,
            retired: None,
            is_set_aside: false,
            error: None,
            memory: None,
        }
    }

    fn is(&self, generation: &Arc<Generation>) -> bool {
        self.generation.as_ptr() == Arc::as_ptr(generation)
    }

    fn is_live(&self) -> bool {
        self.live.is_some() && self.retired.is_none()
    }

    fn stage(&self, generation: Option<&Arc<Generation>>) -> LedgerStage {
        match generation {
            _ if self.is_set_aside => LedgerStage::SetAside,
            _ if self.live.is_none() => LedgerStage::NeverLive,
            _ if self.retired.is_some() => LedgerStage::Retired,
            Some(generation) if generation.probation().is_on() => LedgerStage::Probation,
            _ => LedgerStage::Live,
        }
    }

    fn row(&self, memory: Option<Memory>) -> LedgerRow {
        let generation = self.generation.upgrade();
        let live = self.live.map_or(Duration::ZERO, |live| {
            let until = self.retired.map_or_else(Instant::now, |retired| retired.steady);
            until.saturating_duration_since(live.steady)
        });
        LedgerRow {
            generation: self.number,
            code_of: self.code.of,
            version: self.version.clone(),
            stage: self.stage(generation.as_ref()),
            made_at: self.made.wall,
            live_at: self.live.map(|live| live.wall),
            retired_at: self.retired.map(|retired| retired.wall),
            live_ms: milliseconds(live),
            error: self.error.clone(),
            calls: generation.iter().flat_map(|one| one.calls()).map(|call| call.to_string()).collect(),
            tasks: generation.iter().flat_map(|one| one.tasks()).map(|task| task.to_string()).collect(),
            hooks: generation.iter().flat_map(|one| one.hooks()).map(|hook| hook.to_string()).collect(),
            listeners: self.listeners,
            mapped_bytes: memory.map(|memory| memory.mapped),
            private_bytes: memory.map(|memory| memory.private),
        }
    }
}

impl Account {
    fn entry(&mut self, generation: &Arc<Generation>) -> &mut Entry {
        let place = self.entries.iter().rposition(|entry| entry.is(generation)).unwrap_or_else(|| {
            self.entries.push_back(Entry::of(generation));
            self.entries.len() - 1
        });
        &mut self.entries[place]
    }

    /// Returns the codes that live generations run.
    fn live_codes(&self) -> impl Iterator<Item = u64> {
        self.entries.iter().filter(|entry| entry.is_live()).map(|entry| entry.code.of)
    }

    /// Sums up the oldest rows in which nothing runs any more.
    fn shorten(&mut self) {
        while self.entries.len() > KEPT {
            let live: Vec<_> = self.live_codes().collect();
            let is_over = |entry: &Entry| {
                !entry.is_live() && entry.generation.strong_count() == 0 && !live.contains(&entry.number)
            };
            let Some(place) = self.entries.iter().position(is_over) else { return };
            let Some(entry) = self.entries.remove(place) else { return };
            let memory = entry.memory.unwrap_or_default();
            self.older.generations += 1;
            self.older.mapped_bytes += memory.mapped;
            self.older.private_bytes += memory.private;
        }
    }
}

impl Ledger {
    pub(crate) fn next_number(&self, plugin: &PluginId) -> u64 {
        self.plugins.get(plugin).map_or(0, |account| account.last) + 1
    }

    pub(crate) fn continue_from(&mut self, plugin: &PluginId, number: u64) {
        let account = self.plugins.entry(plugin.clone()).or_default();
        account.last = account.last.max(number);
    }

    pub(crate) fn went_live(&mut self, generation: &Arc<Generation>) {
        let account = self.plugins.entry(generation.plugin().clone()).or_default();
        account.last = account.last.max(generation.number());
        account.entry(generation).live.get_or_insert_with(|| Moment::ago(Duration::ZERO));
        account.shorten();
    }

    pub(crate) fn was_retired(&mut self, generation: &Arc<Generation>) {
        let account = self.plugins.entry(generation.plugin().clone()).or_default();
        account.entry(generation).retired.get_or_insert_with(|| Moment::ago(Duration::ZERO));
        account.shorten();
    }

    pub(crate) fn note(&mut self, generation: &Arc<Generation>, error: String) {
        self.plugins.entry(generation.plugin().clone()).or_default().entry(generation).error = Some(error);
    }

    pub(crate) fn set_aside(&mut self, plugin: &PluginId, number: u64) {
        let Some(account) = self.plugins.get_mut(plugin) else { return };
        for entry in account.entries.iter_mut().filter(|entry| entry.number == number) {
            entry.is_set_aside = entry.live.is_some();
        }
    }

    pub(crate) fn set_memory(&mut self, plugin: &PluginId, code_of: u64, memory: Memory) {
        let Some(account) = self.plugins.get_mut(plugin) else { return };
        let own = |entry: &&mut Entry| entry.number == code_of && entry.code.of == code_of;
        if let Some(entry) = account.entries.iter_mut().rev().find(own) {
            entry.memory = Some(memory);
        }
    }

    /// Returns the private bytes of code that no live generation runs.
    pub(crate) fn retired_bytes(&self) -> u64 {
        let of = |account: &Account| {
            let live: Vec<_> = account.live_codes().collect();
            let retired = account.entries.iter().filter(|entry| !live.contains(&entry.code.of));
            let bytes: u64 = retired.filter_map(|entry| entry.memory).map(|memory| memory.private).sum();
            account.older.private_bytes + bytes
        };
        self.plugins.values().map(of).sum()
    }

    /// Returns whether a live generation runs that code.
    pub(crate) fn is_code_live(&self, plugin: &PluginId, code_of: u64) -> bool {
        self.plugins.get(plugin).is_some_and(|account| account.live_codes().any(|of| of == code_of))
    }

    /// Returns the generations that were live, the newest first.
    pub(crate) fn formers(&self, plugin: &PluginId) -> Vec<Former> {
        let entries = self.plugins.get(plugin).into_iter().flat_map(|account| account.entries.iter().rev());
        entries
            .filter(|entry| entry.live.is_some())
            .map(|entry| Former {
                generation: entry.number,
                code: entry.code.clone(),
                is_set_aside: entry.is_set_aside,
            })
            .collect()
    }

    /// Returns the generations that are not live but in which something still runs, or that are still referenced.
    pub(crate) fn lingering(&self) -> Vec<Arc<Generation>> {
        self.plugins
            .values()
            .flat_map(|account| &account.entries)
            .filter(|entry| !entry.is_live())
            .filter_map(|entry| entry.generation.upgrade())
            .filter(|generation| generation.stage() != Stage::Live)
            .collect()
    }

    pub(crate) fn tell(&self) -> Vec<PluginLedger> {
        let rows = |account: &Account| {
            let memory: BTreeMap<_, _> =
                account.entries.iter().filter_map(|entry| Some((entry.number, entry.memory?))).collect();
            account.entries.iter().rev().map(|entry| entry.row(memory.get(&entry.code.of).copied())).collect()
        };
        self.plugins
            .iter()
            .map(|(plugin, account)| PluginLedger {
                plugin: plugin.clone(),
                rows: rows(account),
                older: account.older,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Host;
    use crate::registry::Change;
    use crate::services::Linked;
    use crate::settings::Settings;
    use crate::{Plugin, PluginEntry, Subscriptions};

    struct Sample;

    impl Plugin for Sample {
        fn subscriptions(&self, on: &mut Subscriptions) {
            on.component("sample:", |_, _| async { Ok(()) });
        }
    }

    const ENTRY: PluginEntry = PluginEntry::new("commands-sample", "1.2.3", "", || Box::new(Sample));

    struct Bench {
        host: Host,
        plugin: PluginId,
    }

    impl Bench {
        fn new() -> Self {
            Self { host: Host::new("1.0.0", Settings::default()), plugin: PluginId::new("commands/sample") }
        }

        fn install(&self, generation: Arc<Generation>) -> u64 {
            let number = generation.number();
            let change = Change { install: vec![generation], remove: Vec::new() };
            assert!(self.host.registry().swap(change).is_ok());
            number
        }

        fn build(&self) -> Arc<Generation> {
            let number = self.host.registry().next_number(&self.plugin);
            Generation::loaded(&ENTRY, number, &self.host, Linked::default()).unwrap()
        }

        fn ledger(&self) -> PluginLedger {
            self.host.registry().ledger().remove(0)
        }
    }

    #[test]
    fn code_that_comes_back_is_a_generation_of_its_own() {
        let bench = Bench::new();
        let (first, second) = (bench.install(bench.build()), bench.install(bench.build()));
        bench.host.registry().set_aside(&bench.plugin, second);
        let formers = bench.host.registry().formers(&bench.plugin);
        assert_eq!(formers.iter().map(|former| former.is_set_aside).collect::<Vec<_>>(), [true, false]);
        let number = bench.host.registry().next_number(&bench.plugin);
        bench.install(formers[1].code.instantiate(number, &bench.host).unwrap());
        let rows = bench.ledger().rows;
        let told: Vec<_> = rows.iter().map(|row| (row.generation, row.code_of, row.stage)).collect();
        assert_eq!(
            told,
            [(3, first, LedgerStage::Live), (2, 2, LedgerStage::SetAside), (1, 1, LedgerStage::Retired)]
        );
        assert_eq!((rows[0].version.as_str(), rows[0].listeners), ("1.2.3", 1));
        assert!(rows[1].retired_at >= rows[1].live_at && rows[0].retired_at.is_none());
    }

    #[test]
    fn probation_shows_until_it_is_over() {
        let bench = Bench::new();
        let generation = bench.build();
        generation.probation().begin(1, Duration::from_mins(1));
        bench.install(generation.clone());
        assert_eq!(bench.ledger().rows[0].stage, LedgerStage::Probation);
        generation.probation().call_ended();
        assert_eq!(bench.ledger().rows[0].stage, LedgerStage::Live);
    }

    #[test]
    fn numbers_go_on_where_a_former_process_has_left_off() {
        let bench = Bench::new();
        bench.host.registry().continue_from(&bench.plugin, 41);
        bench.host.registry().continue_from(&bench.plugin, 7);
        assert_eq!(bench.install(bench.build()), 42);
        assert_eq!(bench.host.registry().next_number(&bench.plugin), 43);
    }

    #[test]
    fn the_oldest_rows_are_summed_up_and_what_still_runs_is_kept() {
        let bench = Bench::new();
        let memory = Memory { mapped: 100, private: 10 };
        let held = bench.build();
        bench.install(held.clone());
        for _ in 0..KEPT + 8 {
            let number = bench.install(bench.build());
            bench.host.registry().set_memory(&bench.plugin, number, memory);
        }
        let PluginLedger { rows, older, .. } = bench.ledger();
        assert_eq!(rows.len(), KEPT);
        assert_eq!(rows.last().unwrap().generation, held.number());
        assert_eq!((older.generations, older.mapped_bytes), (9, 900));
        // All code except that of the live generation; the first has not been measured.
        assert_eq!(bench.host.registry().retired_bytes(), (KEPT as u64 + 7) * memory.private);
        assert_eq!(bench.host.registry().lingering().len(), 1);
        drop(held);
        assert!(bench.host.registry().lingering().is_empty());
    }

    #[tokio::test]
    async fn a_generation_that_nothing_refers_to_is_gone() {
        let bench = Bench::new();
        let generation = bench.build();
        bench.install(generation.clone());
        bench.install(bench.build());
        let gone = Arc::downgrade(&generation);
        let registry = bench.host.registry();
        let ended = registry.ended(&gone);
        tokio::pin!(ended);
        assert!(futures_util::poll!(ended.as_mut()).is_pending());
        drop(generation);
        ended.await;
        assert!(gone.upgrade().is_none());
    }
}
