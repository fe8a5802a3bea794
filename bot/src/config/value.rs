//! Single values of the configuration, with an error message for a wrong one.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use sdk::serenity::all::{ChannelId, GuildId};
use sdk::settings::Environment;

use super::token;

pub(super) fn environment(text: &str) -> Result<Environment, String> {
    [Environment::Development, Environment::Production, Environment::Testing]
        .into_iter()
        .find(|environment| environment.as_str().eq_ignore_ascii_case(text))
        .ok_or_else(|| "is no mode of this bot; use development, production or testing".to_owned())
}

pub(super) fn switch(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err("is neither on nor off; use true or false".to_owned()),
    }
}

/// Parses a time in milliseconds.
pub(super) fn milliseconds(text: &str, range: RangeInclusive<u64>) -> Result<Duration, String> {
    match text.parse() {
        Ok(number) if range.contains(&number) => Ok(Duration::from_millis(number)),
        _ => {
            let (least, most) = (range.start(), range.end());
            Err(format!(
                "does not fit; use a whole number of milliseconds from {least} to {most}, or leave it unset"
            ))
        }
    }
}

pub(super) fn number<N: TryFrom<u64>>(text: &str, range: RangeInclusive<u64>) -> Result<N, String> {
    let number = text.parse().ok().filter(|number| range.contains(number));
    number.and_then(|number: u64| N::try_from(number).ok()).ok_or_else(|| {
        let (least, most) = (range.start(), range.end());
        format!("does not fit; use a whole number from {least} to {most}, or leave it unset")
    })
}

pub(super) fn guild(text: &str) -> Result<GuildId, String> {
    snowflake(text).map(GuildId::new).ok_or_else(|| {
        "is no id; it is a number that Discord shows under Copy Server ID once Developer Mode is on"
            .to_owned()
    })
}

pub(super) fn channel(text: &str) -> Result<ChannelId, String> {
    snowflake(text).map(ChannelId::new).ok_or_else(|| {
        "is no id; it is a number that Discord shows under Copy Channel ID once Developer Mode is on"
            .to_owned()
    })
}

/// Parses the path of a file, which need not exist yet.
pub(super) fn file(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if text.ends_with(['/', std::path::MAIN_SEPARATOR]) || path.is_dir() {
        return Err("is a folder; name a file in it, like 'state.json'".to_owned());
    }
    Ok(path)
}

/// Parses the path of a folder, which need not exist yet.
pub(super) fn folder(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if path.is_file() {
        return Err("is a file; name the folder that it is in".to_owned());
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
