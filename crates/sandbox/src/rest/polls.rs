//! Polls: who voted, and ending them.

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::request::{Bot, parse_id};
use super::{Ids, Path, Query, Rest, messages};
use crate::error::{ApiError, ApiResult, FieldError};
use crate::state::user::User;

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route("/channels/{channel_id}/polls/{message_id}/answers/{answer_id}", get(voters))
        .route("/channels/{channel_id}/polls/{message_id}/expire", post(expire))
}

/// Returns the users who voted for an answer, by ascending id. Nobody voted for an answer that does not exist.
async fn voters(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Path((channel, message, answer)): Path<(String, String, String)>,
    query: Query,
) -> ApiResult<Json<Value>> {
    let (channel, message) = (parse_id("channel_id", &channel)?, parse_id("message_id", &message)?);
    let not_a_number = |_| ApiError::field(&["answer_id"], FieldError::not_a("int", &json!(answer)));
    let answer = answer.parse().map_err(not_a_number)?;
    let limit = query.number("limit", 1..=100, 25)?;
    let after = query.id("after")?;
    let live = rest.discord.lock();
    let voters = live.poll(channel, message, bot)?.answer(answer).map(|answer| &answer.voters);
    let page = voters.into_iter().flatten().filter(|id| after.is_none_or(|after| **id > after)).take(limit);
    let users: Vec<Value> = page.filter_map(|id| live.users.get(id)).map(User::json).collect();
    Ok(Json(json!({ "users": users })))
}

/// Ends a poll of the bot before its time.
async fn expire(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([channel, id]): Ids<2>,
) -> ApiResult<Json<Value>> {
    let mut live = rest.discord.lock();
    live.expire_poll(channel, id, bot)?;
    messages::show(&live, bot, channel, id)
}
