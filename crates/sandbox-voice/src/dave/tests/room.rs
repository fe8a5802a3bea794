//! A call with clients in it: each is a davey session that answers as songbird's websocket task does.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::num::NonZeroU16;
use std::time::Instant;

use davey::{DaveSession, ProposalsOperationType};
use discord_rules::snowflake::Snowflake;
use serde_json::{Value, json};

use crate::dave::call::Call;
use crate::dave::{Frame, Group, Message, Out};

pub(super) const CHANNEL: Snowflake = Snowflake(4_000);
pub(super) const BOT: Snowflake = Snowflake(101);
pub(super) const OTHER: Snowflake = Snowflake(102);
pub(super) const THIRD: Snowflake = Snowflake(103);
pub(super) const ALICE: Snowflake = Snowflake(201);
pub(super) const BOB: Snowflake = Snowflake(202);

/// Frame of Opus as far as encryption can tell.
pub(super) const OPUS: [u8; 40] = [0x78; 40];

/// One client and what it has been sent.
pub(super) struct Client {
    pub(super) user: Snowflake,
    pub(super) session: Option<DaveSession>,
    pub(super) version: u16,
    max_version: u16,
    pending: BTreeMap<u16, u16>,
    inbox: VecDeque<Message>,
    /// Opcodes that it received, oldest first.
    pub(super) got: Vec<u8>,
    pub(super) executed: Vec<u16>,
    pub(super) closed: Option<u16>,
    /// Opcodes whose messages it ignores.
    pub(super) deaf_to: BTreeSet<u8>,
    /// Whether its next commit is corrupted before it is sent.
    pub(super) spoils_commit: bool,
    /// Whether it could not follow once, and has asked to be added again.
    pub(super) complained: bool,
}

/// Message of a client.
pub(super) enum Sent {
    Json(u8, Value),
    Binary(u8, Vec<u8>),
}

impl Client {
    fn new(user: Snowflake, max_version: u16) -> Self {
        Self {
            user,
            session: None,
            version: 0,
            max_version,
            pending: BTreeMap::new(),
            inbox: VecDeque::new(),
            got: Vec::new(),
            executed: Vec::new(),
            closed: None,
            deaf_to: BTreeSet::new(),
            spoils_commit: false,
            complained: false,
        }
    }

    pub(super) fn session(&mut self) -> &mut DaveSession {
        self.session.as_mut().expect("the client has a DAVE session")
    }

    /// Returns a frame as it would send it now.
    pub(super) fn frame(&mut self, opus: &[u8]) -> Vec<u8> {
        match &mut self.session {
            Some(session) if self.version > 0 && session.is_ready() => {
                session.encrypt_opus(opus).expect("a ready session encrypts").into_owned()
            }
            _ => opus.to_vec(),
        }
    }

    fn described(&mut self, version: u16) -> Vec<Sent> {
        self.version = version;
        if version == 0 { Vec::new() } else { self.start_anew() }
    }

    pub(super) fn start_anew(&mut self) -> Vec<Sent> {
        let version = NonZeroU16::new(self.version).expect("started anew for a version");
        match &mut self.session {
            Some(session) => session.reinit(version, self.user.0, CHANNEL.0, None).expect("reinit"),
            None => {
                self.session =
                    Some(DaveSession::new(version, self.user.0, CHANNEL.0, None).expect("session"));
            }
        }
        vec![Sent::Binary(26, self.session().create_key_package().expect("key package"))]
    }

    fn receive(&mut self, message: Message) -> Vec<Sent> {
        let op = match &message {
            Message::Json { op, .. } | Message::Binary { op, .. } => *op,
            Message::Close { code, .. } => {
                self.closed = Some(*code);
                return Vec::new();
            }
        };
        assert!(self.max_version > 0, "a client without DAVE got opcode {op}");
        self.got.push(op);
        if self.deaf_to.contains(&op) {
            return Vec::new();
        }
        match message {
            Message::Json { data, .. } => self.json(op, &data),
            Message::Binary { payload, .. } => self.binary(op, &payload),
            Message::Close { .. } => unreachable!("handled above"),
        }
    }

