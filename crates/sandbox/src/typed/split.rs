//! Splits given options into names and raw values, from text or from JSON.

use serde_json::Value;

use super::{Mistake, Mistakes, named, nearest, nests};
use crate::validate::command::CommandOption;

/// One given option.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Given {
    pub(super) name: String,
    pub(super) raw: Raw,
}

/// A value before its type is known.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Raw {
    /// From a text.
    Text(String),
    /// From JSON.
    Json(Value),
}

impl Raw {
    /// Returns the text that a user would have typed for it.
    pub(super) fn typed(&self) -> String {
        match self {
            Self::Text(text) | Self::Json(Value::String(text)) => text.clone(),
            Self::Json(value) => value.to_string(),
        }
    }
}

/// Splits `name:value name:"value"`. Only the names of these options end an unquoted value, so a value may contain
/// colons and spaces.
pub(super) fn options(text: &str, options: &[CommandOption], locale: &str) -> Result<Vec<Given>, Mistakes> {
    let mut rest = text.trim_start();
    let mut given = Vec::new();
    while !rest.is_empty() {
        let Some((name, value)) = starts_option(rest, options, locale) else {
            return Err(stray(rest, options, locale).into());
        };
        let raw = if let Some(quoted) = value.trim_start().strip_prefix('"') {
            let Some((text, after)) = unquote(quoted) else {
                return Err(Mistake::OpenQuote { name: name.to_owned() }.into());
            };
            rest = after.trim_start();
            text
        } else {
            let end = next_option(value, options, locale);
            rest = value[end..].trim_start();
            value[..end].trim().to_owned()
        };
        given.push(Given { name: name.to_owned(), raw: Raw::Text(raw) });
    }
    Ok(given)
}

/// Returns the name of an option at the start of a text, as typed, and the text after its colon.
fn starts_option<'t>(text: &'t str, options: &[CommandOption], locale: &str) -> Option<(&'t str, &'t str)> {
    let (name, value) = text.split_once(':')?;
    named(options, locale, name).map(|_| (name, value))
}

/// Returns the position of the next option in an unquoted value, or the value's end.
fn next_option(value: &str, options: &[CommandOption], locale: &str) -> usize {
    let mut boundary = false;
    for (at, c) in value.char_indices() {
        if boundary && starts_option(&value[at..], options, locale).is_some() {
            return at;
        }
        boundary = c.is_whitespace();
    }
    value.len()
}

/// Returns a quoted text up to its closing quote, and the text after it. `\"` and `\\` are escapes of the characters
/// themselves.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            '"' | '\\' if escaped => {
                out.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => return Some((out, &text[at + 1..])),
            c => {
                if escaped {
                    out.push('\\');
                    escaped = false;
                }
                out.push(c);
            }
        }
    }
    None
}

/// Returns the mistake for text that belongs to no option: most likely a mistyped name.
fn stray(text: &str, options: &[CommandOption], locale: &str) -> Mistake {
    let word = text.split_whitespace().next().unwrap_or(text);
    if let Some((name, value)) = word.split_once(':')
        && !name.is_empty()
        && !options.is_empty()
        // An address is a value whose option was forgotten.
        && !value.starts_with("//")
    {
        return unknown_option(name, options, locale);
    }
    Mistake::Stray { text: text.to_owned(), options: names(options, locale) }
}

/// Returns the mistake for an option that there is none of.
pub(super) fn unknown_option(name: &str, options: &[CommandOption], locale: &str) -> Mistake {
    let known = names(options, locale);
    let nearest = nearest(name, known.iter().map(String::as_str));
    Mistake::UnknownOption { name: name.to_owned(), nearest, known }
}

/// Returns the mistake for a subcommand that there is none of.
pub(super) fn unknown_subcommand(name: &str, options: &[CommandOption], locale: &str) -> Mistake {
    let known = names(options, locale);
    let nearest = nearest(name, known.iter().map(String::as_str));
    Mistake::UnknownSubcommand { name: name.to_owned(), nearest, known }
}

/// Returns the names of options as a client in this locale shows them.
pub(super) fn names(options: &[CommandOption], locale: &str) -> Vec<String> {
    options.iter().map(|option| option.shown_name(locale).to_owned()).collect()
}

/// The destination of options: the subcommand's path, its parameters, and the given options.
type Destination<'a> = (Vec<&'a CommandOption>, &'a [CommandOption], Vec<Given>);

/// Follows JSON options through groups and subcommands to the values.
pub(super) fn structured<'a>(
    given: &Value,
    options: &'a [CommandOption],
    locale: &str,
) -> Result<Destination<'a>, Mistakes> {
    let given = entries(given)?;
    if !options.iter().any(nests) {
        let given = given.into_iter().map(|(name, value)| Given { name, raw: Raw::Json(value) }).collect();
        return Ok((Vec::new(), options, given));
    }
    let [(name, inside)] = given.as_slice() else {
        return Err(Mistake::SubcommandMissing { names: names(options, locale) }.into());
    };
    let Some(next) = named(options, locale, name) else {
        return Err(unknown_subcommand(name, options, locale).into());
    };
    let (mut path, options, given) = structured(inside, &next.options, locale)?;
    path.insert(0, next);
    Ok((path, options, given))
}

/// Returns names with their values, or with the options inside them.
fn entries(given: &Value) -> Result<Vec<(String, Value)>, Mistakes> {
    match given {
        Value::Null => Ok(Vec::new()),
        Value::Object(fields) => {
            Ok(fields.iter().map(|(name, value)| (name.clone(), value.clone())).collect())
        }
        Value::Array(items) => items
            .iter()
            .map(|item| {
                let name = item["name"].as_str().ok_or(Mistake::NotOptions)?;
                let value = item.get("value").or_else(|| item.get("options")).cloned().unwrap_or(Value::Null);
                Ok((name.to_owned(), value))
            })
            .collect(),
        _ => Err(Mistake::NotOptions.into()),
    }
}
