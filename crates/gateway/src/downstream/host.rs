//! A host's connection: HELLO, IDENTIFY or RESUME, heartbeats, events and commands.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::StreamExt as _;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::{Socket, close, send};
use crate::Core;
use crate::frame::{Frame, op};
use crate::shard::{Begin, Close, Next, SharedShard};
use crate::upstream::Wishes;

/// Discord's interval.
const HEARTBEAT: Duration = Duration::from_millis(41_250);
/// Dispatches that are sent before the host is read again.
const BATCH: usize = 64;

#[derive(Deserialize)]
struct Identify {
    token: String,
    intents: u64,
    #[serde(default)]
    shard: Option<(u32, u32)>,
    #[serde(default)]
    large_threshold: Option<u64>,
    #[serde(default)]
    presence: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Resume {
    token: String,
    session_id: String,
    seq: u64,
}

/// What goes on in a connection.
enum Stage {
    /// The host has not identified.
    New,
    /// Discord has not answered yet.
    Waiting(SharedShard),
    /// The host has a session.
    Open(SharedShard),
}

/// A host's connection.
pub(super) struct Host {
    core: Arc<Core>,
    socket: Socket,
    number: u64,
    stage: Stage,
}

fn closing(code: u16, reason: &str) -> Close {
    Close { code, reason: reason.to_owned() }
}

impl Host {
    pub(super) fn new(core: Arc<Core>, socket: Socket) -> Self {
        let number = core.next_connection();
        Self { core, socket, number, stage: Stage::New }
    }

    pub(super) async fn run(mut self) -> Result<(), Error> {
        let ended = self.talk().await;
        if let Stage::Open(shard) = &self.stage {
            shard.detach(self.number);
            tracing::info!(shard = shard.id, "the host is gone; events wait for the next one");
        }
        match ended? {
            Some(Close { code, reason }) => close(&mut self.socket, code, &reason).await,
            None => Ok(()),
        }
    }

