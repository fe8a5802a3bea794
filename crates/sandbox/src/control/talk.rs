//! What users do around messages: pins, threads, posts and direct messages.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::find::{As, Where};
use super::{BadRequest, Control, Path, Query, Request, find, messages};
use crate::draft::Draft;
use crate::live::Sender;
use crate::permissions::Permissions;
use crate::rest::channels;
use crate::snowflake::Snowflake;
use crate::state::channel::kind;
use crate::validate;
use crate::validate::message::MessageOrigin;

pub(super) fn routes() -> Router<Control> {
    Router::new()
        .route("/sandbox/messages/{id}/pin", put(pin).delete(unpin))
        .route("/sandbox/pins", get(pins))
        .route("/sandbox/threads", post(open_thread))
        .route("/sandbox/threads/{thread}", axum::routing::patch(edit_thread))
        .route("/sandbox/threads/{thread}/members", post(join_thread).delete(leave_thread))
        .route("/sandbox/direct-messages", post(open_direct))
        .route("/sandbox/channels/{channel}", get(channel))
}

/// A user who looks for a channel, and the guild that it is in.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Look {
    #[serde(rename = "as")]
    user: String,
    guild: Option<String>,
}

/// Returns a channel that a user sees.
async fn channel(
    State(control): State<Control>,
    Path(wanted): Path<String>,
    Query(asked): Query<Look>,
) -> Result<Json<Value>, BadRequest> {
    let mut live = control.discord.lock();
    let user = find::person(&live, &asked.user)?.id;
    let id = find::channel(&mut live, &wanted, asked.guild.as_deref(), user)?.id;
    let channel = live.channel(id)?;
    Ok(Json(live.channel_json(channel, Some(user))))
}

/// Returns the pinned messages of a channel, newest pin first.
async fn pins(State(control): State<Control>, Query(asked): Query<Where>) -> Result<Json<Value>, BadRequest> {
    let mut live = control.discord.lock();
    let (user, channel) = asked.find(&mut live)?;
    let channel = live.channel(channel)?;
    let pinned = channel.pins.iter().filter_map(|(id, _)| channel.messages.get(id));
    Ok(Json(pinned.map(|message| message.json(&live, Some(user))).collect()))
}

async fn pin(
    State(control): State<Control>,
    Path(id): Path<Snowflake>,
    Request(asked): Request<As>,
) -> Result<StatusCode, BadRequest> {
    set_pinned(&control, id, &asked.user, true)
}

async fn unpin(
    State(control): State<Control>,
    Path(id): Path<Snowflake>,
    Request(asked): Request<As>,
) -> Result<StatusCode, BadRequest> {
    set_pinned(&control, id, &asked.user, false)
}

