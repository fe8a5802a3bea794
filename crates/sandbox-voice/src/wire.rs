//! The connection that a websocket of a voice server came by.

use std::net::IpAddr;

use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use sandbox_net::{Connection, Listener, TlsListener};

/// Connection of a handler.
#[derive(Clone, Debug)]
pub(super) struct Wire {
    /// Handle to cut it.
    pub(super) connection: Connection,
    /// Address of this machine to which the client connected, if it is still connected.
    pub(super) local: Option<IpAddr>,
}

impl Connected<IncomingStream<'_, Listener<TlsListener>>> for Wire {
    fn connect_info(stream: IncomingStream<'_, Listener<TlsListener>>) -> Self {
        let local = stream.io().get_ref().tcp().local_addr().ok();
        Self { connection: stream.io().connection(), local: local.map(|address| address.ip().to_canonical()) }
    }
}
