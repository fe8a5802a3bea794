//! Monetisation: SKUs, entitlements and subscriptions.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::Value;

use super::applications::own;
use super::request::Bot;
use super::{Ids, Payload, Query, Rest};
use crate::error::{ApiError, ApiResult, FieldError};
use crate::snowflake::Snowflake;
use crate::state::store::{Entitlement, Sku, Subscription};
use crate::validate::Form;

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route("/applications/{application_id}/skus", get(skus))
        .route("/applications/{application_id}/entitlements", get(entitlements).post(grant))
        .route(
            "/applications/{application_id}/entitlements/{entitlement_id}",
            get(entitlement).delete(revoke),
        )
        .route("/applications/{application_id}/entitlements/{entitlement_id}/consume", post(consume))
        .route("/skus/{sku_id}/subscriptions", get(subscriptions))
        .route("/skus/{sku_id}/subscriptions/{subscription_id}", get(subscription))
}

async fn skus(State(rest): State<Rest>, Bot(bot): Bot, Ids([id]): Ids<1>) -> ApiResult<Json<Value>> {
    own(bot, id)?;
    let live = rest.discord.lock();
    Ok(Json(live.store.skus.values().filter(|sku| sku.application == id).flat_map(Sku::json).collect()))
}

/// Returns at most `limit` of these, in the order of their ids: the last ones before an id, or the first ones.
fn page<T>(mut all: Vec<(Snowflake, T)>, query: &Query, default: usize) -> ApiResult<Vec<T>> {
    let limit = query.number("limit", 1..=100, default)?;
    let (before, after) = (query.id("before")?, query.id("after")?);
    all.retain(|(id, _)| before.is_none_or(|before| *id < before) && after.is_none_or(|after| *id > after));
    all.sort_by_key(|(id, _)| *id);
    let skip = if before.is_some() { all.len().saturating_sub(limit) } else { 0 };
    Ok(all.into_iter().skip(skip).take(limit).map(|(_, item)| item).collect())
}

async fn entitlements(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([id]): Ids<1>,
    query: Query,
) -> ApiResult<Json<Value>> {
    own(bot, id)?;
    let (user, guild, skus) = (query.id("user_id")?, query.id("guild_id")?, query.listed_ids("sku_ids")?);
    let active = query.flag("only_active");
    let with_deleted = matches!(query.text("exclude_deleted"), Some("false" | "False" | "0"));
    let live = rest.discord.lock();
    let now = live.clock.now();
    let fits = |entitlement: &&Entitlement| {
        entitlement.application == id
            && user.is_none_or(|user| entitlement.user == user)
            && (guild.is_none() || entitlement.guild == guild)
            && skus.as_ref().is_none_or(|skus| skus.contains(&entitlement.sku))
            && (with_deleted || !entitlement.deleted)
            && !(query.flag("exclude_ended") && entitlement.ended(now))
            && (!active || entitlement.is_active(now))
    };
    let all = live.store.entitlements.values().filter(fits);
    let all = all.map(|entitlement| (entitlement.id, entitlement.json())).collect();
    Ok(Json(page(all, &query, 100)?.into()))
}

/// Returns an entitlement to an SKU of the bot's own application.
fn find(live: &crate::live::Live<'_>, application: Snowflake, id: Snowflake) -> ApiResult<Entitlement> {
    let found = live.store.entitlements.get(&id).filter(|found| found.application == application);
    found.cloned().ok_or_else(ApiError::unknown_entitlement)
}

async fn entitlement(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([id, wanted]): Ids<2>,
) -> ApiResult<Json<Value>> {
    own(bot, id)?;
    Ok(Json(find(&rest.discord.lock(), id, wanted)?.json()))
}

async fn grant(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([id]): Ids<1>,
    payload: Payload,
) -> ApiResult<Json<Value>> {
    own(bot, id)?;
    let (sku, owner, kind) = Form::read_object(&payload.json, |form, body| {
        let sku = form.required(body, "sku_id", Form::snowflake);
        let owner = form.required(body, "owner_id", Form::snowflake);
        let kind = form.required(body, "owner_type", |form, value| form.one_of(value, &[1, 2]));
        Some((sku?, owner?, kind?))
    })?;
    let mut live = rest.discord.lock();
    let (user, guild) = if kind == 1 {
        if !live.guilds.contains_key(&owner) {
            return Err(ApiError::unknown_guild());
        }
        let application = live.applications.get(&id).ok_or_else(ApiError::unknown_application)?;
        (application.owner, Some(owner))
    } else {
        (live.user(owner)?.id, None)
    };
    live.grant_test(id, sku, user, guild).map(Json)
}

async fn revoke(State(rest): State<Rest>, Bot(bot): Bot, Ids([id, wanted]): Ids<2>) -> ApiResult<StatusCode> {
    own(bot, id)?;
    let mut live = rest.discord.lock();
    let found = find(&live, id, wanted)?;
    if found.deleted {
        return Err(ApiError::unknown_entitlement());
    }
    if !found.test {
        return Err(ApiError::not_a_test_entitlement());
    }
    live.delete_entitlement(wanted);
    Ok(StatusCode::NO_CONTENT)
}

async fn consume(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([id, wanted]): Ids<2>,
) -> ApiResult<StatusCode> {
    own(bot, id)?;
    let mut live = rest.discord.lock();
    find(&live, id, wanted)?;
    live.consume_entitlement(wanted)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn subscriptions(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([sku]): Ids<1>,
    query: Query,
) -> ApiResult<Json<Value>> {
    let user = query.id("user_id")?;
    let live = rest.discord.lock();
    live.own_sku(bot, sku).map_err(|_| ApiError::unknown_sku())?;
    let user = user.ok_or_else(|| ApiError::field(&["user_id"], FieldError::required()))?;
    let all = live.store.subscriptions.values().filter(|found| found.sku == sku && found.user == user);
    let all = all.map(|found| (found.id, found.json())).collect();
    Ok(Json(page(all, &query, 50)?.into()))
}

async fn subscription(
    State(rest): State<Rest>,
    Bot(bot): Bot,
    Ids([sku, id]): Ids<2>,
    query: Query,
) -> ApiResult<Json<Value>> {
    let user = query.id("user_id")?;
    let live = rest.discord.lock();
    live.own_sku(bot, sku).map_err(|_| ApiError::unknown_sku())?;
    let found = live.store.subscriptions.get(&id).filter(|found| found.sku == sku);
    let found = found.filter(|found| user.is_none_or(|user| found.user == user));
    found.map(Subscription::json).map(Json).ok_or_else(ApiError::not_found)
}
