//! Command definitions in Discord's form, for comparing and registering.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use crate::Command;

/// Kinds of application commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CommandKind {
    /// A slash command (`CHAT_INPUT`, 1).
    Slash,
    /// An entry in a user's context menu (`USER`, 2).
    User,
    /// An entry in a message's context menu (`MESSAGE`, 3).
    Message,
}

impl CommandKind {
    /// Returns the kind with Discord's number. A missing number is a slash command; an unknown one gives `None`.
    pub fn from_number(number: Option<u64>) -> Option<Self> {
        match number {
            None | Some(1) => Some(Self::Slash),
            Some(2) => Some(Self::User),
            Some(3) => Some(Self::Message),
            Some(_) => None,
        }
    }
}

/// Identifies a command in its scope. Discord allows a name once per kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandKey {
    /// Kind of the command.
    pub kind: CommandKind,
    /// Name as registered.
    pub name: String,
}

impl fmt::Display for CommandKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            CommandKind::Slash => write!(f, "/{}", self.name),
            CommandKind::User => write!(f, "user menu '{}'", self.name),
            CommandKind::Message => write!(f, "message menu '{}'", self.name),
        }
    }
}

/// Definitions of a set of commands, by key. The value is the body of Discord's create endpoint.
pub type Definitions = BTreeMap<CommandKey, Value>;

/// Returns the definitions of `commands`, and the keys that occur twice.
pub fn definitions_of(commands: &[Command]) -> (Definitions, Vec<CommandKey>) {
    let mut definitions = Definitions::new();
    let mut doubled = Vec::new();
    for command in poise::builtins::create_application_commands(commands) {
        // A builder of plain strings and numbers always serialises.
        let Ok(body) = serde_json::to_value(command) else { continue };
        let Some(kind) = CommandKind::from_number(body["type"].as_u64()) else { continue };
        let key = CommandKey { kind, name: body["name"].as_str().unwrap_or_default().to_owned() };
        if definitions.insert(key.clone(), body).is_some() {
            doubled.push(key);
        }
    }
    (definitions, doubled)
}

/// The differences between an old and a new set of definitions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DefinitionChanges {
    /// Commands only in the new set.
    pub added: Vec<CommandKey>,
    /// Commands only in the old set.
    pub removed: Vec<CommandKey>,
    /// Commands in both, defined differently.
    pub redefined: Vec<CommandKey>,
}

impl DefinitionChanges {
    /// Compares two sets of definitions.
    pub fn between(old: &Definitions, new: &Definitions) -> Self {
        let only_in = |one: &Definitions, other: &Definitions| {
            one.keys().filter(|key| !other.contains_key(key)).cloned().collect()
        };
        Self {
            added: only_in(new, old),
            removed: only_in(old, new),
            redefined: new
                .iter()
                .filter(|(key, body)| old.get(key).is_some_and(|old| normalised(old) != normalised(body)))
                .map(|(key, _)| key.clone())
                .collect(),
        }
    }

    /// Returns whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.redefined.is_empty()
    }
}

impl fmt::Display for DefinitionChanges {
    /// Writes `+ /new - /gone ~ /changed`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut gap = "";
        for (sign, keys) in [("+", &self.added), ("-", &self.removed), ("~", &self.redefined)] {
            for key in keys {
                write!(f, "{gap}{sign} {key}")?;
                gap = " ";
            }
        }
        Ok(())
    }
}

/// Reduces a definition, our own or one returned by Discord, to the fields that count in a comparison.
///
/// Removed are fields that Discord adds (ids, versions), and fields with their documented default, so that an omitted
/// field equals an explicit one. Only `integration_types` has a default that depends on the application; the caller has
/// to know it. Source: "Application Command Object" in Discord's documentation.
pub fn normalised(definition: &Value) -> Value {
    const OF_COMMAND: &[&str] = &[
        "name",
        "name_localizations",
        "description",
        "description_localizations",
        "options",
        "default_member_permissions",
        "contexts",
        "integration_types",
        "nsfw",
    ];
    let mut command = kept(definition, OF_COMMAND);
    let kind = definition["type"].as_u64().unwrap_or(1);
    command.insert("type".to_owned(), kind.into());
    if kind != 1 {
        trim(&mut command, "name");
    }
    trim(&mut command, "description");
    if command.get("description").and_then(Value::as_str) == Some("") || kind != 1 {
        command.remove("description");
    }
    // The older form of "guilds only", which Discord still returns beside `contexts`.
    if !command.contains_key("contexts") && definition["dm_permission"] == false {
        command.insert("contexts".to_owned(), serde_json::json!([0]));
    }
    for set in ["contexts", "integration_types"] {
        command.entry(set).and_modify(sort_numbers);
    }
    if let Some(options) = command.get_mut("options") {
        normalise_options(options);
    }
    Value::Object(command)
}

