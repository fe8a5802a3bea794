//! Order of a stream's packets by their sequence numbers. Source: RFC 3550, appendix A.1.

use std::collections::VecDeque;

/// Number of missing packets that are remembered, so that one that comes late is not taken for a repetition.
const REMEMBERED: usize = 512;

/// Position of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Nothing came before it.
    First,
    /// After the newest so far; this many between them have not come, mostly none.
    Newest {
        /// Packets left out.
        missing: u16,
    },
    /// In a gap that was counted before.
    Late,
    /// It came before already.
    Again,
}

/// Sequence numbers seen so far.
#[derive(Debug, Default)]
pub(crate) struct SequenceTracker {
    newest: Option<u16>,
    missing: VecDeque<u16>,
}

impl SequenceTracker {
    /// Handles the next packet's number and returns its position.
    pub(crate) fn take(&mut self, sequence: u16) -> Place {
        let Some(newest) = self.newest else {
            self.newest = Some(sequence);
            return Place::First;
        };
        let ahead = sequence.wrapping_sub(newest);
        if ahead == 0 || ahead > u16::MAX / 2 {
            return match self.missing.iter().position(|missing| *missing == sequence) {
                Some(at) => {
                    self.missing.remove(at);
                    Place::Late
                }
                None => Place::Again,
            };
        }
        for step in (1..ahead).rev().take(REMEMBERED).collect::<Vec<_>>().into_iter().rev() {
            if self.missing.len() == REMEMBERED {
                self.missing.pop_front();
            }
            self.missing.push_back(newest.wrapping_add(step));
        }
        self.newest = Some(sequence);
        Place::Newest { missing: ahead - 1 }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::{Place, SequenceTracker};

    #[test]
    fn numbers_wrap_around_without_a_gap() {
        let mut tracker = SequenceTracker::default();
        let places: Vec<Place> = [65534, 65535, 0, 2, 1, 1].map(|number| tracker.take(number)).into();
        let next = Place::Newest { missing: 0 };
        assert_eq!(
            places,
            [Place::First, next, next, Place::Newest { missing: 1 }, Place::Late, Place::Again]
        );
    }

    proptest! {
        /// Packets lost, repeated and swapped on the way: what is missing at the end is what never came.
        #[test]
        fn what_is_missing_is_what_never_came(
            start: u16, fates in vec((0_u8..10, 0_usize..4), 1..300),
        ) {
            let mut sent: Vec<(usize, u16)> = Vec::new();
            for (index, (fate, delay)) in fates.iter().enumerate() {
                let number = start.wrapping_add(u16::try_from(index).unwrap());
                // The first and the last come in time, so that the ends are known.
                let end = index == 0 || index == fates.len() - 1;
                let copies = match fate { _ if end => 1, 0 => 0, 1 => 2, _ => 1 };
                for _ in 0..copies {
                    sent.push((if end { index } else { index + delay }, number));
                }
            }
            sent.sort_by_key(|(at, _)| *at);
            if let Some(first) = sent.iter().position(|(_, number)| *number == start) {
                let packet = sent.remove(first);
                sent.insert(0, packet);
            }
            let mut tracker = SequenceTracker::default();
            let (mut missing, mut again) = (0_i64, 0);
            for (_, number) in &sent {
                match tracker.take(*number) {
                    Place::First => {}
                    Place::Newest { missing: count } => missing += i64::from(count),
                    Place::Late => missing -= 1,
                    Place::Again => again += 1,
                }
            }
            let distinct: BTreeSet<u16> = sent.iter().map(|(_, number)| *number).collect();
            prop_assert_eq!(again, sent.len() - distinct.len());
            prop_assert_eq!(missing, i64::try_from(fates.len() - distinct.len()).unwrap());
        }
    }
}
