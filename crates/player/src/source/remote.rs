//! Bytes of a file or stream on the web, read on a thread that may wait for them.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue, RANGE};
use symphonia::core::io::MediaSource;
use tokio::runtime::Handle;

use super::deadline::Deadline;
use super::media::{Origin, TrackEventSender};
use super::web::{Failed, Head, Response, Web};
use super::ytdlp::Spool;
use super::{Renew, SourceError};
use connection::{Bytes, Connection};

mod connection;

/// Bytes that are read and dropped rather than requested from another position.
const SKIP: u64 = 128 << 10;
/// Bytes after which a connection counts as working: 2 seconds at 128 kbit/s.
const WORKS: u64 = 32 << 10;
/// Bytes read at another position after which the connection of the position before is dropped.
const SETTLED: u64 = 1 << 20;

/// A file or stream on the web.
#[derive(Clone)]
pub(super) struct Remote {
    /// Its address.
    pub(super) url: Url,
    /// Headers that its requests need.
    pub(super) headers: HeaderMap,
    /// Most bytes of one answer, for servers that slow down longer ones.
    pub(super) window: Option<u64>,
    /// The id of the format on the page, for yt-dlp.
    pub(super) format: Option<String>,
}

impl Remote {
    /// Creates one with an address only.
    pub(super) fn new(url: Url) -> Self {
        Self { url, headers: HeaderMap::new(), window: None, format: None }
    }

    /// Requests it from byte `from` on.
    pub(super) async fn get(&self, web: &Web, from: u64, deadline: Deadline) -> Result<Response, Failed> {
        let mut headers = self.headers.clone();
        headers.insert(HeaderName::from_static("icy-metadata"), HeaderValue::from_static("1"));
        let end = self.window.map(|window| (from + window - 1).to_string()).unwrap_or_default();
        let part = HeaderValue::from_str(&format!("bytes={from}-{end}")).map_err(|_| SourceError::Broken)?;
        headers.insert(RANGE, part);
        match web.get(&self.url, &headers, deadline).await {
            // It does not support ranges, or the file is empty.
            Err(failed) if failed.error == SourceError::Status(416) && from == 0 => {
                headers.remove(RANGE);
                web.get(&self.url, &headers, deadline).await
            }
            answer => answer,
        }
    }
}

/// Creates readers of a file or stream on the web.
pub(super) struct HttpOrigin {
    remote: Option<Remote>,
    web: Web,
    /// The answer that was used to find out the format.
    first: Option<Response>,
    is_live: bool,
    renew: Option<Renew>,
    spool: Option<Arc<Spool>>,
    events: TrackEventSender,
    runtime: Handle,
}

impl HttpOrigin {
    /// Creates an origin from the answer to a request for the beginning.
    pub(super) fn new(
        remote: Remote,
        web: Web,
        answer: Response,
        events: TrackEventSender,
    ) -> Result<Self, SourceError> {
        let whole = answer.head.whole();
        if whole.is_some_and(|whole| whole > web.bounds().file) {
            return Err(SourceError::TooLarge);
        }
        let is_live = whole.is_none() || answer.head.interval.is_some();
        let (remote, first) = (Some(remote), Some(answer));
        Ok(Self { remote, web, first, is_live, renew: None, spool: None, events, runtime: Handle::current() })
    }

    /// Creates an origin for a file that yt-dlp fetches.
    pub(super) fn spooled(spool: Arc<Spool>, web: Web, events: TrackEventSender) -> Self {
        let (remote, spool) = (None, Some(spool));
        Self {
            remote,
            web,
            first: None,
            is_live: false,
            renew: None,
            spool,
            events,
            runtime: Handle::current(),
        }
    }

    fn deadline(&self) -> Deadline {
        Deadline::after(self.web.bounds().open)
    }

    /// Renews its address when that expires.
    pub(super) fn renewed_by(mut self, renew: Renew) -> Self {
        self.renew = Some(renew);
        self
    }
}

