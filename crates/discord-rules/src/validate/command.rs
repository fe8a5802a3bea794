//! Application commands: the rules for registering them, and the form in which Discord shows them.

mod definition;
pub(super) mod options;

use std::collections::HashSet;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::form::{Change, Form, Object};
use crate::error::{ApiError, ApiResult, FieldError};
use crate::permissions::Permissions;

pub use definition::{
    Bound, Choice, ChoiceValue, CommandOption, Definition, Identity, Localizations, ShownIn, kind, localized,
    option,
};

/// Maximum number of commands of each type in one scope (CHAT_INPUT, USER, MESSAGE, PRIMARY_ENTRY_POINT).
const MAX_OF_TYPE: [usize; 4] = [100, 15, 15, 1];
/// Maximum number of characters of one command's names, descriptions and choices, by its longest translations.
const MAX_SIZE: usize = 8000;
/// Highest permission set that Discord accepts here: all 54 bits that may be used.
const MAX_PERMISSIONS: u64 = (1 << 54) - 1;

/// Locales of Discord's reference, with the two that the API accepts besides.
pub const LOCALES: &[&str] = &[
    "ar", "bg", "cs", "da", "de", "el", "en-GB", "en-US", "es-419", "es-ES", "fi", "fr", "he", "hi", "hr",
    "hu", "id", "it", "ja", "ko", "lt", "nl", "no", "pl", "pt-BR", "ro", "ru", "sv-SE", "th", "tr", "uk",
    "vi", "zh-CN", "zh-TW",
];

/// Scope in which a command is registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Wherever the application is.
    Global,
    /// In one guild.
    Guild,
}

/// Reads the body of a creation.
pub fn create(body: &Value, scope: Scope) -> ApiResult<Definition> {
    Form::read_body(body, |form| read(form, body, scope))
}

/// Reads the body of an edit; fields that it does not mention are kept.
pub fn edit(current: &Definition, body: &Value, scope: Scope) -> ApiResult<Definition> {
    let mut merged = current.body();
    let changes = Form::read(|form| form.object(body))?;
    for (key, value) in changes {
        // The kind of a command is fixed; Discord ignores it in an edit.
        if key != "type" {
            merged.insert(key.clone(), value.clone());
        }
    }
    let merged = Value::Object(merged);
    Form::read_body(&merged, |form| read(form, &merged, scope))
}

/// Reads the body of a bulk overwrite: the commands in their order, all of them or none.
pub fn overwrite(body: &Value, scope: Scope) -> ApiResult<Vec<Definition>> {
    let definitions = Form::read_body(body, |form| {
        let most = MAX_OF_TYPE.iter().sum();
        let definitions = form.list(body, 0..=most, |form, item| read(form, item, scope))?;
        let mut seen = HashSet::new();
        for (index, item) in body.as_array()?.iter().enumerate() {
            let (Some(name), kind) = (item["name"].as_str(), item["type"].as_u64().unwrap_or(1)) else {
                continue;
            };
            if !seen.insert((kind, name)) {
                form.complain_at(
                    index,
                    FieldError::new(
                        "APPLICATION_COMMANDS_DUPLICATE_NAME",
                        "Application command names must be unique",
                    ),
                );
            }
        }
        Some(definitions)
    })?;
    for (index, most) in (1_u8..).zip(MAX_OF_TYPE) {
        if definitions.iter().filter(|definition| definition.kind == index).count() > most {
            return Err(too_many(most));
        }
    }
    Ok(definitions)
}

/// Checks that there is room for a command that is new to its scope.
pub fn check_room<'a>(new: &Definition, others: impl IntoIterator<Item = &'a Definition>) -> ApiResult<()> {
    let most = MAX_OF_TYPE[usize::from(new.kind.clamp(1, 4)) - 1];
    let of_type = others.into_iter().filter(|other| other.kind == new.kind && other.name != new.name).count();
    if of_type >= most { Err(too_many(most)) } else { Ok(()) }
}

fn too_many(most: usize) -> ApiError {
    let error = ApiError::max_commands();
    ApiError::new(error.status(), error.code(), format!("{} ({most}).", error.message()))
}

