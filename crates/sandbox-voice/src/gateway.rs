//! The voice gateway: websockets on which clients and server settle how audio is transmitted.

mod connection;
mod handshake;

use std::time::Duration;

use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{ConnectInfo, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use serde::Deserialize;

use self::connection::Opening;
use super::state::Voice;
use super::wire::Wire;
use crate::fault::VoiceConnectEffect;
use crate::host::Event;

/// Longest frame that is read, in bytes; a commit with the welcomes of a full channel is far below it.
const LONGEST_FRAME: usize = 1 << 20;
/// Supported versions of the voice gateway.
const VERSIONS: std::ops::RangeInclusive<u8> = 4..=8;

/// Query parameters, as text, so that the gateway answers a wrong one.
#[derive(Debug, Default, Deserialize)]
struct Wishes {
    v: Option<String>,
}

#[derive(Clone)]
struct Endpoint {
    voice: Voice,
    region: usize,
}

/// Returns the endpoint of a region's server.
pub(super) fn router(voice: Voice, region: usize) -> Router {
    Router::new().route("/", any(connect)).with_state(Endpoint { voice, region })
}

async fn connect(
    State(Endpoint { voice, region }): State<Endpoint>,
    Query(wishes): Query<Wishes>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let Ok(upgrade) = upgrade else {
        let hint = "This is a voice server: connect with a websocket, as in wss://HOST/?v=8\n";
        return (StatusCode::UPGRADE_REQUIRED, [(header::UPGRADE, "websocket")], hint).into_response();
    };
    let (mut delay, mut stalled) = (Duration::ZERO, false);
    if let Some(strike) = voice.host().on_connect() {
        let effect = serde_json::json!(strike.effect);
        voice.host().log(Event::Fault {
            rule: Some(strike.rule),
            place: "new voice connection".into(),
            effect,
        });
        delay = strike.delay;
        match strike.effect {
            VoiceConnectEffect::Pass => {}
            VoiceConnectEffect::Stall => stalled = true,
            VoiceConnectEffect::Refuse { status } => {
                tokio::time::sleep(delay).await;
                return StatusCode::from_u16(status)
                    .unwrap_or(StatusCode::SERVICE_UNAVAILABLE)
                    .into_response();
            }
            VoiceConnectEffect::Sever => {
                tokio::time::sleep(delay).await;
                wire.connection.sever();
                return StatusCode::SERVICE_UNAVAILABLE.into_response();
            }
        }
    }
    let version =
        wishes.v.and_then(|version| version.parse().ok()).filter(|version| VERSIONS.contains(version));
    upgrade.max_message_size(LONGEST_FRAME).max_frame_size(LONGEST_FRAME).on_upgrade(move |socket| {
        connection::serve(Opening { voice, region, socket, wire, version, delay, stalled })
    })
}
