//! Bytes of a file or stream on the web, read on a thread that may wait for them.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue, RANGE};
use symphonia::core::io::MediaSource;
use tokio::runtime::Handle;

use super::SourceError;
use super::icy::Icy;
use super::media::{Line, Origin};
use super::web::{Answer, Body, Head, Web};

/// Bytes that are rather read and thrown away than asked for from another place.
const SKIP: u64 = 128 << 10;
/// Bytes after which a connection counts as one that works; of 128 kbit/s they are 2 seconds.
const WORKS: u64 = 32 << 10;

/// A file or stream on the web.
#[derive(Clone)]
pub(super) struct Remote {
    /// Its address.
    pub(super) url: Url,
    /// Headers that it asks for.
    pub(super) headers: HeaderMap,
    /// Most bytes of one answer, for servers that slow down longer ones.
    pub(super) window: Option<u64>,
}

impl Remote {
    /// Names a file or stream by its address alone.
    pub(super) fn new(url: Url) -> Self {
        Self { url, headers: HeaderMap::new(), window: None }
    }

    /// Asks for it from byte `from` on.
    pub(super) async fn get(&self, web: &Web, from: u64) -> Result<Answer, SourceError> {
        let mut headers = self.headers.clone();
        headers.insert(HeaderName::from_static("icy-metadata"), HeaderValue::from_static("1"));
        let end = self.window.map(|window| (from + window - 1).to_string()).unwrap_or_default();
        let part = HeaderValue::from_str(&format!("bytes={from}-{end}")).map_err(|_| SourceError::Broken)?;
        headers.insert(RANGE, part);
        match web.get(&self.url, &headers).await {
            // It answers with no parts, or the file is empty.
            Err(SourceError::Status(416)) if from == 0 => {
                headers.remove(RANGE);
                web.get(&self.url, &headers).await
            }
            answer => answer,
        }
    }
}

/// Finds out where a file is by now.
pub(super) type Renew = Arc<dyn Fn() -> BoxFuture<'static, Result<Remote, SourceError>> + Send + Sync>;

/// Makes readers of a file or stream on the web.
pub(super) struct Fetched {
    remote: Remote,
    web: Web,
    /// The answer by which it was found out what it is.
    first: Option<Answer>,
    is_live: bool,
    renew: Option<Renew>,
    line: Line,
    runtime: Handle,
}

impl Fetched {
    /// Makes an origin of the answer to a request for the beginning.
    pub(super) fn new(remote: Remote, web: Web, answer: Answer, line: Line) -> Result<Self, SourceError> {
        let whole = answer.head.whole();
        if whole.is_some_and(|whole| whole > web.bounds().file) {
            return Err(SourceError::TooLarge);
        }
        let is_live = whole.is_none() || answer.head.interval.is_some();
        Ok(Self { remote, web, first: Some(answer), is_live, renew: None, line, runtime: Handle::current() })
    }

    /// Has it ask for its address anew, when that is good no more.
    pub(super) fn renewed_by(
        mut self,
        renew: impl Fn() -> BoxFuture<'static, Result<Remote, SourceError>> + Send + Sync + 'static,
    ) -> Self {
        self.renew = Some(Arc::new(renew));
        self
    }
}

impl Origin for Fetched {
    fn open(&mut self) -> Result<Box<dyn MediaSource>, SourceError> {
        let answer = match self.first.take() {
            Some(answer) => answer,
            None => self.runtime.block_on(self.remote.get(&self.web, 0))?,
        };
        Ok(Box::new(Reader {
            place: Place::of(&answer.head, self.is_live),
            remote: self.remote.clone(),
            web: self.web.clone(),
            icy: answer.head.interval.map(Icy::new),
            body: Some(answer.body),
            piece: Vec::new(),
            read: 0,
            at: 0,
            failures: 0,
            come: 0,
            renew: self.renew.clone(),
            line: self.line.clone(),
            runtime: self.runtime.clone(),
        }))
    }

    fn is_live(&self) -> bool {
        self.is_live
    }
}

/// How far reading can go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// A stream that goes on, from wherever one comes in.
    Live,
    /// A file that is sent from its beginning, of so many bytes.
    Once(u64),
    /// A file of so many bytes, sent from any place.
    Anywhere(u64),
}

impl Place {
    fn of(head: &Head, is_live: bool) -> Self {
        match (head.whole(), head.range) {
            (Some(length), Some(_)) if !is_live => Self::Anywhere(length),
            (Some(length), None) if !is_live => Self::Once(length),
            _ => Self::Live,
        }
    }
}

/// Reads a file or stream on the web.
struct Reader {
    remote: Remote,
    web: Web,
    place: Place,
    body: Option<Body>,
    icy: Option<Icy>,
    /// Bytes that have come, of which so many have been read.
    piece: Vec<u8>,
    read: usize,
    /// Place of the next byte.
    at: u64,
    /// Connections that broke since one worked.
    failures: u32,
    /// Bytes that have come on this connection.
    come: u64,
    renew: Option<Renew>,
    line: Line,
    runtime: Handle,
}

