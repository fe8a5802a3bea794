//! Members of guilds: listing, searching, changing, kicking, and their roles.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, patch, put};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::guilds::require;
use super::new_members;
use super::request::Bot;
use super::{Ids, Payload, Query, Reason, Rest};
use crate::error::{ApiError, ApiResult, FieldError};
use crate::gateway::Intents;
use crate::live::{Live, MemberChange, changes};
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::state::guild::Member;
use crate::state::picture_hash;
use crate::validate;
use crate::validate::Change;
use crate::validate::guild::OwnMemberBody;

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route("/guilds/{guild_id}/members", get(list))
        .route("/guilds/{guild_id}/members/search", get(search))
        .route("/guilds/{guild_id}/members/@me", patch(edit_me))
        .route("/guilds/{guild_id}/members/@me/nick", patch(edit_me))
        .route("/guilds/{guild_id}/members/{user_id}", get(one).patch(edit).delete(kick))
        .route("/guilds/{guild_id}/members/{user_id}/roles/{role_id}", put(give_role).delete(take_role))
}

async fn one(State(rest): State<Rest>, Bot(bot): Bot, Ids([guild, user]): Ids<2>) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    live.guild_for(guild, bot)?;
    live.user(user)?;
    Ok(Json(live.member_json(guild, user)?))
}

async fn list(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([guild]): Ids<1>,
    query: Query,
) -> ApiResult<Json<Value>> {
    let limit = query.number("limit", 1..=1000, 1)?;
    let after = query.id("after")?.unwrap_or(Snowflake(0));
    let live = rest.discord.lock();
    let guild = live.guild_for(guild, bot)?;
    live.require_intent(bot, Intents::GUILD_MEMBERS)?;
    let mut members: Vec<&Member> = guild.members.values().filter(|member| member.user_id > after).collect();
    members.sort_by_key(|member| member.user_id);
    Ok(Json(render(&live, members.into_iter().take(limit))))
}

fn render<'a>(live: &Live<'_>, members: impl Iterator<Item = &'a Member>) -> Value {
    members.filter_map(|member| Some(member.json(live.users.get(&member.user_id)?))).collect()
}

async fn search(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([guild]): Ids<1>,
    query: Query,
) -> ApiResult<Json<Value>> {
    let limit = query.number("limit", 1..=1000, 1)?;
    let prefix = query.text("query").ok_or_else(|| ApiError::field(&["query"], FieldError::required()))?;
    let live = rest.discord.lock();
    let guild = live.guild_for(guild, bot)?;
    let found = live.members_named(guild, prefix);
    Ok(Json(render(&live, found.into_iter().take(limit))))
}

async fn edit(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([guild, user]): Ids<2>,
    Reason(reason): Reason,
    payload: Payload,
) -> ApiResult<Json<Value>> {
    let mut live = rest.discord.lock();
    let body = validate::guild::member(&payload.json, live.clock.now())?;
    live.guild_for(guild, bot)?;
    let before = live.member(guild, user)?.roles.clone();
    if body.nick.is_change() {
        let needed = if user == bot { Permissions::CHANGE_NICKNAME } else { Permissions::MANAGE_NICKNAMES };
        outranks(&live, guild, bot, user, needed)?;
    }
    if body.communication_disabled_until.is_change() {
        may_moderate(&live, guild, bot, user, Permissions::MODERATE_MEMBERS)?;
        // Discord's reference: 403 if the member is an administrator or the owner.
        let sets = body.communication_disabled_until.as_ref().is_some();
        let has = live.guild_permissions(user, live.guild_for(guild, bot)?);
        if sets && has.contains(Permissions::ADMINISTRATOR) {
            return Err(ApiError::missing_permissions());
        }
    }
    for (asked, needed) in
        [(&body.mute, Permissions::MUTE_MEMBERS), (&body.deaf, Permissions::DEAFEN_MEMBERS)]
    {
        if asked.is_change() {
            require(&live, guild, bot, needed)?;
            if live.guilds.get(&guild).is_none_or(|guild| !guild.voice_states.contains_key(&user)) {
                return Err(ApiError::not_in_voice());
            }
        }
    }
    if body.roles.is_change() {
        let wanted = body.roles.as_ref().map_or(&[][..], Vec::as_slice);
        validate::role::refuse_everyone(wanted, guild)?;
        for role in wanted.iter().chain(&before) {
            if wanted.contains(role) != before.contains(role) {
                may_give(&live, guild, bot, *role)?;
            }
        }
    }
    let flags = match body.flags {
        Change::Keep => Change::Keep,
        asked => {
            new_members::may_set_flags(&live, guild, bot)?;
            // The other flags stay.
            let kept =
                live.member(guild, user)?.flags & !u64::from(validate::guild::editable_flags(u32::MAX));
            Change::Set(kept | u64::from(validate::guild::editable_flags(asked.value().unwrap_or(0))))
        }
    };
    let change = MemberChange {
        nick: body.nick,
        roles: body.roles,
        mute: body.mute,
        deaf: body.deaf,
        timeout: body.communication_disabled_until,
        flags,
        ..MemberChange::default()
    };
    let shown_before = live.member(guild, user)?.partial_json();
    let gives_roles = change.roles.is_change();
    let changes_member = change != MemberChange::default();
    if changes_member {
        live.change_member(guild, user, change)?;
    }
    if body.channel_id.is_change() {
        require(&live, guild, bot, Permissions::MOVE_MEMBERS)?;
        let channel = body.channel_id.value();
        if let Some(channel) = channel {
            live.channel_for(channel, bot, Permissions::CONNECT)?;
        }
        live.move_voice(guild, user, channel)?;
        let (action, options) = match channel {
            Some(channel) => (26, json!({ "channel_id": channel, "count": "1" })),
            None => (27, json!({ "count": "1" })),
        };
        live.audit_with_options(guild, action, bot, None, reason.as_deref(), &options);
    }
    let changes = changes::renamed(&shown_before, &live.member(guild, user)?.partial_json(), changes::MEMBER);
    if !changes.is_empty() {
        live.audit(guild, 24, bot, Some(user), reason.as_deref(), changes);
    }
    if gives_roles {
        let changes = live.role_changes(guild, &before, &live.member(guild, user)?.roles);
        if !changes.is_empty() {
            live.audit(guild, 25, bot, Some(user), reason.as_deref(), changes);
        }
    }
    Ok(Json(live.member_json(guild, user)?))
}

