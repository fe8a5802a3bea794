//! One websocket: reads what the client asks, writes what its session holds, and ends for one reason.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message as Frame, WebSocket};
use sandbox_net::Closer;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::call::Job;
use crate::calls::Voice;
use crate::close::{Close, resumable};
use crate::fault::{VoiceEffect, VoicePlace};
use crate::host::{Data, Event};
use crate::links::Order;
use crate::listener::Wire;
use crate::payload::{BUFFERED, Raw, Request, op};
use crate::session::{Message, Next, Numbered, Session, wire};

/// Time that a client has to answer a close frame.
const FAREWELL: Duration = Duration::from_secs(2);
/// Time in which `payloads_per_minute` counts.
const MINUTE: Duration = Duration::from_mins(1);

/// What a connection starts with.
pub(super) struct Opening {
    pub(super) voice: Voice,
    pub(super) region: usize,
    pub(super) socket: WebSocket,
    pub(super) wire: Wire,
    /// Version that the client asked for, if it is one that is spoken.
    pub(super) version: Option<u8>,
    /// Time to wait before HELLO.
    pub(super) delay: Duration,
    /// Whether nothing is ever to be sent.
    pub(super) stalled: bool,
}

pub(super) struct Connection {
    pub(super) voice: Voice,
    pub(super) region: usize,
    pub(super) id: u64,
    socket: WebSocket,
    pub(super) wire: Wire,
    pub(super) version: u8,
    pub(super) session: Option<Arc<Session>>,
    /// Number of the newest message of the session that was written.
    pub(super) written: u64,
    /// When the next heartbeat is overdue.
    overdue: Instant,
    /// When the payloads of the last minute came.
    recent: VecDeque<Instant>,
}

/// Why a connection ends.
pub(super) enum Ending {
    /// The server closes it.
    Close(Close),
    /// A fault drops it.
    Sever,
    /// The client closed it.
    Closed { code: Option<u16>, reason: String },
    /// It broke.
    Lost(String),
}

impl From<Close> for Ending {
    fn from(close: Close) -> Self {
        Self::Close(close)
    }
}

/// Serves one connection until it ends.
pub(super) async fn serve(opening: Opening) {
    let Opening { voice, region, socket, wire, version, delay, stalled } = opening;
    let (id, orders) = voice.link();
    let region_id = voice.regions().get(region).cloned().unwrap_or_default();
    voice.host().log(Event::Connected { conn: id, region: region_id, version });
    let overdue = Instant::now() + delay + patience(&voice);
    let mut connection = Connection {
        voice,
        region,
        id,
        socket,
        wire,
        version: version.unwrap_or(BUFFERED),
        session: None,
        written: 0,
        overdue,
        recent: VecDeque::new(),
    };
    let ending = if version.is_none() {
        Ending::Close(Close::invalid_version())
    } else if stalled {
        connection.stall(orders).await
    } else {
        sleep(delay).await;
        let Err(ending) = connection.live(orders).await;
        ending
    };
    connection.end(ending).await;
}

/// Time without a heartbeat after which a connection counts as dead: one and a half intervals.
fn patience(voice: &Voice) -> Duration {
    voice.options().heartbeat_interval * 3 / 2
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Also when the server's runtime drops the task halfway.
        self.voice.unlink(self.id);
    }
}

impl Connection {
    async fn live(&mut self, mut orders: mpsc::UnboundedReceiver<Order>) -> Result<Infallible, Ending> {
        let interval = self.voice.options().heartbeat_interval;
        let interval = u64::try_from(interval.as_millis()).unwrap_or(u64::MAX);
        self.send(op::HELLO, json!({ "v": self.version, "heartbeat_interval": interval })).await?;
        loop {
            self.write_news().await?;
            let session = self.session.clone();
            let news = async {
                match &session {
                    Some(session) => session.news.notified().await,
                    None => pending().await,
                }
            };
            tokio::select! {
                biased;
                order = orders.recv() => return Err(match order {
                    Some(Order::Close(close)) => Ending::Close(close),
                    Some(Order::Sever) | None => Ending::Sever,
                }),
                message = self.socket.recv() => self.receive(message).await?,
                () = sleep_until(self.overdue) => return Err(Close::timed_out().into()),
                () = news => {}
            }
        }
    }

    /// Sends nothing, as a server does that hangs, until the client has had enough.
    async fn stall(&mut self, mut orders: mpsc::UnboundedReceiver<Order>) -> Ending {
        loop {
            tokio::select! {
                order = orders.recv() => return match order {
                    Some(Order::Close(close)) => Ending::Close(close),
                    Some(Order::Sever) | None => Ending::Sever,
                },
                message = self.socket.recv() => match message {
                    Some(Ok(Frame::Close(frame))) => return closed(frame),
                    Some(Ok(_)) => {}
                    Some(Err(error)) => return Ending::Lost(error.to_string()),
                    None => return Ending::Lost("the connection ended without a close frame".into()),
                },
            }
        }
    }

