//! Interaction callbacks.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::json;

use super::request::parse_id;
use super::{Form, Path, Payload, Query, Rest};
use crate::error::{ApiError, ApiResult};
use crate::state;
use crate::state::message::flag;

pub(super) fn routes() -> Router<Rest> {
    Router::new().route("/interactions/{interaction_id}/{token}/callback", post(callback))
}

async fn callback(
    State(rest): State<Rest>,
    Path((id, token)): Path<(String, String)>,
    query: Query,
    Form(payload): Form,
) -> ApiResult<Response> {
    let id = parse_id("interaction_id", &id)?;
    let Payload { json: body, uploads } = payload;
    let mut live = rest.discord.lock();
    let message = live.respond(id, &token, &body, uploads)?;
    if !query.flag("with_response") {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let Some(interaction) = live.interactions.get(id) else { return Err(ApiError::unknown_interaction()) };
    let message = message.and_then(|id| live.any_message(interaction.channel_id, id));
    let mut answer = json!({ "interaction": {
        "id": id,
        "type": interaction.kind,
        "channel_id": interaction.channel_id,
    } });
    if let Some(guild) = interaction.guild_id {
        answer["interaction"]["guild_id"] = json!(guild);
    }
    if let Some(message) = message {
        answer["interaction"]["response_message_id"] = json!(message.id);
        answer["interaction"]["response_message_loading"] = (message.flags & flag::LOADING != 0).into();
        answer["interaction"]["response_message_ephemeral"] = (message.flags & flag::EPHEMERAL != 0).into();
    }
    // Only a created or edited message is a resource. The documentation names 4 and 7 for messages; clients show that
    // the loading message of a 5 is returned too.
    let kind = match &interaction.response {
        state::interaction::Response::Message => Some(4),
        state::interaction::Response::Deferred => Some(5),
        state::interaction::Response::Updated => Some(7),
        _ => None,
    };
    if let (Some(kind), Some(message)) = (kind, message) {
        let message = message.json(&live, Some(interaction.application_id));
        answer["resource"] = json!({ "type": kind, "message": message });
    }
    if let state::interaction::Response::Launched(instance) = &interaction.response {
        answer["interaction"]["activity_instance_id"] = json!(instance);
        answer["resource"] = json!({ "type": 12, "activity_instance": { "id": instance } });
    }
    Ok(Json(answer).into_response())
}