    fn json(&mut self, op: u8, data: &Value) -> Vec<Sent> {
        let id = u16::try_from(data["transition_id"].as_u64().unwrap_or_default()).expect("16 bits");
        let version =
            data["protocol_version"].as_u64().map(|version| u16::try_from(version).expect("16 bits"));
        match op {
            21 => {
                let version = version.expect("opcode 21 has a version");
                if id == 0 {
                    self.version = version;
                    return Vec::new();
                }
                self.pending.insert(id, version);
                return vec![Sent::Json(23, json!({ "transition_id": id, "protocol_version": version }))];
            }
            22 => {
                let prepared = self.pending.remove(&id);
                assert!(prepared.is_some() || !self.deaf_to.is_empty(), "transition {id} was prepared");
                self.version = prepared.unwrap_or(self.version);
                self.executed.push(id);
            }
            24 => {
                assert_eq!(data["epoch"], 1);
                self.version = version.expect("opcode 24 has a version");
                return self.start_anew();
            }
            other => panic!("opcode {other} came as text"),
        }
        Vec::new()
    }

    fn binary(&mut self, op: u8, payload: &[u8]) -> Vec<Sent> {
        match op {
            25 => {
                // Refused by a session that is in a group, as it should be.
                drop(self.session().set_external_sender(payload));
                Vec::new()
            }
            27 => {
                let operation = match payload[0] {
                    0 => ProposalsOperationType::APPEND,
                    _ => ProposalsOperationType::REVOKE,
                };
                let made = match self.session().process_proposals(operation, &payload[1..], None) {
                    Ok(made) => made,
                    // Proposals to the group that it could not follow into.
                    Err(_) if self.complained => None,
                    Err(error) => panic!("every proposal that is sent can be processed: {error}"),
                };
                let Some(made) = made else { return Vec::new() };
                let mut message = made.commit;
                if std::mem::take(&mut self.spoils_commit) {
                    // Inside its signature, which only members can check.
                    let end = message.len() - 80;
                    message[end] ^= 1;
                }
                message.extend(made.welcome.unwrap_or_default());
                vec![Sent::Binary(28, message)]
            }
            29 | 30 => {
                let id = u16::from_be_bytes([payload[0], payload[1]]);
                let processed = if op == 29 {
                    self.session().process_commit(&payload[2..]).map_err(|error| error.to_string())
                } else {
                    self.session().process_welcome(&payload[2..]).map_err(|error| error.to_string())
                };
                if processed.is_err() {
                    self.complained = true;
                    let mut sent = vec![Sent::Json(31, json!({ "transition_id": id }))];
                    sent.extend(self.start_anew());
                    return sent;
                }
                self.pending.insert(id, self.version);
                vec![Sent::Json(23, json!({ "transition_id": id }))]
            }
            other => panic!("opcode {other} came as bytes"),
        }
    }
}

/// A call and its clients.
pub(super) struct Room {
    pub(super) call: Call,
    pub(super) clients: BTreeMap<Snowflake, Client>,
    /// Messages on their way to the server, with their senders.
    pub(super) upstream: VecDeque<(Snowflake, Sent)>,
}

impl Room {
    pub(super) fn new() -> Self {
        Self { call: Call::new(CHANNEL), clients: BTreeMap::new(), upstream: VecDeque::new() }
    }

    /// Creates a room that these clients have joined one after another.
    pub(super) fn of(users: &[Snowflake]) -> Self {
        let mut room = Self::new();
        for user in users {
            room.join(*user);
        }
        room
    }

    /// Connects a client; its add is proposed to the members, who have not answered yet.
    pub(super) fn propose(&mut self, user: Snowflake) {
        self.connect(user, 1);
        self.read();
        self.step();
        self.read();
    }

    pub(super) fn client(&mut self, user: Snowflake) -> &mut Client {
        self.clients.get_mut(&user).expect("the client is in the room")
    }

    /// Connects a client, without waiting for what follows.
    pub(super) fn connect(&mut self, user: Snowflake, max_version: u16) {
        self.clients.insert(user, Client::new(user, max_version));
        let outs = self.call.connect(user, max_version);
        self.deliver(outs);
        let version = self.call.version(user);
        let sent = self.client(user).described(version);
        self.send(user, sent);
        let outs = self.call.describe(user);
        self.deliver(outs);
    }

    /// Connects a client, and everything that follows happens.
    pub(super) fn join(&mut self, user: Snowflake) {
        self.connect(user, 1);
        self.run();
    }

