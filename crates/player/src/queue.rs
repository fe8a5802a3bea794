//! The order of tracks: what is on, what comes next, and what was before; without any audio.
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

/// Why the current track makes way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Advance {
    /// It is over; a repeated track begins again.
    Ended,
    /// Somebody wants the next one; only a repeated queue keeps it.
    Skipped,
    /// It cannot be played; nothing repeats it.
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
    /// Makes an empty queue in which at most `max` tracks wait.
    pub(super) fn new(max: usize) -> Self {
        Self { current: None, upcoming: VecDeque::new(), history: VecDeque::new(), repeat: Loop::Off, max }
    }

    /// Makes the queue that was saved, without lengths that cannot be, and with no more tracks than there may be.
    pub(super) fn restored(saved: SavedQueue) -> Self {
        let SavedQueue { current, upcoming, history, repeat } = saved;
        let (upcoming, history) = (upcoming.into(), history.into());
        let mut queue = Self { current, upcoming, history, repeat, max: MAX_UPCOMING };
        queue.upcoming.truncate(queue.max);
        queue.current.iter_mut().chain(&mut queue.upcoming).chain(&mut queue.history).for_each(length::doubt);
        queue
    }

    /// Notes the length that the current track's media tells, over that of a playlist or a page; an estimate counts only
    /// where there is no other.
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

    /// Gives the track that is on.
    pub(super) fn current(&self) -> Option<&Arc<Track>> {
        self.current.as_ref()
    }

    /// Gives what comes next, in order.
    pub(super) fn upcoming(&self) -> impl ExactSizeIterator<Item = &Arc<Track>> {
        self.upcoming.iter()
    }

    /// Gives what was on, the latest last.
    pub(super) fn history(&self) -> impl ExactSizeIterator<Item = &Arc<Track>> {
        self.history.iter()
    }

    /// Gives what repeats.
    pub(super) fn repeat(&self) -> Loop {
        self.repeat
    }

    /// Sets what repeats.
    pub(super) fn set_repeat(&mut self, repeat: Loop) {
        self.repeat = repeat;
    }

    /// Gives the track that follows when the current one ends by itself.
    pub(super) fn next(&self) -> Option<&Arc<Track>> {
        match self.repeat {
            Loop::Track => self.current.as_ref().or(self.upcoming.front()),
            Loop::Queue => self.upcoming.front().or(self.current.as_ref()),
            Loop::Off => self.upcoming.front(),
        }
    }

    /// Takes as many tracks as there is room for, and says how many that are; the current one stays.
    ///
    /// # Errors
    /// When there is room for none.
    pub(super) fn enqueue(&mut self, tracks: Vec<Arc<Track>>, at: At) -> Result<usize, VoiceError> {
        self.enqueue_within(tracks, at, None).map(|(added, _)| added)
    }

    /// As [`enqueue`](Self::enqueue), with at most `share` waiting tracks of each requester; returns how many were taken, and
    /// how many were not for that reason.
    ///
    /// # Errors
    /// When there is room for none.
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

    /// Returns those of new tracks of which no requester has more than a share, and how many the others are.
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

    /// Goes to the next track and gives it; `None` when nothing is left.
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

    /// Goes on by `count` tracks, at least one, and gives those that were passed over, the current one first.
    ///
    /// # Errors
    /// When nothing is on.
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

    /// Goes to the track with the number `position`, passing over those before it, and gives it.
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

    /// Goes back to the track before; the current one comes next. A repeated queue goes back by turning round.
    ///
    /// # Errors
    /// When nothing was before.
    pub(super) fn previous(&mut self) -> Result<Arc<Track>, VoiceError> {
        let turned = if self.repeat == Loop::Queue { self.upcoming.pop_back() } else { None };
        let previous = turned.or_else(|| self.history.pop_back()).ok_or(VoiceError::NoHistory)?;
        if let Some(current) = self.current.replace(previous.clone()) {
            self.upcoming.push_front(current);
        }
        Ok(previous)
    }

    /// Moves a track from one number to another and gives it.
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

    /// Removes the tracks with the numbers `first` to `last` and gives them.
    ///
    /// # Errors
    /// When there is no such number.
    pub(super) fn remove(&mut self, first: usize, last: usize) -> Result<Vec<Arc<Track>>, VoiceError> {
        let (first, last) = (self.index(first.min(last))?, self.index(first.max(last))?);
        Ok(self.upcoming.drain(first..=last).collect())
    }

    /// Removes these tracks, if they are what waits from the number `first` on.
    ///
    /// # Errors
    /// [`VoiceError::Superseded`] when others are there.
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

    /// Removes all that waits and says how many those were; the current track stays.
    pub(super) fn clear(&mut self) -> usize {
        std::mem::take(&mut self.upcoming).len()
    }

    /// Removes all that waits, ends the current track, and says how many waited.
    pub(super) fn stop(&mut self) -> usize {
        let cleared = self.clear();
        if let Some(current) = self.current.take() {
            self.remember(current);
        }
        cleared
    }

    /// Puts what waits into another order and says how many those are.
    pub(super) fn shuffle(&mut self, random: &mut dyn RngCore) -> usize {
        self.upcoming.make_contiguous().shuffle(random);
        self.upcoming.len()
    }

    /// Gives the index of a number from 1.
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
