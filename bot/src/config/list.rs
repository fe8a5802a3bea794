//! Values that are lists, with an error message for a wrong entry.

use std::collections::BTreeSet;

use sdk::serenity::all::UserId;

use super::value::snowflake;
use super::value_error::ValueError;

/// Parses ids of users, separated by commas or spaces.
pub(super) fn users(text: &str) -> Result<BTreeSet<UserId>, ValueError> {
    entries(text, |c| c == ',' || c == ';' || c.is_whitespace(), |word| snowflake(word).map(UserId::new))
        .map_err(|entry| ValueError::Entry {
            of: "ids",
            entry,
            way_out: "separate ids of users with commas, like '12,34'",
        })
}

/// Parses patterns in the form of `.gitignore`, separated by commas or lines.
pub(super) fn patterns(text: &str) -> Result<Vec<String>, ValueError> {
    entries(text, |c| matches!(c, ',' | '\n'), |word| is_pattern(word).then(|| word.to_owned())).map_err(
        |entry| ValueError::Entry {
            of: "patterns",
            entry,
            way_out: "write them as in .gitignore, like '*.tmp,/notes/'",
        },
    )
}

/// Parses file extensions, with or without their dot, separated by commas or spaces.
pub(super) fn extensions(text: &str) -> Result<Vec<String>, ValueError> {
    let extension = |word: &str| {
        let word = word.strip_prefix('.').unwrap_or(word);
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '+');
        (!word.is_empty() && word.chars().all(plain)).then(|| word.to_owned())
    };
    entries(text, |c| c == ',' || c == ';' || c.is_whitespace(), extension).map_err(|entry| {
        ValueError::Entry { of: "extensions", entry, way_out: "write them like 'rs,toml,ftl'" }
    })
}

/// Parses all entries. The error is the number of the first invalid one, from 1.
fn entries<T, L: FromIterator<T>>(
    text: &str,
    separates: impl Fn(char) -> bool,
    read: impl Fn(&str) -> Option<T>,
) -> Result<L, usize> {
    text.split(separates)
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .enumerate()
        .map(|(index, word)| read(word).ok_or(index + 1))
        .collect()
}

/// Returns whether a word can match a path at all.
fn is_pattern(word: &str) -> bool {
    let path = word.strip_prefix('!').unwrap_or(word).trim_matches('/');
    let mut class = None;
    let mut escaped = false;
    for (at, c) in path.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' if class.is_none() => class = Some(at),
            // A bracket right after the opening one, or after its negation, is a member of the class.
            ']' if class.is_some_and(|open| !matches!(&path[open + 1..at], "" | "!" | "^")) => class = None,
            _ => {}
        }
    }
    !path.is_empty() && class.is_none() && !escaped
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
        fn no_text_makes_it_panic(text in ".{0,40}") {
            let _ = (users(&text), patterns(&text), extensions(&text));
        }
    }

    #[test]
    fn patterns_are_those_of_gitignore() {
        assert_eq!(patterns("*.tmp, /notes/\n!keep.rs,").unwrap(), ["*.tmp", "/notes/", "!keep.rs"]);
        assert_eq!(patterns("a[]x].rs,[!a-z]b,c\\[").unwrap().len(), 3);
        for wrong in ["a[bc", "!", "/", "a,b\\", "[]"] {
            assert!(patterns(wrong).unwrap_err().to_string().contains(".gitignore"), "{wrong}");
        }
    }

    #[test]
    fn an_extension_may_have_its_dot() {
        assert_eq!(extensions(".rs toml;ftl").unwrap(), ["rs", "toml", "ftl"]);
        assert!(extensions("rs,*.toml").unwrap_err().to_string().contains("entry 2"));
        assert!(extensions("rs,.").unwrap_err().to_string().contains("entry 2"));
    }
}
