//! Roles of a guild.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Map, Value};

use super::guilds::require;
use super::request::Bot;
use super::{Ids, Payload, Reason, Rest};
use crate::error::{ApiError, ApiResult};
use crate::live::{Live, changes};
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::state::guild::{Guild, Role};
use crate::state::picture;
use crate::validate;
use crate::validate::role::RoleBody;

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route("/guilds/{guild_id}/roles", get(list).post(create).patch(reorder))
        .route("/guilds/{guild_id}/roles/member-counts", get(counts))
        .route("/guilds/{guild_id}/roles/{role_id}", get(one).patch(edit).delete(remove))
}

async fn list(State(rest): State<Rest>, Bot(bot): Bot, Ids([guild]): Ids<1>) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    Ok(Json(live.guild_for(guild, bot)?.roles.values().map(Role::json).collect()))
}

async fn one(State(rest): State<Rest>, Bot(bot): Bot, Ids([guild, role]): Ids<2>) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    let role = live.guild_for(guild, bot)?.roles.get(&role).map(Role::json);
    role.map(Json).ok_or_else(ApiError::unknown_role)
}

async fn counts(State(rest): State<Rest>, Bot(bot): Bot, Ids([guild]): Ids<1>) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    let guild = live.guild_for(guild, bot)?;
    let count =
        |role: &Snowflake| guild.members.values().filter(|member| member.roles.contains(role)).count();
    let counts: Map<String, Value> = guild
        .roles
        .keys()
        .filter(|id| **id != guild.id)
        .map(|id| (id.to_string(), count(id).into()))
        .collect();
    Ok(Json(counts.into()))
}

/// Applies the fields of a body to a role of a guild. A bot cannot grant permissions that it lacks, and a guild without
/// the features has no icons and no gradients.
fn apply(role: &mut Role, body: RoleBody, guild: &Guild, own: Permissions) -> ApiResult<()> {
    let icon = body.icon.try_map(|data| picture::read(&data, "icon").map(|picture| picture.hash(false)))?;
    let sets_icon = icon.as_ref().is_some() || body.unicode_emoji.as_ref().is_some();
    let sets_colors = body.secondary_color.as_ref().is_some() || body.tertiary_color.as_ref().is_some();
    if sets_icon && !guild.perks.has("ROLE_ICONS") || sets_colors && !guild.perks.has("ENHANCED_ROLE_COLORS")
    {
        return Err(ApiError::needs_boosts());
    }
    if let Some(wanted) = body.permissions.as_ref()
        && !own.contains(*wanted & !role.permissions)
    {
        return Err(ApiError::missing_permissions());
    }
    body.name.apply_or(&mut role.name, "new role".to_owned());
    body.permissions.apply_or(&mut role.permissions, Permissions::NONE);
    body.color.apply_or(&mut role.color, 0);
    body.secondary_color.apply(&mut role.secondary_color);
    body.tertiary_color.apply(&mut role.tertiary_color);
    body.hoist.apply_or(&mut role.hoist, false);
    body.mentionable.apply_or(&mut role.mentionable, false);
    icon.apply(&mut role.icon);
    body.unicode_emoji.apply(&mut role.unicode_emoji);
    Ok(())
}

async fn create(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([guild_id]): Ids<1>,
    Reason(reason): Reason,
    payload: Payload,
) -> ApiResult<Json<Value>> {
    let body = validate::role::read(&payload.json)?;
    let mut live = rest.discord.lock();
    let guild = require(&live, guild_id, bot, Permissions::MANAGE_ROLES)?;
    if guild.roles.len() >= 250 {
        return Err(ApiError::max_roles());
    }
    let own = live.guild_permissions(bot, guild);
    let mut role = Role::new(live.next_id(), "new role");
    role.permissions = guild.roles.get(&guild_id).map_or(Permissions::NONE, |role| role.permissions);
    apply(&mut role, body, guild, own)?;
    let (id, shown) = (role.id, role.json());
    // A new role is just above @everyone, below all others.
    let mut raised = Vec::new();
    if let Some(guild) = live.guilds.get_mut(&guild_id) {
        for other in guild.roles.values_mut().filter(|other| other.position > 0) {
            other.position += 1;
            raised.push(other.id);
        }
    }
    live.add_role(guild_id, role);
    for other in raised {
        live.role_changed(guild_id, other);
    }
    let changes = changes::renamed(&Value::Null, &shown, changes::ROLE);
    live.audit(guild_id, 30, bot, Some(id), reason.as_deref(), changes);
    Ok(Json(shown))
}

/// Returns a role that is below the bot's highest.
fn lower<'a>(live: &'a Live<'_>, guild: Snowflake, bot: Snowflake, role: Snowflake) -> ApiResult<&'a Role> {
    let guild = require(live, guild, bot, Permissions::MANAGE_ROLES)?;
    let role = guild.roles.get(&role).ok_or_else(ApiError::unknown_role)?;
    if guild.rank(bot) > role.position { Ok(role) } else { Err(ApiError::missing_permissions()) }
}

async fn edit(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([guild_id, id]): Ids<2>,
    Reason(reason): Reason,
    payload: Payload,
) -> ApiResult<Json<Value>> {
    let body = validate::role::read(&payload.json)?;
    let mut live = rest.discord.lock();
    let mut role = lower(&live, guild_id, bot, id)?.clone();
    let old = role.json();
    let guild = live.guild_for(guild_id, bot)?;
    apply(&mut role, body, guild, live.guild_permissions(bot, guild))?;
    let shown = role.json();
    let before = live.access(guild_id);
    live.guild_mut(guild_id)?.roles.insert(id, role);
    live.role_changed(guild_id, id);
    live.access_changed(guild_id, &before, None);
    let changes = changes::renamed(&old, &shown, changes::ROLE);
    live.audit(guild_id, 31, bot, Some(id), reason.as_deref(), changes);
    Ok(Json(shown))
}

async fn remove(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([guild, id]): Ids<2>,
    Reason(reason): Reason,
) -> ApiResult<StatusCode> {
    let mut live = rest.discord.lock();
    let role = lower(&live, guild, bot, id)?;
    if role.managed || id == guild {
        return Err(ApiError::invalid_role());
    }
    let old = role.json();
    live.delete_role(guild, id);
    let changes = changes::renamed(&old, &Value::Null, changes::ROLE);
    live.audit(guild, 32, bot, Some(id), reason.as_deref(), changes);
    Ok(StatusCode::NO_CONTENT)
}

async fn reorder(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([guild]): Ids<1>,
    payload: Payload,
) -> ApiResult<Json<Value>> {
    let mut live = rest.discord.lock();
    let positions = validate::role::positions(&payload.json)?;
    let rank = require(&live, guild, bot, Permissions::MANAGE_ROLES)?.rank(bot);
    for (id, position) in &positions {
        lower(&live, guild, bot, *id)?;
        // Not beside or above its own highest either.
        if position.is_some_and(|position| i64::from(position) >= rank) {
            return Err(ApiError::missing_permissions());
        }
    }
    for (id, position) in positions {
        if let (Some(position), Some(role)) = (position, live.guild_mut(guild)?.roles.get_mut(&id)) {
            role.position = position.into();
        }
        live.role_changed(guild, id);
    }
    Ok(Json(live.guild_for(guild, bot)?.roles.values().map(Role::json).collect()))
}