    /// Reads and writes until the connection is to be closed, or is gone.
    async fn talk(&mut self) -> Result<Option<Close>, Error> {
        let hello =
            format!(r#"{{"op":10,"d":{{"heartbeat_interval":{},"_trace":[]}}}}"#, HEARTBEAT.as_millis());
        send(&mut self.socket, Message::text(hello)).await?;
        let mut alive_until = Instant::now() + HEARTBEAT * 2;
        let mut changes: Option<watch::Receiver<()>> = None;
        loop {
            if let Some(close) = self.go_on(&mut changes).await? {
                return Ok(Some(close));
            }
            tokio::select! {
                message = self.socket.next() => {
                    let text = match message {
                        None => return Ok(None),
                        Some(message) => match message? {
                            Message::Text(text) => text,
                            Message::Close(_) => return Ok(None),
                            _ => continue,
                        },
                    };
                    alive_until = Instant::now() + HEARTBEAT * 2;
                    if let Some(close) = self.read(&text, &mut changes).await? {
                        return Ok(Some(close));
                    }
                }
                () = changed(&mut changes) => {}
                () = sleep_until(alive_until) => return Ok(Some(closing(4009, "Session timed out."))),
            }
        }
    }

    /// Does what is to be done after a change.
    async fn go_on(&mut self, changes: &mut Option<watch::Receiver<()>>) -> Result<Option<Close>, Error> {
        if let Stage::Waiting(shard) = &self.stage {
            let id = format!("{:016x}{:016x}", std::process::id(), self.number);
            match shard.begin(&id, self.number) {
                Begin::Waiting => return Ok(None),
                Begin::Refused(close) => return Ok(Some(close)),
                Begin::Begun => self.stage = Stage::Open(shard.clone()),
            }
        }
        let Stage::Open(shard) = &self.stage else { return Ok(None) };
        let shard = shard.clone();
        for _ in 0..BATCH {
            let keep = self.core.answering.load(Ordering::Relaxed) > 0;
            match shard.next(self.number, self.core.url(), keep) {
                Next::Send(text) => send(&mut self.socket, Message::text(text)).await?,
                Next::Wait => return Ok(None),
                Next::Refused(close) => return Ok(Some(close)),
                Next::Invalid => {
                    self.stage = Stage::New;
                    *changes = None;
                    self.invalid().await?;
                    return Ok(None);
                }
            }
        }
        if let Some(changes) = changes {
            changes.mark_changed();
        }
        Ok(None)
    }

    /// INVALID_SESSION: the host must identify.
    async fn invalid(&mut self) -> Result<(), Error> {
        send(&mut self.socket, Message::text(r#"{"op":9,"d":false}"#)).await
    }

    async fn read(
        &mut self,
        text: &str,
        changes: &mut Option<watch::Receiver<()>>,
    ) -> Result<Option<Close>, Error> {
        let Some(frame) = Frame::read(text) else { return Ok(Some(closing(4002, "Decode error."))) };
        match frame.op {
            op::HEARTBEAT => {
                if let (Stage::Open(shard), Ok(sequence)) = (&self.stage, frame.data().parse()) {
                    shard.received(self.number, sequence);
                }
                send(&mut self.socket, Message::text(r#"{"op":11}"#)).await?;
            }
            op::IDENTIFY => return Ok(self.identify(frame.data(), changes)),
            op::RESUME => return self.resume(frame.data(), changes).await,
            op::PRESENCE
            | op::VOICE_STATE
            | op::REQUEST_MEMBERS
            | op::REQUEST_SOUNDS
            | op::REQUEST_CHANNEL_INFO => {
                let Stage::Open(shard) = &self.stage else {
                    return Ok(Some(closing(4003, "Not authenticated.")));
                };
                if frame.op == op::PRESENCE {
                    shard.set_presence(frame.data());
                }
                if shard.commands.try_send(text.to_owned()).is_err() {
                    return Ok(Some(closing(4008, "You are being rate limited.")));
                }
            }
            _ => return Ok(Some(closing(4001, "Unknown opcode."))),
        }
        Ok(None)
    }

    fn identify(&mut self, data: &str, changes: &mut Option<watch::Receiver<()>>) -> Option<Close> {
        if !matches!(self.stage, Stage::New) {
            return Some(closing(4005, "Already authenticated."));
        }
        let Ok(identify) = serde_json::from_str::<Identify>(data) else {
            return Some(closing(4002, "Decode error."));
        };
        if !self.core.is_token(&identify.token) {
            tracing::warn!("a host without the bot's token was refused");
            return Some(closing(4004, "Authentication failed."));
        }
        let (id, total) = identify.shard.unwrap_or((0, 1));
        if id >= total {
            return Some(closing(4010, "Invalid shard."));
        }
        let presence = identify.presence.as_ref().map(|presence| presence.get().to_owned());
        let wishes = Wishes { large_threshold: identify.large_threshold, presence: identify.presence };
        let (shard, is_new) = self.core.shard((id, total), identify.intents, wishes);
        // A session that goes on has the presence of the host before.
        if let Some(presence) = presence
            && shard.set_presence(&presence)
            && !is_new
        {
            let _ = shard.commands.try_send(format!(r#"{{"op":3,"d":{presence}}}"#));
        }
        *changes = Some(shard.changed.subscribe());
        self.stage = Stage::Waiting(shard);
        None
    }

    async fn resume(
        &mut self,
        data: &str,
        changes: &mut Option<watch::Receiver<()>>,
    ) -> Result<Option<Close>, Error> {
        let Ok(resume) = serde_json::from_str::<Resume>(data) else {
            return Ok(Some(closing(4002, "Decode error.")));
        };
        if !self.core.is_token(&resume.token) {
            tracing::warn!("a host without the bot's token was refused");
            return Ok(Some(closing(4004, "Authentication failed.")));
        }
        let resumed = self
            .core
            .all()
            .into_iter()
            .find(|shard| shard.resume(&resume.session_id, self.number, resume.seq));
        match resumed {
            Some(shard) => {
                *changes = Some(shard.changed.subscribe());
                self.stage = Stage::Open(shard);
            }
            None => self.invalid().await?,
        }
        Ok(None)
    }
}

/// Waits for a change of the connection's shard; for ever without one.
async fn changed(changes: &mut Option<watch::Receiver<()>>) {
    if let Some(changes) = changes
        && changes.changed().await.is_ok()
    {
        return;
    }
    std::future::pending::<()>().await;
}
