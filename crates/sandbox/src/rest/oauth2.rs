//! What an application reads and writes in the name of a user who has authorized it.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::bearer::Bearer;
use super::{Ids, Payload, Query, Rest};
use crate::error::{ApiError, ApiResult};
use crate::snowflake::Snowflake;
use crate::state::clock;
use crate::state::store::Entitlement;
use crate::validate;

pub(super) fn routes() -> Router<Rest> {
    Router::new()
        .route("/oauth2/@me", get(authorization))
        .route("/oauth2/keys", get(keys))
        .route("/oauth2/userinfo", get(user_info))
        .route("/users/@me/connections", get(connections))
        .route("/users/@me/applications/{application_id}/entitlements", get(entitlements))
        .route(
            "/users/@me/applications/{application_id}/role-connection",
            get(role_connection).put(set_role_connection).delete(remove_role_connection),
        )
}

async fn authorization(State(rest): State<Rest>, bearer: Bearer) -> ApiResult<Json<Value>> {
    let live = rest.discord.lock();
    let found = live.applications.get(&bearer.0.application).ok_or_else(ApiError::unknown_application)?;
    let mut answer = json!({
        "application": found.public_json(),
        "scopes": bearer.0.scopes,
        "expires": clock::iso(bearer.0.expires),
    });
    if bearer.0.allows("identify") {
        answer["user"] = live.user(bearer.0.user)?.json();
    }
    Ok(Json(answer))
}

/// Returns the key for the tokens of OpenID Connect, of which the sandbox issues none.
async fn keys() -> Json<Value> {
    const MODULUS: &str = "5dtKU9ZuXGE_tqusNPwuOL6AZF3wWnt7FrMkrPPJF7ax5nQuI8dQp8R2yYOeySjug5qY0yYRKJHCv8mfV03dAjbdaNq-8w--hCpHyyAqJTpN\
        NaPyzl8tgcnZnfIs8eBkI-ymMmi9rhomCPZTQqLpVFDs6O5HQzmJHEF-tAcLpXmPtKIJJCmS-qQEzp3tfODV6Al3BDFy_b9iGIKOuozeTZ6whDKBYO21ookz_80IAX1oOJ3V\
        xC35HtwrLsL3ATMxa3m5E6mdh7JnpAA3EeGgVuOurnH3fHZx5IiBzssR6qf9Rt-CRJP9MZ0B2wrB9RXbCK1mjat8VDO2ITcoR0bGgw";
    Json(json!({ "keys": [
        { "kty": "RSA", "use": "sig", "kid": "sandbox", "alg": "RS256", "e": "AQAB", "n": MODULUS }
    ] }))
}

async fn user_info(State(rest): State<Rest>, bearer: Bearer) -> ApiResult<Json<Value>> {
    bearer.require("openid")?;
    let live = rest.discord.lock();
    let user = live.user(bearer.0.user)?;
    let mut info = json!({ "sub": user.id });
    if bearer.0.allows("identify") {
        info["preferred_username"] = json!(user.username);
        info["nickname"] = json!(user.global_name);
        info["locale"] = json!(user.locale);
    }
    if bearer.0.allows("email") {
        info["email"] = Value::Null;
        info["email_verified"] = true.into();
    }
    Ok(Json(info))
}

async fn connections(State(rest): State<Rest>, bearer: Bearer) -> ApiResult<Json<Value>> {
    bearer.require("connections")?;
    let live = rest.discord.lock();
    Ok(Json(live.connections.get(&bearer.0.user).cloned().unwrap_or_default().into()))
}

async fn entitlements(
    State(rest): State<Rest>,
    bearer: Bearer,
    Ids([id]): Ids<1>,
    query: Query,
) -> ApiResult<Json<Value>> {
    own(&bearer, id, "applications.entitlements")?;
    let skus = query.listed_ids("sku_ids")?;
    let live = rest.discord.lock();
    let now = live.clock.now();
    let theirs = |found: &&Entitlement| {
        found.application == id
            && found.user == bearer.0.user
            && !found.deleted
            && !found.ended(now)
            && !(query.flag("exclude_consumed") && found.consumed)
            && skus.as_ref().is_none_or(|skus| skus.contains(&found.sku))
    };
    Ok(Json(live.store.entitlements.values().filter(theirs).map(Entitlement::json).collect()))
}

/// Checks that the user allows this to this application.
fn own(bearer: &Bearer, application: Snowflake, scope: &str) -> ApiResult<()> {
    bearer.require(scope)?;
    if bearer.0.application == application { Ok(()) } else { Err(ApiError::wrong_application()) }
}

const ROLE_CONNECTIONS: &str = "role_connections.write";

async fn role_connection(
    State(rest): State<Rest>,
    bearer: Bearer,
    Ids([id]): Ids<1>,
) -> ApiResult<Json<Value>> {
    own(&bearer, id, ROLE_CONNECTIONS)?;
    let live = rest.discord.lock();
    let found = live.applications.get(&id).ok_or_else(ApiError::unknown_application)?;
    let connection = found.role_connections.get(&bearer.0.user).cloned();
    Ok(Json(connection.unwrap_or_else(|| json!({ "metadata": {} }))))
}

async fn set_role_connection(
    State(rest): State<Rest>,
    bearer: Bearer,
    Ids([id]): Ids<1>,
    payload: Payload,
) -> ApiResult<Json<Value>> {
    own(&bearer, id, ROLE_CONNECTIONS)?;
    let mut live = rest.discord.lock();
    let found = live.applications.get_mut(&id).ok_or_else(ApiError::unknown_application)?;
    let connection = validate::application::role_connection(&payload.json, &found.role_metadata)?;
    found.role_connections.insert(bearer.0.user, connection.clone());
    Ok(Json(connection))
}

async fn remove_role_connection(
    State(rest): State<Rest>,
    bearer: Bearer,
    Ids([id]): Ids<1>,
) -> ApiResult<StatusCode> {
    own(&bearer, id, ROLE_CONNECTIONS)?;
    let mut live = rest.discord.lock();
    let found = live.applications.get_mut(&id).ok_or_else(ApiError::unknown_application)?;
    found.role_connections.remove(&bearer.0.user);
    Ok(StatusCode::NO_CONTENT)
}
