//! The HTTP server: few connections, each with one small request and a time limit.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use sdk::tokio::net::{TcpListener, TcpStream};
use sdk::tokio::task::{AbortHandle, JoinSet};
use sdk::tokio::time::{sleep, timeout};
use sdk::{tokio, tracing};

use super::pages::Pages;

/// Maximum number of open connections. Another one closes the oldest.
const CONNECTIONS: usize = 16;
/// Longest time for the head of a request to arrive.
const HEAD_WITHIN: Duration = Duration::from_secs(5);
/// Longest duration of a connection.
const CONNECTION_WITHIN: Duration = Duration::from_secs(10);
/// Maximum size in bytes of a request's head; hyper accepts no smaller limit.
const HEAD: usize = 8192;
/// Wait after a connection could not be accepted.
const AGAIN_IN: Duration = Duration::from_millis(50);

/// Serves pages until the future is dropped.
pub(super) async fn serve(listener: TcpListener, pages: Arc<Pages>) {
    let mut connections = JoinSet::new();
    let mut open = VecDeque::<AbortHandle>::with_capacity(CONNECTIONS);
    let mut is_failing = false;
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    is_failing = false;
                    open.retain(|connection| !connection.is_finished());
                    if open.len() >= CONNECTIONS && let Some(oldest) = open.pop_front() {
                        oldest.abort();
                    }
                    open.push_back(connections.spawn(connection(stream, pages.clone())));
                }
                Err(error) => {
                    // Most likely there are no file descriptors left, which may last: one warning for a series.
                    if !std::mem::replace(&mut is_failing, true) {
                        tracing::warn!(%error, "connections for health and metrics cannot be taken");
                    }
                    sleep(AGAIN_IN).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, pages: Arc<Pages>) {
    let service = service_fn(move |request| {
        let pages = pages.clone();
        async move { Ok::<_, Infallible>(pages.answer(&request).await) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(HEAD)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    // A client that disconnects or is too slow needs no message.
    let _ = timeout(CONNECTION_WITHIN, served).await;
}
