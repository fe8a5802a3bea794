//! Blocks, and the packets in them: RFC 9559, section 10.

use symphonia::core::formats::Packet;

use super::ebml::{children, number, unsigned};
use super::head::Sound;
use crate::bytes::Cursor;

/// Block of one or more packets.
pub(super) struct Block<'a> {
    pub(super) data: &'a [u8],
    pub(super) duration: Option<u64>,
    /// Nanoseconds at its end that are not played.
    pub(super) discard: u64,
}

impl<'a> Block<'a> {
    /// Reads a group: a block and its additions.
    pub(super) fn of_group(group: &'a [u8]) -> Option<Self> {
        let (mut found, mut length, mut cut) = (None, None, 0);
        for (id, data) in children(group) {
            match id {
                0xa1 => found = Some(data),
                0x9b => length = unsigned(data),
                0x75a2 => cut = unsigned(data).unwrap_or(0),
                _ => {}
            }
        }
        Some(Self { data: found?, duration: length, discard: cut })
    }

    /// Returns the file's time at which it begins, in samples, if it is of the track that is played.
    pub(super) fn begins(&self, sound: &Sound, cluster: u64) -> Option<u64> {
        let mut data = Cursor(self.data);
        if number(&mut data)? != sound.number {
            return None;
        }
        let after = data.array().map(i16::from_be_bytes)?;
        Some(sound.time(cluster.saturating_add_signed(after.into())))
    }

    /// Returns its packets, none if it is of another track; they follow on `next` where the block states that time
    /// within its rounding.
    pub(super) fn packets(&self, sound: &mut Sound, cluster: u64, next: Option<u64>) -> Option<Vec<Packet>> {
        let mut data = Cursor(self.data);
        if number(&mut data)? != sound.number {
            return Some(Vec::new());
        }
        let told = self.begins(sound, cluster)?;
        data.take(2)?;
        let frames = frames(data.u8()? >> 1 & 3, data)?;
        let each = self.duration.map(|duration| sound.time(duration) / frames.len().max(1) as u64);
        let count = frames.len();
        // Times are those of the audio; the file's times include what a coder put before it.
        let mut at = next.map(|next| next.saturating_add(sound.delay));
        at = at.filter(|at| at.abs_diff(told) <= sound.rounding());
        let mut at = at.unwrap_or(told);
        let packet = |(index, frame): (usize, &[u8])| {
            let length = sound.length(frame).or(each).unwrap_or(0);
            let before = sound.delay.saturating_sub(at).min(length);
            let mut packet =
                Packet::new_from_slice(sound.id(), at.saturating_sub(sound.delay), length - before, frame);
            packet.trim_start = u32::try_from(before).unwrap_or(0);
            at = at.saturating_add(length);
            if index + 1 == count {
                packet.trim_end = sound.discarded(self.discard);
                packet.dur = packet.dur.saturating_sub(packet.trim_end.into());
            }
            packet
        };
        Some(frames.into_iter().enumerate().map(packet).collect())
    }
}

/// Splits a block into frames.
fn frames(lacing: u8, mut data: Cursor<'_>) -> Option<Vec<&[u8]>> {
    if lacing == 0 {
        return Some(vec![data.0]);
    }
    let others = usize::from(data.u8()?);
    let mut lengths = Vec::new();
    match lacing {
        1 => {
            for _ in 0..others {
                let mut length = 0;
                loop {
                    let byte = data.u8()?;
                    length += usize::from(byte);
                    if byte < 255 {
                        break;
                    }
                }
                lengths.push(length);
            }
        }
        2 => {
            let length = data.0.len() / (others + 1);
            lengths.resize(others, length);
        }
        _ => {
            let mut length: i64 = 0;
            for index in 0..others {
                let width = data.0.first()?.leading_zeros() + 1;
                let read = i64::try_from(number(&mut data)?).ok()?;
                // All but the first state their difference from the one before.
                let middle = if index == 0 { 0 } else { (1 << (7 * width - 1)) - 1 };
                length = length.checked_add(read - middle)?;
                lengths.push(usize::try_from(length).ok()?);
            }
        }
    }
    let mut frames = Vec::new();
    for length in lengths {
        frames.push(data.take(length)?);
    }
    frames.push(data.0);
    Some(frames)
}
