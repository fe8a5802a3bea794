//! One websocket: reads what the client asks, writes what its session holds, and ends for one reason.

mod faults;
mod handshake;
mod requests;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::{pending, ready};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::SinkExt;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use self::faults::Delivery;
use super::hub::Order;
use super::payload::{self, Close, Raw, Request, op};
use super::session::{Next, Session};
use super::transport::Transport;
use super::{Backend, Command, Hub};
use crate::fault::{Connection as Wire, GatewayEffect};
use crate::record::{self, Body, Closer};

/// Events written before the client's own payloads are looked at again.
const BATCH: usize = 64;
/// Time that a client has to answer a close frame.
const FAREWELL: Duration = Duration::from_secs(2);
/// Time in which `payloads_per_minute` counts.
const MINUTE: Duration = Duration::from_mins(1);

/// What a connection starts with.
pub(super) struct Opening {
    pub(super) hub: Hub,
    pub(super) backend: Arc<dyn Backend>,
    pub(super) socket: WebSocket,
    /// Way to cut the connection, if the listener offers one.
    pub(super) wire: Option<Wire>,
    pub(super) transport: Result<Transport, Close>,
    pub(super) resume_url: String,
    /// Time to wait before HELLO.
    pub(super) delay: Duration,
}

struct Connection {
    hub: Hub,
    backend: Arc<dyn Backend>,
    id: u64,
    socket: WebSocket,
    wire: Option<Wire>,
    transport: Transport,
    resume_url: String,
    session: Option<Arc<Session>>,
    /// Number of the newest event that was written.
    written: u64,
    /// When the next heartbeat is overdue.
    overdue: Instant,
    /// When heartbeats that came are to be acknowledged.
    due: VecDeque<Instant>,
    /// When the payloads of the last minute came.
    recent: VecDeque<Instant>,
    /// Event that an injected delay holds back, and all after it.
    held: Option<faults::Held>,
}

/// Why a connection ends.
enum Ending {
    /// The gateway closes it.
    Close(Close),
    /// A fault drops it.
    Sever,
    /// The client closed it.
    Closed { code: Option<u16>, reason: String },
    /// It broke.
    Lost(String),
}

/// Serves one connection until it ends.
pub(super) async fn serve(opening: Opening) {
    let Opening { hub, backend, socket, wire, transport, resume_url, delay } = opening;
    let (id, orders) = hub.link();
    let refused = transport.as_ref().err().cloned();
    // A client that asked for something impossible can at least read a plain close frame.
    let transport = transport.unwrap_or(Transport::Json { compress_from: None, zlib: None });
    hub.recorder().push(record::Event::Connected { conn: id, transport: transport.name() });
    let overdue = Instant::now() + delay + patience(&hub);
    let mut connection = Connection {
        hub,
        backend,
        id,
        socket,
        wire,
        transport,
        resume_url,
        session: None,
        written: 0,
        overdue,
        due: VecDeque::new(),
        recent: VecDeque::new(),
        held: None,
    };
    let ending = if let Some(close) = refused {
        Ending::Close(close)
    } else {
        sleep(delay).await;
        let Err(ending) = connection.live(orders).await;
        ending
    };
    connection.end(ending).await;
}

/// Time without a heartbeat after which a connection counts as dead: one and a half intervals.
fn patience(hub: &Hub) -> Duration {
    hub.options().heartbeat_interval * 3 / 2
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Also when the server's runtime drops the task halfway.
        self.hub.unlink(self.id);
    }
}

