//! Submitting modals: each input filled in within its limits, as Discord's client requires.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::components::{called, chosen, option_value};
use super::values::{FileGiven, Lookup, Resolved};
use super::{BadRequest, find};
use crate::live::{Live, Trigger};
use crate::snowflake::Snowflake;
use crate::state::interaction::{self, Interaction, Response};
use crate::validate::component::{flatten, kind};

/// A modal to submit.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SubmitModal {
    /// Interaction that opened it.
    pub(super) interaction: Snowflake,
    /// User who submits it; only the one for whom it was opened can.
    #[serde(rename = "as")]
    pub(super) user: Option<String>,
    /// Inputs by custom id: a text, a list of choices, or true and false.
    #[serde(default)]
    pub(super) values: Map<String, Value>,
    /// Files for upload inputs, by the path in the input.
    #[serde(default)]
    pub(super) files: HashMap<String, FileGiven>,
    /// How long to wait for a deferred answer, from the start.
    pub(super) deadline_ms: Option<u64>,
    /// How long to wait after the answer, for second callbacks and followups.
    pub(super) settle_ms: Option<u64>,
    /// Whether to wait no longer than for the bot's first callback; what comes later is in the stream.
    #[serde(default)]
    pub(super) until_acknowledged: bool,
}

/// Creates the interaction of a submitted modal.
pub(super) fn submit(live: &mut Live<'_>, asked: &SubmitModal) -> Result<Trigger, BadRequest> {
    let opened = live.interactions.get(asked.interaction).ok_or_else(|| {
        BadRequest::missing(format!("There is no interaction {} any more.", asked.interaction))
    })?;
    let Response::Modal(modal) = &opened.response else {
        return Err(BadRequest::new("This interaction was not answered with a modal."));
    };
    refuse_if_submitted(live, opened)?;
    let modal = modal.clone();
    let (user, channel, application) = (opened.user_id, opened.channel_id, opened.application_id);
    let message = opened.source_message;
    if let Some(wanted) = &asked.user
        && find::person(live, wanted)?.id != user
    {
        let owner = live.user(user)?.username.clone();
        return Err(BadRequest::new(format!(
            "The modal was opened for {owner}, so {wanted} cannot submit it."
        )));
    }
    let top = modal["components"].as_array().cloned().unwrap_or_default();
    let known: Vec<&str> = flatten(&top).iter().filter_map(|c| c["custom_id"].as_str()).collect();
    if let Some(stray) = asked.values.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(BadRequest::new(format!(
            "The modal has no input \"{stray}\"; it has {}.",
            known.join(", ")
        )));
    }
    let mut lookup = Lookup::new(live, user, channel, &asked.files);
    let mut resolved = Resolved::default();
    let components = top
        .iter()
        .map(|component| filled(component, asked, &mut lookup, &mut resolved))
        .collect::<Result<Vec<_>, _>>()?;
    let mut data = json!({ "custom_id": modal["custom_id"], "components": components });
    if let Some(resolved) = resolved.finish() {
        data["resolved"] = resolved;
    }
    Ok(Trigger {
        application,
        kind: interaction::kind::MODAL_SUBMIT,
        user,
        channel,
        data,
        message,
        command: None,
        opener: Some(asked.interaction),
    })
}

/// Refuses a second submission: Discord's client closes the modal with the bot's answer, and keeps it open for a retry
/// only if no answer came in time.
fn refuse_if_submitted(live: &Live<'_>, opened: &Interaction) -> Result<(), BadRequest> {
    let Some(submission) = opened.submission else { return Ok(()) };
    match live.interactions.get(submission) {
        Some(earlier) if earlier.is_acknowledged() => {}
        Some(earlier) if earlier.created.elapsed() <= live.limits.response => {
            return Err(BadRequest::new(format!(
                "This modal is being submitted: interaction {submission} waits for the bot's answer."
            )));
        }
        Some(_) => return Ok(()),
        None => {}
    }
    Err(BadRequest::new(format!(
        "This modal was submitted before, by interaction {submission}, and is closed; run what opened it again."
    )))
}

