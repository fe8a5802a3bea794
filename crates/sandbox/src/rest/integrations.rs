//! Integrations of guilds.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{delete, get};
use axum::{Json, Router};
use serde_json::Value;

use super::guilds::require;
use super::request::Bot;
use super::{Ids, Reason, Rest};
use crate::error::ApiResult;
use crate::permissions::Permissions;

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route("/guilds/{guild_id}/integrations", get(list))
        .route("/guilds/{guild_id}/integrations/{integration_id}", delete(remove))
}

/// Most integrations that are listed.
const MOST: usize = 50;

async fn list(State(rest): State<Rest>, Bot(bot): Bot, Ids([guild]): Ids<1>) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    let guild = require(&live, guild, bot, Permissions::MANAGE_GUILD)?;
    Ok(Json(guild.integrations.values().take(MOST).map(|integration| integration.json(&live)).collect()))
}

async fn remove(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([guild, id]): Ids<2>,
    Reason(reason): Reason,
) -> ApiResult<StatusCode> {
    let mut live = rest.discord.lock();
    require(&live, guild, bot, Permissions::MANAGE_GUILD)?;
    live.delete_integration(guild, id, bot, reason.as_deref())?;
    Ok(StatusCode::NO_CONTENT)
}
