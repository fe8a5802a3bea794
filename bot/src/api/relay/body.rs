//! Request bodies that can be sent again if Discord has refused them because of a rate limit.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::header::HeaderMap;

/// Largest body that is read into memory before it is sent.
const SMALL: u64 = 1 << 20;
/// Bytes of a larger body that are kept while it is sent, for sending them again.
const KEPT: usize = 64 << 20;

/// A request's body.
pub(super) enum Outgoing {
    Empty,
    /// A small body as a whole.
    Whole(Bytes),
    /// A large body, which is forwarded as a stream.
    Streamed(Arc<Mutex<Source>>, SizeHint),
}

/// An incoming body, and the part of it that has arrived.
pub(super) struct Source {
    incoming: Incoming,
    came: Vec<Frame<Bytes>>,
    bytes: usize,
    /// Whether `came` holds everything that has arrived.
    is_whole: bool,
    is_over: bool,
}

impl Outgoing {
    /// Reads a small body into memory, so that nothing of its request stays unread while it waits.
    pub(super) async fn read(incoming: Incoming) -> Result<Self, hyper::Error> {
        let hint = incoming.size_hint();
        if incoming.is_end_stream() {
            return Ok(Self::Empty);
        }
        if hint.upper().is_none_or(|bytes| bytes > SMALL) {
            let source = Source { incoming, came: Vec::new(), bytes: 0, is_whole: true, is_over: false };
            return Ok(Self::Streamed(Arc::new(Mutex::new(source)), hint));
        }
        let mut incoming = incoming;
        let mut whole = Vec::new();
        while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut incoming).poll_frame(cx)).await {
            if let Ok(data) = frame?.into_data() {
                whole.extend_from_slice(&data);
            }
        }
        Ok(Self::Whole(whole.into()))
    }

    /// Returns whether other requests need not wait until this one has arrived.
    pub(super) fn is_large(&self) -> bool {
        matches!(self, Self::Streamed(..))
    }

    /// Returns whether the body can be sent from its beginning.
    pub(super) fn is_repeatable(&self) -> bool {
        match self {
            Self::Empty | Self::Whole(_) => true,
            Self::Streamed(source, _) => source.lock().unwrap_or_else(PoisonError::into_inner).is_whole,
        }
    }

    /// Reads the rest of a body and discards it. A client that is still writing when the response arrives may not see
    /// the response.
    pub(super) async fn drain(&self) {
        if let Self::Streamed(source, _) = self {
            let next = |cx: &mut Context<'_>| {
                let mut source = source.lock().unwrap_or_else(PoisonError::into_inner);
                if source.is_over { Poll::Ready(None) } else { Pin::new(&mut source.incoming).poll_frame(cx) }
            };
            while let Some(Ok(_)) = std::future::poll_fn(next).await {}
        }
    }

    /// Returns the body from its beginning.
    pub(super) fn body(&self) -> Option<reqwest::Body> {
        match self {
            Self::Empty => None,
            Self::Whole(bytes) => Some(bytes.clone().into()),
            Self::Streamed(source, hint) => {
                let attempt = Attempt { source: source.clone(), next: 0, hint: *hint };
                Some(reqwest::Body::wrap(attempt))
            }
        }
    }
}

/// A streamed body being sent: first the part that arrived for an earlier attempt, then the rest.
struct Attempt {
    source: Arc<Mutex<Source>>,
    next: usize,
    hint: SizeHint,
}

impl Body for Attempt {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let shared = self.source.clone();
        let mut source = shared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(frame) = source.came.get(self.next) {
            self.next += 1;
            return Poll::Ready(Some(Ok(copy(frame))));
        }
        if source.is_over {
            return Poll::Ready(None);
        }
        let polled = Pin::new(&mut source.incoming).poll_frame(cx);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                source.bytes += frame.data_ref().map_or(0, Bytes::len);
                if source.bytes > KEPT {
                    (source.is_whole, source.came) = (false, Vec::new());
                }
                if source.is_whole {
                    source.came.push(copy(frame));
                    self.next += 1;
                }
            }
            Poll::Ready(None) => source.is_over = true,
            _ => {}
        }
        polled
    }

    fn size_hint(&self) -> SizeHint {
        self.hint
    }
}

/// Clones a frame, sharing its bytes.
fn copy(frame: &Frame<Bytes>) -> Frame<Bytes> {
    match (frame.data_ref(), frame.trailers_ref()) {
        (Some(data), _) => Frame::data(data.clone()),
        (None, trailers) => Frame::trailers(trailers.cloned().unwrap_or_else(HeaderMap::new)),
    }
}
