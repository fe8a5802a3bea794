//! Typed commands, converted into the data of an interaction: `/cmd group sub opt:value opt2:"quoted value"`.
//!
//! Works as Discord's client: a value ends at the next option of the command, or is quoted; mistakes are reported in
//! one sentence per option, and nothing is sent while there is one. Options as JSON go through the same rules.
//!
//! Names of commands, options and choices are those that the user's client shows, and the default ones. The sent data
//! contains the default ones ("Localization" in Discord's documentation).

mod mistake;
mod names;
mod resolve;
mod split;
#[cfg(test)]
mod tests;
mod value_error;

use serde_json::{Map, Value, json};

use crate::snowflake::Snowflake;
use crate::validate::command::{CommandOption, Definition, option};

pub use mistake::{Mistake, Mistakes};
use names::nearest;
use resolve::Resolving;
use split::Given;
pub use value_error::{FileError, ValueError};

/// A registered command, as its user's client sees it.
#[derive(Clone, Copy, Debug)]
pub struct Command<'a> {
    /// Its id.
    pub id: Snowflake,
    /// Its guild, unless global.
    pub guild_id: Option<Snowflake>,
    /// Its definition.
    pub definition: &'a Definition,
    /// Language of the user's client.
    pub locale: &'a str,
}

impl Command<'_> {
    fn shown_name(&self) -> &str {
        self.definition.shown_name(self.locale)
    }
}

/// How a user, channel or role was named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named<'a> {
    /// By id, plain or in a mention.
    Id(Snowflake),
    /// By name, without `@` or `#`.
    Name(&'a str),
}

impl<'a> Named<'a> {
    /// Reads an id, a mention with one of these marks, or a name that may begin with `sign`; `None` for nothing, and
    /// for a mention of something else.
    pub fn read(typed: &'a str, sign: &str, marks: &[&str]) -> Option<Self> {
        if typed.is_empty() {
            return None;
        }
        if let Some(inside) = typed.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')) {
            let id = marks.iter().find_map(|mark| inside.strip_prefix(mark)?.parse().ok())?;
            return Some(Self::Id(id));
        }
        // A shorter number is a name.
        if let Ok(id) = typed.parse::<Snowflake>()
            && typed.len() >= 15
        {
            return Some(Self::Id(id));
        }
        Some(Self::Name(typed.strip_prefix(sign).filter(|name| !name.is_empty()).unwrap_or(typed)))
    }

    /// Reads a user.
    pub fn user(typed: &'a str) -> Option<Self> {
        Self::read(typed, "@", &["@!", "@"])
    }

    /// Reads a role.
    pub fn role(typed: &'a str) -> Option<Self> {
        Self::read(typed, "@", &["@&"])
    }

    /// Reads a channel.
    pub fn channel(typed: &'a str) -> Option<Self> {
        Self::read(typed, "#", &["#"])
    }
}

/// A user whom an option names.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundUser {
    /// Their id.
    pub id: Snowflake,
    /// User object.
    pub user: Value,
    /// Partial member object, without `user`, if a member of the guild.
    pub member: Option<Value>,
}

/// A role, channel or attachment that an option names.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Its id.
    pub id: Snowflake,
    /// Its object, in the form of `resolved`.
    pub object: Value,
}

