//! One websocket: reads the client's payloads, writes its session's events, and ends for one reason.

mod faults;
mod handshake;
mod requests;

use std::collections::VecDeque;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::WebSocket;
use sandbox_net::Close;
use sandbox_net::ws::{self, End, Ending, Limits, Protocol, Socket, Start};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, sleep_until};

use self::faults::Delivery;
use super::hub::Order;
use super::payload::{self, Raw, Request, op};
use super::session::{Next, Session};
use super::transport::{Encoding, Transport};
use super::{Backend, Command, Hub, close};
use crate::event_log::{self, Body, Closer};
use crate::fault::{Connection as Wire, GatewayEffect};

/// Number of events written before the client's own payloads are read again.
const BATCH: usize = 64;

/// The parameters of a new connection.
pub(super) struct Opening {
    pub(super) hub: Hub,
    pub(super) backend: Arc<dyn Backend>,
    pub(super) socket: WebSocket,
    /// Handle to cut the connection, if the listener supports that.
    pub(super) wire: Option<Wire>,
    pub(super) transport: Result<Transport, Close>,
    /// Version of the API that the client asked for.
    pub(super) version: u8,
    pub(super) resume_url: String,
    /// Time to wait before HELLO.
    pub(super) delay: Duration,
}

/// A client's connection, with the protocol of the gateway.
struct Connection {
    hub: Hub,
    backend: Arc<dyn Backend>,
    id: u64,
    socket: Socket,
    transport: Transport,
    version: u8,
    resume_url: String,
    session: Option<Arc<Session>>,
    /// Number of the newest event that was written.
    written: u64,
    /// When received heartbeats are to be acknowledged.
    due: VecDeque<Instant>,
    /// Event that an injected delay holds back, and all after it.
    held: Option<faults::Held>,
}

/// Serves one connection until it ends.
pub(super) async fn serve(opening: Opening) {
    let Opening { hub, backend, socket, wire, transport, version, resume_url, delay } = opening;
    let (id, orders) = hub.link();
    let start =
        transport.as_ref().err().cloned().map_or(Start::Hello(delay), |close| Start::End(close.into()));
    // A client with an impossible request can at least read a plain close frame.
    let transport = transport.unwrap_or_else(|_| Transport::plain(Encoding::Json));
    hub.log().push(event_log::Event::Connected { conn: id, transport: transport.name() });
    let limits = Limits {
        heartbeat_interval: hub.options().heartbeat_interval,
        payloads_per_minute: hub.options().payloads_per_minute,
    };
    let connection = Connection {
        hub,
        backend,
        id,
        socket: Socket::new(socket, wire, limits, delay),
        transport,
        version,
        resume_url,
        session: None,
        written: 0,
        due: VecDeque::new(),
        held: None,
    };
    ws::serve(connection, orders, start).await;
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Also if the server's runtime drops the task early.
        self.hub.unlink(self.id);
    }
}

impl Protocol for Connection {
    type Order = Order;

    fn socket(&mut self) -> &mut Socket {
        &mut self.socket
    }

    async fn hello(&mut self) -> Result<(), Ending> {
        let interval = self.hub.options().heartbeat_interval;
        let hello = json!({"heartbeat_interval": u64::try_from(interval.as_millis()).unwrap_or(u64::MAX)});
        self.send(op::HELLO, hello).await
    }

