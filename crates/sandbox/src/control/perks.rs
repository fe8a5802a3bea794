//! Boosts of guilds, as by their members, and what Discord grants them.

use axum::extract::State;
use axum::routing::put;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::{BadRequest, Control, Path, Request, find};
use crate::state::perks::Perks;

pub(super) fn routes() -> Router<Control> {
    Router::new().route("/sandbox/guilds/{guild}/perks", put(set))
}

/// Sets the boosts and grants, and returns them with the level of the boosts.
async fn set(
    State(control): State<Control>,
    Path(guild): Path<String>,
    Request(perks): Request<Perks>,
) -> Result<Json<Value>, BadRequest> {
    let mut live = control.discord.lock();
    let guild = find::guild(&live, Some(&guild))?.id;
    live.set_perks(guild, perks)?;
    Ok(Json(json!({
        "boosts": perks.boosts,
        "verified": perks.verified,
        "partnered": perks.partnered,
        "premium_tier": perks.tier(),
    })))
}
