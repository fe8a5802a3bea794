//! The page: a client for the control API that runs in a browser. It is built from `page/`; the result is in the
//! repository and in this program.

use std::io::Write as _;
use std::sync::LazyLock;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::error::ApiError;

/// Nothing from elsewhere, no code and no style in the text of the page, and no page around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
     media-src 'self' blob:; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'; require-trusted-types-for 'script'";

/// A built file.
struct Built {
    name: &'static str,
    kind: &'static str,
    plain: &'static [u8],
    zipped: Bytes,
    tag: String,
}

macro_rules! built {
    ($($name:literal: $kind:literal),* $(,)?) => {
        [$(Built::new($name, $kind, include_bytes!(concat!("../page/dist/", $name)))),*]
    };
}

static FILES: LazyLock<[Built; 4]> = LazyLock::new(|| {
    built! {
        "index.html": "text/html; charset=utf-8",
        "app.js": "text/javascript; charset=utf-8",
        "app.css": "text/css; charset=utf-8",
        "licences.txt": "text/plain; charset=utf-8",
    }
});

impl Built {
    fn new(name: &'static str, kind: &'static str, plain: &'static [u8]) -> Self {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        // Writing to memory does not fail.
        let zipped = encoder.write_all(plain).and_then(|()| encoder.finish()).unwrap_or_default();
        // The checksum and the length at the end of the format (RFC 1952).
        let end = zipped.len().saturating_sub(8);
        let tag = zipped[end..].try_into().map_or(0, u64::from_be_bytes);
        Self { name, kind, plain, zipped: zipped.into(), tag: format!("\"{tag:016x}\"") }
    }

    fn response(&self, headers: &HeaderMap) -> Response {
        let sent = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let common = [
            (CONTENT_SECURITY_POLICY, POLICY),
            (REFERRER_POLICY, "no-referrer"),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (CACHE_CONTROL, "no-cache"),
            (VARY, "accept-encoding"),
            (ETAG, &self.tag),
            (CONTENT_TYPE, self.kind),
        ];
        if sent(IF_NONE_MATCH).split(',').any(|tag| tag.trim().trim_start_matches("W/") == self.tag) {
            return (StatusCode::NOT_MODIFIED, common).into_response();
        }
        if sent(ACCEPT_ENCODING).contains("gzip") {
            return (common, [(CONTENT_ENCODING, "gzip")], self.zipped.clone()).into_response();
        }
        (common, self.plain).into_response()
    }
}

/// Returns the routes of the page: `/app`, and its files below that.
pub(crate) fn routes() -> Router {
    Router::new()
        .route("/app", get(async |headers: HeaderMap| file("index.html", &headers)))
        .route("/app/", get(async || Redirect::permanent("/app")))
        .route("/app/{name}", get(async |Path(name): Path<String>, headers: HeaderMap| file(&name, &headers)))
}

fn file(name: &str, headers: &HeaderMap) -> Response {
    let found = FILES.iter().find(|file| file.name == name);
    found.map_or_else(|| ApiError::not_found().into_response(), |file| file.response(headers))
}
