//! Fragments, and their index: ISO/IEC 14496-12, sections 8.8 and 8.16.

use symphonia::core::units::TimeBase;

use super::boxes::{children, find};
use super::table::Sample;
use crate::bytes::Cursor;

/// Maximum number of packets of a fragment.
const SAMPLES: usize = 1 << 17;

/// Defaults for all fragments.
#[derive(Clone, Copy, Default)]
pub(super) struct Defaults {
    track: u32,
    dur: u32,
    size: u32,
}

impl Defaults {
    /// Reads an `mvex`.
    pub(super) fn read(mvex: &[u8], track: u32) -> Self {
        let read = |trex: &[u8]| {
            let mut trex = Cursor(trex.get(4..)?);
            let own = trex.u32()? == track;
            trex.take(4)?;
            own.then_some(Self { track, dur: trex.u32()?, size: trex.u32()? })
        };
        let mut all = children(mvex).filter(|(kind, _)| kind == b"trex");
        all.find_map(|(_, trex)| read(trex)).unwrap_or(Self { track, ..Self::default() })
    }

    /// Returns the packets of a `moof` that begins at `place`, and at `ts` unless it states a time of its own.
    pub(super) fn samples(&self, moof: &[u8], place: u64, mut ts: u64) -> Option<Vec<Sample>> {
        let mut samples = Vec::new();
        for (_, traf) in children(moof).filter(|(kind, _)| kind == b"traf") {
            let mut head = Cursor(find(traf, &[b"tfhd"])?);
            let flags = head.u32()?;
            if head.u32()? != self.track {
                continue;
            }
            let base = if flags & 1 != 0 { head.u64()? } else { place };
            if flags & 2 != 0 {
                head.take(4)?;
            }
            let dur = if flags & 8 != 0 { head.u32()? } else { self.dur };
            let size = if flags & 0x10 != 0 { head.u32()? } else { self.size };
            if let Some(time) = find(traf, &[b"tfdt"]) {
                let mut time = Cursor(time);
                ts = if time.u32()? >> 24 == 1 { time.u64()? } else { time.u32()?.into() };
            }
            let mut at = base;
            for (_, run) in children(traf).filter(|(kind, _)| kind == b"trun") {
                let defaults = Self { track: self.track, dur, size };
                (ts, at) = defaults.run(Cursor(run), base, (ts, at), &mut samples)?;
            }
        }
        Some(samples)
    }

    /// Reads a run of packets and returns time and position after it.
    fn run(
        &self,
        mut run: Cursor<'_>,
        base: u64,
        (mut ts, mut place): (u64, u64),
        samples: &mut Vec<Sample>,
    ) -> Option<(u64, u64)> {
        let (flags, count) = (run.u32()?, run.u32()?);
        if flags & 1 != 0 {
            place = base.checked_add_signed(i64::from(run.u32()?.cast_signed()))?;
        }
        if flags & 4 != 0 {
            run.take(4)?;
        }
        for _ in 0..count {
            let dur = if flags & 0x100 != 0 { run.u32()? } else { self.dur };
            let size = if flags & 0x200 != 0 { run.u32()? } else { self.size };
            for flag in [0x400, 0x800] {
                if flags & flag != 0 {
                    run.take(4)?;
                }
            }
            if samples.len() >= SAMPLES {
                return None;
            }
            samples.push(Sample { place, size, ts, dur: dur.into() });
            ts = ts.saturating_add(dur.into());
            place = place.saturating_add(size.into());
        }
        Some((ts, place))
    }
}

/// Times and positions of fragments; empty where they are not stated.
#[derive(Default)]
pub(super) struct Index {
    scale: u32,
    /// Time and position of each, in order.
    points: Vec<(u64, u64)>,
    length: u64,
}

impl Index {
    /// Reads a `sidx` that ends at `end`.
    pub(super) fn read(sidx: &[u8], end: u64) -> Option<Self> {
        let mut data = Cursor(sidx);
        let is_long = data.u32()? >> 24 == 1;
        data.take(4)?;
        let scale = data.u32().filter(|scale| *scale > 0)?;
        let mut number = || if is_long { data.u64() } else { data.u32().map(u64::from) };
        let (begin, offset) = (number()?, number()?);
        data.take(2)?;
        let (mut ts, mut place) = (begin, end.checked_add(offset)?);
        let mut points = Vec::new();
        for _ in 0..data.u16()? {
            let (size, dur) = (data.u32()?, data.u32()?);
            data.take(4)?;
            // An index of indices is not supported.
            if size >> 31 == 1 {
                return None;
            }
            points.push((ts, place));
            (ts, place) = (ts.saturating_add(dur.into()), place.saturating_add(size.into()));
        }
        Some(Self { scale, points, length: ts })
    }

    /// Returns the length of the whole, in units of the track.
    pub(super) fn length(&self, base: TimeBase) -> Option<u64> {
        let length = u128::from(self.length) * u128::from(base.denom) / u128::from(self.scale.max(1));
        u64::try_from(length).ok().filter(|length| *length > 0)
    }

    /// Returns position and time of the last fragment that begins at a time or before it, in units of the track.
    pub(super) fn find(&self, ts: u64, base: TimeBase) -> Option<(u64, u64)> {
        let own = |time: u64| u128::from(time) * u128::from(base.denom) / u128::from(self.scale.max(1));
        let (time, place) = self.points.iter().rfind(|(time, _)| own(*time) <= u128::from(ts))?;
        Some((*place, u64::try_from(own(*time)).ok()?))
    }
}
