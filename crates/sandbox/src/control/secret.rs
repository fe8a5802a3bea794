//! The secret of the control API, which every caller must know.
//!
//! A port is open to every user of a machine, and with the control API a caller can act as any user of the sandbox,
//! including the owner of the bot. The secret is in the state file, which only its owner can read.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use subtle::ConstantTimeEq as _;

use super::BadRequest;

/// The secret, in the form of the header.
#[derive(Clone)]
pub(super) struct Secret(Arc<str>);

impl Secret {
    pub(super) fn new(secret: &str) -> Self {
        Self(format!("Bearer {secret}").into())
    }

    /// Requires the secret for each route that the router has so far.
    pub(super) fn before<S: Clone + Send + Sync + 'static>(self, router: Router<S>) -> Router<S> {
        router.route_layer(from_fn_with_state(self, check))
    }
}

async fn check(State(Secret(secret)): State<Secret>, request: Request, next: Next) -> Response {
    let sent = request.headers().get(AUTHORIZATION);
    // Compared in constant time, so that the secret cannot be found out letter by letter.
    if sent.is_some_and(|sent| bool::from(sent.as_bytes().ct_eq(secret.as_bytes()))) {
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
