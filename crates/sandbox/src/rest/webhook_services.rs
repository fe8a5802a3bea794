//! Webhooks that Slack's and GitHub's clients post to.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::webhooks::{Address, resolve, target};
use super::{Form, Path, Payload, Query, Rest};
use crate::draft::Draft;
use crate::error::{ApiError, ApiResult};
use crate::live::{Live, Sender};
use crate::state::picture_hash;
use crate::state::webhook::Webhook;
use crate::validate::message::MessageOrigin;
use crate::validate::{message, service};

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route("/webhooks/{webhook_id}/{token}/slack", post(slack))
        .route("/webhooks/{webhook_id}/{token}/github", post(github))
}

/// Returns the webhook of an address, which is not an interaction's.
fn addressed(live: &Live<'_>, (id, token): &(String, String)) -> ApiResult<Webhook> {
    match resolve(live, id, token)? {
        Address::Channel(webhook) => Ok(webhook),
        Address::Interaction { .. } => Err(ApiError::unknown_webhook()),
    }
}

/// Sends a message as a webhook, in its channel or in a thread of it.
fn send(live: &mut Live<'_>, webhook: Webhook, query: &Query, body: &Value) -> ApiResult<()> {
    let thread = query.id("thread_id")?;
    if thread.is_none() && live.channel(webhook.channel_id)?.is_forum() {
        return Err(ApiError::no_service_in_forum());
    }
    let message = message::create(body, &[], MessageOrigin::Webhook)?;
    let sender = Sender::Webhook {
        id: webhook.id,
        application: webhook.application_id,
        name: message.username.clone().unwrap_or(webhook.name),
        avatar: message.avatar_url.as_ref().map(|_| picture_hash()).or(webhook.avatar),
    };
    let channel = target(live, webhook.id, webhook.channel_id, thread, &message)?;
    live.send(channel, &sender, Draft { message, uploads: Vec::new() }).map(|_| ())
}

/// Returns a result, unless the client does not wait for one: then it is told of no message that was not sent.
fn awaited(result: ApiResult<()>, query: &Query) -> ApiResult<()> {
    match result {
        Err(error) if query.text("wait").is_some() && !query.flag("wait") && error.status() == 400 => Ok(()),
        result => result,
    }
}

async fn slack(
    State(rest): State<Rest>,
    Path(address): Path<(String, String)>,
    query: Query,
    Form(payload): Form,
) -> ApiResult<Json<Value>> {
    let mut live = rest.discord.lock();
    let webhook = addressed(&live, &address)?;
    let sent = service::slack(&slack_body(payload)?).and_then(|body| send(&mut live, webhook, &query, &body));
    awaited(sent, &query)?;
    Ok(Json(json!("ok")))
}

/// Returns the body of Slack's client, which may be JSON in the field `payload` of a form, or have such attachments.
fn slack_body(payload: Payload) -> ApiResult<Value> {
    let parse = |text: &str| serde_json::from_str(text).map_err(|_| ApiError::invalid_json());
    let mut body = payload.json;
    if let Some(inside) = body.get("payload").and_then(Value::as_str) {
        return parse(inside);
    }
    if let Some(text) = body.get("attachments").and_then(Value::as_str) {
        body["attachments"] = parse(text)?;
    }
    Ok(body)
}

async fn github(
    State(rest): State<Rest>,
    Path(address): Path<(String, String)>,
    query: Query,
    headers: HeaderMap,
    payload: Payload,
) -> ApiResult<StatusCode> {
    let event = headers.get("x-github-event").and_then(|event| event.to_str().ok()).unwrap_or_default();
    let mut live = rest.discord.lock();
    let webhook = addressed(&live, &address)?;
    let sent = service::github(event, &payload.json).and_then(|body| match body {
        Some(body) => send(&mut live, webhook, &query, &body),
        None => Ok(()),
    });
    awaited(sent, &query)?;
    Ok(StatusCode::NO_CONTENT)
}
