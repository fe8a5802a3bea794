//! The parts of a request that all layers use.

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;

use super::super::Route;
use crate::fault::Connection;

/// A request in progress.
pub(super) struct Call {
    pub(super) method: String,
    pub(super) route: Route,
    /// Its authorization, which determines whose limits it counts against.
    pub(super) who: Option<String>,
    /// Handle to its connection, if the listener supports that.
    pub(super) connection: Option<Connection>,
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

/// Returns the error of a truncated answer.
pub(super) fn cut_short() -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::ConnectionAborted, "cut short by an injected fault")
}
