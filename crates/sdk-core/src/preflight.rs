//! The checks of Discord, made before anything is swapped or sent.
//!
//! Source of every rule: "Application Commands" in Discord's documentation, and its OpenAPI description for what that
//! page leaves open. The sandbox implements the same rules in a module of its own, because it does not depend on this
//! crate; the tests in `agreement` feed both the same definitions.

mod name;
mod option;
mod size;
mod value;

use serde_json::Value;

use crate::definition::{CommandKey, CommandKind, Definitions};

/// Maximum number of slash commands in one scope.
pub const MAX_SLASH_COMMANDS: usize = 100;
/// Maximum number of user commands, and of message commands, in one scope.
pub const MAX_MENU_COMMANDS: usize = 15;
/// Maximum number of options of a command, and of choices of an option.
pub const MAX_OPTIONS: usize = 25;
/// Maximum number of characters in the names, descriptions and choice values of one command together.
pub const MAX_COMMAND_CHARACTERS: usize = 8000;
/// Largest value of `default_member_permissions`: 54 bits.
const MAX_PERMISSIONS: u64 = (1 << 54) - 1;

/// Returns one sentence for each thing that Discord would refuse in `definitions`.
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

/// A command being checked, and the problems found so far.
struct Check<'a> {
    key: &'a CommandKey,
    problems: &'a mut Vec<String>,
}

impl Check<'_> {
    fn command(&mut self, body: &Value) {
        let slash = self.key.kind == CommandKind::Slash;
        self.name("the name", &self.key.name, slash);
        self.localizations("the name", &body["name_localizations"], |check, what, text| {
            check.name(what, text, slash);
        });
        if slash {
            self.description("the description", body);
            self.options("", &body["options"], option::ANY);
        } else {
            self.menu(body);
        }
        self.availability(body);
        let total = size::characters(body, slash);
        if total > MAX_COMMAND_CHARACTERS {
            self.problem(&format!(
                "names, descriptions and choice values have {total} characters together, and Discord takes \
                 {MAX_COMMAND_CHARACTERS} at most"
            ));
        }
    }

    /// Checks that a context menu entry has a name and neither description nor options.
    fn menu(&mut self, body: &Value) {
        for (field, word) in [("description", "a description"), ("options", "options")] {
            let empty = match &body[field] {
                Value::Null => true,
                Value::String(text) => text.is_empty(),
                Value::Array(items) => items.is_empty(),
                _ => false,
            };
            if !empty {
                self.problem(&format!("it has {word}, and entries of menus have none"));
            }
        }
    }

    /// Checks the fields that determine where and for whom a command is available.
    fn availability(&mut self, body: &Value) {
        let permissions = &body["default_member_permissions"];
        if !permissions.is_null() && value::permissions(permissions).is_none_or(|set| set > MAX_PERMISSIONS) {
            self.problem(&format!("{permissions} is no set of permissions for default_member_permissions"));
        }
        for field in ["default_permission", "dm_permission", "nsfw"] {
            self.boolean("", &body[field], field);
        }
        self.numbers("", &body["contexts"], "contexts", 1, &[0, 1, 2]);
        self.numbers("", &body["integration_types"], "integration_types", 1, &[0, 1]);
    }

    /// Checks a field that is true, false or missing.
    fn boolean(&mut self, place: &str, value: &Value, field: &str) {
        if !value.is_null() && !value.is_boolean() {
            self.problem(&format!("{place}{field} is true or false, not {value}"));
        }
    }

    /// Checks a list of distinct numbers out of `allowed`, at least `least` unless the list is missing.
    fn numbers(&mut self, place: &str, value: &Value, field: &str, least: usize, allowed: &[i64]) {
        if value.is_null() {
            return;
        }
        let numbers = value.as_array().map(|items| items.iter().map(value::whole).collect::<Vec<_>>());
        let fits = numbers.is_some_and(|numbers| {
            let known = |number: &Option<i64>| number.is_some_and(|number| allowed.contains(&number));
            let twice = |(index, number): (usize, &Option<i64>)| numbers[..index].contains(number);
            numbers.len() >= least && numbers.iter().all(known) && !numbers.iter().enumerate().any(twice)
        });
        if !fits {
            self.problem(&format!(
                "{place}{field} is {value}, and Discord takes different ones of {allowed:?}"
            ));
        }
    }

    /// Checks the description of a command or option, and its translations.
    fn description(&mut self, what: &str, object: &Value) {
        let check = |check: &mut Self, what: &str, text: &str| check.text(what, text.trim(), 1, 100);
        check(self, what, &value::text(&object["description"]).unwrap_or_default());
        self.localizations(what, &object["description_localizations"], check);
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

#[cfg(test)]
mod agreement;
#[cfg(test)]
mod tests;
