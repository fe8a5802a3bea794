//! What games do: they are connected to lobbies, and show the moderation metadata of messages.

use axum::extract::State;
use axum::routing::{get, put};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::{BadRequest, Control, Path, find};
use crate::snowflake::Snowflake;

pub(super) fn routes() -> Router<Control> {
    Router::new()
        .route("/sandbox/lobbies/{lobby}/connections/{user}", put(connect).delete(disconnect))
        .route("/sandbox/bots/{bot}/messages/{message}/moderation-metadata", get(moderation))
}

/// Connects a member's game to a lobby, which is not idle then.
async fn connect(
    State(control): State<Control>,
    Path(place): Path<(Snowflake, String)>,
) -> Result<Json<Value>, BadRequest> {
    set_connected(&control, &place, true)
}

/// Disconnects a member's game from a lobby.
async fn disconnect(
    State(control): State<Control>,
    Path(place): Path<(Snowflake, String)>,
) -> Result<Json<Value>, BadRequest> {
    set_connected(&control, &place, false)
}

fn set_connected(
    control: &Control,
    (lobby, user): &(Snowflake, String),
    connected: bool,
) -> Result<Json<Value>, BadRequest> {
    let mut live = control.discord.lock();
    let user = find::person(&live, user)?.id;
    live.set_in_lobby(*lobby, user, connected)?;
    Ok(Json(json!(live.lobbies.get(lobby).map(|lobby| &lobby.connected))))
}

/// Returns what an application's games know of the moderation of a message.
async fn moderation(
    State(control): State<Control>,
    Path((bot, message)): Path<(String, Snowflake)>,
) -> Result<Json<Value>, BadRequest> {
    let live = control.discord.lock();
    let bot = find::bot(&live, &bot)?;
    Ok(Json(json!(live.moderation.get(&message).and_then(|of| of.get(&bot)).cloned().unwrap_or_default())))
}
