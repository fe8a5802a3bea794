//! Ogg streams of Opus, Vorbis or FLAC, one after another: RFC 3533, RFC 7845, and
//! <https://xiph.org/vorbis/doc/Vorbis_I_spec.html>, appendix A.

use symphonia::core::errors::{Error, Result, SeekErrorKind};
use symphonia::core::formats::{Packet, Track};
use symphonia::core::io::{MediaSource as _, MediaSourceStream, ReadBytes as _};
use symphonia::core::units::TimeBase;

use crate::bytes::go;
use crate::reader::Container;
use crate::tags::Tags;
use page::Page;
use stream::Logical;

mod page;
mod stream;

pub(crate) use stream::flac_params;

/// Streams that may begin side by side.
const STREAMS: usize = 16;
/// Pages of headers.
const HEADERS: usize = 4_096;
/// Bytes before the end in which the last page is looked for.
const TAIL: u64 = 128 << 10;
/// Bytes that are rather read through than cut in half, when a place is looked for.
const CLOSE: u64 = 192 << 10;

/// Reads the first stream of sound, and those that follow it.
pub(crate) struct Ogg {
    stream: MediaSourceStream,
    gapless: bool,
    track: Track,
    logical: Logical,
    base: TimeBase,
    /// Place of the first page of sound.
    begins: u64,
    /// The first page of a stream that follows.
    next: Option<Page>,
}

impl Ogg {
    pub(crate) fn open(mut stream: MediaSourceStream, gapless: bool, tags: &mut Tags) -> Result<Self> {
        page::prepare(&mut stream);
        let first = Page::read(&mut stream)?;
        let (logical, begins) = begin(&mut stream, first, tags)?;
        let mut ogg = Self {
            track: Track::new(logical.serial, logical.params().clone()),
            base: logical.params().time_base.unwrap_or(TimeBase::new(1, 1)),
            next: None,
            stream,
            gapless,
            logical,
            begins,
        };
        ogg.fill()?;
        if let Some(length) = ogg.length()? {
            ogg.track.codec_params.with_n_frames(length);
        }
        Ok(ogg)
    }

    /// Reads pages until there is a packet.
    fn fill(&mut self) -> Result<()> {
        while self.logical.packets.is_empty() {
            let page = Page::read(&mut self.stream)?;
            if page.serial == self.logical.serial {
                self.logical.add(&page, self.gapless)?;
            } else if page.is_first() {
                self.next = Some(page);
                break;
            }
        }
        Ok(())
    }

    /// Goes on with the stream that follows.
    fn follow(&mut self, first: Page) -> Result<()> {
        let mut tags = Tags::default();
        (self.logical, self.begins) = begin(&mut self.stream, first, &mut tags)?;
        self.track = Track::new(self.logical.serial, self.logical.params().clone());
        self.base = self.logical.params().time_base.unwrap_or(self.base);
        Ok(())
    }

    /// Finds the length by the last page.
    fn length(&mut self) -> Result<Option<u64>> {
        let Some(whole) = self.stream.byte_len().filter(|_| self.stream.is_seekable()) else {
            return Ok(None);
        };
        let back = self.stream.pos();
        go(&mut self.stream, whole.saturating_sub(TAIL).max(self.begins).min(whole))?;
        let mut last = None;
        loop {
            match Page::read(&mut self.stream) {
                Ok(page) if page.serial == self.logical.serial => last = page.granule.or(last),
                Ok(_) => {}
                Err(Error::IoError(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => break,
                Err(Error::DecodeError(_)) => break,
                Err(error) => return Err(error),
            }
        }
        go(&mut self.stream, back)?;
        Ok(last.map(|last| self.logical.time_of(last)))
    }

    /// Finds a place from which on reading comes by a time.
    fn place_before(&mut self, ts: u64, whole: u64) -> Result<u64> {
        let (mut low, mut high) = (self.begins, whole);
        while high.saturating_sub(low) > CLOSE {
            let middle = low + (high - low) / 2;
            go(&mut self.stream, middle)?;
            let is_before = loop {
                match Page::read(&mut self.stream) {
                    Ok(_) if self.stream.pos() > high => break false,
                    Ok(page) if page.serial == self.logical.serial => {
                        if let Some(granule) = page.granule {
                            break self.logical.time_of(granule) < ts;
                        }
                    }
                    Ok(_) => {}
                    Err(Error::IoError(error)) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
                        return Err(Error::IoError(error));
                    }
                    Err(_) => break false,
                }
            };
            if is_before { low = middle } else { high = middle }
        }
        Ok(low)
    }
}

/// Reads the headers of the streams that begin with `first`, and chooses the one that is played.
fn begin(stream: &mut MediaSourceStream, first: Page, tags: &mut Tags) -> Result<(Logical, u64)> {
    let (mut chosen, mut page) = (None, first);
    for _ in 0..STREAMS {
        if !page.is_first() {
            break;
        }
        if chosen.is_none() {
            chosen = Logical::begin(&page);
        }
        page = Page::read(stream)?;
    }
    let mut logical: Logical = chosen.ok_or(Error::Unsupported("an Ogg file without known sound"))?;
    for _ in 0..HEADERS {
        let is_own = page.serial == logical.serial;
        if is_own && logical.is_ready() {
            let begins = page.place;
            logical.start(&page)?;
            return Ok((logical, begins));
        }
        if is_own {
            logical.header(&page, tags)?;
        }
        page = Page::read(stream)?;
    }
    Err(Error::DecodeError("an Ogg file of headers only"))
}

impl Container for Ogg {
    fn track(&self) -> &Track {
        &self.track
    }

    fn base(&self) -> TimeBase {
        self.base
    }

    fn seek(&mut self, to: u64) -> Result<u64> {
        let Some(whole) = self.stream.byte_len().filter(|_| self.stream.is_seekable()) else {
            return Err(Error::SeekError(SeekErrorKind::Unseekable));
        };
        if self.track.codec_params.n_frames.is_some_and(|length| to > length) {
            return Err(Error::SeekError(SeekErrorKind::OutOfRange));
        }
        let place = self.place_before(to, whole)?;
        go(&mut self.stream, place)?;
        self.next = None;
        self.logical.reset(place == self.begins);
        self.fill()?;
        Ok(self.logical.packets.front().map_or(to, |packet| packet.ts))
    }

    fn next_packet(&mut self) -> Result<Packet> {
        loop {
            if let Some(packet) = self.logical.packets.pop_front() {
                return Ok(packet);
            }
            if let Some(first) = self.next.take() {
                self.follow(first)?;
                return Err(Error::ResetRequired);
            }
            self.fill()?;
        }
    }

    fn into_stream(self) -> MediaSourceStream {
        self.stream
    }
}
