//! The gateway's address: the query parameters, and the upgrade to a websocket.

use std::sync::Arc;

use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{ConnectInfo, Query, State};
use axum::http::{Extensions, HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use sandbox_net::Close;
use serde::Deserialize;

use super::connection::{self, Opening};
use super::transport::{Encoding, Transport};
use super::{Backend, Hub, close};
use crate::event_log::Event;
use crate::fault::{ConnectEffect, Connection};

/// Longest frame that is read at all. It is longer than a client may send, so that the client gets a close code.
const LONGEST_FRAME: usize = 1 << 20;

/// Query parameters, all as text, so that the gateway and not the router answers an invalid one.
#[derive(Debug, Default, Deserialize)]
struct Wishes {
    v: Option<String>,
    encoding: Option<String>,
    compress: Option<String>,
}

#[derive(Clone)]
struct Endpoint {
    hub: Hub,
    backend: Arc<dyn Backend>,
}

impl Hub {
    /// Returns the websocket endpoint at `/`, in front of this backend.
    ///
    /// The hub itself holds no backend, so a backend may hold the hub.
    pub fn router(&self, backend: Arc<dyn Backend>) -> Router {
        Router::new().route("/", any(connect)).with_state(Endpoint { hub: self.clone(), backend })
    }
}

async fn connect(
    State(Endpoint { hub, backend }): State<Endpoint>,
    Query(wishes): Query<Wishes>,
    headers: HeaderMap,
    extensions: Extensions,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let Ok(upgrade) = upgrade else {
        let hint = "This is the gateway: connect with a websocket, as in ws://HOST/?v=10&encoding=json\n";
        return (StatusCode::UPGRADE_REQUIRED, [(header::UPGRADE, "websocket")], hint).into_response();
    };
    let wire = extensions.get::<ConnectInfo<Connection>>().map(|info| info.0.clone());
    let strike = hub.faults().on_connect();
    let mut delay = std::time::Duration::ZERO;
    if let Some(strike) = strike {
        let effect = serde_json::json!(strike.effect);
        hub.log().push(Event::Fault { rule: Some(strike.rule), place: "new connection".into(), effect });
        let refused = |reason: String| hub.log().push(Event::Refused { reason });
        match strike.effect {
            ConnectEffect::Pass => delay = strike.delay,
            ConnectEffect::Refuse { status } => {
                tokio::time::sleep(strike.delay).await;
                refused(format!("an injected fault answers {status}"));
                return StatusCode::from_u16(status)
                    .unwrap_or(StatusCode::SERVICE_UNAVAILABLE)
                    .into_response();
            }
            ConnectEffect::Sever => {
                tokio::time::sleep(strike.delay).await;
                refused("an injected fault drops the connection".into());
                if let Some(wire) = wire {
                    wire.sever();
                }
                return StatusCode::SERVICE_UNAVAILABLE.into_response();
            }
        }
    }
    let options = hub.options();
    // Some clients lose what comes in the same segment as the answer to the upgrade (seyfert).
    let delay = delay.max(options.hello_after);
    let resume_url = options.resume_url.as_ref().or(options.public_url.as_ref());
    let is_secure = wire.as_ref().is_some_and(Connection::is_secure);
    let resume_url = resume_url.cloned().unwrap_or_else(|| address(&headers, is_secure));
    let transport = negotiate(&wishes);
    // Both are available (Gateway, "API Versions"), and differ in nothing that is sent here.
    let version = if wishes.v.as_deref() == Some("9") { 9 } else { 10 };
    upgrade.max_message_size(LONGEST_FRAME).max_frame_size(LONGEST_FRAME).on_upgrade(move |socket| {
        connection::serve(Opening { hub, backend, socket, wire, transport, version, resume_url, delay })
    })
}

/// Returns the transport that the client asks for, or the close code that it gets instead.
///
/// A client that names no encoding gets JSON.
fn negotiate(wishes: &Wishes) -> Result<Transport, Close> {
    if wishes.v.as_deref().is_some_and(|version| !matches!(version, "9" | "10")) {
        return Err(close::invalid_version());
    }
    let encoding = match wishes.encoding.as_deref() {
        None | Some("json") => Encoding::Json,
        Some("etf") => Encoding::Etf,
        Some(other) => {
            let reason = format!("encoding {} is not offered, use json or etf", short(other));
            return Err(close::decode(reason));
        }
    };
    Transport::new(encoding, wishes.compress.as_deref()).ok_or_else(|| {
        let name = short(wishes.compress.as_deref().unwrap_or_default());
        close::decode(format!("compress {name} is not offered, use zlib-stream or zstd-stream"))
    })
}

/// Returns the beginning of a client's text, short enough for a close frame.
fn short(text: &str) -> String {
    text.chars().take(16).collect()
}

/// Returns the address under which the client reached this gateway, by TLS of the sandbox's own or of a proxy in front.
fn address(headers: &HeaderMap, is_secure: bool) -> String {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text(header::HOST.as_str()).unwrap_or("127.0.0.1");
    let scheme = if is_secure || text("x-forwarded-proto") == Some("https") { "wss" } else { "ws" };
    format!("{scheme}://{host}")
}
