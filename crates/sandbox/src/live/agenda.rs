//! What happens by itself when its moment has come.

use std::future::pending;
use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::sleep;

use super::{Discord, Live};
use crate::state::agenda::Due;

impl Discord {
    /// Lets happen what falls due, for as long as it is polled. Whoever locks the world does the same, so nobody sees a
    /// world that is behind its clock.
    pub async fn keep_time(&self) {
        loop {
            let wait = {
                let live = self.lock();
                live.agenda.next().map(|at| at - live.clock.now())
            };
            let due = async {
                match wait {
                    Some(wait) => sleep(wait.try_into().unwrap_or_default()).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                () = due => {}
                () = self.scheduled.notified() => {}
            }
        }
    }
}

impl Live<'_> {
    /// Puts something on the agenda. What is overdue happens next, as of now.
    pub fn schedule(&mut self, at: OffsetDateTime, due: Due) {
        let now = self.clock.now();
        self.agenda.add(at.max(now), due);
        self.scheduled.notify_one();
    }

    /// Moves the world's clock forward. What is due by then has happened, each thing at its own moment.
    pub fn advance(&mut self, by: Duration) {
        self.clock.advance(by);
        self.scheduled.notify_one();
        self.catch_up();
    }

    /// Does what has fallen due, in the order of its moments. At each of them the world's clock stands.
    pub(super) fn catch_up(&mut self) {
        let Some(next) = self.agenda.next() else { return };
        let now = self.clock.now();
        // What is not due yet is left alone, so that a reader does not count as a change of the world.
        if next > now {
            return;
        }
        while let Some((at, due)) = self.agenda.take(now) {
            let _pinned = self.clock.pin(at);
            match due {
                Due::Poll { channel, message } => self.poll_is_due(channel, message, at),
                Due::ScheduledEvent { guild, event } => self.event_is_due(guild, event, at),
                Due::IdleLobby { lobby } => self.lobby_is_due(lobby, at),
                Due::SilentStage { channel } => self.stage_is_due(channel, at),
                Due::QuietThread { thread } => self.thread_is_due(thread, at),
                Due::Subscription { subscription } => self.period_is_due(subscription, at),
                Due::WebhookEvent { event } => self.webhook_event_is_due(event, at),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::server::Builder;
    use crate::snowflake::Snowflake;
    use crate::state::message::{Author, Message};
    use crate::state::poll::{Answer, Poll};
    use crate::tls::Addresses;
    use crate::validate::channel::ThreadBody;

    const MINUTE: Duration = Duration::from_mins(1);

    /// Adds a poll that ends so many minutes from now, and returns when.
    fn add_poll(live: &mut Live<'_>, channel: Snowflake, author: Snowflake, minutes: u32) -> OffsetDateTime {
        let expiry = live.clock.now() + minutes * MINUTE;
        let mut message = Message::new(live.next_id(), channel, Author::User(author));
        message.poll = Some(Poll {
            question: "?".to_owned(),
            answers: vec![Answer {
                media: json!({ "text": "tea" }),
                voters: std::collections::BTreeSet::new(),
            }],
            expiry,
            allow_multiselect: false,
            is_finalized: false,
        });
        live.publish(message);
        expiry
    }

    /// Returns the polls of whose end a channel was told, in the order of the reports, each with the report's time.
    fn reports(live: &Live<'_>, channel: Snowflake) -> Vec<(Snowflake, OffsetDateTime)> {
        let messages = live.channels[&channel].messages.values().filter(|message| message.kind == 46);
        let poll = |message: &Message| message.reference.as_ref().and_then(|reference| reference.message_id);
        messages.map(|message| (poll(message).unwrap(), message.id.created_at())).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn after_each_jump_all_that_is_due_has_happened_at_its_moment(
            polls in vec(1_u32..2_000, 1..12),
            threads in vec(1_u64..2_000, 0..6),
            jumps in vec(0_u32..700, 1..6),
        ) {
            let discord = Builder::default().assemble(&Addresses::plain("http://127.0.0.1:8787")).discord;
            let mut live = discord.lock();
            let author = live.find_user("alice").unwrap().id;
            let channel = live.channels.values().find(|channel| channel.name == "general").unwrap().id;
            let ends: Vec<OffsetDateTime> =
                polls.iter().map(|minutes| add_poll(&mut live, channel, author, *minutes)).collect();
            let mut quiet = Vec::new();
            for minutes in &threads {
                let kind = crate::state::channel::kind::PUBLIC_THREAD;
                let id = live.open_thread(channel, None, kind, author, ThreadBody::default()).unwrap();
                live.channel_mut(id).unwrap().thread.as_mut().unwrap().auto_archive_duration = *minutes;
                live.watch_activity(id);
                quiet.push((id, live.channels[&id].archives_at().unwrap()));
            }
            for minutes in jumps {
                live.advance(minutes * MINUTE);
                let now = live.clock.now();
                let told = reports(&live, channel);
                prop_assert_eq!(told.len(), ends.iter().filter(|end| **end <= now).count());
                // Ids only grow: a report with the time of its poll's end was made before all later ones.
                for (poll, at) in told {
                    let end = live.channels[&channel].messages[&poll].poll.as_ref().unwrap().expiry;
                    prop_assert!((at - end).abs() < Duration::from_millis(20), "the end of {end} was told at {at}");
                }
                for (id, at) in &quiet {
                    let thread = live.channels[id].thread.as_ref().unwrap();
                    prop_assert_eq!(thread.archived, *at <= now);
                    if thread.archived {
                        prop_assert_eq!(&thread.archive_timestamp, &crate::state::clock::iso(*at));
                    }
                }
            }
        }
    }
}
