//! Values: from a typed text to the value for an application, by the rules of the option.

use serde_json::{Map, Value, json};

use super::split::Raw;
use super::{Mistake, Named, Resolver, ValueError, nearest};
use crate::snowflake::Snowflake;
use crate::validate::command::{ChoiceValue, CommandOption, option};
use crate::validate::file_types;

/// Integers that JavaScript represents exactly; Discord accepts no others.
const SAFE: i64 = (1 << 53) - 1;
const SAFE_FLOAT: f64 = 9_007_199_254_740_992.0;
/// Longest text of any option, whatever its own limit.
const MAX_TEXT: u32 = 6000;

/// Looks values up, and collects the objects for `resolved`.
pub(super) struct Resolving<'r> {
    resolver: &'r mut dyn Resolver,
    locale: &'r str,
    resolved: Map<String, Value>,
}

impl<'r> Resolving<'r> {
    pub(super) fn new(resolver: &'r mut dyn Resolver, locale: &'r str) -> Self {
        Self { resolver, locale, resolved: Map::new() }
    }

    /// Returns everything that was looked up, by kind and id.
    pub(super) fn finish(self) -> Map<String, Value> {
        self.resolved
    }

    fn remember(&mut self, kind: &str, id: Snowflake, object: Value) {
        let of_kind = self.resolved.entry(kind).or_insert_with(|| json!({}));
        of_kind[id.to_string()] = object;
    }

    /// Returns the value of an option.
    pub(super) fn value(&mut self, option: &CommandOption, raw: &Raw) -> Result<Value, Mistake> {
        let value = self.checked(option, raw);
        value.map_err(|source| Mistake::Value { name: option.shown_name(self.locale).to_owned(), source })
    }

    /// Returns the text of an option that is still being typed: any text, or the beginning of a number.
    pub(super) fn partial(&self, option: &CommandOption, raw: &Raw) -> Result<String, Mistake> {
        let text = raw.typed();
        let number = text.trim().strip_prefix('-').unwrap_or(text.trim());
        let fits = match option.kind {
            option::INTEGER => number.chars().all(|c| c.is_ascii_digit()),
            // Such as "1." on the way to "1.5".
            option::NUMBER => {
                number.is_empty() || format!("{number}0").parse::<f64>().is_ok_and(f64::is_finite)
            }
            _ => true,
        };
        if fits {
            return Ok(text);
        }
        let typed = text;
        let source = match option.kind {
            option::INTEGER => ValueError::NotInteger { typed },
            _ => ValueError::NotNumber { typed },
        };
        Err(Mistake::Value { name: option.shown_name(self.locale).to_owned(), source })
    }

    fn checked(&mut self, option: &CommandOption, raw: &Raw) -> Result<Value, ValueError> {
        if !option.choices.is_empty() {
            return choice(option, self.locale, &raw.typed());
        }
        match option.kind {
            option::STRING => text(option, raw),
            option::INTEGER => integer(option, raw),
            option::NUMBER => number(option, raw),
            option::BOOLEAN => boolean(raw),
            option::USER => self.user(&raw.typed()),
            option::ROLE => self.role(&raw.typed()),
            option::CHANNEL => self.channel(option, &raw.typed()),
            option::MENTIONABLE => self.mentionable(&raw.typed()),
            option::ATTACHMENT => {
                let found = self.resolver.attach(&raw.typed()).map_err(ValueError::File)?;
                let filename = found.object["filename"].as_str().unwrap_or_default();
                if !file_types::takes(&option.file_types, filename) {
                    let (wanted, filename) = (option.file_types.clone(), filename.to_owned());
                    return Err(ValueError::FileKind { wanted, filename });
                }
                self.remember("attachments", found.id, found.object);
                Ok(json!(found.id))
            }
            kind => Err(ValueError::NoValue { kind }),
        }
    }

    fn user(&mut self, typed: &str) -> Result<Value, ValueError> {
        self.find_user(typed).ok_or_else(|| not_found("user", typed))
    }

    fn find_user(&mut self, typed: &str) -> Option<Value> {
        let found = self.resolver.user(Named::user(typed)?)?;
        self.remember("users", found.id, found.user);
        if let Some(member) = found.member {
            self.remember("members", found.id, member);
        }
        Some(json!(found.id))
    }

    fn role(&mut self, typed: &str) -> Result<Value, ValueError> {
        self.find_role(typed).ok_or_else(|| not_found("role", typed))
    }

    fn find_role(&mut self, typed: &str) -> Option<Value> {
        // The name of @everyone includes the at sign.
        let found = self.resolver.role(Named::role(typed)?).or_else(|| {
            let name = Some(typed).filter(|typed| typed.starts_with('@'))?;
            self.resolver.role(Named::Name(name))
        })?;
        self.remember("roles", found.id, found.object);
        Some(json!(found.id))
    }

