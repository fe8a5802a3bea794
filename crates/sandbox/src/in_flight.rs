//! Requests of bots that act on the world, until their responses have been written.
//!
//! A library knows a modal or the components of a message only once it has the response to the request that sent them, and a
//! person is never as fast. So what a user does next waits for the responses that were on their way.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::response::Response;
use hyper::body::{Frame, SizeHint};
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use crate::fault::Connection;

/// Handle to the requests in flight. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct InFlight(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    requests: Mutex<Requests>,
}

#[derive(Debug, Default)]
struct Requests {
    /// Each has a semaphore without permits, which is closed when the request is over: a waiter is woken by the one that it waits
    /// for alone, however many come and go meanwhile.
    open: BTreeMap<u64, Arc<Semaphore>>,
    last: u64,
}

/// One request, which is over when this is dropped.
#[derive(Debug)]
pub(crate) struct Acting {
    shared: Arc<Shared>,
    number: u64,
}

impl InFlight {
    /// Adds a request that is about to act.
    pub(crate) fn begin(&self) -> Acting {
        let mut requests = self.0.requests.lock();
        requests.last += 1;
        let number = requests.last;
        requests.open.insert(number, Arc::new(Semaphore::new(0)));
        Acting { shared: Arc::clone(&self.0), number }
    }

    /// Waits until the responses to all requests that are in flight now have been written, or never will be.
    pub(crate) async fn written(&self) {
        let open: Vec<_> = self.0.requests.lock().open.values().cloned().collect();
        for request in open {
            // Closing it is the only event.
            let _ = request.acquire().await;
        }
    }
}

impl Drop for Acting {
    fn drop(&mut self) {
        if let Some(over) = self.shared.requests.lock().open.remove(&self.number) {
            over.close();
        }
    }
}

/// Returns a response with which a request stays in flight until it has been written to its connection.
pub(crate) fn until_written(
    response: Response,
    acting: Arc<Acting>,
    connection: Option<Connection>,
) -> Response {
    response.map(|body| Body::new(Written { body, _end: End { acting: Some(acting), connection } }))
}

/// A body that notices when the server is done with it.
struct Written {
    body: Body,
    _end: End,
}

struct End {
    acting: Option<Arc<Acting>>,
    connection: Option<Connection>,
}

impl Drop for End {
    fn drop(&mut self) {
        // The server has taken the last bytes, and writes and flushes them next.
        if let Some((connection, acting)) = self.connection.take().zip(self.acting.take()) {
            connection.drop_when_flushed(acting);
        }
    }
}

impl HttpBody for Written {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::future::{IntoFuture, pending};
    use std::io;

    use axum::Router;
    use axum::extract::Request;
    use futures_util::FutureExt as _;
    use serde_json::{Value, json};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
    use tower::ServiceExt as _;

    use super::*;
    use crate::fault::Listener;
    use crate::server::{Assembled, Builder};
    use crate::tls::Addresses;

    #[test]
    fn those_that_come_later_are_not_waited_for() {
        let requests = InFlight::default();
        let (first, second) = (requests.begin(), requests.begin());
        let mut waiting = Box::pin(requests.written());
        assert!(waiting.as_mut().now_or_never().is_none());
        let later = requests.begin();
        drop(second);
        assert!(waiting.as_mut().now_or_never().is_none());
        drop(first);
        assert!(waiting.now_or_never().is_some());
        drop(later);
        assert!(requests.written().now_or_never().is_some());
    }

    /// A listener with one connection.
    struct Single(Option<DuplexStream>);

    impl axum::serve::Listener for Single {
        type Io = DuplexStream;
        type Addr = ();

        async fn accept(&mut self) -> (DuplexStream, ()) {
            match self.0.take() {
                Some(stream) => (stream, ()),
                None => pending().await,
            }
        }

        fn local_addr(&self) -> io::Result<()> {
            Ok(())
        }
    }

    const HOST: &str = "127.0.0.1:8787";

    async fn post(router: Router, path: String, authorization: String, body: Value) -> Value {
        let request = Request::post(path).header("host", HOST).header("authorization", authorization);
        let request =
            request.header("content-type", "application/json").body(Body::from(body.to_string())).unwrap();
        let response = router.oneshot(request).await.unwrap();
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    /// Lets all other tasks run until they wait for something that does not come.
    async fn settle() {
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn users_go_on_once_the_bot_has_been_sent_the_response_to_its_callback() {
        let addresses = Addresses::plain(&format!("http://{HOST}"));
        let Assembled { router, scenario, control_secret, discord, .. } =
            Builder::default().assemble(&addresses);
        // It takes a few bytes at a time, and so holds back a response until its client reads.
        let (mut bot, server) = tokio::io::duplex(64);
        let service = router.clone().into_make_service_with_connect_info::<Connection>();
        tokio::spawn(axum::serve(Listener::new(Single(Some(server))), service).into_future());
        let commands = format!("/api/v10/applications/{}/commands", scenario.application);
        let command = json!({ "name": "order", "description": "d" });
        post(router.clone(), commands, format!("Bot {}", scenario.token), command).await;

        let act = |kind, asked| {
            let path = format!("/sandbox/interactions/{kind}");
            tokio::spawn(post(router.clone(), path, format!("Bearer {control_secret}"), asked))
        };
        let dispatched = || discord.lock().interactions.totals.dispatched;
        let first = act("command", json!({ "as": "alice", "channel": "bot-test", "text": "/order" }));
        settle().await;
        let (token, id) = {
            let live = discord.lock();
            let world = serde_json::to_value::<&crate::state::World>(&live).unwrap();
            let (token, id) = world["interactions"]["by_token"].as_object().unwrap().iter().next().unwrap();
            (token.clone(), id.as_str().unwrap().to_owned())
        };
        let input = json!({ "type": 4, "custom_id": "dish", "style": 1, "label": "Dish" });
        let modal = json!({ "custom_id": "m", "title": "Order", "components": [{ "type": 1, "components": [input] }] });
        let body = json!({ "type": 9, "data": modal }).to_string();
        let callback = format!(
            "POST /api/v10/interactions/{id}/{token}/callback?with_response=true HTTP/1.1\r\nhost: {HOST}\r\n\
             connection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        bot.write_all(callback.as_bytes()).await.unwrap();
        // The response has begun, so the world has the modal.
        let mut response = vec![bot.read_u8().await.unwrap()];
        let second = act("modal", json!({ "interaction": id, "values": { "dish": "tea" } }));
        settle().await;
        assert!(!first.is_finished(), "the answer is ahead of the response");
        assert_eq!(dispatched(), 1, "an interaction is ahead of the response");
        bot.read_to_end(&mut response).await.unwrap();
        assert!(response.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&response));
        assert_eq!(first.await.unwrap()["modal"]["custom_id"], "m");
        settle().await;
        assert_eq!(dispatched(), 2);
        second.abort();
    }
}
