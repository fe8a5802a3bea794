//! One signed request to an endpoint, and its answer: without redirects, within a time and a size.

use std::error::Error as _;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_TYPE, USER_AGENT};
use axum::http::{HeaderMap, StatusCode};
use reqwest::redirect::Policy;
use serde_json::Value;

use super::Inner;
use super::target::{Targets, shown};
use crate::event_log::{Delivery, Event, EventLog};
use crate::rest::{BODY_LIMIT, Form, Payload};
use crate::snowflake::Snowflake;
use crate::state::endpoint::Endpoint;
use crate::state::key_pair::KeyPair;

/// Most bytes of an answer that is no response to an interaction.
const SHORT: usize = 64 << 10;

/// Returns a client that reaches these targets, follows no redirects and uses no proxy. It keeps no connection, since a bot
/// that is restarted closes those that it had. The error is one sentence without its end.
pub(super) fn client(targets: &Targets) -> Result<reqwest::Client, String> {
    let builder = reqwest::Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .pool_max_idle_per_host(0)
        .dns_resolver(Arc::new(targets.clone()));
    builder.build().map_err(|error| format!("no requests can be sent: {}", cause(&error)))
}

/// A request.
#[derive(Debug)]
pub(super) struct Request<'a> {
    /// Kind of endpoint.
    pub(super) endpoint: Endpoint,
    /// Its address.
    pub(super) url: &'a str,
    /// Application that it belongs to.
    pub(super) application: Snowflake,
    /// What is delivered: `PING`, `INTERACTION_CREATE`, or a type of webhook events.
    pub(super) event: &'a str,
    /// Number of this attempt.
    pub(super) attempt: u32,
    /// Key pair that signs it. A wrong signature has another one.
    pub(super) keys: &'a KeyPair,
    /// Body.
    pub(super) body: &'a Value,
    /// Bytes of the body that are sent, if not all of them.
    pub(super) cut: Option<usize>,
    /// Time until the whole answer.
    pub(super) deadline: Duration,
    /// Number of the fault rule that struck it.
    pub(super) fault: Option<u64>,
}

/// A request with its answer. It is logged when this is dropped.
pub(super) struct Exchange {
    log: EventLog,
    entry: Box<Delivery>,
    /// The answer. The error is one sentence without its end.
    pub(super) reply: Result<Reply, String>,
}

/// An answer.
pub(super) struct Reply {
    /// Status.
    pub(super) status: StatusCode,
    /// Body.
    pub(super) body: Bytes,
    headers: HeaderMap,
}

impl Exchange {
    /// Notes why this counts as a failure, in one sentence without its end.
    pub(super) fn fail(&mut self, reason: &str) {
        self.entry.failure = Some(reason.to_owned());
    }

    /// Returns the address as sentences show it.
    pub(super) fn url(&self) -> &str {
        &self.entry.url
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.log.push(Event::Delivery(std::mem::take(&mut self.entry)));
    }
}

impl Reply {
    /// Reads the body as that of a request to REST: JSON or a form, by its content type.
    pub(super) async fn payload(self) -> crate::error::ApiResult<Payload> {
        let mut request = axum::extract::Request::new(Body::from(self.body));
        if let Some(kind) = self.headers.get(CONTENT_TYPE) {
            request.headers_mut().insert(CONTENT_TYPE, kind.clone());
        }
        Form::read(request).await
    }
}

impl Inner {
    /// Sends a request and reads its answer.
    pub(super) async fn post(&self, request: Request<'_>) -> Exchange {
        let longest = self.log.capacity().body;
        let redactor = self.log.redactor();
        let mut entry = Box::new(Delivery {
            bot: request.application,
            event: request.event.to_owned(),
            attempt: request.attempt,
            request: Some(redactor.value_body(request.body, longest)),
            fault: request.fault,
            ..Delivery::default()
        });
        let started = Instant::now();
        let sent = self.send(&request, &mut entry.url).await;
        entry.us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        match &sent {
            Ok(reply) => {
                entry.status = Some(reply.status.as_u16());
                if !reply.body.is_empty() {
                    let kind = reply.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
                    let kind = kind.map(str::to_owned);
                    entry.response = Some(redactor.foreign_body(&reply.body, kind.as_deref(), longest));
                }
            }
            Err(reason) => entry.failure = Some(reason.clone()),
        }
        Exchange { log: self.log.clone(), entry, reply: sent }
    }

    async fn send(&self, request: &Request<'_>, logged: &mut String) -> Result<Reply, String> {
        let http = self.http.as_ref().map_err(Clone::clone)?;
        let url = self.targets.check(request.url)?;
        let address = shown(&url);
        logged.clone_from(&address);
        let mut body = request.body.to_string();
        if let Some(cut) = request.cut {
            body.truncate(body.floor_char_boundary(cut));
        }
        // The bot compares it with its own clock, if with any, and not with that of the world.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let timestamp = now.as_secs().to_string();
        let signature = request.keys.sign(&timestamp, body.as_bytes());
        let (agent, most) = match (request.endpoint, request.event) {
            // As Discord's requests have it; it is not documented.
            (Endpoint::Interactions, "PING") => ("Discord-Interactions/1.0 (+https://discord.com)", SHORT),
            (Endpoint::Interactions, _) => ("Discord-Interactions/1.0 (+https://discord.com)", BODY_LIMIT),
            (Endpoint::Events, _) => ("Discord-Webhook/1.0 (+https://discord.com)", SHORT),
        };
        let sending = http
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, agent)
            .header("X-Signature-Ed25519", signature)
            .header("X-Signature-Timestamp", timestamp)
            .body(body);
        let exchange = async {
            let mut response = sending
                .send()
                .await
                .map_err(|error| format!("{address} can't be reached: {}", cause(&error)))?;
            let too_long = || format!("{address} answered with more than {most} bytes");
            if response.content_length().is_some_and(|length| length > most as u64) {
                return Err(too_long());
            }
            let (status, headers) = (response.status(), response.headers().clone());
            let mut body = Vec::new();
            let broken = |error: reqwest::Error| format!("{address} broke its answer off: {}", cause(&error));
            while let Some(chunk) = response.chunk().await.map_err(broken)? {
                if body.len() + chunk.len() > most {
                    return Err(too_long());
                }
                body.extend_from_slice(&chunk);
            }
            Ok(Reply { status, body: body.into(), headers })
        };
        let late = |_| format!("{address} gave no answer within {}", seconds(request.deadline));
        tokio::time::timeout(request.deadline, exchange).await.map_err(late)?
    }
}

/// Returns a time in seconds, such as `3 s`.
pub(super) fn seconds(time: Duration) -> String {
    format!("{} s", (time.as_secs_f64() * 10.0).round() / 10.0)
}

/// Returns the innermost cause of an error. The outer ones repeat the address, with its query.
fn cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    if error.source().is_none() { "the request failed".to_owned() } else { cause.to_string() }
}

/// Returns the end of a sentence about an answer with another status than is expected.
pub(super) fn wrong_status(status: StatusCode, expected: &str) -> String {
    let hint = if status.is_redirection() { " (redirects are not followed)" } else { "" };
    format!("with {}{hint}, and not {expected}", status.as_u16())
}
