//! Invites: created, listed, deleted.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::Value;

use super::guilds::require;
use super::invite_targets::{InvalidFile, users_in};
use super::members::may_give;
use super::request::Bot;
use super::{Form, Ids, Path, Query, Reason, Rest};
use crate::error::{ApiError, ApiResult, FieldError};
use crate::live::Live;
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::state::channel::kind;
use crate::state::invite::Invite;
use crate::validate;
use crate::validate::invite::{InviteBody, Target};

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route("/channels/{channel_id}/invites", get(of_channel).post(create))
        .route("/guilds/{guild_id}/invites", get(of_guild))
        .route("/invites/{code}", get(one).delete(remove))
}

async fn create(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([channel]): Ids<1>,
    Reason(reason): Reason,
    Form(payload): Form,
) -> Result<Response, InvalidFile> {
    let body = validate::invite::create(&payload.json)?;
    let users = users_in(&payload)?;
    let mut live = rest.discord.lock();
    Ok(Json(make(&mut live, channel, bot, body, users, reason.as_deref())?).into_response())
}

/// Makes an invite as a user or bot, or returns one that is like it.
pub(crate) fn make(
    live: &mut Live<'_>,
    channel: Snowflake,
    by: Snowflake,
    body: InviteBody,
    users: Option<Vec<Snowflake>>,
    reason: Option<&str>,
) -> ApiResult<Value> {
    let found = live.channel_for(channel, by, Permissions::CREATE_INSTANT_INVITE)?;
    let guild_id =
        found.guild_id.filter(|_| found.kind != kind::CATEGORY).ok_or_else(ApiError::wrong_channel_type)?;
    check_target(live, channel, body.target)?;
    for role in &body.role_ids {
        may_give(live, guild_id, by, *role)?;
    }
    if users.is_some() {
        require(live, guild_id, by, Permissions::MANAGE_GUILD)?;
    }
    let mut invite = Invite::new(guild_id, channel, Some(by), live.clock.now());
    invite.max_age = body.max_age.into();
    invite.max_uses = body.max_uses.into();
    invite.temporary = body.temporary;
    invite.target = body.target;
    invite.roles = body.role_ids;
    let like = |other: &&Invite| !body.unique && users.is_none() && other.is_like(&invite);
    let known = live.open_invites().find(like);
    if let Some(known) = known {
        return Ok(known.json(live, true, false));
    }
    live.has_room_for_invite(guild_id)?;
    invite.set_users(users, live.clock.now());
    let shown = invite.json(live, true, false);
    let code = invite.code.clone();
    live.add_invite(invite);
    live.audit_invite(40, &code, by, reason);
    Ok(shown)
}

/// Checks what an invite leads to: a user in this voice channel, or an application.
fn check_target(live: &Live<'_>, channel: Snowflake, target: Option<Target>) -> ApiResult<()> {
    let Some(target) = target else { return Ok(()) };
    let channel = live.channel(channel)?;
    let (key, code, sentence) = match target {
        _ if !channel.is_voice() => {
            ("target_type", "GUILD_INVITE_INVALID_TARGET_TYPE", "Target type is not valid for this channel")
        }
        Target::Stream(user) => {
            let guild = channel.guild_id.and_then(|id| live.guilds.get(&id));
            let state = guild.and_then(|guild| guild.voice_states.get(&user));
            if state.is_some_and(|state| state.channel_id == channel.id) {
                return Ok(());
            }
            let sentence = "The specified user is currently not streaming in this channel";
            ("target_user_id", "GUILD_INVITE_INVALID_STREAMER", sentence)
        }
        Target::Activity(id) if live.applications.contains_key(&id) => return Ok(()),
        Target::Activity(_) => (
            "target_application_id",
            "GUILD_INVITE_INVALID_APPLICATION",
            "The specified application is not embedded",
        ),
    };
    Err(ApiError::field(&[key], FieldError::new(code, sentence)))
}

async fn of_channel(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([channel]): Ids<1>,
) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    live.require(channel, bot, Permissions::MANAGE_CHANNELS)?;
    let list = live.open_invites().filter(|invite| invite.channel_id == channel);
    Ok(Json(list.map(|invite| invite.json(&live, true, false)).collect()))
}

async fn of_guild(State(rest): State<Rest>, Bot(bot): Bot, Ids([guild]): Ids<1>) -> ApiResult<Json<Value>> {
    Ok(Json(list(&rest.discord.lock(), guild, bot)?))
}

/// Lists the invites of a guild, with their usage for those who manage it.
pub(crate) fn list(live: &Live<'_>, guild: Snowflake, by: Snowflake) -> ApiResult<Value> {
    let manages = require(live, guild, by, Permissions::MANAGE_GUILD).is_ok();
    if !manages {
        require(live, guild, by, Permissions::VIEW_AUDIT_LOG)?;
    }
    let list = live.open_invites().filter(|invite| invite.guild_id == guild);
    Ok(list.map(|invite| invite.json(live, manages, false)).collect())
}

/// Shows an invite to those who may accept or manage it, without a token too.
async fn one(
    State(rest): State<Rest>,
    bot: Option<Bot>,
    Path(code): Path<String>,
    query: Query,
) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    let invite = live.invite(&code).ok_or_else(ApiError::unknown_invite)?;
    let bot = bot.map(|Bot(bot)| bot);
    let manages =
        bot.is_some_and(|bot| require(&live, invite.guild_id, bot, Permissions::MANAGE_GUILD).is_ok());
    if !manages && !invite.is_for(bot) {
        return Err(ApiError::unknown_invite());
    }
    let mut shown = invite.json(&live, false, query.flag("with_counts"));
    // Only an event of the invite's guild is shown; another id changes nothing.
    let events = live.guilds.get(&invite.guild_id).map(|guild| &guild.scheduled_events);
    if let (Some(id), Some(events)) = (query.id("guild_scheduled_event_id")?, events)
        && let Some(event) = events.get(&id)
    {
        shown["guild_scheduled_event"] = event.shown(&live, true);
    }
    Ok(Json(shown))
}

async fn remove(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Path(code): Path<String>,
    Reason(reason): Reason,
) -> ApiResult<Json<Value>> {
    Ok(Json(revoke(&mut rest.discord.lock(), &code, bot, reason.as_deref())?))
}

/// Deletes an invite as a user or bot.
pub(crate) fn revoke(
    live: &mut Live<'_>,
    code: &str,
    by: Snowflake,
    reason: Option<&str>,
) -> ApiResult<Value> {
    let invite = live.open_invite(code).cloned().ok_or_else(ApiError::unknown_invite)?;
    if require(live, invite.guild_id, by, Permissions::MANAGE_GUILD).is_err() {
        live.require(invite.channel_id, by, Permissions::MANAGE_CHANNELS)?;
    }
    live.audit_invite(42, code, by, reason);
    live.remove_invite(code);
    Ok(invite.json(live, false, false))
}
