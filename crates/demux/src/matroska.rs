//! Matroska and WebM: RFC 9559.

use std::collections::VecDeque;

use symphonia::core::errors::{Error, Result, SeekErrorKind};
use symphonia::core::formats::{Packet, Track};
use symphonia::core::io::{MediaSource as _, MediaSourceStream, ReadBytes as _};
use symphonia::core::units::TimeBase;

use crate::bytes::{Cursor, ended, go, skip, take};
use crate::reader::Container;
use crate::tags::Tags;
use crate::{PACKET, TABLE, TAG, vorbis};
use block::Block;
use ebml::{Element, broken, number, unsigned};
use head::{Head, Sound};

mod block;
mod ebml;
mod head;

const SEGMENT: u32 = 0x1853_8067;
const CLUSTER: u32 = 0x1f43_b675;
const TIMESTAMP: u32 = 0xe7;
const SIMPLE_BLOCK: u32 = 0xa3;
const BLOCK_GROUP: u32 = 0xa0;
const SEEK_HEAD: u32 = 0x114d_9b74;
const INFO: u32 = 0x1549_a966;
const TRACKS: u32 = 0x1654_ae6b;
const CUES: u32 = 0x1c53_bb6b;
const TAGS: u32 = 0x1254_c367;
/// Number of index points from which a time is searched, before it is searched from the beginning.
const ATTEMPTS: usize = 3;
/// Maximum number of elements before the first cluster.
const ELEMENTS: usize = 1_024;

/// Reads the first audio track.
pub(crate) struct Matroska {
    stream: MediaSourceStream,
    track: Track,
    base: TimeBase,
    sound: Sound,
    /// Position from which others are counted.
    segment: u64,
    /// Position of the first cluster.
    begins: u64,
    /// Times in the file's units, and positions of the clusters in which they are.
    cues: Vec<(u64, u64)>,
    /// Time of the cluster that is read, in the file's units.
    cluster: u64,
    packets: VecDeque<Packet>,
    /// Time at which the last packet ends.
    next: Option<u64>,
    first: First,
}

/// State of the first packet.
enum First {
    Unread,
    /// It has no audio, as the first one of Vorbis, but begins at this time of the file.
    Silent(u64),
    Known,
}

impl Matroska {
    pub(crate) fn open(mut stream: MediaSourceStream, tags: &mut Tags) -> Result<Self> {
        let header = Element::read(&mut stream)?;
        skip(&mut stream, header.length.filter(|length| *length <= TAG as u64).ok_or(broken())?)?;
        if Element::read(&mut stream)?.id != SEGMENT {
            return Err(broken());
        }
        let segment = stream.pos();
        let mut head = Head::default();
        for _ in 0..ELEMENTS {
            let place = stream.pos();
            let element = Element::read(&mut stream)?;
            if element.id == CLUSTER {
                return Self::of(stream, head, segment, place, tags);
            }
            read(&mut stream, element, &mut head, tags)?;
        }
        Err(Error::DecodeError("a Matroska file without clusters"))
    }

    fn of(
        mut stream: MediaSourceStream,
        mut head: Head,
        segment: u64,
        begins: u64,
        tags: &mut Tags,
    ) -> Result<Self> {
        if stream.is_seekable() {
            // Elements that are missing or broken are not needed.
            for place in std::mem::take(&mut head.elsewhere).into_iter().flatten() {
                let place = segment.saturating_add(place);
                if place > begins && go(&mut stream, place).is_ok() {
                    let _ = Element::read(&mut stream)
                        .and_then(|element| read(&mut stream, element, &mut head, tags));
                }
            }
            go(&mut stream, begins)?;
            Element::read(&mut stream)?;
        }
        let (sound, params) = head.sound()?;
        Ok(Self {
            base: params.time_base.unwrap_or(TimeBase::new(1, 1)),
            track: Track::new(sound.id(), params),
            sound,
            segment,
            begins,
            cues: head.cues,
            cluster: 0,
            packets: VecDeque::new(),
            next: None,
            first: First::Unread,
            stream,
        })
    }

    /// Reads an element of a cluster, or the head of a cluster.
    fn step(&mut self) -> Result<()> {
        let element = Element::read(&mut self.stream)?;
        match element.id {
            CLUSTER => {}
            TIMESTAMP => {
                let length = element.length.ok_or(broken())?;
                self.cluster = unsigned(&take(&mut self.stream, length, 8)?).ok_or(broken())?;
            }
            SIMPLE_BLOCK => {
                let length = element.length.ok_or(broken())?;
                if let Some(data) = self.own(length)? {
                    self.add(&Block { data: &data, duration: None, discard: 0 })?;
                }
            }
            BLOCK_GROUP => {
                let length = element.length.ok_or(broken())?;
                // Those of pictures may be large.
                if length > PACKET as u64 {
                    return skip(&mut self.stream, length);
                }
                let group = take(&mut self.stream, length, PACKET)?;
                if let Some(block) = Block::of_group(&group) {
                    self.add(&block)?;
                }
            }
            _ => skip(&mut self.stream, element.length.ok_or(broken())?)?,
        }
        Ok(())
    }

