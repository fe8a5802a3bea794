//! Guilds: reading and changing, their channels, audit log and regions.

use std::collections::HashSet;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::request::Bot;
use super::{Ids, Payload, Query, Reason, Rest, start};
use crate::error::{ApiError, ApiResult};
use crate::live::{Live, changes};
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::state::channel::{Channel, kind};
use crate::state::guild::Guild;
use crate::state::integration::Integration;
use crate::state::user::User;
use crate::validate;

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route("/guilds/{guild_id}", get(one))
        .route("/guilds/{guild_id}/preview", get(preview))
        .route("/guilds/{guild_id}/channels", get(list_channels).post(create_channel).patch(move_channels))
        .route("/guilds/{guild_id}/audit-logs", get(audit_log))
        .route("/guilds/{guild_id}/regions", get(regions))
}

/// Returns a guild in which the bot has these permissions.
pub(super) fn require<'a>(
    live: &'a Live<'_>,
    guild: Snowflake,
    bot: Snowflake,
    needed: Permissions,
) -> ApiResult<&'a Guild> {
    let guild = live.guild_for(guild, bot)?;
    if live.guild_permissions(bot, guild).contains(needed) {
        Ok(guild)
    } else {
        Err(ApiError::missing_permissions())
    }
}

fn show(guild: &Guild, counts: bool) -> Value {
    let mut value = guild.json();
    if counts {
        value["approximate_member_count"] = guild.members.len().into();
        value["approximate_presence_count"] = guild.presences.len().into();
    }
    value
}

async fn one(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([id]): Ids<1>,
    query: Query,
) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    let guild = live.guild_for(id, bot).map_err(|_| ApiError::unknown_guild())?;
    Ok(Json(show(guild, query.flag("with_counts"))))
}

async fn preview(State(rest): State<Rest>, Bot(bot): Bot, Ids([id]): Ids<1>) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    // Nobody discovers guilds here.
    let full = show(live.guild_for(id, bot).map_err(|_| ApiError::unknown_guild())?, true);
    let keys = [
        "id",
        "name",
        "icon",
        "description",
        "home_header",
        "splash",
        "discovery_splash",
        "features",
        "approximate_member_count",
        "approximate_presence_count",
        "emojis",
        "stickers",
    ];
    Ok(Json(keys.iter().map(|key| ((*key).to_owned(), full[*key].clone())).collect()))
}

async fn list_channels(State(rest): State<Rest>, Bot(bot): Bot, Ids([id]): Ids<1>) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    let guild = live.guild_for(id, bot)?;
    let seen = live.seen_in(bot, guild);
    let channels = guild.channels.iter().filter(|id| seen.contains(id));
    Ok(Json(channels.filter_map(|id| live.channels.get(id)).map(Channel::json).collect()))
}

async fn create_channel(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([id]): Ids<1>,
    Reason(reason): Reason,
    payload: Payload,
) -> ApiResult<(StatusCode, Json<Value>)> {
    let body = validate::channel::create(&payload.json)?;
    let mut live = rest.discord.lock();
    let guild = require(&live, id, bot, Permissions::MANAGE_CHANNELS)?;
    if guild.channels.len() >= 500 {
        return Err(ApiError::max_channels());
    }
    let wanted = body.kind.as_ref().copied().unwrap_or(kind::TEXT);
    live.check_features(id, wanted, &body)?;
    live.check_body(id, wanted, &body)?;
    live.check_room(guild, body.parent_id.as_ref())?;
    let overwrites = body.permission_overwrites.as_ref().map_or(&[][..], Vec::as_slice);
    live.check_overwrites(id, None, body.parent_id.as_ref().copied(), bot, &[], overwrites)?;
    let mut channel = Channel::new(live.next_id(), kind::TEXT, Some(id), "", live.clock.now());
    channel.position = i64::try_from(guild.channels.len()).unwrap_or(i64::MAX);
    validate::forum::unique(body.available_tags.as_ref().map_or(&[], Vec::as_slice))?;
    channel.apply(body, || live.next_id());
    let (channel_id, shown) = (channel.id, channel.json());
    live.add_channel(channel);
    let changes = changes::renamed(&Value::Null, &shown, changes::CHANNEL);
    live.audit(id, 10, bot, Some(channel_id), reason.as_deref(), changes);
    Ok((StatusCode::CREATED, Json(shown)))
}

