//! The shared code of the sandbox's servers.
//!
//! # Layout
//! - [`ws`]: a websocket of a gateway, generic over its protocol.
//! - [`Close`], [`closes!`]: the codes with which a gateway closes connections.
//! - [`Links`]: a gateway's live connections, and commands to those of a [`Target`].
//! - [`Listener`]: a listener whose connections the server can cut.
//! - [`TlsListener`]: a listener for TLS; [`Identity`], [`Root`]: its certificates.
//! - [`Strike`]: an injected fault that is about to happen.
//! - [`Closer`]: the side that ended a connection.

mod certificate;
mod close;
mod links;
mod listener;
mod tls;
pub mod ws;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::certificate::{Identity, Root};
pub use self::close::Close;
pub use self::links::{Links, Target};
pub use self::listener::{Connection, Listener, Severable, Wire};
pub use self::tls::{Plain, Stream, TlsListener};
pub use tokio_rustls::rustls::ServerConfig;

/// The effect of a rule that strikes now.
#[derive(Clone, Debug, PartialEq)]
pub struct Strike<E> {
    /// Number of the rule.
    pub rule: u64,
    /// How often it has struck, including this time.
    pub times: u64,
    /// Time to wait before the effect.
    pub delay: Duration,
    /// Effect.
    pub effect: E,
}

/// The side that ended a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Closer {
    /// Client, with a close frame.
    Client,
    /// Sandbox, with a close frame or by dropping the connection.
    Server,
    /// Neither; the connection was lost.
    Lost,
}
