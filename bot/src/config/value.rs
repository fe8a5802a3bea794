//! Single values of the configuration, each with the words for a wrong one.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;

use sdk::serenity::all::{GuildId, UserId};
use sdk::settings::Environment;

use super::token;

/// Reads the mode the bot runs in.
pub(super) fn environment(text: &str) -> Result<Environment, String> {
    [Environment::Development, Environment::Production, Environment::Testing]
        .into_iter()
        .find(|environment| environment.as_str().eq_ignore_ascii_case(text))
        .ok_or_else(|| "is no mode of this bot; use development, production or testing".to_owned())
}

/// Reads a switch.
pub(super) fn switch(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err("is neither on nor off; use true or false".to_owned()),
    }
}

/// Reads a time in milliseconds.
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

/// Reads a guild's id.
pub(super) fn guild(text: &str) -> Result<GuildId, String> {
    snowflake(text).map(GuildId::new).ok_or_else(|| {
        "is no id; it is a number that Discord shows under Copy Server ID once Developer Mode is on"
            .to_owned()
    })
}

/// Reads the ids of users, separated by commas or spaces.
pub(super) fn users(text: &str) -> Result<BTreeSet<UserId>, String> {
    text.split(|c: char| c == ',' || c == ';' || c.is_whitespace())
        .filter(|word| !word.is_empty())
        .enumerate()
        .map(|(index, word)| {
            snowflake(word).map(UserId::new).ok_or_else(|| {
                let place = index + 1;
                format!("is no list of ids (entry {place} is none); separate ids of users with commas, like '12,34'")
            })
        })
        .collect()
}

fn snowflake(text: &str) -> Option<u64> {
    // `parse` would take a sign too.
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok().filter(|id| *id != 0))?
}

/// Writes a value for a person to recognise; what is or looks like a token stays out.
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

/// Counts the single-letter edits between two names (Levenshtein's distance).
pub(super) fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ids_survive_any_separator(ids in prop::collection::btree_set(1_u64.., 0..6), by in "[ ,;]{1,3}") {
            let text = ids.iter().map(u64::to_string).collect::<Vec<_>>().join(&by);
            prop_assert_eq!(users(&text).unwrap(), ids.into_iter().map(UserId::new).collect());
        }

        #[test]
        fn distance_is_symmetric_and_zero_only_between_equals(one in "[A-C]{0,6}", other in "[A-C]{0,6}") {
            prop_assert_eq!(distance(&one, &other), distance(&other, &one));
            prop_assert_eq!(distance(&one, &other) == 0, one == other);
        }
    }

    #[test]
    fn a_long_value_is_cut() {
        assert!(shown(&"x".repeat(500), None).chars().count() < 100);
    }
}
