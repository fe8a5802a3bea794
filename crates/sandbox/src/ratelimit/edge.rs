//! What stands before every REST handler: the record around all, then injected faults, then limits.

use std::time::Instant;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};

use super::{Limits, Refusal, Route, Scope, Standing, Verdict};
use crate::fault::{Connection, ErrorBody, Faults, LimitScope, RequestEffect, Strike, lay_over};
use crate::record::{self, Recorder};
use crate::snowflake::Snowflake;

/// Records, harms and limits the requests of a REST router, in this order from the outside in.
#[derive(Clone, Debug)]
pub struct Edge {
    /// Record that every request goes to.
    pub recorder: Recorder,
    /// Faults to inject.
    pub faults: Faults,
    /// Limits in force.
    pub limits: Limits,
}

/// What only a handler knows of a request; put into the extensions of its response, it goes to the record.
#[derive(Clone, Debug, Default)]
pub struct Extra {
    /// Bot that asked.
    pub bot: Option<Snowflake>,
    /// Body of the request, if it was not plain JSON (the `payload_json` of a form, say).
    pub request: Option<Value>,
}

/// Entry of a request under way; it is recorded when this is dropped, so also when the client hangs up.
struct Pending {
    recorder: Recorder,
    started: Instant,
    entry: Box<record::Request>,
}

impl Edge {
    /// Puts this edge before all routes that the router has by now.
    pub fn guard<S: Clone + Send + Sync + 'static>(self, router: Router<S>) -> Router<S> {
        router.layer(from_fn_with_state(self, pass))
    }
}

async fn pass(State(edge): State<Edge>, request: Request, next: Next) -> Response {
    let connection = request.extensions().get::<ConnectInfo<Connection>>().map(|info| info.0.clone());
    let route = Route::parse(request.uri().path());
    let method = request.method().as_str().to_owned();
    let who = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let who = who.map(str::to_owned);
    let mut pending = Pending::new(&edge.recorder, &method, &route, request.uri().query());
    let (request, sent) = edge.read_request(request).await;
    pending.entry.request = sent;

    let strike = edge.faults.on_request(&method, route.path());
    if let Some(strike) = &strike {
        pending.entry.fault = Some(strike.rule);
        edge.record_fault(strike, &method, &route);
        if !strike.delay.is_zero() {
            tokio::time::sleep(strike.delay).await;
        }
    }
    let effect = strike.map_or(RequestEffect::Pass, |strike| strike.effect);
    let mut response = match &effect {
        RequestEffect::Respond { status, body } => {
            drain(request).await;
            failure(*status, *body)
        }
        RequestEffect::DropBefore => return drop_connection(connection),
        RequestEffect::RateLimit { retry_after, scope } => {
            let (limit, _, bucket) = edge.limits.bucket(&method, &route);
            let refusal = injected_limit(*retry_after, *scope, limit, bucket);
            pending.refused(&refusal);
            drain(request).await;
            too_many_requests(&refusal)
        }
        RequestEffect::Pass
        | RequestEffect::DropAfter
        | RequestEffect::Truncate { .. }
        | RequestEffect::Patch { .. } => {
            match edge.limits.check(Instant::now(), who.as_deref(), &method, &route) {
                Verdict::Refused(refusal) => {
                    pending.refused(&refusal);
                    drain(request).await;
                    too_many_requests(&refusal)
                }
                Verdict::Allowed(standing) => {
                    let mut response = next.run(request).await;
                    if let Some(standing) = standing {
                        standing.write_headers(response.headers_mut());
                        pending.entry.bucket = Some(standing.bucket);
                    }
                    response
                }
            }
        }
    };
    // Discord's own answers name the proxy they came through; those of Cloudflare in front of it do not, and
    // libraries (discord.py) take a 429 without it for a ban and give up.
    if pending.entry.limited != Some(Scope::Cloudflare.name()) {
        response.headers_mut().insert(header::VIA, HeaderValue::from_static("1.1 sandbox"));
    }
    let shared = pending.entry.limited == Some(Scope::Shared.name());
    edge.limits.answered(Instant::now(), who.as_deref(), response.status(), shared);
    if let Some(extra) = response.extensions_mut().remove::<Extra>() {
        pending.entry.bot = extra.bot;
        if let Some(body) = extra.request {
            let longest = edge.recorder.capacity().body;
            pending.entry.request = Some(edge.recorder.redactor().value_body(&body, longest));
        }
    }
    if effect == RequestEffect::DropAfter {
        return drop_connection(connection);
    }
    if let RequestEffect::Patch { merge } = &effect {
        response = patch(response, merge).await;
    }
    let (response, answered) = edge.read_response(response).await;
    pending.entry.response = answered;
    pending.entry.status = Some(response.status().as_u16());
    match effect {
        RequestEffect::Truncate { bytes } => truncate(response, bytes).await,
        _ => response,
    }
}

