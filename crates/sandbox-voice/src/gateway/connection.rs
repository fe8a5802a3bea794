//! One websocket: reads what the client sends, writes the messages of its session, and ends for one reason.

use std::future::pending;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{Message as Frame, WebSocket};
use sandbox_net::Close;
use sandbox_net::ws::{self, End, Ending, Limits, Protocol, Socket, Start};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::call::Job;
use crate::close::{self, resumable};
use crate::fault::{VoiceEffect, VoicePlace};
use crate::host::{Data, Event};
use crate::links::Order;
use crate::payload::{BUFFERED, Raw, Request, op};
use crate::session::{Message, Next, Numbered, Session, wire};
use crate::state::Voice;
use crate::wire::Wire;

/// Arguments of a new connection.
pub(super) struct Opening {
    pub(super) voice: Voice,
    pub(super) region: usize,
    pub(super) socket: WebSocket,
    pub(super) wire: Wire,
    /// Version that the client asked for, if it is a supported one.
    pub(super) version: Option<u8>,
    /// Time to wait before HELLO.
    pub(super) delay: Duration,
    /// Whether nothing is ever sent.
    pub(super) stalled: bool,
}

/// Connection of a client, as the voice gateway serves it.
pub(super) struct Connection {
    pub(super) voice: Voice,
    pub(super) region: usize,
    pub(super) id: u64,
    socket: Socket,
    /// Address of this machine to which the client connected, if it was still connected.
    pub(super) local: Option<IpAddr>,
    pub(super) version: u8,
    pub(super) session: Option<Arc<Session>>,
    /// Number of the newest message of the session that was written.
    pub(super) written: u64,
}

/// Serves one connection until it ends.
pub(super) async fn serve(opening: Opening) {
    let Opening { voice, region, socket, wire, version, delay, stalled } = opening;
    let (id, orders) = voice.link();
    let region_id = voice.regions().get(region).cloned().unwrap_or_default();
    voice.host().log(Event::Connected { conn: id, region: region_id, version });
    let limits = Limits {
        heartbeat_interval: voice.options().heartbeat_interval,
        payloads_per_minute: voice.options().payloads_per_minute,
    };
    let start = match version {
        None => Start::End(close::invalid_version().into()),
        Some(_) if stalled => Start::Stall,
        Some(_) => Start::Hello(delay),
    };
    let connection = Connection {
        voice,
        region,
        id,
        socket: Socket::new(socket, Some(wire.connection), limits, delay),
        local: wire.local,
        version: version.unwrap_or(BUFFERED),
        session: None,
        written: 0,
    };
    ws::serve(connection, orders, start).await;
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Also when the server's runtime drops the task halfway.
        self.voice.unlink(self.id);
    }
}

impl Protocol for Connection {
    type Order = Order;

    fn socket(&mut self) -> &mut Socket {
        &mut self.socket
    }

    async fn hello(&mut self) -> Result<(), Ending> {
        let interval = self.voice.options().heartbeat_interval;
        let interval = u64::try_from(interval.as_millis()).unwrap_or(u64::MAX);
        self.send(op::HELLO, json!({ "v": self.version, "heartbeat_interval": interval })).await
    }

    async fn flush_events(&mut self) -> Result<bool, Ending> {
        let Some(session) = self.session.clone() else { return Ok(false) };
        match session.after(self.written, self.id) {
            Next::Messages(messages) => {
                for numbered in messages {
                    self.write(&session, &numbered).await?;
                    self.written = numbered.number;
                }
                Ok(false)
            }
            Next::Replaced => {
                // The notification may have been meant for the connection that took over.
                session.changed.notify_one();
                Err(close::replaced().into())
            }
            Next::Ended(close) => Err(close.into()),
        }
    }

    fn events(&self) -> impl Future<Output = ()> + Send + use<> {
        let session = self.session.clone();
        async move {
            match session {
                Some(session) => session.changed.notified().await,
                None => pending().await,
            }
        }
    }

