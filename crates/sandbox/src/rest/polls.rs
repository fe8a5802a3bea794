//! Polls: ending them.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::Value;

use super::request::Bot;
use super::{Ids, Rest, messages};
use crate::error::{ApiError, ApiResult};
use crate::permissions::Permissions;
use crate::state::clock;

pub(super) fn routes() -> Router<Rest> {
    Router::new().route("/channels/{channel_id}/polls/{message_id}/expire", post(expire))
}

/// Ends a poll of the bot before its time (Poll Resource, "End Poll").
async fn expire(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([channel, id]): Ids<2>,
) -> ApiResult<Json<Value>> {
    let mut live = rest.discord.lock();
    live.channel_for(channel, bot, Permissions::NONE)?;
    let message = live.any_message_mut(channel, id).ok_or_else(ApiError::unknown_message)?;
    let author = message.author_id();
    let poll = message
        .poll
        .as_mut()
        .ok_or_else(|| ApiError::new(StatusCode::BAD_REQUEST, 520_006, "Cannot expire a non-poll message"))?;
    if author != Some(bot) {
        return Err(ApiError::not_author());
    }
    let now = clock::now();
    let over = poll["expiry"].as_str().and_then(clock::parse).is_some_and(|expiry| expiry <= now);
    if over {
        return Err(ApiError::new(StatusCode::BAD_REQUEST, 520_001, "Poll expired"));
    }
    poll["expiry"] = clock::iso(now).into();
    poll["results"]["is_finalized"] = true.into();
    live.announce_edit(channel, id);
    messages::show(&live, bot, channel, id)
}
