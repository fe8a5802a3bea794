//! Messages to clients, which wait in their sessions.

use rand::Rng;
use serde_json::{Value, json};

use super::Voice;
use crate::crypto::{KEY, Mode};
use crate::host::Data;
use crate::payload::op;
use crate::session::{Message, Session};

impl Voice {
    /// Sends a text frame to a client.
    pub(crate) fn send(&self, session: &Session, op: u8, data: Value) {
        let recorded = Data::from(&data);
        session.push(Message::Json { op, data, recorded }, self.options().replay_messages);
    }

    /// Sends a binary frame to a client.
    pub(crate) fn send_binary(&self, session: &Session, op: u8, payload: Vec<u8>) {
        session.push(Message::Binary { op, payload }, self.options().replay_messages);
    }

    /// Sends SESSION DESCRIPTION, whose key is not written to the log.
    pub(crate) fn describe(&self, session: &Session, mode: Mode, key: &[u8; KEY], version: u16) {
        let mut data = json!({ "mode": mode, "secret_key": key, "dave_protocol_version": version });
        let sent = data.clone();
        data["secret_key"] = self.host().mark(&format!("{key:?}")).into();
        let recorded = Data::from(&data);
        let message = Message::Json { op: op::SESSION_DESCRIPTION, data: sent, recorded };
        session.push(message, self.options().replay_messages);
    }

    /// Returns a new key for transport encryption.
    pub(crate) fn key() -> [u8; KEY] {
        let mut key = [0; KEY];
        rand::rng().fill(&mut key);
        key
    }
}
