//! Invites of users: made, listed, looked at, accepted and deleted.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::Value;

use super::find::As;
use super::{BadRequest, Control, Path, Query, Request, find};
use crate::error::ApiError;
use crate::rest::invites;
use crate::validate;

pub(super) fn routes() -> Router<Control> {
    Router::new()
        .route("/sandbox/guilds/{guild}/invites", get(list).post(create))
        .route("/sandbox/invites/{code}", get(one).post(accept).delete(remove))
}

async fn list(
    State(control): State<Control>,
    Path(guild): Path<String>,
    Query(asked): Query<As>,
) -> Result<Json<Value>, BadRequest> {
    let live = control.discord.lock();
    let (guild, user) = (find::guild(&live, Some(&guild))?.id, find::person(&live, &asked.user)?.id);
    Ok(Json(invites::list(&live, guild, user)?))
}

/// An invite to a channel, with the fields of Discord's own request.
#[derive(Debug, Deserialize)]
struct Create {
    #[serde(rename = "as")]
    user: String,
    channel: String,
    #[serde(flatten)]
    fields: serde_json::Map<String, Value>,
}

async fn create(
    State(control): State<Control>,
    Path(guild): Path<String>,
    Request(asked): Request<Create>,
) -> Result<Json<Value>, BadRequest> {
    let body = validate::invite::create(&Value::Object(asked.fields))?;
    let mut live = control.discord.lock();
    let user = find::person(&live, &asked.user)?.id;
    let channel = find::channel(&mut live, &asked.channel, Some(&guild), user)?.id;
    Ok(Json(invites::make(&mut live, channel, user, body, None, None)?))
}

/// Returns what a user sees of an invite before they accept it.
async fn one(
    State(control): State<Control>,
    Path(code): Path<String>,
    Query(asked): Query<As>,
) -> Result<Json<Value>, BadRequest> {
    let live = control.discord.lock();
    let user = find::person(&live, &asked.user)?.id;
    let invite = live.invite(&code).filter(|invite| invite.is_for(Some(user)));
    Ok(Json(invite.ok_or_else(ApiError::unknown_invite)?.json(&live, false, true)))
}

/// Accepts an invite as a user.
async fn accept(
    State(control): State<Control>,
    Path(code): Path<String>,
    Request(asked): Request<As>,
) -> Result<Json<Value>, BadRequest> {
    let mut live = control.discord.lock();
    let user = find::person(&live, &asked.user)?.id;
    let guild = live.accept_invite(&code, user)?;
    Ok(Json(live.member_json(guild, user)?))
}

async fn remove(
    State(control): State<Control>,
    Path(code): Path<String>,
    Request(asked): Request<As>,
) -> Result<StatusCode, BadRequest> {
    let mut live = control.discord.lock();
    let user = find::person(&live, &asked.user)?.id;
    invites::revoke(&mut live, &code, user, None)?;
    Ok(StatusCode::NO_CONTENT)
}