    async fn flush_events(&mut self) -> Result<bool, Ending> {
        let Some(session) = self.session.clone() else { return Ok(false) };
        if self.held.as_ref().is_some_and(|held| Instant::now() < held.until) {
            return Ok(false);
        }
        let events = match session.after(self.written, self.id, BATCH) {
            Next::Events(events) => events,
            Next::Nothing => return Ok(self.next_guild(&session)),
            Next::Behind => {
                self.hub.end(&session, "its reader fell behind");
                return Err(close::behind().into());
            }
            Next::Ended => {
                // The notification may have been meant for the connection that took over.
                session.changed.notify_one();
                self.leave_session();
                return Ok(false);
            }
        };
        let more = events.len() == BATCH;
        for numbered in events {
            let Some(effect) = self.effect_on(&numbered, &session) else { break };
            match &effect {
                GatewayEffect::Pass
                | GatewayEffect::Patch { .. }
                | GatewayEffect::Truncate { .. }
                | GatewayEffect::Duplicate { .. } => {}
                GatewayEffect::Ignore => {
                    self.written = numbered.seq;
                    continue;
                }
                effect => {
                    // Events that were written before must not be lost with the connection.
                    self.flush().await?;
                    self.inject_fault(effect.clone()).await?;
                    if self.session.is_none() {
                        return Ok(false);
                    }
                }
            }
            let Delivery { mut payload, recorded, times } = self.delivery(&numbered, &effect);
            for left in (0..times).rev() {
                self.hub.log().push(event_log::Event::Dispatch {
                    conn: self.id,
                    session: session.id.clone(),
                    seq: numbered.seq,
                    event: numbered.event.name,
                    data: recorded.clone(),
                });
                let payload = if left == 0 { std::mem::take(&mut payload) } else { payload.clone() };
                self.feed(payload).await?;
            }
            self.written = numbered.seq;
        }
        self.flush().await?;
        Ok(more)
    }

    fn events(&self) -> impl Future<Output = ()> + Send + use<> {
        let session = self.session.clone();
        let held_until = self.held.as_ref().map(|held| held.until);
        async move {
            match (held_until, session) {
                (Some(until), _) => sleep_until(until).await,
                (None, Some(session)) => session.changed.notified().await,
                (None, None) => pending().await,
            }
        }
    }

    async fn handle_text(&mut self, text: &str) -> Result<(), Ending> {
        self.payload(text.as_bytes(), true).await
    }

    async fn handle_binary(&mut self, bytes: &[u8]) -> Result<(), Ending> {
        self.payload(bytes, false).await
    }

    async fn handle_order(&mut self, order: Option<Order>) -> Result<(), Ending> {
        match order {
            Some(Order::Command(command)) => self.handle_command(command).await,
            Some(Order::Replaced) | None => Err(close::replaced().into()),
        }
    }

    fn timer(&self) -> Option<Instant> {
        self.due.front().copied()
    }

    async fn handle_timer(&mut self) -> Result<(), Ending> {
        self.due.pop_front();
        self.send(op::HEARTBEAT_ACK, Value::Null).await
    }

    fn timed_out(&self) -> Ending {
        close::timed_out().into()
    }

    fn rate_limited(&self) -> Ending {
        close::rate_limited().into()
    }

    fn unreadable(&self, error: &axum::Error) -> Ending {
        // The length is the client's error and has a code of its own. Any other error breaks the connection.
        if is_capacity(error) { close::too_long().into() } else { Ending::Lost(error.to_string()) }
    }

    fn ended(&mut self, end: &End) {
        let session = self.session.clone();
        self.hub.log().push(event_log::Event::Closed {
            conn: self.id,
            session: session.as_ref().map(|session| session.id.clone()),
            code: end.code,
            reason: end.reason.clone(),
            by: end.by,
        });
        self.leave_session();
        // "When you close the connection with 1000 or 1001, your session will be invalidated" (Gateway).
        match (end.by, end.code, &session) {
            (Closer::Client, Some(1000 | 1001), Some(session)) => {
                self.hub.end(session, "closed by the client");
            }
            // "Your session timed out. Reconnect and start a new one" (Opcodes and Status Codes).
            (Closer::Server, Some(4009), Some(session)) => {
                self.hub.end(session, "closed without heartbeats");
            }
            _ => {}
        }
    }
}

impl Connection {
    async fn handle_command(&mut self, command: Command) -> Result<(), Ending> {
        match command {
            Command::Sever => Err(Ending::Sever),
            Command::Close { code, reason } => Err(Close::new(code, reason).into()),
            Command::Reconnect => self.send(op::RECONNECT, Value::Null).await,
            Command::InvalidSession { resumable } => self.invalidate(resumable).await,
            Command::RequestHeartbeat => self.send(op::HEARTBEAT, Value::Null).await,
        }
    }

