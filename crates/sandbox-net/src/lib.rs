//! What the sandbox's gateway and its voice gateway share.
//!
//! # Layout
//! - [`ws`]: a websocket of a gateway, generic over what is spoken on it.
//! - [`Listener`]: a listener whose connections can be cut from inside.
//! - [`Strike`]: an injected fault that is about to happen.
//! - [`Closer`]: who ended a connection.

mod listener;
pub mod ws;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::listener::{Connection, Listener, Severable};

/// What a rule does, now that it strikes.
#[derive(Clone, Debug, PartialEq)]
pub struct Strike<E> {
    /// Number of the rule.
    pub rule: u64,
    /// How often it has struck, this time included.
    pub times: u64,
    /// Time to wait before the effect.
    pub delay: Duration,
    /// Effect.
    pub effect: E,
}

/// Who ended a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Closer {
    /// Client, with a close frame.
    Client,
    /// Sandbox, with a close frame or by dropping the connection.
    Server,
    /// Neither said; the connection was gone.
    Lost,
}
