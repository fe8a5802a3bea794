//! The cause of a crash, and what the next host loads.

use std::collections::BTreeSet;
use std::process::ExitStatus;

use sdk_core::PluginId;
use sdk_core::status::since_1970;

use super::recorder::Note;
use crate::journal::{Journal, Version};
use crate::signals::signal_name;

/// Exit code of a panic in the main thread, and those of a program that could not be run.
const FATAL_CODES: [i32; 3] = [101, 126, 127];

/// The cause of a host's death.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// A signal.
    Signal(i32),
    /// An exit code that no host chooses.
    Code(i32),
}

impl Cause {
    /// Returns the cause of a death; `None` if the process has ended on purpose.
    pub(crate) fn of(status: ExitStatus) -> Option<Self> {
        use std::os::unix::process::ExitStatusExt as _;
        match (status.signal(), status.code()) {
            (Some(signal), _) => Some(Self::Signal(signal)),
            (None, Some(code)) if FATAL_CODES.contains(&code) => Some(Self::Code(code)),
            _ => None,
        }
    }

    /// Returns whether its own code is the cause, and not a signal from outside.
    pub(crate) fn is_fault(self) -> bool {
        // SIGKILL: a person, or the system for want of memory.
        self != Self::Signal(9)
    }

    fn words(self) -> String {
        match self {
            Self::Signal(signal) => {
                signal_name(signal).map_or_else(|| format!("signal {signal}"), str::to_owned)
            }
            Self::Code(101) => "a panic in its main thread".to_owned(),
            Self::Code(code) => format!("exit code {code}: it could not be run"),
        }
    }
}

/// The verdict on a crash.
#[derive(Debug)]
pub(crate) struct CrashVerdict {
    /// One sentence: the cause, what was in progress, and what is set aside.
    pub(crate) words: String,
    /// What the next host is to load.
    pub(crate) journal: Journal,
    /// Whether a generation is set aside.
    pub(crate) blames_a_plugin: bool,
}

