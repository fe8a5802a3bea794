//! The outermost layer: logs a request with its body, its answer, and the effects of the other layers.

use std::time::Instant;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use futures_util::stream;
use serde_json::Value;

use super::Extra;
use super::call::Call;
use crate::body::{self, Rest};
use crate::event_log::{self, EventLog};

/// Entry of a request in progress. It is recorded when this is dropped, so also if the client disconnects.
pub(super) struct Pending {
    log: EventLog,
    started: Instant,
    pub(super) entry: Box<event_log::Request>,
}

impl Pending {
    pub(super) fn new(log: &EventLog, call: &Call, query: Option<&str>) -> Self {
        let mut path = call.route.shown(log.redactor());
        if let Some(query) = query {
            path.push('?');
            path.push_str(query);
        }
        let entry = event_log::Request {
            method: call.method.clone(),
            path,
            route: call.route.template().to_owned(),
            ..event_log::Request::default()
        };
        Self { log: log.clone(), started: Instant::now(), entry: Box::new(entry) }
    }

    /// Reads a short JSON body to record it, and returns the request with it. Other bodies are streamed unread, and what their
    /// handler leaves of them can be read afterwards.
    pub(super) async fn read_request(&mut self, request: Request) -> (Request, Option<Rest>) {
        let longest = self.log.capacity().body;
        let kind = content_type(request.headers());
        let hint = request.body().size_hint();
        if hint.exact() == Some(0) {
            return (request, None);
        }
        let is_json = kind.as_deref().is_none_or(|kind| kind.starts_with("application/json"));
        let short = hint.upper().is_some_and(|upper| upper <= longest as u64);
        if !is_json || !short {
            self.entry.request = Some(omitted(kind, hint.exact()));
            return body::shared(request);
        }
        let (parts, body) = request.into_parts();
        let body = match axum::body::to_bytes(body, longest).await {
            Ok(bytes) => {
                let recorded = self.log.redactor().foreign_body(&bytes, kind.as_deref(), longest);
                self.entry.request = Some(recorded);
                Body::from(bytes)
            }
            // The handler gets the same error and answers.
            Err(error) => Body::from_stream(stream::once(async move { Err::<Bytes, _>(error) })),
        };
        (Request::from_parts(parts, body), None)
    }

    /// Returns the fields of the request's body, if it is a JSON object that is recorded.
    pub(super) fn fields(&self) -> Vec<String> {
        let body = self.entry.request.as_ref().and_then(event_log::Body::json);
        body.iter().filter_map(Value::as_object).flat_map(serde_json::Map::keys).cloned().collect()
    }

    /// Takes the data that the handler knew.
    pub(super) fn take_extra(&mut self, extra: Extra) {
        self.entry.bot = extra.bot;
        if let Some(body) = extra.request {
            let longest = self.log.capacity().body;
            self.entry.request = Some(self.log.redactor().value_body(&body, longest));
        }
    }

    /// Records an answer: its status, and its body if that is short.
    pub(super) async fn read_response(&mut self, response: Response) -> Response {
        self.entry.status = Some(response.status().as_u16());
        let longest = self.log.capacity().body;
        let hint = response.body().size_hint();
        if hint.exact() == Some(0) {
            return response;
        }
        let kind = content_type(response.headers());
        if hint.exact().is_none_or(|length| length > longest as u64) {
            self.entry.response = Some(omitted(kind, hint.exact()));
            return response;
        }
        let (parts, body) = response.into_parts();
        // A body of known length is in memory already, so this cannot fail.
        let bytes = axum::body::to_bytes(body, longest).await.unwrap_or_default();
        self.entry.response = Some(self.log.redactor().body(&bytes, kind.as_deref(), longest));
        Response::from_parts(parts, Body::from(bytes))
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.entry.us = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.log.push(event_log::Event::Request(std::mem::take(&mut self.entry)));
    }
}

fn content_type(headers: &HeaderMap) -> Option<String> {
    headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

fn omitted(content_type: Option<String>, bytes: Option<u64>) -> event_log::Body {
    let content_type = content_type.unwrap_or_else(|| "unknown".into()).into();
    event_log::Body::Omitted { content_type, bytes }
}
