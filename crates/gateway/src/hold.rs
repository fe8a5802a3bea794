//! Events that no host has been sent yet, within bounds of time and bytes.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Time in which an interaction must be answered (Discord's documentation: "Receiving and Responding", "Interaction
/// Callback").
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(3);
/// Name of the event whose answers have a deadline.
pub(crate) const INTERACTION: &str = "INTERACTION_CREATE";

/// An event as Discord sent it.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) name: Arc<str>,
    /// The text of its data.
    pub(crate) data: Arc<str>,
    /// When it was received.
    pub(crate) at: Instant,
}

impl Event {
    pub(crate) fn is_interaction(&self) -> bool {
        &*self.name == INTERACTION
    }

    pub(crate) fn is_late(&self, now: Instant) -> bool {
        self.is_interaction() && now.duration_since(self.at) >= ANSWER_WITHIN
    }

    pub(crate) fn size(&self) -> usize {
        self.data.len() + self.name.len()
    }
}

/// What a new host is handed, and what was lost before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Handover {
    pub(crate) events: usize,
    pub(crate) interactions: usize,
    /// Interactions that can no longer be answered.
    pub(crate) late: usize,
    /// Events that exceeded the bounds.
    pub(crate) dropped: usize,
}

/// The queue of events that were not sent yet.
#[derive(Debug)]
pub(crate) struct Hold {
    events: VecDeque<Event>,
    bytes: usize,
    most_bytes: usize,
    longest: Duration,
    dropped: usize,
}

impl Hold {
    pub(crate) fn new(most_bytes: usize, longest: Duration) -> Self {
        Self { events: VecDeque::new(), bytes: 0, most_bytes, longest, dropped: 0 }
    }

    /// Appends an event. The oldest ones make room; among them, interactions that can be answered go last.
    pub(crate) fn push(&mut self, event: Event) {
        let now = event.at;
        self.bytes += event.size();
        self.events.push_back(event);
        while self.events.front().is_some_and(|event| now.duration_since(event.at) > self.longest) {
            self.drop_at(0);
        }
        while self.bytes > self.most_bytes && !self.events.is_empty() {
            let expendable = |event: &Event| !event.is_interaction() || event.is_late(now);
            let index = self.events.iter().position(expendable).unwrap_or(0);
            self.drop_at(index);
        }
    }

    fn drop_at(&mut self, index: usize) {
        if let Some(event) = self.events.remove(index) {
            self.bytes -= event.size();
            self.dropped += 1;
        }
    }

    /// Takes the next event.
    pub(crate) fn pop(&mut self) -> Option<Event> {
        let event = self.events.pop_front()?;
        self.bytes -= event.size();
        Some(event)
    }

    /// Prepares the events for a new host: first the interactions it may still answer, those of `again` before the
    /// others, then all other events in their order. What its first events contain anyway is left out.
    pub(crate) fn hand_over(&mut self, again: Vec<Event>, now: Instant) -> Handover {
        let mut handover = Handover { dropped: std::mem::take(&mut self.dropped), ..Handover::default() };
        let (interactions, events): (Vec<_>, Vec<_>) =
            again.into_iter().chain(self.events.drain(..)).partition(Event::is_interaction);
        let all = interactions.len();
        let interactions: Vec<_> = interactions.into_iter().filter(|event| !event.is_late(now)).collect();
        handover.interactions = interactions.len();
        handover.late = all - interactions.len();
        for event in events {
            if now.duration_since(event.at) > self.longest {
                handover.dropped += 1;
            } else if &*event.name != "GUILD_CREATE" {
                self.events.push_back(event);
            }
        }
        handover.events = self.events.len();
        for event in interactions.into_iter().rev() {
            self.events.push_front(event);
        }
        self.bytes = self.events.iter().map(Event::size).sum();
        handover
    }

    pub(crate) fn len(&self) -> usize {
        self.events.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str, data: &str, at: Instant) -> Event {
        Event { name: name.into(), data: data.into(), at }
    }

    fn all(hold: &mut Hold) -> Vec<String> {
        std::iter::from_fn(|| hold.pop()).map(|event| event.data.to_string()).collect()
    }

    #[test]
    fn interactions_come_first_and_late_ones_are_counted() {
        let start = Instant::now();
        let mut hold = Hold::new(1 << 20, Duration::from_mins(5));
        hold.push(event(INTERACTION, "late", start));
        hold.push(event("MESSAGE_CREATE", "1", start));
        hold.push(event("GUILD_CREATE", "state", start));
        hold.push(event(INTERACTION, "b", start + Duration::from_secs(2)));
        hold.push(event("MESSAGE_CREATE", "2", start + Duration::from_secs(2)));
        let again = vec![event(INTERACTION, "a", start + Duration::from_secs(1))];
        let handover = hold.hand_over(again, start + Duration::from_millis(3500));
        assert_eq!(handover, Handover { events: 2, interactions: 2, late: 1, dropped: 0 });
        assert_eq!(all(&mut hold), ["a", "b", "1", "2"]);
        assert_eq!(hold.bytes(), 0);
    }

    #[test]
    fn the_oldest_events_make_room_and_answerable_interactions_stay() {
        let start = Instant::now();
        let mut hold = Hold::new(60, Duration::from_mins(5));
        hold.push(event(INTERACTION, "i", start));
        for number in 1..=4 {
            hold.push(event("MESSAGE_CREATE", &number.to_string(), start));
        }
        assert!(hold.bytes() <= 60);
        let handover = hold.hand_over(Vec::new(), start);
        assert_eq!(handover, Handover { events: 2, interactions: 1, late: 0, dropped: 2 });
        assert_eq!(all(&mut hold), ["i", "3", "4"]);
    }

    #[test]
    fn nothing_is_held_longer_than_allowed() {
        let start = Instant::now();
        let mut hold = Hold::new(1 << 20, Duration::from_mins(1));
        hold.push(event("MESSAGE_CREATE", "1", start));
        hold.push(event("MESSAGE_CREATE", "2", start + Duration::from_secs(61)));
        assert_eq!(hold.len(), 1);
        let handover = hold.hand_over(Vec::new(), start + Duration::from_secs(200));
        assert_eq!(handover, Handover { events: 0, interactions: 0, late: 0, dropped: 2 });
    }
}
