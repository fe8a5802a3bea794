//! Any input: the server continues.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::audio::{discover, encode};
use crate::client::End;
use crate::world::World;

#[tokio::test]
async fn any_datagram_leaves_the_server_serving() {
    let mut world = World::start().await;
    let (ticket, mut client, mut audio) = world.talk().await;
    audio.speak(&mut client).await;
    client.until_ack().await;
    let mut runner = TestRunner::deterministic();
    let random = vec(any::<u8>(), 0..120);
    // Asks from a socket of its own: the answers to keepalives would come before the answer.
    let fresh = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    fresh.connect(audio.socket.peer_addr().unwrap()).await.unwrap();
    for round in 0..500 {
        let mut bytes = random.new_tree(&mut runner).unwrap().current();
        audio.socket.send(&bytes).await.unwrap();
        // The same as an RTP packet of this very stream, sealed and not.
        if bytes.len() >= 12 {
            bytes[0] |= 0x80;
            bytes[0] &= 0xbf;
            bytes[1] = 0x78;
            bytes[8..12].copy_from_slice(&audio.ssrc.to_be_bytes());
            audio.socket.send(&bytes).await.unwrap();
            let clear =
                (12 + 4 * usize::from(bytes[0] & 15) + usize::from(bytes[0] >> 4 & 1) * 4).min(bytes.len());
            let (header, body) = bytes.split_at(clear);
            let packet = audio.seal(header, body);
            audio.socket.send(&packet).await.unwrap();
        }
        // The server has read all of it, before its buffer is full and the system drops the rest.
        if round % 20 == 19 {
            discover(&fresh, audio.ssrc).await;
        }
    }
    let before = world.sandbox.voice().heard(ticket.guild, ticket.user).unwrap();
    audio.sequence = 12_345;
    audio.send(&encode(&[0; 1920])[0]).await;
    let total = |heard: &sandbox::voice::Heard| heard.counts.packets + heard.counts.duplicates;
    crate::packets::heard(&world, &ticket, |heard| total(heard) > total(&before)).await;
}

#[tokio::test]
async fn any_frame_leaves_the_server_serving() {
    let mut world = World::start().await;
    let ticket = world.join().await;
    let mut runner = TestRunner::deterministic();
    let frames = prop_oneof![
        ".{0,80}".prop_map(Message::text),
        vec(any::<u8>(), 0..80).prop_map(Message::binary),
        (0_u64..40, ".{0,40}")
            .prop_map(|(op, data)| Message::text(json!({ "op": op, "d": data }).to_string())),
    ];
    for round in 0..40 {
        let mut client = world.dial(&ticket, 4 + round % 5).await;
        if round % 2 == 0 {
            client.identified(&ticket).await;
        }
        client.send_raw(frames.new_tree(&mut runner).unwrap().current()).await;
        client.send_raw(Message::text(r#"{"op": 99}"#)).await;
        let end = client.end().await;
        assert!(matches!(end, End::Close(4001..=4020)), "{end:?}");
    }
    world.dial(&ticket, 8).await.identified(&ticket).await;
}
