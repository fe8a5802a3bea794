//! The interactions that this process, host or plugin, has recently begun to answer.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serenity::all::InteractionId;

/// How long an entry is kept. Discord drops an interaction that is not answered within 3 s.
const KEPT: Duration = Duration::from_secs(10);

/// The interactions, oldest first.
#[derive(Default)]
pub struct Answers(Mutex<VecDeque<(Instant, InteractionId)>>);

impl Answers {
    /// Records that an initial response is about to be sent. The host itself does not answer that interaction any more.
    pub fn note(&self, interaction: InteractionId) {
        self.note_at(interaction, Instant::now());
    }

    fn note_at(&self, interaction: InteractionId, now: Instant) {
        let mut begun = self.0.lock();
        while begun.front().is_some_and(|(at, _)| now.duration_since(*at) > KEPT) {
            begun.pop_front();
        }
        begun.push_back((now, interaction));
    }

    /// Returns whether an initial response has been sent, or is being sent.
    pub(crate) fn has(&self, interaction: InteractionId) -> bool {
        self.0.lock().iter().any(|(_, begun)| *begun == interaction)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_known_for_longer_than_discord_waits_for_it_and_not_for_ever() {
        let (answers, began) = (Answers::default(), Instant::now());
        answers.note_at(InteractionId::new(1), began);
        answers.note_at(InteractionId::new(2), began + Duration::from_secs(4));
        assert!(answers.has(InteractionId::new(1)) && !answers.has(InteractionId::new(3)));
        answers.note_at(InteractionId::new(3), began + KEPT + Duration::from_secs(1));
        assert!(!answers.has(InteractionId::new(1)) && answers.has(InteractionId::new(2)));
        assert_eq!(answers.0.lock().len(), 2);
    }
}
