//! Ogg streams of Opus, Vorbis or FLAC, one after another: RFC 3533, RFC 7845, and
//! <https://xiph.org/vorbis/doc/Vorbis_I_spec.html>, appendix A.
//!
//! Streams that follow one another are a chain; a station begins a new link of it with each song, whose comments name
//! the song. Each link's times begin at 0 and are in its own samples. The times of the packets that are read continue
//! where the link before has ended, in samples of the first link.

use std::collections::HashSet;

use symphonia::core::errors::{Error, Result, SeekErrorKind};
use symphonia::core::formats::{Packet, Track};
use symphonia::core::io::{MediaSource as _, MediaSourceStream, ReadBytes as _};
use symphonia::core::units::TimeBase;

use crate::How;
use crate::bytes::go;
use crate::reader::Container;
use crate::tags::Tags;
use page::Page;
use stream::Logical;

mod chain;
mod page;
mod stream;

use chain::Link;
pub(crate) use stream::flac_params;

/// Maximum number of streams that may begin side by side.
const STREAMS: usize = 16;
/// Maximum number of header pages.
const HEADERS: usize = 4_096;
/// Size of the end in which the last page is searched, in bytes.
const TAIL: u64 = 128 << 10;
/// Number of bytes below which a search reads through them instead of halving them.
const CLOSE: u64 = 192 << 10;

/// Reads the first audio stream, and those that follow it.
pub(crate) struct Ogg {
    stream: MediaSourceStream,
    gapless: bool,
    track: Track,
    link: Current,
    /// Unit of all times: a sample of the first link.
    base: TimeBase,
    /// Time at which the last packet ended.
    ends: u64,
    /// First page of a link that follows.
    next: Option<Page>,
    links: Links,
    news: Option<Tags>,
}

/// Link of a chain that is read.
struct Current {
    logical: Logical,
    /// Streams that have begun with it.
    beside: HashSet<u32>,
    /// Position of its first page of audio.
    begins: u64,
    /// Time at which it begins.
    offset: u64,
}

/// Known links of a chain.
enum Links {
    /// There is one.
    One,
    /// All of them, in order.
    All(Vec<Link>),
    /// There are more than one, which are found as reading reaches them.
    Unknown,
}

impl Ogg {
    pub(crate) fn open(mut stream: MediaSourceStream, how: How, tags: &mut Tags) -> Result<Self> {
        page::prepare(&mut stream);
        let first = Page::read(&mut stream)?;
        let place = first.place;
        let link = Current::begin(&mut stream, first, how.gapless, 0, tags)?;
        let mut ogg = Self {
            track: Track::new(link.logical.serial, link.logical.params().clone()),
            base: link.logical.params().time_base.unwrap_or(TimeBase::new(1, 1)),
            next: None,
            ends: 0,
            links: Links::One,
            news: None,
            gapless: how.gapless,
            stream,
            link,
        };
        ogg.fill()?;
        let length = ogg.survey(place, how.is_near)?;
        if length.is_some() || !matches!(ogg.links, Links::One) {
            ogg.track.codec_params.n_frames = length;
        }
        Ok(ogg)
    }

    /// Reads pages until there is a packet.
    fn fill(&mut self) -> Result<()> {
        while self.link.logical.packets.is_empty() {
            let page = Page::read(&mut self.stream)?;
            // Links may have the same number, if their writer did not make it unique.
            if page.is_first() {
                self.next = Some(page);
                break;
            }
            if page.serial == self.link.logical.serial {
                self.link.logical.add(&page, self.gapless)?;
            }
        }
        Ok(())
    }

    /// Continues with the link that begins with a page, at a time.
    fn follow(&mut self, first: Page, offset: u64) -> Result<()> {
        let mut tags = Tags::default();
        self.link = Current::begin(&mut self.stream, first, self.gapless, offset, &mut tags)?;
        self.track = Track::new(self.link.logical.serial, self.link.logical.params().clone());
        // Times are the chain's.
        self.track.codec_params.with_time_base(self.base);
        self.news = Some(tags);
        Ok(())
    }

    /// Returns a time within a link as one of the chain.
    fn time(&self, own: u64) -> u64 {
        self.link.offset.saturating_add(self.units(&self.link.logical, own))
    }

    /// Returns samples of a link in units of the chain.
    fn units(&self, logical: &Logical, own: u64) -> u64 {
        scaled(own, self.base.denom.into(), logical.rate())
    }

