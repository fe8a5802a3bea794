//! Injected faults: their effects on events, payloads and the connection itself.

use sandbox_net::Close;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Connection, Ending};
use crate::event_log::{self, Body};
use crate::fault::{GatewayEffect, Place, Strike, lay_over};
use crate::gateway::event::Event;
use crate::gateway::payload::{Raw, op};
use crate::gateway::session::{Numbered, Session};

/// An event that is delayed, and the effect after the delay.
pub(super) struct Held {
    pub(super) until: Instant,
    seq: u64,
    effect: GatewayEffect,
}

/// An event in the form in which it is written.
pub(super) struct Delivery {
    pub(super) payload: String,
    /// Its data, for the log.
    pub(super) recorded: Body,
    /// How often the payload is written.
    pub(super) times: u64,
}

impl Connection {
    /// Returns the effect on an event that is about to be written; `None` if it is held back first.
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

    /// Applies an injected effect to this connection.
    pub(super) async fn inject_fault(&mut self, effect: GatewayEffect) -> Result<(), Ending> {
        match effect {
            GatewayEffect::Pass
            | GatewayEffect::Ignore
            | GatewayEffect::Patch { .. }
            | GatewayEffect::Truncate { .. }
            | GatewayEffect::Duplicate { .. } => Ok(()),
            GatewayEffect::Sever => Err(Ending::Sever),
            GatewayEffect::Close { code, reason } => Err(Close::new(code, reason).into()),
            GatewayEffect::Reconnect => self.send(op::RECONNECT, Value::Null).await,
            GatewayEffect::InvalidSession { resumable } => self.invalidate(resumable).await,
        }
    }

    /// Returns an event as changed by an injected effect.
    pub(super) fn delivery(&self, numbered: &Numbered, effect: &GatewayEffect) -> Delivery {
        let (event, seq) = (&numbered.event, numbered.seq);
        match effect {
            GatewayEffect::Patch { merge } => {
                let mut data = event.data.value();
                lay_over(&mut data, merge);
                let patched = Event::new(event.name, &data, self.hub.log());
                Delivery { payload: patched.payload(seq), recorded: patched.recorded, times: 1 }
            }
            GatewayEffect::Truncate { bytes } => {
                let mut payload = event.payload(seq);
                payload.truncate(payload.floor_char_boundary(*bytes));
                let recorded = Body::Omitted {
                    content_type: "truncated payload".into(),
                    bytes: Some(payload.len() as u64),
                };
                Delivery { payload, recorded, times: 1 }
            }
            effect => {
                let extra = if let GatewayEffect::Duplicate { extra } = effect { *extra } else { 0 };
                let times = u64::from(extra) + 1;
                Delivery { payload: event.payload(seq), recorded: event.recorded.clone(), times }
            }
        }
    }

    /// Handles a client's payload as changed by an injected effect.
    pub(super) async fn act_on(
        &mut self,
        mut raw: Raw,
        (bytes, is_text): (&[u8], bool),
        effect: GatewayEffect,
    ) -> Result<(), Ending> {
        match effect {
            GatewayEffect::Patch { merge } => {
                raw.patch(&merge);
                self.act(raw).await
            }
            GatewayEffect::Truncate { bytes: kept } => {
                let raw = self.transport.read(&bytes[..kept.min(bytes.len())], is_text)?;
                self.act(raw).await
            }
            GatewayEffect::Duplicate { extra } => {
                for _ in 0..extra {
                    self.act(raw.clone()).await?;
                }
                self.act(raw).await
            }
            effect => {
                self.inject_fault(effect).await?;
                self.act(raw).await
            }
        }
    }

    /// Returns the rule that strikes a payload of this opcode.
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
        self.hub.log().push(event_log::Event::Fault { rule: Some(strike.rule), place, effect });
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
