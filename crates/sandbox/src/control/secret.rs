//! The secret of the control API, which every caller must know.
//!
//! A port is open to every user of a machine, and with the control API a caller can act as any user of the sandbox,
//! including the owner of the bot. The secret is in the state file, which only its owner can read. A page in a browser
//! has one of its own ([`Pages`](super::pages::Pages)).

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use subtle::ConstantTimeEq as _;

use super::BadRequest;
use super::pages::Pages;

/// The secret, and those of pages.
#[derive(Clone)]
pub(super) struct Secret {
    secret: Arc<str>,
    pages: Pages,
}

impl Secret {
    pub(super) fn new(secret: &str, pages: Pages) -> Self {
        Self { secret: secret.into(), pages }
    }

    /// Returns whether a caller that has sent this may use the control API.
    pub(super) fn knows(&self, sent: &str) -> bool {
        // Compared in constant time, so that the secret cannot be found out letter by letter.
        bool::from(sent.as_bytes().ct_eq(self.secret.as_bytes())) || self.pages.know(sent)
    }

    /// Requires the secret for each route that the router has so far.
    pub(super) fn before<S: Clone + Send + Sync + 'static>(self, router: Router<S>) -> Router<S> {
        router.route_layer(from_fn_with_state(self, check))
    }
}

async fn check(State(secret): State<Secret>, request: Request, next: Next) -> Response {
    let sent = request.headers().get(AUTHORIZATION);
    let bearer = sent.and_then(|sent| sent.to_str().ok()?.strip_prefix("Bearer "));
    if bearer.is_some_and(|bearer| secret.knows(bearer)) {
        return next.run(request).await;
    }
    let wrong = if sent.is_some() { "got another secret than this sandbox's" } else { "got no secret" };
    let sentence = format!(
        "The control API {wrong}; it is `control_secret` in the state file that `sandbox serve` leaves: \
         programs send it as `Authorization: Bearer SECRET`, the command line reads it from --state-file or \
         SANDBOX_CONTROL_SECRET."
    );
    BadRequest::with_status(StatusCode::FORBIDDEN, sentence).into_response()
}
