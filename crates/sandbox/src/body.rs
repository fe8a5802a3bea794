//! Bodies that are read to their end whatever the answer, like those that a proxy in front of Discord reads: a client that
//! still writes when the connection closes may not see the answer.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes, HttpBody};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use futures_util::stream::Fuse;
use futures_util::{StreamExt as _, stream};
use parking_lot::Mutex;

/// Reads what the handler of a request has left of its body, and returns the handler's answer.
pub(crate) async fn read_to_end(request: Request, next: Next) -> Response {
    let (request, rest) = shared(request);
    let response = next.run(request).await;
    if let Some(rest) = rest {
        rest.drain().await;
    }
    response
}

/// Reads a refused request to its end.
pub(crate) async fn discard(request: Request) {
    if let (_, Some(rest)) = shared(request) {
        rest.drain().await;
    }
}

/// Most bytes that are read of a refused request, and the time for it.
const MOST_DRAINED: usize = 256 << 20;
const DRAINING: Duration = Duration::from_secs(30);

/// Rest of a body that its handler may not have read.
pub(crate) struct Rest(Arc<Mutex<Fuse<BodyDataStream>>>);

/// Returns a request whose body, if it has one, can be read to its end after its handler has answered.
pub(crate) fn shared(request: Request) -> (Request, Option<Rest>) {
    if request.body().is_end_stream() {
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
    pub(crate) async fn drain(self) {
        if self.0.lock().is_done() {
            return;
        }
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
