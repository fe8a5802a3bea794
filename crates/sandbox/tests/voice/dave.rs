//! End-to-end encryption from outside: a davey session behind the websocket, and users of the sandbox who listen.

use std::num::NonZeroU16;
use std::time::Duration;

use davey::{DaveSession, ProposalsOperationType};
use sandbox::voice::{Dave, Options};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::audio::{Audio, encode, likeness, tone};
use crate::client::{Client, End, Ticket};
use crate::packets::heard;
use crate::world::{GUILD, World};

/// A voice client that is a member of the group of its call.
struct Member {
    client: Client,
    audio: Audio,
    session: DaveSession,
    /// Bytes before the opcode of a binary frame: a sequence number since version 8.
    skip: usize,
}

impl Member {
    /// Identifies, selects a protocol and sends a key package.
    async fn join(world: &World, ticket: &Ticket, gateway_version: u8) -> Self {
        let mut client = world.dial(ticket, gateway_version).await;
        client.op(8).await;
        client.send(0, identify(ticket, 1)).await;
        let ready = ready(&mut client).await;
        let mode = ready["modes"][0].as_str().unwrap().to_owned();
        let audio = Audio::open(&mut client, &ready, &mode).await;
        let version = NonZeroU16::MIN;
        let session = DaveSession::new(version, ticket.user.0, world.lounge.0, None).unwrap();
        let skip = if gateway_version >= 8 { 2 } else { 0 };
        let mut member = Self { client, audio, session, skip };
        member.send_keys().await;
        member
    }

    async fn send_keys(&mut self) {
        let keys = self.session.create_key_package().unwrap();
        self.send_binary(26, keys).await;
    }

    async fn send_binary(&mut self, op: u8, payload: Vec<u8>) {
        self.client.send_raw(Message::binary([vec![op], payload].concat())).await;
    }

    /// Answers messages up to one with this opcode, and returns that.
    async fn until(&mut self, last: u64) -> Value {
        loop {
            let (op, data) = match self.client.message().await {
                Message::Text(text) => {
                    let payload: Value = serde_json::from_str(&text).unwrap();
                    let op = payload["op"].as_u64().unwrap();
                    if op == 24 {
                        self.session.reinit(NonZeroU16::MIN, self.user(), self.channel(), None).unwrap();
                        self.send_keys().await;
                    }
                    (op, payload["d"].clone())
                }
                Message::Binary(bytes) => {
                    let frame = &bytes[self.skip..];
                    self.binary(frame[0], &frame[1..]).await;
                    (frame[0].into(), Value::Null)
                }
                other => panic!("{other:?}"),
            };
            if op == last {
                return data;
            }
        }
    }

    fn user(&self) -> u64 {
        self.session.user_id()
    }

    fn channel(&self) -> u64 {
        self.session.channel_id()
    }

    async fn binary(&mut self, op: u8, payload: &[u8]) {
        match op {
            25 => self.session.set_external_sender(payload).unwrap(),
            27 => {
                let operation =
                    [ProposalsOperationType::APPEND, ProposalsOperationType::REVOKE][usize::from(payload[0])];
                if let Some(made) = self.session.process_proposals(operation, &payload[1..], None).unwrap() {
                    let message = [made.commit, made.welcome.unwrap_or_default()].concat();
                    self.send_binary(28, message).await;
                }
            }
            29 => self.session.process_commit(&payload[2..]).unwrap(),
            30 => self.session.process_welcome(&payload[2..]).unwrap(),
            other => panic!("opcode {other}"),
        }
        if matches!(op, 29 | 30) {
            let id = u16::from_be_bytes([payload[0], payload[1]]);
            self.client.send(23, json!({ "transition_id": id })).await;
        }
    }

    /// Sends Opus frames, encrypted.
    async fn play(&mut self, frames: &[Vec<u8>]) {
        for frame in frames {
            let sealed = self.session.encrypt_opus(frame).unwrap().into_owned();
            self.audio.send(&sealed).await;
        }
    }
}

fn identify(ticket: &Ticket, max_version: u16) -> Value {
    let mut identify = ticket.identify();
    identify["max_dave_protocol_version"] = max_version.into();
    identify
}

/// Returns the data of READY. Messages about other members may come before it.
async fn ready(client: &mut Client) -> Value {
    loop {
        let payload = client.payload().await;
        if payload["op"] == 2 {
            return payload["d"].clone();
        }
    }
}

async fn requiring() -> World {
    World::start_with(Options { dave: Dave::Required, ..Options::default() }).await
}

