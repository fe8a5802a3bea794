//! Scheduled events: creating, changing, deleting, and subscribing to them.

mod exceptions;
mod status;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::Live;
use super::changes::changes;
use crate::error::{ApiError, ApiResult};
use crate::gateway::Intents;
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::state::channel::kind;
use crate::state::picture_hash;
use crate::state::scheduled_event::{ScheduledEvent, status as event_status};
use crate::validate::Change;
use crate::validate::scheduled_event::{EventCreate, EventModify, entity};

/// Most events of a guild that are not over.
const MOST_OPEN: usize = 100;

/// Most events of a guild that are kept, those that are over included.
const MOST_KEPT: usize = 1000;

/// Fields of an event that no entry of the audit log names.
const NO_CHANGE: &[&str] = &["id", "guild_id", "creator_id", "guild_scheduled_event_exceptions"];

impl Live<'_> {
    /// Returns an event that a user sees, or Discord's error.
    pub fn event_for(&self, guild: Snowflake, id: Snowflake, user: Snowflake) -> ApiResult<&ScheduledEvent> {
        let event = self.guild_for(guild, user)?.scheduled_events.get(&id);
        let event = event.ok_or_else(ApiError::unknown_scheduled_event)?;
        if self.sees_event(user, event) { Ok(event) } else { Err(ApiError::missing_access()) }
    }

    /// Creates an event for a user who may, sends the gateway event and writes the audit log.
    pub fn create_event(
        &mut self,
        guild_id: Snowflake,
        body: EventCreate,
        by: Snowflake,
        reason: Option<&str>,
    ) -> ApiResult<Snowflake> {
        let guild = self.guild_for(guild_id, by)?;
        self.may_host(guild_id, &body, by, Permissions::CREATE_EVENTS)?;
        if guild.scheduled_events.values().filter(|event| event.is_open()).count() >= MOST_OPEN {
            return Err(ApiError::max_scheduled_events());
        }
        let event = ScheduledEvent {
            id: self.next_id(),
            guild_id,
            creator_id: by,
            image: body.image.then(picture_hash),
            body,
            status: event_status::SCHEDULED,
            started: None,
            entity_id: None,
            users: BTreeSet::new(),
            exceptions: BTreeMap::new(),
        };
        let (id, shown) = (event.id, event.json());
        let events = &mut self.guild_mut(guild_id)?.scheduled_events;
        let oldest = events.values().find(|event| !event.is_open()).map(|event| event.id);
        if let Some(oldest) = oldest.filter(|_| events.len() >= MOST_KEPT) {
            events.shift_remove(&oldest);
        }
        events.insert(id, event);
        self.dispatch_event(guild_id, id, "GUILD_SCHEDULED_EVENT_CREATE", &shown);
        self.audit(guild_id, 100, by, Some(id), reason, changes(&Value::Null, &shown, NO_CHANGE));
        self.schedule_event(guild_id, id);
        Ok(id)
    }

    /// Changes an event for a user who may. If it differs, sends the gateway event and writes the audit log.
    pub fn edit_event(
        &mut self,
        guild_id: Snowflake,
        id: Snowflake,
        change: EventModify,
        by: Snowflake,
        reason: Option<&str>,
    ) -> ApiResult<()> {
        let event = self.event_for(guild_id, id, by)?.clone();
        self.may_change(&event, by)?;
        if !event.is_open() {
            return Err(ApiError::finished_event());
        }
        let mut next = event.clone();
        let body = &mut next.body;
        body.name = change.name.unwrap_or(std::mem::take(&mut body.name));
        change.description.apply(&mut body.description);
        body.start = change.start.unwrap_or(body.start);
        change.end.apply(&mut body.end);
        body.entity_type = change.entity_type.unwrap_or(body.entity_type);
        change.channel_id.apply(&mut body.channel_id);
        change.location.apply(&mut body.location);
        if body.entity_type != entity::EXTERNAL {
            // "This endpoint silently discards entity_metadata for non-EXTERNAL events."
            body.location = None;
        }
        if change.recurrence.apply(&mut body.recurrence) {
            next.exceptions.clear();
        }
        match change.image {
            Change::Keep => {}
            Change::Clear => next.image = None,
            Change::Set(()) => next.image = Some(picture_hash()),
        }
        next.body.recheck()?;
        self.may_host(guild_id, &next.body, by, Permissions::NONE)?;
        let status = change.status.filter(|status| *status != event.status);
        if let Some(status) = status {
            Self::check_transition(event.status, status)?;
        }
        let before = event.json();
        if let Some(stored) = self.guild_mut(guild_id)?.scheduled_events.get_mut(&id) {
            *stored = next;
        }
        match status {
            Some(status) => self.set_event_status(guild_id, id, status, by),
            None => {
                let after = self.event_for(guild_id, id, by)?.json();
                if before != after {
                    self.dispatch_event(guild_id, id, "GUILD_SCHEDULED_EVENT_UPDATE", &after);
                }
            }
        }
        let after = self.event_for(guild_id, id, by)?.json();
        let changes = changes(&before, &after, NO_CHANGE);
        if !changes.is_empty() {
            self.audit(guild_id, 101, by, Some(id), reason, changes);
        }
        self.schedule_event(guild_id, id);
        Ok(())
    }

    /// Deletes an event for a user who may, sends the gateway event and writes the audit log.
    pub fn delete_event(
        &mut self,
        guild_id: Snowflake,
        id: Snowflake,
        by: Snowflake,
        reason: Option<&str>,
    ) -> ApiResult<()> {
        let event = self.event_for(guild_id, id, by)?;
        self.may_change(event, by)?;
        let shown = event.json();
        self.dispatch_event(guild_id, id, "GUILD_SCHEDULED_EVENT_DELETE", &shown);
        self.guild_mut(guild_id)?.scheduled_events.shift_remove(&id);
        self.audit(guild_id, 102, by, Some(id), reason, changes(&shown, &Value::Null, NO_CHANGE));
        self.unlink_stage(guild_id, id);
        Ok(())
    }

    /// Subscribes a user to an event or one occurrence of it, or withdraws that, and sends the gateway event.
    pub fn subscribe(
        &mut self,
        guild_id: Snowflake,
        id: Snowflake,
        user: Snowflake,
        exception: Option<Snowflake>,
        interested: bool,
    ) -> ApiResult<()> {
        if !self.event_for(guild_id, id, user)?.is_open() {
            return Err(ApiError::finished_event());
        }
        let event = self.guild_mut(guild_id)?.scheduled_events.get_mut(&id);
        let event = event.ok_or_else(ApiError::unknown_scheduled_event)?;
        let changed = match exception {
            Some(exception) => {
                let exception = event.exceptions.get_mut(&exception);
                let users = &mut exception.ok_or_else(ApiError::unknown_scheduled_event)?.users;
                users.insert(user, interested) != Some(interested)
            }
            None if interested => event.users.insert(user),
            None => event.users.remove(&user),
        };
        if changed {
            let mut data = json!({ "guild_scheduled_event_id": id, "user_id": user, "guild_id": guild_id });
            if let Some(exception) = exception {
                data["guild_scheduled_event_exception_id"] = json!(exception);
            }
            let name = if interested {
                "GUILD_SCHEDULED_EVENT_USER_ADD"
            } else {
                "GUILD_SCHEDULED_EVENT_USER_REMOVE"
            };
            self.dispatch_event(guild_id, id, name, &data);
        }
        Ok(())
    }

    /// Checks that a user may change or delete an event.
    pub(super) fn may_change(&self, event: &ScheduledEvent, user: Snowflake) -> ApiResult<()> {
        let own = event.creator_id == user;
        let mut error = ApiError::missing_permissions();
        for needed in [Permissions::MANAGE_EVENTS, Permissions::CREATE_EVENTS] {
            if needed == Permissions::MANAGE_EVENTS || own {
                match self.may_host(event.guild_id, &event.body, user, needed) {
                    Ok(()) => return Ok(()),
                    Err(why) => error = why,
                }
            }
        }
        Err(error)
    }

    /// Checks that a user has the permissions for an event of this type where it takes place (Guild Scheduled Event,
    /// "Permissions Requirements"), and that it can take place there.
    fn may_host(
        &self,
        guild_id: Snowflake,
        body: &EventCreate,
        user: Snowflake,
        needed: Permissions,
    ) -> ApiResult<()> {
        let Some(channel) = body.channel_id.filter(|_| body.entity_type != entity::EXTERNAL) else {
            let guild = self.guild_for(guild_id, user)?;
            let has = self.guild_permissions(user, guild);
            return if has.contains(needed) { Ok(()) } else { Err(ApiError::missing_permissions()) };
        };
        let (kind, there) = match body.entity_type {
            entity::STAGE_INSTANCE => (
                kind::STAGE,
                Permissions::MANAGE_CHANNELS | Permissions::MUTE_MEMBERS | Permissions::MOVE_MEMBERS,
            ),
            _ => (kind::VOICE, Permissions::CONNECT),
        };
        let channel = self.channel_for(channel, user, there | needed)?;
        if channel.guild_id != Some(guild_id) {
            return Err(ApiError::unknown_channel());
        }
        if channel.kind == kind { Ok(()) } else { Err(ApiError::wrong_channel_type()) }
    }

    /// Sends a gateway event to the bots that see a scheduled event.
    fn dispatch_event(&self, guild_id: Snowflake, id: Snowflake, name: &'static str, data: &Value) {
        let event = self.guilds.get(&guild_id).and_then(|guild| guild.scheduled_events.get(&id));
        let Some(event) = event else { return };
        let intents = Intents::for_event(name, true);
        let bots = self.bots_in(guild_id).into_iter().filter(|bot| self.sees_event(*bot, event));
        self.dispatch_each(bots, name, Some(guild_id), intents, |_| Some(data.clone()));
    }
}
