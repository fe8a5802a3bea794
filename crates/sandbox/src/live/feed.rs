//! What clients of users must draw again: numbered notices in a bounded ring.
//!
//! A notice names what has changed, not how. A reader renders the present state for its user, so that many changes of one
//! object between two reads cost it one rendering, and a slow reader costs the world nothing.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::watch;

use crate::snowflake::Snowflake;

/// Most notices that are kept. A reader that is further behind renders everything again.
const CAPACITY: usize = 16_384;

/// Something to draw again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Notice {
    /// A message was sent, or it or what hangs on it has changed.
    Message {
        /// Channel.
        channel: Snowflake,
        /// Message.
        id: Snowflake,
    },
    /// A message was deleted.
    Gone {
        /// Channel.
        channel: Snowflake,
        /// Message.
        id: Snowflake,
    },
    /// A user types.
    Typing {
        /// Channel.
        channel: Snowflake,
        /// User.
        user: Snowflake,
    },
    /// A user plays a sound of the soundboard in a voice channel.
    Sound {
        /// Voice channel.
        channel: Snowflake,
        /// User.
        user: Snowflake,
        /// Sound.
        sound: Snowflake,
        /// Differs each time, as the same sound is played twice.
        time: u64,
    },
    /// A guild, or anything in it but messages.
    Guild(Snowflake),
    /// What is in no guild: accounts, bots, direct messages.
    World,
}

/// Handle to the notices. Clones share them.
#[derive(Clone, Debug)]
pub struct Feed {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    ring: Mutex<VecDeque<Notice>>,
    /// Number of the newest notice, from 1. [`CLOSED`] after the end.
    newest: watch::Sender<u64>,
}

/// In place of a number: no notice will follow.
const CLOSED: u64 = u64::MAX;

/// Notices from some number on.
#[derive(Debug, PartialEq, Eq)]
pub struct Page {
    /// In order. `None` if some had already been dropped, or the number is of another feed.
    pub notices: Option<Vec<Notice>>,
    /// Number of the newest one.
    pub newest: u64,
}

impl Default for Feed {
    fn default() -> Self {
        Self { shared: Arc::new(Shared { ring: Mutex::default(), newest: watch::Sender::new(0) }) }
    }
}

impl Feed {
    /// Adds a notice.
    pub fn push(&self, notice: Notice) {
        let mut ring = self.shared.ring.lock();
        self.shared.newest.send_if_modified(|newest| {
            if *newest == CLOSED {
                return false;
            }
            if ring.len() == CAPACITY {
                ring.pop_front();
            }
            ring.push_back(notice);
            *newest += 1;
            true
        });
    }

    /// Adds the notices of a gateway event.
    pub(super) fn event(&self, name: &str, guild: Option<Snowflake>, data: &Value) {
        let id = |key: &str| data[key].as_str().and_then(|id| id.parse::<Snowflake>().ok());
        match name {
            "MESSAGE_CREATE" | "MESSAGE_UPDATE" | "MESSAGE_DELETE" => {
                let Some((channel, id)) = id("channel_id").zip(id("id")) else { return };
                let gone = name == "MESSAGE_DELETE";
                self.push(if gone { Notice::Gone { channel, id } } else { Notice::Message { channel, id } });
            }
            "MESSAGE_DELETE_BULK" => {
                let Some(channel) = id("channel_id") else { return };
                let ids = data["ids"].as_array().into_iter().flatten();
                for id in ids.filter_map(|id| id.as_str()?.parse().ok()) {
                    self.push(Notice::Gone { channel, id });
                }
            }
            "TYPING_START" => {
                let Some((channel, user)) = id("channel_id").zip(id("user_id")) else { return };
                self.push(Notice::Typing { channel, user });
            }
            _ if !is_drawn(name) => {}
            _ => {
                if let Some((channel, id)) = id("channel_id").zip(id("message_id"))
                    && name.starts_with("MESSAGE_")
                {
                    self.push(Notice::Message { channel, id });
                } else {
                    self.push(guild.map_or(Notice::World, Notice::Guild));
                }
            }
        }
    }

    /// Drops all notices, so that every reader renders everything again: another world is in the place of this one.
    pub fn restart(&self) {
        let mut ring = self.shared.ring.lock();
        self.shared.newest.send_if_modified(|newest| {
            let open = *newest != CLOSED;
            if open {
                ring.clear();
                *newest += 1;
            }
            open
        });
    }

    /// Returns the number of the newest notice.
    pub fn newest(&self) -> u64 {
        *self.shared.newest.borrow()
    }

