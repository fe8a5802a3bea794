//! Following announcement channels and publishing messages, as users do.

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{BadRequest, Control, Path, Request, find};
use crate::snowflake::Snowflake;
use crate::state::message::Message;

pub(super) fn routes() -> Router<Control> {
    Router::new()
        .route("/sandbox/channels/{channel}/followers", post(follow))
        .route("/sandbox/messages/{id}/crosspost", post(crosspost))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Follow {
    #[serde(rename = "as")]
    user: String,
    /// Channel that follows.
    channel: String,
    /// Guild of that channel.
    guild: Option<String>,
}

async fn follow(
    State(control): State<Control>,
    Path(source): Path<String>,
    Request(asked): Request<Follow>,
) -> Result<Json<Value>, BadRequest> {
    let mut live = control.discord.lock();
    let user = find::person(&live, &asked.user)?.id;
    let source = find::channel(&mut live, &source, None, user)?.id;
    let target = find::channel(&mut live, &asked.channel, asked.guild.as_deref(), user)?.id;
    let webhook = live.follow(source, target, user, None)?;
    Ok(Json(json!({ "channel_id": source, "webhook_id": webhook })))
}

#[derive(Debug, Deserialize)]
struct As {
    #[serde(rename = "as")]
    user: String,
}

async fn crosspost(
    State(control): State<Control>,
    Path(id): Path<Snowflake>,
    Request(asked): Request<As>,
) -> Result<Json<Value>, BadRequest> {
    let mut live = control.discord.lock();
    let user = find::person(&live, &asked.user)?.id;
    let found = live.find_message(id).map(|message| message.channel_id);
    let channel = found.ok_or_else(|| BadRequest::missing(format!("There is no message {id}.")))?;
    live.crosspost(channel, id, user)?;
    Ok(Json(
        live.message(channel, id)
            .map(|message: &Message| message.json(&live, Some(user)))
            .unwrap_or_default(),
    ))
}
