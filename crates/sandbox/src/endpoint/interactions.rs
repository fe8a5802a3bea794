//! Interactions for an endpoint: the answer is the initial response, or is to come as a callback (Receiving and Responding,
//! "Interaction Callback").

use axum::http::StatusCode;
use serde_json::Value;

use super::Inner;
use super::request::{Exchange, Request, wrong_status};
use crate::error::ApiError;
use crate::fault::{GatewayEffect, lay_over};
use crate::snowflake::Snowflake;
use crate::state::endpoint::Endpoint;
use crate::state::interaction::Delivery;
use crate::state::key_pair::KeyPair;
use crate::validate;

/// Name of the gateway event that this is in place of, which faults name.
const EVENT: &str = "INTERACTION_CREATE";
/// Operation whose body an answer has.
const CALLBACK: &str = "/interactions/{interaction.id}/{interaction.token}/callback";

/// An interaction on its way.
struct Sent<'a> {
    id: Snowflake,
    application: Snowflake,
    url: &'a str,
    keys: &'a KeyPair,
    payload: &'a Value,
    cut: Option<usize>,
    fault: Option<u64>,
}

impl Inner {
    /// Sends an interaction, and takes the answer as its initial response.
    pub(super) async fn send_interaction(&self, id: Snowflake, application: Snowflake, mut payload: Value) {
        let (effect, fault) = self.strike(application, EVENT).await;
        let endpoint = {
            let live = self.discord.lock();
            let found = live.applications.get(&application);
            found.and_then(|found| {
                Some((found.endpoint(Endpoint::Interactions)?.to_owned(), found.key_pair.clone()))
            })
        };
        let Some((url, keys)) = endpoint else {
            let reason = "the interactions endpoint was removed before the interaction was sent".to_owned();
            self.discord.lock().delivered(id, Delivery::Failed(reason));
            return;
        };
        let mut times = 1;
        let mut cut = None;
        match effect {
            // It is lost, so the user waits in vain.
            GatewayEffect::Ignore => return,
            GatewayEffect::Sever => {
                let rule = fault.unwrap_or_default();
                let reason = format!("fault {rule} has dropped the connection to the interactions endpoint");
                self.discord.lock().delivered(id, Delivery::Failed(reason));
                return;
            }
            GatewayEffect::Patch { merge } => lay_over(&mut payload, &merge),
            GatewayEffect::Truncate { bytes } => cut = Some(bytes),
            GatewayEffect::Duplicate { extra } => times += extra,
            _ => {}
        }
        let sent = Sent { id, application, url: &url, keys: &keys, payload: &payload, cut, fault };
        for attempt in 1..=times {
            self.send_once(&sent, attempt).await;
        }
    }

    async fn send_once(&self, sent: &Sent<'_>, attempt: u32) {
        let age = self.discord.lock().interactions.get(sent.id).map(|found| found.created.elapsed());
        let Some(age) = age else { return };
        let mut exchange = self
            .post(Request {
                endpoint: Endpoint::Interactions,
                url: sent.url,
                application: sent.application,
                event: EVENT,
                attempt,
                keys: sent.keys,
                body: sent.payload,
                cut: sent.cut,
                deadline: self.deadline().saturating_sub(age),
                fault: sent.fault,
            })
            .await;
        let delivery = match self.take_response(sent.id, &mut exchange).await {
            Ok(()) => Delivery::Accepted,
            Err(reason) => {
                exchange.fail(&reason);
                Delivery::Failed(reason)
            }
        };
        // The log has the entry before anybody sees the consequence.
        drop(exchange);
        self.discord.lock().delivered(sent.id, delivery);
    }

    /// Takes an answer as the initial response, unless that is to come as a callback. The error is one sentence without its
    /// end.
    async fn take_response(&self, id: Snowflake, exchange: &mut Exchange) -> Result<(), String> {
        let url = exchange.url().to_owned();
        let reply = std::mem::replace(&mut exchange.reply, Err(String::new()))?;
        if reply.status == StatusCode::ACCEPTED && reply.body.is_empty() {
            return Ok(());
        }
        if reply.status != StatusCode::OK {
            let status = wrong_status(reply.status, "with 200 and a response, or 202 and no body");
            return Err(format!("{url} answered {status}"));
        }
        let refused = |error: ApiError| format!("the response of {url} is refused: {}", error.to_json());
        let payload = reply.payload().await.map_err(refused)?;
        let mut live = self.discord.lock();
        let token = live.interactions.get(id).map(|found| found.token.clone()).unwrap_or_default();
        let (result, unread) =
            validate::unread::collect(|| live.respond(id, &token, &payload.json, payload.uploads));
        result.map_err(refused)?;
        drop(live);
        self.gaps.unread("POST", CALLBACK, unread, &self.log);
        Ok(())
    }
}
