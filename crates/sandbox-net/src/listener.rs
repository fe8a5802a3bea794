//! A listener whose connections the server can cut, as when a cable is pulled.

use std::any::Any;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::net::TcpStream;

use super::tls::Stream;

/// Wraps a listener, so that a handler can drop the connection it is called on.
///
/// Serve with `into_make_service_with_connect_info::<Connection>()`. Requests then have `ConnectInfo<Connection>`,
/// which the REST edge and the gateway use for their faults.
#[derive(Debug)]
pub struct Listener<L> {
    inner: L,
}

/// Handle to one connection of a [`Listener`].
#[derive(Clone, Debug, Default)]
pub struct Connection {
    severed: Arc<AtomicBool>,
    secure: bool,
    /// What is dropped with the next flush; `None` without a stream, and after its end.
    until_flushed: Arc<Mutex<Option<Vec<Kept>>>>,
}

/// Anything that is to be dropped later.
type Kept = Box<dyn Any + Send>;

/// A stream that is known to be encrypted or not.
pub trait Wire {
    /// Returns whether the client speaks TLS.
    fn is_secure(&self) -> bool;
}

impl Wire for TcpStream {
    fn is_secure(&self) -> bool {
        false
    }
}

impl Wire for DuplexStream {
    fn is_secure(&self) -> bool {
        false
    }
}

impl Wire for Stream {
    fn is_secure(&self) -> bool {
        matches!(self, Self::Tls(_))
    }
}

/// Stream of a [`Listener`]'s connection.
#[derive(Debug)]
pub struct Severable<S> {
    stream: S,
    connection: Connection,
}

impl<S> Severable<S> {
    /// Returns the underlying stream.
    pub fn get_ref(&self) -> &S {
        &self.stream
    }

    /// Returns the handle to this connection.
    pub fn connection(&self) -> Connection {
        self.connection.clone()
    }
}

impl<L> Listener<L> {
    /// Wraps a listener.
    pub fn new(inner: L) -> Self {
        Self { inner }
    }
}

impl Connection {
    /// Returns whether the client speaks TLS.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// Makes all further reads and writes fail, so that the connection ends without another byte.
    pub fn sever(&self) {
        self.severed.store(true, Ordering::Release);
    }

    /// Drops a value once all bytes that the server has given to this connection by now, or is about to give in the same step,
    /// have gone to the system, or the connection has ended.
    pub fn drop_when_flushed(&self, value: impl Send + 'static) {
        if let Some(kept) = &mut *self.until_flushed.lock() {
            kept.push(Box::new(value));
        }
    }

    fn check(&self) -> io::Result<()> {
        if self.severed.load(Ordering::Acquire) {
            return Err(io::Error::new(io::ErrorKind::ConnectionReset, "dropped by an injected fault"));
        }
        Ok(())
    }
}

impl<S> Drop for Severable<S> {
    fn drop(&mut self) {
        let kept = self.connection.until_flushed.lock().take();
        drop(kept);
    }
}

impl<L: axum::serve::Listener<Io: Wire>> axum::serve::Listener for Listener<L> {
    type Io = Severable<L::Io>;
    type Addr = L::Addr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, address) = self.inner.accept().await;
        let until_flushed = Arc::new(Mutex::new(Some(Vec::new())));
        let connection = Connection { secure: stream.is_secure(), until_flushed, ..Connection::default() };
        (Severable { stream, connection }, address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.inner.local_addr()
    }
}

impl<L: axum::serve::Listener<Io: Wire>> Connected<IncomingStream<'_, Listener<L>>> for Connection {
    fn connect_info(stream: IncomingStream<'_, Listener<L>>) -> Self {
        stream.io().connection()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Severable<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.connection.check()?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Severable<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.connection.check()?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.connection.check()?;
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.connection.check()?;
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        if let Poll::Ready(Ok(())) = flushed {
            let kept = self.connection.until_flushed.lock().as_mut().map(std::mem::take);
            drop(kept);
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