/// Returns a component of the modal with the user's input.
fn filled(
    component: &Value,
    asked: &SubmitModal,
    lookup: &mut Lookup<'_>,
    resolved: &mut Resolved,
) -> Result<Value, BadRequest> {
    let mut out = json!({ "id": component["id"], "type": component["type"] });
    if let Some(children) = component["components"].as_array() {
        let children = children.iter().map(|child| filled(child, asked, lookup, resolved));
        out["components"] = children.collect::<Result<Vec<_>, _>>()?.into();
        return Ok(out);
    }
    if component["component"].is_object() {
        out["component"] = filled(&component["component"], asked, lookup, resolved)?;
        return Ok(out);
    }
    let Some(custom_id) = component["custom_id"].as_str() else { return Ok(out) };
    out["custom_id"] = custom_id.into();
    let given = asked.values.get(custom_id).filter(|value| !value.is_null());
    let required = component["required"].as_bool().unwrap_or(true);
    let component_kind = component["type"].as_u64().and_then(|kind| u8::try_from(kind).ok()).unwrap_or(0);
    match component_kind {
        kind::TEXT_INPUT => out["value"] = text(component, given, required)?.into(),
        kind::RADIO_GROUP => {
            let wanted = match given {
                Some(other) if !other.is_string() => {
                    return Err(BadRequest::new(format!(
                        "\"{custom_id}\" takes one choice as text, not {other}."
                    )));
                }
                given => given.and_then(Value::as_str),
            };
            out["value"] = match wanted {
                Some(wanted) => option_value(component, wanted).ok_or_else(|| {
                    BadRequest::new(format!("\"{custom_id}\" does not offer \"{wanted}\"."))
                })?,
                None if required => return Err(empty(custom_id)),
                None => Value::Null,
            };
        }
        kind::CHECKBOX => {
            // On the command line every value is a text.
            out["value"] = match given {
                None => false.into(),
                Some(Value::Bool(ticked)) => (*ticked).into(),
                Some(Value::String(text)) if text == "true" || text == "false" => (text == "true").into(),
                Some(other) => {
                    return Err(BadRequest::new(format!(
                        "\"{custom_id}\" is a checkbox and takes true or false, not {other}."
                    )));
                }
            };
        }
        kind::CHECKBOX_GROUP => {
            let wanted = list(custom_id, given)?;
            if wanted.is_empty() && required {
                return Err(empty(custom_id));
            }
            let values = wanted.iter().map(|wanted| {
                option_value(component, wanted)
                    .ok_or_else(|| BadRequest::new(format!("\"{custom_id}\" does not offer \"{wanted}\".")))
            });
            out["values"] = values.collect::<Result<Vec<_>, _>>()?.into();
        }
        kind::FILE_UPLOAD => {
            let wanted = list(custom_id, given)?;
            if wanted.is_empty() && required {
                return Err(empty(custom_id));
            }
            let types = list(custom_id, component.get("file_types"))?;
            let ids = wanted.iter().map(|path| {
                let attached = resolved.attachment(lookup, path, &types);
                attached.map_err(|error| BadRequest::new(format!("\"{custom_id}\" {error}.")))
            });
            out["values"] = ids.map(|id| id.map(|id| json!(id))).collect::<Result<Vec<_>, _>>()?.into();
        }
        _ => {
            let wanted = list(custom_id, given)?;
            out["values"] = if wanted.is_empty() && !required {
                json!([])
            } else {
                chosen(component, &wanted, lookup, resolved)?.into()
            };
        }
    }
    Ok(out)
}

fn empty(custom_id: &str) -> BadRequest {
    BadRequest::new(format!("\"{custom_id}\" must be filled in."))
}

/// Returns one text or several. Anything else is refused.
fn list(custom_id: &str, given: Option<&Value>) -> Result<Vec<String>, BadRequest> {
    let text = |item: &Value| {
        let refusal =
            || BadRequest::new(format!("\"{custom_id}\" takes a text or a list of texts, not {item}."));
        item.as_str().map(str::to_owned).ok_or_else(refusal)
    };
    match given {
        Some(Value::Array(items)) => items.iter().map(text).collect(),
        Some(one) => Ok(vec![text(one)?]),
        None => Ok(Vec::new()),
    }
}

/// Returns the text of an input. The default is the bot's prefilled value.
fn text(input: &Value, given: Option<&Value>, required: bool) -> Result<String, BadRequest> {
    let custom_id = input["custom_id"].as_str().unwrap_or_default();
    let value = match given {
        Some(Value::String(text)) => text.clone(),
        Some(other) => return Err(BadRequest::new(format!("{} takes text, not {other}.", called(input)))),
        None => input["value"].as_str().unwrap_or_default().to_owned(),
    };
    let length = u64::try_from(value.chars().count()).unwrap_or(u64::MAX);
    if length == 0 {
        return if required { Err(empty(custom_id)) } else { Ok(value) };
    }
    let least = input["min_length"].as_u64().unwrap_or(0);
    let most = input["max_length"].as_u64().unwrap_or(4000);
    if (least..=most).contains(&length) {
        Ok(value)
    } else {
        Err(BadRequest::new(format!("\"{custom_id}\" takes {least} to {most} characters, not {length}.")))
    }
}
