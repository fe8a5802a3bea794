//! The innermost layer: rate limits, and their headers.

use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::call::Call;
use super::record::Pending;
use crate::event_log::RateLimit;
use crate::ratelimit::{BucketState, Limits, Refusal, Scope, Verdict};
use crate::stage::Stage;

/// Calls the handler, or refuses the request if it exceeds a limit.
pub(super) async fn handle(
    limits: &Limits,
    call: &Call,
    request: Request,
    next: Stage,
    pending: &mut Pending,
) -> Response {
    match limits.check(limits.clock().instant(), call.who.as_deref(), &call.method, &call.route) {
        Verdict::Refused(refusal) => refuse(limits, &refusal, pending),
        Verdict::Allowed(state) => {
            let mut response = next.run(request).await;
            if let Some(state) = state {
                state.write_headers(response.headers_mut(), limits.clock().since_epoch());
                pending.entry.rate_limit = Some(recorded(&state));
                pending.entry.bucket = Some(state.bucket);
            }
            response
        }
    }
}

/// Returns the state of a bucket as the log has it.
fn recorded(state: &BucketState) -> RateLimit {
    let reset_after_ms = u64::try_from(state.reset_after.as_millis()).unwrap_or(u64::MAX);
    RateLimit { limit: state.limit, remaining: state.remaining, reset_after_ms }
}

/// Answers 429.
pub(super) fn refuse(limits: &Limits, refusal: &Refusal, pending: &mut Pending) -> Response {
    pending.entry.limited = Some(refusal.scope.name());
    pending.entry.rate_limit = refusal.state.as_ref().map(recorded);
    pending.entry.bucket = refusal.state.as_ref().map(|state| state.bucket.clone());
    let mut response = match refusal.body() {
        Some(body) => (StatusCode::TOO_MANY_REQUESTS, axum::Json(body)).into_response(),
        None => (StatusCode::TOO_MANY_REQUESTS, "error code: 1015").into_response(),
    };
    refusal.write_headers(response.headers_mut(), limits.clock().since_epoch());
    response
}

/// Counts an answer against the limit of invalid requests, and adds the header of the proxy.
pub(super) fn finish(limits: &Limits, call: &Call, response: &mut Response, pending: &Pending) {
    // Discord's own answers name the proxy they came through; those of Cloudflare in front of it do not, and libraries
    // (discord.py) treat a 429 without it as a ban and give up.
    if pending.entry.limited != Some(Scope::Cloudflare.name()) {
        response.headers_mut().insert(header::VIA, HeaderValue::from_static("1.1 sandbox"));
    }
    let shared = pending.entry.limited == Some(Scope::Shared.name());
    limits.answered(limits.clock().instant(), call.who.as_deref(), response.status(), shared);
}
