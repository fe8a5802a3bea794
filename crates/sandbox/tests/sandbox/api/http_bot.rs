//! A minimal bot behind an address: it verifies signatures with the public key, answers PINGs, and leaves the rest to the
//! test.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use ed25519_dalek::{Signature, VerifyingKey};
use reqwest::Method;
use sandbox::event_log::{Delivery, Event};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::api::bot::{Bot, PATIENCE};

/// How PINGs are answered: those of interactions (type 1) and of events (type 0), with a right signature or a wrong one.
pub(crate) type Pings = fn(kind: u64, valid: bool) -> Response;

/// A bot behind an address.
pub(crate) struct HttpBot {
    pub(crate) url: String,
    requests: mpsc::UnboundedReceiver<Got>,
    server: tokio::task::JoinHandle<()>,
}

/// A request with a right signature that is no PING.
pub(crate) struct Got {
    pub(crate) body: Value,
    pub(crate) headers: HeaderMap,
    reply: oneshot::Sender<Response>,
}

struct Shared {
    key: VerifyingKey,
    pings: Pings,
    got: mpsc::UnboundedSender<Got>,
}

/// The answers of a bot that does everything right.
pub(crate) fn right(kind: u64, valid: bool) -> Response {
    match (kind, valid) {
        (_, false) => StatusCode::UNAUTHORIZED.into_response(),
        (0, true) => StatusCode::NO_CONTENT.into_response(),
        (_, true) => axum::Json(json!({ "type": 1 })).into_response(),
    }
}

fn unhex(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

impl Shared {
    fn is_signed(&self, headers: &HeaderMap, body: &[u8]) -> bool {
        let header = |name: &str| headers[name].to_str().unwrap().to_owned();
        let signature = unhex(&header("x-signature-ed25519"));
        let signature = Signature::from_slice(&signature).expect("a signature of 64 bytes");
        let signed = [header("x-signature-timestamp").as_bytes(), body].concat();
        self.key.verify_strict(&signed, &signature).is_ok()
    }
}

async fn handle(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let valid = shared.is_signed(&headers, &body);
    let json: Option<Value> = serde_json::from_slice(&body).ok();
    // Events have `application_id` and a `type` of their own.
    let ping = json.as_ref().and_then(|json| match json["type"].as_u64() {
        Some(0) => Some(0),
        Some(1) if json.get("event").is_none() => Some(1),
        _ => None,
    });
    if let Some(kind) = ping {
        return (shared.pings)(kind, valid);
    }
    assert!(valid, "only PINGs have wrong signatures");
    let (reply, answer) = oneshot::channel();
    let body = json.unwrap_or_else(|| String::from_utf8_lossy(&body).into_owned().into());
    shared.got.send(Got { body, headers, reply }).unwrap();
    // A test that drops the request leaves it unanswered.
    match answer.await {
        Ok(response) => response,
        Err(_) => std::future::pending().await,
    }
}

impl HttpBot {
    /// Starts a bot that does everything right.
    pub(crate) async fn start(bot: &Bot) -> Self {
        Self::with(bot, right).await
    }

    /// Starts a bot that answers PINGs in this way.
    pub(crate) async fn with(bot: &Bot, pings: Pings) -> Self {
        let key = unhex(&bot.sandbox.public_key()).try_into().expect("a key of 32 bytes");
        let key = VerifyingKey::from_bytes(&key).expect("a public key");
        let (got, requests) = mpsc::unbounded_channel();
        let router =
            Router::new().route("/hook", post(handle)).with_state(Arc::new(Shared { key, pings, got }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, requests, server }
    }

    /// Makes the bot's interactions come here.
    pub(crate) async fn takes_interactions(bot: &Bot) -> Self {
        let http = Self::start(bot).await;
        let body = json!({ "interactions_endpoint_url": http.url });
        bot.expect(200, Method::PATCH, "/applications/@me", &body).await;
        http
    }

    /// Subscribes to these webhook events.
    pub(crate) async fn takes_events(bot: &Bot, types: &[&str]) -> Self {
        let http = Self::start(bot).await;
        let body = json!({ "event_webhooks_url": http.url, "event_webhooks_status": 2, "event_webhooks_types": types });
        bot.expect(200, Method::PATCH, "/applications/@me", &body).await;
        http
    }

    /// Waits for the next request that is no PING.
    pub(crate) async fn next(&mut self) -> Got {
        let next = timeout(PATIENCE, self.requests.recv()).await.expect("a request comes");
        next.expect("the server runs")
    }

    /// Waits for the next event, acknowledges it, and returns its type and data.
    pub(crate) async fn event(&mut self) -> (String, Value) {
        let got = self.next().await;
        let event = got.body["event"].clone();
        got.reply(StatusCode::NO_CONTENT);
        (event["type"].as_str().unwrap_or_default().to_owned(), event["data"].clone())
    }

    /// Returns whether no request waits.
    pub(crate) fn is_quiet(&mut self) -> bool {
        self.requests.try_recv().is_err()
    }

    /// Stops to listen.
    pub(crate) async fn stop(self) {
        self.server.abort();
        // It ends by being aborted.
        let _ = self.server.await;
    }
}

impl Got {
    /// Answers the request.
    pub(crate) fn reply(self, response: impl IntoResponse) {
        // The sandbox may not wait any more.
        let _ = self.reply.send(response.into_response());
    }

    /// Answers with JSON and status 200.
    pub(crate) fn json(self, body: &Value) {
        self.reply(([(header::CONTENT_TYPE, "application/json")], body.to_string()));
    }

    /// Answers with a form of `payload_json` and one file.
    pub(crate) fn file(self, body: &Value, name: &str, bytes: &str) {
        let form = format!(
            "--b\r\ncontent-disposition: form-data; name=\"payload_json\"\r\ncontent-type: application/json\r\n\r\n{body}\r\n\
             --b\r\ncontent-disposition: form-data; name=\"files[0]\"; filename=\"{name}\"\r\n\r\n{bytes}\r\n--b--\r\n"
        );
        self.reply(([(header::CONTENT_TYPE, "multipart/form-data; boundary=b")], form));
    }
}

/// Returns an answer without end.
pub(crate) fn endless() -> Response {
    const CHUNK: &[u8] = &[b' '; 1 << 16];
    let chunks = futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(CHUNK)));
    Body::from_stream(chunks).into_response()
}

/// Waits for the log's next entry of a delivery from this number on.
pub(crate) async fn delivery(bot: &Bot, from: u64) -> (u64, Delivery) {
    let is_delivery = |entry: &sandbox::event_log::Entry| matches!(entry.event, Event::Delivery(_));
    let entry = bot.sandbox.event_log().wait_for(from, PATIENCE, is_delivery).await.expect("a delivery");
    let Event::Delivery(delivery) = &entry.event else { unreachable!("that was asked for") };
    (entry.n, Delivery::clone(delivery))
}

/// Time after which these tests' sandboxes give an endpoint up.
pub(crate) const SHORT: Duration = Duration::from_millis(300);
