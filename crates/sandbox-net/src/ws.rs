//! One websocket of a gateway, whatever its protocol: frames, heartbeats, limits, and an end for one reason.
//!
//! [`serve`] runs a connection. The common parts of both gateways are there and in [`Socket`]. Each gateway's messages
//! to its clients are a [`Protocol`].

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::{pending, ready};
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::{Close, Closer, Connection};

/// Time that a client has to answer a close frame.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// Period in which `payloads_per_minute` counts.
const MINUTE: Duration = Duration::from_mins(1);

/// Why a connection ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The server closes it.
    Close(Close),
    /// A fault drops it.
    Sever,
    /// The client closed it.
    Closed {
        /// Close code, if the close frame carried one.
        code: Option<u16>,
        /// Reason in the close frame.
        reason: String,
    },
    /// It broke.
    Lost(String),
}

/// How a connection has ended, for the log and for its session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// Close code, if there was a close frame with one.
    pub code: Option<u16>,
    /// Reason in the close frame, or another description of the end.
    pub reason: String,
    /// The side that ended it.
    pub by: Closer,
}

/// How a connection begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// HELLO is sent after this time.
    Hello(Duration),
    /// Nothing is ever sent, as by a server that hangs.
    Stall,
    /// It ends at once.
    End(Ending),
}

/// Limits for clients.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Time between heartbeats that HELLO asks for.
    pub heartbeat_interval: Duration,
    /// Payloads that a client may send in any 60 seconds.
    pub payloads_per_minute: Option<usize>,
}

/// The protocol of a gateway on a connection.
pub trait Protocol: Send {
    /// Orders to the connection's task from outside.
    type Order: Send;

    /// Returns the connection's socket.
    fn socket(&mut self) -> &mut Socket;

    /// Sends HELLO.
    fn hello(&mut self) -> impl Future<Output = Result<(), Ending>> + Send;

    /// Writes the session's events and returns whether there may be more.
    fn flush_events(&mut self) -> impl Future<Output = Result<bool, Ending>> + Send;

    /// Waits until the session may have events to write.
    fn events(&self) -> impl Future<Output = ()> + Send + use<Self>;

    /// Handles a text frame.
    fn handle_text(&mut self, text: &str) -> impl Future<Output = Result<(), Ending>> + Send;

    /// Handles a binary frame.
    fn handle_binary(&mut self, bytes: &[u8]) -> impl Future<Output = Result<(), Ending>> + Send;

    /// Handles an order; `None` when the gateway is gone.
    fn handle_order(&mut self, order: Option<Self::Order>)
    -> impl Future<Output = Result<(), Ending>> + Send;

    /// Returns when [`Self::handle_timer`] is to be called next.
    fn timer(&self) -> Option<Instant> {
        None
    }

    /// Handles the time of [`Self::timer`].
    fn handle_timer(&mut self) -> impl Future<Output = Result<(), Ending>> + Send {
        ready(Ok(()))
    }

    /// Returns the end for a client whose heartbeat is overdue.
    fn timed_out(&self) -> Ending;

    /// Returns the end for a client that sends too much.
    fn rate_limited(&self) -> Ending;

    /// Returns the end for a frame that could not be read.
    fn unreadable(&self, error: &axum::Error) -> Ending {
        Ending::Lost(error.to_string())
    }

    /// Records the end, before the client is informed of it.
    fn ended(&mut self, end: &End);
}

/// Serves a connection until it ends. From then on it takes no order, though closing takes a while.
pub async fn serve<P: Protocol>(mut protocol: P, orders: mpsc::UnboundedReceiver<P::Order>, start: Start) {
    let ending = match start {
        Start::Hello(delay) => {
            sleep(delay).await;
            let Err(ending) = live(&mut protocol, orders).await;
            ending
        }
        Start::Stall => {
            let Err(ending) = stall(&mut protocol, orders).await;
            ending
        }
        Start::End(ending) => ending,
    };
    protocol.ended(&ending.end());
    protocol.socket().part(ending).await;
}

async fn live<P: Protocol>(
    protocol: &mut P,
    mut orders: mpsc::UnboundedReceiver<P::Order>,
) -> Result<Infallible, Ending> {
    protocol.hello().await?;
    loop {
        let more = protocol.flush_events().await?;
        let events = protocol.events();
        let timer = protocol.timer();
        let due = async {
            match timer {
                Some(at) => sleep_until(at).await,
                None => pending().await,
            }
        };
        let overdue = protocol.socket().overdue;
        tokio::select! {
            biased;
            order = orders.recv() => protocol.handle_order(order).await?,
            () = due => protocol.handle_timer().await?,
            message = protocol.socket().websocket.recv() => receive(protocol, message).await?,
            () = sleep_until(overdue) => return Err(protocol.timed_out()),
            () = ready(()), if more => {}
            () = events => {}
        }
    }
}

/// Reads and sends nothing, until the client disconnects.
async fn stall<P: Protocol>(
    protocol: &mut P,
    mut orders: mpsc::UnboundedReceiver<P::Order>,
) -> Result<Infallible, Ending> {
    loop {
        tokio::select! {
            order = orders.recv() => protocol.handle_order(order).await?,
            message = protocol.socket().websocket.recv() => match message {
                Some(Ok(Message::Close(frame))) => return Err(Ending::closed(frame)),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(Ending::Lost(error.to_string())),
                None => return Err(Ending::unannounced()),
            },
        }
    }
}

