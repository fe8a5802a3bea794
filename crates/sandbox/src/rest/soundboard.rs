//! The soundboard: sounds of guilds, the default ones, and playing one.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use discord_rules::media::sound;
use serde_json::{Value, json};

use super::emojis::{may_change, sees_creators};
use super::guilds::require;
use super::request::Bot;
use super::{Ids, Payload, Reason, Rest};
use crate::error::{ApiError, ApiResult};
use crate::live::Effect;
use crate::permissions::Permissions;
use crate::state::File;
use crate::state::sound::{Sound, defaults};
use crate::validate;
use crate::validate::sound::SoundBody;

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route("/soundboard-default-sounds", get(async |_: Bot| Json(defaults())))
        .route("/guilds/{guild_id}/soundboard-sounds", get(list).post(create))
        .route("/guilds/{guild_id}/soundboard-sounds/{sound_id}", get(one).patch(edit).delete(remove))
        .route("/channels/{channel_id}/send-soundboard-sound", post(send))
}

async fn list(State(rest): State<Rest>, Bot(bot): Bot, Ids([guild]): Ids<1>) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    let guild = live.guild_for(guild, bot)?;
    let sees = sees_creators(&live, guild, bot);
    let creator = |sound: &Sound| live.users.get(&sound.creator).filter(|_| sees);
    let items: Vec<Value> =
        guild.sounds.values().map(|sound| guild.sound_json(sound, creator(sound))).collect();
    Ok(Json(json!({ "items": items })))
}

async fn one(State(rest): State<Rest>, Bot(bot): Bot, Ids([guild, id]): Ids<2>) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    let guild = live.guild_for(guild, bot)?;
    let sound = guild.sounds.get(&id).ok_or_else(ApiError::unknown_sound)?;
    let creator = live.users.get(&sound.creator).filter(|_| sees_creators(&live, guild, bot));
    Ok(Json(guild.sound_json(sound, creator)))
}

fn apply(body: SoundBody, sound: &mut Sound) {
    if let Some(name) = body.name {
        sound.name = name;
    }
    body.volume.apply_or(&mut sound.volume, 1.0);
    // A sound shows one emoji: a new one takes the place of the other kind.
    if body.emoji_id.as_ref().is_some() {
        sound.emoji_name = None;
    }
    if body.emoji_name.as_ref().is_some() {
        sound.emoji_id = None;
    }
    body.emoji_name.apply(&mut sound.emoji_name);
    body.emoji_id.apply(&mut sound.emoji_id);
}

async fn create(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([guild]): Ids<1>,
    Reason(reason): Reason,
    payload: Payload,
) -> ApiResult<(StatusCode, Json<Value>)> {
    let (body, bytes) = validate::sound::create(&payload.json)?;
    let mut live = rest.discord.lock();
    require(&live, guild, bot, Permissions::CREATE_GUILD_EXPRESSIONS)?;
    let content_type = sound::check(&bytes)?.to_owned();
    let id = live.next_id();
    let mut sound =
        Sound { id, name: String::new(), volume: 1.0, emoji_id: None, emoji_name: None, creator: bot };
    apply(body, &mut sound);
    let file = File { filename: id.to_string(), content_type, bytes: bytes.into() };
    live.add_sound(guild, sound.clone(), file, reason.as_deref())?;
    let guild = live.guild_for(guild, bot)?;
    Ok((StatusCode::CREATED, Json(guild.sound_json(&sound, live.users.get(&bot)))))
}

async fn edit(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([guild, id]): Ids<2>,
    Reason(reason): Reason,
    payload: Payload,
) -> ApiResult<Json<Value>> {
    let mut live = rest.discord.lock();
    let found = live.guild_for(guild, bot)?;
    let mut sound = found.sounds.get(&id).cloned().ok_or_else(ApiError::unknown_sound)?;
    may_change(&live, found, bot, sound.creator)?;
    apply(validate::sound::modify(&payload.json)?, &mut sound);
    live.change_sound(guild, sound.clone(), bot, reason.as_deref())?;
    let guild = live.guild_for(guild, bot)?;
    Ok(Json(guild.sound_json(&sound, live.users.get(&sound.creator))))
}

async fn remove(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([guild, id]): Ids<2>,
    Reason(reason): Reason,
) -> ApiResult<StatusCode> {
    let mut live = rest.discord.lock();
    let found = live.guild_for(guild, bot)?;
    let creator = found.sounds.get(&id).ok_or_else(ApiError::unknown_sound)?.creator;
    may_change(&live, found, bot, creator)?;
    live.remove_sound(guild, id, bot, reason.as_deref())?;
    Ok(StatusCode::NO_CONTENT)
}

async fn send(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([channel]): Ids<1>,
    payload: Payload,
) -> ApiResult<StatusCode> {
    let (sound, source) = validate::sound::send(&payload.json)?;
    rest.discord.lock().send_effect(channel, bot, &Effect::Sound(sound, source))?;
    Ok(StatusCode::NO_CONTENT)
}
