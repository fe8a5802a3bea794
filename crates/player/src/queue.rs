//! The order of tracks: current, upcoming and history, without any audio.
//!
//! A track is in one place at a time: current, upcoming or history.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use rand::RngCore;
use rand::seq::SliceRandom as _;
use sdk_core::voice::queue::{MAX_HISTORY, MAX_UPCOMING};
use sdk_core::voice::{At, Loop, SavedQueue, Track, VoiceError};

use super::length;

/// Why the current track is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Advance {
    /// It has ended. A repeated track begins again.
    Ended,
    /// A user skipped it. Only a repeated queue keeps it.
    Skipped,
    /// It cannot be played, and is never repeated.
    Failed,
}

/// A guild's tracks in their order.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Queue {
    current: Option<Arc<Track>>,
    upcoming: VecDeque<Arc<Track>>,
    history: VecDeque<Arc<Track>>,
    repeat: Loop,
    max: usize,
}

impl Default for Queue {
    fn default() -> Self {
        Self::new(MAX_UPCOMING)
    }
}

impl Queue {
    /// Creates an empty queue with at most `max` waiting tracks.
    pub(super) fn new(max: usize) -> Self {
        Self { current: None, upcoming: VecDeque::new(), history: VecDeque::new(), repeat: Loop::Off, max }
    }

    /// Creates a queue from a saved one, without implausible lengths, and with at most [`MAX_UPCOMING`] tracks.
    pub(super) fn restored(saved: SavedQueue) -> Self {
        let SavedQueue { current, upcoming, history, repeat } = saved;
        let (upcoming, history) = (upcoming.into(), history.into());
        let mut queue = Self { current, upcoming, history, repeat, max: MAX_UPCOMING };
        queue.upcoming.truncate(queue.max);
        queue.current.iter_mut().chain(&mut queue.upcoming).chain(&mut queue.history).for_each(length::doubt);
        queue
    }

    /// Sets the length that the current track's media states. It replaces that of a playlist or a page; an estimate is
    /// used only if there is no other.
    pub(super) fn learn_duration(&mut self, duration: Duration, is_about: bool) {
        let Some(learned) = length::believed(duration) else { return };
        let is_news = |current: &Track| {
            let is_better = !is_about || current.is_about || current.duration.is_none();
            is_better && (current.duration, current.is_about) != (Some(learned), is_about)
        };
        if let Some(current) = self.current.as_mut().filter(|current| is_news(current)) {
            let current = Arc::make_mut(current);
            (current.duration, current.is_about) = (Some(learned), is_about);
        }
    }

    /// Returns the current track.
    pub(super) fn current(&self) -> Option<&Arc<Track>> {
        self.current.as_ref()
    }

    /// Returns the upcoming tracks, in order.
    pub(super) fn upcoming(&self) -> impl ExactSizeIterator<Item = &Arc<Track>> {
        self.upcoming.iter()
    }

    /// Returns the tracks that were played, the latest last.
    pub(super) fn history(&self) -> impl ExactSizeIterator<Item = &Arc<Track>> {
        self.history.iter()
    }

    /// Returns the repeat mode.
    pub(super) fn repeat(&self) -> Loop {
        self.repeat
    }

    /// Sets the repeat mode.
    pub(super) fn set_repeat(&mut self, repeat: Loop) {
        self.repeat = repeat;
    }

    /// Returns the track that follows when the current one ends by itself.
    pub(super) fn next(&self) -> Option<&Arc<Track>> {
        match self.repeat {
            Loop::Track => self.current.as_ref().or(self.upcoming.front()),
            Loop::Queue => self.upcoming.front().or(self.current.as_ref()),
            Loop::Off => self.upcoming.front(),
        }
    }

    /// Adds as many tracks as there is room for, and returns their number. The current track stays.
    ///
    /// # Errors
    /// When there is no room.
    pub(super) fn enqueue(&mut self, tracks: Vec<Arc<Track>>, at: At) -> Result<usize, VoiceError> {
        self.enqueue_within(tracks, at, None).map(|(added, _)| added)
    }

    /// As [`enqueue`](Self::enqueue), with at most `share` waiting tracks of each requester. Returns how many were
    /// added, and how many were not because of the share.
    ///
    /// # Errors
    /// When there is no room.
    pub(super) fn enqueue_within(
        &mut self,
        tracks: Vec<Arc<Track>>,
        at: At,
        share: Option<usize>,
    ) -> Result<(usize, usize), VoiceError> {
        let room = self.max.saturating_sub(self.upcoming.len());
        if room == 0 && !tracks.is_empty() {
            return Err(VoiceError::QueueFull { max: self.max });
        }
        let (mut taken, over_share) = self.within_share(tracks, share);
        if let (true, 1.., Some(max)) = (taken.is_empty(), over_share, share) {
            return Err(VoiceError::ShareFull { max });
        }
        taken.truncate(room);
        taken.iter_mut().for_each(length::doubt);
        let added = taken.len();
        match at {
            At::End => self.upcoming.extend(taken),
            At::Now | At::Next => {
                for (index, track) in taken.into_iter().enumerate() {
                    self.upcoming.insert(index, track);
                }
            }
        }
        Ok((added, over_share))
    }

