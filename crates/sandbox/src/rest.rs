//! REST v10: the routes, and the shared code for reading requests.
//!
//! # Layout
//! One module per resource of Discord's reference. A handler reads, checks, changes the world through [`crate::live`],
//! and answers as Discord documents; `request` has the extractors.

pub(crate) mod applications;
mod auto_moderation;
mod bans;
mod bearer;
pub(crate) mod channels;
mod commands;
mod community;
mod emojis;
mod files;
mod following;
mod groups;
mod guild_settings;
mod guilds;
mod incidents;
mod integrations;
mod interactions;
mod invite_targets;
pub(crate) mod invites;
mod lobbies;
mod members;
mod messages;
mod new_members;
mod oauth2;
mod partner;
mod pins;
mod polls;
mod prune;
mod query;
mod reactions;
mod request;
mod roles;
mod scheduled_events;
pub(crate) mod search;
mod soundboard;
mod stages;
mod start;
mod stickers;
mod store;
mod templates;
mod threads;
mod users;
mod voice;
mod webhook_services;
mod webhooks;
mod widget;

use std::ops::Deref;
use std::sync::Arc;

use axum::Router;
use axum::extract::{OriginalUri, Request};
use axum::http::uri::PathAndQuery;
use axum::http::{Method, Uri};
use axum::response::{IntoResponse, Response};

use crate::endpoint::Endpoints;
use crate::error::ApiError;
use crate::in_flight::InFlight;
use crate::live::Discord;
use crate::parity::{NotImplemented, Operation};
use crate::ratelimit::{Edge, Limits, Route};
use crate::stage::Stage;

pub(crate) use query::Query;
pub(crate) use request::{BODY_LIMIT, Form, Ids, Path, Payload, Reason};

/// The state that every handler uses. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Rest(Arc<Shared>);

impl Rest {
    pub(crate) fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }
}

