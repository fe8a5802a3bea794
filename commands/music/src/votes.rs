//! Votes to skip. They count for one start of a track, and only those of users who are still listening.

use std::collections::BTreeSet;

use sdk::prelude::serenity::UserId;
use serde::{Deserialize, Serialize};

/// Votes to skip the current track.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Votes {
    /// Start of the track for which they count.
    number: u64,
    voters: BTreeSet<UserId>,
}

/// The result of a vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Votes of current listeners.
    pub(crate) votes: usize,
    /// Votes needed.
    pub(crate) needed: usize,
    /// Whether this vote is the first of its user.
    pub(crate) is_new: bool,
}

impl Tally {
    /// Returns whether there are enough votes to skip the track.
    pub(crate) fn is_enough(self) -> bool {
        self.votes >= self.needed
    }
}

impl Votes {
    /// Resets the votes, unless they are for this start of a track or a later one.
    pub(crate) fn begin(&mut self, number: u64) {
        if self.number < number {
            *self = Self { number, voters: BTreeSet::new() };
        }
    }

    /// Counts a vote to skip the start `number` of a track. `ratio` is the share of listeners needed, in per cent.
    ///
    /// Returns `None` if a later track has started.
    pub(crate) fn cast(
        &mut self,
        number: u64,
        voter: UserId,
        listeners: &BTreeSet<UserId>,
        ratio: u8,
    ) -> Option<Tally> {
        self.begin(number);
        if self.number != number {
            return None;
        }
        // A user who has left has to vote again, so there are never more voters than listeners.
        self.voters.retain(|voter| listeners.contains(voter));
        let is_new = self.voters.insert(voter);
        let votes = self.voters.intersection(listeners).count();
        let needed = (listeners.len() * usize::from(ratio)).div_ceil(100).max(1);
        Some(Tally { votes, needed, is_new })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people<const N: usize>(ids: [u64; N]) -> BTreeSet<UserId> {
        ids.map(UserId::new).into()
    }

    #[test]
    fn the_share_of_listeners_is_rounded_up_and_one_at_least() {
        for (listeners, ratio, needed) in
            [(1, 50, 1), (2, 50, 1), (3, 50, 2), (4, 50, 2), (3, 100, 3), (5, 1, 1), (5, 0, 1), (4, 51, 3)]
        {
            let listeners: BTreeSet<_> = (1..=listeners).map(UserId::new).collect();
            let tally = Votes::default().cast(1, UserId::new(1), &listeners, ratio).unwrap();
            assert_eq!(tally.needed, needed, "{listeners:?} {ratio}");
        }
    }

    #[test]
    fn a_user_votes_once_and_who_has_left_does_not_count() {
        let mut votes = Votes::default();
        let all = people([1, 2, 3, 4]);
        let first = votes.cast(7, UserId::new(1), &all, 50);
        assert_eq!(first, Some(Tally { votes: 1, needed: 2, is_new: true }));
        let again = votes.cast(7, UserId::new(1), &all, 50);
        assert_eq!(again, Some(Tally { votes: 1, needed: 2, is_new: false }));
        // The first voter leaves.
        let second = votes.cast(7, UserId::new(2), &people([2, 3, 4]), 50).unwrap();
        assert_eq!(second, Tally { votes: 1, needed: 2, is_new: true });
        assert!(!second.is_enough());
        assert!(votes.cast(7, UserId::new(3), &people([2, 3, 4]), 50).unwrap().is_enough());
    }

    #[test]
    fn however_many_come_and_go_only_those_who_listen_are_remembered() {
        let mut votes = Votes::default();
        for user in 1..=1_000 {
            votes.cast(7, UserId::new(user), &people([user, user + 1]), 100);
        }
        assert_eq!(votes.voters.len(), 1);
    }

    #[test]
    fn each_start_of_a_track_has_votes_of_its_own() {
        let (mut votes, all) = (Votes::default(), people([1, 2, 3, 4]));
        votes.cast(7, UserId::new(1), &all, 50);
        let first = votes.cast(8, UserId::new(2), &all, 50);
        assert_eq!(first, Some(Tally { votes: 1, needed: 2, is_new: true }));
        // A vote that arrives after the next track has started counts for neither.
        assert_eq!(votes.cast(7, UserId::new(3), &all, 50), None);
        let second = votes.cast(8, UserId::new(1), &all, 50);
        assert_eq!(second, Some(Tally { votes: 2, needed: 2, is_new: true }));
    }
}
