//! The pages by path.

use std::sync::Arc;

use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};

use super::hosts;
use super::standing::{Readiness, Standing};
use crate::metrics::Metrics;

/// Media type of OpenMetrics' text. Source: OpenMetrics 1.0, "Content-Type".
const OPEN_METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// The pages.
pub(super) struct Pages {
    standing: Arc<Standing>,
    metrics: Arc<Metrics>,
}

impl Pages {
    pub(super) fn new(standing: Arc<Standing>, metrics: Arc<Metrics>) -> Self {
        Self { standing, metrics }
    }

    /// Responds to a request. Only its method, path and `Host` are read.
    pub(super) async fn answer<B>(&self, request: &Request<B>) -> Response<String> {
        // A browser always sends the host; other clients may leave it out.
        let host = request.headers().get(HOST).map(|host| host.to_str().unwrap_or_default());
        if host.is_some_and(|host| !hosts::is_private(host)) {
            let words = "These pages are served under an IP address or a private name.\n";
            return page(StatusCode::MISDIRECTED_REQUEST, TEXT, words.to_owned());
        }
        let path = request.uri().path();
        if !matches!(path, "/health" | "/ready" | "/metrics") {
            let words = "There is no such page; there are /health, /ready and /metrics.\n";
            return page(StatusCode::NOT_FOUND, TEXT, words.to_owned());
        }
        // hyper omits the body of a response to HEAD.
        if request.method() != Method::GET && request.method() != Method::HEAD {
            let words = "This page can be read only, with GET or HEAD.\n";
            let mut response = page(StatusCode::METHOD_NOT_ALLOWED, TEXT, words.to_owned());
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        match path {
            "/health" => json_page(StatusCode::OK, &self.health()),
            "/ready" => ready(self.standing.readiness().await),
            _ => page(StatusCode::OK, OPEN_METRICS, self.metrics.text(&self.standing).await),
        }
    }

    fn health(&self) -> Value {
        let uptime = self.standing.host().map_or(0, |host| host.uptime().as_secs());
        json!({"status": "ok", "version": env!("CARGO_PKG_VERSION"), "uptime_seconds": uptime})
    }
}

fn ready(readiness: Readiness) -> Response<String> {
    match readiness {
        Readiness::Ready { shards } => {
            json_page(StatusCode::OK, &json!({"status": "ready", "shards": shards}))
        }
        other => {
            let body = json!({"status": "not ready", "reason": other.reason()});
            json_page(StatusCode::SERVICE_UNAVAILABLE, &body)
        }
    }
}

fn json_page(status: StatusCode, body: &Value) -> Response<String> {
    page(status, JSON, format!("{body}\n"))
}

fn page(status: StatusCode, kind: HeaderValue, body: String) -> Response<String> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
