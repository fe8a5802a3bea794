//! What Discord has and the sandbox lacks: operations of REST, fields of bodies, events.
//!
//! Nothing is faked in silence: an operation without a route is answered with 501 and its name, a field that no route
//! reads is named once, and both are logged and counted. [`page`] is `docs/parity.md`.

mod change_log;
mod events;
mod gaps;
mod notes;
mod operations;

use std::borrow::Cow;
use std::fmt::Write as _;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

pub use self::change_log::{CHANGES, Change, FOLLOWED_UP_TO, Followed};
pub use self::events::{EVENTS, GatewayEvent, WEBHOOK_EVENTS, WebhookEvent};
pub use self::gaps::Gaps;
pub use self::notes::State;
pub use self::operations::OPERATIONS;

/// An operation of Discord's HTTP API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Method, in capitals.
    pub method: &'static str,
    /// Path below the version, with parameters in braces.
    pub path: &'static str,
    /// Name in Discord's description of its API.
    pub name: &'static str,
}

impl Operation {
    /// Returns the operation that serves a path below the version; of several, the one with the most fixed segments.
    pub fn find(method: &str, path: &str) -> Option<&'static Self> {
        let decoded = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
        let path: Cow<'_, str> =
            if decoded.matches('/').count() == path.matches('/').count() { decoded } else { path.into() };
        let fitting = OPERATIONS.iter().filter(|operation| operation.method == method);
        fitting
            .filter_map(|operation| Some((fixed_segments(operation.path, &path)?, operation)))
            .max_by_key(|(fixed, _)| *fixed)
            .map(|(_, operation)| operation)
    }
}

/// Returns the number of fixed segments of a template that a path matches.
fn fixed_segments(template: &str, path: &str) -> Option<usize> {
    let mut parts = path.split('/');
    let mut fixed = 0;
    for wanted in template.split('/') {
        let part = parts.next()?;
        match wanted.strip_prefix('{') {
            // An id is digits; `@me` is no id, but a segment of its own.
            Some(name) if name.ends_with("id}") && !part.bytes().all(|byte| byte.is_ascii_digit()) => {
                return None;
            }
            Some(_) if !part.is_empty() => {}
            None if wanted == part => fixed += 1,
            _ => return None,
        }
    }
    parts.next().is_none().then_some(fixed)
}

/// The answer to an operation that Discord has and the sandbox lacks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NotImplemented(pub(crate) &'static Operation);

impl IntoResponse for NotImplemented {
    fn into_response(self) -> Response {
        let Operation { method, path, name } = self.0;
        let message = format!(
            "501: Not Implemented. This sandbox lacks Discord's operation {name} ({method} {path}); \
             docs/parity.md lists what it has."
        );
        let mut response =
            (StatusCode::NOT_IMPLEMENTED, axum::Json(json!({ "message": message, "code": 0 })))
                .into_response();
        response.extensions_mut().insert(self);
        response
    }
}

const HEAD: &str = "\
# Parity with Discord

What Discord's HTTP API, gateway and webhook events have, and what the sandbox does. Written from its routes by `./dev-env.sh docs`;
`./dev-env.sh test` fails when it is stale. An operation that is missing here is answered with 501 and its name, and counted in
`sandbox stats`, as are fields of bodies that no route reads. Names of operations are those of Discord's description of its API.
";

/// Returns the text of `docs/parity.md`. `exists` returns whether an operation has a route.
pub fn page(exists: impl Fn(&Operation) -> bool) -> String {
    let states: Vec<(&Operation, State)> =
        OPERATIONS.iter().map(|operation| (operation, State::of(operation, exists(operation)))).collect();
    let count = |wanted: fn(&State) -> bool| states.iter().filter(|(_, state)| wanted(state)).count();
    let mut page = HEAD.to_owned();
    let _ = write!(
        page,
        "\n## Operations\n\n{} operations: {} are here, {} of them simplified; {} are missing.\n\n\
         | operation | method and path | state | simplified |\n|---|---|---|---|\n",
        states.len(),
        count(|state| matches!(state, State::Here(_))),
        count(|state| matches!(state, State::Here(note) if !note.is_empty())),
        count(|state| matches!(state, State::Missing(_))),
    );
    for (operation, state) in &states {
        let Operation { method, path, name } = operation;
        let (word, note) = state.words();
        let _ = writeln!(page, "| {name} | `{method} {path}` | {word} | {note} |");
    }
    let _ = write!(
        page,
        "\n## Gateway events\n\n{} events, all of which are sent.\n\n| event | simplified |\n|---|---|\n",
        EVENTS.len(),
    );
    for GatewayEvent { name, note } in EVENTS {
        let _ = writeln!(page, "| {name} | {note} |");
    }
    let _ = write!(
        page,
        "\n## Webhook events\n\n{} events, {} of which are sent, to the address for events of an application that subscribes to \
         them. One that is not acknowledged is sent again after 5, 10, 20, 40, 80 and 160 s, and events are disabled after five \
         in a row that were given up; Discord documents neither number.\n\n| event | state | simplified |\n|---|---|---|\n",
        WEBHOOK_EVENTS.len(),
        WEBHOOK_EVENTS.iter().filter(|event| event.sent).count(),
    );
    for WebhookEvent { name, sent, note } in WEBHOOK_EVENTS {
        let _ = writeln!(page, "| {name} | {} | {note} |", if *sent { "sent" } else { "not sent" });
    }
    let _ = write!(
        page,
        "\n## Discord's change log, followed up to {FOLLOWED_UP_TO}\n\n{} entries since February 2025 concern bots. \
         Those about the Social SDK, the Embedded App SDK, RPC and guides are left out.\n\n\
         | day | entry | state | note |\n|---|---|---|---|\n",
        CHANGES.len(),
    );
    let has_route =
        |name: &str| OPERATIONS.iter().any(|operation| operation.name == name && exists(operation));
    for Change { day, title, state, note } in CHANGES {
        let _ = writeln!(page, "| {day} | {title} | {} | {note} |", state.word(has_route));
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_is_found_by_its_path() {
        let name = |method, path| Operation::find(method, path).map(|operation| operation.name);
        assert_eq!(name("GET", "/users/@me"), Some("get_my_user"));
        assert_eq!(name("GET", "/users/%40me"), Some("get_my_user"));
        assert_eq!(name("GET", "/users/12"), Some("get_user"));
        assert_eq!(name("DELETE", "/lobbies/1/members/%40me"), Some("leave_lobby"));
        assert_eq!(name("DELETE", "/lobbies/1/members/2"), Some("delete_lobby_member"));
        assert_eq!(name("GET", "/users/twelve"), None);
        assert_eq!(name("GET", "/users/12/"), None);
        assert_eq!(name("POST", "/users/12"), None);
        assert_eq!(name("GET", "/guilds/1/templates"), Some("list_guild_templates"));
        assert_eq!(name("GET", "/guilds/templates/a%2Fb"), Some("get_guild_template"));
    }
}
