//! Options: the allowed kinds, their order, and the fields of each kind.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Check, MAX_OPTIONS, value};

const SUBCOMMAND: i64 = 1;
const GROUP: i64 = 2;
pub(super) const STRING: i64 = 3;
const INTEGER: i64 = 4;
const CHANNEL: i64 = 7;
const NUMBER: i64 = 10;
const ATTACHMENT: i64 = 11;

/// Kinds of options of a command itself.
pub(super) const ANY: &[i64] = &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
const PARAMETERS: &[i64] = &[3, 4, 5, 6, 7, 8, 9, 10, 11];
const CHANNEL_TYPES: &[i64] = &[0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15, 16];
/// Maximum length of an option's text.
const MAX_TEXT: i64 = 6000;
/// Largest integer and largest number of an option (2^53 - 1, 2^53).
const MAX_WHOLE: i64 = (1 << 53) - 1;
const MAX_NUMBER: f64 = 9_007_199_254_740_992.0;

/// Groups of `file_types`, and how many types there may be ("File Type Filtering" in Discord's reference).
const FILE_GROUPS: &[&str] = &["image", "video", "audio"];
const MAX_FILE_TYPES: usize = 10;

/// Returns whether an option of this kind has choices, autocomplete and limits.
pub(super) fn has_values(kind: i64) -> bool {
    matches!(kind, STRING | INTEGER | NUMBER)
}

/// Returns the kind of an option; 0 if it has none.
pub(super) fn kind(option: &Value) -> i64 {
    value::whole(&option["type"]).unwrap_or_default()
}