async fn move_channels(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([id]): Ids<1>,
    payload: Payload,
) -> ApiResult<StatusCode> {
    let mut live = rest.discord.lock();
    require(&live, id, bot, Permissions::MANAGE_CHANNELS)?;
    let places = validate::channel::positions(&payload.json)?;
    let moved = places.iter().filter(|place| {
        let parent = live.channels.get(&place.id).and_then(|channel| channel.parent_id);
        place.parent_id.is_change() && place.parent_id.as_ref().copied() != parent
    });
    if moved.count() > 1 {
        return Err(ApiError::one_parent_at_a_time());
    }
    for (index, place) in places.iter().enumerate() {
        let channel = live.channel(place.id)?;
        if channel.guild_id != Some(id) {
            return Err(ApiError::unknown_channel());
        }
        live.check_parent(id, channel.kind, place.parent_id.as_ref())
            .map_err(|error| ApiError::field(&[&index.to_string(), "parent_id"], error))?;
    }
    for place in places {
        live.place_channel(place)?;
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn audit_log(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([id]): Ids<1>,
    query: Query,
) -> ApiResult<Json<Value>> {
    let limit = query.number("limit", 1..=100, 50)?;
    let (user, before, after) = (query.id("user_id")?, query.id("before")?, query.id("after")?);
    let action = query.optional_number("action_type", 0..=i32::MAX as usize)?;
    let live = rest.discord.lock();
    let guild = require(&live, id, bot, Permissions::VIEW_AUDIT_LOG)?;
    let as_id = |value: &Value| serde_json::from_value::<Snowflake>(value.clone()).ok();
    let entries: Vec<&Value> = guild
        .audit_log
        .iter()
        .rev()
        .filter(|entry| user.is_none_or(|user| as_id(&entry["user_id"]) == Some(user)))
        .filter(|entry| action.is_none_or(|action| entry["action_type"].as_u64() == Some(action as u64)))
        .filter(|entry| before.is_none_or(|before| as_id(&entry["id"]) < Some(before)))
        .filter(|entry| after.is_none_or(|after| as_id(&entry["id"]) > Some(after)))
        .take(limit)
        .collect();
    let mut users: Vec<Snowflake> = entries
        .iter()
        .flat_map(|entry| [&entry["user_id"], &entry["target_id"]])
        .filter_map(as_id)
        .filter(|id| live.users.contains_key(id))
        .collect();
    users.sort_unstable();
    users.dedup();
    let targets: HashSet<Snowflake> = entries.iter().filter_map(|entry| as_id(&entry["target_id"])).collect();
    let threads =
        guild.threads.iter().filter(|id| targets.contains(id)).filter_map(|id| live.channels.get(id));
    let integrations = guild.integrations.values().filter(|found| targets.contains(&found.id));
    let webhooks = live.webhooks.values().filter(|found| targets.contains(&found.id));
    Ok(Json(json!({
        "audit_log_entries": entries,
        "users": users.iter().filter_map(|id| live.users.get(id)).map(User::json).collect::<Vec<_>>(),
        "integrations": integrations.map(Integration::partial_json).collect::<Vec<_>>(),
        "webhooks": webhooks.map(|webhook| webhook.json(&live, true)).collect::<Vec<_>>(),
        "guild_scheduled_events": [],
        "threads": threads.map(Channel::json).collect::<Vec<_>>(),
        "application_commands": [],
        "auto_moderation_rules": [],
    })))
}

async fn regions(State(rest): State<Rest>, Bot(bot): Bot, Ids([id]): Ids<1>) -> ApiResult<Json<Value>> {
    rest.discord.lock().guild_for(id, bot)?;
    Ok(Json(start::regions(&rest)))
}
