//! Registered commands that no live plugin defines any more, and when they are removed.
//!
//! # Theory of operation
//!
//! A definition that is removed often comes back: after a panic on probation the previous code runs until the mistake
//! is fixed, a name is tried out, or a branch is checked out and left again. Removing the command and creating it again
//! would cost one of the day's creations each time; keeping it costs none. So outside production a command stays
//! registered for a grace period, and dispatch answers calls of it. After the grace period it is removed only while
//! enough of the day's creations are left for its return. It is removed earlier if Discord has no room for a new
//! command beside it, or on request. The time at which each command was withdrawn is kept in the host's store by the
//! command's id, so that a restart does not restart the grace period. If no time is stored, the grace period begins
//! with the start.

use std::collections::BTreeMap;
use std::time::Duration;

use sdk::PluginId;
use sdk::definition::{CommandKey, CommandKind};
use sdk::host::Host;
use sdk::serenity::all::CommandId;
use sdk::status::{WithdrawnCommand, milliseconds};
use sdk::store::PluginStore;
use sdk::tracing::warn;

/// What a removal waits for besides the grace period.
const INCOMPLETE: &str = "while a plugin is left out, since they may be its own";
const NO_ROOM: &str = "until enough of the day's creations are left to bring them back";

/// The withdrawn commands of one scope.
pub(super) struct Withdrawn {
    store: PluginStore,
    scope: String,
    entries: BTreeMap<CommandKey, Entry>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    id: CommandId,
    /// Time of the withdrawal, in milliseconds since 1970.
    since: u64,
}

/// The conditions that determine which commands are removed at one moment.
#[derive(Clone, Debug, Default)]
pub(super) struct Terms {
    /// Milliseconds since 1970.
    pub(super) now: u64,
    /// Time for which a command stays. Zero removes it at once, whatever that costs.
    pub(super) grace: Duration,
    /// Whether a plugin that should be live is not, so that its commands are not known.
    pub(super) incomplete: bool,
    /// Time until enough of the day's creations are left for all to come back; zero if there are.
    pub(super) room_in: Duration,
    /// Whether the removal of all of them was requested.
    pub(super) asked: bool,
    /// Number of commands of each kind that have to be removed to make room for new ones.
    pub(super) needed: BTreeMap<CommandKind, usize>,
}

impl Terms {
    fn due(&self, entry: &Entry) -> u64 {
        entry.since.saturating_add(milliseconds(self.grace))
    }
}

impl Withdrawn {
    pub(super) fn new(host: &Host, scope: String) -> Self {
        Self { store: host.store().of(&PluginId::new("host")), scope, entries: BTreeMap::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Stores which commands are registered but not wanted. Returns those that were not among them before.
    pub(super) fn note(&mut self, missing: Vec<(CommandKey, CommandId)>, now: u64) -> Vec<CommandKey> {
        // A record of another version in another form counts as empty.
        let kept: BTreeMap<String, u64> =
            self.store.get(&key(&self.scope)).ok().flatten().unwrap_or_default();
        let before = std::mem::take(&mut self.entries);
        let entry = |id: CommandId| {
            // Setting the clock back must not extend the grace period.
            Entry { id, since: kept.get(&id.to_string()).map_or(now, |since| now.min(*since)) }
        };
        self.entries = missing.into_iter().map(|(key, id)| (key, entry(id))).collect();
        if self.entries != before {
            self.keep();
        }
        self.entries.keys().filter(|key| !before.contains_key(*key)).cloned().collect()
    }

    /// Returns the commands that are to be removed now.
    pub(super) fn due(&self, terms: &Terms) -> Vec<(CommandKey, CommandId)> {
        let at_once = terms.asked || (terms.grace.is_zero() && !terms.incomplete);
        let over = !terms.incomplete && terms.room_in.is_zero();
        let mut needed = terms.needed.clone();
        let mut oldest_first: Vec<_> = self.entries.iter().collect();
        oldest_first.sort_by_key(|(_, entry)| entry.since);
        oldest_first
            .into_iter()
            .filter(|(key, entry)| {
                let gives_place = needed.get_mut(&key.kind).is_some_and(|places| {
                    let gives = *places > 0;
                    *places = places.saturating_sub(1);
                    gives
                });
                gives_place || at_once || (over && terms.due(entry) <= terms.now)
            })
            .map(|(key, entry)| (key.clone(), entry.id))
            .collect()
    }

    /// Returns the time until the next check is useful; `None` if only a change can make one useful.
    pub(super) fn next_look(&self, terms: &Terms) -> Option<Duration> {
        // Without a grace period all possible removals were made, and what Discord refuses to remove is not requested
        // again and again.
        if terms.incomplete || terms.grace.is_zero() {
            return None;
        }
        let waits = self.entries.values().map(|entry| {
            let grace = Duration::from_millis(terms.due(entry).saturating_sub(terms.now));
            grace.max(terms.room_in)
        });
        waits.min()
    }

    /// Forgets a command that is no longer registered.
    pub(super) fn removed(&mut self, key: &CommandKey) {
        self.entries.remove(key);
        self.keep();
    }

    /// Restarts the grace period of a command, because Discord refused to remove it.
    pub(super) fn put_off(&mut self, key: &CommandKey, now: u64) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.since = now;
            self.keep();
        }
    }

    /// Returns the state of each command, for the status.
    pub(super) fn account(&self, terms: &Terms) -> Vec<WithdrawnCommand> {
        let account = self.entries.iter().map(|(key, entry)| {
            let due = terms.due(entry);
            let waits_for = match () {
                () if terms.incomplete => Some(INCOMPLETE),
                () if due <= terms.now && !terms.room_in.is_zero() => Some(NO_ROOM),
                () => None,
            };
            WithdrawnCommand { key: key.clone(), scope: self.scope.clone(), due, waits_for }
        });
        account.collect()
    }

