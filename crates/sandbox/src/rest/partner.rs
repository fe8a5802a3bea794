//! The partner SDK: provisional accounts of players, and moderation of direct messages.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{post, put};
use axum::{Json, Router};
use serde_json::Value;

use super::request::Bot;
use super::{Form, Ids, Payload, Rest};
use crate::error::{ApiError, ApiResult};
use crate::live::Live;
use crate::validate;

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route("/partner-sdk/token", post(token))
        .route("/partner-sdk/token/bot", post(bot_token))
        .route("/partner-sdk/provisional-accounts/unmerge", post(unmerge))
        .route("/partner-sdk/provisional-accounts/unmerge/bot", post(bot_unmerge))
        .route(
            "/partner-sdk/dms/{user_id_1}/{user_id_2}/messages/{message_id}/moderation-metadata",
            put(moderate),
        )
}

async fn token(State(rest): State<Rest>, _: Option<Bot>, payload: Payload) -> ApiResult<Json<Value>> {
    let external = validate::partner::external(&payload.json)?;
    let mut live = rest.discord.lock();
    let (identity, name) = live.external_player(&external)?;
    Ok(Json(live.player_token(identity, name)?))
}

async fn bot_token(State(rest): State<Rest>, Bot(bot): Bot, payload: Payload) -> ApiResult<Json<Value>> {
    let player = validate::partner::player(&payload.json)?;
    let identity = Live::own_player(bot, player.external_user_id);
    Ok(Json(rest.discord.lock().player_token(identity, player.preferred_global_name)?))
}

async fn unmerge(State(rest): State<Rest>, _: Option<Bot>, payload: Payload) -> ApiResult<StatusCode> {
    let external = validate::partner::external(&payload.json)?;
    let mut live = rest.discord.lock();
    let (identity, _) = live.external_player(&external)?;
    live.unmerge(identity)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn bot_unmerge(State(rest): State<Rest>, Bot(bot): Bot, payload: Payload) -> ApiResult<StatusCode> {
    let id = validate::partner::unmerge(&payload.json)?;
    rest.discord.lock().unmerge(Live::own_player(bot, id))?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sets the moderation metadata of a direct message of two users, in either order.
async fn moderate(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([one, other, message]): Ids<3>,
    Form(payload): Form,
) -> ApiResult<StatusCode> {
    let metadata = validate::lobby::moderation(&payload.json)?;
    let mut live = rest.discord.lock();
    live.user(one)?;
    live.user(other)?;
    let found = live.dm_of(one, other).and_then(|channel| live.message(channel, message));
    found.ok_or_else(ApiError::unknown_message)?;
    live.set_moderation(bot, message, metadata);
    Ok(StatusCode::NO_CONTENT)
}
