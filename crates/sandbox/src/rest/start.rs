//! The first requests of a bot: the gateway's address, and voice regions.

use axum::extract::{ConnectInfo, State};
use axum::http::HeaderMap;
use axum::http::header::HOST;
use axum::routing::get;
use axum::{Extension, Json, Router};
use serde_json::{Value, json};

use super::Rest;
use super::request::Bot;
use crate::fault::Connection;

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route("/gateway", get(gateway))
        .route("/gateway/bot", get(gateway_bot))
        .route("/voice/regions", get(voice_regions))
}

/// Connection of a request; there is none without a server.
type Wire = Option<Extension<ConnectInfo<Connection>>>;

/// Returns the gateway's address: the configured one if there is one, else with the host name that the client used, so that
/// it works from a container too.
fn gateway_url(rest: &Rest, headers: &HeaderMap, wire: Wire) -> String {
    if let Some(url) = rest.discord.hub().public_url() {
        return url.to_owned();
    }
    let host =
        headers.get(HOST).and_then(|host| host.to_str().ok()).filter(|host| !host.contains(['/', '@', ' ']));
    match host {
        Some(host) => {
            let is_secure = wire.is_some_and(|Extension(ConnectInfo(connection))| connection.is_secure());
            format!("{}://{host}", if is_secure { "wss" } else { "ws" })
        }
        None => rest.discord.lock().base_url.replacen("http", "ws", 1),
    }
}

async fn gateway(State(rest): State<Rest>, headers: HeaderMap, wire: Wire) -> Json<Value> {
    Json(json!({ "url": gateway_url(&rest, &headers, wire) }))
}

async fn gateway_bot(State(rest): State<Rest>, Bot(bot): Bot, headers: HeaderMap, wire: Wire) -> Json<Value> {
    Json(json!({
        "url": gateway_url(&rest, &headers, wire),
        "shards": rest.discord.hub().recommended_shards(),
        "session_start_limit": rest.discord.hub().session_start_limit(bot),
    }))
}

async fn voice_regions(State(rest): State<Rest>, _: Bot) -> Json<Value> {
    Json(regions(&rest))
}

/// Returns the voice regions, each with a server of its own. The first is the nearest.
pub(super) fn regions(rest: &Rest) -> Value {
    let ids = rest.discord.voice().regions().iter().enumerate();
    let region = |(index, id): (usize, &String)| json!({ "id": id, "name": id, "optimal": index == 0, "deprecated": false, "custom": false });
    ids.map(region).collect()
}