    fn keep(&self) {
        let ids: BTreeMap<_, _> =
            self.entries.values().map(|entry| (entry.id.to_string(), entry.since)).collect();
        if ids.is_empty() {
            self.store.remove(&key(&self.scope));
        } else if let Err(error) = self.store.put(&key(&self.scope), &ids) {
            warn!(%error, "the moments at which commands were withdrawn are not kept");
        }
    }
}

fn key(scope: &str) -> String {
    format!("withdrawn commands, {scope}")
}

#[cfg(test)]
mod tests {
    use sdk::settings::Settings;

    use super::*;

    const GRACE: Duration = Duration::from_mins(10);
    const MINUTE: u64 = 60_000;

    fn host() -> Host {
        Host::new("1.0.0", Settings::default())
    }

    fn slash(name: &str) -> CommandKey {
        CommandKey { kind: CommandKind::Slash, name: name.to_owned() }
    }

    /// Creates commands that were withdrawn at the given minutes, in a store of their own.
    fn withdrawn(at: &[(&str, u64)]) -> Withdrawn {
        let mut withdrawn = Withdrawn::new(&host(), "guild 5".to_owned());
        for minute in at.iter().map(|(_, minute)| *minute) {
            let known = at.iter().enumerate().filter(|(_, (_, since))| *since <= minute);
            let known = known.map(|(index, (name, _))| (slash(name), CommandId::new(index as u64 + 1)));
            withdrawn.note(known.collect(), minute * MINUTE);
        }
        withdrawn
    }

    fn due(withdrawn: &Withdrawn, terms: &Terms) -> String {
        let due: Vec<_> = withdrawn.due(terms).into_iter().map(|(key, _)| key.name).collect();
        due.join(" ")
    }

    #[test]
    fn what_goes_is_decided_by_grace_room_plugins_and_requests() {
        let withdrawn = withdrawn(&[("c", 0), ("a", 3), ("b", 6)]);
        let at = |minute: u64| Terms { now: minute * MINUTE, grace: GRACE, ..Terms::default() };
        let places = |count| BTreeMap::from([(CommandKind::Slash, count)]);
        for (name, terms, expected, next_look) in [
            ("within the grace", at(9), "", Some(1)),
            ("after the first grace", at(10), "c", Some(0)),
            ("after the second grace", at(13), "c a", Some(0)),
            ("after all", at(60), "c a b", Some(0)),
            ("without creations left", Terms { room_in: Duration::from_mins(90), ..at(60) }, "", Some(90)),
            ("while a plugin is left out", Terms { incomplete: true, ..at(60) }, "", None),
            ("when asked", Terms { asked: true, incomplete: true, ..at(7) }, "c a b", None),
            ("without a grace", Terms { grace: Duration::ZERO, ..at(6) }, "c a b", None),
            (
                "without a grace nor creations left",
                Terms { grace: Duration::ZERO, room_in: Duration::from_mins(90), ..at(6) },
                "c a b",
                None,
            ),
            (
                "without a grace while a plugin is left out",
                Terms { grace: Duration::ZERO, incomplete: true, ..at(6) },
                "",
                None,
            ),
            ("for a new command", Terms { needed: places(1), ..at(7) }, "c", Some(3)),
            ("for new commands in need", Terms { needed: places(2), incomplete: true, ..at(7) }, "c a", None),
            (
                "for another kind",
                Terms { needed: BTreeMap::from([(CommandKind::User, 3)]), ..at(7) },
                "",
                Some(3),
            ),
        ] {
            assert_eq!(due(&withdrawn, &terms), expected, "{name}");
            let next_look = next_look.map(Duration::from_mins);
            assert_eq!(withdrawn.next_look(&terms), next_look, "{name}");
        }
    }

    #[test]
    fn a_restart_goes_on_with_the_grace_that_has_begun() {
        let host = host();
        let missing = || vec![(slash("a"), CommandId::new(7))];
        let mut before = Withdrawn::new(&host, "guild 5".to_owned());
        assert_eq!(before.note(missing(), 0), [slash("a")]);
        assert_eq!(before.note(missing(), MINUTE), [], "it is told once");
        let mut after = Withdrawn::new(&host, "guild 5".to_owned());
        after.note(missing(), 9 * MINUTE);
        let terms = Terms { now: 10 * MINUTE, grace: GRACE, ..Terms::default() };
        assert_eq!(due(&after, &terms), "a");
        // If it was created again with another id, it is another command; and one that came back starts again.
        let mut other = Withdrawn::new(&host, "guild 5".to_owned());
        other.note(vec![(slash("a"), CommandId::new(8))], 9 * MINUTE);
        assert_eq!(due(&other, &terms), "");
        after.note(Vec::new(), 9 * MINUTE);
        after.note(missing(), 9 * MINUTE);
        assert_eq!(due(&after, &terms), "");
    }

    #[test]
    fn the_status_names_what_a_removal_waits_for() {
        let withdrawn = withdrawn(&[("a", 0)]);
        let terms = Terms { now: 20 * MINUTE, grace: GRACE, ..Terms::default() };
        let waits_for = |terms: Terms| withdrawn.account(&terms)[0].waits_for;
        assert_eq!(waits_for(terms.clone()), None);
        assert_eq!(waits_for(Terms { room_in: GRACE, ..terms.clone() }), Some(NO_ROOM));
        assert_eq!(waits_for(Terms { room_in: GRACE, now: MINUTE, ..terms.clone() }), None);
        assert_eq!(waits_for(Terms { incomplete: true, ..terms }), Some(INCOMPLETE));
    }
}
