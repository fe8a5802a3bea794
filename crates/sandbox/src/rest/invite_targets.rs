//! Invites that only some users can see and accept: the file of these users, and how it was processed.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::guilds::require;
use super::request::Bot;
use super::{Form, Path, Payload, Reason, Rest};
use crate::error::{ApiError, ApiResult, FieldError};
use crate::live::Live;
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::state::invite::Invite;
use crate::validate;

/// Field of a form with the file.
const FIELD: &str = "target_users_file";

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route("/invites/{code}/target-users", get(users).put(set_users))
        .route("/invites/{code}/target-users/job-status", get(job))
}

/// Why a request with a file is refused: an error, or the lines that are invalid.
#[derive(Debug)]
pub(super) enum InvalidFile {
    Error(ApiError),
    Lines(Vec<String>),
}

impl From<ApiError> for InvalidFile {
    fn from(error: ApiError) -> Self {
        Self::Error(error)
    }
}

impl IntoResponse for InvalidFile {
    fn into_response(self) -> Response {
        match self {
            Self::Error(error) => error.into_response(),
            Self::Lines(lines) => (StatusCode::BAD_REQUEST, Json(json!({ FIELD: lines }))).into_response(),
        }
    }
}

/// Returns the users in the file of a form, if it has one.
pub(super) fn users_in(payload: &Payload) -> Result<Option<Vec<Snowflake>>, InvalidFile> {
    let file = payload.uploads.iter().find(|upload| upload.field == FIELD);
    let users = file.map(|file| validate::invite::target_users(&file.bytes)).transpose();
    users.map_err(InvalidFile::Lines)
}

/// Returns an invite whose users a bot may read: its own, or with one of these permissions.
fn own<'a>(
    live: &'a Live<'_>,
    bot: Snowflake,
    code: &str,
    permissions: &[Permissions],
) -> ApiResult<&'a Invite> {
    let invite = live.open_invite(code).ok_or_else(ApiError::unknown_invite)?;
    let allowed = permissions.iter().any(|needed| require(live, invite.guild_id, bot, *needed).is_ok());
    if allowed || invite.inviter == Some(bot) { Ok(invite) } else { Err(ApiError::missing_permissions()) }
}

const READS: &[Permissions] = &[Permissions::MANAGE_GUILD, Permissions::VIEW_AUDIT_LOG];

async fn users(State(rest): State<Rest>, Bot(bot): Bot, Path(code): Path<String>) -> ApiResult<Response> {
    let live = rest.discord.lock();
    let invite = own(&live, bot, &code, READS)?;
    let users = invite.users.as_ref().ok_or_else(ApiError::unknown_invite_users)?;
    let mut file = "user_id\n".to_owned();
    for id in &users.ids {
        file.push_str(&id.to_string());
        file.push('\n');
    }
    Ok(([(CONTENT_TYPE, "text/csv; charset=utf-8")], file).into_response())
}

async fn set_users(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Path(code): Path<String>,
    Reason(reason): Reason,
    Form(payload): Form,
) -> Result<StatusCode, InvalidFile> {
    validate::unread::all_but(payload.object()?, &[]);
    let users = users_in(&payload)?.ok_or_else(|| ApiError::field(&[FIELD], FieldError::required()))?;
    let mut live = rest.discord.lock();
    own(&live, bot, &code, &[Permissions::MANAGE_GUILD])?;
    let now = live.clock.now();
    if let Some(invite) = live.invites.get_mut(&code) {
        invite.set_users(Some(users), now);
    }
    live.audit_invite(41, &code, bot, reason.as_deref());
    Ok(StatusCode::NO_CONTENT)
}

/// Returns how the file was processed, which takes no time here.
async fn job(State(rest): State<Rest>, Bot(bot): Bot, Path(code): Path<String>) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    let invite = own(&live, bot, &code, READS)?;
    let users = invite.users.as_ref().ok_or_else(ApiError::unknown_invite_job)?;
    let at = crate::state::clock::iso(users.processed_at);
    Ok(Json(json!({
        "status": 2,
        "total_users": users.ids.len(),
        "processed_users": users.ids.len(),
        "created_at": at,
        "completed_at": at,
        "error_message": null,
    })))
}