    /// Returns a receiver that is notified of every notice.
    pub fn signal(&self) -> watch::Receiver<u64> {
        self.shared.newest.subscribe()
    }

    /// Returns the notices after one; `None` after the end.
    pub fn after(&self, number: u64) -> Option<Page> {
        let ring = self.shared.ring.lock();
        let newest = self.newest();
        if newest == CLOSED {
            return None;
        }
        let wanted = newest.checked_sub(number).and_then(|count| usize::try_from(count).ok());
        let wanted = wanted.filter(|count| *count <= ring.len());
        let notices = wanted.map(|count| ring.range(ring.len() - count..).copied().collect());
        Some(Page { notices, newest })
    }

    /// Ends the feed for all who read it.
    pub fn close(&self) {
        let _ring = self.shared.ring.lock();
        self.shared.newest.send_replace(CLOSED);
    }
}

/// Returns whether an event changes what `control::view` renders of a guild or of the world.
fn is_drawn(name: &str) -> bool {
    const ELSEWHERE: [&str; 10] = [
        "AUTO_MODERATION_",
        "ENTITLEMENT_",
        "GUILD_BAN_",
        "INTEGRATION_",
        "INVITE_",
        "SUBSCRIPTION_",
        "VOICE_CHANNEL_EFFECT_",
        "GUILD_AUDIT_LOG_",
        "GUILD_INTEGRATIONS_",
        "WEBHOOKS_",
    ];
    const OTHERS: [&str; 3] =
        ["APPLICATION_COMMAND_PERMISSIONS_UPDATE", "INTERACTION_CREATE", "VOICE_SERVER_UPDATE"];
    !OTHERS.contains(&name) && !ELSEWHERE.iter().any(|start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn message(id: u64) -> Notice {
        Notice::Message { channel: Snowflake(1), id: Snowflake(id) }
    }

    #[test]
    fn a_reader_gets_what_came_since_or_learns_that_it_is_too_far_behind() {
        let feed = Feed::default();
        for id in 0..CAPACITY as u64 + 10 {
            feed.push(message(id));
        }
        let newest = CAPACITY as u64 + 10;
        let page = feed.after(newest - 2).unwrap();
        assert_eq!(page.notices, Some(vec![message(newest - 2), message(newest - 1)]));
        assert_eq!(feed.after(newest).unwrap().notices, Some(Vec::new()));
        assert_eq!(feed.after(9).unwrap(), Page { notices: None, newest });
        assert_eq!(feed.after(10).unwrap().notices.map(|all| all.len()), Some(CAPACITY));
        // Of another feed, which had more.
        assert_eq!(feed.after(newest + 1).unwrap(), Page { notices: None, newest });
        feed.close();
        feed.push(message(1));
        assert_eq!(feed.after(newest), None);
    }

    #[test]
    fn after_a_restart_every_reader_is_too_far_behind() {
        let feed = Feed::default();
        feed.push(message(1));
        let signal = feed.signal();
        feed.restart();
        assert!(signal.has_changed().unwrap());
        for number in 0..2 {
            assert_eq!(feed.after(number).unwrap(), Page { notices: None, newest: 2 });
        }
        feed.push(message(2));
        assert_eq!(feed.after(1).unwrap().notices, None);
        assert_eq!(feed.after(2).unwrap().notices, Some(vec![message(2)]));
        feed.close();
        feed.restart();
        assert_eq!(feed.after(2), None);
    }

    #[test]
    fn events_become_notices() {
        let feed = Feed::default();
        let guild = Some(Snowflake(9));
        feed.event("MESSAGE_REACTION_ADD", guild, &json!({ "channel_id": "1", "message_id": "2" }));
        feed.event("MESSAGE_DELETE_BULK", guild, &json!({ "channel_id": "1", "ids": ["3", "4"] }));
        feed.event("INTERACTION_CREATE", guild, &json!({ "channel_id": "1" }));
        feed.event("INVITE_CREATE", guild, &json!({ "channel_id": "1" }));
        feed.event("GUILD_AUDIT_LOG_ENTRY_CREATE", guild, &json!({}));
        feed.event("CHANNEL_PINS_UPDATE", guild, &json!({ "channel_id": "1" }));
        feed.event("USER_UPDATE", None, &json!({}));
        let gone = |id| Notice::Gone { channel: Snowflake(1), id: Snowflake(id) };
        let expected = [message(2), gone(3), gone(4), Notice::Guild(Snowflake(9)), Notice::World];
        assert_eq!(feed.after(0).unwrap().notices.unwrap(), expected);
    }
}
