//! Pressing buttons and choosing from menus: only components that are on the message, enabled, and visible to the user.

use serde::Deserialize;
use serde_json::{Value, json};

use super::values::{Lookup, Resolved};
use super::{BadRequest, find};
use crate::live::{Live, Trigger};
use crate::snowflake::Snowflake;
use crate::state::interaction;
use crate::state::message::Message;
use crate::validate::component::{flatten, kind};

/// A button to press, or a menu to choose from.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UseComponent {
    /// User.
    #[serde(rename = "as")]
    pub(super) user: String,
    /// Its message.
    pub(super) message: Snowflake,
    /// Its custom id, or otherwise its label.
    pub(super) component: Option<String>,
    /// Its custom id.
    pub(super) custom_id: Option<String>,
    /// Its label or placeholder.
    pub(super) label: Option<String>,
    /// Values chosen from a menu.
    #[serde(default)]
    pub(super) values: Vec<String>,
    /// How long to wait for a deferred answer, from the start.
    pub(super) deadline_ms: Option<u64>,
    /// How long to wait after the answer, for second callbacks and followups.
    pub(super) settle_ms: Option<u64>,
    /// Whether to wait no longer than for the bot's first callback; what comes later is in the stream.
    #[serde(default)]
    pub(super) until_acknowledged: bool,
}

/// What comes of using a component.
pub(super) enum Used {
    /// An interaction.
    Interaction(Box<Trigger>),
    /// A premium button offers this SKU. No bot hears of it.
    Offer(Value),
}

/// Uses a component.
pub(super) fn press(live: &mut Live<'_>, asked: &UseComponent) -> Result<Used, BadRequest> {
    let user = find::person(live, &asked.user)?;
    let (user, name) = (user.id, user.username.clone());
    let message = live
        .message_seen_by(user, asked.message)
        .ok_or_else(|| BadRequest::missing(format!("{name} sees no message {}.", asked.message)))?;
    let component = choose(message, asked)?;
    if !component["sku_id"].is_null() {
        return offer(live, component).map(Used::Offer);
    }
    let component = component.clone();
    let (channel, application) = (message.channel_id, message.application_id.or(message.author_id()));
    let application = application
        .filter(|id| live.applications.contains_key(id))
        .ok_or_else(|| BadRequest::new("No bot answers for the components of this message."))?;
    if component["disabled"] == true {
        return Err(BadRequest::new(format!("{} is disabled.", called(&component))));
    }
    let component_kind = component["type"].as_u64().unwrap_or(0);
    if component["custom_id"].is_null() {
        return Err(BadRequest::new(format!("{} is a link; it reaches no bot.", called(&component))));
    }
    let mut data = json!({
        "id": component["id"],
        "custom_id": component["custom_id"],
        "component_type": component["type"],
    });
    if component_kind != u64::from(kind::BUTTON) {
        let files = std::collections::HashMap::new();
        let mut lookup = Lookup::new(live, user, channel, &files);
        let mut resolved = Resolved::default();
        data["values"] = chosen(&component, &asked.values, &mut lookup, &mut resolved)?.into();
        if let Some(resolved) = resolved.finish() {
            data["resolved"] = resolved;
        }
    }
    Ok(Used::Interaction(Box::new(Trigger {
        application,
        kind: interaction::kind::COMPONENT,
        user,
        channel,
        data,
        message: Some(asked.message),
        command: None,
        opener: None,
    })))
}

/// Returns the SKU that a premium button offers.
fn offer(live: &Live<'_>, component: &Value) -> Result<Value, BadRequest> {
    if component["disabled"] == true {
        return Err(BadRequest::new("The premium button is disabled."));
    }
    let sku = Snowflake::deserialize(&component["sku_id"]).ok().and_then(|id| live.store.skus.get(&id));
    let shown = sku.and_then(|sku| sku.json().pop());
    shown.ok_or_else(|| BadRequest::missing("What the premium button offers is not sold any more."))
}

fn is_usable(component: &Value) -> bool {
    let kinds = [
        kind::BUTTON,
        kind::STRING_SELECT,
        kind::USER_SELECT,
        kind::ROLE_SELECT,
        kind::MENTIONABLE_SELECT,
        kind::CHANNEL_SELECT,
    ];
    kinds.iter().any(|kind| component["type"] == *kind)
}

