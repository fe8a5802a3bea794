//! MP4 and related formats, with or without fragments: ISO/IEC 14496-12 and 14496-14.

use symphonia::core::errors::{Error, Result, SeekErrorKind, unsupported_error};
use symphonia::core::formats::{Packet, Track};
use symphonia::core::io::{MediaSource as _, MediaSourceStream, ReadBytes as _, SeekBuffered as _};
use symphonia::core::units::TimeBase;

use crate::bytes::{ended, go, skip, take};
use crate::reader::Container;
use crate::tags::Tags;
use crate::{PACKET, TABLE, TAG};
use boxes::{Header, broken};
use edit::Edit;
use fragment::{Defaults, Index};
use movie::Movie;
use table::{Place, Sample, Table};

mod boxes;
mod edit;
mod entry;
mod fragment;
mod movie;
mod table;

/// Maximum number of boxes in a row without a description of audio.
const BOXES: usize = 1_024;

/// Reads the first audio track.
pub(crate) struct Mp4 {
    stream: MediaSourceStream,
    track: Track,
    base: TimeBase,
    samples: Samples,
    edit: Edit,
}

/// Positions of the packets.
enum Samples {
    /// In a table.
    Table(Table, Place),
    /// In fragments.
    Fragments {
        defaults: Defaults,
        index: Index,
        /// Position of the first fragment.
        begins: u64,
        /// Position of the box that follows.
        next: u64,
        /// Packets of the fragment that is read, the next one last.
        left: Vec<Sample>,
        /// Time at which the fragment ends.
        ends: u64,
    },
}

/// Returns whether a file may begin with these bytes.
pub(crate) fn begins(first: &[u8]) -> bool {
    const KINDS: [&[u8]; 9] =
        [b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"styp", b"sidx", b"pnot"];
    first.get(4..8).is_some_and(|kind| KINDS.contains(&kind))
}

/// The error for an MP4 stream whose index follows its audio, if the stream cannot go back.
pub const INDEX_AT_END: &str = "an MP4 stream that does not begin with its table";

impl Mp4 {
    pub(crate) fn open(mut stream: MediaSourceStream, tags: &mut Tags) -> Result<Self> {
        for _ in 0..BOXES {
            let header = Header::read(&mut stream)?;
            match (&header.kind, header.length) {
                (b"moov", Some(length)) => {
                    let movie = Movie::read(&take(&mut stream, length, TABLE)?, tags)?;
                    return Self::of(stream, movie);
                }
                (b"mdat", _) if !stream.is_seekable() => {
                    return unsupported_error(INDEX_AT_END);
                }
                (_, Some(length)) => skip(&mut stream, length)?,
                (_, None) => break,
            }
        }
        Err(Error::DecodeError("an MP4 file without a table"))
    }

    fn of(mut stream: MediaSourceStream, movie: Movie) -> Result<Self> {
        let Movie { id, mut params, base, table, edit, defaults } = movie;
        let samples = match defaults {
            None => Samples::Table(table, Place::default()),
            Some(defaults) => {
                let (index, begins) = first_fragment(&mut stream)?;
                if let Some(length) = edit.length(index.length(base)).filter(|_| params.n_frames.is_none()) {
                    params.with_n_frames(length);
                }
                Samples::Fragments { defaults, index, begins, next: begins, left: Vec::new(), ends: 0 }
            }
        };
        Ok(Self { track: Track::new(id, params), base, samples, edit, stream })
    }

    /// Returns the next packet.
    fn next(&mut self) -> Result<Sample> {
        loop {
            match &mut self.samples {
                Samples::Table(table, place) => return table.next(place).ok_or_else(ended),
                Samples::Fragments { left, .. } => {
                    if let Some(sample) = left.pop() {
                        return Ok(sample);
                    }
                }
            }
            self.fragment()?;
        }
    }

