//! Applications: the bot's own, at its several addresses.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::request::Bot;
use super::{Ids, Payload, Rest};
use crate::error::{ApiError, ApiResult};
use crate::live::Live;
use crate::snowflake::Snowflake;
use crate::validate::unread::all_but;

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route("/applications/@me", get(me).patch(edit))
        .route("/oauth2/applications/@me", get(me))
        .route("/applications/{application_id}", get(by_id))
        .route("/applications/{application_id}/role-connections/metadata", get(none))
}

fn show(live: &Live<'_>, bot: Snowflake) -> ApiResult<Json<Value>> {
    let application = live.applications.get(&bot).ok_or_else(ApiError::unknown_application)?;
    let guilds = live.guilds_of(bot).count();
    Ok(Json(application.json(live.user(bot)?, live.user(application.owner)?, guilds)))
}

/// Checks that an application is the bot's own.
pub(super) fn own(bot: Snowflake, application: Snowflake) -> ApiResult<()> {
    if bot == application { Ok(()) } else { Err(ApiError::wrong_application()) }
}

async fn me(State(rest): State<Rest>, Bot(bot): Bot) -> ApiResult<Json<Value>> {
    show(&rest.discord.lock(), bot)
}

async fn by_id(State(rest): State<Rest>, Bot(bot): Bot, Ids([id]): Ids<1>) -> ApiResult<Json<Value>> {
    own(bot, id)?;
    show(&rest.discord.lock(), bot)
}

async fn edit(State(rest): State<Rest>, Bot(bot): Bot, payload: Payload) -> ApiResult<Json<Value>> {
    let body = payload.object()?;
    all_but(body, &["description", "tags", "custom_install_url"]);
    let mut live = rest.discord.lock();
    let application = live.applications.get_mut(&bot).ok_or_else(ApiError::unknown_application)?;
    if let Some(description) = body.get("description").and_then(Value::as_str) {
        description.clone_into(&mut application.description);
    }
    if let Some(tags) = body.get("tags") {
        application.tags = serde_json::from_value(tags.clone()).unwrap_or_default();
    }
    if let Some(url) = body.get("custom_install_url") {
        application.custom_install_url = url.as_str().map(str::to_owned);
    }
    show(&live, bot)
}

async fn none(Bot(bot): Bot, Ids([id]): Ids<1>) -> ApiResult<Json<Value>> {
    own(bot, id)?;
    Ok(Json(json!([])))
}
