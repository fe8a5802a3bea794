//! One encrypted call: the delivery service, and the users of the sandbox who listen in it.
//!
//! Every user of the sandbox in the channel is a member of the call's group: an MLS client of its own inside this
//! process, which takes part through the same messages as a client on a websocket. So the server's side never has the
//! group's secrets; frames are opened by any listener who is a member, as the users' own clients would, and when no
//! user of the sandbox is in the channel, nothing here can open them.
//!
//! Listeners hold their commits back for a moment while a client may commit, so that a client's own commit usually wins
//! and both ways into a group, by commit and by welcome, are used.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use discord_rules::snowflake::Snowflake;
use serde_json::Value;

use super::frame;
use super::listener::{Ears, Listener, Reply};
use super::plain::GRACE;
use super::service::{Fatal, Service, VERSION};
use super::{Frame, Group, Message, Out, Unopened};

/// How long a listener's commit waits for a client's.
const COURTESY: Duration = Duration::from_millis(500);

pub(super) struct Call {
    channel: Snowflake,
    service: Service,
    clients: BTreeSet<Snowflake>,
    /// Users who listen as soon as the call is encrypted.
    waiting: BTreeSet<Snowflake>,
    listeners: BTreeMap<Snowflake, Listener>,
    /// Keys of users who left a moment ago, for frames that were on their way.
    departed: Vec<(Ears, Instant)>,
    /// Commits of listeners that wait for a client's, and until when.
    held: BTreeMap<Snowflake, Vec<u8>>,
    held_until: Option<Instant>,
}

impl Call {
    /// Creates the call in a channel, without users.
    pub(super) fn new(channel: Snowflake) -> Self {
        Self {
            channel,
            service: Service::new(channel),
            clients: BTreeSet::new(),
            waiting: BTreeSet::new(),
            listeners: BTreeMap::new(),
            departed: Vec::new(),
            held: BTreeMap::new(),
            held_until: None,
        }
    }

    /// Lets listeners answer until there is nothing more to answer; returns what remains for clients.
    fn settle(&mut self, now: Instant) -> Vec<Out> {
        let mut outs = Vec::new();
        self.seat(now);
        loop {
            for out in self.service.take() {
                let Some(listener) = self.listeners.get_mut(&out.to) else {
                    outs.push(out);
                    continue;
                };
                if out.message.ends_epoch() {
                    self.held.remove(&out.to);
                }
                listener.deliver(out.message);
            }
            if self.held.is_empty() {
                self.held_until = None;
            }
            let replies: Vec<(Snowflake, Reply)> = self
                .listeners
                .iter_mut()
                .flat_map(|(user, listener)| {
                    let user = *user;
                    listener.handle(now).into_iter().map(move |reply| (user, reply))
                })
                .collect();
            if replies.is_empty() {
                return outs;
            }
            for (user, reply) in replies {
                self.reply(user, reply, now);
            }
        }
    }

    /// Makes listeners of the waiting users once there is a call to listen to.
    fn seat(&mut self, now: Instant) {
        if self.clients.is_empty() || self.service.version() == 0 {
            return;
        }
        let people = std::mem::take(&mut self.waiting);
        for person in &people {
            self.listeners.insert(*person, Listener::new(*person, self.channel));
            self.service.connect(*person, VERSION, now);
            self.service.describe(*person, now);
        }
        for person in people {
            if let Some(package) = self.listeners.get_mut(&person).and_then(Listener::key_package) {
                self.reply(person, package, now);
            }
        }
    }

    fn reply(&mut self, user: Snowflake, reply: Reply, now: Instant) {
        let handled = match reply {
            Reply::Json(op, data) => self.take_json(user, op, &data, now),
            Reply::Binary(28, commit) if self.client_may_commit() => {
                self.held.insert(user, commit);
                self.held_until = Some(now + COURTESY);
                Ok(())
            }
            Reply::Binary(op, payload) => self.take_binary(user, op, &payload, now),
        };
        if let Err(fatal) = handled {
            tracing::warn!(user = %user, reason = %fatal, "a listener's message was refused");
        }
    }

    fn client_may_commit(&self) -> bool {
        self.service.committers().any(|user| self.clients.contains(&user))
    }

    fn release(&mut self, now: Instant) {
        self.held_until = None;
        for (user, commit) in std::mem::take(&mut self.held) {
            if let Err(fatal) = self.service.commit(user, &commit, now) {
                tracing::warn!(user = %user, reason = %fatal, "a listener's commit was refused");
            }
        }
    }

    fn take_json(&mut self, user: Snowflake, op: u8, data: &Value, now: Instant) -> Result<(), Fatal> {
        let id = || {
            let id = data["transition_id"].as_u64().and_then(|id| u16::try_from(id).ok());
            let missing = || format!("opcode {op} has no transition_id between 0 and 65535");
            id.ok_or_else(|| Fatal::Undecodable(missing()))
        };
        match op {
            23 => self.service.ready(user, id()?, now),
            31 => self.service.invalid(user, id()?, now),
            _ => return Err(Fatal::Unknown(op)),
        }
        Ok(())
    }

