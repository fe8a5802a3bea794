//! How the status of an event changes, by a request and by itself (Guild Scheduled Event, "Status Update Automation").

use time::OffsetDateTime;

use super::super::Live;
use crate::error::{ApiError, ApiResult, FieldError};
use crate::snowflake::Snowflake;
use crate::state::agenda::Due;
use crate::state::clock;
use crate::state::scheduled_event::{ScheduledEvent, status};
use crate::validate::scheduled_event::entity;

impl Live<'_> {
    /// Checks that a status may follow another.
    pub(super) fn check_transition(from: u8, to: u8) -> ApiResult<()> {
        use status::{ACTIVE, CANCELED, COMPLETED, SCHEDULED};
        if matches!((from, to), (SCHEDULED, ACTIVE | CANCELED) | (ACTIVE, COMPLETED)) {
            return Ok(());
        }
        let error =
            FieldError::new("GUILD_SCHEDULED_EVENT_INVALID_STATUS", "Invalid Guild Scheduled Event Status");
        Err(ApiError::field(&["status"], error))
    }

    /// Sets the status of an event and sends the gateway events. A stage starts and ends with its event. A recurring
    /// event that is over is scheduled for its next occurrence.
    pub(in crate::live) fn set_event_status(
        &mut self,
        guild_id: Snowflake,
        id: Snowflake,
        status: u8,
        by: Snowflake,
    ) {
        let now = self.clock.now();
        let Some(event) = self.event_mut(guild_id, id) else { return };
        event.status = status;
        event.started = (status == status::ACTIVE).then_some(now);
        if status == status::COMPLETED {
            event.recur(now);
        }
        match status {
            status::ACTIVE if event.body.entity_type == entity::STAGE_INSTANCE => {
                if let Some(channel) = event.body.channel_id {
                    let topic = event.body.name.clone();
                    self.open_stage_for_event(channel, id, topic, by);
                }
            }
            status::COMPLETED | status::CANCELED => event.entity_id = None,
            _ => {}
        }
        self.announce_event(guild_id, id);
        if status == status::COMPLETED {
            self.close_stage_of_event(guild_id, id, by);
        }
        self.schedule_event(guild_id, id);
    }

    /// Sends the gateway event of a changed event.
    pub(in crate::live) fn announce_event(&self, guild_id: Snowflake, id: Snowflake) {
        let event = self.guilds.get(&guild_id).and_then(|guild| guild.scheduled_events.get(&id));
        if let Some(data) = event.map(ScheduledEvent::json) {
            self.dispatch_event(guild_id, id, "GUILD_SCHEDULED_EVENT_UPDATE", &data);
        }
    }

    /// Returns an event, to change it.
    pub(in crate::live) fn event_mut(
        &mut self,
        guild: Snowflake,
        id: Snowflake,
    ) -> Option<&mut ScheduledEvent> {
        self.guilds.get_mut(&guild)?.scheduled_events.get_mut(&id)
    }

    /// Puts on the agenda what will happen to an event by itself.
    pub(in crate::live) fn schedule_event(&mut self, guild: Snowflake, event: Snowflake) {
        let found = self.guilds.get(&guild).and_then(|guild| guild.scheduled_events.get(&event));
        let Some(found) = found else { return };
        let overdue = clock::later(found.body.start, self.limits.event_overdue);
        let is_external = found.body.entity_type == entity::EXTERNAL;
        let moments = match found.status {
            status::SCHEDULED if is_external => [Some(found.body.start), Some(overdue)],
            status::SCHEDULED => [Some(overdue), None],
            status::ACTIVE if is_external => [found.body.end, None],
            status::ACTIVE => [Some(clock::later(self.clock.now(), self.limits.empty_channel)), None],
            _ => [None, None],
        };
        for at in moments.into_iter().flatten() {
            self.schedule(at, Due::ScheduledEvent { guild, event });
        }
    }

    /// Lets an external event start and end, ends an event in a channel that is empty, and cancels one that did not
    /// start.
    pub(in crate::live) fn event_is_due(&mut self, guild: Snowflake, id: Snowflake, now: OffsetDateTime) {
        let event = self.guilds.get(&guild).and_then(|guild| guild.scheduled_events.get(&id));
        let Some(event) = event else { return };
        let by = event.creator_id;
        let body = &event.body;
        let is_external = body.entity_type == entity::EXTERNAL;
        let next = match event.status {
            status::SCHEDULED if is_external && body.start <= now => Some(status::ACTIVE),
            status::SCHEDULED if clock::later(body.start, self.limits.event_overdue) <= now => {
                Some(status::CANCELED)
            }
            status::ACTIVE if is_external && body.end.is_some_and(|end| end <= now) => {
                Some(status::COMPLETED)
            }
            status::ACTIVE if !is_external => {
                let channel = body.channel_id.and_then(|id| self.channels.get(&id));
                let since = channel.and_then(|channel| channel.empty_since);
                since
                    .map(|since| event.started.map_or(since, |started| since.max(started)))
                    .filter(|since| clock::later(*since, self.limits.empty_channel) <= now)
                    .map(|_| status::COMPLETED)
            }
            _ => None,
        };
        if let Some(next) = next {
            self.set_event_status(guild, id, next, by);
        }
    }

    /// Cancels the events in a channel that is deleted.
    pub(in crate::live) fn cancel_events_in(&mut self, guild_id: Snowflake, channel: Snowflake) {
        let Some(guild) = self.guilds.get(&guild_id) else { return };
        let here = guild.scheduled_events.values().filter(|event| event.body.channel_id == Some(channel));
        let open: Vec<_> = here
            .filter(|event| event.is_open())
            .map(|event| (event.id, event.status, event.creator_id))
            .collect();
        for (id, status, by) in open {
            let next = if status == status::ACTIVE { status::COMPLETED } else { status::CANCELED };
            if let Some(event) = self.event_mut(guild_id, id) {
                event.body.recurrence = None;
            }
            self.set_event_status(guild_id, id, next, by);
        }
    }
}

impl ScheduledEvent {
    /// Moves a recurring event that is over to its next occurrence that is not canceled.
    fn recur(&mut self, now: OffsetDateTime) {
        let Some(rule) = &self.body.recurrence else { return };
        let mut next = rule.next_after(self.body.start.max(now));
        while let Some(at) = next {
            let exception = self.exceptions.get(&Self::exception_id(at));
            if exception.is_none_or(|exception| !exception.is_canceled) {
                break;
            }
            next = rule.next_after(at);
        }
        if let Some(at) = next {
            let length = self.body.end.map(|end| end - self.body.start);
            self.body.start = at;
            self.body.end = length.map(|length| at.saturating_add(length));
            self.status = status::SCHEDULED;
        }
    }
}