#[tokio::test]
async fn encrypted_audio_is_heard_by_who_is_in_the_channel() {
    for gateway_version in [4, 8] {
        let mut world = requiring().await;
        world.control.enter_voice(GUILD, "alice", "Lounge").await.unwrap();
        let ticket = world.join().await;
        let mut member = Member::join(&world, &ticket, gateway_version).await;
        assert_eq!(member.until(22).await, json!({ "transition_id": 1 }));
        assert_eq!(member.session.get_user_ids().unwrap().len(), 2);
        member.audio.speak(&mut member.client).await;
        let source = tone(440.0, Duration::from_secs(1));
        let packets = encode(&source);
        member.play(&packets).await;
        let heard = heard(&world, &ticket, |heard| heard.counts.packets == packets.len() as u64).await;
        let counts = heard.counts;
        assert_eq!((counts.encrypted, counts.unopened, counts.undecodable), (counts.packets, 0, 0));
        let samples = world.sandbox.voice().pcm(ticket.guild, ticket.user, 0, usize::MAX);
        assert!(likeness(&samples, &source) > 0.95, "version {gateway_version}");
    }
}

#[tokio::test]
async fn a_frame_that_was_tampered_with_is_counted_and_not_heard() {
    let mut world = requiring().await;
    world.control.enter_voice(GUILD, "alice", "Lounge").await.unwrap();
    let ticket = world.join().await;
    let mut member = Member::join(&world, &ticket, 8).await;
    member.until(22).await;
    member.audio.speak(&mut member.client).await;
    let packets = encode(&tone(440.0, Duration::from_millis(60)));
    member.play(&packets[..1]).await;
    let mut tampered = member.session.encrypt_opus(&packets[1]).unwrap().into_owned();
    tampered[0] ^= 1;
    member.audio.send(&tampered).await;
    member.play(&packets[2..]).await;
    let heard = heard(&world, &ticket, |heard| heard.counts.packets == 3).await;
    assert_eq!((heard.counts.encrypted, heard.counts.unopened, heard.counts.unopened_plain), (2, 1, 0));
}

#[tokio::test]
async fn keys_change_while_people_come_and_go_and_nothing_is_lost() {
    let mut world = requiring().await;
    let ticket = world.join().await;
    let mut member = Member::join(&world, &ticket, 8).await;
    member.until(25).await;
    let packets = encode(&tone(440.0, Duration::from_secs(1)));
    let mut sent = 0;
    world.control.enter_voice(GUILD, "alice", "Lounge").await.unwrap();
    member.until(22).await;
    member.audio.speak(&mut member.client).await;
    for (person, enters) in [("bob", true), ("alice", false), ("alice", true)] {
        member.play(&packets[sent..sent + 10]).await;
        if enters {
            world.control.enter_voice(GUILD, person, "Lounge").await.unwrap();
        } else {
            world.control.leave_voice(GUILD, person).await.unwrap();
        }
        member.until(22).await;
        member.play(&packets[sent + 10..sent + 15]).await;
        sent += 15;
    }
    world.control.leave_voice(GUILD, "alice").await.unwrap();
    member.until(22).await;
    world.control.leave_voice(GUILD, "bob").await.unwrap();
    assert_eq!(member.until(21).await, json!({ "protocol_version": 1, "transition_id": 0 }));
    assert!(!member.session.is_ready(), "alone, it starts anew");
    let heard = heard(&world, &ticket, |heard| heard.counts.packets == sent as u64).await;
    let counts = heard.counts;
    assert_eq!((counts.encrypted, counts.unopened, counts.undecodable, counts.lost), (sent as u64, 0, 0, 0));
}

#[tokio::test]
async fn a_client_without_dave_is_closed_with_4017_where_it_is_required_and_downgrades_where_not() {
    let mut world = requiring().await;
    let ticket = world.join().await;
    let mut client = world.dial(&ticket, 8).await;
    client.op(8).await;
    client.send(0, identify(&ticket, 0)).await;
    assert_eq!(client.end().await, End::Close(4017));

    let mut world = World::start_with(Options { dave: Dave::Optional, ..Options::default() }).await;
    world.control.enter_voice(GUILD, "alice", "Lounge").await.unwrap();
    let ticket = world.join().await;
    let mut member = Member::join(&world, &ticket, 8).await;
    member.until(22).await;
    let mut other = world.another("Plainbot").await;
    let plain = other.join(world.guild(), world.lounge).await;
    let _call = world.call(&plain).await;
    let prepared = member.until(21).await;
    assert_eq!(prepared["protocol_version"], 0);
    member.client.send(23, json!({ "transition_id": prepared["transition_id"] })).await;
    assert_eq!(member.until(22).await["transition_id"], prepared["transition_id"]);
}

#[tokio::test]
async fn keys_of_someone_else_close_with_4020_and_nonsense_with_4002() {
    let mut world = requiring().await;
    let ticket = world.join().await;
    let mut member = Member::join(&world, &ticket, 8).await;
    let mut other = DaveSession::new(NonZeroU16::MIN, 1, world.lounge.0, None).unwrap();
    let keys = other.create_key_package().unwrap();
    member.send_binary(26, keys).await;
    assert_eq!(member.client.end().await, End::Close(4020));

    let mut world = requiring().await;
    let ticket = world.join().await;
    let mut member = Member::join(&world, &ticket, 8).await;
    member.send_binary(28, vec![1, 2, 3]).await;
    assert_eq!(member.client.end().await, End::Close(4002));
}
