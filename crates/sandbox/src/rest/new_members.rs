//! Users whom a bot adds to a guild, with an access token of theirs.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::put;

use super::guilds::require;
use super::members::may_give;
use super::request::Bot;
use super::{Ids, Payload, Rest};
use crate::error::{ApiError, ApiResult};
use crate::live::Live;
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::state::guild::Member;
use crate::validate;
use crate::validate::role::refuse_everyone;

pub(super) fn routes() -> Router<Rest> {
    Router::new().route("/guilds/{guild_id}/members/{user_id}", put(add))
}

/// Checks that a bot may set the flags of a member.
pub(super) fn may_set_flags(live: &Live<'_>, guild: Snowflake, bot: Snowflake) -> ApiResult<()> {
    let punishes = Permissions::MODERATE_MEMBERS | Permissions::KICK_MEMBERS | Permissions::BAN_MEMBERS;
    let any = [Permissions::MANAGE_GUILD, Permissions::MANAGE_ROLES, punishes];
    let allowed = any.into_iter().any(|needed| require(live, guild, bot, needed).is_ok());
    if allowed { Ok(()) } else { Err(ApiError::missing_permissions()) }
}

async fn add(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([guild, user]): Ids<2>,
    payload: Payload,
) -> ApiResult<Response> {
    let body = validate::new_member::read(&payload.json)?;
    let mut live = rest.discord.lock();
    require(&live, guild, bot, Permissions::CREATE_INSTANT_INVITE)?;
    live.user(user)?;
    let token = live.authorization(&body.access_token).ok_or_else(ApiError::invalid_access_token)?;
    if token.user != user || token.application != bot {
        return Err(ApiError::invalid_access_token());
    }
    if !token.allows("guilds.join") {
        return Err(ApiError::missing_scope());
    }
    if live.member(guild, user).is_ok() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    for (asked, needed) in [
        (body.nick.is_some(), Permissions::MANAGE_NICKNAMES),
        (body.mute, Permissions::MUTE_MEMBERS),
        (body.deaf, Permissions::DEAFEN_MEMBERS),
    ] {
        if asked {
            require(&live, guild, bot, needed)?;
        }
    }
    refuse_everyone(&body.roles, guild)?;
    for role in &body.roles {
        may_give(&live, guild, bot, *role)?;
    }
    let flags = validate::guild::editable_flags(body.flags);
    if flags != 0 {
        may_set_flags(&live, guild, bot)?;
    }
    let mut member = Member::new(user, live.clock.now());
    member.nick = body.nick;
    member.roles = body.roles;
    member.mute = body.mute;
    member.deaf = body.deaf;
    member.flags = flags.into();
    live.admit(guild, member)?;
    Ok((StatusCode::CREATED, axum::Json(live.member_json(guild, user)?)).into_response())
}