    /// Returns a position between two, from which reading reaches a time within the link.
    fn place_before(&mut self, ts: u64, mut low: u64, mut high: u64) -> Result<u64> {
        let logical = &self.link.logical;
        while high.saturating_sub(low) > CLOSE {
            let middle = low + (high - low) / 2;
            go(&mut self.stream, middle)?;
            let is_before = loop {
                match Page::read(&mut self.stream) {
                    Ok(_) if self.stream.pos() > high => break false,
                    Ok(page) if page.serial == logical.serial => {
                        if let Some(granule) = page.granule {
                            break logical.time_of(granule) < ts;
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

/// Returns samples of one rate as samples of another.
fn scaled(samples: u64, to: u64, from: u64) -> u64 {
    let scaled = u128::from(samples) * u128::from(to) / u128::from(from.max(1));
    u64::try_from(scaled).unwrap_or(u64::MAX)
}

impl Current {
    /// Reads the headers of the streams that begin with `first`, and selects the one that is played.
    fn begin(
        stream: &mut MediaSourceStream,
        first: Page,
        gapless: bool,
        offset: u64,
        tags: &mut Tags,
    ) -> Result<Self> {
        let (mut chosen, mut page) = (None, first);
        let mut beside = HashSet::new();
        for _ in 0..STREAMS {
            if !page.is_first() {
                break;
            }
            beside.insert(page.serial);
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
                logical.start(&page, gapless)?;
                return Ok(Self { logical, beside, begins, offset });
            }
            if is_own {
                logical.header(&page, tags)?;
            }
            page = Page::read(stream)?;
        }
        Err(Error::DecodeError("an Ogg file of headers only"))
    }
}

impl Container for Ogg {
    fn track(&self) -> &Track {
        &self.track
    }

    fn base(&self) -> TimeBase {
        self.base
    }

    fn news(&mut self) -> Option<Tags> {
        self.news.take()
    }

    fn seek(&mut self, to: u64) -> Result<u64> {
        let Some(whole) = self.stream.byte_len().filter(|_| self.stream.is_seekable()) else {
            return Err(Error::SeekError(SeekErrorKind::Unseekable));
        };
        if self.track.codec_params.n_frames.is_some_and(|length| to > length) {
            return Err(Error::SeekError(SeekErrorKind::OutOfRange));
        }
        let mut ends = whole;
        match &self.links {
            Links::One => {}
            Links::All(links) => {
                let index = links.partition_point(|link| link.at <= to).saturating_sub(1);
                let link = links[index];
                ends = links.get(index + 1).map_or(whole, |next| next.place);
                let length = self.track.codec_params.n_frames;
                go(&mut self.stream, link.place)?;
                let first = Page::read(&mut self.stream)?;
                self.follow(first, link.at)?;
                self.track.codec_params.n_frames = length;
            }
            // Reading reaches it.
            Links::Unknown => return Err(Error::SeekError(SeekErrorKind::Unseekable)),
        }
        let begins = self.link.begins;
        let own =
            scaled(to.saturating_sub(self.link.offset), self.link.logical.rate(), self.base.denom.into());
        let place = self.place_before(own, begins, ends)?;
        go(&mut self.stream, place)?;
        self.next = None;
        self.link.logical.reset(place == begins);
        self.fill()?;
        let first = self.link.logical.packets.front().map(|packet| packet.ts);
        Ok(first.map_or(to, |own| self.time(own)))
    }

    fn next_packet(&mut self) -> Result<Packet> {
        loop {
            if let Some(mut packet) = self.link.logical.packets.pop_front() {
                let (begins, ends) = (self.time(packet.ts), self.time(packet.ts.saturating_add(packet.dur)));
                (packet.ts, packet.dur, self.ends) = (begins, ends - begins, ends);
                return Ok(packet);
            }
            if let Some(first) = self.next.take() {
                let mut length = self.track.codec_params.n_frames;
                if matches!(self.links, Links::One) {
                    // Its number had hidden it: the measured length is the last link's.
                    (self.links, length) = (Links::Unknown, None);
                }
                self.follow(first, self.ends)?;
                self.track.codec_params.n_frames = length;
                return Err(Error::ResetRequired);
            }
            self.fill()?;
        }
    }

    fn into_stream(self) -> MediaSourceStream {
        self.stream
    }
}
