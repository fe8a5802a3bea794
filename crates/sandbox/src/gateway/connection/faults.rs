//! Injected faults: what they do to events, payloads and the connection itself.

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Connection, Ending};
use crate::fault::{GatewayEffect, Place, Strike};
use crate::gateway::payload::{Close, op};
use crate::gateway::session::{Numbered, Session};
use crate::record;

/// An event that waits for its delay, and what happens then.
pub(super) struct Held {
    pub(super) until: Instant,
    seq: u64,
    effect: GatewayEffect,
}

impl Connection {
    /// What happens to an event that is about to be written; nothing if it is held back first.
    pub(super) fn effect_on(&mut self, numbered: &Numbered, session: &Session) -> Option<GatewayEffect> {
        if let Some(held) = self.held.take()
            && held.seq == numbered.seq
        {
            return Some(held.effect);
        }
        let name = numbered.event.name;
        let Some(strike) = self.hub.faults().on_dispatch(Place { event: Some(name), ..place(session) })
        else {
            return Some(GatewayEffect::Pass);
        };
        self.record_strike(&strike, name);
        if strike.delay.is_zero() {
            return Some(strike.effect);
        }
        let until = Instant::now() + strike.delay;
        self.held = Some(Held { until, seq: numbered.seq, effect: strike.effect });
        None
    }

    /// Lets an injected effect happen to this connection.
    pub(super) async fn suffer(&mut self, effect: GatewayEffect) -> Result<(), Ending> {
        match effect {
            GatewayEffect::Pass | GatewayEffect::Ignore => Ok(()),
            GatewayEffect::Sever => Err(Ending::Sever),
            GatewayEffect::Close { code, reason } => Err(Ending::Close(Close { code, reason })),
            GatewayEffect::Reconnect => self.send(op::RECONNECT, Value::Null).await,
            GatewayEffect::InvalidSession { resumable } => self.invalidate(resumable).await,
        }
    }

    /// Rule that strikes a payload of this opcode.
    pub(super) fn strike_received(&self, op: u64) -> Option<Strike<GatewayEffect>> {
        let place = match &self.session {
            Some(session) => place(session),
            None => Place::default(),
        };
        self.hub.faults().on_received(Place { op: Some(op), ..place })
    }

    pub(super) fn record_strike(&self, strike: &Strike<GatewayEffect>, what: &str) {
        let mut effect = json!(strike.effect);
        if strike.effect == GatewayEffect::Pass {
            effect = json!({"delay_ms": u64::try_from(strike.delay.as_millis()).unwrap_or(u64::MAX)});
        }
        let place = format!("connection {}, {what}", self.id);
        self.hub.recorder().push(record::Event::Fault { rule: Some(strike.rule), place, effect });
    }
}

fn place(session: &Session) -> Place<'_> {
    Place {
        event: None,
        op: None,
        bot: Some(session.viewer.bot),
        session: Some(&session.id),
        shard: Some(session.viewer.shard[0]),
    }
}
