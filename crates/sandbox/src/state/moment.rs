//! Moments of the monotonic clock as nanoseconds of Unix time, which mean the same in another process.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

fn unix_nanos(at: Instant) -> i64 {
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let (unix, now) = (i64::try_from(unix.as_nanos()).unwrap_or(i64::MAX), Instant::now());
    let apart = |length: Duration| i64::try_from(length.as_nanos()).unwrap_or(i64::MAX);
    unix.saturating_sub(apart(now.saturating_duration_since(at)))
        .saturating_add(apart(at.saturating_duration_since(now)))
}

fn instant(unix_nanos: i64) -> Instant {
    let (unix, now) = (SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(), Instant::now());
    let at = Duration::from_nanos(u64::try_from(unix_nanos).unwrap_or(0));
    // A moment before the machine started may have no form there.
    let past = now.checked_sub(unix.saturating_sub(at)).unwrap_or(now);
    past.checked_add(at.saturating_sub(unix)).unwrap_or(past)
}

/// Serialises a moment.
pub(super) fn serialize<S: Serializer>(at: &Instant, serializer: S) -> Result<S::Ok, S::Error> {
    unix_nanos(*at).serialize(serializer)
}

/// Reads a moment.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Instant, D::Error> {
    i64::deserialize(deserializer).map(instant)
}

/// The same for a moment that may not have come.
pub(super) mod option {
    use super::{Deserialize, Deserializer, Instant, Serialize, Serializer};

    /// Serialises a moment.
    #[expect(clippy::ref_option, reason = "the form that serde asks for")]
    pub(in super::super) fn serialize<S: Serializer>(
        at: &Option<Instant>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        at.map(super::unix_nanos).serialize(serializer)
    }

    /// Reads a moment.
    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Instant>, D::Error> {
        Ok(Option::<i64>::deserialize(deserializer)?.map(super::instant))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_reads_back_as_itself() {
        let now = Instant::now();
        for at in [now, now.checked_sub(Duration::from_hours(2)).unwrap(), now + Duration::from_hours(2)] {
            let back = instant(unix_nanos(at));
            let off = back.max(at) - back.min(at);
            assert!(off < Duration::from_millis(50), "{off:?}");
        }
    }
}
