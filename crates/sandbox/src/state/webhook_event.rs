//! Webhook events, which are sent to an address of the application.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::clock;
use crate::snowflake::Snowflake;

/// How long an event is sent again (Webhook Events, "Responding to Events").
const RETRIED_FOR: Duration = Duration::from_mins(10);
/// Wait before the second attempt. Each later one is twice as long; Discord documents no lengths.
const FIRST_WAIT: Duration = Duration::from_secs(5);

/// Numbers of an application's event webhook status (Application, "Application Event Webhook Status").
pub mod status {
    /// Disabled by the developer, as it is by default.
    pub const DISABLED: u64 = 1;
    /// Enabled by the developer.
    pub const ENABLED: u64 = 2;
    /// Disabled by Discord.
    pub const DISABLED_BY_DISCORD: u64 = 3;
}

/// An event that has not been acknowledged yet.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct WebhookEvent {
    /// Number in this world.
    pub id: Snowflake,
    /// Application that it is for.
    pub application: Snowflake,
    /// Its type, such as `ENTITLEMENT_CREATE`.
    pub name: Cow<'static, str>,
    /// Lobby that it is about, which may have an address of its own.
    pub lobby: Option<Snowflake>,
    /// When it happened.
    pub at: OffsetDateTime,
    /// Its data.
    pub data: Value,
    /// Number of attempts so far.
    pub attempts: u32,
    /// When it is sent again. What the agenda has for earlier moments is skipped.
    pub due: OffsetDateTime,
    /// Whether it is being sent.
    #[serde(skip)]
    pub in_flight: bool,
}

impl WebhookEvent {
    /// Returns the body of the request.
    pub fn body(&self) -> Value {
        let at = clock::iso(self.at);
        json!({
            "version": 1,
            "application_id": self.application,
            "type": 1,
            "event": {
                "type": self.name,
                // Without an offset, as in the documentation's examples.
                "timestamp": at.trim_end_matches("+00:00"),
                "data": self.data,
            },
        })
    }

    /// Returns when it is sent again after an attempt that has failed; `None` if the time for that is over.
    pub fn retry(&self, now: OffsetDateTime) -> Option<OffsetDateTime> {
        let doubled = 1_u32.checked_shl(self.attempts.saturating_sub(1)).unwrap_or(u32::MAX);
        let next = clock::later(now, FIRST_WAIT.saturating_mul(doubled));
        (next <= clock::later(self.at, RETRIED_FOR)).then_some(next)
    }
}

/// Returns the body of the request with which an address is verified.
pub fn ping(application: Snowflake) -> Value {
    json!({ "version": 1, "application_id": application, "type": 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_sent_again_ever_more_seldom_for_ten_minutes() {
        let at = OffsetDateTime::from_unix_timestamp(1_729_262_573).unwrap() + Duration::from_micros(64_834);
        let mut event = WebhookEvent {
            id: Snowflake(1),
            application: Snowflake(2),
            name: "ENTITLEMENT_CREATE".into(),
            lobby: None,
            at,
            data: json!({}),
            attempts: 0,
            due: at,
            in_flight: false,
        };
        assert_eq!(event.body()["event"]["timestamp"], "2024-10-18T14:42:53.064834");
        let (mut now, mut waits) = (at, Vec::new());
        loop {
            event.attempts += 1;
            let Some(next) = event.retry(now) else { break };
            waits.push((next - now).whole_seconds());
            now = next;
        }
        assert_eq!(waits, [5, 10, 20, 40, 80, 160]);
        event.attempts = u32::MAX;
        assert_eq!(event.retry(at), None);
    }
}
