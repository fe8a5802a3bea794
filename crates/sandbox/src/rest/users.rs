//! Users: the bot itself, others, its guilds and direct messages.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::bearer::Caller;
use super::request::Bot;
use super::{Ids, Payload, Query, Rest};
use crate::error::{ApiError, ApiResult};
use crate::state::picture_hash;
use crate::validate;
use crate::validate::user::Recipients;

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
    let body = validate::user::modify(&payload.json)?;
    let mut live = rest.discord.lock();
    let avatar = body.avatar.map(|bytes| live.keep_picture(bytes, true));
    if let Some(user) = live.users.get_mut(&bot) {
        if let Some(name) = body.username {
            user.username = name;
        }
        avatar.apply(&mut user.avatar);
        body.banner.map(|()| picture_hash()).apply(&mut user.banner);
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
    let recipients = validate::user::open(&payload.json)?;
    let mut live = rest.discord.lock();
    let id = match recipients {
        Recipients::User(user) => {
            let user = live.users.get(&user).ok_or_else(ApiError::invalid_recipients)?;
            if user.bot {
                return Err(ApiError::cannot_message_user());
            }
            let user = user.id;
            live.open_dm(bot, user)
        }
        Recipients::Group(tokens) => live.create_group(bot, &tokens)?,
    };
    Ok(Json(live.channel_json(live.channel(id)?, Some(bot))))
}