    /// Writes messages that the session holds.
    async fn write_news(&mut self) -> Result<(), Ending> {
        let Some(session) = self.session.clone() else { return Ok(()) };
        match session.after(self.written, self.id) {
            Next::Messages(messages) => {
                for numbered in messages {
                    self.write(&session, &numbered).await?;
                    self.written = numbered.number;
                }
                Ok(())
            }
            Next::Replaced => {
                // The ring may have been meant for the connection that took over.
                session.news.notify_one();
                Err(Close::replaced().into())
            }
            Next::Ended(close) => Err(close.into()),
        }
    }

    async fn write(&mut self, session: &Session, numbered: &Numbered) -> Result<(), Ending> {
        let seq = (self.version >= BUFFERED).then(|| wire(numbered.number));
        let (op, data, frame) = match &*numbered.message {
            Message::Json { op, data, recorded } => {
                let mut payload = json!({ "op": op, "d": data });
                if let Some(seq) = seq {
                    payload["seq"] = seq.into();
                }
                (*op, recorded.clone(), Frame::Text(payload.to_string().into()))
            }
            Message::Binary { op, payload } => {
                let mut bytes = seq.map_or_else(Vec::new, |seq| seq.to_be_bytes().to_vec());
                bytes.push(*op);
                bytes.extend(payload);
                (*op, omitted("binary frame", payload.len()), Frame::Binary(bytes.into()))
            }
        };
        let user = Some(session.user);
        self.voice.host().log(Event::Sent { conn: self.id, user, op, seq, data });
        self.put(frame).await
    }

    /// Sends a message that belongs to this connection alone and has no number.
    pub(super) async fn send(&mut self, op: u8, data: Value) -> Result<(), Ending> {
        let user = self.session.as_ref().map(|session| session.user);
        let frame = Frame::Text(json!({ "op": op, "d": data }).to_string().into());
        let data = Data::from(&data);
        self.voice.host().log(Event::Sent { conn: self.id, user, op, seq: None, data });
        self.put(frame).await
    }