async fn receive<P: Protocol>(
    protocol: &mut P,
    message: Option<Result<Message, axum::Error>>,
) -> Result<(), Ending> {
    match message {
        Some(Ok(Message::Text(text))) => {
            count(protocol)?;
            protocol.handle_text(&text).await
        }
        Some(Ok(Message::Binary(bytes))) => {
            count(protocol)?;
            protocol.handle_binary(&bytes).await
        }
        Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(()),
        Some(Ok(Message::Close(frame))) => Err(Ending::closed(frame)),
        Some(Err(error)) => Err(protocol.unreadable(&error)),
        None => Err(Ending::unannounced()),
    }
}

/// Counts a payload against the limit of a connection.
fn count<P: Protocol>(protocol: &mut P) -> Result<(), Ending> {
    if protocol.socket().take_payload() { Ok(()) } else { Err(protocol.rate_limited()) }
}

impl Ending {
    fn closed(frame: Option<CloseFrame>) -> Self {
        match frame {
            Some(frame) => Self::Closed { code: Some(frame.code), reason: frame.reason.to_string() },
            None => Self::Closed { code: None, reason: String::new() },
        }
    }

    fn unannounced() -> Self {
        Self::Lost("the connection ended without a close frame".into())
    }

    fn end(&self) -> End {
        let (code, reason, by) = match self {
            Self::Close(Close { code, reason }) => (Some(*code), reason.clone(), Closer::Server),
            Self::Sever => (None, "dropped by an injected fault".to_owned(), Closer::Server),
            Self::Closed { code, reason } => (*code, reason.clone(), Closer::Client),
            Self::Lost(reason) => (None, reason.clone(), Closer::Lost),
        };
        End { code, reason, by }
    }
}

/// The websocket of a connection, and the limits for its client.
#[derive(Debug)]
pub struct Socket {
    websocket: WebSocket,
    /// Handle to cut it, if the listener supports that.
    wire: Option<Connection>,
    limits: Limits,
    /// When the next heartbeat is overdue.
    overdue: Instant,
    /// When the payloads of the last minute arrived.
    recent: VecDeque<Instant>,
}

impl Socket {
    /// Creates a socket from a websocket whose HELLO is sent after a delay.
    pub fn new(websocket: WebSocket, wire: Option<Connection>, limits: Limits, delay: Duration) -> Self {
        let overdue = Instant::now() + delay + limits.heartbeat_timeout();
        Self { websocket, wire, limits, overdue, recent: VecDeque::new() }
    }

    /// Records a heartbeat.
    pub fn beat(&mut self) {
        self.overdue = Instant::now() + self.limits.heartbeat_timeout();
    }

    /// Sends a frame.
    pub async fn send(&mut self, frame: Message) -> Result<(), Ending> {
        unstalled(&self.limits, self.websocket.send(frame)).await
    }

    /// Writes a frame to the buffer, which is sent with the next [`Self::flush`] or when the buffer is full.
    pub async fn feed(&mut self, frame: Message) -> Result<(), Ending> {
        unstalled(&self.limits, futures_util::SinkExt::feed(&mut self.websocket, frame)).await
    }

    /// Sends the buffered frames.
    pub async fn flush(&mut self) -> Result<(), Ending> {
        unstalled(&self.limits, futures_util::SinkExt::flush(&mut self.websocket)).await
    }

    /// Counts a payload and returns whether it is within the limit.
    fn take_payload(&mut self) -> bool {
        let Some(limit) = self.limits.payloads_per_minute else { return true };
        let now = Instant::now();
        while self.recent.front().is_some_and(|&first| now.duration_since(first) >= MINUTE) {
            self.recent.pop_front();
        }
        let within = self.recent.len() < limit;
        if within {
            self.recent.push_back(now);
        }
        within
    }

    /// Ends the connection in the way of `ending`.
    async fn part(&mut self, ending: Ending) {
        match ending {
            Ending::Close(Close { code, reason }) => {
                let frame = CloseFrame { code, reason: reason.into() };
                let closing = async {
                    // A client that has disconnected already does not receive it.
                    let _ = self.websocket.send(Message::Close(Some(frame))).await;
                    // Unread payloads would turn the end into a reset, and the close frame would be lost.
                    while let Some(Ok(_)) = self.websocket.recv().await {}
                };
                let _ = timeout(CLOSE_TIMEOUT, closing).await;
            }
            Ending::Sever => {
                if let Some(wire) = &self.wire {
                    wire.sever();
                }
            }
            Ending::Closed { .. } => {
                // Reading sends the answer to the close frame.
                let _ = timeout(CLOSE_TIMEOUT, self.websocket.recv()).await;
            }
            Ending::Lost(_) => {}
        }
    }
}

impl Limits {
    /// Returns the time without a heartbeat after which a connection counts as dead: one and a half intervals.
    fn heartbeat_timeout(&self) -> Duration {
        self.heartbeat_interval * 3 / 2
    }
}

/// Waits for a write, but at most as long as for a heartbeat: a client that does not read is as dead as a silent one.
async fn unstalled(
    limits: &Limits,
    write: impl Future<Output = Result<(), axum::Error>>,
) -> Result<(), Ending> {
    match timeout(limits.heartbeat_timeout(), write).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(Ending::Lost(error.to_string())),
        Err(_) => Err(Ending::Lost("the client stopped reading".into())),
    }
}
