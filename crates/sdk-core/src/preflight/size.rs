//! The size of a command: "a maximum of 8000 characters for combined name, description, and value properties for each
//! command, its options (including subcommands and groups), and choices" ("Slash Commands").

use serde_json::Value;

use super::{option, value};

/// Returns the number of characters of a command as Discord counts them: for each text the longest of its translations.
pub(super) fn characters(command: &Value, slash: bool) -> usize {
    let own = longest(command, "name", slash);
    if slash { own + longest(command, "description", false) + of_options(command) } else { own }
}

fn of_options(object: &Value) -> usize {
    let options = object["options"].as_array().into_iter().flatten();
    options
        .map(|option| {
            let kind = option::kind(option);
            let choices = option["choices"].as_array().filter(|_| option::has_values(kind));
            let choices = choices.into_iter().flatten().map(|choice| of_choice(choice, kind));
            let nested = if matches!(kind, 1 | 2) { of_options(option) } else { 0 };
            longest(option, "name", true)
                + longest(option, "description", false)
                + choices.sum::<usize>()
                + nested
        })
        .sum()
}

fn of_choice(choice: &Value, kind: i64) -> usize {
    let value = value::text(&choice["value"]).filter(|_| kind == option::STRING);
    longest(choice, "name", false) + value.map_or(0, |text| text.chars().count())
}

/// Returns the length of the longest of a text and its translations, without the surrounding white space that Discord
/// trims.
fn longest(object: &Value, field: &str, whole: bool) -> usize {
    let translations = object[format!("{field}_localizations").as_str()].as_object().into_iter().flatten();
    let texts = translations.map(|(_, text)| text).chain([&object[field]]).filter_map(value::text);
    let length = |text: &str| if whole { text.chars().count() } else { text.trim().chars().count() };
    texts.map(|text| length(&text)).max().unwrap_or_default()
}
