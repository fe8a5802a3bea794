//! The world's clock.

use std::time::Duration;

use clap::Args;
use sandbox::Client;

use super::{Failure, Outcome, terminal};

#[derive(Debug, Args)]
pub(super) struct Clock {
    /// How far to move it, as in +16m, +1h30m or +2d, or a moment in ISO 8601; without it, the time is only shown.
    #[arg(allow_hyphen_values = true)]
    to: Option<String>,
}

pub(super) async fn clock(client: &Client, clock: Clock) -> Result<Outcome, Failure> {
    let shown = match clock.to.as_deref() {
        None => client.clock().await?,
        Some(to) => match to.strip_prefix('+') {
            Some(length) => {
                let by = duration(length).ok_or_else(|| {
                    Failure(format!("\"{to}\" is no length of time, such as +30s, +16m, +1h30m or +2d"))
                })?;
                client.advance_clock(by).await?
            }
            None if to.starts_with('-') => return Err(Failure("the clock only moves forward".to_owned())),
            None => client.advance_clock_to(to).await?,
        },
    };
    terminal::line(&terminal::inline(shown["now"].as_str().unwrap_or_default()))?;
    Ok(Outcome::Good)
}

/// Reads a length of time: whole numbers, each with its unit `s`, `m`, `h` or `d`.
fn duration(text: &str) -> Option<Duration> {
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
            assert_eq!(duration(text), seconds.map(Duration::from_secs), "{text}");
        }
        for wrong in ["", "5", "m", "1w", "1.5h", "-1m", "1h30", "99999999999999999d", "1ä"] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }
}
