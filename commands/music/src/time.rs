//! Times as users type them: `1:30`, `90`, `1m30s`, `+30s`, `-1:00`.

use std::time::Duration;

use sdk::prelude::*;
use sdk::voice::Seek;

/// Maximum number of characters of the input that an answer repeats.
const REPEATED: usize = 30;

/// Parses a position in a track: a time from its beginning, or with a sign a time forward or back.
pub(crate) fn seek(typed: &str) -> Result<Seek, Refusal> {
    let typed = typed.trim();
    let read = if let Some(forward) = typed.strip_prefix('+') {
        length(forward).map(Seek::Forward)
    } else if let Some(back) = typed.strip_prefix(['-', '−']) {
        length(back).map(Seek::Back)
    } else {
        length(typed).map(Seek::To)
    };
    read.ok_or_else(|| {
        let typed = foreign(typed, Surface::Code, REPEATED);
        Refusal::new(format!("`{typed}` is no time; write 1:30 or 90s, or +30s and -30s from here."))
    })
}

/// Parses a length: `1:02:03`, `90`, `90s`, `1h2m3s`.
fn length(typed: &str) -> Option<Duration> {
    let typed = typed.trim().to_ascii_lowercase();
    let seconds = if typed.contains(':') { clock(&typed) } else { units(&typed) };
    seconds.map(Duration::from_secs)
}

/// Parses `minutes:seconds` or `hours:minutes:seconds`. Only the first part may be above 59.
fn clock(typed: &str) -> Option<u64> {
    let parts: Vec<_> = typed.split(':').map(number).collect::<Option<_>>()?;
    let (first, rest) = parts.split_first()?;
    if rest.len() > 2 || rest.iter().any(|part| *part > 59) {
        return None;
    }
    Some(rest.iter().fold(*first, |sum, part| sum * 60 + part))
}

/// Parses numbers with `h`, `m` and `s` in this order. A number without a unit is in seconds.
fn units(typed: &str) -> Option<u64> {
    let (mut rest, mut seconds) = (typed, None);
    for (unit, factor) in [('h', 3_600), ('m', 60), ('s', 1)] {
        if let Some((value, after)) = rest.split_once(unit) {
            seconds = Some(seconds.unwrap_or_default() + number(value.trim())? * factor);
            rest = after.trim();
        }
    }
    if rest.is_empty() { seconds } else { Some(seconds.unwrap_or_default() + number(rest)?) }
}

/// Parses one to six digits and nothing else, so that no sum overflows.
fn number(typed: &str) -> Option<u64> {
    let is_number = (1..=6).contains(&typed.len()) && typed.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { typed.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        for (typed, read) in [
            ("1:30", 90),
            ("0:05", 5),
            ("90:00", 5_400),
            ("1:02:03", 3_723),
            ("90", 90),
            (" 90s ", 90),
            ("1m30s", 90),
            ("1m30", 90),
            ("1M 30S", 90),
            ("2m", 120),
            ("1h", 3_600),
            ("1h2m3s", 3_723),
        ] {
            assert_eq!(seek(typed).unwrap(), Seek::To(seconds(read)), "{typed}");
        }
    }

    #[test]
    fn a_sign_goes_from_here() {
        assert_eq!(seek("+30s").unwrap(), Seek::Forward(seconds(30)));
        assert_eq!(seek("+ 1:00").unwrap(), Seek::Forward(seconds(60)));
        assert_eq!(seek("-10").unwrap(), Seek::Back(seconds(10)));
        assert_eq!(seek("−1m").unwrap(), Seek::Back(seconds(60)));
    }

    #[test]
    fn what_is_no_time_is_named_with_the_way_out() {
        let wrong =
            ["", "soon", "1:60", "1:2:3:4", ":30", "1:", "1:-2", "++3", "3x", "s", "30s1m", "1.5", "9999999"];
        for typed in wrong {
            let words = seek(typed).unwrap_err().to_string();
            assert!(words.starts_with(&format!("`{typed}` is no time; write 1:30")), "{words}");
        }
        let long = seek(&"9".repeat(5_000)).unwrap_err().to_string();
        assert!(long.chars().count() < 120, "{long}");
    }
}
