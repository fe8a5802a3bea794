//! The parts of a request that all layers use.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes, HttpBody};
use axum::extract::{ConnectInfo, Request};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream::Fuse;
use futures_util::{StreamExt as _, stream};
use parking_lot::Mutex;

use super::super::Route;
use crate::fault::Connection;

/// A request in progress.
pub(super) struct Call {
    pub(super) method: String,
    pub(super) route: Route,
    /// Its authorization, which determines whose limits it counts against.
    pub(super) who: Option<String>,
    /// Handle to its connection, if the listener supports that.
    connection: Option<Connection>,
}

impl Call {
    pub(super) fn read(request: &Request) -> Self {
        let who = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        Self {
            method: request.method().as_str().to_owned(),
            route: Route::parse(request.uri().path()),
            who: who.map(str::to_owned),
            connection: request.extensions().get::<ConnectInfo<Connection>>().map(|info| info.0.clone()),
        }
    }

    /// Cuts the connection. Without a handle to it (another listener than [`crate::fault::Listener`]) the answer
    /// aborts.
    pub(super) fn drop_connection(&self) -> Response {
        if let Some(connection) = &self.connection {
            connection.sever();
            return StatusCode::NO_CONTENT.into_response();
        }
        let cut = stream::once(async { Err::<Bytes, _>(cut_short()) });
        Response::new(Body::from_stream(cut))
    }
}

/// Reads a refused request to its end, like the proxy in front of Discord: a client that still writes when the
/// connection closes may not see the answer.
pub(super) async fn drain(request: Request) {
    let mut body = request.into_body().into_data_stream();
    while let Some(Ok(_)) = body.next().await {}
}

/// Length of a body, in bytes, up to which the server reads what a handler has left of it before it answers.
const SHORT: u64 = 16 << 10;
/// Most bytes that are read of a refused request, and the time for it.
const MOST_DRAINED: usize = 256 << 20;
const DRAINING: Duration = Duration::from_secs(30);

/// Rest of a body that its handler may not have read.
pub(super) struct Rest(Arc<Mutex<Fuse<BodyDataStream>>>);

/// Returns a request whose long body can be read to its end after its handler has answered. A short one is left as it is.
pub(super) fn shared(request: Request) -> (Request, Option<Rest>) {
    if request.body().size_hint().upper().is_some_and(|upper| upper <= SHORT) {
        return (request, None);
    }
    let (parts, body) = request.into_parts();
    let rest = Arc::new(Mutex::new(body.into_data_stream().fuse()));
    let reader = Arc::clone(&rest);
    let chunks = stream::poll_fn(move |context| reader.lock().poll_next_unpin(context));
    (Request::from_parts(parts, Body::from_stream(chunks)), Some(Rest(rest)))
}

impl Rest {
    /// Reads the body to its end, so that a client that still writes can read the answer.
    pub(super) async fn drain(self) {
        let mut read = 0;
        let end = stream::poll_fn(|context| self.0.lock().poll_next_unpin(context));
        let end = end.take_while(|chunk| {
            read += chunk.as_ref().map_or(MOST_DRAINED, Bytes::len);
            std::future::ready(read < MOST_DRAINED)
        });
        // A client that stops writing has to do without.
        let _ = tokio::time::timeout(DRAINING, end.for_each(|_| std::future::ready(()))).await;
    }
}

/// Returns the error of a truncated answer.
pub(super) fn cut_short() -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::ConnectionAborted, "cut short by an injected fault")
}
