//! The secret of the control API: whoever acts for the sandbox's people has to know it.
//!
//! A port is open to every user of a machine, and the control API makes its caller any person of the sandbox, the owner
//! of the bot too. The secret is in the state file, which only its owner can read.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use subtle::ConstantTimeEq as _;

use super::BadRequest;

/// The secret, as a header has it.
#[derive(Clone)]
pub(super) struct Secret(Arc<str>);

impl Secret {
    pub(super) fn new(secret: &str) -> Self {
        Self(format!("Bearer {secret}").into())
    }

    /// Asks for the secret before each route that the router has by now.
    pub(super) fn before<S: Clone + Send + Sync + 'static>(self, router: Router<S>) -> Router<S> {
        router.route_layer(from_fn_with_state(self, check))
    }
}

async fn check(State(Secret(secret)): State<Secret>, request: Request, next: Next) -> Response {
    let sent = request.headers().get(AUTHORIZATION);
    // As long for a wrong secret as for the right one, so that nobody finds it out letter by letter.
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
