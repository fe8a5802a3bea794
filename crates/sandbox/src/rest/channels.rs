//! Channels: reading, changing, deleting, and their permission overwrites.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, put};
use axum::{Json, Router};
use serde_json::Value;

use super::request::Bot;
use super::{Ids, Payload, Reason, Rest};
use crate::error::{ApiError, ApiResult};
use crate::live::{Live, changes};
use crate::permissions::{Overwrite, Permissions};
use crate::snowflake::Snowflake;
use crate::state::channel::PINNED;
use crate::state::picture_hash;
use crate::validate;
use crate::validate::Change;
use crate::validate::channel::ThreadBody;

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route("/channels/{channel_id}", get(one).patch(edit).delete(remove))
        .route("/channels/{channel_id}/voice-status", put(set_voice_status))
        .route(
            "/channels/{channel_id}/permissions/{overwrite_id}",
            put(set_overwrite).delete(remove_overwrite),
        )
}

async fn one(State(rest): State<Rest>, Bot(bot): Bot, Ids([id]): Ids<1>) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    let channel = live.channel(id)?;
    if !live.can_see(bot, channel) {
        return Err(ApiError::missing_access());
    }
    Ok(Json(live.channel_json(channel, Some(bot))))
}

async fn edit(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([id]): Ids<1>,
    Reason(reason): Reason,
    payload: Payload,
) -> ApiResult<Json<Value>> {
    let mut live = rest.discord.lock();
    let channel = live.channel_for(id, bot, Permissions::NONE)?;
    if channel.group.is_some() {
        let (name, icon) = validate::channel::group(&payload.json)?;
        live.change_group(bot, id, name, icon.map(|()| picture_hash()))?;
        return Ok(Json(live.channel_json(live.channel(id)?, Some(bot))));
    }
    if channel.is_dm() {
        return Err(ApiError::not_in_dm());
    }
    let before = channel.json();
    if channel.is_thread() {
        if edit_thread(&mut live, bot, id, &payload.json)? {
            live.unarchived(id);
        } else {
            live.channel_changed(id);
        }
    } else {
        live.require(id, bot, Permissions::MANAGE_CHANNELS)?;
        let body = validate::channel::modify(&payload.json, channel.kind)?;
        if body.permission_overwrites.is_change() {
            live.require(id, bot, Permissions::MANAGE_ROLES)?;
            let after = body.permission_overwrites.as_ref().map_or(&[][..], Vec::as_slice);
            may_overwrite(&live, id, bot, after)?;
        }
        if let Some(guild) = channel.guild_id {
            live.check_features(guild, channel.kind, &body)?;
        }
        live.edit_channel(id, body)?;
    }
    live.audit_channel(id, &before, bot, reason.as_deref());
    let channel = live.channel(id)?;
    Ok(Json(live.channel_json(channel, Some(bot))))
}

/// Changes a thread and returns whether it was archived and is active now.
pub(crate) fn edit_thread(
    live: &mut Live<'_>,
    bot: Snowflake,
    id: Snowflake,
    body: &Value,
) -> ApiResult<bool> {
    let body = validate::channel::thread_modify(body)?;
    let thread = live.channel(id)?.thread.as_ref().ok_or_else(ApiError::wrong_channel_type)?;
    let own = thread.owner_id == bot;
    // A member may do nothing but unarchive it.
    let wakes = !thread.locked
        && thread.members.contains_key(&bot)
        && body == ThreadBody { archived: Change::Set(false), ..ThreadBody::default() };
    if !(own || wakes) || body.locked.is_change() || body.flags.is_change() {
        live.require(id, bot, Permissions::MANAGE_THREADS)?;
    }
    // Only what makes an archived thread active again, or locks it, may be changed in it.
    let changes = body.name.is_some()
        || body.auto_archive_duration.is_change()
        || body.rate_limit_per_user.is_change()
        || body.invitable.is_change()
        || body.flags.is_change()
        || body.applied_tags.is_change();
    if changes {
        live.refuse_if_locked(id, bot)?;
    }
    if changes && body.archived != Change::Set(false) {
        live.refuse_if_archived(id)?;
    }
    let now = live.now();
    if let (Some(tags), Some(parent)) = (body.applied_tags.as_ref(), live.channel(id)?.parent_id) {
        let before =
            live.channel(id)?.thread.as_ref().map_or(Vec::new(), |thread| thread.applied_tags.clone());
        live.check_tags(parent, bot, &before, tags)?;
    }
    let channel = live.channel_mut(id)?;
    let Some(thread) = &mut channel.thread else { return Err(ApiError::wrong_channel_type()) };
    let turned = body.archived.apply_or(&mut thread.archived, false);
    let unarchived = turned && !thread.archived;
    if turned {
        thread.archive_timestamp.clone_from(&now);
        // "A thread that is pinned ... archiving that thread will unset the flag" (Threads, "Pinned threads").
        if thread.archived {
            channel.flags &= !PINNED;
        }
    }
    body.locked.apply_or(&mut thread.locked, false);
    body.invitable.apply_or(&mut thread.invitable, true);
    if let Some(minutes) = body.auto_archive_duration.value() {
        thread.auto_archive_duration = minutes.into();
        thread.archive_timestamp.clone_from(&now);
    }
    if let Some(name) = body.name {
        channel.name = name;
    }
    body.applied_tags.apply_or(&mut thread.applied_tags, Vec::new());
    body.flags.map(u64::from).apply_or(&mut channel.flags, 0);
    body.rate_limit_per_user.map(u64::from).apply_or(&mut channel.rate_limit_per_user, 0);
    live.watch_activity(id);
    Ok(unarchived)
}