    /// Sends INVALID_SESSION and leaves the session, which ends if it cannot be resumed.
    async fn invalidate(&mut self, resumable: bool) -> Result<(), Ending> {
        if let Some(session) = self.session.clone() {
            self.leave_session();
            if !resumable {
                self.hub.end(&session, "invalidated");
            }
        }
        self.send(op::INVALID_SESSION, resumable.into()).await
    }

    fn leave_session(&mut self) {
        self.held = None;
        self.hub.relink(self.id, None);
        if let Some(session) = self.session.take()
            && let Some(attachment) = session.detach(self.id)
        {
            self.hub.expire_later(session, attachment);
        }
    }

    async fn payload(&mut self, bytes: &[u8], is_text: bool) -> Result<(), Ending> {
        if bytes.len() > payload::LONGEST {
            self.record_received(None, unread(bytes));
            return Err(close::too_long().into());
        }
        let raw = match self.transport.read(bytes, is_text) {
            Ok(raw) => raw,
            Err(close) => {
                self.record_received(None, unread(bytes));
                return Err(close.into());
            }
        };
        let data = Body::from(self.hub.log().redactor().json(raw.data()));
        self.record_received(Some(raw.op), data);
        if let Some(strike) = self.strike_received(raw.op) {
            self.record_strike(&strike, &format!("opcode {}", raw.op));
            sleep(strike.delay).await;
            if strike.effect == GatewayEffect::Ignore {
                if raw.op == u64::from(op::HEARTBEAT) {
                    // Only the acknowledgement is lost; the client must not be closed as dead.
                    self.socket.beat();
                }
                return Ok(());
            }
            return self.act_on(raw, (bytes, is_text), strike.effect).await;
        }
        self.act(raw).await
    }

    /// Handles a client's payload.
    async fn act(&mut self, raw: Raw) -> Result<(), Ending> {
        match (raw.op, &self.session) {
            (2 | 6, Some(_)) => return Err(close::already_authenticated().into()),
            (3 | 4 | 8 | 31 | 43, None) => return Err(close::not_authenticated().into()),
            _ => {}
        }
        let request = raw.request()?;
        match (request, self.session.clone()) {
            (Request::Heartbeat, _) => {
                self.socket.beat();
                self.due.push_back(Instant::now() + self.hub.options().heartbeat_latency);
                Ok(())
            }
            (Request::Identify(identify), _) => self.identify(*identify).await,
            (Request::Resume(resume), _) => self.resume(resume).await,
            (request, Some(session)) => {
                self.ask(request, &session);
                Ok(())
            }
            (_, None) => Err(close::not_authenticated().into()),
        }
    }

    async fn send(&mut self, op: u8, data: Value) -> Result<(), Ending> {
        let payload = json!({"t": null, "s": null, "op": op, "d": data}).to_string();
        let session = self.session.as_ref().map(|session| session.id.clone());
        self.hub.log().push(event_log::Event::Sent { conn: self.id, session, op, data });
        self.feed(payload).await?;
        self.flush().await
    }

    async fn feed(&mut self, payload: String) -> Result<(), Ending> {
        let frame = self.transport.frame(payload).map_err(|error| Ending::Lost(error.to_string()))?;
        self.socket.feed(frame).await
    }

    async fn flush(&mut self) -> Result<(), Ending> {
        self.socket.flush().await
    }

    fn record_received(&self, op: Option<u64>, data: Body) {
        let session = self.session.as_ref().map(|session| session.id.clone());
        self.hub.log().push(event_log::Event::Received { conn: self.id, session, op, data });
    }
}

fn unread(bytes: &[u8]) -> Body {
    Body::Omitted { content_type: "unreadable payload".into(), bytes: Some(bytes.len() as u64) }
}

/// Returns whether reading failed because a frame is longer than this gateway reads at all.
fn is_capacity(error: &axum::Error) -> bool {
    error.to_string().contains("too long")
}
