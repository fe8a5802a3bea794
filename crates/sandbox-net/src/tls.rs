//! A listener for TLS: each handshake runs in a task of its own and has a time limit, so that no client holds up another.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::server::TlsStream;

/// How long a client may take for its TLS handshake, or for the first byte.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Finished handshakes that may wait to be served.
const BACKLOG: usize = 64;
/// First byte of a TLS connection: the type of a record with a handshake message (RFC 8446, 5.1).
const HANDSHAKE_RECORD: u8 = 22;

/// What becomes of a connection without TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plain {
    /// It fails in its handshake.
    Refused,
    /// It is served if it comes from this machine. Others get one answer, in HTTP, that names the way.
    FromLoopback,
}

/// A listener whose connections have finished their TLS handshake.
#[derive(Debug)]
pub struct TlsListener {
    address: SocketAddr,
    ready: mpsc::Receiver<Stream>,
    _accepting: JoinSet<()>,
}

/// Stream of a [`TlsListener`]'s connection.
#[derive(Debug)]
pub enum Stream {
    /// Without TLS, from this machine.
    Plain(TcpStream),
    /// With TLS.
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    /// Returns the TCP connection.
    pub fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => stream.get_ref().0,
        }
    }
}

impl TlsListener {
    /// Starts to accept connections.
    ///
    /// # Errors
    /// When the listener has no address.
    pub fn new(listener: TcpListener, config: Arc<ServerConfig>, plain: Plain) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (done, ready) = mpsc::channel(BACKLOG);
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, TlsAcceptor::from(config), plain, done));
        Ok(Self { address, ready, _accepting: accepting })
    }
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, plain: Plain, done: mpsc::Sender<Stream>) {
    let mut handshakes = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let (acceptor, done) = (acceptor.clone(), done.clone());
                    handshakes.spawn(async move {
                        if let Err(error) = stream.set_nodelay(true) {
                            tracing::debug!(%error, "a connection keeps Nagle's algorithm");
                        }
                        match timeout(HANDSHAKE, open(stream, peer, &acceptor, plain)).await {
                            // The receiver is dropped at the end.
                            Ok(Ok(stream)) => drop(done.send(stream).await),
                            Ok(Err(error)) => tracing::debug!(%error, "a client fails in its TLS handshake"),
                            Err(_) => tracing::debug!("a client takes too long for its TLS handshake"),
                        }
                    });
                }
                Err(error) => {
                    // Out of file descriptors, most likely; they become free as connections end.
                    tracing::warn!(%error, "the server cannot take a connection");
                    sleep(Duration::from_millis(50)).await;
                }
            },
            Some(_) = handshakes.join_next() => {}
        }
    }
}

/// Returns a connection that can be served.
async fn open(
    stream: TcpStream,
    peer: SocketAddr,
    acceptor: &TlsAcceptor,
    plain: Plain,
) -> io::Result<Stream> {
    let mut first = [0];
    if plain == Plain::FromLoopback && stream.peek(&mut first).await? != 0 && first != [HANDSHAKE_RECORD] {
        if peer.ip().to_canonical().is_loopback() {
            return Ok(Stream::Plain(stream));
        }
        return Err(refuse(stream).await?);
    }
    Ok(Stream::Tls(Box::new(acceptor.accept(stream).await?)))
}

/// Answers a request without TLS from another machine, and returns the error for the log.
async fn refuse(mut stream: TcpStream) -> io::Result<io::Error> {
    let body = "This address is served with TLS only: use https:// or wss://.\n";
    let head =
        "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\nconnection: close\r\ncontent-length: ";
    stream.write_all(format!("{head}{}\r\n\r\n{body}", body.len()).as_bytes()).await?;
    stream.shutdown().await?;
    Ok(io::Error::other("another machine sent a request without TLS"))
}

impl axum::serve::Listener for TlsListener {
    type Io = Stream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(stream) => {
                // A peer that is gone already has no address; the server does not use it.
                let peer = stream.tcp().peer_addr().unwrap_or(self.address);
                (stream, peer)
            }
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(self.address)
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(context, slices),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(context, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::*;
    use crate::Identity;

    #[tokio::test]
    async fn another_machine_is_not_served_without_tls() {
        let identity = Identity::new(&["localhost".to_owned()], None).unwrap();
        let acceptor = TlsAcceptor::from(identity.config);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        for (peer, plain, served, answered) in [
            ("192.0.2.1:9", Plain::FromLoopback, false, true),
            ("[2001:db8::1]:9", Plain::FromLoopback, false, true),
            ("127.0.0.1:9", Plain::FromLoopback, true, false),
            ("[::ffff:127.0.0.1]:9", Plain::FromLoopback, true, false),
            ("127.0.0.1:9", Plain::Refused, false, false),
        ] {
            let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            client.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
            let (stream, _) = listener.accept().await.unwrap();
            let opened = open(stream, peer.parse().unwrap(), &acceptor, plain).await;
            assert_eq!(matches!(opened, Ok(Stream::Plain(_))), served, "{peer} {plain:?}");
            assert_eq!(opened.is_ok(), served, "{peer} {plain:?}");
            drop(opened);
            let mut answer = Vec::new();
            // What was not read makes the end of a connection an error.
            let _ = client.read_to_end(&mut answer).await;
            assert_eq!(answer.starts_with(b"HTTP/1.1 400"), answered, "{peer} {plain:?}");
        }
    }
}