    pub(super) fn leave(&mut self, user: Snowflake) -> Client {
        let client = self.clients.remove(&user).expect("the client is in the room");
        let outs = self.call.disconnect(user);
        self.deliver(outs);
        self.run();
        client
    }

    pub(super) fn enter(&mut self, person: Snowflake) {
        let outs = self.call.enter(person);
        self.deliver(outs);
        self.run();
    }

    pub(super) fn exit(&mut self, person: Snowflake) {
        let outs = self.call.exit(person);
        self.deliver(outs);
        self.run();
    }

    pub(super) fn send(&mut self, user: Snowflake, sent: Vec<Sent>) {
        self.upstream.extend(sent.into_iter().map(|sent| (user, sent)));
    }

    pub(super) fn deliver(&mut self, outs: Vec<Out>) {
        for out in outs {
            if let Some(client) = self.clients.get_mut(&out.to) {
                client.inbox.push_back(out.message);
            }
        }
    }

    /// Lets every client read what it received; their answers are on their way.
    pub(super) fn read(&mut self) {
        for user in self.clients.keys().copied().collect::<Vec<_>>() {
            while let Some(message) = self.client(user).inbox.pop_front() {
                let sent = self.client(user).receive(message);
                self.send(user, sent);
            }
        }
    }

    /// Delivers the oldest message on its way to the server; returns whether there was one.
    pub(super) fn step(&mut self) -> bool {
        let Some((user, sent)) = self.upstream.pop_front() else { return false };
        if self.clients.contains_key(&user) {
            let outs = match sent {
                Sent::Json(op, data) => self.call.json(user, op, &data),
                Sent::Binary(op, payload) => self.call.binary(user, op, &payload),
            };
            self.deliver(outs);
        }
        true
    }

    /// Lets messages flow until no client has anything to send, not even after the time they wait for.
    pub(super) fn run(&mut self) {
        for _ in 0..200 {
            self.read();
            if self.step() {
                continue;
            }
            match self.call.deadline() {
                Some(deadline) => self.pass(deadline),
                None => return,
            }
        }
        panic!("the call never comes to rest");
    }

    /// Lets messages flow without any time passing.
    pub(super) fn run_at_once(&mut self) {
        for _ in 0..200 {
            self.read();
            if !self.step() {
                return;
            }
        }
        panic!("the call never comes to rest");
    }

    pub(super) fn pass(&mut self, until: Instant) {
        let outs = self.call.tick(until);
        self.deliver(outs);
    }

    /// Checks that the clients named, and no others, share a group at one epoch and hear each other; returns that
    /// epoch.
    pub(super) fn assert_group(&mut self, clients: &[Snowflake], people: &[Snowflake]) -> u64 {
        let expected: BTreeSet<u64> = clients.iter().chain(people).map(|user| user.0).collect();
        let mut epochs = BTreeSet::new();
        let mut codes = BTreeSet::new();
        for user in clients {
            let client = self.client(*user);
            assert_eq!(client.version, 1, "client {user} is at version 1");
            let session = client.session();
            let members: BTreeSet<u64> = session.get_user_ids().expect("a group").into_iter().collect();
            assert_eq!(members, expected, "the group as {user} sees it");
            epochs.insert(session.epoch().expect("an epoch").as_u64());
            codes.insert(session.voice_privacy_code().expect("a privacy code").to_owned());
        }
        assert_eq!(codes.len(), 1, "everyone has the same secrets");
        for from in clients {
            let frame = self.client(*from).frame(&OPUS);
            assert_ne!(frame, OPUS, "frames of {from} are encrypted");
            for to in clients.iter().filter(|to| *to != from) {
                let heard = self.client(*to).session().decrypt(from.0, davey::MediaType::AUDIO, &frame);
                assert_eq!(heard.expect("decrypts"), OPUS, "{to} hears {from}");
            }
            if !people.is_empty() {
                assert_eq!(
                    self.call.open(*from, &frame),
                    Ok(Frame::decrypted(OPUS.to_vec())),
                    "the sandbox hears {from}"
                );
            }
        }
        assert_eq!(epochs.len(), 1, "everyone is at one epoch");
        epochs.pop_first().expect("one epoch")
    }
}
