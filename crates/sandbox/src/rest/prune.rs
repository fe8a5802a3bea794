//! Pruning of inactive members.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::guilds::require;
use super::request::Bot;
use super::{Ids, Payload, Query, Reason, Rest};
use crate::error::ApiResult;
use crate::permissions::Permissions;
use crate::validate;

pub(super) fn routes() -> Router<Rest> {
    Router::new().route("/guilds/{guild_id}/prune", get(preview).post(begin))
}

/// Both routes need both permissions.
const NEEDED: Permissions = Permissions::KICK_MEMBERS.union(Permissions::MANAGE_GUILD);

async fn preview(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([id]): Ids<1>,
    query: Query,
) -> ApiResult<Json<Value>> {
    let days = query.number("days", 1..=30, 7)?;
    let roles = validate::prune::query_roles(query.text("include_roles").unwrap_or_default())?;
    let live = rest.discord.lock();
    let guild = require(&live, id, bot, NEEDED)?;
    let days = u8::try_from(days).unwrap_or(u8::MAX);
    Ok(Json(json!({ "pruned": live.prunable(guild, days, &roles).len() })))
}

async fn begin(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([id]): Ids<1>,
    Reason(reason): Reason,
    payload: Payload,
) -> ApiResult<Json<Value>> {
    let body = validate::prune::begin(&payload.json)?;
    let mut live = rest.discord.lock();
    let guild = require(&live, id, bot, NEEDED)?;
    let gone = live.prunable(guild, body.days, &body.include_roles);
    for user in &gone {
        live.leave(id, *user)?;
    }
    if !gone.is_empty() {
        let options = json!({
            "delete_member_days": body.days.to_string(),
            "members_removed": gone.len().to_string(),
        });
        live.audit_with_options(id, 21, bot, None, reason.or(body.reason).as_deref(), &options);
    }
    let pruned = body.compute_prune_count.then_some(gone.len());
    Ok(Json(json!({ "pruned": pruned })))
}
