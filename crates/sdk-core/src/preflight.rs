//! What Discord would refuse, told before anything is swapped or sent.
//!
//! Source of every limit: "Application Commands" in Discord's documentation.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::definition::{CommandKey, CommandKind, Definitions};

/// Most slash commands in one scope.
pub const MAX_SLASH_COMMANDS: usize = 100;
/// Most user commands, and most message commands, in one scope.
pub const MAX_MENU_COMMANDS: usize = 15;
/// Most options of a command, and most choices of an option.
pub const MAX_OPTIONS: usize = 25;
/// Most characters in names, descriptions and choice values of one command together.
pub const MAX_COMMAND_CHARACTERS: usize = 8000;

const SUBCOMMAND: u64 = 1;
const GROUP: u64 = 2;
const STRING: u64 = 3;
const INTEGER: u64 = 4;
const NUMBER: u64 = 10;

/// Gives one sentence for each thing that Discord would refuse in `definitions`.
pub fn check_definitions(definitions: &Definitions) -> Vec<String> {
    let mut problems = Vec::new();
    for (kind, limit, word) in [
        (CommandKind::Slash, MAX_SLASH_COMMANDS, "slash"),
        (CommandKind::User, MAX_MENU_COMMANDS, "user menu"),
        (CommandKind::Message, MAX_MENU_COMMANDS, "message menu"),
    ] {
        let count = definitions.keys().filter(|key| key.kind == kind).count();
        if count > limit {
            problems.push(format!("{count} {word} commands are defined, and Discord takes {limit} at most"));
        }
    }
    for (key, body) in definitions {
        Check { key, problems: &mut problems }.command(body);
    }
    problems
}

struct Check<'a> {
    key: &'a CommandKey,
    problems: &'a mut Vec<String>,
}

impl Check<'_> {
    fn command(&mut self, body: &Value) {
        if self.key.kind == CommandKind::Slash {
            self.name("the name", &self.key.name);
            self.text("the description", text(body, "description"), 1, 100);
            self.options("", &body["options"], 0);
        } else {
            self.text("the name", &self.key.name, 1, 32);
        }
        let total = characters(body);
        if total > MAX_COMMAND_CHARACTERS {
            self.problem(&format!(
                "names, descriptions and choice values have {total} characters together, and Discord takes \
                 {MAX_COMMAND_CHARACTERS} at most"
            ));
        }
    }

    fn options(&mut self, path: &str, options: &Value, depth: usize) {
        let Some(options) = options.as_array() else { return };
        if options.len() > MAX_OPTIONS {
            let count = options.len();
            self.problem(&format!("{path}has {count} options, and Discord takes {MAX_OPTIONS} at most"));
        }
        let mut names = BTreeSet::new();
        let mut optional_before = None;
        let nested = |option: &Value| matches!(option["type"].as_u64(), Some(SUBCOMMAND | GROUP));
        if options.iter().any(nested) && !options.iter().all(nested) {
            self.problem(&format!("{path}mixes subcommands with other options"));
        }
        for option in options {
            let name = text(option, "name");
            let place = format!("{path}option '{name}' ");
            self.name(&format!("{path}the name of option '{name}'"), name);
            self.text(
                &format!("{path}the description of option '{name}'"),
                text(option, "description"),
                1,
                100,
            );
            if !names.insert(name) {
                self.problem(&format!("{path}has two options named '{name}'"));
            }
            if nested(option) {
                if depth > 1 || (depth == 1 && option["type"].as_u64() == Some(GROUP)) {
                    self.problem(&format!("{place}is nested deeper than command, group, subcommand"));
                } else {
                    self.options(&place, &option["options"], depth + 1);
                }
                continue;
            }
            let required = option["required"].as_bool() == Some(true);
            match optional_before {
                Some(before) if required => self.problem(&format!(
                    "{path}required option '{name}' comes after the optional one '{before}'"
                )),
                None if !required => optional_before = Some(name),
                _ => {}
            }
            self.value_limits(&place, option);
        }
    }

    fn value_limits(&mut self, place: &str, option: &Value) {
        let kind = option["type"].as_u64().unwrap_or_default();
        let choices = option["choices"].as_array().map_or(&[][..], Vec::as_slice);
        if choices.len() > MAX_OPTIONS {
            let count = choices.len();
            self.problem(&format!("{place}has {count} choices, and Discord takes {MAX_OPTIONS} at most"));
        }
        if !choices.is_empty() && option["autocomplete"].as_bool() == Some(true) {
            self.problem(&format!("{place}has choices and autocomplete, which exclude each other"));
        }
        let mut names = BTreeSet::new();
        for choice in choices {
            let name = text(choice, "name");
            self.text(&format!("{place}choice name '{name}'"), name, 1, 100);
            if let Some(value) = choice["value"].as_str() {
                self.text(&format!("{place}choice value '{value}'"), value, 1, 100);
            }
            if !names.insert(name) {
                self.problem(&format!("{place}has two choices named '{name}'"));
            }
        }
        let (low, high) = match kind {
            STRING => ("min_length", "max_length"),
            INTEGER | NUMBER => ("min_value", "max_value"),
            _ => return,
        };
        if let (Some(low), Some(high)) = (option[low].as_f64(), option[high].as_f64())
            && low > high
        {
            self.problem(&format!("{place}has a lower limit ({low}) above its upper one ({high})"));
        }
        if kind == STRING {
            let upper = option["max_length"].as_u64();
            if option["min_length"].as_u64().is_some_and(|value| value > 6000)
                || upper.is_some_and(|value| !(1..=6000).contains(&value))
            {
                self.problem(&format!(
                    "{place}has a length limit outside 0 to 6000 (1 to 6000 for the upper one)"
                ));
            }
        }
    }

    /// Checks a name against `^[-_'\p{L}\p{N}\p{sc=Deva}\p{sc=Thai}]{1,32}$`, in lower case where there is one.
    fn name(&mut self, what: &str, name: &str) {
        self.text(what, name, 1, 32);
        let allowed = |c: char| {
            matches!(c, '-' | '_' | '\'')
                || c.is_alphanumeric()
                || ('\u{900}'..='\u{97f}').contains(&c)
                || ('\u{e00}'..='\u{e7f}').contains(&c)
        };
        if let Some(c) = name.chars().find(|c| !allowed(*c)) {
            self.problem(&format!("{what} holds {c:?}; letters, digits, - and _ are allowed"));
        }
        if name.chars().any(|c| !c.to_lowercase().eq([c])) {
            self.problem(&format!("{what} has to be in lower case: '{}'", name.to_lowercase()));
        }
    }

    fn text(&mut self, what: &str, value: &str, least: usize, most: usize) {
        let length = value.chars().count();
        if !(least..=most).contains(&length) {
            self.problem(&format!("{what} has {length} characters, and Discord takes {least} to {most}"));
        }
    }

    fn problem(&mut self, sentence: &str) {
        self.problems.push(format!("{}: {sentence}", self.key));
    }
}

fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object[field].as_str().unwrap_or_default()
}

/// Counts characters as Discord does: of each text the longest of its localisations.
fn characters(object: &Value) -> usize {
    let longest = |field: &str| {
        let localised = object[format!("{field}_localizations").as_str()]
            .as_object()
            .into_iter()
            .flat_map(|texts| texts.values().filter_map(Value::as_str));
        localised.chain([text(object, field)]).map(|text| text.chars().count()).max().unwrap_or_default()
    };
    let below = ["options", "choices"]
        .iter()
        .filter_map(|field| object[*field].as_array())
        .flatten()
        .map(characters)
        .sum::<usize>();
    let value = object["value"].as_str().map_or(0, |value| value.chars().count());
    longest("name") + longest("description") + value + below
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn problems(body: Value) -> Vec<String> {
        let key = CommandKey { kind: CommandKind::Slash, name: text(&body, "name").to_owned() };
        check_definitions(&Definitions::from([(key, body)]))
    }

    #[allow(clippy::needless_pass_by_value)] // Reads better where `json!` is the argument.
    fn with_options(options: Value) -> Vec<String> {
        problems(json!({"name": "x", "description": "y", "options": options}))
    }

    #[test]
    fn an_ordinary_command_passes() {
        assert_eq!(
            with_options(json!([
                {"type": 3, "name": "text", "description": "d", "required": true, "max_length": 6000},
                {"type": 4, "name": "n", "description": "d", "choices": [{"name": "a", "value": 1}]}
            ])),
            Vec::<String>::new()
        );
        assert_eq!(problems(json!({"name": "สวัสดี", "description": "y"})), Vec::<String>::new());
    }

    #[test]
    fn each_limit_is_told_with_the_command_and_the_option() {
        let option = |more: Value| {
            let mut option = json!({"type": 3, "name": "o", "description": "d"});
            option.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            option
        };
        let many = |count: usize| {
            (0..count).map(|i| json!({"name": format!("c{i}"), "value": "v"})).collect::<Vec<_>>()
        };
        for (found, words) in [
            (
                problems(json!({"name": "Ping", "description": "y"})),
                "/Ping: the name has to be in lower case: 'ping'",
            ),
            (problems(json!({"name": "a b", "description": "y"})), "/a b: the name holds ' '"),
            (problems(json!({"name": "a", "description": ""})), "/a: the description has 0 characters"),
            (problems(json!({"name": "a", "description": "y".repeat(101)})), "has 101 characters"),
            (problems(json!({"name": "a".repeat(33), "description": "y"})), "has 33 characters"),
            (with_options(json!([option(json!({"choices": many(26)}))])), "option 'o' has 26 choices"),
            (
                with_options(json!([option(json!({"choices": many(1), "autocomplete": true}))])),
                "has choices and autocomplete",
            ),
            (with_options(json!([option(json!({"min_length": 9, "max_length": 3}))])), "lower limit (9)"),
            (with_options(json!([option(json!({"max_length": 6001}))])), "length limit outside"),
            (with_options(json!([option(json!({})), option(json!({}))])), "two options named 'o'"),
            (
                with_options(json!([option(json!({})), option(json!({"name": "p", "required": true}))])),
                "required option 'p' comes after the optional one 'o'",
            ),
            (
                with_options(json!([option(json!({})), {"type": 1, "name": "s", "description": "d"}])),
                "mixes subcommands",
            ),
            (
                with_options(json!([{"type": 2, "name": "g", "description": "d", "options": [
                    {"type": 2, "name": "h", "description": "d"}]}])),
                "nested deeper",
            ),
        ] {
            assert!(found.iter().any(|problem| problem.contains(words)), "{words:?} not in {found:?}");
        }
    }

    #[test]
    fn the_longest_localisation_counts_towards_the_total() {
        let choice = json!({"name": "n".repeat(100), "value": "v".repeat(100)});
        let option = |i: usize| json!({"type": 3, "name": format!("o{i}"), "description": "d", "choices": vec![choice.clone(); 25]});
        let found = with_options(json!([option(1), option(2)]));
        assert!(found.iter().any(|problem| problem.contains("8000 at most")), "{found:?}");
    }
}