/// Returns a name for a component in messages.
pub(super) fn called(component: &Value) -> String {
    let name = ["label", "placeholder", "custom_id"].iter().find_map(|key| component[*key].as_str());
    let what = if component["type"] == kind::BUTTON { "The button" } else { "The menu" };
    match name.or(component["emoji"]["name"].as_str()) {
        Some(name) => format!("{what} \"{name}\""),
        None => what.to_owned(),
    }
}

/// Returns the component that is meant, by custom id, or by its label.
fn choose<'a>(message: &'a Message, asked: &UseComponent) -> Result<&'a Value, BadRequest> {
    let usable: Vec<&Value> = flatten(&message.components).into_iter().filter(|c| is_usable(c)).collect();
    let by_id = |id: &String| usable.iter().find(|component| component["custom_id"] == id.as_str());
    let by_text = |label: &String| {
        usable.iter().find(|component| {
            let texts = [
                &component["label"],
                &component["placeholder"],
                &component["emoji"]["name"],
                &component["sku_id"],
            ];
            texts.iter().any(|text| text.as_str().is_some_and(|text| text.eq_ignore_ascii_case(label)))
        })
    };
    let found = match (&asked.component, &asked.custom_id, &asked.label) {
        (Some(either), _, _) => by_id(either).or_else(|| by_text(either)),
        (None, Some(id), _) => by_id(id),
        (None, None, Some(label)) => by_text(label),
        (None, None, None) if usable.len() == 1 => usable.first(),
        (None, None, None) => None,
    };
    found.copied().ok_or_else(|| {
        let wanted = [&asked.component, &asked.custom_id, &asked.label].into_iter().flatten().next();
        let wanted = wanted.map_or("without a name", String::as_str);
        let names: Vec<String> = usable.iter().map(|component| called(component)).collect();
        let there = if names.is_empty() { "no components".to_owned() } else { names.join(", ") };
        BadRequest::missing(format!("There is no component \"{wanted}\" on this message; there are {there}."))
    })
}

/// Returns the values of a menu, checked against its options.
pub(super) fn chosen(
    menu: &Value,
    wanted: &[String],
    lookup: &mut Lookup<'_>,
    resolved: &mut Resolved,
) -> Result<Vec<Value>, BadRequest> {
    let bound = |key: &str| menu[key].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(1);
    let (least, most) = (bound("min_values"), bound("max_values"));
    if !(least..=most).contains(&wanted.len()) {
        let range = if least == most { least.to_string() } else { format!("{least} to {most}") };
        return Err(BadRequest::new(format!("{} takes {range} values, not {}.", called(menu), wanted.len())));
    }
    let unknown = |value: &str| BadRequest::new(format!("{} does not offer \"{value}\".", called(menu)));
    let menu_kind = menu["type"].as_u64().and_then(|kind| u8::try_from(kind).ok()).unwrap_or(0);
    let empty = Vec::new();
    let mut values = Vec::new();
    for text in wanted {
        let found = match menu_kind {
            kind::STRING_SELECT => option_value(menu, text),
            kind::USER_SELECT => resolved.user(lookup, text).map(|id| json!(id)),
            kind::ROLE_SELECT => resolved.role(lookup, text).map(|id| json!(id)),
            kind::MENTIONABLE_SELECT => {
                resolved.user(lookup, text).or_else(|| resolved.role(lookup, text)).map(|id| json!(id))
            }
            _ => {
                let types = menu["channel_types"].as_array().unwrap_or(&empty);
                resolved.channel(lookup, text, types).map(|id| json!(id))
            }
        };
        let value = found.ok_or_else(|| unknown(text))?;
        if values.contains(&value) {
            return Err(BadRequest::new(format!("\"{text}\" is chosen twice.")));
        }
        values.push(value);
    }
    Ok(values)
}

/// Returns the value of an option, found by value or by label.
pub(super) fn option_value(menu: &Value, wanted: &str) -> Option<Value> {
    let options = menu["options"].as_array()?;
    let by = |key: &str| options.iter().find(|option| option[key] == wanted);
    by("value").or_else(|| by("label")).map(|option| option["value"].clone())
}
