//! What users authorize applications for, their accounts elsewhere, and Activities that they take part in.

use axum::extract::State;
use axum::routing::{post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{BadRequest, Control, Path, Request, find};
use crate::state::authorization::{LIFETIME, SCOPES};

pub(super) fn routes() -> Router<Control> {
    Router::new()
        .route("/sandbox/bots/{bot}/authorizations", post(authorize))
        .route("/sandbox/users/{user}/connections", put(connect))
        .route("/sandbox/activities/{instance}/users/{user}", put(enter).delete(leave))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Authorize {
    #[serde(rename = "as")]
    user: String,
    scopes: Vec<String>,
    /// Type and token of a provisional account that is merged into the user's.
    external_auth_type: Option<String>,
    external_auth_token: Option<String>,
}

/// Authorizes an application in the name of a user. Only this answer contains the token.
async fn authorize(
    State(control): State<Control>,
    Path(bot): Path<String>,
    Request(asked): Request<Authorize>,
) -> Result<Json<Value>, BadRequest> {
    if let Some(unknown) = asked.scopes.iter().find(|scope| !SCOPES.contains(&scope.as_str())) {
        return Err(BadRequest::new(format!(
            "There is no scope \"{unknown}\"; there are {}.",
            SCOPES.join(", ")
        )));
    }
    let mut live = control.discord.lock();
    let user = find::person(&live, &asked.user)?.id;
    let application = find::bot(&live, &bot)?;
    if asked.external_auth_type.is_some() || asked.external_auth_token.is_some() {
        let body = json!({
            "client_id": application,
            "external_auth_type": asked.external_auth_type,
            "external_auth_token": asked.external_auth_token,
        });
        let external = crate::validate::partner::external(&body)?;
        let (identity, _) = live.external_player(&external)?;
        live.merge(&identity, user)?;
    }
    let scope = asked.scopes.join(" ");
    let token = live.authorize_as(application, user, &asked.scopes);
    Ok(Json(json!({
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": LIFETIME.whole_seconds(),
        "scope": scope,
    })))
}

/// Services with which users connect their accounts.
const SERVICES: &[&str] = &[
    "battlenet",
    "bluesky",
    "bungie",
    "domain",
    "ebay",
    "epicgames",
    "facebook",
    "github",
    "instagram",
    "leagueoflegends",
    "mastodon",
    "paypal",
    "playstation",
    "reddit",
    "riotgames",
    "roblox",
    "skype",
    "spotify",
    "steam",
    "tiktok",
    "twitch",
    "twitter",
    "xbox",
    "youtube",
];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Connection {
    #[serde(rename = "type")]
    service: String,
    id: String,
    name: String,
    #[serde(default)]
    verified: bool,
}

/// Sets a user's accounts elsewhere.
async fn connect(
    State(control): State<Control>,
    Path(user): Path<String>,
    Request(all): Request<Vec<Connection>>,
) -> Result<Json<Value>, BadRequest> {
    if let Some(unknown) = all.iter().find(|one| !SERVICES.contains(&one.service.as_str())) {
        let known = SERVICES.join(", ");
        return Err(BadRequest::new(format!(
            "There is no service \"{}\"; there are {known}.",
            unknown.service
        )));
    }
    let mut live = control.discord.lock();
    let user = find::person(&live, &user)?.id;
    let shown = |one: &Connection| {
        json!({
            "id": one.id,
            "name": one.name,
            "type": one.service,
            "verified": one.verified,
            "friend_sync": false,
            "integrations": [],
            "show_activity": true,
            "two_way_link": false,
            "visibility": 1,
        })
    };
    let connections: Vec<Value> = all.iter().map(shown).collect();
    live.connections.insert(user, connections.clone());
    Ok(Json(connections.into()))
}

fn no_activity(instance: &str) -> BadRequest {
    BadRequest::missing(format!("There is no Activity \"{instance}\"."))
}

/// Lets a user take part in an Activity.
async fn enter(
    State(control): State<Control>,
    Path((instance, user)): Path<(String, String)>,
) -> Result<Json<Value>, BadRequest> {
    let mut live = control.discord.lock();
    let user = find::person(&live, &user)?.id;
    let found = live.activities.get_mut(&instance).ok_or_else(|| no_activity(&instance))?;
    if !found.users.contains(&user) {
        found.users.push(user);
    }
    Ok(Json(json!(found.users)))
}

/// Lets a user leave an Activity, which is over when the last one has left.
async fn leave(
    State(control): State<Control>,
    Path((instance, user)): Path<(String, String)>,
) -> Result<Json<Value>, BadRequest> {
    let mut live = control.discord.lock();
    let user = find::person(&live, &user)?.id;
    let found = live.activities.get_mut(&instance).ok_or_else(|| no_activity(&instance))?;
    found.users.retain(|other| *other != user);
    let left = found.users.clone();
    if left.is_empty() {
        live.activities.remove(&instance);
    }
    Ok(Json(json!(left)))
}
