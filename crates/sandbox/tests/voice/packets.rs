use std::time::Duration;

use sandbox::event_log::Event;
use sandbox::snowflake::Snowflake;
use sandbox::voice::{Heard, Mode, Options};
use serde_json::json;

use crate::audio::{Audio, FRAME, decode, encode, likeness, tone};
use crate::client::{Client, End, Ticket};
use crate::world::{GUILD, PATIENCE, World};

/// Waits until what was received from a ticket's user satisfies `fits`, and returns it.
pub(crate) async fn heard(world: &World, ticket: &Ticket, fits: impl Fn(&Heard) -> bool) -> Heard {
    let heard = world.sandbox.voice().heard_when(ticket.guild, ticket.user, PATIENCE, &fits).await.unwrap();
    assert!(fits(&heard), "{heard:?}");
    heard
}

async fn speaking(world: &mut World) -> (Ticket, Client, Audio) {
    let (ticket, mut client, audio) = world.talk().await;
    audio.speak(&mut client).await;
    client.until_ack().await;
    (ticket, client, audio)
}

#[tokio::test]
async fn a_tone_is_heard_as_it_was_sent_with_both_encryptions() {
    for mode in Mode::ALL {
        let mut world = World::start_offering(mode).await;
        let (ticket, _client, mut audio) = speaking(&mut world).await;
        let source = tone(440.0, Duration::from_secs(1));
        for packet in encode(&source) {
            audio.send(&packet).await;
        }
        let heard = heard(&world, &ticket, |heard| heard.counts.packets == 50).await;
        let counts = heard.counts;
        assert_eq!((counts.lost, counts.sequence_gaps, counts.timestamp_gaps), (0, 0, 0));
        assert_eq!((counts.undecryptable, counts.undecodable, counts.unannounced), (0, 0, 0));
        assert_eq!((heard.oldest, heard.position, heard.between.count), (0, 48_000, 49));
        let user = ticket.user.to_string();
        let samples = world.control.heard_samples(GUILD, &user, 0).await.unwrap();
        assert_eq!(samples.len(), source.len());
        assert!(likeness(&samples, &source) > 0.99, "{}", likeness(&samples, &source));
        // The measure distinguishes other audio.
        assert!(likeness(&samples, &tone(470.0, Duration::from_secs(1))) < 0.5);
        let end = world.control.heard_samples(GUILD, &user, 47_000).await.unwrap();
        assert_eq!(end, samples[94_000..]);
        world.recorded(|event| matches!(event, Event::VoiceHeard { ssrc, .. } if *ssrc == audio.ssrc)).await;
    }
}

#[tokio::test]
async fn losses_are_counted_where_they_are() {
    let mut world = World::start().await;
    let (ticket, _client, mut audio) = speaking(&mut world).await;
    let frames = encode(&tone(440.0, Duration::from_secs(1)));
    let (mut sent, mut late) = (0, None);
    for (index, frame) in frames.iter().enumerate() {
        match index {
            10 | 11 => audio.skip(1),
            20 => {
                let header = audio.header();
                late = Some(audio.seal(&header, frame));
            }
            30 => {
                audio.timestamp += 17;
                audio.send(frame).await;
                sent += 1;
            }
            40 => {
                let header = audio.header();
                let packet = audio.seal(&header, frame);
                audio.socket.send(&packet).await.unwrap();
                audio.socket.send(&packet).await.unwrap();
                sent += 1;
            }
            _ => {
                audio.send(frame).await;
                sent += 1;
            }
        }
        if index == 25 {
            audio.socket.send(&late.take().unwrap()).await.unwrap();
            sent += 1;
        }
    }
    let counts = heard(&world, &ticket, |heard| heard.counts.packets == sent).await.counts;
    assert_eq!((counts.lost, counts.sequence_gaps, counts.reordered, counts.duplicates), (2, 2, 1, 1));
    assert_eq!(counts.timestamp_gaps, 1);
    world.control.forget_heard(GUILD, &ticket.user.to_string()).await.unwrap();
    audio.send(&frames[0]).await;
    let counts = heard(&world, &ticket, |heard| heard.counts.packets == 1).await.counts;
    assert_eq!((counts.sequence_gaps, counts.timestamp_gaps), (0, 0));
}

