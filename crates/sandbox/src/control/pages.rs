//! Who may use the page: tickets, which are good once, and the secrets that pages get for them.
//!
//! The address of the page carries a ticket behind its `#`, where no server and no log sees it. An address that somebody
//! else reads later opens nothing. A page's secret is as good as that of the control API, and ends with the sandbox.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::{Value, json};
use subtle::ConstantTimeEq as _;

use super::{BadRequest, Control, Request};
use crate::state::secret;

/// Most tickets, and most secrets, that are good at once. The oldest are forgotten.
const MOST: usize = 64;
/// Validity of a ticket.
const VALID: Duration = Duration::from_hours(1);

/// Handle to the tickets and secrets. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pages(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    tickets: VecDeque<(String, Instant)>,
    secrets: VecDeque<String>,
}

impl std::fmt::Debug for Known {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Known").field("secrets", &self.secrets.len()).finish_non_exhaustive()
    }
}

fn same(one: &str, other: &str) -> bool {
    bool::from(one.as_bytes().ct_eq(other.as_bytes()))
}

impl Pages {
    /// Returns a new ticket.
    pub(crate) fn ticket(&self) -> String {
        let mut known = self.0.lock();
        if known.tickets.len() == MOST {
            known.tickets.pop_front();
        }
        let ticket = secret(32);
        known.tickets.push_back((ticket.clone(), Instant::now()));
        ticket
    }

    /// Returns a new secret for a ticket, which is void then; `None` if it is not good.
    fn admit(&self, ticket: &str) -> Option<String> {
        let mut known = self.0.lock();
        known.tickets.retain(|(_, made)| made.elapsed() < VALID);
        let at = known.tickets.iter().position(|(good, _)| same(good, ticket))?;
        known.tickets.remove(at);
        if known.secrets.len() == MOST {
            known.secrets.pop_front();
        }
        let new = secret(43);
        known.secrets.push_back(new.clone());
        Some(new)
    }

    /// Returns whether this is the secret of a page.
    pub(super) fn know(&self, sent: &str) -> bool {
        self.0.lock().secrets.iter().any(|secret| same(secret, sent))
    }
}

/// Returns the route that only callers with a secret may use.
pub(super) fn routes() -> Router<Control> {
    Router::new().route("/sandbox/page/tickets", post(ticket))
}

/// Returns the route that a page uses before it has a secret.
pub(super) fn entrance() -> Router<Control> {
    Router::new().route("/sandbox/page/sessions", post(enter))
}

/// Returns the path of the page with a new ticket.
async fn ticket(State(control): State<Control>) -> Json<Value> {
    let ticket = control.pages.ticket();
    Json(json!({ "path": format!("/app#ticket={ticket}"), "ticket": ticket }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Enter {
    ticket: String,
}

async fn enter(
    State(control): State<Control>,
    Request(asked): Request<Enter>,
) -> Result<Json<Value>, BadRequest> {
    let secret = control.pages.admit(&asked.ticket).ok_or_else(|| {
        let sentence =
            "This address of the page has been used or is too old; `sandbox page` prints a new one.";
        BadRequest::with_status(StatusCode::FORBIDDEN, sentence)
    })?;
    Ok(Json(json!({ "secret": secret })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_good_once_and_few_are_kept() {
        let pages = Pages::default();
        let ticket = pages.ticket();
        let secret = pages.admit(&ticket).unwrap();
        assert!(pages.know(&secret) && !pages.know(&ticket) && !pages.know(""));
        assert_eq!(pages.admit(&ticket), None);
        let old = pages.ticket();
        for _ in 0..MOST {
            pages.ticket();
        }
        assert_eq!(pages.admit(&old), None);
        assert!(!format!("{pages:?}").contains(&secret));
    }
}
