//! Webhook events: sent until they are acknowledged (Webhook Events, "Responding to Events").

use axum::http::StatusCode;

use super::Inner;
use super::request::{Request, wrong_status};
use crate::fault::{GatewayEffect, lay_over};
use crate::live::Attempt;
use crate::snowflake::Snowflake;
use crate::state::endpoint::Endpoint;

impl Inner {
    /// Makes an attempt to send an event.
    pub(super) async fn send_event(&self, id: Snowflake) {
        // The semaphore is never closed.
        let _permit = self.events.acquire().await;
        let Some(Attempt { event, url, keys }) = self.discord.lock().attempt_event(id) else { return };
        let mut body = event.body();
        let (effect, fault) = self.strike(event.application, &event.name).await;
        let mut times = 1;
        let mut cut = None;
        let mut failure = None;
        match effect {
            // It is lost, and nobody knows.
            GatewayEffect::Ignore => return self.discord.lock().forget_event(id),
            GatewayEffect::Sever => {
                failure = Some(format!("fault {} has dropped the connection", fault.unwrap_or_default()));
            }
            GatewayEffect::Patch { merge } => lay_over(&mut body["event"]["data"], &merge),
            GatewayEffect::Truncate { bytes } => cut = Some(bytes),
            GatewayEffect::Duplicate { extra } => times += extra,
            _ => {}
        }
        for _ in 0..times {
            if failure.is_some() {
                break;
            }
            let exchange = self.post(Request {
                endpoint: Endpoint::Events,
                url: &url,
                application: event.application,
                event: &event.name,
                attempt: event.attempts,
                keys: &keys,
                body: &body,
                cut,
                deadline: self.deadline(),
                fault,
            });
            let mut exchange = exchange.await;
            failure = match &exchange.reply {
                Ok(reply) if reply.status == StatusCode::NO_CONTENT => None,
                Ok(reply) => {
                    Some(format!("{} answered {}", exchange.url(), wrong_status(reply.status, "with 204")))
                }
                Err(reason) => Some(reason.clone()),
            };
            if let Some(reason) = &failure {
                exchange.fail(reason);
            }
        }
        let mut live = self.discord.lock();
        let Some(reason) = failure else { return live.event_acknowledged(id) };
        if let Some(next) = live.event_failed(id) {
            let name = &event.name;
            self.log.note(format!("the webhook event {name} was not acknowledged: {reason}; {next}"), None);
        }
    }
}
