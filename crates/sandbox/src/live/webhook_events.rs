//! Webhook events: which application gets which, and what becomes of an event that is not acknowledged (Webhook Events,
//! "Responding to Events").

use serde_json::Value;
use time::OffsetDateTime;

use super::Live;
use super::outbox::Outgoing;
use crate::snowflake::Snowflake;
use crate::state::agenda::Due;
use crate::state::endpoint::Endpoint;
use crate::state::key_pair::KeyPair;
use crate::state::webhook_event::WebhookEvent;

/// Most events of an application that wait; the oldest are dropped.
const MOST_WAITING: usize = 1000;
/// Number of events in a row that are given up until no more are sent. Discord documents none.
const MOST_GIVEN_UP: u32 = 5;

/// An attempt to send an event.
#[derive(Debug)]
pub struct Attempt {
    /// The event as it is now.
    pub event: WebhookEvent,
    /// Address to send it to.
    pub url: String,
    /// Key pair of the application.
    pub keys: KeyPair,
}

impl Live<'_> {
    /// Sends an application an event if it subscribes to it.
    pub(super) fn notify(&mut self, application: Snowflake, name: &'static str, data: Value) {
        self.notify_from(application, None, name, data);
    }

    /// Sends the application of a lobby an event, to the lobby's own address if it has one.
    pub(super) fn notify_of_lobby(&mut self, lobby: Snowflake, name: &'static str, data: Value) {
        let Some(application) = self.lobbies.get(&lobby).map(|lobby| lobby.application) else { return };
        self.notify_from(application, Some(lobby), name, data);
    }

    fn notify_from(
        &mut self,
        application: Snowflake,
        lobby: Option<Snowflake>,
        name: &'static str,
        data: Value,
    ) {
        let subscribed = self.applications.get(&application).is_some_and(|found| found.subscribes_to(name));
        if !subscribed || self.event_address(application, lobby).is_none() {
            return;
        }
        let waiting = self.webhook_events.values().filter(|event| event.application == application);
        if waiting.clone().count() >= MOST_WAITING
            && let Some(oldest) = waiting.map(|event| event.id).next()
        {
            self.forget_event(oldest);
            let sentence = format!("a webhook event is dropped, since {MOST_WAITING} of {application} wait");
            self.hub.log().note(sentence, None);
        }
        let (id, at) = (self.next_id(), self.clock.now());
        let event = WebhookEvent {
            id,
            application,
            name: name.into(),
            lobby,
            at,
            data,
            attempts: 0,
            due: at,
            in_flight: true,
        };
        self.webhook_events.insert(id, event);
        self.outbox.push(Outgoing::Event(id));
    }

    /// Returns the address for the events of an application, or of one of its lobbies.
    fn event_address(&self, application: Snowflake, lobby: Option<Snowflake>) -> Option<&str> {
        let own = lobby.and_then(|id| self.lobbies.get(&id)?.webhooks_url.as_deref());
        own.or_else(|| self.applications.get(&application)?.endpoint(Endpoint::Events))
    }

    /// Begins an attempt to send an event. Returns `None` if it is not to be sent any more.
    pub fn attempt_event(&mut self, id: Snowflake) -> Option<Attempt> {
        let event = self.webhook_events.get(&id)?;
        let application = self.applications.get(&event.application);
        let application = application.filter(|application| application.subscribes_to(&event.name));
        let keys = application.map(|application| application.key_pair.clone());
        let url = self.event_address(event.application, event.lobby).map(str::to_owned);
        let Some((keys, url)) = keys.zip(url) else {
            self.forget_event(id);
            return None;
        };
        let event = self.webhook_events.get_mut(&id)?;
        event.attempts += 1;
        Some(Attempt { event: event.clone(), url, keys })
    }

    /// Removes an event that is not sent any more.
    pub fn forget_event(&mut self, id: Snowflake) {
        self.webhook_events.shift_remove(&id);
    }

    /// Removes an event that was acknowledged.
    pub fn event_acknowledged(&mut self, id: Snowflake) {
        let Some(event) = self.webhook_events.shift_remove(&id) else { return };
        if let Some(application) = self.applications.get_mut(&event.application) {
            application.events_given_up = 0;
        }
    }

    /// Sends an event again later, or gives it up. After several in a row that were given up, the application gets no more.
    /// Returns what happens next, as the end of a sentence.
    pub fn event_failed(&mut self, id: Snowflake) -> Option<String> {
        let now = self.clock.now();
        let event = self.webhook_events.get_mut(&id)?;
        event.in_flight = false;
        if let Some(next) = event.retry(now) {
            event.due = next;
            let seconds = (next - now).whole_seconds();
            self.schedule(next, Due::WebhookEvent { event: id });
            return Some(format!("it is sent again in {seconds} s"));
        }
        let application = self.webhook_events.shift_remove(&id)?.application;
        let found = self.applications.get_mut(&application)?;
        found.events_given_up += 1;
        if found.events_given_up < MOST_GIVEN_UP {
            return Some("it is given up after 10 minutes".to_owned());
        }
        found.disable_event_webhooks();
        self.webhook_events.retain(|_, event| event.application != application);
        Some(format!(
            "it is given up, and webhook events are disabled (event_webhooks_status 3), as {MOST_GIVEN_UP} in a row were not \
             acknowledged; set the status to 2 to enable them again"
        ))
    }

    /// Sends an event again.
    pub(super) fn webhook_event_is_due(&mut self, id: Snowflake, now: OffsetDateTime) {
        let event = self.webhook_events.get_mut(&id).filter(|event| !event.in_flight && event.due <= now);
        if let Some(event) = event {
            event.in_flight = true;
            self.outbox.push(Outgoing::Event(id));
        }
    }

    /// Sends the pending events of a world that was read.
    pub(super) fn resume_webhook_events(&mut self) {
        let now = self.clock.now();
        let overdue: Vec<Snowflake> =
            self.webhook_events.values().filter(|event| event.due <= now).map(|event| event.id).collect();
        for event in overdue {
            self.webhook_event_is_due(event, now);
        }
    }
}
