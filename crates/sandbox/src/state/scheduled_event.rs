//! Scheduled events of a guild, who subscribed to them, and the exceptions from their recurrence.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::World;
use super::clock;
use super::guild::Guild;
use super::user::User;
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::validate::scheduled_event::{EventCreate, Recurrence, entity};

/// Discord's numbers of statuses.
pub mod status {
    /// It has not started.
    pub const SCHEDULED: u8 = 1;
    /// It is going on.
    pub const ACTIVE: u8 = 2;
    /// It is over.
    pub const COMPLETED: u8 = 3;
    /// It does not take place.
    pub const CANCELED: u8 = 4;
}

/// A scheduled event (Guild Scheduled Event, "Guild Scheduled Event Object").
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct ScheduledEvent {
    /// Its id.
    pub id: Snowflake,
    /// Its guild.
    pub guild_id: Snowflake,
    /// User who created it.
    pub creator_id: Snowflake,
    /// What can be set.
    pub body: EventCreate,
    /// See [`status`].
    pub status: u8,
    /// When it became active.
    pub started: Option<OffsetDateTime>,
    /// The stage instance in which it goes on.
    pub entity_id: Option<Snowflake>,
    /// Hash of its cover image.
    pub image: Option<String>,
    /// Users who subscribed to it.
    pub users: BTreeSet<Snowflake>,
    /// Exceptions by id, which is made of the original start.
    pub exceptions: BTreeMap<Snowflake, Exception>,
}

/// An occurrence that differs from the rule.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct Exception {
    /// When it starts instead.
    pub start: Option<OffsetDateTime>,
    /// When it ends instead.
    pub end: Option<OffsetDateTime>,
    /// Whether it does not take place.
    pub is_canceled: bool,
    /// Users who answered for this occurrence, and whether they are interested.
    pub users: BTreeMap<Snowflake, bool>,
}

impl Exception {
    /// Returns the exception object.
    pub fn json(&self, event: Snowflake, id: Snowflake) -> Value {
        json!({
            "event_id": event,
            "event_exception_id": id,
            "scheduled_start_time": self.start.map(clock::iso),
            "scheduled_end_time": self.end.map(clock::iso),
            "is_canceled": self.is_canceled,
        })
    }
}

impl ScheduledEvent {
    /// Returns the id of the exception of an occurrence: a snowflake of its original start.
    pub fn exception_id(start: OffsetDateTime) -> Snowflake {
        let ms = start.unix_timestamp_nanos() / 1_000_000;
        Snowflake::first_at(u64::try_from(ms).unwrap_or(0))
    }

    /// Returns whether it is neither completed nor canceled.
    pub fn is_open(&self) -> bool {
        matches!(self.status, status::SCHEDULED | status::ACTIVE)
    }

    /// Returns the event object of gateway events.
    pub fn json(&self) -> Value {
        let body = &self.body;
        let is_external = body.entity_type == entity::EXTERNAL;
        json!({
            "id": self.id,
            "guild_id": self.guild_id,
            "channel_id": body.channel_id,
            "creator_id": self.creator_id,
            "name": body.name,
            "description": body.description,
            "image": self.image,
            "scheduled_start_time": clock::iso(body.start),
            "scheduled_end_time": body.end.map(clock::iso),
            "privacy_level": 2,
            "status": self.status,
            "entity_type": body.entity_type,
            "entity_id": self.entity_id,
            "entity_metadata": if is_external { json!({ "location": body.location }) } else { Value::Null },
            "recurrence_rule": body.recurrence.as_ref().map(Recurrence::json),
            "guild_scheduled_event_exceptions": self
                .exceptions
                .iter()
                .map(|(id, exception)| exception.json(self.id, *id))
                .collect::<Vec<_>>(),
        })
    }

    /// Returns the event object of REST, which has the creator.
    pub fn shown(&self, world: &World, count: bool) -> Value {
        let mut value = self.json();
        if let Some(creator) = world.users.get(&self.creator_id) {
            value["creator"] = creator.json();
        }
        if count {
            value["user_count"] = self.users.len().into();
        }
        value
    }

    /// Returns the object of a user's subscription, to the event or to one occurrence.
    pub fn user_json(&self, user: &User, exception: Option<Snowflake>, interested: bool) -> Value {
        let mut value = json!({
            "guild_scheduled_event_id": self.id,
            "user_id": user.id,
            "user": user.json(),
            "response": u8::from(interested),
        });
        if let Some(exception) = exception {
            value["guild_scheduled_event_exception_id"] = json!(exception);
        }
        value
    }
}

impl World {
    /// Returns whether a user sees an event: if it is in a channel, they must see that.
    pub fn sees_event(&self, user: Snowflake, event: &ScheduledEvent) -> bool {
        event.body.channel_id.is_none_or(|channel| {
            let channel = self.channels.get(&channel);
            channel
                .is_some_and(|channel| self.permissions_in(user, channel).contains(Permissions::VIEW_CHANNEL))
        })
    }

    /// Returns the events of a guild for a bot's GUILD_CREATE: those that are not over.
    pub fn events_json(&self, guild: &Guild, bot: Snowflake) -> Value {
        let visible = guild.scheduled_events.values().filter(|event| event.is_open());
        visible.filter(|event| self.sees_event(bot, event)).map(ScheduledEvent::json).collect()
    }
}
