//! Which part of a track is presented: ISO/IEC 14496-12, sections 8.6.5 and 8.6.6.
//!
//! Coders of AAC put about 1,024 samples before the audio and fill up the last packet. A list of edits names the part
//! between. An empty edit before it delays the audio against a picture, which there is none of here. Lists with several
//! parts, or with one that stands still, are those of video editors; such a track is played as it is stored.

use super::boxes::find;
use super::table::Sample;
use crate::bytes::Cursor;

/// The part of a track that is presented, in units of the track.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Edit {
    /// Time in the track at which the presentation begins.
    start: u64,
    /// Its length; `None` if it extends to the end.
    length: Option<u64>,
    /// How much longer it may be, because the length is stated in units of the movie.
    rounding: u64,
}

impl Edit {
    /// Reads the edits of a `trak`, of a movie with `movie` and a track with `scale` units per second.
    pub(super) fn read(trak: &[u8], movie: u32, scale: u32) -> Self {
        find(trak, &[b"edts", b"elst"]).and_then(|list| Self::of(list, movie, scale)).unwrap_or_default()
    }

    fn of(list: &[u8], movie: u32, scale: u32) -> Option<Self> {
        let mut data = Cursor(list);
        let is_long = data.u32()? >> 24 == 1;
        let mut found = None;
        for _ in 0..data.u32()? {
            let (length, start) = if is_long {
                (data.u64()?, data.u64()?.cast_signed())
            } else {
                (data.u32()?.into(), i64::from(data.u32()?.cast_signed()))
            };
            let rate = data.u32()?;
            // An empty edit.
            let Ok(start) = u64::try_from(start) else { continue };
            if rate != 1 << 16 || found.is_some() {
                return None;
            }
            let units = u128::from(length) * u128::from(scale) / u128::from(movie.max(1));
            let length = u64::try_from(units).ok().filter(|length| *length > 0);
            found = Some(Self { start, length, rounding: u64::from(scale / movie.max(1)) + 1 });
        }
        found
    }

    /// Returns the length of the presentation of a track of this length.
    pub(super) fn length(&self, track: Option<u64>) -> Option<u64> {
        let rest = track.map(|track| track.saturating_sub(self.start));
        match (self.length, rest) {
            // The track's own length is the exact one where both mean the same.
            (Some(length), Some(rest)) if length.abs_diff(rest) <= self.rounding => Some(rest),
            (Some(length), Some(rest)) => Some(length.min(rest)),
            (length, rest) => length.or(rest),
        }
    }

    /// Returns the time in the track of a time in the presentation.
    pub(super) fn in_track(&self, ts: u64) -> u64 {
        ts.saturating_add(self.start)
    }

    /// Returns the time in the presentation of a time in the track.
    pub(super) fn presented(&self, ts: u64) -> u64 {
        ts.saturating_sub(self.start)
    }

    /// Returns how much of a packet's beginning and end is not presented; `None` after the presentation.
    pub(super) fn cut(&self, sample: &Sample) -> Option<(u64, u64)> {
        let before = self.start.saturating_sub(sample.ts).min(sample.dur);
        let Some(length) = self.length else { return Some((before, 0)) };
        let end = self.start.saturating_add(length).saturating_add(self.rounding);
        let over = sample.ts.saturating_add(sample.dur).saturating_sub(end);
        let over = if over > 0 { over.saturating_add(self.rounding) } else { 0 };
        // A packet without a length is one of which none is known.
        (sample.ts < end).then(|| (before, over.min(sample.dur - before)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(entries: &[(u32, i32, u32)]) -> Option<Edit> {
        let mut list = vec![0, 0, 0, 0];
        list.extend(u32::try_from(entries.len()).unwrap().to_be_bytes());
        for (length, start, rate) in entries {
            list.extend(length.to_be_bytes());
            list.extend(start.to_be_bytes());
            list.extend(rate.to_be_bytes());
        }
        Edit::of(&list, 1_000, 44_100)
    }

    fn packet(ts: u64) -> Sample {
        Sample { place: 0, size: 1, ts, dur: 1_024 }
    }

    #[test]
    fn the_part_that_is_presented_is_cut_out() {
        let edit = edit(&[(1_000, 1_500, 1 << 16)]).unwrap();
        assert_eq!((edit.start, edit.length), (1_500, Some(44_100)));
        assert_eq!(edit.cut(&packet(0)), Some((1_024, 0)));
        assert_eq!(edit.cut(&packet(1_024)), Some((476, 0)));
        assert_eq!(edit.cut(&packet(2_048)), Some((0, 0)));
        // The end is stated to a millisecond, and what is within it is kept.
        let end = 1_500 + 44_100;
        assert_eq!(edit.cut(&packet(end - 1_024 + 45)), Some((0, 0)));
        assert_eq!(edit.cut(&packet(end - 100)), Some((0, 924)));
        assert_eq!(edit.cut(&packet(end + 45)), None);
        assert_eq!((edit.in_track(10), edit.presented(1_510), edit.presented(3)), (1_510, 10, 0));
    }

    #[test]
    fn the_length_is_that_of_the_edit_and_never_more_than_there_is() {
        let edit = |length| edit(&[(length, 1_024, 1 << 16)]).unwrap();
        assert_eq!(edit(1_000).length(Some(45_100)), Some(44_076), "the exact one");
        assert_eq!(edit(1_000).length(Some(90_000)), Some(44_100));
        assert_eq!(edit(9_000).length(Some(90_000)), Some(88_976));
        assert_eq!(edit(0).length(Some(90_000)), Some(88_976), "to the end, as in fragments");
        assert_eq!((edit(0).length(None), edit(1_000).length(None)), (None, Some(44_100)));
    }

    #[test]
    fn empty_edits_are_passed_over_and_several_parts_are_not_played_as_one() {
        let one = edit(&[(1_000, 1_024, 1 << 16)]);
        assert_eq!(edit(&[(23, -1, 1 << 16), (1_000, 1_024, 1 << 16)]), one);
        assert_eq!(edit(&[(1_000, 0, 1 << 16), (1_000, 50_000, 1 << 16)]), None);
        assert_eq!(edit(&[(1_000, 0, 0)]), None);
        assert_eq!(edit(&[]), None);
        // A count of entries that are not there.
        assert_eq!(Edit::of(&[0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff], 1_000, 44_100), None);
    }
}
