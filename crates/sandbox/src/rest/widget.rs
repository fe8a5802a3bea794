//! A guild's widget: settings, data and picture. The last two are for web pages and need no token.

use axum::extract::State;
use axum::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::Value;

use super::guilds::require;
use super::request::Bot;
use super::{Ids, Path, Payload, Query, Reason, Rest};
use crate::draw::{self, Style};
use crate::error::{ApiError, ApiResult};
use crate::live::{Live, changes};
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::state::guild::Guild;
use crate::validate;

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route("/guilds/{guild_id}/widget", get(settings).patch(edit))
        .route("/guilds/{guild_id}/widget.json", get(data))
        .route("/guilds/{guild_id}/widget.png", get(picture))
}

/// Returns the route of the pictures of a widget's members, which is none of the API.
pub(super) fn pictures() -> Router<Rest> {
    Router::new().route("/widget-avatars/{file}", get(avatar))
}

async fn settings(State(rest): State<Rest>, Bot(bot): Bot, Ids([id]): Ids<1>) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    Ok(Json(require(&live, id, bot, Permissions::MANAGE_GUILD)?.widget.json()))
}

async fn edit(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([id]): Ids<1>,
    Reason(reason): Reason,
    payload: Payload,
) -> ApiResult<Json<Value>> {
    let body = validate::widget::modify(&payload.json)?;
    let mut live = rest.discord.lock();
    let before = require(&live, id, bot, Permissions::MANAGE_GUILD).map(Guild::json)?;
    let guild = live.guild_mut(id)?;
    if body.channel_id.as_ref().is_some_and(|channel| !guild.channels.contains(channel)) {
        return Err(ApiError::unknown_channel());
    }
    guild.widget.enabled = body.enabled.unwrap_or(guild.widget.enabled);
    body.channel_id.apply(&mut guild.widget.channel_id);
    let (shown, after) = (guild.widget.json(), guild.json());
    let changes = changes::renamed(&before, &after, changes::GUILD);
    if !changes.is_empty() {
        live.guild_changed(id);
        live.audit(id, 1, bot, Some(id), reason.as_deref(), changes);
    }
    Ok(Json(shown))
}

/// Returns a guild whose widget is on.
fn shown<'a>(live: &'a Live<'_>, id: Snowflake) -> ApiResult<&'a Guild> {
    let guild = live.guilds.get(&id).ok_or_else(ApiError::unknown_guild)?;
    if guild.widget.enabled { Ok(guild) } else { Err(ApiError::widget_disabled()) }
}

async fn data(State(rest): State<Rest>, Ids([id]): Ids<1>) -> ApiResult<Response> {
    let mut live = rest.discord.lock();
    let guild = shown(&live, id)?;
    let known = live.widget_invite(guild).map(|invite| invite.code.clone());
    let invite = known.or_else(|| live.create_widget_invite(id));
    let widget = live.widget_json(shown(&live, id)?, invite.as_deref());
    Ok(([(ACCESS_CONTROL_ALLOW_ORIGIN, "*")], Json(widget)).into_response())
}

async fn picture(State(rest): State<Rest>, Ids([id]): Ids<1>, query: Query) -> ApiResult<Response> {
    let wanted = query.word("style", &Style::ALL.map(|(name, _)| name))?.unwrap_or("shield");
    let style = Style::ALL.into_iter().find(|(name, _)| *name == wanted);
    let (_, style) = style.ok_or_else(ApiError::not_found)?;
    let live = rest.discord.lock();
    let guild = shown(&live, id)?;
    Ok(png(draw::widget(style, &guild.name, guild.presences.len()), "no-cache"))
}

async fn avatar(Path(file): Path<String>) -> ApiResult<Response> {
    let number = file.strip_suffix(".png").and_then(|number| number.parse().ok());
    let number = number.filter(|number| *number < crate::state::widget::AVATARS);
    Ok(png(draw::avatar(number.ok_or_else(ApiError::not_found)?), "public, max-age=86400"))
}

fn png(bytes: Vec<u8>, cache: &'static str) -> Response {
    let headers = [(CONTENT_TYPE, "image/png"), (CACHE_CONTROL, cache), (ACCESS_CONTROL_ALLOW_ORIGIN, "*")];
    (headers, bytes).into_response()
}