async fn edit_me(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([guild]): Ids<1>,
    Reason(reason): Reason,
    payload: Payload,
) -> ApiResult<Json<Value>> {
    let OwnMemberBody { nick, avatar, banner, bio } = validate::guild::own_member(&payload.json)?;
    let mut live = rest.discord.lock();
    live.guild_for(guild, bot)?;
    if nick.is_change() {
        require(&live, guild, bot, Permissions::CHANGE_NICKNAME)?;
    }
    let before = live.member(guild, bot)?.nick.clone();
    let asked = nick.is_change() || avatar.is_change() || banner.is_change() || bio.is_change();
    if asked {
        let hash = |picture: Change<String>| picture.map(|_| picture_hash());
        let (avatar, banner) = (hash(avatar), hash(banner));
        let change = MemberChange { nick, avatar, banner, bio, ..MemberChange::default() };
        live.change_member(guild, bot, change)?;
    }
    let after = live.member(guild, bot)?.nick.clone();
    if before != after {
        let mut entry = json!({ "key": "nick" });
        for (key, value) in [("old_value", before), ("new_value", after)] {
            if let Some(value) = value {
                entry[key] = value.into();
            }
        }
        live.audit(guild, 24, bot, Some(bot), reason.as_deref(), vec![entry]);
    }
    Ok(Json(live.member_json(guild, bot)?))
}

/// Checks that the bot has a permission and is above the member in the hierarchy.
pub(super) fn outranks(
    live: &Live<'_>,
    guild: Snowflake,
    bot: Snowflake,
    user: Snowflake,
    needed: Permissions,
) -> ApiResult<()> {
    let guild = require(live, guild, bot, needed)?;
    if user == bot || guild.rank(bot) > guild.rank(user) {
        Ok(())
    } else {
        Err(ApiError::missing_permissions())
    }
}

/// Checks that the bot may act against this user as a moderator, which it may not against itself.
pub(super) fn may_moderate(
    live: &Live<'_>,
    guild: Snowflake,
    bot: Snowflake,
    user: Snowflake,
    needed: Permissions,
) -> ApiResult<()> {
    outranks(live, guild, bot, user, needed)?;
    if user == bot { Err(ApiError::missing_permissions()) } else { Ok(()) }
}

/// Checks that the bot may add or remove this role.
pub(super) fn may_give(live: &Live<'_>, guild: Snowflake, bot: Snowflake, role: Snowflake) -> ApiResult<()> {
    let guild = require(live, guild, bot, Permissions::MANAGE_ROLES)?;
    let role = guild.roles.get(&role).ok_or_else(ApiError::unknown_role)?;
    if role.managed || role.id == guild.id {
        return Err(ApiError::invalid_role());
    }
    if guild.rank(bot) > role.position { Ok(()) } else { Err(ApiError::missing_permissions()) }
}

async fn kick(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([guild, user]): Ids<2>,
    Reason(reason): Reason,
) -> ApiResult<StatusCode> {
    let mut live = rest.discord.lock();
    require(&live, guild, bot, Permissions::KICK_MEMBERS)?;
    live.member(guild, user)?;
    may_moderate(&live, guild, bot, user, Permissions::KICK_MEMBERS)?;
    live.leave(guild, user)?;
    live.audit(guild, 20, bot, Some(user), reason.as_deref(), Vec::new());
    Ok(StatusCode::NO_CONTENT)
}

async fn give_role(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([guild, user, role]): Ids<3>,
    Reason(reason): Reason,
) -> ApiResult<StatusCode> {
    set_role(&rest, bot, guild, user, role, true, reason.as_deref())
}

async fn take_role(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([guild, user, role]): Ids<3>,
    Reason(reason): Reason,
) -> ApiResult<StatusCode> {
    set_role(&rest, bot, guild, user, role, false, reason.as_deref())
}

fn set_role(
    rest: &Rest,
    bot: Snowflake,
    guild: Snowflake,
    user: Snowflake,
    role: Snowflake,
    has: bool,
    reason: Option<&str>,
) -> ApiResult<StatusCode> {
    let mut live = rest.discord.lock();
    may_give(&live, guild, bot, role)?;
    let before = live.member(guild, user)?.roles.clone();
    if before.contains(&role) == has {
        return Ok(StatusCode::NO_CONTENT);
    }
    let mut after = before.clone();
    if has {
        after.push(role);
    } else {
        after.retain(|id| *id != role);
    }
    let changes = live.role_changes(guild, &before, &after);
    live.change_member(guild, user, MemberChange { roles: Change::Set(after), ..MemberChange::default() })?;
    live.audit(guild, 25, bot, Some(user), reason, changes);
    Ok(StatusCode::NO_CONTENT)
}