    /// Reads the next fragment.
    fn fragment(&mut self) -> Result<()> {
        let Samples::Fragments { defaults, next, left, ends, .. } = &mut self.samples else { return Ok(()) };
        for _ in 0..BOXES {
            reach(&mut self.stream, *next)?;
            let begins = *next;
            let header = Header::read(&mut self.stream)?;
            let length = header.length.unwrap_or(u64::MAX);
            *next = self.stream.pos().saturating_add(length);
            if &header.kind != b"moof" {
                continue;
            }
            let data = take(&mut self.stream, length, TAG)?;
            *left = defaults.samples(&data, begins, *ends).ok_or(broken())?;
            *ends = left.last().map_or(*ends, |last| last.ts.saturating_add(last.dur));
            left.reverse();
            // What follows is skipped when its packets have been read.
            let header = Header::read(&mut self.stream)?;
            if &header.kind == b"mdat" {
                *next = self.stream.pos().saturating_add(header.length.unwrap_or(u64::MAX));
            }
            return Ok(());
        }
        Err(ended())
    }
}

/// Searches the first fragment, and the index before it.
fn first_fragment(stream: &mut MediaSourceStream) -> Result<(Index, u64)> {
    let mut index = Index::default();
    for _ in 0..BOXES {
        let place = stream.pos();
        let header = Header::read(stream)?;
        let length = header.length.ok_or(broken())?;
        match &header.kind {
            b"moof" => {
                reach(stream, place)?;
                return Ok((index, place));
            }
            b"sidx" if length <= TAG as u64 => {
                let data = take(stream, length, TAG)?;
                index = Index::read(&data, stream.pos()).unwrap_or_default();
            }
            _ => skip(stream, length)?,
        }
    }
    Err(Error::DecodeError("an MP4 file without fragments"))
}

/// Seeks to a position, as well as the stream can.
fn reach(stream: &mut MediaSourceStream, place: u64) -> Result<()> {
    let at = stream.pos();
    if at == place || stream.seek_buffered(place) == place {
        return Ok(());
    }
    if stream.is_seekable() {
        return go(stream, place);
    }
    let ahead = place.checked_sub(stream.pos());
    skip(stream, ahead.ok_or(Error::DecodeError("an MP4 stream that goes back"))?)
}

impl Container for Mp4 {
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
        // An index may count from the beginning of the presentation or of the track; the fragment before is right too.
        let (presented, to) = (to, self.edit.in_track(to));
        let out_of_range = || Error::SeekError(SeekErrorKind::OutOfRange);
        let begins = match &mut self.samples {
            Samples::Table(table, place) => {
                *place = table.find(to).ok_or_else(out_of_range)?;
                place.time()
            }
            Samples::Fragments { index, begins, next, left, ends, .. } => {
                left.clear();
                (*next, *ends) = index.find(presented, self.base).unwrap_or((*begins, 0));
                loop {
                    let sample = self.next()?;
                    let Samples::Fragments { left, ends, .. } = &mut self.samples else { break to };
                    if *ends <= to {
                        left.clear();
                    } else if sample.ts.saturating_add(sample.dur.max(1)) > to {
                        let ts = sample.ts;
                        left.push(sample);
                        break ts;
                    }
                }
            }
        };
        Ok(self.edit.presented(begins))
    }

    fn next_packet(&mut self) -> Result<Packet> {
        let sample = self.next()?;
        let (before, over) = self.edit.cut(&sample).ok_or_else(ended)?;
        reach(&mut self.stream, sample.place)?;
        let data = take(&mut self.stream, sample.size.into(), PACKET)?;
        let (ts, dur) = (self.edit.presented(sample.ts), sample.dur - before - over);
        let mut packet = Packet::new_from_boxed_slice(self.track.id, ts, dur, data.into_boxed_slice());
        packet.trim_start = u32::try_from(before).unwrap_or(u32::MAX);
        packet.trim_end = u32::try_from(over).unwrap_or(u32::MAX);
        Ok(packet)
    }

    fn into_stream(self) -> MediaSourceStream {
        self.stream
    }
}