impl Origin for HttpOrigin {
    fn open(&mut self) -> Result<Box<dyn MediaSource>, SourceError> {
        let (range, now) = match (self.first.take(), &self.remote, &self.spool) {
            (Some(answer), ..) => (RangeSupport::of(&answer.head, self.is_live), Connection::of(answer)),
            (None, Some(remote), _) => {
                let asked =
                    async { remote.get(&self.web, 0, self.deadline()).await.map_err(|failed| failed.error) };
                // The track is not played any more if there is no answer, so the error is not seen.
                let answer = self.events.wait(&self.runtime, asked).unwrap_or(Err(SourceError::Broken))?;
                (RangeSupport::of(&answer.head, self.is_live), Connection::of(answer))
            }
            (None, None, Some(spool)) => {
                (RangeSupport::Spooled, Connection::new(Bytes::Spooled(spool.clone(), 0), None, 0))
            }
            (None, None, None) => return Err(SourceError::Broken),
        };
        Ok(Box::new(Reader {
            range,
            remote: self.remote.clone(),
            web: self.web.clone(),
            now: Some(now),
            left: None,
            at: 0,
            failures: 0,
            renew: self.renew.clone(),
            spool: self.spool.clone(),
            events: self.events.clone(),
            runtime: self.runtime.clone(),
        }))
    }

    fn is_live(&self) -> bool {
        self.is_live
    }
}

/// How far a reader can seek.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RangeSupport {
    /// A live stream, which starts at its present position.
    Live,
    /// A file that is sent from its beginning, with its number of bytes.
    Once(u64),
    /// A file that is sent from any position, with its number of bytes.
    Anywhere(u64),
    /// A file that yt-dlp fetches, as far as it has.
    Spooled,
}

impl RangeSupport {
    fn of(head: &Head, is_live: bool) -> Self {
        match (head.whole(), head.range) {
            (Some(length), Some(_)) if !is_live => Self::Anywhere(length),
            (Some(length), None) if !is_live => Self::Once(length),
            _ => Self::Live,
        }
    }
}

/// Reads a file or stream on the web.
///
/// Finding out the format of a file reads its beginning, then its end, and then starts again. So after a seek the
/// connection of the old position is kept until reading has settled at the new one, and is used again for a seek back.
/// That saves a request, and a server that sends a file only once is asked only once.
struct Reader {
    remote: Option<Remote>,
    web: Web,
    range: RangeSupport,
    /// The current connection, if any.
    now: Option<Connection>,
    /// The connection of the position before a seek.
    left: Option<Connection>,
    /// Position of the next byte.
    at: u64,
    /// Connections that broke since the last one that worked.
    failures: u32,
    renew: Option<Renew>,
    /// The file that yt-dlp fetches, because the server refuses other clients.
    spool: Option<Arc<Spool>>,
    events: TrackEventSender,
    runtime: Handle,
}

impl Reader {
    /// Waits until there are bytes, and returns whether there are any.
    async fn fill(&mut self) -> Result<bool, SourceError> {
        let is_in_parts = self.is_in_parts();
        loop {
            if let RangeSupport::Once(length) | RangeSupport::Anywhere(length) = self.range
                && self.at >= length
            {
                return Ok(false);
            }
            let Some(now) = &mut self.now else {
                match self.connect().await {
                    Ok(()) => {}
                    // There is a position to return to.
                    Err(error) if self.left.is_some() => return Err(error),
                    Err(error) => self.again(error).await?,
                }
                continue;
            };
            if !now.rest().is_empty() {
                return Ok(true);
            }
            let more = now.more(self.range != RangeSupport::Live, &self.events).await;
            if now.come >= WORKS {
                self.failures = 0;
            }
            if now.come >= SETTLED {
                self.left = None;
            }
            match more {
                Ok(true) => {}
                // A stream without metadata in it may have an end.
                Ok(false) if self.range == RangeSupport::Live && !now.has_titles() => return Ok(false),
                Ok(false) if self.range == RangeSupport::Spooled => return Ok(false),
                // It is shorter than its server stated.
                Ok(false) if self.spool.is_some() => return Err(SourceError::Broken),
                Ok(false) if is_in_parts && now.come > 0 => self.now = None,
                Ok(false) => self.again(SourceError::Broken).await?,
                Err(error) if self.spool.is_some() => return Err(error),
                Err(error) => self.again(error).await?,
            }
        }
    }

    fn is_in_parts(&self) -> bool {
        self.remote.as_ref().is_some_and(|remote| remote.window.is_some())
    }