fn read(form: &mut Form, body: &Value, scope: Scope) -> Option<Definition> {
    let body = form.object(body)?;
    let kinds: &[u8] = match scope {
        Scope::Global => &[kind::CHAT_INPUT, kind::USER, kind::MESSAGE, kind::PRIMARY_ENTRY_POINT],
        Scope::Guild => &[kind::CHAT_INPUT, kind::USER, kind::MESSAGE],
    };
    // Libraries send the ids of the commands that a bulk overwrite keeps.
    form.check(body, "id", Form::snowflake);
    let kind = match form.field(body, "type", |form, value| enumerated(form, value, kinds)) {
        Change::Set(kind) => kind,
        Change::Keep if body.contains_key("type") => return None,
        Change::Keep | Change::Clear => kind::CHAT_INPUT,
    };
    let slash = kind == kind::CHAT_INPUT;
    let name = form.required(body, "name", |form, value| command_name(form, value, slash));
    let name_localizations =
        localizations(form, body, "name_localizations", |form, value| command_name(form, value, slash));
    let (description, description_localizations) = if slash {
        described(form, body)
    } else {
        for (key, error) in [
            ("description", "Context menu commands cannot have description"),
            ("options", "Context menu commands cannot have options"),
        ] {
            let given = match body.get(key) {
                None | Some(Value::Null) => false,
                Some(Value::String(text)) => !text.is_empty(),
                Some(Value::Array(items)) => !items.is_empty(),
                Some(_) => true,
            };
            if given && kind != kind::PRIMARY_ENTRY_POINT {
                let code = if key == "options" {
                    "APPLICATION_COMMAND_INVALID_OPTIONS"
                } else {
                    "APPLICATION_COMMAND_INVALID_DESCRIPTION"
                };
                form.complain_at(key, FieldError::new(code, error));
            }
        }
        (Some(String::new()), None)
    };
    let options = if slash { options::of_command(form, body) } else { Vec::new() };
    let default_member_permissions = form.optional(body, "default_member_permissions", |form, value| {
        let set = form.permissions(value)?;
        if set.0 > MAX_PERMISSIONS {
            form.complain(FieldError::max("int", MAX_PERMISSIONS));
            return None;
        }
        Some(set)
    });
    // The deprecated switch: off means no member by default, which is what an empty set of permissions states.
    let default_member_permissions = match form.optional(body, "default_permission", Form::boolean) {
        Some(false) if default_member_permissions.is_none() => Some(Permissions::NONE),
        _ => default_member_permissions,
    };
    let dm_permission = form.optional(body, "dm_permission", Form::boolean);
    let contexts = form.optional(body, "contexts", |form, value| numbers(form, value, &[0, 1, 2]));
    let integration_types =
        form.optional(body, "integration_types", |form, value| numbers(form, value, &[0, 1]));
    let nsfw = form.optional(body, "nsfw", Form::boolean).unwrap_or(false);
    let one_handler = |form: &mut Form, value: &Value| form.one_of(value, &[1, 2]);
    let handler = if kind == kind::PRIMARY_ENTRY_POINT {
        form.optional(body, "handler", one_handler).or(Some(1))
    } else {
        form.check(body, "handler", one_handler);
        None
    };
    let global = scope == Scope::Global;
    let definition = Definition {
        kind,
        name: name?,
        name_localizations,
        description: description?,
        description_localizations,
        options,
        default_member_permissions,
        // Of the two fields that state where a global command shows, the newer one decides.
        dm_permission: match (&contexts, dm_permission) {
            (Some(contexts), _) if global => contexts.contains(&1),
            (_, given) => !global || given.unwrap_or(true),
        },
        contexts: contexts.filter(|_| global),
        integration_types: integration_types.filter(|_| global),
        nsfw,
        handler,
    };
    if definition.size() > MAX_SIZE {
        form.complain(FieldError::new(
            "APPLICATION_COMMAND_TOO_LARGE",
            format!("Command exceeds maximum size ({MAX_SIZE})"),
        ));
    }
    Some(definition)
}

/// Reads a number of an enumeration.
fn enumerated(form: &mut Form, value: &Value, known: &[u8]) -> Option<u8> {
    let number = form.int(value, i64::MIN..=i64::MAX)?;
    let found = known.iter().copied().find(|known| i64::from(*known) == number);
    if found.is_none() {
        form.complain(FieldError::not_in_enum(value));
    }
    found
}

/// Reads a description and its translations, as in slash commands and their options.
fn described(form: &mut Form, body: &Object) -> (Option<String>, Option<Localizations>) {
    let text = |form: &mut Form, value: &Value| form.trimmed(value, 1..=100);
    (form.required(body, "description", text), localizations(form, body, "description_localizations", text))
}

/// Reads a command's or option's name; the strict form is that of slash commands and options, and has no white space,
/// also none around it.
fn command_name(form: &mut Form, value: &Value, strict: bool) -> Option<String> {
    static STRICT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^[-_'\p{L}\p{N}\p{sc=Deva}\p{sc=Thai}]{1,32}$")
            .expect("this pattern is part of the program")
    });
    if !strict {
        return form.trimmed(value, 1..=32);
    }
    let name = form.text(value, 1..=32)?;
    if !STRICT.is_match(&name) {
        form.complain(FieldError::regex());
        return None;
    }
    if name.chars().any(|c| !c.to_lowercase().eq([c])) {
        form.complain(FieldError::new("APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid"));
        return None;
    }
    Some(name)
}

/// Reads translations of a field, each under the rules of the field itself.
fn localizations(
    form: &mut Form,
    body: &Object,
    key: &str,
    read: impl Fn(&mut Form, &Value) -> Option<String>,
) -> Option<Localizations> {
    form.optional(body, key, |form, value| {
        let translations = form.dict(value)?;
        let mut result = Localizations::new();
        for (locale, text) in translations {
            form.within(locale.as_str(), |form| {
                if !LOCALES.contains(&locale.as_str()) {
                    form.complain(FieldError::words(LOCALES));
                } else if !text.is_null()
                    && let Some(text) = read(form, text)
                {
                    result.insert(locale.clone(), text);
                }
            });
        }
        Some(result)
    })
    .filter(|translations| !translations.is_empty())
}

/// Reads a set of small numbers, at least one, in ascending order.
fn numbers(form: &mut Form, value: &Value, allowed: &[u8]) -> Option<Vec<u8>> {
    let mut seen = Vec::new();
    let mut numbers = form.list(value, 1..=allowed.len(), |form, item| {
        let number = form.one_of(item, allowed)?;
        if seen.contains(&number) {
            form.complain(FieldError::repeated());
            return None;
        }
        seen.push(number);
        Some(number)
    })?;
    numbers.sort_unstable();
    Some(numbers)
}

#[cfg(test)]
mod tests;
