//! Users: the bot itself, others, its guilds and direct messages.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::bearer::Caller;
use super::request::Bot;
use super::{Ids, Payload, Query, Rest};
use crate::error::{ApiError, ApiResult, FieldError};
use crate::snowflake::Snowflake;
use crate::state::picture_hash;
use crate::validate::Form;
use crate::validate::unread::all_but;

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route("/users/@me", get(me).patch(edit_me))
        .route("/users/@me/guilds", get(my_guilds))
        .route("/users/@me/guilds/{guild_id}", delete(leave_guild))
        .route("/users/@me/guilds/{guild_id}/member", get(my_member))
        .route("/users/@me/channels", post(open_dm))
        .route("/users/{user_id}", get(user))
}

async fn me(State(rest): State<Rest>, caller: Caller) -> ApiResult<Json<Value>> {
    let account = caller.account("identify")?;
    let mut shown = rest.discord.lock().user(account)?.private_json();
    if let (Caller::User(bearer), Some(fields)) = (&caller, shown.as_object_mut())
        && !bearer.0.allows("email")
    {
        fields.remove("email");
        fields.remove("verified");
    }
    Ok(Json(shown))
}

async fn edit_me(State(rest): State<Rest>, Bot(bot): Bot, payload: Payload) -> ApiResult<Json<Value>> {
    let body = payload.object()?;
    all_but(body, &["username", "avatar", "banner"]);
    let mut live = rest.discord.lock();
    if let Some(name) = body.get("username").filter(|name| !name.is_null()) {
        let name = name.as_str().ok_or_else(|| ApiError::field(&["username"], FieldError::not_text(name)))?;
        let length = name.chars().count();
        if !(2..=32).contains(&length) {
            return Err(ApiError::field(&["username"], FieldError::bad_length(2, 32)));
        }
        if let Some(user) = live.users.get_mut(&bot) {
            name.clone_into(&mut user.username);
        }
    }
    for (key, banner) in [("avatar", false), ("banner", true)] {
        let Some(picture) = body.get(key) else { continue };
        let hash = match picture.as_str() {
            Some(data) if data.starts_with("data:image/") => Some(picture_hash()),
            Some(_) => {
                return Err(ApiError::field(&[key], FieldError::new("IMAGE_INVALID", "Invalid image data")));
            }
            None => None,
        };
        if let Some(user) = live.users.get_mut(&bot) {
            *(if banner { &mut user.banner } else { &mut user.avatar }) = hash;
        }
    }
    live.user_changed(bot);
    Ok(Json(live.user(bot)?.private_json()))
}

async fn user(State(rest): State<Rest>, _: Bot, Ids([id]): Ids<1>) -> ApiResult<Json<Value>> {
    Ok(Json(rest.discord.lock().user(id)?.json()))
}

async fn my_guilds(State(rest): State<Rest>, caller: Caller, query: Query) -> ApiResult<Json<Value>> {
    let account = caller.account("guilds")?;
    let limit = query.number("limit", 1..=200, 200)?;
    let (before, after) = (query.id("before")?, query.id("after")?);
    let live = rest.discord.lock();
    let mut guilds: Vec<_> = live
        .guilds_of(account)
        .filter(|guild| before.is_none_or(|id| guild.id < id) && after.is_none_or(|id| guild.id > id))
        .collect();
    guilds.sort_by_key(|guild| guild.id);
    let skip = if before.is_some() { guilds.len().saturating_sub(limit) } else { 0 };
    let counts = query.flag("with_counts");
    let list = guilds.into_iter().skip(skip).take(limit).map(|guild| {
        let mut value = json!({
            "id": guild.id,
            "name": guild.name,
            "icon": guild.icon,
            "banner": guild.perks.banner,
            "owner": guild.owner_id == account,
            "permissions": live.guild_permissions(account, guild),
            "features": guild.features(),
        });
        if counts {
            value["approximate_member_count"] = guild.members.len().into();
            value["approximate_presence_count"] = guild.presences.len().into();
        }
        value
    });
    Ok(Json(list.collect()))
}

async fn my_member(State(rest): State<Rest>, caller: Caller, Ids([guild]): Ids<1>) -> ApiResult<Json<Value>> {
    let account = caller.account("guilds.members.read")?;
    let live = rest.discord.lock();
    live.guild_for(guild, account)?;
    Ok(Json(live.member_json(guild, account)?))
}

async fn leave_guild(State(rest): State<Rest>, Bot(bot): Bot, Ids([guild]): Ids<1>) -> ApiResult<StatusCode> {
    let mut live = rest.discord.lock();
    live.guild_for(guild, bot)?;
    live.leave(guild, bot)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn open_dm(State(rest): State<Rest>, Bot(bot): Bot, payload: Payload) -> ApiResult<Json<Value>> {
    if payload.object()?.contains_key("access_tokens") {
        return open_group(&rest, bot, &payload);
    }
    all_but(payload.object()?, &["recipient_id"]);
    let wanted = payload.object()?.get("recipient_id").cloned().unwrap_or_default();
    let recipient: Snowflake = serde_json::from_value(wanted.clone())
        .map_err(|_| ApiError::field(&["recipient_id"], FieldError::not_a("snowflake", &wanted)))?;
    let mut live = rest.discord.lock();
    if live.user(recipient)?.bot {
        return Err(ApiError::cannot_message_user());
    }
    let id = live.open_dm(bot, recipient);
    let channel = live.channel(id)?;
    Ok(Json(live.channel_json(channel, Some(bot))))
}

fn open_group(rest: &Rest, bot: Snowflake, payload: &Payload) -> ApiResult<Json<Value>> {
    let tokens = Form::read_object(&payload.json, |form, body| {
        // Nicknames are seen by the group's people only, and no route returns them.
        form.skip(body, &["nicks"]);
        form.required(body, "access_tokens", |form, value| form.list(value, 1..=100, Form::any_text))
    })?;
    let mut live = rest.discord.lock();
    let id = live.create_group(bot, &tokens)?;
    Ok(Json(live.channel_json(live.channel(id)?, Some(bot))))
}
