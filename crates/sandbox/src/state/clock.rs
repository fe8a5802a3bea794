//! Time in Discord's form: microseconds and an explicit `+00:00`.

use std::time::Duration;

use time::OffsetDateTime;

use crate::snowflake::Snowflake;
use crate::validate::form::parse_moment;

/// Returns the current time, in UTC.
pub fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_reads_back_as_it_was_written() {
        let at = OffsetDateTime::from_unix_timestamp(1_795_240_432).unwrap();
        assert_eq!(iso(at), "2026-11-21T05:53:52.000000+00:00");
        assert_eq!(parse(&iso(at)), Some(at));
        assert_eq!(later(at, Duration::from_secs(1)), at + Duration::from_secs(1));
        assert!(later(at, Duration::MAX) > at);
    }
}
