//! A user of the sandbox as a member of an encrypted call: real keys, the same messages as every client.

use std::collections::VecDeque;
use std::num::NonZeroU16;
use std::time::Instant;

use davey::{CommitWelcome, DaveSession, MediaType, ProposalsOperationType};
use discord_rules::snowflake::Snowflake;
use serde_json::{Value, json};

use super::plain::GRACE;
use super::{Message, tls};

/// DAVE protocol version that listeners speak.
const VERSION: NonZeroU16 = NonZeroU16::MIN;

/// Answer of a listener.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Reply {
    /// Text frame.
    Json(u8, Value),
    /// Binary frame.
    Binary(u8, Vec<u8>),
}

/// One listening member.
pub(super) struct Listener {
    user: Snowflake,
    channel: Snowflake,
    ears: Ears,
    /// Keys of a group that has been replaced since, for frames that were on their way, and until when they count.
    former: Option<(Ears, Instant)>,
    sender: Option<Vec<u8>>,
    inbox: VecDeque<Message>,
}

/// Keys that open frames.
pub(super) struct Ears(DaveSession);

impl Ears {
    fn new(user: Snowflake, channel: Snowflake) -> Self {
        let session = DaveSession::new(VERSION, user.0, channel.0, None);
        Self(session.expect("davey supports version 1 of the protocol, and P-256"))
    }

    pub(super) fn open(&mut self, sender: Snowflake, frame: &[u8]) -> Option<Vec<u8>> {
        self.0.decrypt(sender.0, MediaType::AUDIO, frame).ok()
    }
}

impl Listener {
    /// Creates a listener who is about to join the call in a channel.
    pub(super) fn new(user: Snowflake, channel: Snowflake) -> Self {
        let ears = Ears::new(user, channel);
        Self { user, channel, ears, former: None, sender: None, inbox: VecDeque::new() }
    }

    /// Opens a frame of a sender with the keys of the group, or with those of the one before.
    pub(super) fn open(&mut self, sender: Snowflake, frame: &[u8], now: Instant) -> Option<Vec<u8>> {
        self.ears.open(sender, frame).or_else(|| {
            let (ears, end) = self.former.as_mut()?;
            if *end > now { ears.open(sender, frame) } else { None }
        })
    }

    /// Returns the keys that still open frames after it has left.
    pub(super) fn into_ears(self) -> Ears {
        self.ears
    }

    /// Delivers a message, to be handled with those that come right after it.
    pub(super) fn deliver(&mut self, message: Message) {
        self.inbox.push_back(message);
    }

    /// Handles the messages delivered so far.
    ///
    /// Proposals that follow each other are taken as one message, which makes one commit of them.
    pub(super) fn handle(&mut self, now: Instant) -> Vec<Reply> {
        let mut replies = Vec::new();
        while let Some(message) = self.inbox.pop_front() {
            match message {
                Message::Binary { op: 27, payload } => {
                    let payload = self.with_following(payload);
                    replies.extend(self.proposals(&payload));
                }
                Message::Binary { op, payload } => replies.extend(self.binary(op, &payload, now)),
                Message::Json { op, data } => replies.extend(self.json(op, &data, now)),
                Message::Close { code, reason } => {
                    tracing::warn!(user = %self.user, code, reason, "a listener was refused");
                }
            }
        }
        replies
    }

    /// Returns opcode 26, as it sends it when its session is described and whenever it starts again.
    pub(super) fn key_package(&mut self) -> Option<Reply> {
        match self.ears.0.create_key_package() {
            Ok(package) => Some(Reply::Binary(26, package)),
            Err(error) => {
                tracing::warn!(user = %self.user, %error, "a listener has no key package");
                None
            }
        }
    }

    fn json(&mut self, op: u8, data: &Value, now: Instant) -> Option<Reply> {
        let id = data["transition_id"].as_u64().unwrap_or_default();
        match op {
            21 if id != 0 => Some(Reply::Json(23, json!({ "transition_id": id }))),
            24 if data["epoch"] == 1 => {
                self.start_anew(now);
                self.key_package()
            }
            _ => None,
        }
    }

    fn binary(&mut self, op: u8, payload: &[u8], now: Instant) -> Vec<Reply> {
        let session = &mut self.ears.0;
        let processed = match op {
            25 => {
                if let Err(error) = session.set_external_sender(payload) {
                    tracing::debug!(user = %self.user, %error, "an external sender came too late");
                }
                self.sender = Some(payload.to_vec());
                return Vec::new();
            }
            29 | 30 if payload.len() >= 2 => {
                let message = &payload[2..];
                if op == 29 {
                    session.process_commit(message).map_err(|error| error.to_string())
                } else {
                    session.process_welcome(message).map_err(|error| error.to_string())
                }
            }
            _ => return Vec::new(),
        };
        let id = u16::from_be_bytes([payload[0], payload[1]]);
        match processed {
            Ok(()) => vec![Reply::Json(23, json!({ "transition_id": id }))],
            Err(error) => {
                tracing::warn!(user = %self.user, op, error, "a listener can't follow its group");
                let mut replies = vec![Reply::Json(31, json!({ "transition_id": id }))];
                self.start_anew(now);
                replies.extend(self.key_package());
                replies
            }
        }
    }

    fn proposals(&mut self, payload: &[u8]) -> Option<Reply> {
        let (operation, list) = payload.split_first()?;
        let operation = match operation {
            0 => ProposalsOperationType::APPEND,
            1 => ProposalsOperationType::REVOKE,
            _ => return None,
        };
        match self.ears.0.process_proposals(operation, list, None) {
            Ok(Some(CommitWelcome { mut commit, welcome })) => {
                commit.extend(welcome.unwrap_or_default());
                Some(Reply::Binary(28, commit))
            }
            Ok(None) => None,
            Err(error) => {
                tracing::warn!(user = %self.user, %error, "a listener can't take proposals");
                None
            }
        }
    }

    /// Joins the proposals of the messages right behind this one, if they do the same.
    fn with_following(&mut self, first: Vec<u8>) -> Vec<u8> {
        let mut list = Vec::new();
        let mut payload = first;
        loop {
            let Some((operation, Ok(part))) =
                payload.split_first().map(|(operation, list)| (*operation, tls::inner(list)))
            else {
                return payload;
            };
            list.extend(part);
            match self.inbox.front() {
                Some(Message::Binary { op: 27, payload: next }) if next.first() == Some(&operation) => {
                    payload.clone_from(next);
                    self.inbox.pop_front();
                }
                _ => return [vec![operation], tls::opaque(&list)].concat(),
            }
        }
    }

    fn start_anew(&mut self, now: Instant) {
        let former = std::mem::replace(&mut self.ears, Ears::new(self.user, self.channel));
        self.former = Some((former, now + GRACE));
        if let Some(sender) = &self.sender
            && let Err(error) = self.ears.0.set_external_sender(sender)
        {
            tracing::warn!(user = %self.user, %error, "a listener does not know the voice gateway");
        }
    }
}
