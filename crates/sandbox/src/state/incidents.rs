//! What moderators pause in a guild for a while: invites and direct messages.

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::World;
use super::clock::{self, Clock};
use crate::snowflake::Snowflake;

/// Paused actions of a guild.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Incidents {
    /// When invites are enabled again.
    pub invites_disabled_until: Option<OffsetDateTime>,
    /// When direct messages are enabled again.
    pub dms_disabled_until: Option<OffsetDateTime>,
}

impl Incidents {
    /// Returns the incidents-data object.
    pub fn json(&self) -> Value {
        json!({
            "invites_disabled_until": self.invites_disabled_until.map(clock::iso),
            "dms_disabled_until": self.dms_disabled_until.map(clock::iso),
        })
    }

    /// Returns the object as in the guild: null if nothing was ever paused, or everything is enabled again.
    pub fn of_guild(&self) -> Value {
        if *self == Self::default() { Value::Null } else { self.json() }
    }

    /// Returns whether invites are paused now.
    pub fn pauses_invites(&self, clock: &Clock) -> bool {
        self.invites_disabled_until.is_some_and(|until| until > clock.now())
    }

    /// Returns whether direct messages between members are paused now.
    pub fn pauses_dms(&self, clock: &Clock) -> bool {
        self.dms_disabled_until.is_some_and(|until| until > clock.now())
    }
}

impl World {
    /// Returns whether two users share guilds, all of which have paused direct messages. Bots are not affected.
    pub fn dms_paused(&self, a: Snowflake, b: Snowflake) -> bool {
        if [a, b].iter().any(|id| self.users.get(id).is_none_or(|user| user.bot)) {
            return false;
        }
        let mut shared = self.guilds_of(a).filter(|guild| guild.members.contains_key(&b)).peekable();
        shared.peek().is_some() && shared.all(|guild| guild.incidents.pauses_dms(&self.clock))
    }
}
