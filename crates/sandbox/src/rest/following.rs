//! Following announcement channels, and publishing their messages.

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::messages::show;
use super::request::Bot;
use super::{Ids, Payload, Reason, Rest};
use crate::error::ApiResult;
use crate::validate::Form;

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route("/channels/{channel_id}/followers", post(follow))
        .route("/channels/{channel_id}/messages/{message_id}/crosspost", post(crosspost))
}

async fn follow(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([source]): Ids<1>,
    Reason(reason): Reason,
    payload: Payload,
) -> ApiResult<Json<Value>> {
    let target = Form::read_object(&payload.json, |form, body| {
        form.required(body, "webhook_channel_id", Form::snowflake)
    })?;
    let webhook = rest.discord.lock().follow(source, target, bot, reason.as_deref())?;
    Ok(Json(json!({ "channel_id": source, "webhook_id": webhook })))
}

async fn crosspost(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([channel, id]): Ids<2>,
) -> ApiResult<Json<Value>> {
    let mut live = rest.discord.lock();
    live.crosspost(channel, id, bot)?;
    show(&live, bot, channel, id)
}
