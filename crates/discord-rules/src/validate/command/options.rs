//! Rules for options: which kinds are allowed where, in what order, and what each kind may hold.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use serde_json::Value;

use super::definition::{Bound, Choice, ChoiceValue, CommandOption, option};
use super::{command_name, described, localizations};
use crate::error::FieldError;
use crate::validate::file_types;
use crate::validate::form::{Form, Object};

const PARAMETERS: &[u8] = &[
    option::STRING,
    option::INTEGER,
    option::BOOLEAN,
    option::USER,
    option::CHANNEL,
    option::ROLE,
    option::MENTIONABLE,
    option::NUMBER,
    option::ATTACHMENT,
];
const ANY: &[u8] = &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
const CHANNEL_TYPES: &[u8] = &[0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15, 16];

/// Largest number that JavaScript holds exactly; Discord accepts no larger one.
const SAFE: i64 = (1 << 53) - 1;
const SAFE_FLOAT: f64 = 9_007_199_254_740_992.0;

/// Reads the options of a command itself.
pub(super) fn of_command(form: &mut Form, body: &Object) -> Vec<CommandOption> {
    read_all(form, body, ANY)
}

/// Reads the `options` of a command, group or subcommand, of which only some kinds are allowed here.
fn read_all(form: &mut Form, body: &Object, allowed: &[u8]) -> Vec<CommandOption> {
    form.optional(body, "options", |form, value| {
        let options = form.list(value, 0..=25, |form, item| read(form, item, allowed));
        if let Some(raw) = value.as_array() {
            check_order(form, raw);
        }
        options
    })
    .unwrap_or_default()
}

/// Checks the rules among siblings. Reads the raw items, so that one invalid sibling hides no error of others.
fn check_order(form: &mut Form, siblings: &[Value]) {
    let nests = |item: &Value| matches!(item["type"].as_u64(), Some(1 | 2));
    let nested = siblings.iter().filter(|item| nests(item)).count();
    if nested > 0 && nested < siblings.len() {
        form.complain(FieldError::new(
            "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID",
            "Sub-command and sub-command group option types are mutually exclusive to all other types",
        ));
    }
    let mut optional_seen = false;
    let mut names = HashSet::new();
    for (index, item) in siblings.iter().enumerate() {
        let required = item["required"].as_bool().unwrap_or(false);
        if required && optional_seen {
            form.complain_at(
                index,
                FieldError::new(
                    "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
                    "Required options must be placed before non-required options",
                ),
            );
        }
        optional_seen |= !required && !nests(item);
        if let Some(name) = item["name"].as_str()
            && !names.insert(name)
        {
            form.complain_at(index, name_taken(name));
        }
    }
    check_translations(form, siblings, &names);
}

fn name_taken(name: &str) -> FieldError {
    FieldError::new(
        "APPLICATION_COMMAND_OPTIONS_NAME_INVALID",
        format!("Option name {name} is already used in these options"),
    )
}

/// Checks that translated names are "distinct from all other default option names of that command, as well as all other
/// option names within that locale on that command" (Application Commands, "Localization").
fn check_translations(form: &mut Form, siblings: &[Value], names: &HashSet<&str>) {
    let mut translated = HashSet::new();
    for (index, item) in siblings.iter().enumerate() {
        for (locale, name) in item["name_localizations"].as_object().into_iter().flatten() {
            let Some(name) = name.as_str() else { continue };
            let is_others = item["name"] != name && names.contains(name);
            if !translated.insert((locale, name)) || is_others {
                let path = [index.into(), "name_localizations".into(), locale.as_str().into()];
                form.complain_below(path, name_taken(name));
            }
        }
    }
}

