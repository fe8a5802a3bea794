//! The world's clock: reading it, and moving it forward.

use std::time::Duration;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{BadRequest, Control, Request};
use crate::live::Live;
use crate::state::clock;

pub(super) fn routes() -> Router<Control> {
    Router::new().route("/sandbox/clock", get(show).post(advance))
}

/// How far the clock is moved: by a time, or to a moment.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_ms: Option<i64>,
    to: Option<String>,
}

impl Advance {
    /// Returns the time by which the clock is moved.
    fn by(&self, now: OffsetDateTime) -> Result<Duration, BadRequest> {
        let by = match (self.advance_ms, &self.to) {
            (Some(by), None) => time::Duration::milliseconds(by),
            (None, Some(to)) => {
                let at = clock::parse(to);
                at.ok_or_else(|| BadRequest::new(format!("\"{to}\" is no time in ISO 8601.")))? - now
            }
            _ => return Err(BadRequest::new("Give either \"advance_ms\" or \"to\".")),
        };
        if now.checked_add(by).is_none_or(|at| at.year() > clock::LAST_YEAR) {
            return Err(BadRequest::new(format!("The clock ends with the year {}.", clock::LAST_YEAR)));
        }
        by.try_into().map_err(|_| {
            BadRequest::new(format!("The clock only moves forward, and it is {} already.", clock::iso(now)))
        })
    }
}

fn shown(live: &Live<'_>) -> Json<Value> {
    let ahead = u64::try_from(live.clock.ahead().as_millis()).unwrap_or(u64::MAX);
    Json(json!({ "now": clock::iso(live.clock.now()), "ahead_ms": ahead }))
}

async fn show(State(control): State<Control>) -> Json<Value> {
    shown(&control.discord.lock())
}

async fn advance(
    State(control): State<Control>,
    Request(asked): Request<Advance>,
) -> Result<Json<Value>, BadRequest> {
    let mut live = control.discord.lock();
    let by = asked.by(live.clock.now())?;
    live.advance(by);
    Ok(shown(&live))
}