#[tokio::test]
async fn headers_with_sources_extensions_and_padding_are_understood() {
    let mut world = World::start().await;
    let (ticket, _client, mut audio) = speaking(&mut world).await;
    let frame = encode(&tone(440.0, Duration::from_millis(20))).remove(0);
    for (first, profile) in [(0x92_u8, 0xbede_u16), (0x91, 0x1000), (0xb2, 0xbede), (0x80, 0)] {
        let mut header = audio.header();
        header[0] = first;
        header.extend(std::iter::repeat_n(7, 4 * usize::from(first & 0x0f)));
        let mut body = Vec::new();
        if profile > 0 {
            header.extend(profile.to_be_bytes());
            header.extend(2_u16.to_be_bytes());
            body.extend([0x10; 8]);
        }
        body.extend(&frame);
        if first & 0x20 != 0 {
            body.extend([0, 0, 3]);
        }
        let packet = audio.seal(&header, &body);
        audio.socket.send(&packet).await.unwrap();
    }
    let heard = heard(&world, &ticket, |heard| heard.counts.packets == 4).await;
    assert_eq!((heard.counts.undecodable, heard.counts.undecryptable), (0, 0));
    assert_eq!(heard.position, 4 * FRAME as u64);
}

#[tokio::test]
async fn what_is_not_sealed_for_the_session_is_not_heard() {
    let mut world = World::start().await;
    let (ticket, _client, mut audio) = speaking(&mut world).await;
    let frame = encode(&tone(440.0, Duration::from_millis(20))).remove(0);
    let header = audio.header();
    let mut forged = audio.seal(&header, &frame);
    forged[20] ^= 1;
    audio.socket.send(&forged).await.unwrap();
    audio.socket.send(&header).await.unwrap();
    let mut control = vec![0x80, 201];
    control.resize(30, 0);
    audio.socket.send(&control).await.unwrap();
    audio.send(&[]).await;
    let heard = heard(&world, &ticket, |heard| heard.counts.packets == 1).await;
    assert_eq!((heard.counts.undecryptable, heard.counts.undecodable), (2, 1));
}

#[tokio::test]
async fn others_in_the_channel_hear_what_one_sends_each_with_their_own_key() {
    for mode in Mode::ALL {
        let mut world = World::start_offering(mode).await;
        let mut other = world.another("listener").await;
        let mut stranger = world.another("elsewhere").await;
        let (ticket, mut client, mut audio) = world.talk().await;
        let second = other.join(world.guild(), world.lounge).await;
        let (mut listener, ears) = world.call(&second).await;
        let third = stranger.join(world.guild(), world.attic).await;
        let (mut apart, deaf) = world.call(&third).await;
        audio.speak(&mut client).await;
        let spoken = listener.op(5).await;
        assert_eq!((&spoken["ssrc"], &spoken["user_id"]), (&json!(audio.ssrc), &json!(ticket.user)));
        let frames = encode(&tone(330.0, Duration::from_millis(200)));
        let mut received = Vec::new();
        for (index, frame) in frames.iter().enumerate() {
            let (sequence, timestamp) = (audio.sequence, audio.timestamp);
            audio.send(frame).await;
            let (header, body) = ears.receive().await;
            assert_eq!(header[2..4], sequence.to_be_bytes(), "{index}");
            assert_eq!(header[4..8], timestamp.to_be_bytes());
            assert_eq!(header[8..12], audio.ssrc.to_be_bytes());
            received.push(body);
        }
        assert_eq!(received, frames);
        assert_eq!(decode(&received).len(), 10 * FRAME * 2);
        // The client in another channel has received nothing except the answer to its own request.
        deaf.socket.send(&[9]).await.unwrap();
        let mut echo = [0; 100];
        assert_eq!(deaf.socket.recv(&mut echo).await.unwrap(), 1);
        assert!(apart.until_ack().await.iter().all(|payload| payload["op"] != 5));
    }
}