impl CrashVerdict {
    /// Judges a crash by what was live and what was in progress.
    ///
    /// The calls that threads were running at that moment are to blame, or after a SIGKILL everything in progress
    /// except tasks. Where nothing is known, any plugin may be to blame, unless the host has never been ready and was
    /// loading none: then the host itself is. Only plugins that were being loaded or are on probation are set aside.
    pub(crate) fn of(cause: Cause, mut journal: Journal, notes: &[Note]) -> Self {
        let named: Vec<_> = notes
            .iter()
            .filter(|note| if cause.is_fault() { note.running } else { !note.what.starts_with("task ") })
            .collect();
        let blamed: BTreeSet<&PluginId> = named.iter().map(|note| &note.plugin).collect();
        let mut words = format!("the host died of {}", cause.words());
        if !named.is_empty() {
            let names: Vec<_> = named.iter().map(ToString::to_string).collect();
            let was = if names.len() == 1 { "was" } else { "were" };
            words += &format!(" while {} {was} under way", names.join(" and "));
        }
        let mut blames_a_plugin = false;
        let mut again = Vec::new();
        let now = since_1970();
        let may_be_plugins = journal.ready || journal.plugins.values().any(|entry| entry.coming.is_some());
        let is_anyones = blamed.is_empty() && cause.is_fault() && may_be_plugins;
        for (plugin, entry) in &mut journal.plugins {
            let is_blamed = blamed.contains(plugin) || is_anyones;
            let coming = entry.coming.take();
            // A host that replaced another one starts the plugins that were live there.
            let is_live = coming.as_ref().is_some_and(|coming| entry.live.as_ref() == Some(coming));
            if let Some(coming) = coming.filter(|_| !is_live) {
                entry.last = entry.last.max(coming.generation);
                blames_a_plugin |= is_blamed;
                words += &match (&entry.live, is_blamed) {
                    (Some(live), _) => {
                        format!(
                            "; {plugin} {} was just starting, {} stays live",
                            coming.generation, live.generation
                        )
                    }
                    (None, true) => {
                        format!(
                            "; {plugin} {} was just starting and is left out until it is saved",
                            coming.generation
                        )
                    }
                    (None, false) => {
                        again.push(plugin.clone());
                        String::new()
                    }
                };
            } else if is_blamed && (is_live || entry.is_on_probation(now)) {
                let Some(live) = entry.live.take() else { continue };
                blames_a_plugin = true;
                let why = if is_live { "was just starting" } else { "was on probation" };
                words += &format!("; {plugin} {} {why} and is set aside", live.generation);
                let Some(before) = entry.before.pop() else {
                    words += ", left out until it is saved";
                    continue;
                };
                entry.last += 1;
                words += &format!(", the code of {} is back as {}", before.generation, entry.last);
                entry.live = Some(Version { generation: entry.last, library: before.library });
            }
        }
        // A plugin that is not in the journal is built and started as in a fresh host.
        journal.plugins.retain(|plugin, _| !again.contains(plugin));
        Self { words, journal, blames_a_plugin }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Entry;

    fn version(generation: u64) -> Version {
        Version { generation, library: format!("/l/{generation}.so").into() }
    }

    fn journal() -> Journal {
        let on_probation = Entry {
            live: Some(version(5)),
            before: vec![version(4)],
            until: since_1970() + 60_000,
            last: 5,
            ..Entry::default()
        };
        let proven = Entry { live: Some(version(2)), last: 2, ..Entry::default() };
        Journal {
            ready: true,
            plugins: [(PluginId::new("commands/new"), on_probation), (PluginId::new("commands/old"), proven)]
                .into(),
        }
    }

    fn note(plugin: &str, what: &str, running: bool) -> Note {
        Note { plugin: PluginId::new(plugin), generation: 5, what: what.to_owned(), running }
    }

    fn live(verdict: &CrashVerdict, plugin: &str) -> Option<Version> {
        verdict.journal.plugins[&PluginId::new(plugin)].live.clone()
    }

    #[test]
    fn a_generation_on_probation_that_was_running_is_set_aside() {
        let notes = [note("commands/new", "/crash", true), note("commands/old", "task tick", false)];
        let verdict = CrashVerdict::of(Cause::Signal(11), journal(), &notes);
        assert_eq!(
            verdict.words,
            "the host died of SIGSEGV while /crash of commands/new 5 was under way; commands/new 5 was on probation \
             and is set aside, the code of 4 is back as 6"
        );
        assert!(verdict.blames_a_plugin);
        assert_eq!(live(&verdict, "commands/new"), Some(Version { generation: 6, ..version(4) }));
        assert_eq!(live(&verdict, "commands/old"), Some(version(2)));
    }

    #[test]
    fn what_was_replaced_on_probation_comes_back_and_is_still_on_it() {
        let mut journal = journal();
        let entry = journal.plugins.get_mut(&PluginId::new("commands/new")).unwrap();
        entry.before = vec![version(3), version(4)];
        let notes = [note("commands/new", "/crash", true)];
        let verdict = CrashVerdict::of(Cause::Signal(6), journal, &notes);
        assert_eq!(live(&verdict, "commands/new"), Some(Version { generation: 6, ..version(4) }));
        let verdict = CrashVerdict::of(Cause::Signal(6), verdict.journal, &notes);
        assert_eq!(live(&verdict, "commands/new"), Some(Version { generation: 7, ..version(3) }));
        // The first one is proven, and stays whatever it does.
        let verdict = CrashVerdict::of(Cause::Signal(6), verdict.journal, &notes);
        assert_eq!(live(&verdict, "commands/new"), Some(Version { generation: 7, ..version(3) }));
        assert!(!verdict.blames_a_plugin);
    }

    #[test]
    fn a_crash_of_another_plugin_changes_nothing() {
        let notes = [note("commands/old", "/crash", true), note("commands/new", "/ping", false)];
        let verdict = CrashVerdict::of(Cause::Signal(6), journal(), &notes);
        assert_eq!(verdict.words, "the host died of SIGABRT while /crash of commands/old 5 was under way");
        assert_eq!(verdict.journal, journal_as_in(&verdict));
        assert!(!verdict.blames_a_plugin);
    }

    #[test]
    fn a_host_that_dies_before_it_loads_anything_blames_no_plugin() {
        let verdict = CrashVerdict::of(Cause::Signal(6), journal(), &[]);
        assert!(verdict.blames_a_plugin, "it was ready, so it may be any");
        let never_ready = || Journal { ready: false, ..journal() };
        let verdict = CrashVerdict::of(Cause::Signal(6), never_ready(), &[]);
        assert_eq!(verdict.words, "the host died of SIGABRT");
        assert_eq!(live(&verdict, "commands/new"), Some(version(5)));
        assert!(!verdict.blames_a_plugin);
        let mut loading = never_ready();
        for entry in loading.plugins.values_mut() {
            entry.coming.clone_from(&entry.live);
        }
        assert!(CrashVerdict::of(Cause::Signal(6), loading, &[]).blames_a_plugin);
    }

    /// Returns the journal of these tests, with the times of the verdict's one.
    fn journal_as_in(verdict: &CrashVerdict) -> Journal {
        let mut same = journal();
        for (plugin, entry) in &mut same.plugins {
            entry.until = verdict.journal.plugins[plugin].until;
        }
        same
    }

    #[test]
    fn a_kill_from_outside_is_nobodys_fault_unless_a_call_was_under_way() {
        let verdict =
            CrashVerdict::of(Cause::Signal(9), journal(), &[note("commands/new", "task tick", true)]);
        assert_eq!(verdict.words, "the host died of SIGKILL");
        assert_eq!(live(&verdict, "commands/new"), Some(version(5)));
        let verdict = CrashVerdict::of(Cause::Signal(9), journal(), &[note("commands/new", "/eat", false)]);
        assert_eq!(live(&verdict, "commands/new"), Some(Version { generation: 6, ..version(4) }));
    }

    #[test]
    fn what_crashes_while_it_starts_is_not_started_again() {
        let mut journal = journal();
        let first = Entry { coming: Some(version(1)), ..Entry::default() };
        journal.plugins.insert(PluginId::new("commands/first"), first);
        let verdict =
            CrashVerdict::of(Cause::Signal(11), journal, &[note("commands/first", "start hook", true)]);
        assert!(
            verdict.words.ends_with("commands/first 1 was just starting and is left out until it is saved")
        );
        assert_eq!(live(&verdict, "commands/first"), None);
        assert_eq!(live(&verdict, "commands/new"), Some(version(5)), "it has an alibi");

        // A live plugin that crashes in the restarted host is not set aside either.
        let mut journal = verdict.journal;
        if let Some(entry) = journal.plugins.get_mut(&PluginId::new("commands/old")) {
            entry.coming.clone_from(&entry.live);
        }
        let verdict =
            CrashVerdict::of(Cause::Signal(11), journal, &[note("commands/old", "start hook", true)]);
        assert!(
            verdict
                .words
                .ends_with("commands/old 2 was just starting and is set aside, left out until it is saved")
        );
        assert_eq!(live(&verdict, "commands/old"), None);
    }
}
