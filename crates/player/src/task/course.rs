//! From one track to the next: how tracks begin, end and fail.

use std::sync::Arc;
use std::time::Duration;

use sdk_core::voice::{At, EndReason, Track, VoiceEventKind};

use super::Task;
use crate::message::Ended;
use crate::playback::Outcome;
use crate::queue::Advance;

impl Task {
    /// Opens the current track. Stops playing if there is none.
    pub(super) fn begin(&mut self, at: Duration) {
        self.begin_at = Duration::ZERO;
        self.playback.empty(self.connection.driver());
        while let Some(track) = self.queue.current().cloned().filter(|_| !self.connection.is_out()) {
            match self.playback.start(&track, at, self.engine.sources()) {
                Outcome::Failed(error) => self.tell_failed(track, error.to_string()),
                outcome => return self.prepared(outcome),
            }
            self.queue.advance(Advance::Failed);
        }
    }

    pub(super) fn prepared(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Nothing => {}
            Outcome::Ready { duration, is_about } => {
                if let Some(duration) = duration {
                    self.queue.learn_duration(duration, is_about);
                }
            }
            Outcome::Failed(error) => self.failed(error.to_string()),
        }
    }

    /// Continues after the current track could not be played, or not to its end.
    pub(super) fn failed(&mut self, why: String) {
        if let Some(track) = self.queue.current().cloned() {
            self.tell_failed(track, why);
        }
        self.over(EndReason::Failed);
        self.next(Advance::Failed);
    }

    pub(super) fn tell_failed(&self, track: Arc<Track>, why: String) {
        tracing::warn!(guild = %self.guild, track = track.title, why, "a track cannot be played");
        self.tell(VoiceEventKind::TrackFailed { track, why });
    }

    pub(super) fn ended(&mut self, how: Ended) {
        let position = self.playback.position();
        // An estimate may be twice the real length.
        let current = self.queue.current().filter(|track| !track.is_about);
        let length = current.and_then(|track| track.duration);
        match how {
            Ended::Failed(why) => self.failed(why),
            Ended::Finished if position.is_zero() => self.failed("There is no audio in it.".to_owned()),
            Ended::Finished if length.is_some_and(|length| broke_off(position, length)) => {
                let position = sdk_core::text::clock(position);
                self.failed(format!("Its audio broke off at {position}."));
            }
            Ended::Finished => {
                self.over(EndReason::Finished);
                self.next(Advance::Ended);
            }
        }
    }

    fn next(&mut self, why: Advance) {
        self.queue.advance(why);
        // A library of broken files would never end.
        self.proceed(why != Advance::Failed);
    }

    /// Begins the current track. If there is none, the library may suggest one, if the guild's settings allow that.
    pub(super) fn proceed(&mut self, suggest: bool) {
        if self.queue.current().is_none() && suggest && self.settings.autoplay {
            let recent: Vec<_> = self.queue.history().cloned().collect();
            if let Some(track) = self.engine.sources().suggest(&recent)
                && self.queue.enqueue(vec![Arc::new(track)], At::End).is_ok()
            {
                self.queue.advance(Advance::Ended);
            }
        }
        self.begin(Duration::ZERO);
        if self.queue.current().is_none() {
            self.tell(VoiceEventKind::QueueEnded);
        }
    }

    /// Publishes the end of the current track, if it had begun.
    pub(super) fn over(&mut self, reason: EndReason) {
        if let Some(track) = self.queue.current().cloned() {
            self.over_with(track, reason);
        }
    }

    pub(super) fn over_with(&mut self, track: Arc<Track>, reason: EndReason) {
        self.engine.survived(self.guild);
        if let Some(number) = self.announced.take() {
            self.tell(VoiceEventKind::TrackEnded { track, number, reason });
        }
    }
}

/// Returns whether a track that ended at `position` was not near its end. Lengths are often somewhat wrong.
fn broke_off(position: Duration, length: Duration) -> bool {
    position.saturating_add(Duration::from_secs(10)) < length.mul_f64(0.9)
}