#[tokio::test]
async fn a_muted_member_is_not_heard_and_a_deaf_one_hears_nothing() {
    let mut world = World::start().await;
    let mut other = world.another("listener").await;
    let (ticket, mut client, mut audio) = world.talk().await;
    let second = other.join(world.guild(), world.lounge).await;
    let (mut listener, ears) = world.call(&second).await;
    audio.speak(&mut client).await;
    listener.op(5).await;
    let frame = encode(&tone(440.0, Duration::from_millis(20))).remove(0);
    let member = |user: Snowflake| format!("/guilds/{}/members/{user}", ticket.guild);
    for (method, body, heard_by_server, heard_by_other) in
        [("mute", json!({ "mute": true }), false, false), ("unmute", json!({ "mute": false }), true, true)]
    {
        let status = other.call(reqwest::Method::PATCH, &member(ticket.user), &body).await;
        assert_eq!(status, 200, "{method}");
        let before = world.sandbox.voice().heard(ticket.guild, ticket.user).unwrap().counts;
        audio.send(&frame).await;
        if heard_by_server {
            heard(&world, &ticket, |heard| heard.counts.packets == before.packets + 1).await;
        } else {
            heard(&world, &ticket, |heard| heard.counts.muted == before.muted + 1).await;
        }
        if heard_by_other {
            assert_eq!(ears.receive().await.1, frame);
        }
    }
    let status = other.call(reqwest::Method::PATCH, &member(second.user), &json!({ "deaf": true })).await;
    assert_eq!(status, 200);
    audio.send(&frame).await;
    heard(&world, &ticket, |heard| heard.counts.packets == 2).await;
    ears.socket.send(&[9]).await.unwrap();
    let mut echo = [0; 100];
    assert_eq!(ears.socket.recv(&mut echo).await.unwrap(), 1);
}

#[tokio::test]
async fn audio_without_speaking_is_counted_and_then_refused() {
    let speaking_grace = Duration::from_millis(100);
    let mut world = World::start_with(Options { speaking_grace, ..World::plain() }).await;
    let (ticket, mut client, mut audio) = world.talk().await;
    let frame = encode(&tone(440.0, Duration::from_millis(20))).remove(0);
    audio.send(&frame).await;
    let first = heard(&world, &ticket, |heard| heard.counts.packets == 1).await;
    assert_eq!(first.counts.unannounced, 1);
    let ended = client.end();
    tokio::pin!(ended);
    let end = loop {
        tokio::select! {
            end = &mut ended => break end,
            () = tokio::time::sleep(Duration::from_millis(20)) => audio.send(&frame).await,
        }
    };
    assert_eq!(end, End::Close(4020));
}

#[tokio::test]
async fn speaking_needs_no_ssrc_but_not_a_wrong_one() {
    let mut world = World::start().await;
    let (ticket, mut client, mut audio) = world.talk().await;
    client.send(5, json!({ "speaking": 1, "delay": 0 })).await;
    client.send(3, json!({ "t": 1, "seq_ack": -1 })).await;
    client.op(6).await;
    audio.send(&encode(&tone(440.0, Duration::from_millis(20))).remove(0)).await;
    let first = heard(&world, &ticket, |heard| heard.counts.packets == 1).await;
    assert_eq!(first.counts.unannounced, 0);
    client.send(5, json!({ "speaking": 1, "delay": 0, "ssrc": audio.ssrc + 1 })).await;
    assert_eq!(client.end().await, End::Close(4020));
}

#[tokio::test]
async fn a_listener_far_back_gets_only_what_is_kept() {
    let keep = Duration::from_millis(100);
    let mut world = World::start_with(Options { keep, ..World::plain() }).await;
    let (ticket, _client, mut audio) = speaking(&mut world).await;
    let frames = encode(&tone(440.0, Duration::from_secs(1)));
    for frame in &frames {
        audio.send(frame).await;
    }
    let heard = heard(&world, &ticket, |heard| heard.counts.packets == 50).await;
    assert_eq!((heard.oldest, heard.position), (43_200, 48_000));
    let kept = world.control.heard_samples(GUILD, &ticket.user.to_string(), 0).await.unwrap();
    assert_eq!(kept, decode(&frames)[43_200 * 2..]);
}