    fn take_binary(&mut self, user: Snowflake, op: u8, payload: &[u8], now: Instant) -> Result<(), Fatal> {
        match op {
            26 => self.service.key_package(user, payload, now),
            28 => self.service.commit(user, payload, now),
            _ => Err(Fatal::Unknown(op)),
        }
    }

    /// Returns what follows a client's message, which may be the end of its connection.
    fn answer(&mut self, user: Snowflake, handled: Result<(), Fatal>, now: Instant) -> Vec<Out> {
        let mut outs = self.settle(now);
        if let Err(fatal) = handled {
            let message = Message::Close { code: fatal.close_code(), reason: fatal.to_string() };
            outs.push(Out { to: user, message });
        }
        outs
    }

    /// Opens a frame with the keys of everyone who listens or has just left.
    fn decrypt(&mut self, sender: Snowflake, data: &[u8], now: Instant) -> Option<Vec<u8>> {
        self.departed.retain(|(_, end)| *end > now);
        self.listeners
            .values_mut()
            .find_map(|listener| listener.open(sender, data, now))
            .or_else(|| self.departed.iter_mut().find_map(|(ears, _)| ears.open(sender, data)))
    }

    /// Implements [`Group::open`] at one moment.
    pub(super) fn open_at<'a>(
        &mut self,
        user: Snowflake,
        data: &'a [u8],
        now: Instant,
    ) -> Result<Frame<'a>, Unopened> {
        if frame::is_silence(data) {
            return Ok(Frame::plain(data));
        }
        if !frame::is_encrypted(data) {
            let taken = self.service.takes_plain(user, now);
            return if taken { Ok(Frame::plain(data)) } else { Err(Unopened::Plain) };
        }
        if let Some(opened) = self.decrypt(user, data, now) {
            return Ok(Frame::decrypted(opened));
        }
        // A few frames of a call without encryption look like encrypted ones.
        if self.service.version() == 0 && self.service.settled() {
            return Ok(Frame::plain(data));
        }
        Err(if self.listeners.is_empty() { Unopened::Unheard } else { Unopened::Undecryptable })
    }
}

impl Message {
    /// Returns whether the group that it is for moves on with it, to its next epoch or to another group.
    fn ends_epoch(&self) -> bool {
        matches!(self, Self::Json { op: 24, .. } | Self::Binary { op: 29 | 30, .. })
    }
}

impl Group for Call {
    fn connect(&mut self, user: Snowflake, max_version: u16) -> Vec<Out> {
        let now = Instant::now();
        self.clients.insert(user);
        self.service.connect(user, max_version, now);
        self.settle(now)
    }

    fn version(&self, _user: Snowflake) -> u16 {
        self.service.version()
    }

    fn describe(&mut self, user: Snowflake) -> Vec<Out> {
        let now = Instant::now();
        self.service.describe(user, now);
        self.settle(now)
    }

    fn disconnect(&mut self, user: Snowflake) -> Vec<Out> {
        let now = Instant::now();
        self.clients.remove(&user);
        self.service.disconnect(user, now);
        self.settle(now)
    }

    fn enter(&mut self, person: Snowflake) -> Vec<Out> {
        if !self.listeners.contains_key(&person) {
            self.waiting.insert(person);
        }
        self.settle(Instant::now())
    }

    fn exit(&mut self, person: Snowflake) -> Vec<Out> {
        let now = Instant::now();
        self.waiting.remove(&person);
        self.held.remove(&person);
        if let Some(listener) = self.listeners.remove(&person) {
            self.departed.push((listener.into_ears(), now + GRACE));
            self.service.disconnect(person, now);
        }
        self.settle(now)
    }

    fn json(&mut self, user: Snowflake, op: u8, data: &Value) -> Vec<Out> {
        let now = Instant::now();
        let handled = self.take_json(user, op, data, now);
        self.answer(user, handled, now)
    }

    fn binary(&mut self, user: Snowflake, op: u8, payload: &[u8]) -> Vec<Out> {
        let now = Instant::now();
        let handled = self.take_binary(user, op, payload, now);
        self.answer(user, handled, now)
    }

    fn open<'a>(&mut self, user: Snowflake, frame: &'a [u8]) -> Result<Frame<'a>, Unopened> {
        self.open_at(user, frame, Instant::now())
    }

    fn deadline(&self) -> Option<Instant> {
        self.held_until.into_iter().chain(self.service.deadline()).min()
    }

    fn tick(&mut self, now: Instant) -> Vec<Out> {
        if self.held_until.is_some_and(|until| until <= now) {
            self.release(now);
        }
        self.service.tick(now);
        self.settle(now)
    }
}
