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

/// Bytes that are rather read and thrown away than asked for from another place.
const SKIP: u64 = 128 << 10;
/// Bytes after which a connection counts as one that works; of 128 kbit/s they are 2 seconds.
const WORKS: u64 = 32 << 10;
/// Bytes of another place after which one does not come back to where reading was before.
const SETTLED: u64 = 1 << 20;

/// A file or stream on the web.
#[derive(Clone)]
pub(super) struct Remote {
    /// Its address.
    pub(super) url: Url,
    /// Headers that it asks for.
    pub(super) headers: HeaderMap,
    /// Most bytes of one answer, for servers that slow down longer ones.
    pub(super) window: Option<u64>,
    /// Which of the forms of a page it is, for yt-dlp.
    pub(super) format: Option<String>,
}

impl Remote {
    /// Names a file or stream by its address alone.
    pub(super) fn new(url: Url) -> Self {
        Self { url, headers: HeaderMap::new(), window: None, format: None }
    }

    /// Asks for it from byte `from` on.
    pub(super) async fn get(&self, web: &Web, from: u64, deadline: Deadline) -> Result<Response, Failed> {
        let mut headers = self.headers.clone();
        headers.insert(HeaderName::from_static("icy-metadata"), HeaderValue::from_static("1"));
        let end = self.window.map(|window| (from + window - 1).to_string()).unwrap_or_default();
        let part = HeaderValue::from_str(&format!("bytes={from}-{end}")).map_err(|_| SourceError::Broken)?;
        headers.insert(RANGE, part);
        match web.get(&self.url, &headers, deadline).await {
            // It answers with no parts, or the file is empty.
            Err(failed) if failed.error == SourceError::Status(416) && from == 0 => {
                headers.remove(RANGE);
                web.get(&self.url, &headers, deadline).await
            }
            answer => answer,
        }
    }
}

/// Makes readers of a file or stream on the web.
pub(super) struct HttpOrigin {
    remote: Option<Remote>,
    web: Web,
    /// The answer by which it was found out what it is.
    first: Option<Response>,
    is_live: bool,
    renew: Option<Renew>,
    spool: Option<Arc<Spool>>,
    events: TrackEventSender,
    runtime: Handle,
}

impl HttpOrigin {
    /// Makes an origin of the answer to a request for the beginning.
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

    /// Makes an origin of what yt-dlp fetches.
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

    /// Has it ask for its address anew, when that is good no more.
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
                // Nobody hears of it where nobody plays it.
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

/// How far reading can go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RangeSupport {
    /// A stream that goes on, from wherever one comes in.
    Live,
    /// A file that is sent from its beginning, of so many bytes.
    Once(u64),
    /// A file of so many bytes, sent from any place.
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
/// Whoever finds out what a file is looks at its beginning, at its end, and begins to read. So the connection that is left
/// for another place is kept until reading has settled there, and taken up again by who comes back: which saves a
/// request, and a server that sends a file once is asked for it once.
struct Reader {
    remote: Option<Remote>,
    web: Web,
    range: RangeSupport,
    /// What is read from, if it is connected.
    now: Option<Connection>,
    /// What was left for another place.
    left: Option<Connection>,
    /// Place of the next byte.
    at: u64,
    /// Connections that broke since one worked.
    failures: u32,
    renew: Option<Renew>,
    /// What yt-dlp fetches, because the server refuses others.
    spool: Option<Arc<Spool>>,
    events: TrackEventSender,
    runtime: Handle,
}

impl Reader {
    /// Waits until there are bytes, and says whether there are.
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
                    // There is a place to go back to.
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
                // It has less than its server told.
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

    /// Asks for what follows.
    async fn connect(&mut self) -> Result<(), SourceError> {
        let from = if self.range == RangeSupport::Live { 0 } else { self.at };
        let Some(remote) = self.remote.clone().filter(|_| self.spool.is_none()) else {
            return self.connect_to_spool();
        };
        let answer = match (self.get(&remote, from).await, self.renew.clone()) {
            // Where answers are in parts, YouTube has let others have the first and no more.
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

    /// Asks for it from a byte on. It has sounded, so what fails now tells of no port that it is open.
    async fn get(&self, remote: &Remote, from: u64) -> Result<Response, SourceError> {
        let deadline = Deadline::after(self.web.bounds().open);
        remote.get(&self.web, from, deadline).await.map_err(|failed| failed.error)
    }

    fn connect_to_spool(&mut self) -> Result<(), SourceError> {
        let spool = self.spool.clone().ok_or(SourceError::Broken)?;
        self.now = Some(Connection::new(Bytes::Spooled(spool, self.at), None, self.at));
        Ok(())
    }

    /// Waits before another attempt, if there is to be one.
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

    /// Goes to a place of the file by a connection that there is, if one comes by it soon.
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
                // Whoever only looked at another place goes on where it was.
                if self.left.is_none() {
                    self.events.fail(error.clone());
                }
                return Err(io::Error::other(error));
            }
            // Nobody plays it any more.
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
