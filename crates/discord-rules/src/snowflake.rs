//! Discord's ids: 64 bits that hold the time of their creation, written as decimal strings in JSON.
//!
//! Layout, from the top: 42 bits of milliseconds since 2015-01-01, 5 bits worker, 5 bits process, 12 bits increment
//! (Discord's reference, "Snowflakes").

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::OffsetDateTime;

/// Discord's epoch, the first second of 2015, in milliseconds of Unix time.
pub const EPOCH_MS: u64 = 1_420_070_400_000;

const TIMESTAMP_SHIFT: u32 = 22;
const WORKER_SHIFT: u32 = 17;
const PROCESS_SHIFT: u32 = 12;
const INCREMENT_BITS: u32 = 12;
const INCREMENT_MASK: u64 = (1 << INCREMENT_BITS) - 1;

/// Discord id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Snowflake(pub u64);

impl Snowflake {
    /// Returns the smallest id that could have been created at this Unix time in milliseconds; zero for times before
    /// 2015.
    ///
    /// Useful as a bound, as in "every message older than two weeks".
    pub fn first_at(unix_ms: u64) -> Self {
        Self(unix_ms.saturating_sub(EPOCH_MS) << TIMESTAMP_SHIFT)
    }

    /// Returns the Unix time in milliseconds at which this id was created.
    pub fn timestamp_ms(self) -> u64 {
        (self.0 >> TIMESTAMP_SHIFT) + EPOCH_MS
    }

    /// Returns the moment at which this id was created.
    pub fn created_at(self) -> OffsetDateTime {
        // 42 bits of milliseconds end in the year 2154, well inside the range of the type.
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.timestamp_ms()) * 1_000_000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// Returns the worker that created this id.
    pub fn worker(self) -> u8 {
        ((self.0 >> WORKER_SHIFT) & 0x1f) as u8
    }

    /// Returns the process, inside its worker, that created this id.
    pub fn process(self) -> u8 {
        ((self.0 >> PROCESS_SHIFT) & 0x1f) as u8
    }

    /// Returns the number of this id among those of its process and millisecond.
    pub fn increment(self) -> u16 {
        (self.0 & INCREMENT_MASK) as u16
    }
}

impl fmt::Display for Snowflake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Snowflake {
    type Err = ParseIntError;

    /// Reads plain decimal digits; a sign, which Rust's own integer parser would accept, is refused.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = if text.starts_with('+') { "+" } else { text };
        digits.parse().map(Self)
    }
}

impl From<u64> for Snowflake {
    fn from(id: u64) -> Self {
        Self(id)
    }
}

impl From<Snowflake> for u64 {
    fn from(id: Snowflake) -> Self {
        id.0
    }
}

impl Serialize for Snowflake {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Snowflake {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Id;

        impl Visitor<'_> for Id {
            type Value = Snowflake;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a snowflake as a string or an integer")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Snowflake, E> {
                text.parse().map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
            }

            fn visit_u64<E: de::Error>(self, id: u64) -> Result<Snowflake, E> {
                Ok(Snowflake(id))
            }

            fn visit_i64<E: de::Error>(self, id: i64) -> Result<Snowflake, E> {
                u64::try_from(id)
                    .map(Snowflake)
                    .map_err(|_| E::invalid_value(de::Unexpected::Signed(id), &self))
            }
        }

        deserializer.deserialize_any(Id)
    }
}

/// Generator of ids that are unique and strictly increasing, from any number of threads.
///
/// A millisecond holds 4,096 ids. A faster caller borrows from the next milliseconds instead of waiting, and a clock
/// that steps back never makes an id repeat.
#[derive(Debug)]
pub struct Generator {
    worker_and_process: u64,
    /// Last id without its worker and process: milliseconds since the epoch, then the increment.
    last: AtomicU64,
}

impl Generator {
    /// Creates the generator of one worker and process; both are cut to the five bits that an id has for them.
    pub fn new(worker: u8, process: u8) -> Self {
        let worker_and_process =
            u64::from(worker & 0x1f) << WORKER_SHIFT | u64::from(process & 0x1f) << PROCESS_SHIFT;
        Self { worker_and_process, last: AtomicU64::new(0) }
    }

    /// Returns the next id, with the present time.
    pub fn generate(&self) -> Snowflake {
        self.generate_at(unix_ms())
    }