impl Check<'_> {
    /// Checks the options of a command, group or subcommand. Only the kinds in `allowed` are accepted here.
    pub(super) fn options(&mut self, path: &str, options: &Value, allowed: &[i64]) {
        let Some(options) = options.as_array() else {
            if !options.is_null() {
                self.problem(&format!("{path}has options that are no list: {options}"));
            }
            return;
        };
        if options.len() > MAX_OPTIONS {
            let count = options.len();
            self.problem(&format!("{path}has {count} options, and Discord takes {MAX_OPTIONS} at most"));
        }
        let nested = |option: &Value| matches!(kind(option), SUBCOMMAND | GROUP);
        if options.iter().any(nested) && !options.iter().all(nested) {
            self.problem(&format!("{path}mixes subcommands with other options"));
        }
        self.different_names(path, options);
        let mut optional_before = None;
        for option in options {
            let name = value::text(&option["name"]).unwrap_or_default();
            let place = format!("{path}option '{name}' ");
            self.option(path, option, allowed);
            if nested(option) {
                continue;
            }
            let required = option["required"].as_bool() == Some(true);
            match &optional_before {
                Some(before) if required => self.problem(&format!(
                    "{path}required option '{name}' comes after the optional one '{before}'"
                )),
                None if !required => optional_before = Some(name.clone()),
                _ => {}
            }
            self.values(&place, option);
        }
    }

    /// Checks the fields of an option that do not depend on its kind.
    fn option(&mut self, path: &str, option: &Value, allowed: &[i64]) {
        let name = value::text(&option["name"]).unwrap_or_default();
        let what = format!("{path}the name of option '{name}'");
        self.name(&what, &name, true);
        self.localizations(&what, &option["name_localizations"], |check, what, text| {
            check.name(what, text, true);
        });
        self.description(&format!("{path}the description of option '{name}'"), option);
        let place = format!("{path}option '{name}' ");
        self.boolean(&place, &option["required"], "required");
        match kind(option) {
            kind if !ANY.contains(&kind) => {
                self.problem(&format!("{place}has the type {}, which there is none of", option["type"]));
            }
            SUBCOMMAND | GROUP if !allowed.contains(&kind(option)) => {
                self.problem(&format!("{place}is nested deeper than command, group, subcommand"));
            }
            kind if !allowed.contains(&kind) => {
                self.problem(&format!("{place}is no subcommand, and a group has nothing else"));
            }
            SUBCOMMAND => self.options(&place, &option["options"], PARAMETERS),
            GROUP => self.options(&place, &option["options"], &[SUBCOMMAND]),
            _ => {}
        }
    }

    /// Checks that siblings have distinct names in every language: "distinct from all other default option names of
    /// that command, as well as all other option names within that locale" ("Localization").
    fn different_names(&mut self, path: &str, options: &[Value]) {
        let mut names = BTreeSet::new();
        for name in options.iter().filter_map(|option| option["name"].as_str()) {
            if !names.insert(name) {
                self.problem(&format!("{path}has two options named '{name}'"));
            }
        }
        let mut translated = BTreeSet::new();
        for option in options {
            let own = option["name"].as_str().unwrap_or_default();
            for (locale, name) in option["name_localizations"].as_object().into_iter().flatten() {
                let Some(name) = name.as_str() else { continue };
                if !translated.insert((locale, name)) || (name != own && names.contains(name)) {
                    self.problem(&format!(
                        "{path}has two options named '{name}' in '{locale}', where option '{own}' is called so"
                    ));
                }
            }
        }
    }

    /// Checks the fields that only some kinds of options have. Discord ignores them on other kinds.
    fn values(&mut self, place: &str, option: &Value) {
        let kind = kind(option);
        if kind == CHANNEL {
            self.numbers(place, &option["channel_types"], "channel_types", 0, CHANNEL_TYPES);
        }
        if kind == ATTACHMENT {
            self.file_types(place, &option["file_types"]);
        }
        if !has_values(kind) {
            return;
        }
        self.limits(place, option, kind);
        self.boolean(place, &option["autocomplete"], "autocomplete");
        let Some(choices) = option["choices"].as_array() else {
            if !option["choices"].is_null() {
                self.problem(&format!("{place}has choices that are no list: {}", option["choices"]));
            }
            return;
        };
        if choices.len() > MAX_OPTIONS {
            let count = choices.len();
            self.problem(&format!("{place}has {count} choices, and Discord takes {MAX_OPTIONS} at most"));
        }
        if !choices.is_empty() && option["autocomplete"].as_bool() == Some(true) {
            self.problem(&format!("{place}has choices and autocomplete, which exclude each other"));
        }
        // Several choices may have the same name or the same value.
        for choice in choices {
            self.choice(place, choice, kind);
        }
    }

    fn file_types(&mut self, place: &str, types: &Value) {
        let fits = |item: &Value| {
            let extension = |text: &str| {
                text.strip_prefix('.')
                    .is_some_and(|name| !name.is_empty() && !name.contains(char::is_whitespace))
            };
            value::text(item).is_some_and(|text| FILE_GROUPS.contains(&&*text) || extension(&text))
        };
        let all_fit =
            types.as_array().is_some_and(|types| types.len() <= MAX_FILE_TYPES && types.iter().all(fits));
        if !types.is_null() && !all_fit {
            self.problem(&format!(
                "{place}file_types is {types}, and Discord takes up to {MAX_FILE_TYPES} of {FILE_GROUPS:?} and \
                 extensions such as \".pdf\""
            ));
        }
    }

    fn choice(&mut self, place: &str, choice: &Value, kind: i64) {
        let name = value::text(&choice["name"]).unwrap_or_default();
        let what = format!("{place}choice name '{name}'");
        let check = |check: &mut Self, what: &str, text: &str| check.text(what, text.trim(), 1, 100);
        check(self, &what, &name);
        self.localizations(&what, &choice["name_localizations"], check);
        let given = &choice["value"];
        let fits = match kind {
            STRING => match value::text(given) {
                Some(text) => {
                    self.text(&format!("{place}choice value '{text}'"), &text, 0, 100);
                    true
                }
                None => false,
            },
            INTEGER => value::whole(given).is_some_and(is_safe),
            _ => value::number(given).is_some_and(|number| number.abs() <= MAX_NUMBER),
        };
        if !fits {
            self.problem(&format!(
                "{place}choice '{name}' has the value {given}, which is none of the option's"
            ));
        }
    }

    fn limits(&mut self, place: &str, option: &Value, kind: i64) {
        let (low, high) =
            if kind == STRING { ("min_length", "max_length") } else { ("min_value", "max_value") };
        let fits = |field: &str| {
            let limit = &option[field];
            limit.is_null()
                || match kind {
                    STRING => value::whole(limit)
                        .is_some_and(|length| (i64::from(field == high)..=MAX_TEXT).contains(&length)),
                    INTEGER => value::whole(limit).is_some_and(is_safe),
                    _ => value::number(limit).is_some_and(|number| number.abs() <= MAX_NUMBER),
                }
        };
        if !(fits(low) && fits(high)) {
            self.problem(&match kind {
                STRING => {
                    format!("{place}has a length limit outside 0 to 6000 (1 to 6000 for the upper one)")
                }
                INTEGER => format!("{place}has a limit that is no whole number from -(2^53 - 1) to 2^53 - 1"),
                _ => format!("{place}has a limit that is no number from -2^53 to 2^53"),
            });
        }
        if let (Some(least), Some(most)) = (value::number(&option[low]), value::number(&option[high]))
            && least > most
        {
            self.problem(&format!("{place}has a lower limit ({least}) above its upper one ({most})"));
        }
    }
}

fn is_safe(number: i64) -> bool {
    (-MAX_WHOLE..=MAX_WHOLE).contains(&number)
}
