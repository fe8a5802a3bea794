//! Inspecting and faults: the log, the sessions, injected faults, and statistics of all interactions.

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::stream;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{BadRequest, Control, Path, Query, Request};
use crate::event_log::Subscription;
use crate::fault::Rule;
use crate::gateway::{Command, Target};

pub(super) fn routes() -> Router<Control> {
    Router::new()
        .route("/sandbox/log", get(log))
        .route("/sandbox/notes", post(note))
        .route("/sandbox/stats", get(stats))
        .route("/sandbox/sessions", get(sessions).post(command))
        .route("/sandbox/faults", get(faults).post(add_fault).delete(clear_faults))
        .route("/sandbox/faults/{id}", axum::routing::delete(remove_fault))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Range {
    #[serde(default)]
    from: u64,
    limit: Option<usize>,
    #[serde(default)]
    follow: bool,
    #[serde(default)]
    text: bool,
}

/// Returns the log as JSON lines: the existing entries and, with `follow`, all later ones. With `text` the existing ones as
/// lines for people.
async fn log(State(control): State<Control>, Query(range): Query<Range>) -> Response {
    if range.text {
        return control.log.text(range.from).into_response();
    }
    let header = [(CONTENT_TYPE, "application/x-ndjson")];
    if range.follow {
        let lines = stream::unfold(control.log.subscribe(range.from), |subscription| async move {
            let (line, subscription) = next_line(subscription).await;
            Some((Ok::<_, Infallible>(line), subscription))
        });
        return (header, Body::from_stream(lines)).into_response();
    }
    let page = control.log.read(range.from, range.limit.unwrap_or(usize::MAX));
    let mut text = String::new();
    for entry in page.entries {
        text.push_str(&entry.line());
        text.push('\n');
    }
    (header, text).into_response()
}

async fn next_line(mut subscription: Subscription) -> (String, Subscription) {
    let line = match subscription.next().await {
        Ok(entry) => entry.line(),
        Err(missed) => json!({ "kind": "missed", "entries": missed.0 }).to_string(),
    };
    (line + "\n", subscription)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Note {
    text: String,
    data: Option<Value>,
}

async fn note(State(control): State<Control>, Request(note): Request<Note>) -> Json<Value> {
    Json(json!({ "n": control.log.note(note.text, note.data.as_ref()) }))
}

async fn stats(State(control): State<Control>) -> Json<Value> {
    let totals = control.discord.lock().interactions.totals;
    let mut stats = control.gaps.json();
    stats["interactions"] = json!(totals);
    stats["record"] = json!(control.log.counts());
    Json(stats)
}

async fn sessions(State(control): State<Control>) -> Json<Value> {
    Json(json!(control.discord.hub().sessions()))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    #[serde(default)]
    target: Target,
    command: Command,
}

/// Sends a command to live connections: drops, closes, asks them to reconnect.
async fn command(State(control): State<Control>, Request(order): Request<Order>) -> Json<Value> {
    Json(json!({ "connections": control.discord.hub().command(&order.target, &order.command) }))
}

async fn faults(State(control): State<Control>) -> Json<Value> {
    Json(json!(control.faults.list()))
}

async fn add_fault(State(control): State<Control>, Request(rule): Request<Rule>) -> Json<Value> {
    Json(json!({ "id": control.faults.add(rule) }))
}

async fn clear_faults(State(control): State<Control>) -> Json<Value> {
    Json(json!({ "removed": control.faults.clear() }))
}

async fn remove_fault(State(control): State<Control>, Path(id): Path<u64>) -> Result<StatusCode, BadRequest> {
    if control.faults.remove(id) {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(BadRequest::missing(format!("There is no fault {id}.")))
    }
}