    /// Returns the next id, with the given Unix time in milliseconds unless a later id was created already.
    pub fn generate_at(&self, unix_ms: u64) -> Snowflake {
        let now = unix_ms.saturating_sub(EPOCH_MS) << INCREMENT_BITS;
        let next = |last: u64| now.max(last + 1);
        let previous =
            match self.last.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(next(last))) {
                Ok(previous) | Err(previous) => previous,
            };
        let sequence = next(previous);
        Snowflake(
            sequence >> INCREMENT_BITS << TIMESTAMP_SHIFT
                | self.worker_and_process
                | sequence & INCREMENT_MASK,
        )
    }
}

impl Serialize for Generator {
    /// Serialises how far it is, so that a generator that is read back returns later ids only.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.worker_and_process, self.last.load(Ordering::Relaxed)).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Generator {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (worker_and_process, last) = <(u64, u64)>::deserialize(deserializer)?;
        Ok(Self { worker_and_process, last: AtomicU64::new(last) })
    }
}

impl Default for Generator {
    fn default() -> Self {
        Self::new(1, 0)
    }
}

fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::thread;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_example_of_discords_reference_reads_as_documented() {
        let id = Snowflake(175_928_847_299_117_063);
        assert_eq!(id.timestamp_ms(), 1_462_015_105_796);
        assert_eq!((id.worker(), id.process(), id.increment()), (1, 0, 7));
        assert_eq!(id.created_at().year(), 2016);
    }

    #[test]
    fn an_id_is_a_string_in_json_and_read_from_string_or_integer() {
        let id = Snowflake(175_928_847_299_117_063);
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"175928847299117063\"");
        assert_eq!(serde_json::from_str::<Snowflake>("175928847299117063").unwrap(), id);
        assert_eq!(serde_json::from_value::<Snowflake>(serde_json::json!("175928847299117063")).unwrap(), id);
        for wrong in ["-1", "\"-1\"", "\"+1\"", "\"\"", "\"12a\"", "1.5", "null", "\"18446744073709551616\""]
        {
            assert!(serde_json::from_str::<Snowflake>(wrong).is_err(), "{wrong} was read as an id");
        }
    }

    #[test]
    fn ids_made_now_carry_the_present_and_their_maker() {
        let before = unix_ms();
        let id = Generator::new(3, 9).generate();
        assert!((before..=unix_ms()).contains(&id.timestamp_ms()));
        assert_eq!((id.worker(), id.process()), (3, 9));
    }

    #[test]
    fn threads_never_share_an_id_and_each_sees_them_grow() {
        let generator = Generator::default();
        let lists: Vec<Vec<Snowflake>> = thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| (0..5_000).map(|_| generator.generate()).collect::<Vec<_>>()))
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        for list in &lists {
            assert!(list.windows(2).all(|pair| pair[0] < pair[1]));
        }
        let all: HashSet<_> = lists.iter().flatten().collect();
        assert_eq!(all.len(), 20_000);
    }

    #[test]
    fn more_ids_than_a_millisecond_holds_go_on_into_the_next() {
        let generator = Generator::new(1, 2);
        let ids: Vec<_> = (0..5_000).map(|_| generator.generate_at(EPOCH_MS + 1_000)).collect();
        assert_eq!(ids[0].timestamp_ms(), EPOCH_MS + 1_000);
        assert_eq!((ids[4_096].timestamp_ms(), ids[4_096].increment()), (EPOCH_MS + 1_001, 0));
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
    }

    proptest! {
        #[test]
        fn text_and_json_give_the_same_id_back(id: u64) {
            let id = Snowflake(id);
            prop_assert_eq!(id.to_string().parse::<Snowflake>().unwrap(), id);
            let json = serde_json::to_value(id).unwrap();
            prop_assert_eq!(serde_json::from_value::<Snowflake>(json).unwrap(), id);
        }

        #[test]
        fn whatever_the_clock_does_ids_grow_and_keep_their_maker(
            clock in proptest::collection::vec(EPOCH_MS + 1..EPOCH_MS + 50, 1..200),
        ) {
            let generator = Generator::new(31, 17);
            let mut last = Snowflake(0);
            for now in clock {
                let id = generator.generate_at(now);
                prop_assert!(id > last);
                prop_assert!(id.timestamp_ms() >= now);
                prop_assert_eq!((id.worker(), id.process()), (31, 17));
                last = id;
            }
        }

        #[test]
        fn the_first_id_of_a_moment_bounds_every_id_of_it(ms in EPOCH_MS..EPOCH_MS + (1 << 41), low in 0_u64..1 << 22) {
            let first = Snowflake::first_at(ms);
            let id = Snowflake(first.0 | low);
            prop_assert_eq!(id.timestamp_ms(), ms);
            prop_assert!(first <= id && id < Snowflake::first_at(ms + 1));
        }
    }
}
