//! The time of a world, which can be moved forward, and time in Discord's form: microseconds and an explicit `+00:00`.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::OffsetDateTime;

use crate::snowflake::Snowflake;
use crate::validate::form::parse_moment;

/// Last year that a clock can be moved to: ids hold times until 2154.
pub const LAST_YEAR: i32 = 2150;

/// A world's clock: the real time, and how far it was moved. Clones are the same clock.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// How far it was moved, in nanoseconds.
    ahead: AtomicU64,
    /// The moment at which it stands, in nanoseconds of Unix time; [`RUNNING`] if it does not stand.
    pinned: AtomicI64,
}

/// Value of a clock that does not stand.
const RUNNING: i64 = i64::MIN;

impl Default for Shared {
    fn default() -> Self {
        Self { ahead: AtomicU64::new(0), pinned: AtomicI64::new(RUNNING) }
    }
}

impl Clock {
    /// Returns the world's time, in UTC.
    pub fn now(&self) -> OffsetDateTime {
        // 64 bits of nanoseconds end in the year 2262, well inside the range of the type.
        OffsetDateTime::from_unix_timestamp_nanos(self.nanos().into()).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// Returns the world's time in milliseconds of Unix time.
    pub fn unix_ms(&self) -> u64 {
        u64::try_from(self.nanos() / 1_000_000).unwrap_or(0)
    }

    /// Returns a moment by which waiting times in the world are measured.
    pub fn instant(&self) -> Instant {
        Instant::now() + self.ahead()
    }

    /// Returns the world's time since 1970.
    pub fn since_epoch(&self) -> Duration {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() + self.ahead()
    }

    /// Returns how far it was moved.
    pub fn ahead(&self) -> Duration {
        Duration::from_nanos(self.shared.ahead.load(Ordering::Relaxed))
    }

    /// Moves it forward. What falls due by that is not done here.
    pub(crate) fn advance(&self, by: Duration) {
        let by = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        self.shared.ahead.fetch_add(by, Ordering::Relaxed);
    }

    /// Lets it stand at a moment until the result is dropped. Only for those who hold the world's lock.
    pub(crate) fn pin(&self, at: OffsetDateTime) -> Pinned {
        let at = i64::try_from(at.unix_timestamp_nanos()).unwrap_or(i64::MAX);
        self.shared.pinned.store(at, Ordering::Relaxed);
        Pinned(self.clone())
    }

    /// Sets how far it was moved, also to less than now. Only for a world that takes another one's place.
    pub(crate) fn set_ahead(&self, ahead: Duration) {
        let ahead = u64::try_from(ahead.as_nanos()).unwrap_or(u64::MAX);
        self.shared.ahead.store(ahead, Ordering::Relaxed);
    }

    fn nanos(&self) -> i64 {
        match self.shared.pinned.load(Ordering::Relaxed) {
            RUNNING => i64::try_from(self.since_epoch().as_nanos()).unwrap_or(i64::MAX),
            pinned => pinned,
        }
    }
}

impl Serialize for Clock {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.ahead().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Clock {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let clock = Self::default();
        clock.set_ahead(Duration::deserialize(deserializer)?);
        Ok(clock)
    }
}

/// A clock that stands. It runs on when this is dropped.
#[derive(Debug)]
pub(crate) struct Pinned(Clock);

impl Drop for Pinned {
    fn drop(&mut self) {
        self.0.shared.pinned.store(RUNNING, Ordering::Relaxed);
    }
}

/// Formats a time as `2026-11-21T05:53:52.123000+00:00`.
pub fn iso(at: OffsetDateTime) -> String {
    let at = at.to_offset(time::UtcOffset::UTC);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}+00:00",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second(),
        at.microsecond()
    )
}

/// Returns the creation time of a snowflake, in Discord's form.
pub fn iso_of(id: Snowflake) -> String {
    iso(id.created_at())
}

/// Reads an ISO 8601 time in the forms that bots send.
pub fn parse(text: &str) -> Option<OffsetDateTime> {
    parse_moment(text)
}

/// Returns a moment this much later, or the last one that there is.
pub fn later(at: OffsetDateTime, time: Duration) -> OffsetDateTime {
    at.saturating_add(time.try_into().unwrap_or(time::Duration::MAX))
}

/// Reads a length of time: whole numbers, each with its unit `s`, `m`, `h` or `d`.
pub fn length(text: &str) -> Option<Duration> {
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = rest[..digits].parse().ok()?;
        let unit = rest[digits..].chars().next()?;
        let seconds = match unit {
            's' => 1,
            'm' => 60,
            'h' => 60 * 60,
            'd' => 24 * 60 * 60,
            _ => return None,
        };
        total = total.checked_add(Duration::from_secs(number.checked_mul(seconds)?))?;
        rest = &rest[digits + unit.len_utf8()..];
    }
    (!text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_numbers_with_units() {
        for (text, seconds) in
            [("30s", Some(30)), ("16m", Some(960)), ("1h30m", Some(5400)), ("2d1s", Some(172_801))]
        {
            assert_eq!(length(text), seconds.map(Duration::from_secs), "{text}");
        }
        for wrong in ["", "5", "m", "1w", "1.5h", "-1m", "1h30", "99999999999999999d", "1ä"] {
            assert_eq!(length(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_clock_is_moved_by_itself_and_stands_while_it_is_pinned() {
        let (moved, other) = (Clock::default(), Clock::default());
        let (began, instant) = (moved.now(), moved.instant());
        moved.clone().advance(Duration::from_hours(1));
        assert!(moved.now() - began >= Duration::from_hours(1));
        assert!(moved.instant() - instant >= Duration::from_hours(1));
        assert!(other.now() - began < Duration::from_mins(1), "clocks share their time");
        let at = began + Duration::from_mins(5);
        let pinned = moved.pin(at);
        assert_eq!((moved.now(), moved.clone().now()), (at, at));
        drop(pinned);
        assert!(moved.now() - began >= Duration::from_hours(1));
    }

    #[test]
    fn a_time_reads_back_as_it_was_written() {
        let at = OffsetDateTime::from_unix_timestamp(1_795_240_432).unwrap();
        assert_eq!(iso(at), "2026-11-21T05:53:52.000000+00:00");
        assert_eq!(parse(&iso(at)), Some(at));
        assert_eq!(later(at, Duration::from_secs(1)), at + Duration::from_secs(1));
        assert!(later(at, Duration::MAX) > at);
    }
}