    fn channel(&mut self, option: &CommandOption, typed: &str) -> Result<Value, ValueError> {
        let missing = || not_found("channel", typed);
        let named = Named::channel(typed).ok_or_else(missing)?;
        let found = self.resolver.channel(named).ok_or_else(missing)?;
        let kind = found.object["type"].as_u64();
        if !option.channel_types.is_empty()
            && !option.channel_types.iter().any(|of| Some(u64::from(*of)) == kind)
        {
            let wanted = option.channel_types.iter().map(|kind| channel_kind(*kind)).collect();
            return Err(ValueError::ChannelKind { wanted, typed: typed.to_owned() });
        }
        self.remember("channels", found.id, found.object);
        Ok(json!(found.id))
    }

    fn mentionable(&mut self, typed: &str) -> Result<Value, ValueError> {
        self.find_user(typed)
            .or_else(|| self.find_role(typed))
            .ok_or_else(|| not_found("user or role", typed))
    }
}

fn not_found(kind: &'static str, typed: &str) -> ValueError {
    ValueError::NotFound { kind, typed: typed.to_owned() }
}

fn channel_kind(kind: u8) -> &'static str {
    match kind {
        0 => "text channels",
        1 | 3 => "direct messages",
        2 => "voice channels",
        4 => "categories",
        5 => "announcement channels",
        10..=12 => "threads",
        13 => "stages",
        15 => "forums",
        16 => "media channels",
        _ => "directories",
    }
}

fn choice(option: &CommandOption, locale: &str, typed: &str) -> Result<Value, ValueError> {
    let by_shown_name = option.choices.iter().find(|choice| choice.shown_name(locale) == typed);
    let by_name = || option.choices.iter().find(|choice| choice.name == typed);
    let by_loose_name = || {
        let typed = typed.to_lowercase();
        option.choices.iter().find(|choice| {
            [choice.shown_name(locale), &choice.name].iter().any(|name| name.to_lowercase() == typed)
        })
    };
    let by_value = || option.choices.iter().find(|choice| choice.value.to_string() == typed);
    let by_number = || {
        let typed = typed.parse::<f64>().ok()?;
        option.choices.iter().find(|choice| match &choice.value {
            ChoiceValue::Float(value) => (value - typed).abs() < f64::EPSILON,
            ChoiceValue::Int(_) | ChoiceValue::Text(_) => false,
        })
    };
    let found = by_shown_name.or_else(by_name).or_else(by_value).or_else(by_loose_name).or_else(by_number);
    if let Some(choice) = found {
        return Ok(json!(choice.value));
    }
    let names = || option.choices.iter().map(|choice| choice.shown_name(locale));
    let choices = names().map(str::to_owned).collect();
    Err(ValueError::NoChoice { typed: typed.to_owned(), choices, nearest: nearest(typed, names()) })
}

fn text(option: &CommandOption, raw: &Raw) -> Result<Value, ValueError> {
    let text = match raw {
        Raw::Json(value) if !value.is_string() => return Err(ValueError::NotText { value: value.clone() }),
        raw => raw.typed(),
    };
    let length = text.chars().count();
    let (min, max) = (option.min_length.unwrap_or(0), option.max_length.unwrap_or(MAX_TEXT));
    if length == 0 && option.required {
        return Err(ValueError::Empty);
    }
    if length < min as usize {
        return Err(ValueError::TooShort { min, length });
    }
    if length > max as usize {
        return Err(ValueError::TooLong { max, length });
    }
    Ok(json!(text))
}

fn integer(option: &CommandOption, raw: &Raw) -> Result<Value, ValueError> {
    let number = match raw {
        Raw::Json(Value::Number(number)) => number.as_i64(),
        raw => raw.typed().trim().parse().ok(),
    };
    let Some(number) = number.filter(|number| (-SAFE..=SAFE).contains(number)) else {
        return Err(ValueError::NotInteger { typed: raw.typed() });
    };
    #[expect(clippy::cast_precision_loss, reason = "within 2^53 nothing is lost")]
    in_range(option, number as f64)?;
    Ok(json!(number))
}

fn number(option: &CommandOption, raw: &Raw) -> Result<Value, ValueError> {
    let number = match raw {
        Raw::Json(Value::Number(number)) => number.as_f64(),
        raw => raw.typed().trim().parse().ok(),
    };
    let Some(number) = number.filter(|number: &f64| number.abs() <= SAFE_FLOAT) else {
        return Err(ValueError::NotNumber { typed: raw.typed() });
    };
    in_range(option, number)?;
    Ok(json!(number))
}

fn in_range(option: &CommandOption, number: f64) -> Result<(), ValueError> {
    match (option.min_value, option.max_value) {
        (Some(min), _) if number < min.as_f64() => Err(ValueError::Below { min, number }),
        (_, Some(max)) if number > max.as_f64() => Err(ValueError::Above { max, number }),
        _ => Ok(()),
    }
}

fn boolean(raw: &Raw) -> Result<Value, ValueError> {
    match raw.typed().to_lowercase().as_str() {
        "true" => Ok(json!(true)),
        "false" => Ok(json!(false)),
        other => Err(ValueError::NotBoolean { typed: other.to_owned() }),
    }
}
