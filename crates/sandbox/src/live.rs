//! Changes of the world that bots are informed of.
//!
//! [`Discord::lock`] returns a [`Live`] world: it dereferences to [`World`] for reading, and its own methods change the
//! world and, still under the lock, send the documented gateway events to the hub. So a bot receives events in the
//! order in which they happened, and never for a change that it could not read through REST yet. The lock is never held
//! across an await, and the hub only queues.

mod access;
mod activities;
mod agenda;
mod authorizations;
mod auto_moderation;
pub mod changes;
mod channel_audit;
mod channel_rules;
mod channels;
mod commands;
pub mod community;
mod component_emojis;
mod expressions;
pub mod feed;
mod following;
mod game_events;
mod groups;
mod guilds;
mod identities;
mod index;
mod integrations;
mod interactions;
mod joining;
mod lobbies;
mod members;
mod messages;
pub(crate) mod outbox;
mod overwrites;
mod polls;
mod prune;
mod reactions;
mod references;
mod restore;
mod scheduled_events;
mod sounds;
pub(crate) mod source;
mod stages;
mod store;
mod threads;
mod triggers;
mod voice;
mod voice_sessions;
mod webhook_events;

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use serde_json::Value;
use tokio::sync::Notify;

use crate::gateway::{Dispatch, Hub, Intents};
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::state::World;
use crate::voice::Voice;
pub use feed::{Feed, Notice};
pub use interactions::{Started, Trigger};
pub use members::MemberChange;
pub use messages::Sender;
use outbox::Outbox;
pub use sounds::Effect;
pub use source::Source;
pub use store::Purchase;
pub(crate) use triggers::ATTACHMENT_LIMIT;
pub use webhook_events::Attempt;

/// Times that Discord documents. Tests that wait for them shorten them.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Time for the initial response to an interaction; 3 s.
    pub response: Duration,
    /// Validity of an interaction's token; 15 min.
    pub token: Duration,
    /// Time after which an event in an empty channel, or a stage without speakers, ends; "on the order of minutes".
    pub empty_channel: Duration,
    /// Time from the first search of a guild or channel until it is indexed.
    pub search_index: Duration,
    /// Time after its start at which an event that has not begun is canceled; "on the order of hours".
    pub event_overdue: Duration,
    /// Time for which a lobby may be idle unless it says otherwise; 5 min.
    pub lobby_idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            response: Duration::from_secs(3),
            token: Duration::from_mins(15),
            empty_channel: Duration::from_mins(5),
            search_index: Duration::from_secs(2),
            event_overdue: Duration::from_hours(3),
            lobby_idle: Duration::from_mins(5),
        }
    }
}

/// A Discord: its world and its gateway.
#[derive(Debug)]
pub struct Discord {
    world: Mutex<World>,
    hub: Hub,
    voice: Voice,
    feed: Feed,
    outbox: Outbox,
    limits: Limits,
    /// Notified when something is put on the agenda.
    scheduled: Notify,
    /// Number of times that the world may have been changed.
    revision: AtomicU64,
}

impl Discord {
    /// Creates a Discord with this world.
    pub fn new(world: World, hub: Hub, voice: Voice, limits: Limits) -> Self {
        Self {
            world: Mutex::new(world),
            hub,
            voice,
            feed: Feed::default(),
            outbox: Outbox::default(),
            limits,
            scheduled: Notify::new(),
            revision: AtomicU64::new(0),
        }
    }

    /// Locks the world, to read and to change it. What has fallen due has happened.
    pub fn lock(&self) -> Live<'_> {
        let mut live = Live {
            world: self.world.lock(),
            hub: &self.hub,
            voice: &self.voice,
            feed: &self.feed,
            outbox: &self.outbox,
            limits: self.limits,
            scheduled: &self.scheduled,
            revision: &self.revision,
        };
        live.catch_up();
        live
    }

    /// Returns a number that grows with every access that may change the world.
    pub fn revision(&self) -> u64 {
        self.revision.load(Ordering::Relaxed)
    }

    /// Returns the gateway's hub.
    pub fn hub(&self) -> &Hub {
        &self.hub
    }

    /// Returns the voice servers.
    pub fn voice(&self) -> &Voice {
        &self.voice
    }

    /// Returns the notices of what clients of users must draw again.
    pub fn feed(&self) -> &Feed {
        &self.feed
    }

    /// Returns the queue of what is to be sent to the endpoints of applications.
    pub(crate) fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// Returns the times in force.
    pub fn limits(&self) -> Limits {
        self.limits
    }
}

