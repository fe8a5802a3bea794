//! Answers to commands, sent once the status shows the change.

use sdk_core::voice::VoiceError;
use sdk_core::voice::player::Answer;

/// Answers that are sent once the status shows the change.
#[derive(Default)]
pub(super) struct Answers(Vec<Box<dyn FnOnce() + Send>>);

impl Answers {
    pub(super) fn add<T: Send + 'static>(&mut self, to: Answer<T>, outcome: Result<T, VoiceError>) {
        // A caller that has stopped waiting needs no answer.
        self.0.push(Box::new(move || drop(to.send(outcome))));
    }

    pub(super) fn give(&mut self) {
        self.0.drain(..).for_each(|answer| answer());
    }
}