impl Deref for Rest {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// What the handlers share.
#[derive(Debug)]
pub struct Shared {
    /// The world.
    pub discord: Arc<Discord>,
    /// Limits that handlers themselves count.
    pub limits: Limits,
    /// Requests whose responses have not been written.
    pub(crate) in_flight: InFlight,
    /// Sends requests to endpoints of applications.
    pub(crate) endpoints: Endpoints,
}

/// Returns all routes of REST, behind the edge.
pub(crate) fn api(rest: &Rest, edge: Edge) -> Stage {
    let api = Router::new()
        .merge(start::routes())
        .merge(users::routes())
        .merge(applications::routes())
        .merge(oauth2::routes())
        .merge(commands::routes())
        .merge(interactions::routes())
        .merge(webhooks::routes())
        .merge(webhook_services::routes())
        .merge(following::routes())
        .merge(channels::routes())
        .merge(messages::routes())
        .merge(pins::routes())
        .merge(polls::routes())
        .merge(reactions::routes())
        .merge(threads::routes())
        .merge(guilds::routes())
        .merge(members::routes())
        .merge(bans::routes())
        .merge(roles::routes())
        .merge(emojis::routes())
        .merge(auto_moderation::routes())
        .merge(stickers::routes())
        .merge(soundboard::routes())
        .merge(store::routes())
        .merge(integrations::routes())
        .merge(groups::routes())
        .merge(invites::routes())
        .merge(scheduled_events::routes())
        .merge(stages::routes())
        .merge(search::routes())
        .merge(voice::routes())
        .merge(community::routes())
        .merge(templates::routes())
        .merge(widget::routes())
        .merge(invite_targets::routes())
        .merge(guild_settings::routes())
        .merge(prune::routes())
        .merge(incidents::routes())
        .merge(new_members::routes())
        .merge(lobbies::routes())
        .merge(partner::routes())
        .method_not_allowed_fallback(unknown_method)
        .fallback(unknown_route)
        .with_state(rest.clone());
    edge.before(Stage::of(api).behind(rest.clone(), request::note))
}

/// Returns the routes of files: attachments, and what Discord has at its CDN.
pub(crate) fn files(rest: &Rest) -> Router {
    files::routes().merge(widget::pictures()).with_state(rest.clone())
}

/// Sends what is under `/api` to `api`, without that prefix and its version.
pub(crate) async fn divide(api: Arc<Stage>, mut request: Request, others: Stage) -> Response {
    let Some(path) = without_prefix(request.uri()) else { return others.run(request).await };
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = Some(path);
    // The rest of a path is a path.
    if let Ok(uri) = Uri::from_parts(parts) {
        *request.uri_mut() = uri;
    }
    api.run(request).await
}

/// Returns the path and query of REST: what follows `/api`, `/api/v9` and `/api/v10`.
fn without_prefix(uri: &Uri) -> Option<PathAndQuery> {
    let whole = uri.path_and_query()?.as_str();
    let is_end = |rest: &&str| rest.is_empty() || rest.starts_with(['/', '?']);
    let rest = whole.strip_prefix("/api").filter(is_end)?;
    let versioned = ["/v10", "/v9"].iter().find_map(|version| rest.strip_prefix(version).filter(is_end));
    let rest = versioned.unwrap_or(rest);
    if rest.starts_with('/') { rest.parse() } else { format!("/{rest}").parse() }.ok()
}

/// Returns 501 for an operation that Discord has, else Discord's 405.
async fn unknown_method(method: Method, uri: OriginalUri) -> Response {
    not_implemented(&method, &uri).unwrap_or_else(|| ApiError::method_not_allowed().into_response())
}

/// Returns 501 for an operation that Discord has, else Discord's 404, or its own answer for a version that is not served
/// any more.
async fn unknown_route(method: Method, uri: OriginalUri) -> Response {
    let version = uri.path().strip_prefix("/api/v").and_then(|rest| rest.split('/').next());
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if version.is_some_and(|version| is_number(version) && !matches!(version, "9" | "10")) {
        return ApiError::invalid_api_version().into_response();
    }
    not_implemented(&method, &uri).unwrap_or_else(|| ApiError::not_found().into_response())
}

fn not_implemented(method: &Method, uri: &OriginalUri) -> Option<Response> {
    let operation = Operation::find(method.as_str(), Route::parse(uri.path()).path())?;
    Some(NotImplemented(operation).into_response())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::{Request, StatusCode};
    use serde_json::{Value, json};
    use tower::ServiceExt as _;

    use super::*;
    use crate::event_log::{Event, EventLog};
    use crate::fault::Faults;
    use crate::parity::Gaps;
    use crate::ratelimit::Config;
    use crate::state::clock::Clock;

    #[tokio::test]
    async fn an_operation_without_a_route_is_named_logged_and_counted() {
        let (log, gaps) = (EventLog::default(), Gaps::default());
        let limits = Limits::new(Config::off(), Clock::default());
        let edge = Edge { log: log.clone(), faults: Faults::default(), limits, gaps: gaps.clone() };
        // None has a route here, as one has none before it is built.
        let api: Router = edge.guard(Router::new().fallback(unknown_route));
        let ask = async |method: &str, path: &str| {
            let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
            let response = api.clone().oneshot(request).await.unwrap();
            let status = response.status();
            let bytes = axum::body::to_bytes(response.into_body(), 4096).await.unwrap();
            (status, serde_json::from_slice::<Value>(&bytes).unwrap())
        };
        for path in ["/api/v10/lobbies", "/api/lobbies"] {
            let (status, body) = ask("POST", path).await;
            let message = body["message"].as_str().unwrap();
            assert_eq!((status, &body["code"]), (StatusCode::NOT_IMPLEMENTED, &json!(0)));
            assert!(message.contains("create_lobby (POST /lobbies)"), "{message}");
        }
        ask("DELETE", "/api/v9/lobbies/1/members/%40me").await;
        assert_eq!(ask("GET", "/api/v10/frogs").await.0, StatusCode::NOT_FOUND, "Discord lacks it too");
        assert_eq!(ask("POST", "/api/v3/lobbies").await.0, StatusCode::BAD_REQUEST);
        let counted = |operation: &str, method: &str, path: &str, requests: u64| json!({ "operation": operation, "method": method, "path": path, "requests": requests });
        assert_eq!(
            gaps.json()["missing"],
            json!([
                counted("create_lobby", "POST", "/lobbies", 2),
                counted("leave_lobby", "DELETE", "/lobbies/{lobby_id}/members/@me", 1),
            ])
        );
        let is_logged =
            |event: &Event| matches!(event, Event::NotImplemented { operation: "create_lobby", .. });
        let entries = log.read(1, usize::MAX).entries;
        assert_eq!(entries.iter().filter(|entry| is_logged(&entry.event)).count(), 2);
    }
}