/// The locked world, with the means to send its events.
pub struct Live<'a> {
    world: MutexGuard<'a, World>,
    hub: &'a Hub,
    voice: &'a Voice,
    feed: &'a Feed,
    outbox: &'a Outbox,
    pub(crate) limits: Limits,
    scheduled: &'a Notify,
    revision: &'a AtomicU64,
}

impl Deref for Live<'_> {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

impl DerefMut for Live<'_> {
    fn deref_mut(&mut self) -> &mut World {
        self.revision.fetch_add(1, Ordering::Relaxed);
        &mut self.world
    }
}

impl Live<'_> {
    /// Sends an event to one bot, whatever its intents.
    pub fn dispatch_bot(&self, bot: Snowflake, name: &'static str, guild: Option<Snowflake>, data: Value) {
        self.dispatch(Some(bot), name, guild, Intents::empty(), data);
    }

    /// Sends an event to all bots in a guild that have its intents.
    pub fn dispatch_guild(&self, guild: Snowflake, name: &'static str, data: Value) {
        self.feed.event(name, Some(guild), &data);
        self.hub.dispatch(&Dispatch::guild(guild, name, data));
    }

    /// Sends an event to all bots that see a channel and have its intents.
    pub fn dispatch_channel(&self, channel: Snowflake, name: &'static str, data: Value) {
        let Some(channel) = self.channels.get(&channel) else { return };
        self.feed.event(name, channel.guild_id, &data);
        let intents = Intents::for_event(name, channel.guild_id.is_some());
        let mut bots = self.bots_seeing(channel);
        let last = bots.pop();
        let guild_id = channel.guild_id;
        let event = |bot, data| Dispatch { bot, name, data, guild_id, intents };
        for bot in bots {
            self.hub.dispatch(&event(Some(bot), data.clone()));
        }
        if last.is_some() {
            self.hub.dispatch(&event(last, data));
        }
    }

    /// Has everybody's client draw what is in no guild again: accounts, bots and direct messages.
    pub fn world_changed(&self) {
        self.feed.push(Notice::World);
    }

    /// Returns the direct-message channel of two accounts. If it is new, everybody's client learns of it.
    pub fn open_dm(&mut self, a: Snowflake, b: Snowflake) -> Snowflake {
        let known = self.channels.len();
        let id = World::open_dm(self, a, b);
        if self.channels.len() > known {
            self.world_changed();
        }
        id
    }

    /// Returns whether a bot has an open gateway connection.
    pub fn is_online(&self, bot: Snowflake) -> bool {
        self.hub.is_online(bot)
    }

    /// Returns the bots that see a channel.
    pub fn bots_seeing(&self, channel: &crate::state::channel::Channel) -> Vec<Snowflake> {
        match channel.guild_id {
            Some(guild) => self
                .bots_in(guild)
                .into_iter()
                .filter(|bot| self.permissions_in(*bot, channel).contains(Permissions::VIEW_CHANNEL))
                .collect(),
            None => {
                channel.recipients.iter().copied().filter(|id| self.applications.contains_key(id)).collect()
            }
        }
    }

    /// Sends an event to several bots, each with its own data; `None` is not sent. The feed gets one notice, also if no bot
    /// gets the event.
    fn dispatch_each(
        &self,
        bots: impl IntoIterator<Item = Snowflake>,
        name: &'static str,
        guild_id: Option<Snowflake>,
        intents: Intents,
        mut data: impl FnMut(Snowflake) -> Option<Value>,
    ) {
        self.feed.event(name, guild_id, &Value::Null);
        for bot in bots {
            if let Some(data) = data(bot) {
                self.hub.dispatch(&Dispatch { bot: Some(bot), name, data, guild_id, intents });
            }
        }
    }

    fn dispatch(
        &self,
        bot: Option<Snowflake>,
        name: &'static str,
        guild_id: Option<Snowflake>,
        intents: Intents,
        data: Value,
    ) {
        self.feed.event(name, guild_id, &data);
        self.hub.dispatch(&Dispatch { bot, name, data, guild_id, intents });
    }
}