    /// Requests the next bytes.
    async fn connect(&mut self) -> Result<(), SourceError> {
        let from = if self.range == RangeSupport::Live { 0 } else { self.at };
        let Some(remote) = self.remote.clone().filter(|_| self.spool.is_none()) else {
            return self.connect_to_spool();
        };
        let answer = match (self.get(&remote, from).await, self.renew.clone()) {
            // Where answers are in parts, YouTube has sent other clients the first part only.
            (Err(SourceError::Status(403)), Some(renew)) if self.is_in_parts() && from > 0 => {
                self.spool = Some(renew.spool(&remote).await?);
                return self.connect_to_spool();
            }
            (Err(SourceError::Status(_)), Some(renew)) => {
                let remote = renew.again().await?;
                self.remote = Some(remote.clone());
                match self.get(&remote, from).await {
                    Err(SourceError::Status(_)) => {
                        self.spool = Some(renew.spool(&remote).await?);
                        return self.connect_to_spool();
                    }
                    answer => answer?,
                }
            }
            (answer, _) => answer?,
        };
        if let RangeSupport::Anywhere(length) = self.range {
            let range = answer.head.range.ok_or(SourceError::Broken)?;
            if range.from != self.at || range.whole.is_some_and(|whole| whole != length) {
                return Err(SourceError::Broken);
            }
        }
        let mut now = Connection::of(answer);
        now.at = self.at;
        self.now = Some(now);
        Ok(())
    }

    /// Requests it from a byte on. It has already played, so a failure now reveals no open port.
    async fn get(&self, remote: &Remote, from: u64) -> Result<Response, SourceError> {
        let deadline = Deadline::after(self.web.bounds().open);
        remote.get(&self.web, from, deadline).await.map_err(|failed| failed.error)
    }

    fn connect_to_spool(&mut self) -> Result<(), SourceError> {
        let spool = self.spool.clone().ok_or(SourceError::Broken)?;
        self.now = Some(Connection::new(Bytes::Spooled(spool, self.at), None, self.at));
        Ok(())
    }

    /// Waits before another attempt, or returns the error if there is none.
    async fn again(&mut self, error: SourceError) -> Result<(), SourceError> {
        self.now = None;
        self.failures += 1;
        let bounds = self.web.bounds();
        if matches!(self.range, RangeSupport::Once(_)) || self.failures > bounds.reconnects {
            return Err(error);
        }
        let first: Duration = bounds.reconnect / 10;
        let wait = (first * 2_u32.pow(self.failures.min(8) - 1)).min(bounds.reconnect);
        tracing::debug!(%error, attempt = self.failures, "a connection broke");
        tokio::time::sleep(wait).await;
        Ok(())
    }

    /// Seeks in the file with an existing connection, if it reaches the position soon. Returns whether it did.
    fn go_by(&mut self, to: u64) -> bool {
        if self.now.as_mut().is_some_and(|now| now.go(to)) {
            return true;
        }
        let comes_by = |connection: &Connection| to >= connection.at && to - connection.at < SKIP;
        if !self.now.as_ref().is_some_and(comes_by) {
            let Some(left) = self.left.as_mut().filter(|left| left.reaches(to) || comes_by(left)) else {
                return false;
            };
            left.go(to);
            self.now = self.left.take();
        }
        self.at = self.now.as_ref().map_or(to, |now| now.at);
        let skip = to.saturating_sub(self.at);
        skip == 0
            || io::copy(&mut self.by_ref().take(skip), &mut io::sink()).is_ok_and(|skipped| skipped == skip)
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let (runtime, events) = (self.runtime.clone(), self.events.clone());
        let filled = events.wait(&runtime, self.fill());
        match filled {
            Some(Ok(true)) => {}
            Some(Ok(false)) => return Ok(0),
            Some(Err(error)) => {
                if error == SourceError::Stalled {
                    // There is no time for either of them.
                    (self.now, self.left) = (None, None);
                }
                // A read that only inspected another position continues at the old one.
                if self.left.is_none() {
                    self.events.fail(error.clone());
                }
                return Err(io::Error::other(error));
            }
            // The track is not played any more.
            None => return Err(io::ErrorKind::ConnectionAborted.into()),
        }
        let Some(now) = &mut self.now else { return Ok(0) };
        let read = now.read(buffer);
        self.at = now.at;
        Ok(read)
    }
}

impl Seek for Reader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let RangeSupport::Anywhere(length) = self.range else {
            return Err(io::ErrorKind::Unsupported.into());
        };
        let to = match to {
            SeekFrom::Start(to) => Some(to),
            SeekFrom::End(by) => length.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        let to = to.ok_or(io::ErrorKind::InvalidInput)?;
        if !self.go_by(to) {
            let left = self.now.take();
            self.left = self.left.take().or(left);
        }
        self.at = to;
        Ok(self.at)
    }
}

impl MediaSource for Reader {
    fn is_seekable(&self) -> bool {
        matches!(self.range, RangeSupport::Anywhere(_))
    }

    fn byte_len(&self) -> Option<u64> {
        match self.range {
            RangeSupport::Live | RangeSupport::Spooled => None,
            RangeSupport::Once(length) | RangeSupport::Anywhere(length) => Some(length),
        }
    }
}