/// Looks up names in the channel in which a command is typed.
pub trait Resolver {
    /// Finds a user by id, or by user name, nickname or display name.
    fn user(&mut self, named: Named<'_>) -> Option<FoundUser>;
    /// Finds a role by id or name.
    fn role(&mut self, named: Named<'_>) -> Option<Found>;
    /// Finds a channel by id or name. The object contains its `type`.
    fn channel(&mut self, named: Named<'_>) -> Option<Found>;
    /// Uploads the file at this path.
    ///
    /// # Errors
    /// If it cannot be read.
    fn attach(&mut self, path: &str) -> Result<Found, FileError>;
}

/// Finds the command that a text runs, among those that its user sees. Returns it with the rest of the text.
pub fn find<'a, 't>(text: &'t str, commands: &[Command<'a>]) -> Result<(Command<'a>, &'t str), Mistake> {
    let text = text.trim();
    let Some(text) = text.strip_prefix('/') else { return Err(Mistake::NoSlash) };
    let (name, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    if name.is_empty() {
        return Err(Mistake::NoCommand);
    }
    let slash = commands.iter().filter(|command| command.definition.kind == 1);
    let shown = slash.clone().find(|command| same(command.shown_name(), name));
    if let Some(command) =
        shown.or_else(|| slash.clone().find(|command| same(&command.definition.name, name)))
    {
        return Ok((*command, rest));
    }
    let name = name.to_owned();
    if commands.is_empty() {
        return Err(Mistake::NoCommandsYet { name });
    }
    let nearest = nearest(&name, slash.map(Command::shown_name));
    Err(Mistake::UnknownCommand { name, nearest })
}

/// Returns the `data` of an interaction from the text after the name of a command.
pub fn parse(rest: &str, command: Command<'_>, resolver: &mut dyn Resolver) -> Result<Value, Mistakes> {
    let (path, options, rest) = descend(rest, command)?;
    let given = split::options(rest, options, command.locale)?;
    finish(command, &path, options, &given, resolver, Finish::Complete)
}

/// Returns the `data` of an autocomplete interaction from an unfinished text, whose last option is the one being typed.
pub fn parse_partial(
    rest: &str,
    command: Command<'_>,
    resolver: &mut dyn Resolver,
) -> Result<Value, Mistakes> {
    let (path, options, rest) = descend(rest, command)?;
    let given = split::options(rest, options, command.locale)?;
    let Some(last) = given.last() else { return Err(Mistake::NothingFocused.into()) };
    let focused = last.name.clone();
    finish(command, &path, options, &given, resolver, Finish::Focused(&focused))
}

/// Returns the `data` of an interaction from options in JSON: a list of `{"name", "value"}`, where subcommands and
/// groups contain `options` of their own, or an object of names and values.
pub fn structured(
    given: &Value,
    command: Command<'_>,
    resolver: &mut dyn Resolver,
) -> Result<Value, Mistakes> {
    let (path, options, given) = split::structured(given, &command.definition.options, command.locale)?;
    finish(command, &path, options, &given, resolver, Finish::Complete)
}

/// As [`structured`], for autocompletion of the option that is named.
pub fn structured_partial(
    given: &Value,
    focused: &str,
    command: Command<'_>,
    resolver: &mut dyn Resolver,
) -> Result<Value, Mistakes> {
    let (path, options, given) = split::structured(given, &command.definition.options, command.locale)?;
    finish(command, &path, options, &given, resolver, Finish::Focused(focused))
}

/// Whether the user has pressed enter, or is still typing an option.
#[derive(Clone, Copy)]
enum Finish<'a> {
    Complete,
    Focused(&'a str),
}

/// Reads the names of a group and subcommand at the start of a text.
fn descend<'a, 't>(
    rest: &'t str,
    command: Command<'a>,
) -> Result<(Vec<&'a CommandOption>, &'a [CommandOption], &'t str), Mistakes> {
    let (mut path, mut options, mut rest) =
        (Vec::new(), command.definition.options.as_slice(), rest.trim_start());
    while options.iter().any(nests) {
        let (word, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        if word.is_empty() {
            let names = split::names(options, command.locale);
            return Err(Mistake::SubcommandMissing { names }.into());
        }
        let Some(next) = named(options, command.locale, word) else {
            return Err(split::unknown_subcommand(word, options, command.locale).into());
        };
        path.push(next);
        options = &next.options;
        rest = after.trim_start();
        if next.kind == option::SUB_COMMAND {
            break;
        }
    }
    Ok((path, options, rest))
}

fn nests(option: &CommandOption) -> bool {
    matches!(option.kind, option::SUB_COMMAND | option::SUB_COMMAND_GROUP)
}

/// Returns whether a typed name is this one. Names are lower case; a user's capital letters make no difference.
fn same(name: &str, typed: &str) -> bool {
    name == typed || name == typed.to_lowercase()
}

/// Returns the option that a user in this locale names: by the name that the client shows, otherwise by the default
/// one.
fn named<'a>(options: &'a [CommandOption], locale: &str, typed: &str) -> Option<&'a CommandOption> {
    let shown = options.iter().find(|option| same(option.shown_name(locale), typed));
    shown.or_else(|| options.iter().find(|option| same(&option.name, typed)))
}

/// Checks the given options against the definition, and returns the data.
fn finish(
    command: Command<'_>,
    path: &[&CommandOption],
    options: &[CommandOption],
    given: &[Given],
    resolver: &mut dyn Resolver,
    finish: Finish<'_>,
) -> Result<Value, Mistakes> {
    let mut mistakes = Vec::new();
    let locale = command.locale;
    let mut resolving = Resolving::new(resolver, locale);
    let mut out = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    let mut focused_seen = false;
    for given_option in given {
        let Some(option) = named(options, locale, &given_option.name) else {
            mistakes.push(split::unknown_option(&given_option.name, options, locale));
            continue;
        };
        let shown = option.shown_name(locale);
        if seen.contains(&option.name.as_str()) {
            mistakes.push(Mistake::Twice { name: shown.to_owned() });
            continue;
        }
        seen.push(&option.name);
        let mut entry = json!({ "name": option.name, "type": option.kind });
        if let Finish::Focused(focused) = finish {
            if named(options, locale, focused).is_some_and(|focused| focused.name == option.name) {
                focused_seen = true;
                if !option.autocomplete {
                    mistakes.push(Mistake::NotAutocompleted { name: shown.to_owned() });
                }
                match resolving.partial(option, &given_option.raw) {
                    Ok(text) => entry["value"] = json!(text),
                    Err(mistake) => mistakes.push(mistake),
                }
                entry["focused"] = json!(true);
            } else {
                // The client sends what is filled in so far "as long as that input passes client-side validation":
                // partial strings, but no invalid numbers, and nothing that names no one ("Autocomplete").
                match resolving.value(option, &given_option.raw) {
                    Ok(value) => entry["value"] = value,
                    Err(_) if option.kind == option::STRING && option.choices.is_empty() => {
                        entry["value"] = json!(given_option.raw.typed());
                    }
                    Err(_) => continue,
                }
            }
        } else {
            match resolving.value(option, &given_option.raw) {
                Ok(value) => entry["value"] = value,
                Err(mistake) => mistakes.push(mistake),
            }
        }
        out.push(entry);
    }
    match finish {
        Finish::Complete => {
            let missing = |option: &&CommandOption| option.required && !seen.contains(&option.name.as_str());
            mistakes.extend(
                options
                    .iter()
                    .filter(missing)
                    .map(|option| Mistake::Missing { name: option.shown_name(locale).to_owned() }),
            );
        }
        Finish::Focused(_) if focused_seen || !mistakes.is_empty() => {}
        Finish::Focused(_) => mistakes.push(Mistake::NothingFocused),
    }
    if !mistakes.is_empty() {
        return Err(Mistakes(mistakes));
    }
    let mut options = out;
    for outer in path.iter().rev() {
        options = vec![json!({ "name": outer.name, "type": outer.kind, "options": options })];
    }
    let mut data = Map::new();
    data.insert("id".to_owned(), json!(command.id));
    data.insert("name".to_owned(), json!(command.definition.name));
    data.insert("type".to_owned(), json!(command.definition.kind));
    if let Some(guild_id) = command.guild_id {
        data.insert("guild_id".to_owned(), json!(guild_id));
    }
    if !options.is_empty() {
        data.insert("options".to_owned(), Value::Array(options));
    }
    let looked_up = resolving.finish();
    if !looked_up.is_empty() {
        data.insert("resolved".to_owned(), Value::Object(looked_up));
    }
    Ok(Value::Object(data))
}