fn set_pinned(control: &Control, id: Snowflake, user: &str, pinned: bool) -> Result<StatusCode, BadRequest> {
    let mut live = control.discord.lock();
    let user = find::person(&live, user)?.id;
    let message = live.find_message(id).ok_or_else(|| messages::no_message(id))?;
    let channel = message.channel_id;
    live.pin(channel, id, pinned, user, None)?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewThread {
    #[serde(rename = "as")]
    user: String,
    /// Channel or forum.
    channel: String,
    guild: Option<String>,
    name: String,
    /// Message from which the thread is started.
    message: Option<Snowflake>,
    /// Whether only invited members see it.
    #[serde(default)]
    private: bool,
    /// First message of a forum's post.
    content: Option<String>,
    /// Tags of a forum's post, by id.
    #[serde(default)]
    tags: Vec<Snowflake>,
}

/// Starts a thread, or a post in a forum.
async fn open_thread(
    State(control): State<Control>,
    Request(asked): Request<NewThread>,
) -> Result<Json<Value>, BadRequest> {
    let body = json!({ "name": asked.name, "applied_tags": asked.tags });
    let mut live = control.discord.lock();
    let user = find::person(&live, &asked.user)?.id;
    let parent = find::channel(&mut live, &asked.channel, asked.guild.as_deref(), user)?;
    if !parent.has_threads() {
        return Err(BadRequest::new(format!("#{} has no threads.", parent.name)));
    }
    let (parent, forum) = (parent.id, parent.is_forum());
    let body = validate::channel::thread_create(&body)?;
    let needed = match (forum, asked.private) {
        (true, _) => Permissions::SEND_MESSAGES,
        (_, true) => Permissions::CREATE_PRIVATE_THREADS,
        _ => Permissions::CREATE_PUBLIC_THREADS,
    };
    live.require(parent, user, needed)?;
    let first = match asked.content {
        Some(content) => {
            let message =
                validate::message::create(&json!({ "content": content }), &[], MessageOrigin::Channel)?;
            Some(Draft { message, uploads: Vec::new() })
        }
        None if forum => return Err(BadRequest::new("A post begins with a message: give its `content`.")),
        None => None,
    };
    if let Some(message) = asked.message
        && live.message(parent, message).is_none()
    {
        return Err(messages::no_message(message));
    }
    let kind = if asked.private { kind::PRIVATE_THREAD } else { kind::PUBLIC_THREAD };
    let id = live.open_thread(parent, asked.message, kind, user, body)?;
    if let Some(draft) = first
        && let Err(error) = live.send(id, &Sender::User(user), draft)
    {
        live.delete_channel(id)?;
        return Err(error.into());
    }
    let channel = live.channel(id)?;
    Ok(Json(live.channel_json(channel, Some(user))))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EditThread {
    #[serde(rename = "as")]
    user: String,
    archived: Option<bool>,
    locked: Option<bool>,
    name: Option<String>,
}

/// Renames, archives or locks a thread: its owner may, and who manages threads.
async fn edit_thread(
    State(control): State<Control>,
    Path(thread): Path<Snowflake>,
    Request(asked): Request<EditThread>,
) -> Result<Json<Value>, BadRequest> {
    let mut body = json!({});
    for (key, value) in
        [("archived", json!(asked.archived)), ("locked", json!(asked.locked)), ("name", json!(asked.name))]
    {
        if !value.is_null() {
            body[key] = value;
        }
    }
    let mut live = control.discord.lock();
    let user = find::person(&live, &asked.user)?.id;
    live.require(thread, user, Permissions::NONE)?;
    if channels::edit_thread(&mut live, user, thread, &body)? {
        live.unarchived(thread);
    } else {
        live.channel_changed(thread);
    }
    let channel = live.channel(thread)?;
    Ok(Json(live.channel_json(channel, Some(user))))
}

async fn join_thread(
    State(control): State<Control>,
    Path(thread): Path<Snowflake>,
    Request(asked): Request<As>,
) -> Result<StatusCode, BadRequest> {
    let mut live = control.discord.lock();
    let user = find::person(&live, &asked.user)?.id;
    live.require(thread, user, Permissions::NONE)?;
    live.refuse_if_archived(thread)?;
    live.join_thread(thread, user)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn leave_thread(
    State(control): State<Control>,
    Path(thread): Path<Snowflake>,
    Request(asked): Request<As>,
) -> Result<StatusCode, BadRequest> {
    let mut live = control.discord.lock();
    let user = find::person(&live, &asked.user)?.id;
    live.require(thread, user, Permissions::NONE)?;
    live.refuse_if_archived(thread)?;
    live.leave_thread(thread, user)?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Direct {
    #[serde(rename = "as")]
    user: String,
    /// The other user, who may be a bot.
    with: String,
}

/// Returns the direct messages of two users, opened if there are none yet.
async fn open_direct(
    State(control): State<Control>,
    Request(asked): Request<Direct>,
) -> Result<Json<Value>, BadRequest> {
    let mut live = control.discord.lock();
    let user = find::person(&live, &asked.user)?.id;
    let other = find::user(&live, &asked.with)?.id;
    if other == user {
        return Err(BadRequest::new("Nobody writes to themselves."));
    }
    let id = live.open_dm(user, other);
    let channel = live.channel(id)?;
    Ok(Json(live.channel_json(channel, Some(user))))
}
