//! Interaction callbacks.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::request::parse_id;
use super::{Payload, Query, Rest};
use crate::error::{ApiError, ApiResult};
use crate::state::message::flag;

pub(super) fn routes() -> Router<Rest> {
    Router::new().route("/interactions/{interaction_id}/{token}/callback", post(callback))
}

async fn callback(
    State(rest): State<Rest>,
    Path((id, token)): Path<(String, String)>,
    query: Query,
    payload: Payload,
) -> ApiResult<Response> {
    let id = parse_id("interaction_id", &id)?;
    let Payload { json: body, uploads } = payload;
    let kind = body.get("type").and_then(Value::as_u64).unwrap_or(0);
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
    answer["resource"] = match (kind, message) {
        (4 | 5 | 7, Some(message)) => {
            json!({ "type": kind, "message": message.json(&live, Some(interaction.application_id)) })
        }
        _ => json!({ "type": kind }),
    };
    Ok(Json(answer).into_response())
}
