//! Exceptions: occurrences of a recurring event that are moved or canceled.

use serde_json::Value;
use time::OffsetDateTime;

use super::super::Live;
use super::super::changes::changes;
use crate::error::{ApiError, ApiResult};
use crate::snowflake::Snowflake;
use crate::state::scheduled_event::{Exception, ScheduledEvent};
use crate::validate::scheduled_event::{ExceptionBody, no_occurrence};

/// Fields of an exception that no entry of the audit log names.
const NO_CHANGE: &[&str] = &["event_id", "event_exception_id"];

/// The gateway event and the action of the audit log for a change of an exception.
type Report = (&'static str, u64);

const CREATE: Report = ("GUILD_SCHEDULED_EVENT_EXCEPTION_CREATE", 200);
const UPDATE: Report = ("GUILD_SCHEDULED_EVENT_EXCEPTION_UPDATE", 201);
const DELETE: Report = ("GUILD_SCHEDULED_EVENT_EXCEPTION_DELETE", 202);

impl Exception {
    fn apply(&mut self, body: ExceptionBody) {
        body.start.apply(&mut self.start);
        body.end.apply(&mut self.end);
        body.is_canceled.apply_or(&mut self.is_canceled, false);
    }
}

impl Live<'_> {
    /// Adds an exception for the occurrence that would start at this moment, or changes the one that is there.
    pub fn create_exception(
        &mut self,
        guild: Snowflake,
        event: Snowflake,
        original: OffsetDateTime,
        body: ExceptionBody,
        by: Snowflake,
        reason: Option<&str>,
    ) -> ApiResult<Value> {
        let found = self.changeable(guild, event, by)?;
        let rule = found.body.recurrence.as_ref();
        if !rule.is_some_and(|rule| rule.occurs_at(original)) {
            return Err(no_occurrence());
        }
        let id = ScheduledEvent::exception_id(original);
        self.put_exception(guild, event, id, body, by, reason)
    }

    /// Changes an exception.
    pub fn edit_exception(
        &mut self,
        guild: Snowflake,
        event: Snowflake,
        id: Snowflake,
        body: ExceptionBody,
        by: Snowflake,
        reason: Option<&str>,
    ) -> ApiResult<Value> {
        if !self.changeable(guild, event, by)?.exceptions.contains_key(&id) {
            return Err(ApiError::unknown_scheduled_event());
        }
        self.put_exception(guild, event, id, body, by, reason)
    }

    /// Removes an exception, so that the occurrence follows the rule again.
    pub fn delete_exception(
        &mut self,
        guild: Snowflake,
        event: Snowflake,
        id: Snowflake,
        by: Snowflake,
        reason: Option<&str>,
    ) -> ApiResult<()> {
        self.changeable(guild, event, by)?;
        let gone = self.event_mut(guild, event).and_then(|event| event.exceptions.remove(&id));
        let gone = gone.ok_or_else(ApiError::unknown_scheduled_event)?.json(event, id);
        self.report_exception(guild, event, DELETE, &gone, &Value::Null, by, reason);
        Ok(())
    }

    /// Returns an open event whose exceptions a user may change.
    fn changeable(&self, guild: Snowflake, event: Snowflake, by: Snowflake) -> ApiResult<&ScheduledEvent> {
        let event = self.event_for(guild, event, by)?;
        self.may_change(event, by)?;
        if event.is_open() { Ok(event) } else { Err(ApiError::finished_event()) }
    }

    fn put_exception(
        &mut self,
        guild: Snowflake,
        event: Snowflake,
        id: Snowflake,
        body: ExceptionBody,
        by: Snowflake,
        reason: Option<&str>,
    ) -> ApiResult<Value> {
        let exceptions =
            &mut self.event_mut(guild, event).ok_or_else(ApiError::unknown_scheduled_event)?.exceptions;
        let before = exceptions.get(&id).map(|exception| exception.json(event, id));
        let exception = exceptions.entry(id).or_default();
        exception.apply(body);
        let after = exception.json(event, id);
        let report = if before.is_some() { UPDATE } else { CREATE };
        let before = before.unwrap_or_default();
        if before != after {
            self.report_exception(guild, event, report, &before, &after, by, reason);
        }
        Ok(after)
    }

    #[expect(clippy::too_many_arguments, reason = "what, where, by whom and why belong to one report")]
    fn report_exception(
        &mut self,
        guild: Snowflake,
        event: Snowflake,
        (name, action): Report,
        before: &Value,
        after: &Value,
        by: Snowflake,
        reason: Option<&str>,
    ) {
        let shown = if after.is_null() { before } else { after };
        self.dispatch_event(guild, event, name, shown);
        self.audit(guild, action, by, Some(event), reason, changes(before, after, NO_CHANGE));
    }
}
