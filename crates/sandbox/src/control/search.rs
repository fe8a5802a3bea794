//! Searching messages of a guild as a user.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::Value;

use super::{BadRequest, Control, Path, find};
use crate::error::ApiError;
use crate::rest::search::Search;

pub(super) fn routes() -> Router<Control> {
    Router::new().route("/sandbox/guilds/{guild}/messages/search", get(search))
}

/// Returns what a user finds in the channels that they may read, with the parameters and the answer of Discord's search for
/// bots. Nothing has to be indexed before.
async fn search(
    State(control): State<Control>,
    Path(guild): Path<String>,
    query: crate::rest::Query,
) -> Result<Json<Value>, BadRequest> {
    let asked = Search::read(&query)?;
    let live = control.discord.lock();
    let user = query.text("as").ok_or_else(|| BadRequest::new("The parameter \"as\" is missing: a user."))?;
    let user = find::person(&live, user)?.id;
    let guild = find::guild(&live, Some(&guild))?;
    if !guild.members.contains_key(&user) {
        return Err(ApiError::missing_access().into());
    }
    Ok(Json(asked.run(&live, guild, user)))
}