    async fn handle_text(&mut self, text: &str) -> Result<(), Ending> {
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
            (0 | 7, Some(_)) => return Err(close::already_authenticated().into()),
            (1 | 5 | 23 | 31, None) => return Err(close::not_authenticated().into()),
            _ => {}
        }
        match (raw.request(self.version)?, self.session.clone()) {
            (Request::Identify(identify), _) => self.identify(identify),
            (Request::Resume(resume), _) => self.resume(&resume).await,
            (Request::Heartbeat(beat), _) => {
                self.socket.beat();
                self.send(op::HEARTBEAT_ACK, beat.answer).await
            }
            (Request::SelectProtocol(select), Some(session)) => self.select(&session, &select),
            (Request::Speaking(speaking), Some(session)) => Self::speaking(&session, &speaking),
            (Request::Dave(op, data), Some(session)) => {
                session.call.queue(Job::Json(session.user, op, data));
                Ok(())
            }
            (_, None) => Err(close::not_authenticated().into()),
        }
    }

    async fn handle_binary(&mut self, bytes: &[u8]) -> Result<(), Ending> {
        let Some((&op, payload)) = bytes.split_first() else {
            self.record_received(None, omitted("binary frame", 0));
            return Err(close::decode("a binary frame begins with its opcode").into());
        };
        self.record_received(Some(op.into()), omitted("binary frame", payload.len()));
        if !self.survives(op.into()).await? {
            return Ok(());
        }
        let Some(session) = &self.session else { return Err(close::not_authenticated().into()) };
        if !matches!(op, 26 | 28) {
            return Err(close::unknown_opcode().into());
        }
        session.call.queue(Job::Binary(session.user, op, payload.to_vec()));
        Ok(())
    }

    async fn handle_order(&mut self, order: Option<Order>) -> Result<(), Ending> {
        Err(match order {
            Some(Order::Close(close)) => close.into(),
            Some(Order::Sever) | None => Ending::Sever,
        })
    }

    fn timed_out(&self) -> Ending {
        close::timed_out().into()
    }

    fn rate_limited(&self) -> Ending {
        close::rate_limited().into()
    }

    fn ended(&mut self, end: &End) {
        let session = self.session.take();
        self.voice.host().log(Event::Closed {
            conn: self.id,
            guild: session.as_ref().map(|session| session.guild),
            user: session.as_ref().map(|session| session.user),
            code: end.code,
            reason: end.reason.clone(),
            by: end.by,
        });
        self.voice.relink(self.id, None);
        if let Some(session) = session
            && let Some(attachment) = session.detach(self.id)
        {
            match end.code.filter(|code| !resumable(*code)) {
                Some(code) => self.voice.end(&session, Close::new(code, end.reason.clone())),
                None => self.voice.expire_later(session, attachment),
            }
        }
    }
}

impl Connection {
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
        self.socket.send(frame).await
    }

    /// Sends a message that belongs to this connection alone and has no number.
    pub(super) async fn send(&mut self, op: u8, data: Value) -> Result<(), Ending> {
        let user = self.session.as_ref().map(|session| session.user);
        let frame = Frame::Text(json!({ "op": op, "d": data }).to_string().into());
        let data = Data::from(&data);
        self.voice.host().log(Event::Sent { conn: self.id, user, op, seq: None, data });
        self.socket.send(frame).await
    }

    /// Applies an injected effect to a payload of this opcode; returns whether the payload is to be handled.
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
                // A heartbeat only loses its acknowledgement; the client must not be closed as dead.
                self.socket.beat();
                Ok(false)
            }
            VoiceEffect::Sever => Err(Ending::Sever),
            VoiceEffect::Close { code, reason } => Err(Close::new(code, reason).into()),
        }
    }

    fn record_received(&self, op: Option<u64>, data: Data) {
        let user = self.session.as_ref().map(|session| session.user);
        self.voice.host().log(Event::Received { conn: self.id, user, op, data });
    }
}

fn omitted(what: &'static str, bytes: usize) -> Data {
    Data::Omitted { what, bytes }
}
