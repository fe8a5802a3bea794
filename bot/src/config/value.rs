//! Single values of the configuration, with an error message for a wrong one.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use sdk::serenity::all::{ChannelId, GuildId};
use sdk::settings::Environment;

use super::token;
use super::value_error::ValueError;

pub(super) fn environment(text: &str) -> Result<Environment, ValueError> {
    [Environment::Development, Environment::Production, Environment::Testing]
        .into_iter()
        .find(|environment| environment.as_str().eq_ignore_ascii_case(text))
        .ok_or(ValueError::Mode)
}

pub(super) fn switch(text: &str) -> Result<bool, ValueError> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err(ValueError::Switch),
    }
}

/// Parses a time in milliseconds.
pub(super) fn milliseconds(text: &str, range: RangeInclusive<u64>) -> Result<Duration, ValueError> {
    match text.parse() {
        Ok(number) if range.contains(&number) => Ok(Duration::from_millis(number)),
        _ => Err(ValueError::Milliseconds { least: *range.start(), most: *range.end() }),
    }
}

pub(super) fn number<N: TryFrom<u64>>(text: &str, range: RangeInclusive<u64>) -> Result<N, ValueError> {
    let number = text.parse().ok().filter(|number| range.contains(number));
    number
        .and_then(|number: u64| N::try_from(number).ok())
        .ok_or(ValueError::Number { least: *range.start(), most: *range.end() })
}

pub(super) fn guild(text: &str) -> Result<GuildId, ValueError> {
    snowflake(text).map(GuildId::new).ok_or(ValueError::Id { of: "Server" })
}

pub(super) fn channel(text: &str) -> Result<ChannelId, ValueError> {
    snowflake(text).map(ChannelId::new).ok_or(ValueError::Id { of: "Channel" })
}

/// Parses the path of a file, which need not exist yet.
pub(super) fn file(text: &str) -> Result<PathBuf, ValueError> {
    let path = PathBuf::from(text);
    if text.ends_with(['/', std::path::MAIN_SEPARATOR]) || path.is_dir() {
        return Err(ValueError::Folder);
    }
    Ok(path)
}

/// Parses the path of a folder, which need not exist yet.
pub(super) fn folder(text: &str) -> Result<PathBuf, ValueError> {
    let path = PathBuf::from(text);
    if path.is_file() {
        return Err(ValueError::File);
    }
    Ok(path)
}

/// Parses the id of a user, guild or channel.
pub(super) fn snowflake(text: &str) -> Option<u64> {
    // `parse` would accept a sign.
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok().filter(|id| *id != 0))?
}

/// Formats a value so that a user recognises it. A token, or what looks like one, is left out.
pub(super) fn shown(text: &str, token: Option<&str>) -> String {
    const MOST: usize = 80;
    if token.is_some_and(|token| text.contains(token.trim()))
        || text.split_whitespace().any(token::looks_like_one)
    {
        "something like a token (not shown here)".to_owned()
    } else if text.chars().count() > MOST {
        format!("'{}…'", text.chars().take(MOST).collect::<String>())
    } else {
        format!("'{text}'")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_value_is_cut() {
        assert!(shown(&"x".repeat(500), None).chars().count() < 100);
    }
}
