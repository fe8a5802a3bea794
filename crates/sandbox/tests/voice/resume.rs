use std::time::Duration;

use sandbox::event_log::Event;
use sandbox::voice::{Command, Options, Target};
use serde_json::{Value, json};

use crate::client::{Client, End, Ticket};
use crate::world::World;

async fn resume(world: &World, ticket: &Ticket, version: u8, seq_ack: Value) -> Client {
    let mut client = world.dial(ticket, version).await;
    client.op(8).await;
    let data = json!({
        "server_id": ticket.guild, "session_id": ticket.session_id, "token": ticket.token, "seq_ack": seq_ack,
    });
    client.send(7, data).await;
    client
}

fn sever() -> (Target, Command) {
    (Target::default(), Command::Sever)
}

#[tokio::test]
async fn what_was_missed_comes_after_a_resume_and_nothing_twice() {
    for version in [4, 8] {
        let mut world = World::start().await;
        let ticket = world.join().await;
        let mut client = world.dial(&ticket, version).await;
        client.identified(&ticket).await;
        world.control.enter_voice("Sandbox", "alice", "Lounge").await.unwrap();
        client.op(11).await;
        let (target, command) = sever();
        assert_eq!(world.sandbox.voice().command(target, &command), 1);
        assert_eq!(client.end().await, End::Gone);
        world.recorded(|event| matches!(event, Event::VoiceClosed { .. })).await;
        world.control.enter_voice("Sandbox", "bob", "Lounge").await.unwrap();
        world.control.leave_voice("Sandbox", "alice").await.unwrap();
        let ack = if version == 8 { json!(client.seq) } else { Value::Null };
        let mut again = resume(&world, &ticket, version, ack).await;
        assert_eq!(again.op(9).await, Value::Null);
        let (bob, alice) = (world.sandbox.user_id("bob").unwrap(), world.sandbox.user_id("alice").unwrap());
        assert_eq!(again.op(11).await, json!({ "user_ids": [bob] }));
        assert_eq!(again.op(13).await, json!({ "user_id": alice }));
        assert_eq!(again.seq, if version == 8 { client.seq + 2 } else { -1 });
        world.recorded(|event| matches!(event, Event::VoiceResumed { replayed: 2, .. })).await;
    }
}

#[tokio::test]
async fn a_client_of_version_8_may_have_lost_more_than_it_thinks() {
    let mut world = World::start().await;
    let ticket = world.join().await;
    let mut client = world.dial(&ticket, 8).await;
    client.identified(&ticket).await;
    // Nothing acknowledged: all from the beginning. -1 means the same.
    for ack in [json!(null), json!(-1), json!(0)] {
        let mut again = resume(&world, &ticket, 8, ack).await;
        again.op(9).await;
        again.op(2).await;
        assert_eq!(again.seq, 1);
    }
    assert_eq!(client.end().await, End::Close(4006));
    // Numbers that were never assigned are invalid.
    for ack in [json!(5), json!(70_000)] {
        let mut again = resume(&world, &ticket, 8, ack).await;
        assert_eq!(again.end().await, End::Close(4006));
        // The session has ended after that.
        let mut late = resume(&world, &ticket, 8, json!(1)).await;
        assert_eq!(late.end().await, End::Close(4006));
        world.dial(&ticket, 8).await.identified(&ticket).await;
    }
}

#[tokio::test]
async fn messages_that_are_no_longer_kept_end_the_session() {
    let mut world = World::start_with(Options { replay_messages: 2, ..World::plain() }).await;
    let ticket = world.join().await;
    let mut client = world.dial(&ticket, 8).await;
    client.identified(&ticket).await;
    for person in ["alice", "bob", "carol"] {
        world.control.enter_voice("Sandbox", person, "Lounge").await.unwrap();
        client.op(11).await;
    }
    let mut kept = resume(&world, &ticket, 8, json!(2)).await;
    kept.op(9).await;
    kept.op(11).await;
    let mut gone = resume(&world, &ticket, 8, json!(1)).await;
    assert_eq!(gone.end().await, End::Close(4006));
}

#[tokio::test]
async fn only_what_may_be_resumed_is() {
    let mut world = World::start().await;
    let ticket = world.join().await;
    for (code, resumable) in
        [(4015, true), (4009, true), (4014, false), (4006, false), (4022, false), (4000, true)]
    {
        let mut client = world.dial(&ticket, 8).await;
        client.identified(&ticket).await;
        let target = Target { guild: Some(ticket.guild), user: Some(ticket.user) };
        let close = Command::Close { code, reason: "a test".into() };
        let told = world.control.voice_command(target, &close).await.unwrap();
        assert_eq!(told["connections"], 1);
        assert_eq!(client.end().await, End::Close(code));
        let mut again = resume(&world, &ticket, 8, json!(1)).await;
        if resumable {
            again.op(9).await;
        } else {
            assert_eq!(again.end().await, End::Close(4006), "{code}");
        }
    }
    let mut client = world.dial(&ticket, 8).await;
    client.identified(&ticket).await;
    client.close(1000).await;
    assert_eq!(resume(&world, &ticket, 8, json!(1)).await.end().await, End::Close(4006));
}

#[tokio::test]
async fn a_session_waits_for_its_resume_only_so_long() {
    let resume_window = Duration::from_millis(50);
    let mut world = World::start_with(Options { resume_window, ..World::plain() }).await;
    let ticket = world.join().await;
    let mut client = world.dial(&ticket, 8).await;
    client.identified(&ticket).await;
    let (target, command) = sever();
    world.sandbox.voice().command(target, &command);
    world.recorded(|event| matches!(event, Event::VoiceEnded { .. })).await;
    assert_eq!(resume(&world, &ticket, 8, json!(1)).await.end().await, End::Close(4006));
}

#[tokio::test]
async fn audio_goes_on_while_the_websocket_is_gone_and_after() {
    let mut world = World::start().await;
    let (ticket, mut client, mut audio) = world.talk().await;
    audio.speak(&mut client).await;
    client.until_ack().await;
    let frame = &crate::audio::encode(&[0; 1920])[0];
    audio.send(frame).await;
    let (target, command) = sever();
    world.sandbox.voice().command(target, &command);
    client.end().await;
    audio.send(frame).await;
    resume(&world, &ticket, 8, json!(client.seq)).await.op(9).await;
    audio.send(frame).await;
    let heard = world.sandbox.voice();
    let heard = heard
        .heard_when(ticket.guild, ticket.user, crate::world::PATIENCE, |heard| heard.counts.packets == 3);
    let heard = heard.await.unwrap();
    assert_eq!((heard.counts.packets, heard.counts.sequence_gaps, heard.streams.len()), (3, 0, 1));
}