impl Reader {
    /// Waits until there are bytes, and says whether there are.
    async fn fill(&mut self) -> Result<bool, SourceError> {
        while self.read == self.piece.len() {
            if let Place::Once(length) | Place::Anywhere(length) = self.place
                && self.at >= length
            {
                return Ok(false);
            }
            let Some(body) = &mut self.body else {
                if let Err(error) = self.connect().await {
                    self.again(error).await?;
                }
                continue;
            };
            match body.next().await {
                Ok(Some(bytes)) => {
                    self.come += u64::try_from(bytes.len()).unwrap_or(0);
                    if self.come >= WORKS {
                        self.failures = 0;
                    }
                    self.read = 0;
                    self.piece = match &mut self.icy {
                        Some(icy) => {
                            let (sound, title) = icy.split(&bytes);
                            if let Some(title) = title {
                                self.line.title(title);
                            }
                            sound
                        }
                        None => bytes,
                    };
                }
                // A stream without metadata in it may have an end.
                Ok(None) if self.place == Place::Live && self.icy.is_none() => return Ok(false),
                Ok(None) if self.remote.window.is_some() && self.come > 0 => self.body = None,
                Ok(None) => self.again(SourceError::Broken).await?,
                Err(error) => self.again(error).await?,
            }
        }
        Ok(true)
    }

    /// Asks for what follows.
    async fn connect(&mut self) -> Result<(), SourceError> {
        self.come = 0;
        let from = if self.place == Place::Live { 0 } else { self.at };
        let answer = match (self.remote.get(&self.web, from).await, &self.renew) {
            (Err(SourceError::Status(_)), Some(renew)) => {
                self.remote = renew().await?;
                self.remote.get(&self.web, from).await?
            }
            (answer, _) => answer?,
        };
        if let Place::Anywhere(length) = self.place {
            let range = answer.head.range.ok_or(SourceError::Broken)?;
            if range.from != self.at || range.whole.is_some_and(|whole| whole != length) {
                return Err(SourceError::Broken);
            }
        }
        self.icy = answer.head.interval.map(Icy::new);
        self.body = Some(answer.body);
        Ok(())
    }

    /// Waits before another attempt, if there is to be one.
    async fn again(&mut self, error: SourceError) -> Result<(), SourceError> {
        self.body = None;
        self.failures += 1;
        let bounds = self.web.bounds();
        if matches!(self.place, Place::Once(_)) || self.failures > bounds.reconnects {
            return Err(error);
        }
        let first: Duration = bounds.reconnect / 10;
        let wait = (first * 2_u32.pow(self.failures.min(8) - 1)).min(bounds.reconnect);
        tracing::debug!(%error, attempt = self.failures, "a connection broke");
        tokio::time::sleep(wait).await;
        Ok(())
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let (runtime, mut stop) = (self.runtime.clone(), self.line.stop.clone());
        let filled = runtime.block_on(async {
            tokio::select! {
                filled = self.fill() => Some(filled),
                // Nobody plays it any more.
                _ = stop.changed() => None,
            }
        });
        match filled {
            Some(Ok(true)) => {}
            Some(Ok(false)) => return Ok(0),
            Some(Err(error)) => {
                self.line.fail(error.clone());
                return Err(io::Error::other(error));
            }
            None => return Err(io::ErrorKind::ConnectionAborted.into()),
        }
        let rest = &self.piece[self.read..];
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        self.read += length;
        self.at += u64::try_from(length).unwrap_or(0);
        Ok(length)
    }
}

impl Seek for Reader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let Place::Anywhere(length) = self.place else { return Err(io::ErrorKind::Unsupported.into()) };
        let to = match to {
            SeekFrom::Start(to) => Some(to),
            SeekFrom::End(by) => length.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        let to = to.ok_or(io::ErrorKind::InvalidInput)?;
        let rest = u64::try_from(self.piece.len() - self.read).unwrap_or(0);
        if to >= self.at && to - self.at <= rest {
            self.read += usize::try_from(to - self.at).unwrap_or(0);
            self.at = to;
        } else if to > self.at && to - self.at < SKIP && to < length && self.body.is_some() {
            let skip = to - self.at;
            io::copy(&mut self.by_ref().take(skip), &mut io::sink())?;
        } else {
            (self.piece, self.read, self.body, self.at) = (Vec::new(), 0, None, to);
        }
        Ok(self.at)
    }
}

impl MediaSource for Reader {
    fn is_seekable(&self) -> bool {
        matches!(self.place, Place::Anywhere(_))
    }

    fn byte_len(&self) -> Option<u64> {
        match self.place {
            Place::Live => None,
            Place::Once(length) | Place::Anywhere(length) => Some(length),
        }
    }
}
