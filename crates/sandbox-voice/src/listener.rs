//! Connections to a voice server: TCP, then TLS, each handshake in a task of its own.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use sandbox_net::{Connection, Listener};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::server::TlsStream;

/// How long a client may take for its TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Finished handshakes that may wait to be served.
const BACKLOG: usize = 64;

#[derive(Debug)]
pub(super) struct TlsListener {
    address: SocketAddr,
    ready: mpsc::Receiver<TlsStream<TcpStream>>,
    _accepting: JoinSet<()>,
}

impl TlsListener {
    /// Starts to accept connections.
    pub(super) fn new(listener: TcpListener, config: Arc<ServerConfig>) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (done, ready) = mpsc::channel(BACKLOG);
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, TlsAcceptor::from(config), done));
        Ok(Self { address, ready, _accepting: accepting })
    }
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, done: mpsc::Sender<TlsStream<TcpStream>>) {
    let mut handshakes = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let (acceptor, done) = (acceptor.clone(), done.clone());
                    handshakes.spawn(async move {
                        if let Err(error) = stream.set_nodelay(true) {
                            tracing::debug!(%error, "a voice connection keeps Nagle's algorithm");
                        }
                        match timeout(HANDSHAKE, acceptor.accept(stream)).await {
                            // The receiver is dropped at the end.
                            Ok(Ok(stream)) => drop(done.send(stream).await),
                            Ok(Err(error)) => tracing::debug!(%error, "a voice client fails in its TLS handshake"),
                            Err(_) => tracing::debug!("a voice client takes too long for its TLS handshake"),
                        }
                    });
                }
                Err(error) => {
                    // Out of file descriptors, most likely; they become free as connections end.
                    tracing::warn!(%error, "the voice server cannot take a connection");
                    sleep(Duration::from_millis(50)).await;
                }
            },
            Some(_) = handshakes.join_next() => {}
        }
    }
}

impl axum::serve::Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(stream) => {
                // A peer that is gone already has no address; the server does not use it.
                let peer = stream.get_ref().0.peer_addr().unwrap_or(self.address);
                (stream, peer)
            }
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(self.address)
    }
}

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
        let local = stream.io().get_ref().get_ref().0.local_addr().ok();
        Self { connection: stream.io().connection(), local: local.map(|address| address.ip().to_canonical()) }
    }
}
