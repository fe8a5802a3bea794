//! What new members of a Community guild do: answer onboarding, follow the Server Guide, request to join.

use std::collections::HashMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{post, put};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{BadRequest, Control, Path, Request, find};
use crate::live::community::answered;
use crate::snowflake::Snowflake;
use crate::state::community::{JoinRequest, RequestStatus};

pub(super) fn routes() -> Router<Control> {
    Router::new()
        .route("/sandbox/guilds/{guild}/new-member-welcome", put(set_guide))
        .route("/sandbox/guilds/{guild}/join-form", put(set_form))
        .route("/sandbox/guilds/{guild}/members/{user}/onboarding", post(onboarding))
        .route("/sandbox/guilds/{guild}/members/{user}/actions", post(action))
        .route("/sandbox/guilds/{guild}/requests/{user}", put(ask).delete(withdraw))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Answers {
    /// Titles or ids of options by the title or id of their prompt. Without it, onboarding has only begun.
    answers: Option<HashMap<String, Vec<String>>>,
}

/// Answers the prompts of onboarding as a member. Returns the member, and the channels that they opt into.
async fn onboarding(
    State(control): State<Control>,
    Path((guild, user)): Path<(String, String)>,
    Request(asked): Request<Answers>,
) -> Result<Json<Value>, BadRequest> {
    let mut live = control.discord.lock();
    let (guild, user) = find::member(&live, &guild, &user)?;
    let channels = live.answer_onboarding(guild, user, asked.answers.as_ref()).map_err(BadRequest::new)?;
    Ok(Json(json!({ "member": live.member_json(guild, user)?, "channels": channels })))
}

/// An emoji of the guide.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Emoji {
    #[serde(default)]
    id: Option<Snowflake>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    animated: bool,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Message {
    author_ids: Vec<Snowflake>,
    message: String,
}

/// An action of the guide (with `action_type`, 0 to view, 1 to talk), or a resource.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Item {
    channel_id: Snowflake,
    #[serde(skip_serializing_if = "Option::is_none")]
    action_type: Option<u8>,
    title: String,
    #[serde(default)]
    description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    emoji: Option<Emoji>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Guide {
    enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    welcome_message: Option<Message>,
    #[serde(default)]
    new_member_actions: Vec<Item>,
    #[serde(default)]
    resource_channels: Vec<Item>,
}

/// Sets the Server Guide as the owner.
async fn set_guide(
    State(control): State<Control>,
    Path(guild): Path<String>,
    Request(mut guide): Request<Guide>,
) -> Result<Json<Value>, BadRequest> {
    let mut live = control.discord.lock();
    let found = find::guild(&live, Some(&guild))?;
    let (id, owner) = (found.id, found.owner_id);
    let items = guide.new_member_actions.iter().chain(&guide.resource_channels);
    if let Some(item) = items.into_iter().find(|item| !found.channels.contains(&item.channel_id)) {
        return Err(BadRequest::missing(format!("{} has no channel {}.", found.name, item.channel_id)));
    }
    for item in &mut guide.new_member_actions {
        if *item.action_type.get_or_insert(0) > 1 {
            return Err(BadRequest::new("An action's type is 0 to view or 1 to talk."));
        }
    }
    for item in &mut guide.resource_channels {
        item.action_type = None;
    }
    let mut shown = json!(guide);
    shown["guild_id"] = json!(id);
    live.set_guide(id, &shown, owner)?;
    Ok(Json(shown))
}

#[derive(Debug, Deserialize)]
struct Action {
    channel: String,
}

/// Completes an action of the Server Guide as a member.
async fn action(
    State(control): State<Control>,
    Path((guild, user)): Path<(String, String)>,
    Request(action): Request<Action>,
) -> Result<Json<Value>, BadRequest> {
    let mut live = control.discord.lock();
    let channel = find::by_name(&live, &action.channel, Some(&guild))?;
    let (guild, user) = find::member(&live, &guild, &user)?;
    live.complete_action(guild, user, channel).map_err(BadRequest::new)?;
    Ok(Json(live.member_json(guild, user)?))
}

/// A field of the form for those who want to join, as Discord's API has it.
#[derive(Debug, Deserialize, Serialize)]
#[serde(tag = "field_type", rename_all = "SCREAMING_SNAKE_CASE", deny_unknown_fields)]
enum Field {
    Terms {
        label: String,
        #[serde(default)]
        required: bool,
        values: Vec<String>,
    },
    TextInput {
        label: String,
        #[serde(default)]
        required: bool,
    },
    Paragraph {
        label: String,
        #[serde(default)]
        required: bool,
    },
    MultipleChoice {
        label: String,
        #[serde(default)]
        required: bool,
        choices: Vec<String>,
    },
}

/// Sets the form for those who want to join.
async fn set_form(
    State(control): State<Control>,
    Path(guild): Path<String>,
    Request(fields): Request<Vec<Field>>,
) -> Result<Json<Value>, BadRequest> {
    let mut live = control.discord.lock();
    let id = find::guild(&live, Some(&guild))?.id;
    let form: Vec<Value> = fields.iter().map(|field| json!(field)).collect();
    live.guild_mut(id)?.community.form.clone_from(&form);
    Ok(Json(form.into()))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Ask {
    /// Answers by the label of their field: text, an index for a choice, true for terms.
    responses: Map<String, Value>,
    /// Only begins, without sending the form.
    start: bool,
}

/// Requests to join a guild as a user. Returns the request.
async fn ask(
    State(control): State<Control>,
    Path((guild, user)): Path<(String, String)>,
    Request(asked): Request<Ask>,
) -> Result<Json<Value>, BadRequest> {
    let mut live = control.discord.lock();
    let user = find::person(&live, &user)?.id;
    let found = find::guild(&live, Some(&guild))?;
    let id = found.id;
    if found.members.contains_key(&user) {
        return Err(BadRequest::new(format!("The user is a member of {}.", found.name)));
    }
    if found.bans.contains_key(&user) {
        return Err(crate::error::ApiError::banned().into());
    }
    let form = &found.community.form;
    let is_field = |label: &&String| form.iter().any(|field| field["label"] == label.as_str());
    if let Some(label) = asked.responses.keys().find(|label| !is_field(label)) {
        return Err(BadRequest::new(format!("The form has no field \"{label}\".")));
    }
    let answer =
        |field: &Value| answered(field, field["label"].as_str().and_then(|label| asked.responses.get(label)));
    let (status, responses) = if asked.start {
        (RequestStatus::Started, Vec::new())
    } else {
        let responses: Result<Vec<Value>, String> = form.iter().map(answer).collect();
        (RequestStatus::Submitted, responses.map_err(BadRequest::new)?)
    };
    // A request that was begun is sent, one that was rejected is made anew.
    let open = found.community.requests.values().find(|request| {
        request.user == user && matches!(request.status, RequestStatus::Started | RequestStatus::Submitted)
    });
    let request = JoinRequest {
        id: open.map_or_else(|| live.next_id(), |request| request.id),
        user,
        status,
        reviewed_at: None,
        reviewer: None,
        rejection_reason: None,
        responses,
    };
    live.saw(user);
    let shown = request.json(&live, id);
    live.guild_mut(id)?.community.requests.insert(request.id, request);
    Ok(Json(shown))
}

/// Withdraws a request to join that has not been reviewed.
async fn withdraw(
    State(control): State<Control>,
    Path((guild, user)): Path<(String, String)>,
) -> Result<StatusCode, BadRequest> {
    let mut live = control.discord.lock();
    let (guild, user) = find::member(&live, &guild, &user)?;
    let requests = &mut live.guild_mut(guild)?.community.requests;
    let before = requests.len();
    requests.retain(|_, request| request.user != user || request.reviewed_at.is_some());
    if requests.len() == before {
        return Err(BadRequest::missing("The user has no open request there."));
    }
    Ok(StatusCode::NO_CONTENT)
}
