//! Recipients of group direct messages.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::put;
use axum::{Json, Router};

use super::request::Bot;
use super::{Ids, Payload, Rest};
use crate::error::ApiResult;
use crate::validate;

pub(super) fn routes() -> Router<Rest> {
    Router::new().route("/channels/{channel_id}/recipients/{user_id}", put(add).delete(remove))
}

async fn add(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([channel, user]): Ids<2>,
    payload: Payload,
) -> ApiResult<Response> {
    let token = validate::user::add_recipient(&payload.json)?;
    let mut live = rest.discord.lock();
    if !live.add_recipient(bot, channel, user, &token)? {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let shown = live.channel_json(live.channel(channel)?, Some(bot));
    Ok((StatusCode::CREATED, Json(shown)).into_response())
}

async fn remove(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([channel, user]): Ids<2>,
) -> ApiResult<StatusCode> {
    rest.discord.lock().remove_recipient(bot, channel, user)?;
    Ok(StatusCode::NO_CONTENT)
}
