//! Messages of users: sending, editing, deleting and reading, and reactions.

use std::collections::HashMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::find::As;
use super::values::FileGiven;
use super::{BadRequest, Control, Path, Query, Request, find};
use crate::draft::{self, Draft, Upload};
use crate::error::ApiError;
use crate::live::{Live, Sender};
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::validate;
use crate::validate::message::MessageOrigin;

pub(super) fn routes() -> Router<Control> {
    Router::new()
        .route("/sandbox/messages", get(history).post(send))
        .route("/sandbox/messages/{id}", get(one).patch(edit).delete(remove))
        .route("/sandbox/messages/{id}/reactions", post(react).delete(unreact))
        .route("/sandbox/typing", post(typing))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Send {
    #[serde(rename = "as")]
    user: String,
    channel: String,
    guild: Option<String>,
    #[serde(default)]
    content: String,
    reply_to: Option<Snowflake>,
    /// Whether the reply mentions the author, which is the default.
    mention: Option<bool>,
    #[serde(default)]
    stickers: Vec<Snowflake>,
    #[serde(default)]
    files: HashMap<String, FileGiven>,
    /// Discord's poll create request object.
    poll: Option<Value>,
}

/// Returns a message as one user sees it.
pub(super) fn shown(live: &Live<'_>, user: Snowflake, id: Snowflake) -> Result<Json<Value>, BadRequest> {
    let message = live.message_seen_by(user, id).ok_or_else(|| no_message(id))?;
    Ok(Json(message.json(live, Some(user))))
}

pub(super) fn no_message(id: Snowflake) -> BadRequest {
    BadRequest::missing(format!("There is no message {id}."))
}

async fn send(
    State(control): State<Control>,
    Request(asked): Request<Send>,
) -> Result<Json<Value>, BadRequest> {
    let mut body = json!({ "content": asked.content, "sticker_ids": asked.stickers });
    if let Some(other) = asked.reply_to {
        body["message_reference"] = json!({ "message_id": other });
        if let Some(mention) = asked.mention {
            body["allowed_mentions"] =
                json!({ "parse": ["users", "roles", "everyone"], "replied_user": mention });
        }
    }
    if let Some(poll) = asked.poll {
        body["poll"] = poll;
    }
    let mut uploads = Vec::new();
    for (index, (path, file)) in (0..).zip(&asked.files) {
        let bytes = STANDARD
            .decode(&file.base64)
            .map_err(|_| BadRequest::new(format!("The file {path} is not base64.")))?;
        let name = file.filename.as_deref().or(path.rsplit(['/', '\\']).next()).unwrap_or(path);
        uploads.push(Upload {
            field: format!("files[{index}]"),
            index,
            filename: name.to_owned(),
            content_type: None,
            bytes: bytes.into(),
        });
    }
    let message = validate::message::create(&body, &draft::names(&uploads), MessageOrigin::Channel)?;
    let mut live = control.discord.lock();
    let user = find::person(&live, &asked.user)?.id;
    let channel = find::channel(&mut live, &asked.channel, asked.guild.as_deref(), user)?.id;
    let id = live.send(channel, &Sender::User(user), Draft { message, uploads })?;
    shown(&live, user, id)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    #[serde(rename = "as")]
    user: String,
    channel: String,
    guild: Option<String>,
    limit: Option<usize>,
    after: Option<Snowflake>,
    before: Option<Snowflake>,
}

/// Returns the newest messages that a user sees in a channel, oldest first, including their ephemeral ones.
async fn history(
    State(control): State<Control>,
    Query(place): Query<Place>,
) -> Result<Json<Value>, BadRequest> {
    let mut live = control.discord.lock();
    let user = find::person(&live, &place.user)?.id;
    let id = find::channel(&mut live, &place.channel, place.guild.as_deref(), user)?.id;
    let channel = live.channel(id)?;
    let limit = place.limit.unwrap_or(50);
    let after = place.after.unwrap_or(Snowflake(0));
    let before = place.before.unwrap_or(Snowflake(u64::MAX));
    if after >= before {
        return Ok(Json(json!([])));
    }
    let own = live
        .ephemeral
        .values()
        .filter(|message| message.channel_id == id && live.sees_message(user, message))
        .filter(|message| message.id > after && message.id < before);
    let public =
        channel.messages.range(Snowflake(after.0 + 1)..before).rev().take(limit).map(|(_, message)| message);
    let mut all: Vec<_> = own.chain(public).collect();
    all.sort_by_key(|message| message.id);
    let skip = all.len().saturating_sub(limit);
    Ok(Json(all.into_iter().skip(skip).map(|message| message.json(&live, Some(user))).collect()))
}

async fn one(
    State(control): State<Control>,
    Path(id): Path<Snowflake>,
    Query(asked): Query<As>,
) -> Result<Json<Value>, BadRequest> {
    let live = control.discord.lock();
    let user = find::person(&live, &asked.user)?.id;
    shown(&live, user, id)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    #[serde(rename = "as")]
    user: String,
    content: String,
}

async fn edit(
    State(control): State<Control>,
    Path(id): Path<Snowflake>,
    Request(asked): Request<Edit>,
) -> Result<Json<Value>, BadRequest> {
    let mut live = control.discord.lock();
    let user = find::person(&live, &asked.user)?.id;
    let message = live.message_seen_by(user, id).ok_or_else(|| no_message(id))?;
    if message.author_id() != Some(user) {
        return Err(ApiError::not_author().into());
    }
    let channel = message.channel_id;
    live.edit(channel, id, &json!({ "content": asked.content }), Vec::new())?;
    shown(&live, user, id)
}

/// Returns the channel of a message that the user sees. Requires `needed` if it is not their own message.
fn within_reach(
    live: &Live<'_>,
    user: Snowflake,
    id: Snowflake,
    needed: Permissions,
) -> Result<Snowflake, BadRequest> {
    let message = live.find_message(id).ok_or_else(|| no_message(id))?;
    let needed = if message.author_id() == Some(user) { Permissions::NONE } else { needed };
    live.require(message.channel_id, user, needed)?;
    Ok(message.channel_id)
}

async fn remove(
    State(control): State<Control>,
    Path(id): Path<Snowflake>,
    Request(asked): Request<As>,
) -> Result<StatusCode, BadRequest> {
    let mut live = control.discord.lock();
    let user = find::person(&live, &asked.user)?.id;
    let channel = within_reach(&live, user, id, Permissions::MANAGE_MESSAGES)?;
    if let Some(message) = live.message(channel, id) {
        message.check_deletable()?;
    }
    live.delete(channel, &[id]);
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct React {
    #[serde(rename = "as")]
    user: String,
    emoji: String,
}

async fn react(
    State(control): State<Control>,
    Path(id): Path<Snowflake>,
    Request(asked): Request<React>,
) -> Result<StatusCode, BadRequest> {
    let mut live = control.discord.lock();
    let user = find::person(&live, &asked.user)?.id;
    let channel = within_reach(&live, user, id, Permissions::NONE)?;
    let emoji = live.emoji(&asked.emoji)?;
    live.react(channel, id, user, emoji)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn unreact(
    State(control): State<Control>,
    Path(id): Path<Snowflake>,
    Request(asked): Request<React>,
) -> Result<StatusCode, BadRequest> {
    let mut live = control.discord.lock();
    let user = find::person(&live, &asked.user)?.id;
    let channel = within_reach(&live, user, id, Permissions::NONE)?;
    let emoji = live.emoji(&asked.emoji)?;
    live.unreact(channel, id, user, &emoji)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn typing(
    State(control): State<Control>,
    Request(place): Request<Place>,
) -> Result<StatusCode, BadRequest> {
    let mut live = control.discord.lock();
    let user = find::person(&live, &place.user)?.id;
    let channel = find::channel(&mut live, &place.channel, place.guild.as_deref(), user)?.id;
    live.saw(user);
    live.typing(channel, user);
    Ok(StatusCode::NO_CONTENT)
}
