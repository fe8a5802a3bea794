//! A guild's vanity code, and its paused invites and direct messages.

use axum::extract::State;
use axum::routing::{get, put};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::guilds::require;
use super::request::Bot;
use super::{Ids, Payload, Reason, Rest};
use crate::error::{ApiError, ApiResult};
use crate::live::changes;
use crate::permissions::Permissions;
use crate::state::guild::Guild;
use crate::validate;

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route("/guilds/{guild_id}/vanity-url", get(vanity))
        .route("/guilds/{guild_id}/incident-actions", put(pause))
}

async fn vanity(State(rest): State<Rest>, Bot(bot): Bot, Ids([id]): Ids<1>) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    let guild = require(&live, id, bot, Permissions::MANAGE_GUILD)?;
    if !guild.perks.has("VANITY_URL") {
        return Err(ApiError::missing_access());
    }
    let vanity = guild.perks.vanity.as_ref();
    Ok(Json(json!({
        "code": vanity.map(|vanity| &vanity.code),
        "uses": vanity.map_or(0, |vanity| vanity.uses),
    })))
}

async fn pause(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([id]): Ids<1>,
    Reason(reason): Reason,
    payload: Payload,
) -> ApiResult<Json<Value>> {
    let mut live = rest.discord.lock();
    let body = validate::incidents::actions(&payload.json, live.clock.now())?;
    let before = require(&live, id, bot, Permissions::MANAGE_GUILD).map(Guild::json)?;
    let incidents = &mut live.guild_mut(id)?.incidents;
    let invites = body.invites_disabled_until.apply(&mut incidents.invites_disabled_until);
    let dms = body.dms_disabled_until.apply(&mut incidents.dms_disabled_until);
    let shown = incidents.json();
    if invites || dms {
        live.guild_changed(id);
        let after = live.guild_mut(id)?.json();
        let changes = changes::renamed(&before, &after, changes::GUILD);
        live.audit(id, 1, bot, Some(id), reason.as_deref(), changes);
    }
    Ok(Json(shown))
}
