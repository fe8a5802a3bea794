//! Changes to the world that others hear of.
//!
//! [`Discord::lock`] gives a [`Live`] world: reading it is reading [`World`]; its own methods change something and, still
//! under the lock, hand the documented gateway events to the hub. So a bot hears of things in the order in which they
//! happened, and never of something it could not yet read through REST. The lock is never held across an await, and the
//! hub only queues.

mod channels;
mod guilds;
mod interactions;
mod members;
mod messages;
mod overwrites;
mod reactions;
mod voice;

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use serde_json::Value;

use crate::gateway::{Dispatch, Hub, Intents};
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::state::World;
use crate::voice::Voice;
pub use interactions::{Started, Trigger};
pub use members::MemberChange;
pub use messages::Sender;

/// Times that Discord documents, shortened by tests that wait for them to pass.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Until the initial response to an interaction; 3 s.
    pub response: Duration,
    /// For which an interaction's token can be used; 15 min.
    pub token: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { response: Duration::from_secs(3), token: Duration::from_mins(15) }
    }
}

/// A Discord: its world and those who listen to it.
#[derive(Debug)]
pub struct Discord {
    world: Mutex<World>,
    hub: Hub,
    voice: Voice,
    limits: Limits,
}

impl Discord {
    /// A Discord made of this world.
    pub fn new(world: World, hub: Hub, voice: Voice, limits: Limits) -> Self {
        Self { world: Mutex::new(world), hub, voice, limits }
    }

    /// The world, to read and to change.
    pub fn lock(&self) -> Live<'_> {
        Live { world: self.world.lock(), hub: &self.hub, voice: &self.voice, limits: self.limits }
    }

    /// Those who listen.
    pub fn hub(&self) -> &Hub {
        &self.hub
    }

    /// Voice servers.
    pub fn voice(&self) -> &Voice {
        &self.voice
    }

    /// Times in force.
    pub fn limits(&self) -> Limits {
        self.limits
    }
}

/// The locked world, and a way to tell gateways of changes.
pub struct Live<'a> {
    world: MutexGuard<'a, World>,
    hub: &'a Hub,
    voice: &'a Voice,
    pub(crate) limits: Limits,
}

impl Deref for Live<'_> {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

impl DerefMut for Live<'_> {
    fn deref_mut(&mut self) -> &mut World {
        &mut self.world
    }
}

impl Live<'_> {
    /// Tells one bot, whatever its intents.
    pub fn tell_bot(&self, bot: Snowflake, name: &'static str, guild: Option<Snowflake>, data: Value) {
        self.dispatch(Some(bot), name, guild, Intents::empty(), data);
    }

    /// Tells all bots in a guild that asked for such events.
    pub fn tell_guild(&self, guild: Snowflake, name: &'static str, data: Value) {
        self.hub.dispatch(&Dispatch::guild(guild, name, data));
    }

    /// Tells all bots that see a channel and asked for such events.
    pub fn tell_channel(&self, channel: Snowflake, name: &'static str, data: Value) {
        let Some(channel) = self.channels.get(&channel) else { return };
        let intents = Intents::for_event(name, channel.guild_id.is_some());
        let mut bots = self.bots_seeing(channel);
        let last = bots.pop();
        for bot in bots {
            self.dispatch(Some(bot), name, channel.guild_id, intents, data.clone());
        }
        if last.is_some() {
            self.dispatch(last, name, channel.guild_id, intents, data);
        }
    }

    /// Whether a bot has an open gateway connection.
    pub fn is_online(&self, bot: Snowflake) -> bool {
        self.hub.sessions().iter().any(|session| session.bot == bot && session.conn.is_some())
    }

    /// Bots that see a channel.
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

    fn dispatch(
        &self,
        bot: Option<Snowflake>,
        name: &'static str,
        guild_id: Option<Snowflake>,
        intents: Intents,
        data: Value,
    ) {
        self.hub.dispatch(&Dispatch { bot, name, data, guild_id, intents });
    }
}