impl Edge {
    /// Takes a JSON body out to record it and puts it back; other bodies stream on unread.
    async fn read_request(&self, request: Request) -> (Request, Option<record::Body>) {
        let longest = self.recorder.capacity().body;
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let kind = kind.map(str::to_owned);
        let hint = request.body().size_hint();
        if hint.exact() == Some(0) {
            return (request, None);
        }
        let is_json = kind.as_deref().is_none_or(|kind| kind.starts_with("application/json"));
        let short = hint.upper().is_some_and(|upper| upper <= longest as u64);
        if !is_json || !short {
            let content_type = kind.unwrap_or_else(|| "unknown".into()).into();
            return (request, Some(record::Body::Omitted { content_type, bytes: hint.exact() }));
        }
        let (parts, body) = request.into_parts();
        match axum::body::to_bytes(body, longest).await {
            Ok(bytes) => {
                let recorded = self.recorder.redactor().foreign_body(&bytes, kind.as_deref(), longest);
                (Request::from_parts(parts, Body::from(bytes)), Some(recorded))
            }
            // The handler meets the same broken body and answers for it.
            Err(error) => {
                let broken = stream::once(async move { Err::<Bytes, _>(error) });
                (Request::from_parts(parts, Body::from_stream(broken)), None)
            }
        }
    }

    async fn read_response(&self, response: Response) -> (Response, Option<record::Body>) {
        let longest = self.recorder.capacity().body;
        let hint = response.body().size_hint();
        if hint.exact() == Some(0) {
            return (response, None);
        }
        let kind = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let kind = kind.map(str::to_owned);
        if hint.exact().is_none_or(|length| length > longest as u64) {
            let content_type = kind.unwrap_or_else(|| "unknown".into()).into();
            return (response, Some(record::Body::Omitted { content_type, bytes: hint.exact() }));
        }
        let (parts, body) = response.into_parts();
        // A body of known length is in memory already; it can't fail.
        let bytes = axum::body::to_bytes(body, longest).await.unwrap_or_default();
        let recorded = self.recorder.redactor().body(&bytes, kind.as_deref(), longest);
        (Response::from_parts(parts, Body::from(bytes)), Some(recorded))
    }

    fn record_fault(&self, strike: &Strike<RequestEffect>, method: &str, route: &Route) {
        let place = format!("{method} {}", route.shown(self.recorder.redactor()));
        let mut effect = serde_json::to_value(&strike.effect).unwrap_or_default();
        if effect == "pass" {
            effect = json!({"delay_ms": u64::try_from(strike.delay.as_millis()).unwrap_or(u64::MAX)});
        }
        self.recorder.push(record::Event::Fault { rule: Some(strike.rule), place, effect });
    }
}

impl Pending {
    fn new(recorder: &Recorder, method: &str, route: &Route, query: Option<&str>) -> Self {
        let mut path = route.shown(recorder.redactor());
        if let Some(query) = query {
            path.push('?');
            path.push_str(query);
        }
        let entry = record::Request {
            method: method.to_owned(),
            path,
            route: route.template().to_owned(),
            ..record::Request::default()
        };
        Self { recorder: recorder.clone(), started: Instant::now(), entry: Box::new(entry) }
    }

    fn refused(&mut self, refusal: &Refusal) {
        let entry = &mut self.entry;
        entry.limited = Some(refusal.scope.name());
        entry.bucket = refusal.standing.as_ref().map(|standing| standing.bucket.clone());
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.entry.us = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.recorder.push(record::Event::Request(std::mem::take(&mut self.entry)));
    }
}

/// Reads a request that is refused to its end, as the proxy in front of Discord does: who still writes when the
/// connection closes may not see the answer.
async fn drain(request: Request) {
    let mut body = request.into_body().into_data_stream();
    while let Some(Ok(_)) = body.next().await {}
}

fn too_many_requests(refusal: &Refusal) -> Response {
    let mut response = match refusal.body() {
        Some(body) => (StatusCode::TOO_MANY_REQUESTS, axum::Json(body)).into_response(),
        None => (StatusCode::TOO_MANY_REQUESTS, "error code: 1015").into_response(),
    };
    refusal.write_headers(response.headers_mut());
    response
}

fn injected_limit(retry_after: f64, scope: LimitScope, limit: u32, bucket: String) -> Refusal {
    let retry_after = std::time::Duration::try_from_secs_f64(retry_after).unwrap_or_default();
    let scope = match scope {
        LimitScope::User => Scope::User,
        LimitScope::Shared => Scope::Shared,
        LimitScope::Global => Scope::Global,
        LimitScope::Cloudflare => Scope::Cloudflare,
    };
    // A shared limit is exceeded by others: this bot's own count still has room, as in the documentation's example.
    let standing = matches!(scope, Scope::User | Scope::Shared).then(|| Standing {
        limit,
        remaining: if scope == Scope::Shared { limit.saturating_sub(1) } else { 0 },
        reset_after: retry_after,
        bucket,
    });
    Refusal { retry_after, scope, standing }
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

/// Cuts the connection; without a handle to it (another listener than [`crate::fault::Listener`]) it aborts the answer.
fn drop_connection(connection: Option<Connection>) -> Response {
    if let Some(connection) = connection {
        connection.sever();
        return StatusCode::NO_CONTENT.into_response();
    }
    let cut = stream::once(async { Err::<Bytes, _>(cut_short()) });
    Response::new(Body::from_stream(cut))
}

async fn truncate(response: Response, length: usize) -> Response {
    let (mut parts, body) = response.into_parts();
    let whole = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(whole.len()));
    let kept = whole.slice(..length.min(whole.len()));
    let cut = async {
        // Gives the server the chance to write what came before, which an error would throw away.
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        Err(cut_short())
    };
    let body =
        stream::StreamExt::chain(stream::once(async { Ok::<_, std::io::Error>(kept) }), stream::once(cut));
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

fn cut_short() -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::ConnectionAborted, "cut short by an injected fault")
}
