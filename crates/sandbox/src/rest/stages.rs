//! Stage instances.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::Value;

use super::request::Bot;
use super::{Ids, Payload, Reason, Rest};
use crate::error::ApiResult;
use crate::validate;

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route("/stage-instances", post(create))
        .route("/stage-instances/{channel_id}", get(one).patch(edit).delete(remove))
}

async fn create(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Reason(reason): Reason,
    payload: Payload,
) -> ApiResult<Json<Value>> {
    let body = validate::stage::create(&payload.json)?;
    rest.discord.lock().create_stage(body, bot, reason.as_deref()).map(Json)
}

async fn one(State(rest): State<Rest>, Bot(bot): Bot, Ids([channel]): Ids<1>) -> ApiResult<Json<Value>> {
    Ok(Json(rest.discord.lock().stage_for(channel, bot)?.json()))
}

async fn edit(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([channel]): Ids<1>,
    Reason(reason): Reason,
    payload: Payload,
) -> ApiResult<Json<Value>> {
    let (topic, privacy) = validate::stage::modify(&payload.json)?;
    rest.discord.lock().edit_stage(channel, topic, privacy, bot, reason.as_deref()).map(Json)
}

async fn remove(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([channel]): Ids<1>,
    Reason(reason): Reason,
) -> ApiResult<StatusCode> {
    rest.discord.lock().delete_stage(channel, bot, reason.as_deref())?;
    Ok(StatusCode::NO_CONTENT)
}
