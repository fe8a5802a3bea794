//! Scheduled events: bodies of events and of exceptions from their recurrence (Guild Scheduled Event).

mod recurrence;

use serde_json::Value;
use time::OffsetDateTime;

use super::form::{Change, Form, Object};
use crate::error::{ApiError, ApiResult, FieldError};
use crate::snowflake::Snowflake;

pub use recurrence::Recurrence;

/// Discord's numbers of entity types.
pub mod entity {
    /// In a stage channel.
    pub const STAGE_INSTANCE: u8 = 1;
    /// In a voice channel.
    pub const VOICE: u8 = 2;
    /// Somewhere else.
    pub const EXTERNAL: u8 = 3;
}

/// Fields of an event that is created.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct EventCreate {
    /// Name.
    pub name: String,
    /// Description.
    pub description: Option<String>,
    /// When it starts.
    pub start: OffsetDateTime,
    /// When it ends.
    pub end: Option<OffsetDateTime>,
    /// See [`entity`].
    pub entity_type: u8,
    /// Channel of a stage or voice event.
    pub channel_id: Option<Snowflake>,
    /// Place of an external event.
    pub location: Option<String>,
    /// How it recurs.
    pub recurrence: Option<Recurrence>,
    /// Whether it has a cover image.
    pub image: bool,
}

/// Fields of an event that a modification names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventModify {
    /// Name.
    pub name: Option<String>,
    /// Description.
    pub description: Change<String>,
    /// When it starts.
    pub start: Option<OffsetDateTime>,
    /// When it ends.
    pub end: Change<OffsetDateTime>,
    /// See [`entity`].
    pub entity_type: Option<u8>,
    /// Channel.
    pub channel_id: Change<Snowflake>,
    /// Place.
    pub location: Change<String>,
    /// Status, 1 to 4.
    pub status: Option<u8>,
    /// How it recurs.
    pub recurrence: Change<Recurrence>,
    /// Cover image.
    pub image: Change<()>,
}

/// Fields of an exception; `None` in a creation or modification that does not name them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExceptionBody {
    /// When this occurrence starts instead.
    pub start: Change<OffsetDateTime>,
    /// When this occurrence ends instead.
    pub end: Change<OffsetDateTime>,
    /// Whether this occurrence is canceled.
    pub is_canceled: Change<bool>,
}

/// Reads the body of a creation at the moment `now`.
pub fn create(body: &Value, now: OffsetDateTime) -> ApiResult<EventCreate> {
    Form::read_object(body, |form, body| {
        let name = form.required(body, "name", name);
        let description = form.optional(body, "description", description);
        form.required(body, "privacy_level", |form, value| form.one_of(value, &[2]));
        let entity_type = form.required(body, "entity_type", |form, value| form.one_of(value, &[1, 2, 3]));
        let start = form.required(body, "scheduled_start_time", |form, value| future(form, value, now));
        let end = form.optional(body, "scheduled_end_time", Form::moment);
        let channel_id = form.optional(body, "channel_id", Form::snowflake);
        let location = form.optional(body, "entity_metadata", location).and_then(Change::value);
        let recurrence = form.optional(body, "recurrence_rule", recurrence::read);
        let image = form.optional(body, "image", image).is_some();
        let event = EventCreate {
            name: name?,
            description,
            start: start?,
            end,
            entity_type: entity_type?,
            channel_id,
            location,
            recurrence,
            image,
        };
        event.check(form);
        Some(event)
    })
}

impl EventCreate {
    /// Reports what the type of the event requires and is not there (Guild Scheduled Event, "Field Requirements By Entity
    /// Type").
    fn check(&self, form: &mut Form) {
        if self.entity_type == entity::EXTERNAL {
            if self.channel_id.is_some() {
                form.complain_at("channel_id", not_for_external());
            }
            if self.location.is_none() {
                form.within("entity_metadata", |form| form.complain_at("location", FieldError::required()));
            }
            if self.end.is_none() {
                form.complain_at("scheduled_end_time", FieldError::required());
            }
        } else if self.channel_id.is_none() {
            form.complain_at("channel_id", FieldError::required());
        }
        if self.end.is_some_and(|end| end <= self.start) {
            form.complain_at("scheduled_end_time", ends_too_early());
        }
    }

    /// Checks an event after a modification as if it were created.
    pub fn recheck(&self) -> ApiResult<()> {
        Form::read(|form| {
            self.check(form);
            form.is_clean().then_some(())
        })
    }
}

fn not_for_external() -> FieldError {
    FieldError::new("GUILD_SCHEDULED_EVENT_CHANNEL_ID_INVALID", "External events have no channel")
}

fn ends_too_early() -> FieldError {
    FieldError::new(
        "GUILD_SCHEDULED_EVENT_END_TIME_BEFORE_START_TIME",
        "Cannot schedule event to end before it starts.",
    )
}

/// Reads the body of a modification at the moment `now`.
pub fn modify(body: &Value, now: OffsetDateTime) -> ApiResult<EventModify> {
    Form::read_object(body, |form, body| {
        form.present(body, "privacy_level", |form, value| form.one_of(value, &[2]));
        let location = form.field(body, "entity_metadata", location);
        Some(EventModify {
            name: form.present(body, "name", name),
            description: form.field(body, "description", description),
            start: form.present(body, "scheduled_start_time", |form, value| future(form, value, now)),
            end: form.field(body, "scheduled_end_time", Form::moment),
            entity_type: form.optional(body, "entity_type", |form, value| form.one_of(value, &[1, 2, 3])),
            channel_id: form.field(body, "channel_id", Form::snowflake),
            location: match location {
                Change::Set(Change::Set(location)) => Change::Set(location),
                Change::Set(_) | Change::Clear => Change::Clear,
                Change::Keep => Change::Keep,
            },
            status: form.optional(body, "status", |form, value| form.one_of(value, &[1, 2, 3, 4])),
            recurrence: form.field(body, "recurrence_rule", recurrence::read),
            image: form.field(body, "image", image),
        })
    })
}

