//! Resuming sessions: every missed event, in order, once.

use std::time::Duration;

use proptest::prelude::*;
use sandbox::event_log::{Event, Kind};
use sandbox::gateway::{Command, Intents, Options, Target};
use serde_json::json;

use crate::gateway::client::{Client, End, PATIENCE};
use crate::gateway::world::{GUILD, Gate, OTHER_GUILD, Server, World};

const INTENTS: Intents = Intents::GUILD_MESSAGES;

async fn cut(server: &Server, client: &mut Client) {
    assert_eq!(server.hub.command(&Target::default(), &Command::Sever), 1);
    assert_eq!(client.end().await, End::Gone);
}

/// Returns the ids of messages up to RESUMED.
async fn replayed(client: &mut Client) -> Vec<usize> {
    let mut ids = Vec::new();
    loop {
        let payload = client.payload().await;
        match payload["t"].as_str() {
            Some("RESUMED") => return ids,
            Some("MESSAGE_CREATE") => ids.push(payload["d"]["id"].as_str().unwrap().parse().unwrap()),
            _ => panic!("{payload}"),
        }
    }
}

#[tokio::test]
async fn a_resumed_session_gets_every_missed_event_once() {
    let server = Server::start().await;
    let mut client = server.identified(INTENTS).await;
    server.message(1);
    client.event("MESSAGE_CREATE").await;
    cut(&server, &mut client).await;
    (2..500).for_each(|number| server.message(number));
    let mut again = server.connect().await;
    again.resume(&client.session_id, client.seq.unwrap()).await;
    assert_eq!(replayed(&mut again).await, (2..500).collect::<Vec<_>>());
    server.message(500);
    assert_eq!(again.event("MESSAGE_CREATE").await["id"], "500");
    assert!(again.until_ack().await.is_empty());
    assert_eq!((server.log.count(Kind::Identified), server.log.count(Kind::Resumed)), (1, 1));
}

#[tokio::test]
async fn an_earlier_resumed_event_is_not_replayed() {
    let server = Server::start().await;
    let mut client = server.identified(INTENTS).await;
    let seq = client.seq.unwrap();
    for _ in 0..3 {
        cut(&server, &mut client).await;
        let session_id = std::mem::take(&mut client.session_id);
        client = server.connect().await;
        client.resume(&session_id, seq).await;
        assert!(replayed(&mut client).await.is_empty());
        client.session_id = session_id;
    }
}

