//! Whether an address may be set: it answers a PING, and refuses one with a wrong signature (Interactions Overview and
//! Webhook Events, "Setting Up an Endpoint").

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::Inner;
use super::request::{Exchange, Request, wrong_status};
use crate::snowflake::Snowflake;
use crate::state::endpoint::Endpoint;
use crate::state::key_pair::KeyPair;
use crate::state::scenario::interaction_token;
use crate::state::webhook_event;
use crate::validate::interaction::{Asked, Callback, callback, kind};

impl Inner {
    pub(super) async fn verify(
        &self,
        application: Snowflake,
        endpoint: Endpoint,
        url: &str,
    ) -> Result<(), String> {
        let (keys, body) = {
            let live = self.discord.lock();
            let found = live.applications.get(&application);
            let found = found.ok_or_else(|| format!("there is no application {application}"))?;
            let body = match endpoint {
                Endpoint::Interactions => {
                    let owner = live.users.get(&found.owner).map(crate::state::user::User::json);
                    ping(live.next_id(), application, owner.as_ref())
                }
                Endpoint::Events => webhook_event::ping(application),
            };
            (found.key_pair.clone(), body)
        };
        let request = |keys| Request {
            endpoint,
            url,
            application,
            event: "PING",
            attempt: 1,
            keys,
            body: &body,
            cut: None,
            deadline: self.deadline(),
            fault: None,
        };
        let mut exchange = self.post(request(&keys)).await;
        let judged = match endpoint {
            Endpoint::Interactions => judge_pong(&mut exchange).await,
            Endpoint::Events => judge(&exchange, "a PING", "204", |status| status == StatusCode::NO_CONTENT),
        };
        judged.inspect_err(|reason| exchange.fail(reason))?;
        drop(exchange);
        let mut exchange = self.post(request(&KeyPair::random())).await;
        // The documentation asks for 401. hikari, whose bots run at Discord, answers with 400.
        judge(&exchange, "a PING with a wrong signature", "401", |status| status.is_client_error())
            .inspect_err(|reason| exchange.fail(reason))
    }
}

/// Checks the status of an answer.
fn judge(
    exchange: &Exchange,
    what: &str,
    expected: &str,
    is_right: impl Fn(StatusCode) -> bool,
) -> Result<(), String> {
    match &exchange.reply {
        Ok(reply) if is_right(reply.status) => Ok(()),
        Ok(reply) => {
            let status = wrong_status(reply.status, &format!("with {expected}"));
            Err(format!("{} answered {what} {status}", exchange.url()))
        }
        Err(reason) => Err(reason.clone()),
    }
}

/// Checks that an answer is a PONG.
async fn judge_pong(exchange: &mut Exchange) -> Result<(), String> {
    judge(exchange, "a PING", "200 and {\"type\": 1}", |status| status == StatusCode::OK)?;
    let url = exchange.url().to_owned();
    let reply = std::mem::replace(&mut exchange.reply, Err(String::new()))?;
    let asked = Asked { kind: kind::PING, focused: None, message: None };
    let read = reply.payload().await.and_then(|payload| callback(&payload.json, &[], asked));
    match read {
        Ok(Callback::Pong) => Ok(()),
        Ok(_) => Err(format!("{url} answered a PING with another type than 1")),
        Err(error) => Err(format!("{url} answered a PING with no {{\"type\": 1}}: {}", error.to_json())),
    }
}

/// Returns the interaction with which an address is verified.
fn ping(id: Snowflake, application: Snowflake, user: Option<&Value>) -> Value {
    json!({
        "id": id,
        "application_id": application,
        "type": kind::PING,
        "token": interaction_token(id),
        "version": 1,
        "user": user,
        "app_permissions": "0",
        "entitlements": [],
        "authorizing_integration_owners": {},
        "attachment_size_limit": crate::live::ATTACHMENT_LIMIT,
    })
}
