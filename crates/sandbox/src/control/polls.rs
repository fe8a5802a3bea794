//! Polls of users: voting, and ending their own.

use axum::extract::State;
use axum::routing::{post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::Value;

use super::messages::{no_message, shown};
use super::{BadRequest, Control, Path, Request, find};
use crate::snowflake::Snowflake;
use crate::state::poll::Poll;

pub(super) fn routes() -> Router<Control> {
    Router::new()
        .route("/sandbox/messages/{id}/votes", put(vote))
        .route("/sandbox/messages/{id}/poll/expire", post(expire))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Vote {
    #[serde(rename = "as")]
    user: String,
    /// All answers that the user votes for, each by its id or its text.
    answers: Vec<Named>,
}

/// An answer by its id or its text.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Named {
    Id(u64),
    Text(String),
}

impl Named {
    fn find(&self, poll: &Poll) -> Result<u64, BadRequest> {
        let found = poll.numbered().find(|(id, answer)| match self {
            Self::Id(wanted) => id == wanted,
            Self::Text(wanted) => answer.media["text"] == wanted.as_str() || id.to_string() == *wanted,
        });
        let name = match self {
            Self::Id(id) => id.to_string(),
            Self::Text(text) => text.clone(),
        };
        found.map(|(id, _)| id).ok_or_else(|| {
            let all = poll.numbered().map(|(id, answer)| format!("{id} ({})", answer.media["text"]));
            let all = all.collect::<Vec<_>>().join(", ");
            BadRequest::missing(format!("The poll has no answer \"{name}\"; there are {all}."))
        })
    }
}

async fn vote(
    State(control): State<Control>,
    Path(id): Path<Snowflake>,
    Request(asked): Request<Vote>,
) -> Result<Json<Value>, BadRequest> {
    let mut live = control.discord.lock();
    let user = find::person(&live, &asked.user)?.id;
    let channel = live.find_message(id).ok_or_else(|| no_message(id))?.channel_id;
    let poll = live.poll(channel, id, user)?;
    let answers = asked.answers.iter().map(|answer| answer.find(poll)).collect::<Result<Vec<_>, _>>()?;
    live.vote(channel, id, user, &answers)?;
    shown(&live, user, id)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expire {
    #[serde(rename = "as")]
    user: String,
}

async fn expire(
    State(control): State<Control>,
    Path(id): Path<Snowflake>,
    Request(asked): Request<Expire>,
) -> Result<Json<Value>, BadRequest> {
    let mut live = control.discord.lock();
    let user = find::person(&live, &asked.user)?.id;
    let channel = live.find_message(id).ok_or_else(|| no_message(id))?.channel_id;
    live.expire_poll(channel, id, user)?;
    shown(&live, user, id)
}
