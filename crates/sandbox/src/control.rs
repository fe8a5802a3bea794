//! The users' side over HTTP, under `/sandbox`: the actions of Discord's client, for tests and terminals.
//!
//! Bots never need it. It shares its port with REST, and its requests and answers are JSON. The answer to an invalid
//! request is `{"error": "one sentence"}`. It requires the sandbox's secret ([`secret`]); web pages cannot reach a
//! sandbox at all ([`guard`]).

mod accounts;
mod admin;
mod apps;
mod authorizations;
mod auto_moderation;
#[cfg(unix)]
mod bot_control;
mod clock;
mod commands;
mod community;
mod components;
mod effects;
mod endpoints;
mod find;
mod following;
pub(crate) mod guard;
mod guilds;
mod integrations;
mod intents;
mod interactions;
mod invites;
pub(crate) mod listeners;
mod lobbies;
mod messages;
mod modals;
pub(crate) mod pages;
mod permissions;
mod polls;
mod scheduled_events;
mod search;
mod secret;
mod snapshots;
mod store;
mod stream;
mod talk;
mod templates;
mod values;
mod view;
mod voice;
mod wait;
mod watch;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;

use crate::endpoint::Endpoints;
use crate::event_log::EventLog;
use crate::fault::Faults;
use crate::in_flight::InFlight;
use crate::live::Discord;
use crate::parity::Gaps;
use crate::ratelimit::Limits;
use crate::snapshots::Snapshots;

pub(crate) use find::{BadRequest, Path, Query, Request};

/// The state that the control API uses.
#[derive(Debug, Clone)]
pub(crate) struct Control {
    /// The world.
    pub(crate) discord: Arc<Discord>,
    /// The log.
    pub(crate) log: EventLog,
    /// The faults.
    pub(crate) faults: Faults,
    /// Gaps that clients have met.
    pub(crate) gaps: Gaps,
    /// Rate limits of REST.
    pub(crate) limits: Limits,
    /// Requests of bots whose responses have not been written.
    pub(crate) in_flight: InFlight,
    /// Sends requests to endpoints of applications.
    pub(crate) endpoints: Endpoints,
    /// Named snapshots.
    pub(crate) snapshots: Snapshots,
    /// Control socket of a bot with hot reload.
    #[cfg_attr(not(unix), allow(dead_code))]
    pub(crate) bot_control: Option<Arc<std::path::Path>>,
    /// Pages in browsers.
    pub(crate) pages: pages::Pages,
    /// Pages that hear a voice channel.
    pub(crate) listeners: listeners::Listeners,
    /// Differs in each sandbox, so that a client notices another one at the same address.
    pub(crate) run: Arc<str>,
}

impl Control {
    /// Returns a receiver of the events of the bot whose control socket is known.
    fn follow_bot(&self, last: usize) -> Option<tokio::sync::mpsc::Receiver<serde_json::Value>> {
        #[cfg(unix)]
        return self.bot_control.as_ref().map(|socket| bot_control::follow(socket.to_path_buf(), last));
        #[cfg(not(unix))]
        None
    }
}

/// Largest request: a message's files in base64.
const BODY_LIMIT: usize = 64 << 20;

/// Returns all routes under `/sandbox`, for callers that know the secret.
pub(crate) fn router(control: Control, secret: &str) -> Router {
    let routes = Router::new()
        .merge(interactions::routes())
        .merge(clock::routes())
        .merge(intents::routes())
        .merge(endpoints::routes())
        .merge(apps::routes())
        .merge(messages::routes())
        .merge(permissions::routes())
        .merge(polls::routes())
        .merge(accounts::routes())
        .merge(admin::routes())
        .merge(auto_moderation::routes())
        .merge(guilds::routes())
        .merge(invites::routes())
        .merge(search::routes())
        .merge(templates::routes())
        .merge(community::routes())
        .merge(voice::routes())
        .merge(scheduled_events::routes())
        .merge(effects::routes())
        .merge(integrations::routes())
        .merge(authorizations::routes())
        .merge(following::routes())
        .merge(store::routes())
        .merge(lobbies::routes())
        .merge(watch::routes())
        .merge(snapshots::routes())
        .merge(view::routes())
        .merge(talk::routes())
        .merge(pages::routes());
    #[cfg(unix)]
    let routes = routes.merge(bot_control::routes());
    let routes = routes.layer(DefaultBodyLimit::max(BODY_LIMIT)).method_not_allowed_fallback(async || {
        BadRequest::with_status(
            StatusCode::METHOD_NOT_ALLOWED,
            "This address takes no request of that method.",
        )
    });
    // A certificate is not secret, and bots in other containers fetch it.
    let secret = secret::Secret::new(secret, control.pages.clone());
    let open = voice::root_certificate().merge(pages::entrance()).merge(stream::routes(secret.clone()));
    secret.before(routes).merge(open).with_state(control)
}
