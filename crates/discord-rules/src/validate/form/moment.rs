//! Moments in ISO 8601.

use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

/// Returns a moment from ISO 8601, in UTC; without an offset it is taken as UTC, and a date alone as its first second.
pub fn parse_moment(text: &str) -> Option<OffsetDateTime> {
    let text = text.trim();
    let with_time = if text.len() == 10 { format!("{text}T00:00:00") } else { text.replacen(' ', "T", 1) };
    OffsetDateTime::parse(&with_time, &Rfc3339)
        .or_else(|_| OffsetDateTime::parse(&format!("{with_time}Z"), &Rfc3339))
        .ok()?
        // Beyond the year 9999 in UTC there is nothing that can be written again.
        .checked_to_offset(UtcOffset::UTC)
}

/// Returns a moment as Discord writes it: UTC as `+00:00`, microseconds only where there are any.
pub fn format_moment(moment: OffsetDateTime) -> String {
    let moment = moment.to_offset(UtcOffset::UTC);
    let (date, time) = (moment.date(), moment.time());
    let fraction = match time.microsecond() {
        0 => String::new(),
        micros => format!(".{micros:06}"),
    };
    format!("{date}T{:02}:{:02}:{:02}{fraction}+00:00", time.hour(), time.minute(), time.second())
}

#[cfg(test)]
mod tests {
    use super::{format_moment, parse_moment};

    #[test]
    fn moments_are_read_in_the_forms_that_libraries_send() {
        for good in [
            "2026-07-18T10:00:00.000Z",
            "2026-07-18T12:00:00+02:00",
            "2026-07-18T10:00:00",
            "2026-07-18 10:00:00+00:00",
        ] {
            let moment = parse_moment(good).unwrap_or_else(|| panic!("{good} was not read"));
            assert_eq!(moment.unix_timestamp(), 1_784_368_800, "{good}");
        }
        let moment = parse_moment("2026-07-18T12:00:00.5+02:00").unwrap();
        assert_eq!(format_moment(moment), "2026-07-18T10:00:00.500000+00:00");
        assert!(parse_moment("tomorrow").is_none());
        assert!(parse_moment("9999-12-31T23:59:59Z").is_some());
        assert!(parse_moment("9999-12-31T23:59:59-23:00").is_none(), "it is in the year 10000");
    }
}