    /// Reads a block; returns `None` if it is not of the track that is played.
    fn own(&mut self, length: u64) -> Result<Option<Vec<u8>>> {
        let mut start = vec![0; usize::try_from(length.min(8)).unwrap_or(8)];
        self.stream.read_buf_exact(&mut start)?;
        let rest = length - start.len() as u64;
        if number(&mut Cursor(&start)) != Some(self.sound.number) {
            skip(&mut self.stream, rest)?;
            return Ok(None);
        }
        start.extend(take(&mut self.stream, rest, PACKET)?);
        Ok(Some(start))
    }

    fn add(&mut self, block: &Block<'_>) -> Result<()> {
        if let (First::Silent(begins), Some(told)) = (&self.first, block.begins(&self.sound, self.cluster)) {
            // ffmpeg states a length for it all the same, by which everything that follows would be late.
            let length = told.saturating_sub(*begins);
            self.sound.delay += Some(length).filter(|length| *length <= vorbis::LONGEST).unwrap_or(0);
            self.first = First::Known;
        }
        let packets = block.packets(&mut self.sound, self.cluster, self.next);
        let packets = packets.ok_or(Error::DecodeError("a broken block"))?;
        if let (First::Unread, Some(first)) = (&self.first, packets.first()) {
            let is_silent = first.dur == 0 && first.trim_start == 0 && packets.len() == 1;
            self.first = if is_silent { First::Silent(first.ts + self.sound.delay) } else { First::Known };
        }
        if let Some(last) = packets.last() {
            let trimmed = u64::from(last.trim_end);
            self.next = Some(last.ts.saturating_add(last.dur).saturating_add(trimmed));
        }
        self.packets.extend(packets);
        Ok(())
    }

    /// Reads from a position up to the packet that is heard at a time, and leaves that one and the one before it to be
    /// read. Returns when the first of the two begins.
    fn find(&mut self, place: u64, to: u64) -> Result<u64> {
        go(&mut self.stream, place)?;
        if Element::read(&mut self.stream)?.id != CLUSTER {
            // A wrong index is dropped.
            self.cues.clear();
            go(&mut self.stream, self.begins)?;
        }
        self.packets.clear();
        self.next = None;
        if matches!(self.first, First::Silent(_)) {
            self.first = First::Known;
        }
        self.sound.reset();
        let mut before: Option<Packet> = None;
        loop {
            while let Some(packet) = self.packets.pop_front() {
                let ends = packet.ts.saturating_add(packet.dur);
                if packet.ts > to || ends > to {
                    self.packets.push_front(packet);
                    // A decoder whose packets overlap needs it.
                    if let Some(before) = before {
                        self.packets.push_front(before);
                    }
                    return Ok(self.packets.front().map_or(to, |packet| packet.ts));
                }
                before = Some(packet);
            }
            self.step()?;
        }
    }
}

/// Reads an element of a segment, other than a cluster.
fn read(stream: &mut MediaSourceStream, element: Element, head: &mut Head, tags: &mut Tags) -> Result<()> {
    let length = element.length.ok_or(broken())?;
    let most = match element.id {
        SEEK_HEAD | INFO | TRACKS | TAGS => TAG,
        CUES => TABLE / 4,
        _ => 0,
    };
    if length > most as u64 {
        return skip(stream, length);
    }
    let data = take(stream, length, most)?;
    match element.id {
        SEEK_HEAD => head.find(&data),
        INFO => head.info(&data, tags),
        TRACKS => head.tracks(&data),
        TAGS => head::tags(&data, tags),
        _ => head.points(&data),
    }
    Ok(())
}

impl Container for Matroska {
    fn track(&self) -> &Track {
        &self.track
    }

    fn base(&self) -> TimeBase {
        self.base
    }

    fn seek(&mut self, to: u64) -> Result<u64> {
        if !self.stream.is_seekable() {
            return Err(Error::SeekError(SeekErrorKind::Unseekable));
        }
        if self.track.codec_params.n_frames.is_some_and(|length| to > length) {
            return Err(Error::SeekError(SeekErrorKind::OutOfRange));
        }
        // Audio may be a little behind the pictures for which an index is made, and in the cluster before.
        let mut cues: Vec<u64> = self
            .cues
            .iter()
            .filter(|(time, _)| self.sound.time(*time) <= to)
            .map(|(_, place)| *place)
            .collect();
        cues.sort_unstable();
        for place in cues.into_iter().rev().take(ATTEMPTS) {
            let at = self.find(self.segment.saturating_add(place), to)?;
            if at <= to {
                return Ok(at);
            }
        }
        self.find(self.begins, to)
    }

    fn next_packet(&mut self) -> Result<Packet> {
        loop {
            if let Some(packet) = self.packets.pop_front() {
                return Ok(packet);
            }
            match self.step() {
                // A file that was cut off ends there.
                Err(Error::IoError(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                    return Err(ended());
                }
                done => done?,
            }
        }
    }

    fn into_stream(self) -> MediaSourceStream {
        self.stream
    }
}
