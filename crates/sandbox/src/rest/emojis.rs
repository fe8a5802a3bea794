//! A guild's own emojis.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::Value;

use super::guilds::require;
use super::request::Bot;
use super::{Ids, Payload, Reason, Rest};
use crate::error::{ApiError, ApiResult, FieldError};
use crate::live::{Live, changes};
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::state::guild::{Emoji, Guild};
use crate::state::picture;
use crate::validate;

/// Largest picture, in bytes.
const LARGEST: usize = 256 << 10;

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route("/guilds/{guild_id}/emojis", get(list).post(create))
        .route("/guilds/{guild_id}/emojis/{emoji_id}", get(one).patch(edit).delete(remove))
}

async fn list(State(rest): State<Rest>, Bot(bot): Bot, Ids([guild]): Ids<1>) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    let emojis = live.guild_for(guild, bot)?.emojis.values();
    let sees = shows_creator(&live, guild, bot, true);
    Ok(Json(emojis.map(|emoji| show(&live, emoji, sees)).collect()))
}

/// Returns whether a bot sees who made an emoji: with MANAGE_GUILD_EXPRESSIONS, or CREATE_GUILD_EXPRESSIONS if that is
/// enough.
fn shows_creator(live: &Live<'_>, guild: Snowflake, bot: Snowflake, create_is_enough: bool) -> bool {
    let has = |needed| require(live, guild, bot, needed).is_ok();
    has(Permissions::MANAGE_GUILD_EXPRESSIONS)
        || create_is_enough && has(Permissions::CREATE_GUILD_EXPRESSIONS)
}

fn show(live: &Live<'_>, emoji: &Emoji, with_creator: bool) -> Value {
    emoji.json(live.users.get(&emoji.creator).filter(|_| with_creator))
}

async fn one(State(rest): State<Rest>, Bot(bot): Bot, Ids([guild, id]): Ids<2>) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    let emoji = live.guild_for(guild, bot)?.emojis.get(&id).ok_or_else(ApiError::unknown_emoji)?;
    Ok(Json(show(&live, emoji, shows_creator(&live, guild, bot, emoji.creator == bot))))
}

fn check_roles(guild: &Guild, roles: &[Snowflake]) -> ApiResult<()> {
    let known = roles.iter().all(|role| guild.roles.contains_key(role));
    if known { Ok(()) } else { Err(ApiError::unknown_role()) }
}

async fn create(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([id]): Ids<1>,
    Reason(reason): Reason,
    payload: Payload,
) -> ApiResult<(StatusCode, Json<Value>)> {
    let body = validate::guild_emoji::create(&payload.json)?;
    let picture = picture::read(&body.image, "image")?;
    if picture.bytes.len() > LARGEST {
        let error = FieldError::new("BINARY_TYPE_MAX_SIZE", "File cannot be larger than 256.0 kb.");
        return Err(ApiError::field(&["image"], error));
    }
    let mut live = rest.discord.lock();
    let guild = require(&live, id, bot, Permissions::CREATE_GUILD_EXPRESSIONS)?;
    check_roles(guild, &body.roles)?;
    let most = guild.perks.most_emojis();
    if guild.emojis.values().filter(|emoji| emoji.animated == picture.gif).count() >= most {
        return Err(ApiError::max_emojis(picture.gif, most));
    }
    let emoji =
        Emoji { id: live.next_id(), name: body.name, roles: body.roles, animated: picture.gif, creator: bot };
    let shown = emoji.json(live.users.get(&bot));
    let emoji_id = emoji.id;
    live.guild_mut(id)?.emojis.insert(emoji_id, emoji);
    live.emojis_changed(id);
    let changes = changes::renamed(&Value::Null, &shown, changes::EMOJI);
    live.audit(id, 60, bot, Some(emoji_id), reason.as_deref(), changes);
    Ok((StatusCode::CREATED, Json(shown)))
}

/// Returns an emoji that a bot may change: its own, or any with MANAGE_GUILD_EXPRESSIONS.
fn changeable(live: &Live<'_>, guild: Snowflake, bot: Snowflake, id: Snowflake) -> ApiResult<Emoji> {
    let emoji = live.guild_for(guild, bot)?.emojis.get(&id).cloned();
    let own = emoji.as_ref().is_some_and(|emoji| emoji.creator == bot);
    if !own || require(live, guild, bot, Permissions::CREATE_GUILD_EXPRESSIONS).is_err() {
        require(live, guild, bot, Permissions::MANAGE_GUILD_EXPRESSIONS)?;
    }
    emoji.ok_or_else(ApiError::unknown_emoji)
}

async fn edit(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([guild, id]): Ids<2>,
    Reason(reason): Reason,
    payload: Payload,
) -> ApiResult<Json<Value>> {
    let body = validate::guild_emoji::modify(&payload.json)?;
    let mut live = rest.discord.lock();
    let mut emoji = changeable(&live, guild, bot, id)?;
    let before = emoji.json(None);
    emoji.name = body.name.unwrap_or(emoji.name);
    body.roles.apply_or(&mut emoji.roles, Vec::new());
    check_roles(live.guild_for(guild, bot)?, &emoji.roles)?;
    let shown = emoji.json(live.users.get(&emoji.creator));
    let changes = changes::renamed(&before, &shown, changes::EMOJI);
    live.guild_mut(guild)?.emojis.insert(id, emoji);
    if !changes.is_empty() {
        live.emojis_changed(guild);
        live.audit(guild, 61, bot, Some(id), reason.as_deref(), changes);
    }
    Ok(Json(shown))
}

async fn remove(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([guild, id]): Ids<2>,
    Reason(reason): Reason,
) -> ApiResult<StatusCode> {
    let mut live = rest.discord.lock();
    let emoji = changeable(&live, guild, bot, id)?;
    live.guild_mut(guild)?.emojis.shift_remove(&id);
    live.emojis_changed(guild);
    let changes = changes::renamed(&emoji.json(None), &Value::Null, changes::EMOJI);
    live.audit(guild, 62, bot, Some(id), reason.as_deref(), changes);
    Ok(StatusCode::NO_CONTENT)
}
