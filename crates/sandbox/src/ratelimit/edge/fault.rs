//! The layer of injected faults: they wait, answer in place of the handler, or change its answer.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};

use super::Edge;
use super::call::{Call, cut_short};
use super::record::Pending;
use crate::event_log::Event;
use crate::fault::{ErrorBody, LimitScope, RequestEffect, Strike, lay_over};
use crate::ratelimit::{BucketState, Limits, Refusal, Scope};

/// How a request is answered.
pub(super) enum Answer {
    /// By its handler, if the limits allow it.
    Handler,
    /// By the fault.
    Response(Response),
    /// By the fault, as a rate limit.
    Refusal(Refusal),
    /// The connection is cut.
    Drop,
}

/// Finds the fault that strikes a request, logs it, waits for its delay, and returns its effect.
pub(super) async fn strike(edge: &Edge, call: &Call, pending: &mut Pending) -> RequestEffect {
    let Some(strike) = edge.faults.on_request(&call.method, call.route.path()) else {
        return RequestEffect::Pass;
    };
    pending.entry.fault = Some(strike.rule);
    log(edge, &strike, call);
    if !strike.delay.is_zero() {
        tokio::time::sleep(strike.delay).await;
    }
    strike.effect
}

fn log(edge: &Edge, strike: &Strike<RequestEffect>, call: &Call) {
    let place = format!("{} {}", call.method, call.route.shown(edge.log.redactor()));
    let mut effect = serde_json::to_value(&strike.effect).unwrap_or_default();
    if effect == "pass" {
        effect = json!({"delay_ms": u64::try_from(strike.delay.as_millis()).unwrap_or(u64::MAX)});
    }
    edge.log.push(Event::Fault { rule: Some(strike.rule), place, effect });
}

/// Returns the answer of a fault in place of the handler.
pub(super) fn instead(effect: &RequestEffect, limits: &Limits, call: &Call) -> Answer {
    match effect {
        RequestEffect::Respond { status, body } => Answer::Response(failure(*status, *body)),
        RequestEffect::DropBefore => Answer::Drop,
        RequestEffect::RateLimit { retry_after, scope } => {
            let (limit, _, bucket) = limits.bucket(&call.method, &call.route);
            Answer::Refusal(refusal(*retry_after, *scope, limit, bucket))
        }
        RequestEffect::Pass
        | RequestEffect::DropAfter
        | RequestEffect::Truncate { .. }
        | RequestEffect::Patch { .. } => Answer::Handler,
    }
}

/// Changes an answer before it is logged. Returns `None` if the connection is to be cut instead.
pub(super) async fn change(effect: &RequestEffect, response: Response) -> Option<Response> {
    match effect {
        RequestEffect::DropAfter => None,
        RequestEffect::Patch { merge } => Some(patch(response, merge).await),
        _ => Some(response),
    }
}

/// Truncates an answer, of which the log contains the whole.
pub(super) async fn truncate(effect: &RequestEffect, response: Response) -> Response {
    let RequestEffect::Truncate { bytes: length } = *effect else { return response };
    let (mut parts, body) = response.into_parts();
    let whole = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(whole.len()));
    let kept = whole.slice(..length.min(whole.len()));
    let cut = async {
        // Lets the server write the bytes before, which an error would discard.
        tokio::time::sleep(Duration::from_millis(5)).await;
        Err(cut_short())
    };
    let body = stream::once(async { Ok::<_, std::io::Error>(kept) }).chain(stream::once(cut));
    Response::from_parts(parts, Body::from_stream(body))
}

async fn patch(response: Response, merge: &Value) -> Response {
    let (mut parts, body) = response.into_parts();
    let whole = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    let Ok(mut answer) = serde_json::from_slice(&whole) else {
        return Response::from_parts(parts, Body::from(whole));
    };
    lay_over(&mut answer, merge);
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(answer.to_string()))
}

fn refusal(retry_after: f64, scope: LimitScope, limit: u32, bucket: String) -> Refusal {
    let retry_after = Duration::try_from_secs_f64(retry_after).unwrap_or_default();
    let scope = match scope {
        LimitScope::User => Scope::User,
        LimitScope::Shared => Scope::Shared,
        LimitScope::Global => Scope::Global,
        LimitScope::Cloudflare => Scope::Cloudflare,
    };
    // A shared limit is exceeded by others: this bot's own count still has room, as in the documentation's example.
    let state = matches!(scope, Scope::User | Scope::Shared).then(|| BucketState {
        limit,
        remaining: if scope == Scope::Shared { limit.saturating_sub(1) } else { 0 },
        reset_after: retry_after,
        bucket,
    });
    Refusal { retry_after, scope, state }
}

fn failure(status: u16, body: ErrorBody) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let title = format!("{} {}", status.as_u16(), status.canonical_reason().unwrap_or("Error"));
    match body {
        ErrorBody::Discord => {
            let message = title.replacen(' ', ": ", 1);
            (status, axum::Json(json!({"message": message, "code": 0}))).into_response()
        }
        ErrorBody::Html => {
            let page = format!(
                "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n\
                 <hr><center>cloudflare</center>\r\n</body>\r\n</html>\r\n"
            );
            let mut response = (status, axum::response::Html(page)).into_response();
            response.headers_mut().insert(header::SERVER, HeaderValue::from_static("cloudflare"));
            response
        }
        ErrorBody::Empty => status.into_response(),
    }
}
