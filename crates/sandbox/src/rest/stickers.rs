//! Stickers: of guilds, and the standard ones.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use discord_rules::media::sticker;
use serde_json::{Value, json};

use super::emojis::{may_change, sees_creators};
use super::guilds::require;
use super::request::Bot;
use super::{Form, Ids, Payload, Reason, Rest};
use crate::error::{ApiError, ApiResult};
use crate::permissions::Permissions;
use crate::state::sticker::{PACK, Sticker, pack};
use crate::validate::Change;
use crate::validate::expression;

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route("/guilds/{guild_id}/stickers", get(list).post(create))
        .route("/guilds/{guild_id}/stickers/{sticker_id}", get(one).patch(edit).delete(remove))
        .route("/stickers/{sticker_id}", get(any))
        .route("/sticker-packs", get(async |_: Bot| Json(json!({ "sticker_packs": [pack()] }))))
        .route("/sticker-packs/{pack_id}", get(one_pack))
}

async fn any(State(rest): State<Rest>, _: Bot, Ids([id]): Ids<1>) -> ApiResult<Json<Value>> {
    rest.discord.lock().sticker_json(id).map(Json).ok_or_else(ApiError::unknown_sticker)
}

async fn one_pack(_: Bot, Ids([id]): Ids<1>) -> ApiResult<Json<Value>> {
    if id == PACK { Ok(Json(pack())) } else { Err(ApiError::unknown_sticker_pack()) }
}

async fn list(State(rest): State<Rest>, Bot(bot): Bot, Ids([guild]): Ids<1>) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    let guild = live.guild_for(guild, bot)?;
    let sees = sees_creators(&live, guild, bot);
    let creator = |sticker: &Sticker| live.users.get(&sticker.creator).filter(|_| sees);
    Ok(Json(guild.stickers.values().map(|sticker| guild.sticker_json(sticker, creator(sticker))).collect()))
}

async fn one(State(rest): State<Rest>, Bot(bot): Bot, Ids([guild, id]): Ids<2>) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    let guild = live.guild_for(guild, bot)?;
    let sticker = guild.stickers.get(&id).ok_or_else(ApiError::unknown_sticker)?;
    let creator = live.users.get(&sticker.creator).filter(|_| sees_creators(&live, guild, bot));
    Ok(Json(guild.sticker_json(sticker, creator)))
}

async fn create(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([guild]): Ids<1>,
    Reason(reason): Reason,
    Form(payload): Form,
) -> ApiResult<(StatusCode, Json<Value>)> {
    let Payload { json: body, mut uploads } = payload;
    let body = expression::sticker_create(&body, !uploads.is_empty())?;
    let mut live = rest.discord.lock();
    require(&live, guild, bot, Permissions::CREATE_GUILD_EXPRESSIONS)?;
    let file = uploads.swap_remove(0).bytes;
    let sticker = Sticker {
        id: live.next_id(),
        name: body.name,
        description: body.description,
        tags: body.tags,
        format: sticker::check(&file)?,
        creator: bot,
    };
    live.add_sticker(guild, &sticker, file, reason.as_deref())?;
    let guild = live.guild_for(guild, bot)?;
    Ok((StatusCode::CREATED, Json(guild.sticker_json(&sticker, live.users.get(&bot)))))
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
    let mut sticker = found.stickers.get(&id).cloned().ok_or_else(ApiError::unknown_sticker)?;
    may_change(&live, found, bot, sticker.creator)?;
    let body = expression::sticker_edit(&payload.json)?;
    if let Some(name) = body.name {
        sticker.name = name;
    }
    if let Some(tags) = body.tags {
        sticker.tags = tags;
    }
    Change::apply(body.description, &mut sticker.description);
    live.change_sticker(guild, sticker.clone(), bot, reason.as_deref())?;
    let guild = live.guild_for(guild, bot)?;
    Ok(Json(guild.sticker_json(&sticker, live.users.get(&sticker.creator))))
}

async fn remove(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([guild, id]): Ids<2>,
    Reason(reason): Reason,
) -> ApiResult<StatusCode> {
    let mut live = rest.discord.lock();
    let found = live.guild_for(guild, bot)?;
    let creator = found.stickers.get(&id).ok_or_else(ApiError::unknown_sticker)?.creator;
    may_change(&live, found, bot, creator)?;
    live.remove_sticker(guild, id, bot, reason.as_deref())?;
    Ok(StatusCode::NO_CONTENT)
}
