//! Handling of commands.

use std::sync::Arc;
use std::time::Duration;

use sdk_core::voice::player::{Answer, Command};
use sdk_core::voice::{At, EndReason, Enqueued, Seek, Track, VoiceError};

use super::Task;
use crate::queue::{Advance, Queue};

impl Task {
    /// Handles a command. Answers are sent when the status shows the change.
    pub(super) fn handle_command(&mut self, command: Command) {
        if self.closed {
            // The dropped answer means that the bot ends.
            return;
        }
        match command {
            Command::Join(channel, to) => self.connection.join(channel, to),
            Command::Leave(to) => self.answer(to, Self::leave),
            Command::Enqueue(tracks, at, share, to) => {
                self.answer(to, |this| this.enqueue(tracks, at, share));
            }
            Command::Skip(start, count, to) => self.answer(to, |this| this.skip(start, count)),
            Command::Jump(position, to) => self.answer(to, |this| this.change(|queue| queue.jump(position))),
            Command::Previous(to) => self.answer(to, Self::previous),
            Command::Seek(to, answer) => self.seek(to, answer),
            Command::Pause(to) => self.answer(to, Self::pause),
            Command::Resume(to) => self.answer(to, Self::resume),
            Command::Stop(to) => self.answer(to, Self::stop),
            Command::Clear(to) => self.answer(to, |this| some(this.queue.clear())),
            Command::Shuffle(to) => self.answer(to, |this| some(this.queue.shuffle(&mut rand::rng()))),
            Command::Move(from, position, to) => {
                self.answer(to, |this| this.queue.move_track(from, position));
            }
            Command::Remove(positions, expected, to) => {
                let (first, last) = (*positions.start(), *positions.end());
                self.answer(to, |this| match expected {
                    Some(expected) => this.queue.remove_those(first, &expected),
                    None => this.queue.remove(first, last),
                });
            }
            Command::SetLoop(repeat, to) => self.answer(to, |this| {
                this.queue.set_repeat(repeat);
                Ok(())
            }),
            Command::SetVolume(volume, to) => self.answer(to, |this| this.set_volume(volume)),
        }
    }

    fn answer<T: Send + 'static>(
        &mut self,
        to: Answer<T>,
        work: impl FnOnce(&mut Self) -> Result<T, VoiceError>,
    ) {
        let outcome = work(self);
        self.answers.add(to, outcome);
    }

    fn leave(&mut self) -> Result<(), VoiceError> {
        if self.connection.is_out() {
            return Err(VoiceError::NotConnected);
        }
        self.depart("I was asked to leave.".to_owned());
        Ok(())
    }

    fn enqueue(&mut self, tracks: Vec<Track>, at: At, share: Option<usize>) -> Result<Enqueued, VoiceError> {
        if self.connection.is_out() {
            return Err(VoiceError::NotConnected);
        }
        let asked = tracks.len();
        let before: Option<Duration> = match at {
            At::End => {
                let lengths = self.queue.upcoming().map(|track| track.duration);
                lengths.into_iter().try_fold(Duration::ZERO, |sum, length| sum.checked_add(length?))
            }
            At::Now | At::Next => Some(Duration::ZERO),
        };
        let waited = self.queue.upcoming().len();
        let tracks = tracks.into_iter().map(Arc::new).collect();
        let (added, over_share) = self.queue.enqueue_within(tracks, at, share)?;
        let left_out = asked - added - over_share;
        let at_once = self.queue.current().is_none() || at == At::Now;
        if at_once && added > 0 {
            self.over(EndReason::Skipped);
            self.queue.advance(Advance::Skipped);
            self.begin(Duration::ZERO);
            // A user who adds a track wants to hear it.
            self.paused = false;
            return Ok(Enqueued { position: 0, added, left_out, over_share, eta: Some(Duration::ZERO) });
        }
        let position = if at == At::End { waited + 1 } else { 1 };
        let eta = before.zip(self.remaining()).and_then(|(before, remaining)| before.checked_add(remaining));
        Ok(Enqueued { position, added, left_out, over_share, eta })
    }

    fn skip(&mut self, start: Option<u64>, count: usize) -> Result<Vec<Arc<Track>>, VoiceError> {
        let on = self.queue.current().map(|_| self.playback.number().unwrap_or_default());
        match (start, on) {
            (Some(start), Some(on)) if start != on => Err(VoiceError::TrackOver),
            _ => self.change(|queue| queue.skip(count)),
        }
    }

    /// Changes to another track, with `change` applied to the queue.
    fn change<T>(
        &mut self,
        change: impl FnOnce(&mut Queue) -> Result<T, VoiceError>,
    ) -> Result<T, VoiceError> {
        let before = self.queue.current().cloned();
        let changed = change(&mut self.queue)?;
        if let Some(track) = before {
            self.over_with(track, EndReason::Skipped);
        }
        self.proceed(true);
        Ok(changed)
    }

    fn previous(&mut self) -> Result<Arc<Track>, VoiceError> {
        if self.connection.is_out() {
            return Err(VoiceError::NotConnected);
        }
        self.change(Queue::previous)
    }

    fn seek(&mut self, to: Seek, answer: Answer<Duration>) {
        let target = self.target(to);
        match (target, self.queue.current()) {
            (Ok(to), Some(track)) => self.playback.seek(track, to, self.engine.sources(), answer),
            (Ok(_), None) => self.answers.add(answer, Err(VoiceError::NothingPlaying)),
            (Err(error), _) => self.answers.add(answer, Err(error)),
        }
    }

    fn target(&self, to: Seek) -> Result<Duration, VoiceError> {
        let track =
            self.queue.current().filter(|_| !self.playback.is_empty()).ok_or(VoiceError::NothingPlaying)?;
        let position = self.playback.position();
        let to = match to {
            Seek::To(to) => to,
            Seek::Forward(by) => position.saturating_add(by),
            Seek::Back(by) => position.saturating_sub(by),
        };
        match track.duration {
            Some(duration) if to >= duration && !track.is_about => Err(VoiceError::PastEnd { duration }),
            _ => Ok(to),
        }
    }

    fn pause(&mut self) -> Result<(), VoiceError> {
        self.queue.current().ok_or(VoiceError::NothingPlaying)?;
        if std::mem::replace(&mut self.paused, true) { Err(VoiceError::AlreadyPaused) } else { Ok(()) }
    }

    fn resume(&mut self) -> Result<(), VoiceError> {
        self.queue.current().ok_or(VoiceError::NothingPlaying)?;
        let was_paused = self.paused || self.paused_alone;
        (self.paused, self.paused_alone) = (false, false);
        if was_paused { Ok(()) } else { Err(VoiceError::NotPaused) }
    }

    fn stop(&mut self) -> Result<usize, VoiceError> {
        if self.queue.current().is_none() && self.queue.upcoming().len() == 0 {
            return Err(VoiceError::NothingPlaying);
        }
        self.over(EndReason::Stopped);
        let cleared = self.queue.stop();
        self.playback.stop(self.connection.driver());
        self.paused = false;
        Ok(cleared)
    }

    fn set_volume(&mut self, volume: u16) -> Result<(), VoiceError> {
        let max = self.settings.max_volume;
        if volume > max {
            return Err(VoiceError::TooLoud { max });
        }
        self.playback.set_volume(volume);
        self.settings.volume = volume;
        self.engine.keep_volume(self.guild, volume);
        Ok(())
    }
}

fn some(count: usize) -> Result<usize, VoiceError> {
    if count == 0 { Err(VoiceError::QueueEmpty) } else { Ok(count) }
}