async fn remove(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([id]): Ids<1>,
    Reason(reason): Reason,
) -> ApiResult<Json<Value>> {
    let mut live = rest.discord.lock();
    let channel = live.channel_for(id, bot, Permissions::NONE)?;
    if channel.is_dm() {
        return Ok(Json(live.channel_json(channel, Some(bot))));
    }
    let needed = if channel.is_thread() { Permissions::MANAGE_THREADS } else { Permissions::MANAGE_CHANNELS };
    live.require(id, bot, needed)?;
    let guild = channel.guild_id;
    let needed_by =
        guild.and_then(|guild| live.guilds.get(&guild)).filter(|guild| guild.perks.has("COMMUNITY"));
    if needed_by
        .is_some_and(|guild| [guild.rules_channel_id, guild.public_updates_channel_id].contains(&Some(id)))
    {
        return Err(ApiError::community_channel());
    }
    let shown = live.delete_channel(id)?;
    if let Some(guild) = guild {
        let fields = if shown["thread_metadata"].is_object() { changes::THREAD } else { changes::CHANNEL };
        let action = if shown["thread_metadata"].is_object() { 112 } else { 12 };
        let changes = changes::renamed(&changes::flat(&shown), &Value::Null, fields);
        live.audit(guild, action, bot, Some(id), reason.as_deref(), changes);
    }
    Ok(Json(shown))
}

async fn set_voice_status(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([id]): Ids<1>,
    Reason(reason): Reason,
    payload: Payload,
) -> ApiResult<StatusCode> {
    let status = validate::channel::voice_status(&payload.json)?;
    let mut live = rest.discord.lock();
    let guild = live.channel_for(id, bot, Permissions::SET_VOICE_CHANNEL_STATUS)?.guild_id;
    let guild = guild.and_then(|guild| live.guilds.get(&guild));
    let state = guild.and_then(|guild| guild.voice_states.get(&bot));
    if state.is_none_or(|state| state.channel_id != id) {
        live.require(id, bot, Permissions::MANAGE_CHANNELS)?;
    }
    live.set_voice_status(id, status, bot, reason.as_deref())?;
    Ok(StatusCode::NO_CONTENT)
}

async fn set_overwrite(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([id, target]): Ids<2>,
    Reason(reason): Reason,
    payload: Payload,
) -> ApiResult<StatusCode> {
    let overwrite = validate::channel::overwrite(&payload.json, target)?;
    let mut live = rest.discord.lock();
    live.require(id, bot, Permissions::MANAGE_ROLES)?;
    let mut after = live.channel(id)?.overwrites.clone();
    after.retain(|other| other.id != target);
    after.push(overwrite);
    may_overwrite(&live, id, bot, &after)?;
    let before = live.channel(id)?.overwrites.iter().find(|other| other.id == target).copied();
    live.set_overwrite(id, overwrite)?;
    live.audit_overwrite(id, before, Some(overwrite), bot, reason.as_deref());
    Ok(StatusCode::NO_CONTENT)
}

fn may_overwrite(live: &Live<'_>, id: Snowflake, bot: Snowflake, after: &[Overwrite]) -> ApiResult<()> {
    let channel = live.channel(id)?;
    let Some(guild) = channel.guild_id else { return Ok(()) };
    live.check_overwrites(guild, Some(id), channel.parent_id, bot, &channel.overwrites, after)
}

async fn remove_overwrite(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([id, target]): Ids<2>,
    Reason(reason): Reason,
) -> ApiResult<StatusCode> {
    let mut live = rest.discord.lock();
    live.require(id, bot, Permissions::MANAGE_ROLES)?;
    let before = live.channel(id)?.overwrites.iter().find(|other| other.id == target).copied();
    live.remove_overwrite(id, target)?;
    live.audit_overwrite(id, before, None, bot, reason.as_deref());
    Ok(StatusCode::NO_CONTENT)
}