impl Connection {
    async fn live(&mut self, mut orders: mpsc::UnboundedReceiver<Order>) -> Result<Infallible, Ending> {
        let interval = self.hub.options().heartbeat_interval;
        let hello = json!({"heartbeat_interval": u64::try_from(interval.as_millis()).unwrap_or(u64::MAX)});
        self.send(op::HELLO, hello).await?;
        loop {
            let more = self.write_news().await?;
            let session = self.session.clone();
            let news = async {
                match &session {
                    Some(session) => session.news.notified().await,
                    None => pending().await,
                }
            };
            let held_until = self.held.as_ref().map(|held| held.until);
            let release = async {
                match held_until {
                    Some(until) => sleep_until(until).await,
                    None => pending().await,
                }
            };
            let due = self.due.front().copied();
            let acknowledge = async {
                match due {
                    Some(due) => sleep_until(due).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                biased;
                order = orders.recv() => match order {
                    Some(Order::Command(command)) => self.obey(command).await?,
                    Some(Order::Replaced) | None => return Err(Ending::Close(Close {
                        code: 4000,
                        reason: "The session was resumed on another connection.".into(),
                    })),
                },
                () = acknowledge => {
                    self.due.pop_front();
                    self.send(op::HEARTBEAT_ACK, Value::Null).await?;
                }
                message = self.socket.recv() => self.receive(message).await?,
                () = sleep_until(self.overdue) => return Err(Close::timed_out().into()),
                () = release => {}
                () = ready(()), if more => {}
                () = news, if held_until.is_none() => {}
            }
        }
    }

    /// Writes events that the session holds; tells whether there may be more.
    async fn write_news(&mut self) -> Result<bool, Ending> {
        let Some(session) = self.session.clone() else { return Ok(false) };
        if self.held.as_ref().is_some_and(|held| Instant::now() < held.until) {
            return Ok(false);
        }
        let events = match session.after(self.written, self.id, BATCH) {
            Next::Events(events) => events,
            Next::Nothing => return Ok(false),
            Next::Behind => {
                self.hub.end(&session, "its reader fell behind");
                return Err(Ending::Close(Close {
                    code: 4000,
                    reason: "Events were lost because they were not read in time.".into(),
                }));
            }
            Next::Ended => {
                // The ring may have been meant for the connection that took over.
                session.news.notify_one();
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
                    // What was written before must not be lost with the connection.
                    self.flush().await?;
                    self.suffer(effect.clone()).await?;
                    if self.session.is_none() {
                        return Ok(false);
                    }
                }
            }
            let Delivery { mut payload, recorded, times } = self.delivery(&numbered, &effect);
            for left in (0..times).rev() {
                self.hub.recorder().push(record::Event::Dispatch {
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

    async fn obey(&mut self, command: Command) -> Result<(), Ending> {
        match command {
            Command::Sever => Err(Ending::Sever),
            Command::Close { code, reason } => Err(Ending::Close(Close { code, reason })),
            Command::Reconnect => self.send(op::RECONNECT, Value::Null).await,
            Command::InvalidSession { resumable } => self.invalidate(resumable).await,
            Command::RequestHeartbeat => self.send(op::HEARTBEAT, Value::Null).await,
        }
    }

    /// Sends INVALID_SESSION and parts from the session, which ends if it can't be resumed.
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

    async fn receive(&mut self, message: Option<Result<Message, axum::Error>>) -> Result<(), Ending> {
        match message {
            Some(Ok(Message::Text(text))) => self.payload(text.as_bytes()).await,
            Some(Ok(Message::Binary(bytes))) => self.payload(&bytes).await,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(()),
            Some(Ok(Message::Close(frame))) => Err(match frame {
                Some(frame) => Ending::Closed { code: Some(frame.code), reason: frame.reason.to_string() },
                None => Ending::Closed { code: None, reason: String::new() },
            }),
            // The length is the client's error and has its code; anything else breaks the connection.
            Some(Err(error)) if is_capacity(&error) => Err(Close::too_long().into()),
            Some(Err(error)) => Err(Ending::Lost(error.to_string())),
            None => Err(Ending::Lost("the connection ended without a close frame".into())),
        }
    }

    async fn payload(&mut self, bytes: &[u8]) -> Result<(), Ending> {
        self.count_payload()?;
        if bytes.len() > payload::LONGEST {
            self.record_received(None, unread(bytes));
            return Err(Close::too_long().into());
        }
        let raw = match Raw::read(bytes) {
            Ok(raw) => raw,
            Err(close) => {
                self.record_received(None, unread(bytes));
                return Err(close.into());
            }
        };
        let data = Body::from(self.hub.recorder().redactor().json(raw.data()));
        self.record_received(Some(raw.op), data);
        if let Some(strike) = self.strike_received(raw.op) {
            self.record_strike(&strike, &format!("opcode {}", raw.op));
            sleep(strike.delay).await;
            if strike.effect == GatewayEffect::Ignore {
                if raw.op == u64::from(op::HEARTBEAT) {
                    // Only the acknowledgement is lost; the client is not to be closed as dead.
                    self.overdue = Instant::now() + patience(&self.hub);
                }
                return Ok(());
            }
            return self.act_on(raw, bytes, strike.effect).await;
        }
        self.act(raw).await
    }

    /// Does what a client's payload asks for.
    async fn act(&mut self, raw: Raw) -> Result<(), Ending> {
        match (raw.op, &self.session) {
            (2 | 6, Some(_)) => return Err(Close::already_authenticated().into()),
            (3 | 4 | 8 | 31 | 43, None) => return Err(Close::not_authenticated().into()),
            _ => {}
        }
        let request = raw.request()?;
        match (request, self.session.clone()) {
            (Request::Heartbeat, _) => {
                self.overdue = Instant::now() + patience(&self.hub);
                self.due.push_back(Instant::now() + self.hub.options().heartbeat_latency);
                Ok(())
            }
            (Request::Identify(identify), _) => self.identify(*identify).await,
            (Request::Resume(resume), _) => self.resume(resume).await,
            (request, Some(session)) => {
                self.ask(request, &session);
                Ok(())
            }
            (_, None) => Err(Close::not_authenticated().into()),
        }
    }

    /// Counts a payload against the limit of a connection: so many in any 60 seconds.
    fn count_payload(&mut self) -> Result<(), Ending> {
        let Some(limit) = self.hub.options().payloads_per_minute else { return Ok(()) };
        let now = Instant::now();
        while self.recent.front().is_some_and(|&first| now.duration_since(first) >= MINUTE) {
            self.recent.pop_front();
        }
        if self.recent.len() >= limit {
            return Err(Close::rate_limited().into());
        }
        self.recent.push_back(now);
        Ok(())
    }

    async fn send(&mut self, op: u8, data: Value) -> Result<(), Ending> {
        let payload = json!({"t": null, "s": null, "op": op, "d": data}).to_string();
        let session = self.session.as_ref().map(|session| session.id.clone());
        self.hub.recorder().push(record::Event::Sent { conn: self.id, session, op, data });
        self.feed(payload).await?;
        self.flush().await
    }

    async fn feed(&mut self, payload: String) -> Result<(), Ending> {
        let frame = self.transport.frame(payload).map_err(|error| Ending::Lost(error.to_string()))?;
        unstalled(&self.hub, self.socket.feed(frame)).await
    }

    async fn flush(&mut self) -> Result<(), Ending> {
        unstalled(&self.hub, self.socket.flush()).await
    }

    /// Ends the connection for a reason, and tells everyone.
    async fn end(mut self, ending: Ending) {
        let session = self.session.clone();
        let (code, reason, by) = match &ending {
            Ending::Close(close) => (Some(close.code), close.reason.clone(), Closer::Server),
            Ending::Sever => (None, "dropped by an injected fault".to_owned(), Closer::Server),
            Ending::Closed { code, reason } => (*code, reason.clone(), Closer::Client),
            Ending::Lost(reason) => (None, reason.clone(), Closer::Lost),
        };
        let session_id = session.as_ref().map(|session| session.id.clone());
        self.hub.recorder().push(record::Event::Closed {
            conn: self.id,
            session: session_id,
            code,
            reason,
            by,
        });
        self.leave_session();
        // "When you close the connection with 1000 or 1001, your session will be invalidated" (Gateway).
        if let (Ending::Closed { code: Some(1000 | 1001), .. }, Some(session)) = (&ending, &session) {
            self.hub.end(session, "closed by the client");
        }
        match ending {
            Ending::Close(close) => {
                let frame = CloseFrame { code: close.code, reason: close.reason.into() };
                let farewell = async {
                    // A client that is gone already can't be told.
                    let _ = self.socket.send(Message::Close(Some(frame))).await;
                    // Unread payloads would turn the end into a reset, and the close frame would be lost.
                    while let Some(Ok(_)) = self.socket.recv().await {}
                };
                let _ = timeout(FAREWELL, farewell).await;
            }
            Ending::Sever => {
                if let Some(wire) = &self.wire {
                    wire.sever();
                }
            }
            Ending::Closed { .. } => {
                // Reading on lets the answer to the close frame out.
                let _ = timeout(FAREWELL, self.socket.recv()).await;
            }
            Ending::Lost(_) => {}
        }
    }

    fn record_received(&self, op: Option<u64>, data: Body) {
        let session = self.session.as_ref().map(|session| session.id.clone());
        self.hub.recorder().push(record::Event::Received { conn: self.id, session, op, data });
    }
}

impl From<Close> for Ending {
    fn from(close: Close) -> Self {
        Self::Close(close)
    }
}

fn unread(bytes: &[u8]) -> Body {
    Body::Omitted { content_type: "unreadable payload".into(), bytes: Some(bytes.len() as u64) }
}

/// Waits for a write, but not longer than for a heartbeat: a client that does not read is as dead as a silent one.
async fn unstalled(hub: &Hub, write: impl Future<Output = Result<(), axum::Error>>) -> Result<(), Ending> {
    match timeout(patience(hub), write).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(Ending::Lost(error.to_string())),
        Err(_) => Err(Ending::Lost("the client stopped reading".into())),
    }
}

/// Whether reading failed because a frame is longer than this gateway reads at all.
fn is_capacity(error: &axum::Error) -> bool {
    error.to_string().contains("too long")
}
