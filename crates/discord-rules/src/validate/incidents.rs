//! Incident actions of a guild: until when invites and direct messages are paused.

use serde_json::Value;
use time::{Duration, OffsetDateTime};

use super::form::{Change, Form};
use crate::error::{ApiResult, FieldError};

/// Longest pause.
const LONGEST: Duration = Duration::hours(24);

/// Fields of the incident actions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IncidentsBody {
    /// When invites are enabled again.
    pub invites_disabled_until: Change<OffsetDateTime>,
    /// When direct messages are enabled again.
    pub dms_disabled_until: Change<OffsetDateTime>,
}

/// Reads the body of the incident actions, at the moment `now`.
pub fn actions(body: &Value, now: OffsetDateTime) -> ApiResult<IncidentsBody> {
    let until = |form: &mut Form, value: &Value| {
        let until = form.moment(value)?;
        if until > now + LONGEST {
            let sentence = "Actions can be paused for 24 hours at most.";
            form.complain(FieldError::new("GUILD_INCIDENT_ACTIONS_INVALID_DATE", sentence));
            return None;
        }
        Some(until)
    };
    Form::read_object(body, |form, body| {
        Some(IncidentsBody {
            invites_disabled_until: form.field(body, "invites_disabled_until", until),
            dms_disabled_until: form.field(body, "dms_disabled_until", until),
        })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pause_lasts_at_most_a_day() {
        let read = |until: &str| actions(&json!({ "dms_disabled_until": until }), OffsetDateTime::UNIX_EPOCH);
        assert!(read("1970-01-02T00:00:00Z").is_ok());
        let error = read("1970-01-02T00:00:01Z").unwrap_err();
        assert_eq!(error.errors().unwrap().at(&["dms_disabled_until"]).len(), 1);
        let body = json!({ "invites_disabled_until": null });
        let body = actions(&body, OffsetDateTime::UNIX_EPOCH).unwrap();
        assert_eq!((body.invites_disabled_until, body.dms_disabled_until), (Change::Clear, Change::Keep));
    }
}