fn normalise_options(options: &mut Value) {
    const OF_OPTION: &[&str] = &[
        "type",
        "name",
        "name_localizations",
        "description",
        "description_localizations",
        "required",
        "choices",
        "options",
        "channel_types",
        "min_value",
        "max_value",
        "min_length",
        "max_length",
        "autocomplete",
        "file_types",
    ];
    for option in options.as_array_mut().into_iter().flatten() {
        let mut fields = kept(option, OF_OPTION);
        trim(&mut fields, "description");
        for choice in fields.get_mut("choices").and_then(Value::as_array_mut).into_iter().flatten() {
            let mut fields = kept(choice, &["name", "name_localizations"]);
            trim(&mut fields, "name");
            // 0 and "" are values, not defaults; 1 and 1.0 are the same value.
            let value = &choice["value"];
            fields.insert("value".to_owned(), value.as_f64().map_or_else(|| value.clone(), Value::from));
            *choice = Value::Object(fields);
        }
        fields.entry("channel_types").and_modify(sort_numbers);
        fields.entry("file_types").and_modify(sort_file_types);
        for limit in ["min_value", "max_value"] {
            // 1 and 1.0 are the same limit; Discord writes an integer option's limits without a fraction.
            if let Some(number) = fields.get(limit).and_then(Value::as_f64) {
                fields.insert(limit.to_owned(), number.into());
            }
        }
        if let Some(options) = fields.get_mut("options") {
            normalise_options(options);
        }
        *option = Value::Object(fields);
    }
}

/// Trims a text and its translations, as Discord does before storing them.
fn trim(fields: &mut serde_json::Map<String, Value>, field: &str) {
    let trim = |text: &mut Value| {
        if let Value::String(text) = text {
            *text = text.trim().to_owned();
        }
    };
    fields.get_mut(field).into_iter().for_each(trim);
    let translations =
        fields.get_mut(format!("{field}_localizations").as_str()).and_then(Value::as_object_mut);
    translations.into_iter().flatten().for_each(|(_, text)| trim(text));
}

/// Sorts a list whose order has no meaning for Discord.
fn sort_numbers(list: &mut Value) {
    if let Some(numbers) = list.as_array_mut() {
        numbers.sort_by_key(Value::as_u64);
    }
}

/// Makes extensions lower case, as Discord does ("File Type Filtering"), and sorts them, since their order has no meaning.
fn sort_file_types(list: &mut Value) {
    for text in list.as_array_mut().into_iter().flatten() {
        if let Value::String(text) = text {
            text.make_ascii_lowercase();
        }
    }
    if let Some(types) = list.as_array_mut() {
        types.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
    }
}

/// Returns the named fields that differ from their default: null, false, or an empty list or map.
fn kept(object: &Value, names: &[&str]) -> serde_json::Map<String, Value> {
    let is_default = |value: &Value| match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    };
    names
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), object.get(name)?.clone())))
        .filter(|(_, value)| !is_default(value))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_discord_spells_out_is_no_change() {
        let ours = json!({"name": "ping", "description": "Pong", "type": 1,
            "options": [{"type": 4, "name": "n", "description": "N", "min_value": 1.0, "required": false}]});
        let theirs = json!({"id": "1", "application_id": "2", "version": "3", "type": 1, "name": "ping",
            "name_localizations": null, "description": "Pong", "description_localizations": null,
            "default_member_permissions": null, "nsfw": false, "guild_id": "4", "contexts": null, "options": [{"type": 4, "name": "n", "description": "N", "min_value": 1}]});
        assert_eq!(normalised(&ours), normalised(&theirs));
    }

    #[test]
    fn white_space_that_discord_takes_away_is_no_change() {
        let body = |description: &str, german: &str, choice: &str| {
            json!({"name": "a", "description": description, "description_localizations": {"de": german}, "options": [
                {"type": 3, "name": "o", "description": description, "choices": [
                    {"name": choice, "name_localizations": {"de": german}, "value": " v "}]}]})
        };
        let (ours, kept) = (body(" d\n", "x ", " c "), body("d", "x", "c"));
        assert_eq!(normalised(&ours), normalised(&kept));
        let definition =
            sandbox::validate::command::create(&ours, sandbox::validate::command::Scope::Guild).unwrap();
        let choice = &definition.options[0].choices[0];
        assert_eq!(
            (definition.description.as_str(), choice.name.as_str()),
            ("d", "c"),
            "the sandbox does so too"
        );
        let menu = |name: &str| json!({"type": 2, "name": name});
        assert_eq!(normalised(&menu(" High Five ")), normalised(&menu("High Five")));
        assert_ne!(normalised(&body("d", "x", "c")), normalised(&body("d", "x", "c d")));
    }

    #[test]
    fn the_order_of_options_counts() {
        let option = |name: &str| json!({"type": 3, "name": name, "description": "x"});
        let one = json!({"name": "a", "description": "b", "options": [option("x"), option("y")]});
        let two = json!({"name": "a", "description": "b", "options": [option("y"), option("x")]});
        assert_ne!(normalised(&one), normalised(&two));
    }

    #[test]
    fn changes_are_told_by_sign() {
        let body = |name: &str, text: &str| {
            let key = CommandKey { kind: CommandKind::Slash, name: name.to_owned() };
            (key, json!({"name": name, "description": text}))
        };
        let old = Definitions::from([body("gone", "x"), body("same", "x"), body("new-text", "x")]);
        let new = Definitions::from([body("fresh", "x"), body("same", "x"), body("new-text", "y")]);
        let changes = DefinitionChanges::between(&old, &new);
        assert_eq!(changes.to_string(), "+ /fresh - /gone ~ /new-text");
        assert!(DefinitionChanges::between(&new, &new).is_empty());
    }
}