/// Reads the body of a new exception: the original start of the occurrence, and what is different.
pub fn exception(body: &Value) -> ApiResult<(OffsetDateTime, ExceptionBody)> {
    Form::read_object(body, |form, body| {
        let original = form.required(body, "original_scheduled_start_time", Form::moment);
        let exception = read_exception(form, body);
        Some((original?, exception))
    })
}

/// Reads the body of an exception's modification.
pub fn modify_exception(body: &Value) -> ApiResult<ExceptionBody> {
    Form::read_object(body, |form, body| Some(read_exception(form, body)))
}

/// Returns the error of a moment at which the event does not recur.
pub fn no_occurrence() -> ApiError {
    let error = FieldError::new(
        "GUILD_SCHEDULED_EVENT_EXCEPTION_INVALID_START_TIME",
        "The event does not recur at this time.",
    );
    ApiError::field(&["original_scheduled_start_time"], error)
}

fn read_exception(form: &mut Form, body: &Object) -> ExceptionBody {
    let read = ExceptionBody {
        start: form.field(body, "scheduled_start_time", Form::moment),
        end: form.field(body, "scheduled_end_time", Form::moment),
        is_canceled: form.field(body, "is_canceled", Form::boolean),
    };
    if let (Some(start), Some(end)) = (read.start.as_ref(), read.end.as_ref())
        && end <= start
    {
        form.complain_at("scheduled_end_time", ends_too_early());
    }
    read
}

fn name(form: &mut Form, value: &Value) -> Option<String> {
    form.trimmed(value, 1..=100)
}

fn description(form: &mut Form, value: &Value) -> Option<String> {
    form.trimmed(value, 0..=1000)
}

fn future(form: &mut Form, value: &Value, now: OffsetDateTime) -> Option<OffsetDateTime> {
    let at = form.moment(value)?;
    if at <= now {
        let code = "GUILD_SCHEDULED_EVENT_SCHEDULE_PAST";
        form.complain(FieldError::new(code, "Cannot schedule event in the past."));
        return None;
    }
    Some(at)
}

fn location(form: &mut Form, value: &Value) -> Option<Change<String>> {
    let metadata = form.object(value)?;
    Some(form.field(metadata, "location", |form, value| form.trimmed(value, 1..=100)))
}

fn image(form: &mut Form, value: &Value) -> Option<()> {
    let text = form.any_text(value)?;
    if text.starts_with("data:image/") {
        return Some(());
    }
    form.complain(FieldError::new("IMAGE_INVALID", "Invalid image data"));
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    fn event(change: &Value) -> Value {
        let mut body = json!({ "name": "n", "privacy_level": 2, "entity_type": 3,
            "scheduled_start_time": "2030-01-01T10:00:00Z", "scheduled_end_time": "2030-01-01T11:00:00Z",
            "entity_metadata": { "location": "here" } });
        for (key, value) in change.as_object().unwrap() {
            body[key] = value.clone();
        }
        body
    }

    fn wrong_at(change: &Value, path: &[&str]) -> String {
        let error = create(&event(change), NOW).unwrap_err();
        error.errors().unwrap().at(path).first().unwrap_or_else(|| panic!("{error:?}")).code.to_string()
    }

    #[test]
    fn each_type_of_event_requires_its_own_fields() {
        assert!(create(&event(&json!({})), NOW).is_ok());
        let required = "BASE_TYPE_REQUIRED";
        assert_eq!(wrong_at(&json!({ "entity_metadata": {} }), &["entity_metadata", "location"]), required);
        assert_eq!(wrong_at(&json!({ "scheduled_end_time": null }), &["scheduled_end_time"]), required);
        assert_eq!(wrong_at(&json!({ "entity_type": 2 }), &["channel_id"]), required);
        let place = "GUILD_SCHEDULED_EVENT_CHANNEL_ID_INVALID";
        assert_eq!(wrong_at(&json!({ "channel_id": "1" }), &["channel_id"]), place);
        let voice = json!({ "entity_type": 2, "channel_id": "1", "scheduled_end_time": null, "entity_metadata": null });
        assert!(create(&event(&voice), NOW).is_ok());
    }

    #[test]
    fn times_and_texts_have_limits() {
        for (change, path, code) in [
            (json!({ "name": "n".repeat(101) }), "name", "BASE_TYPE_BAD_LENGTH"),
            (json!({ "description": "d".repeat(1001) }), "description", "BASE_TYPE_MAX_LENGTH"),
            (json!({ "privacy_level": 1 }), "privacy_level", "BASE_TYPE_CHOICES"),
            (json!({ "entity_type": 4 }), "entity_type", "BASE_TYPE_CHOICES"),
            (
                json!({ "scheduled_start_time": "1969-01-01T00:00:00Z" }),
                "scheduled_start_time",
                "GUILD_SCHEDULED_EVENT_SCHEDULE_PAST",
            ),
            (
                json!({ "scheduled_end_time": "2030-01-01T10:00:00Z" }),
                "scheduled_end_time",
                "GUILD_SCHEDULED_EVENT_END_TIME_BEFORE_START_TIME",
            ),
            (json!({ "image": "x" }), "image", "IMAGE_INVALID"),
        ] {
            assert_eq!(wrong_at(&change, &[path]), code, "{change}");
        }
        assert!(modify(&json!({ "status": 5 }), NOW).is_err());
        assert!(modify(&json!({}), NOW).unwrap() == EventModify::default());
    }
}