    /// Returns those new tracks that stay within each requester's share, and the number of the others.
    fn within_share(&self, mut tracks: Vec<Arc<Track>>, share: Option<usize>) -> (Vec<Arc<Track>>, usize) {
        let Some(share) = share else { return (tracks, 0) };
        let by = |track: &Track| track.requester.as_ref().map(|requester| requester.id);
        let mut counts = BTreeMap::<_, usize>::new();
        for requester in self.upcoming.iter().filter_map(|track| by(track)) {
            *counts.entry(requester).or_default() += 1;
        }
        let asked = tracks.len();
        tracks.retain(|track| {
            let Some(requester) = by(track) else { return true };
            let count = counts.entry(requester).or_default();
            *count += 1;
            *count <= share
        });
        let over_share = asked - tracks.len();
        (tracks, over_share)
    }

    /// Advances to the next track and returns it; `None` if there is none.
    pub(super) fn advance(&mut self, why: Advance) -> Option<&Arc<Track>> {
        if let Some(current) = self.current.take() {
            match (self.repeat, why) {
                (Loop::Track, Advance::Ended) => self.upcoming.push_front(current),
                (Loop::Queue, Advance::Ended | Advance::Skipped) => self.upcoming.push_back(current),
                _ => self.remember(current),
            }
        }
        self.current = self.upcoming.pop_front();
        self.current.as_ref()
    }

    /// Advances by `count` tracks, at least one, and returns the skipped ones, the current one first.
    ///
    /// # Errors
    /// When there is no current track.
    pub(super) fn skip(&mut self, count: usize) -> Result<Vec<Arc<Track>>, VoiceError> {
        if self.current.is_none() {
            return Err(VoiceError::NothingPlaying);
        }
        let mut skipped = Vec::new();
        for _ in 0..count.max(1).min(self.upcoming.len() + 1) {
            skipped.extend(self.current.clone());
            self.advance(Advance::Skipped);
        }
        Ok(skipped)
    }

    /// Advances to the track with the number `position`, skipping those before it, and returns it.
    ///
    /// # Errors
    /// When there is no such number.
    pub(super) fn jump(&mut self, position: usize) -> Result<Arc<Track>, VoiceError> {
        let target = self.upcoming[self.index(position)?].clone();
        for _ in 0..position {
            self.advance(Advance::Skipped);
        }
        Ok(target)
    }

    /// Returns to the previous track. The current one becomes the next. With a repeated queue, the last upcoming track
    /// is the previous one.
    ///
    /// # Errors
    /// When there is no previous track.
    pub(super) fn previous(&mut self) -> Result<Arc<Track>, VoiceError> {
        let turned = if self.repeat == Loop::Queue { self.upcoming.pop_back() } else { None };
        let previous = turned.or_else(|| self.history.pop_back()).ok_or(VoiceError::NoHistory)?;
        if let Some(current) = self.current.replace(previous.clone()) {
            self.upcoming.push_front(current);
        }
        Ok(previous)
    }

    /// Moves a track from one number to another and returns it.
    ///
    /// # Errors
    /// When there is no such number.
    pub(super) fn move_track(&mut self, from: usize, to: usize) -> Result<Arc<Track>, VoiceError> {
        let (from, to) = (self.index(from)?, self.index(to)?);
        let track = self.upcoming[from].clone();
        self.upcoming.remove(from);
        self.upcoming.insert(to, track.clone());
        Ok(track)
    }

    /// Removes the tracks with the numbers `first` to `last` and returns them.
    ///
    /// # Errors
    /// When there is no such number.
    pub(super) fn remove(&mut self, first: usize, last: usize) -> Result<Vec<Arc<Track>>, VoiceError> {
        let (first, last) = (self.index(first.min(last))?, self.index(first.max(last))?);
        Ok(self.upcoming.drain(first..=last).collect())
    }

    /// Removes these tracks, if they are the ones that wait from the number `first` on, and returns them.
    ///
    /// # Errors
    /// [`VoiceError::Superseded`] if others are there.
    pub(super) fn remove_those(
        &mut self,
        first: usize,
        expected: &[Arc<Track>],
    ) -> Result<Vec<Arc<Track>>, VoiceError> {
        let from = first.saturating_sub(1);
        let there = self.upcoming.iter().skip(from).take(expected.len());
        if there.len() != expected.len() || !there.zip(expected).all(|(one, two)| Arc::ptr_eq(one, two)) {
            return Err(VoiceError::Superseded);
        }
        Ok(self.upcoming.drain(from..from + expected.len()).collect())
    }

    /// Removes all waiting tracks and returns their number. The current track stays.
    pub(super) fn clear(&mut self) -> usize {
        std::mem::take(&mut self.upcoming).len()
    }

    /// Removes all waiting tracks, ends the current one, and returns the number of waiting ones.
    pub(super) fn stop(&mut self) -> usize {
        let cleared = self.clear();
        if let Some(current) = self.current.take() {
            self.remember(current);
        }
        cleared
    }

    /// Shuffles the waiting tracks and returns their number.
    pub(super) fn shuffle(&mut self, random: &mut dyn RngCore) -> usize {
        self.upcoming.make_contiguous().shuffle(random);
        self.upcoming.len()
    }

    /// Returns the index of a number, which counts from 1.
    fn index(&self, position: usize) -> Result<usize, VoiceError> {
        let len = self.upcoming.len();
        match position.checked_sub(1).filter(|index| *index < len) {
            Some(index) => Ok(index),
            None => Err(VoiceError::BadPosition { position, len }),
        }
    }

    fn remember(&mut self, track: Arc<Track>) {
        if self.history.len() >= MAX_HISTORY {
            self.history.pop_front();
        }
        self.history.push_back(track);
    }
}

#[cfg(test)]
mod tests;