#[tokio::test]
async fn resuming_takes_the_session_from_a_connection_that_still_has_it() {
    let server = Server::start().await;
    let mut old = server.identified(INTENTS).await;
    let mut new = server.connect().await;
    new.resume(&old.session_id, old.seq.unwrap()).await;
    new.event("RESUMED").await;
    assert_eq!(old.end().await, End::Close(4000));
    server.message(1);
    new.event("MESSAGE_CREATE").await;
    assert_eq!(server.hub.sessions().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn guilds_that_two_connections_make_while_a_session_is_resumed_come_once() {
    for new_is_last in [false, true] {
        let server = Server::start().await;
        let (old_gate, old_reached, open_old) = Gate::new();
        let (new_gate, new_reached, open_new) = Gate::new();
        let gates = [Some(old_gate), Some(new_gate).filter(|_| new_is_last)];
        server.world.gates.lock().extend(gates.into_iter().flatten());
        let mut old = server.connect().await;
        old.identify(INTENTS | Intents::GUILDS).await;
        old.event("READY").await;
        old_reached.await.unwrap();
        let mut new = server.connect().await;
        new.resume(&old.session_id, old.seq.unwrap()).await;
        new.event("RESUMED").await;
        let mut guilds = Vec::new();
        if new_is_last {
            new_reached.await.unwrap();
            open_old.send(()).unwrap();
            assert_eq!(old.end().await, End::Close(4000));
            open_new.send(()).unwrap();
        } else {
            guilds.push(new.event("GUILD_CREATE").await["id"].clone());
            guilds.push(new.event("GUILD_CREATE").await["id"].clone());
            open_old.send(()).unwrap();
            assert_eq!(old.end().await, End::Close(4000));
        }
        server.message(1);
        let mut told = false;
        while !told || !guilds.contains(&json!(OTHER_GUILD)) {
            let payload = new.payload().await;
            match payload["t"].as_str() {
                Some("GUILD_CREATE") => guilds.push(payload["d"]["id"].clone()),
                Some("MESSAGE_CREATE") => told = true,
                _ => panic!("{payload}"),
            }
        }
        assert!(new.until_ack().await.is_empty(), "{new_is_last}");
        assert_eq!(guilds, [json!(GUILD), json!(OTHER_GUILD)], "{new_is_last}");
    }
}

#[tokio::test]
async fn a_session_nobody_knows_can_not_be_resumed_but_one_can_identify_instead() {
    let server = Server::start().await;
    let mut client = server.connect().await;
    client.resume("nobody", 1).await;
    assert_eq!(client.op(9).await, false);
    client.identify(INTENTS).await;
    client.event("READY").await;
}

#[tokio::test]
async fn a_sequence_number_that_was_never_given_is_invalid() {
    let server = Server::start().await;
    let client = server.identified(INTENTS).await;
    let mut again = server.connect().await;
    again.resume(&client.session_id, 999).await;
    assert_eq!(again.end().await, End::Close(4007));
    // "Reconnect and start a new session."
    let mut late = server.connect().await;
    late.resume(&client.session_id, client.seq.unwrap()).await;
    assert_eq!(late.op(9).await, false);
}

#[tokio::test]
async fn a_session_that_missed_more_than_is_kept_is_invalid() {
    let options = Options { replay_events: 10, ..Options::default() };
    let server = Server::with(options, World::default()).await;
    let mut client = server.identified(INTENTS).await;
    cut(&server, &mut client).await;
    (0..11).for_each(|number| server.message(number));
    let mut again = server.connect().await;
    again.resume(&client.session_id, client.seq.unwrap()).await;
    assert_eq!(again.op(9).await, false);
    assert!(server.hub.sessions().is_empty());
}

#[tokio::test]
async fn events_while_a_session_opens_come_after_ready() {
    let server = Server::start().await;
    for _ in 0..20 {
        let mut client = server.connect().await;
        client.identify(INTENTS).await;
        // Without waiting: some of these are dispatched before the session is open.
        (0..50).for_each(|number| server.message(number));
        client.event("READY").await;
        server.message(50);
        let mut last = None;
        while last != Some(50) {
            let id = client.event("MESSAGE_CREATE").await["id"].as_str().unwrap().parse::<usize>().unwrap();
            assert!(last.is_none_or(|last| id == last + 1), "{id} after {last:?}");
            last = Some(id);
        }
        client.close(1000).await;
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_delays_nobody() {
    // No heartbeat is due, however long a busy machine takes.
    let heartbeat_interval = Duration::from_hours(1);
    let options = Options { replay_events: 200, heartbeat_interval, ..Options::default() };
    let server = Server::with(options, World::default()).await;
    let mut asleep = server.identified(INTENTS).await;
    let mut awake = server.identified(INTENTS).await;
    for round in 0..40 {
        // Long messages, so that the socket of the client that does not read fills up.
        for number in 0..50 {
            let content = "x".repeat(10_000);
            let data =
                json!({"id": (round * 50 + number).to_string(), "author": {"id": "5"}, "content": content});
            let guild = crate::gateway::world::GUILD;
            server.hub.dispatch(&sandbox::gateway::Dispatch::guild(guild, "MESSAGE_CREATE", data));
        }
        for number in 0..50 {
            assert_eq!(awake.event("MESSAGE_CREATE").await["id"], (round * 50 + number).to_string());
        }
    }
    assert_eq!(asleep.end().await, End::Close(4000));
    let ended = |entry: &sandbox::event_log::Entry| matches!(&entry.event, Event::SessionEnded { reason, .. } if *reason == "its reader fell behind");
    server.log.wait_for(1, PATIENCE, ended).await.unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    /// Cuts at any point, with any number of events before, during and after, lose and repeat nothing.
    #[test]
    fn cuts_anywhere_lose_and_repeat_nothing(
        steps in proptest::collection::vec((0_usize..40, 0_usize..40, 0_usize..40), 1..5)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let server = Server::start().await;
            let mut client = server.identified(INTENTS).await;
            let (mut sent, mut seen) = (0, 0);
            for (before, read, during) in steps {
                let mut send = |count: usize| (0..count).for_each(|_| {
                    server.message(sent);
                    sent += 1;
                });
                send(before);
                // The client processes only some of them before the connection is cut.
                for _ in 0..read.min(before) {
                    assert_eq!(client.event("MESSAGE_CREATE").await["id"], seen.to_string());
                    seen += 1;
                }
                let (session_id, seq) = (client.session_id.clone(), client.seq.unwrap());
                drop(client);
                send(during);
                client = server.connect().await;
                client.resume(&session_id, seq).await;
                client.session_id = session_id;
                let missed = replayed(&mut client).await;
                assert_eq!(missed, (seen..seen + missed.len()).collect::<Vec<_>>());
                seen += missed.len();
                assert_eq!(seen, sent);
            }
        });
    }
}