    /// Waits for a write, but not longer than for a heartbeat: a client that does not read is as dead as a silent one.
    async fn put(&mut self, frame: Frame) -> Result<(), Ending> {
        match timeout(patience(&self.voice), self.socket.send(frame)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Ending::Lost(error.to_string())),
            Err(_) => Err(Ending::Lost("the client stopped reading".into())),
        }
    }

    async fn receive(&mut self, message: Option<Result<Frame, axum::Error>>) -> Result<(), Ending> {
        match message {
            Some(Ok(Frame::Text(text))) => self.text(&text).await,
            Some(Ok(Frame::Binary(bytes))) => self.binary(&bytes).await,
            Some(Ok(Frame::Ping(_) | Frame::Pong(_))) => Ok(()),
            Some(Ok(Frame::Close(frame))) => Err(closed(frame)),
            Some(Err(error)) => Err(Ending::Lost(error.to_string())),
            None => Err(Ending::Lost("the connection ended without a close frame".into())),
        }
    }

    async fn text(&mut self, text: &str) -> Result<(), Ending> {
        self.count_payload()?;
        let raw = match Raw::read(text) {
            Ok(raw) => raw,
            Err(close) => {
                self.record_received(None, omitted("unreadable payload", text.len()));
                return Err(close.into());
            }
        };
        let data = Data::from(raw.data());
        self.record_received(Some(raw.op), data);
        if !self.survives(raw.op).await? {
            return Ok(());
        }
        match (raw.op, &self.session) {
            (0 | 7, Some(_)) => return Err(Close::already_authenticated().into()),
            (1 | 5 | 23 | 31, None) => return Err(Close::not_authenticated().into()),
            _ => {}
        }
        match (raw.request(self.version)?, self.session.clone()) {
            (Request::Identify(identify), _) => self.identify(identify),
            (Request::Resume(resume), _) => self.resume(&resume).await,
            (Request::Heartbeat(beat), _) => {
                self.overdue = Instant::now() + patience(&self.voice);
                self.send(op::HEARTBEAT_ACK, beat.answer).await
            }
            (Request::SelectProtocol(select), Some(session)) => self.select(&session, &select),
            (Request::Speaking(speaking), Some(session)) => Self::speaking(&session, &speaking),
            (Request::Dave(op, data), Some(session)) => {
                session.call.queue(Job::Json(session.user, op, data));
                Ok(())
            }
            (_, None) => Err(Close::not_authenticated().into()),
        }
    }

    async fn binary(&mut self, bytes: &[u8]) -> Result<(), Ending> {
        self.count_payload()?;
        let Some((&op, payload)) = bytes.split_first() else {
            self.record_received(None, omitted("binary frame", 0));
            return Err(Close::decode("a binary frame begins with its opcode").into());
        };
        self.record_received(Some(op.into()), omitted("binary frame", payload.len()));
        if !self.survives(op.into()).await? {
            return Ok(());
        }
        let Some(session) = &self.session else { return Err(Close::not_authenticated().into()) };
        if !matches!(op, 26 | 28) {
            return Err(Close::unknown_opcode().into());
        }
        session.call.queue(Job::Binary(session.user, op, payload.to_vec()));
        Ok(())
    }

    /// Lets an injected effect happen to a payload of this opcode; tells whether the payload is to be acted upon.
    async fn survives(&mut self, op: u64) -> Result<bool, Ending> {
        let place = VoicePlace {
            op: Some(op),
            guild: self.session.as_ref().map(|session| session.guild),
            user: self.session.as_ref().map(|session| session.user),
        };
        let Some(strike) = self.voice.host().on_received(place) else { return Ok(true) };
        let mut effect = json!(strike.effect);
        if strike.effect == VoiceEffect::Pass {
            effect = json!({ "delay_ms": u64::try_from(strike.delay.as_millis()).unwrap_or(u64::MAX) });
        }
        let place = format!("voice connection {}, opcode {op}", self.id);
        self.voice.host().log(Event::Fault { rule: Some(strike.rule), place, effect });
        sleep(strike.delay).await;
        match strike.effect {
            VoiceEffect::Pass => Ok(true),
            VoiceEffect::Ignore => {
                // A heartbeat only loses its acknowledgement; the client is not to be closed as dead.
                self.overdue = Instant::now() + patience(&self.voice);
                Ok(false)
            }
            VoiceEffect::Sever => Err(Ending::Sever),
            VoiceEffect::Close { code, reason } => Err(Ending::Close(Close { code, reason })),
        }
    }

    /// Counts a payload against the limit of a connection: so many in any 60 seconds.
    fn count_payload(&mut self) -> Result<(), Ending> {
        let Some(limit) = self.voice.options().payloads_per_minute else { return Ok(()) };
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

    /// Ends the connection for a reason, and tells everyone.
    async fn end(mut self, ending: Ending) {
        let session = self.session.take();
        let (code, reason, by) = match &ending {
            Ending::Close(close) => (Some(close.code), close.reason.clone(), Closer::Server),
            Ending::Sever => (None, "dropped by an injected fault".to_owned(), Closer::Server),
            Ending::Closed { code, reason } => (*code, reason.clone(), Closer::Client),
            Ending::Lost(reason) => (None, reason.clone(), Closer::Lost),
        };
        let guild = session.as_ref().map(|session| session.guild);
        let user = session.as_ref().map(|session| session.user);
        let closed = Event::Closed { conn: self.id, guild, user, code, reason: reason.clone(), by };
        self.voice.host().log(closed);
        self.voice.relink(self.id, None);
        if let Some(session) = session
            && let Some(attachment) = session.detach(self.id)
        {
            match code.filter(|code| !resumable(*code)) {
                Some(code) => self.voice.end(&session, Close { code, reason }),
                None => self.voice.expire_later(session, attachment),
            }
        }
        match ending {
            Ending::Close(close) => {
                let frame = CloseFrame { code: close.code, reason: close.reason.into() };
                let farewell = async {
                    // A client that is gone already can't be told.
                    let _ = self.socket.send(Frame::Close(Some(frame))).await;
                    // Unread payloads would turn the end into a reset, and the close frame would be lost.
                    while let Some(Ok(_)) = self.socket.recv().await {}
                };
                let _ = timeout(FAREWELL, farewell).await;
            }
            Ending::Sever => self.wire.connection.sever(),
            Ending::Closed { .. } => {
                // Reading on lets the answer to the close frame out.
                let _ = timeout(FAREWELL, self.socket.recv()).await;
            }
            Ending::Lost(_) => {}
        }
    }

    fn record_received(&self, op: Option<u64>, data: Data) {
        let user = self.session.as_ref().map(|session| session.user);
        self.voice.host().log(Event::Received { conn: self.id, user, op, data });
    }
}

fn closed(frame: Option<CloseFrame>) -> Ending {
    match frame {
        Some(frame) => Ending::Closed { code: Some(frame.code), reason: frame.reason.to_string() },
        None => Ending::Closed { code: None, reason: String::new() },
    }
}

fn omitted(what: &'static str, bytes: usize) -> Data {
    Data::Omitted { what, bytes }
}
