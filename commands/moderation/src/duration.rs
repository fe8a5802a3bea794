//! Durations as users write them: `90m`, `1d12h`, `2 weeks`.

use std::time::Duration;

use sdk::prelude::{Refusal, Surface, foreign};
use sdk::text;

const DAY: u64 = 86_400;

/// Longest duration that can be written.
const LONGEST: Duration = Duration::from_secs(3_650 * DAY);

/// Longest timeout. Source: "Modify Guild Member" in Discord's documentation.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(28 * DAY);
/// Longest slow mode. Source: "Channel Object" in Discord's documentation.
pub(crate) const SLOW_MODE: Duration = Duration::from_hours(6);
/// Age up to which a ban deletes messages. Source: "Create Guild Ban" in Discord's documentation.
pub(crate) const BAN_DELETES: Duration = Duration::from_secs(7 * DAY);

/// Parses a duration: numbers with units (s, m, h, d, w), one after the other.
///
/// # Errors
/// If it is none, is zero, or is longer than ten years.
pub(crate) fn parse(text: &str) -> Result<Duration, Refusal> {
    let duration = text::parse_duration(text, &unit).ok_or_else(|| {
        let shown = foreign(text, Surface::Code, 50);
        Refusal::new(format!("`{shown}` is no duration; write it like `90m`, `2h` or `1d12h`."))
    })?;
    if duration.is_zero() {
        return Err(Refusal::new("The duration has to be at least a second."));
    }
    if duration > LONGEST {
        return Err(Refusal::new("The duration can be at most ten years."));
    }
    Ok(duration)
}

/// Parses a duration of at most `most`; `what` begins the sentence otherwise, for example "A timeout".
///
/// # Errors
/// As [`parse`], or if it is longer.
pub(crate) fn within(text: &str, most: Duration, what: &str) -> Result<Duration, Refusal> {
    let duration = parse(text)?;
    if duration > most {
        let most = text::duration(most);
        return Err(Refusal::new(format!("{what} can be at most {most} at Discord.")));
    }
    Ok(duration)
}

/// Returns the seconds of a unit. A number without one is no duration.
fn unit(word: &str) -> Option<u64> {
    match word {
        "secs" => Some(1),
        "mins" => Some(60),
        word => text::unit(word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_units_are_added() {
        for (text, seconds) in [
            ("10s", 10),
            ("90m", 5_400),
            ("2h", 7_200),
            ("1d12h", 129_600),
            ("1w", 604_800),
            (" 1 Day 3 hours ", 97_200),
        ] {
            assert_eq!(parse(text).unwrap().as_secs(), seconds, "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused_with_an_example() {
        for text in ["", "h", "10", "1x", "1h30", "-1h", "1.5h", "soon", "1h,2m", "99999999999999999999s"] {
            let refused = parse(text).unwrap_err().to_string();
            assert!(refused.contains("is no duration; write it like `90m`"), "{text}: {refused}");
        }
        assert!(parse("0s").unwrap_err().to_string().contains("at least a second"));
        assert!(parse("600w").unwrap_err().to_string().contains("ten years"));
    }

    #[test]
    fn limits_of_discord_are_named() {
        assert_eq!(within("28d", TIMEOUT, "A timeout").unwrap(), TIMEOUT);
        let refused = within("28d1s", TIMEOUT, "A timeout").unwrap_err().to_string();
        assert_eq!(refused, "A timeout can be at most 28 days at Discord.");
        let refused = within("7h", SLOW_MODE, "Slow mode").unwrap_err().to_string();
        assert_eq!(refused, "Slow mode can be at most 6 hours at Discord.");
    }
}
