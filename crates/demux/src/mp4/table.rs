//! Positions of the packets in a file without fragments: ISO/IEC 14496-12, section 8.6 and after.
//!
//! Tables are kept as they are written, so they take no more memory than they do in the file.

use super::boxes::find;
use crate::PACKET;
use crate::bytes::Cursor;

/// Maximum number of packets of a file; AAC reaches it after 100 hours.
const SAMPLES: u32 = 1 << 24;

/// Packet in the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    pub(super) place: u64,
    pub(super) size: u32,
    pub(super) ts: u64,
    pub(super) dur: u64,
}

/// Positions of the packets.
#[derive(Default)]
pub(super) struct Table {
    /// Numbers of packets, and how long each of them lasts.
    times: Vec<[u32; 2]>,
    /// First chunk, number of packets in each chunk from there on, and coding.
    chunks: Vec<[u32; 3]>,
    /// Size of each packet; empty where all have the same.
    sizes: Vec<[u32; 1]>,
    size: u32,
    count: u32,
    places: Vec<[u32; 1]>,
    long_places: Vec<[u32; 2]>,
}

/// Position in a table: that of the next packet.
#[derive(Clone, Copy, Default)]
pub(super) struct Place {
    sample: u32,
    ts: u64,
    /// Row of the times, and packets of it that have passed.
    time: usize,
    timed: u32,
    /// Chunk from 0, its row, and packets of it that are left.
    chunk: usize,
    row: usize,
    left: u32,
    place: u64,
    has_begun: bool,
}

impl Place {
    pub(super) fn time(&self) -> u64 {
        self.ts
    }
}

impl Table {
    /// Reads an `stbl`.
    pub(super) fn read(stbl: &[u8]) -> Option<Self> {
        let table = |kind| find(stbl, &[kind]).and_then(|data| data.get(4..)).unwrap_or_default();
        let mut sizes = Cursor(table(b"stsz"));
        let (size, count) = (sizes.u32().unwrap_or(0), sizes.u32().unwrap_or(0));
        let sizes = if size == 0 { rows(count, sizes) } else { Vec::new() };
        let count = if size == 0 { u32::try_from(sizes.len()).ok()? } else { count };
        let is_good = count <= SAMPLES && size <= u32::try_from(PACKET).ok()?;
        is_good.then_some(Self {
            times: counted(table(b"stts")),
            chunks: counted(table(b"stsc")),
            sizes,
            size,
            count,
            places: counted(table(b"stco")),
            long_places: counted(table(b"co64")),
        })
    }

    /// Returns the packet at a position, and advances to the next.
    pub(super) fn next(&self, at: &mut Place) -> Option<Sample> {
        if at.sample >= self.count {
            return None;
        }
        if at.left == 0 {
            if at.has_begun {
                at.chunk += 1;
            }
            at.has_begun = true;
            let follows = |row: usize| {
                self.chunks.get(row + 1).is_some_and(|[first, ..]| *first as usize <= at.chunk + 1)
            };
            while follows(at.row) {
                at.row += 1;
            }
            at.left = self.chunks.get(at.row).map(|[_, count, _]| *count).filter(|count| *count > 0)?;
            at.place = self.place(at.chunk)?;
        }
        let size = self.sizes.get(at.sample as usize).map_or(self.size, |[size]| *size);
        while self.times.get(at.time).is_some_and(|[count, _]| at.timed >= *count) {
            (at.time, at.timed) = (at.time + 1, 0);
        }
        let dur = self.times.get(at.time).map_or(0, |[_, dur]| u64::from(*dur));
        let sample = Sample { place: at.place, size, ts: at.ts, dur };
        at.ts = at.ts.saturating_add(dur);
        at.place = at.place.saturating_add(size.into());
        (at.sample, at.timed, at.left) = (at.sample + 1, at.timed + 1, at.left - 1);
        Some(sample)
    }

    fn place(&self, chunk: usize) -> Option<u64> {
        let short = self.places.get(chunk).map(|[place]| u64::from(*place));
        short.or_else(|| {
            let [high, low] = *self.long_places.get(chunk)?;
            Some(u64::from(high) << 32 | u64::from(low))
        })
    }

    /// Returns the position of the packet that is heard at a time.
    pub(super) fn find(&self, ts: u64) -> Option<Place> {
        let mut at = Place::default();
        loop {
            let before = at;
            let sample = self.next(&mut at)?;
            if sample.ts.saturating_add(sample.dur.max(1)) > ts {
                return Some(before);
            }
        }
    }
}

/// Reads rows that follow their number.
fn counted<const N: usize>(data: &[u8]) -> Vec<[u32; N]> {
    let mut data = Cursor(data);
    let count = data.u32().unwrap_or(0);
    rows(count, data)
}

/// Reads this number of rows, or as many as there are.
fn rows<const N: usize>(count: u32, data: Cursor<'_>) -> Vec<[u32; N]> {
    let rows = data.0.as_chunks::<4>().0.as_chunks::<N>().0.iter().take(count as usize);
    rows.map(|row| row.map(u32::from_be_bytes)).collect()
}