fn read(form: &mut Form, item: &Value, allowed: &[u8]) -> Option<CommandOption> {
    let body = form.object(item)?;
    let kind = form.required(body, "type", |form, value| {
        let kind = form.int(value, i64::MIN..=i64::MAX)?;
        Some(u8::try_from(kind).unwrap_or(0))
    });
    let kind = kind.and_then(|kind| {
        if !allowed.contains(&kind) {
            form.complain(FieldError::union(allowed));
            return None;
        }
        Some(kind)
    });
    let name = form.required(body, "name", |form, value| command_name(form, value, true));
    let name_localizations =
        localizations(form, body, "name_localizations", |form, value| command_name(form, value, true));
    let (description, description_localizations) = described(form, body);
    let required = form.optional(body, "required", Form::boolean).unwrap_or(false);
    let kind = kind?;
    let mut option = CommandOption {
        kind,
        name: name.unwrap_or_default(),
        name_localizations,
        description: description.unwrap_or_default(),
        description_localizations,
        required,
        options: Vec::new(),
        choices: Vec::new(),
        channel_types: Vec::new(),
        min_value: None,
        max_value: None,
        min_length: None,
        max_length: None,
        autocomplete: false,
        file_types: Vec::new(),
    };
    match kind {
        option::SUB_COMMAND => {
            option.required = false;
            option.options = read_all(form, body, PARAMETERS);
        }
        option::SUB_COMMAND_GROUP => {
            option.required = false;
            option.options = read_all(form, body, &[option::SUB_COMMAND]);
        }
        option::STRING => {
            option.min_length = form.optional(body, "min_length", |form, value| form.uint(value, 6000));
            option.max_length = form.optional(body, "max_length", |form, value| {
                form.int(value, 1..=6000).and_then(|length| u32::try_from(length).ok())
            });
            if let (Some(min), Some(max)) = (option.min_length, option.max_length)
                && min > max
            {
                form.complain_at("max_length", FieldError::min("int", min));
            }
            selectable(form, body, &mut option);
        }
        option::INTEGER | option::NUMBER => {
            option.min_value = form.optional(body, "min_value", |form, value| bound(form, value, kind));
            option.max_value = form.optional(body, "max_value", |form, value| bound(form, value, kind));
            if let (Some(min), Some(max)) = (option.min_value, option.max_value)
                && min.as_f64() > max.as_f64()
            {
                let name = if kind == option::INTEGER { "int" } else { "float" };
                form.complain_at("max_value", FieldError::min(name, min));
            }
            selectable(form, body, &mut option);
        }
        option::CHANNEL => {
            option.channel_types = channel_types(form, body);
        }
        option::ATTACHMENT => {
            option.file_types = file_types::read(form, body);
        }
        _ => {}
    }
    Some(option)
}

fn bound(form: &mut Form, value: &Value, kind: u8) -> Option<Bound> {
    if kind == option::INTEGER {
        form.int(value, -SAFE..=SAFE).map(Bound::Int)
    } else {
        form.float(value, SAFE_RANGE).map(Bound::Float)
    }
}

const SAFE_RANGE: RangeInclusive<f64> = -SAFE_FLOAT..=SAFE_FLOAT;

fn channel_types(form: &mut Form, body: &Object) -> Vec<u8> {
    form.optional(body, "channel_types", |form, value| {
        let mut seen = HashSet::new();
        form.list(value, 0..=CHANNEL_TYPES.len(), |form, item| {
            let kind = form.one_of(item, CHANNEL_TYPES)?;
            if !seen.insert(kind) {
                form.complain(FieldError::repeated());
                return None;
            }
            Some(kind)
        })
    })
    .unwrap_or_default()
}

/// Reads choices and autocomplete, of which an option may have one.
fn selectable(form: &mut Form, body: &Object, option: &mut CommandOption) {
    let kind = option.kind;
    option.autocomplete = form.optional(body, "autocomplete", Form::boolean).unwrap_or(false);
    option.choices = form
        .optional(body, "choices", |form, value| {
            form.list(value, 0..=25, |form, item| choice(form, item, kind))
        })
        .unwrap_or_default();
    let any = body.get("choices").and_then(Value::as_array).is_some_and(|choices| !choices.is_empty());
    if option.autocomplete && any {
        form.complain_at(
            "choices",
            FieldError::new(
                "APPLICATION_COMMAND_OPTIONS_CHOICES_AUTOCOMPLETE_EXCLUSIVE",
                "Choices and autocomplete are mutually exclusive",
            ),
        );
    }
}

/// Reads one choice, of a command's option or of an answer to autocompletion. Several in a list may have one name, and
/// several one value: neither the documentation nor Discord's OpenAPI description forbids it, and bots do it (poise's
/// own example of inline choices).
pub(in crate::validate) fn choice(form: &mut Form, item: &Value, kind: u8) -> Option<Choice> {
    let body = form.object(item)?;
    let text = |form: &mut Form, value: &Value| form.trimmed(value, 1..=100);
    let name = form.required(body, "name", text);
    let name_localizations = localizations(form, body, "name_localizations", text);
    let value = form.required(body, "value", |form, value| match kind {
        option::STRING => form.text(value, 0..=100).map(ChoiceValue::Text),
        option::INTEGER => form.int(value, -SAFE..=SAFE).map(ChoiceValue::Int),
        _ => form.float(value, SAFE_RANGE).map(ChoiceValue::Float),
    });
    Some(Choice { name: name?, name_localizations, value: value? })
}
