use std::time::Duration;

use sandbox::event_log::{Event, Kind};
use sandbox::voice::{Mode, Options};
use serde_json::json;

use crate::audio::{Audio, discover, question};
use crate::client::Client;
use crate::world::World;

#[tokio::test]
async fn a_client_of_every_version_gets_a_key_for_both_encryptions() {
    let mut world = World::start().await;
    let ticket = world.join().await;
    for version in 4..=8 {
        for mode in Mode::ALL {
            let mut client = world.dial(&ticket, version).await;
            let hello = client.op(8).await;
            assert_eq!((&hello["v"], &hello["heartbeat_interval"]), (&json!(version), &json!(41_250)));
            client.send(0, ticket.identify()).await;
            let payload = client.payload().await;
            assert_eq!(payload["op"], 2);
            assert_eq!(payload["seq"].as_u64(), (version == 8).then_some(1), "{payload}");
            let ready = &payload["d"];
            let names: Vec<&str> = Mode::ALL.iter().map(|mode| mode.name()).collect();
            assert_eq!(ready["modes"], json!(names));
            let audio = Audio::open(&mut client, ready, mode.name()).await;
            assert_eq!(audio.mode, mode.name());
            if version == 8 {
                client.send(3, json!({ "t": 5, "seq_ack": client.seq })).await;
                assert_eq!(client.payload().await, json!({ "op": 6, "d": { "t": 5 } }));
            } else {
                client.send(3, json!(9_007_199_254_740_991_u64)).await;
                assert_eq!(client.payload().await, json!({ "op": 6, "d": 9_007_199_254_740_991_u64 }));
            }
        }
    }
    assert_eq!(world.sandbox.event_log().count(Kind::VoiceIdentified), 10);
}

#[tokio::test]
async fn a_client_without_dave_is_told_version_zero() {
    let mut world = World::start().await;
    let ticket = world.join().await;
    for asked in [json!(null), json!(0)] {
        let mut client = world.dial(&ticket, 8).await;
        client.op(8).await;
        let mut identify = ticket.identify();
        identify["max_dave_protocol_version"] = asked;
        client.send(0, identify).await;
        client.op(2).await;
        let data = json!({ "address": "127.0.0.1", "port": 9, "mode": Mode::Aes256Gcm });
        client.send(1, json!({ "protocol": "udp", "data": data })).await;
        assert_eq!(client.op(4).await["dave_protocol_version"], 0);
    }
}

#[tokio::test]
async fn only_what_is_offered_can_be_selected() {
    let mut world = World::start_offering(Mode::XChaCha20Poly1305).await;
    let ticket = world.join().await;
    let mut client = world.dial(&ticket, 8).await;
    let ready = client.identified(&ticket).await;
    assert_eq!(ready["modes"], json!(["aead_xchacha20_poly1305_rtpsize"]));
    let data = json!({ "address": "127.0.0.1", "port": 9, "mode": "aead_aes256_gcm_rtpsize" });
    client.send(1, json!({ "protocol": "udp", "data": data })).await;
    assert_eq!(client.end().await, crate::client::End::Close(4016));
}

#[tokio::test]
async fn the_heartbeat_interval_is_the_one_that_was_chosen_and_silence_is_a_timeout() {
    let interval = Duration::from_secs(1);
    let mut world = World::start_with(Options { heartbeat_interval: interval, ..World::plain() }).await;
    let ticket = world.join().await;
    let mut client = world.dial(&ticket, 8).await;
    assert_eq!(client.op(8).await["heartbeat_interval"], 1000);
    client.send(0, ticket.identify()).await;
    client.op(2).await;
    assert_eq!(client.end().await, crate::client::End::Close(4009));
    // A session that timed out can be resumed.
    let mut again = world.dial(&ticket, 8).await;
    again.op(8).await;
    again.send(7, json!({ "server_id": ticket.guild, "session_id": ticket.session_id, "token": ticket.token, "seq_ack": 1 })).await;
    again.op(9).await;
}

#[tokio::test]
async fn clients_hear_of_each_other_and_of_people() {
    let mut world = World::start().await;
    let mut other = world.another("second").await;
    world.control.enter_voice("Sandbox", "alice", "Lounge").await.unwrap();
    let alice = world.sandbox.user_id("alice").unwrap();
    let first = world.join().await;
    let mut client = world.dial(&first, 8).await;
    let ready = client.identified(&first).await;
    assert_eq!(client.op(11).await, json!({ "user_ids": [alice] }));
    client.send(5, json!({ "speaking": 5, "delay": 0, "ssrc": ready["ssrc"] })).await;
    client.until_ack().await;

    let second = other.join(world.guild(), world.lounge).await;
    let mut newcomer = world.dial(&second, 8).await;
    newcomer.identified(&second).await;
    let known = newcomer.op(11).await;
    let mut known: Vec<String> = serde_json::from_value(known["user_ids"].clone()).unwrap();
    known.sort();
    let mut expected = [first.user.to_string(), alice.to_string()];
    expected.sort();
    assert_eq!(known, expected);
    let speaking = json!({ "speaking": 5, "delay": 0, "ssrc": ready["ssrc"], "user_id": first.user });
    assert_eq!(newcomer.op(5).await, speaking);
    assert_eq!(client.op(11).await, json!({ "user_ids": [second.user] }));

    world.control.leave_voice("Sandbox", "alice").await.unwrap();
    assert_eq!(client.op(13).await, json!({ "user_id": alice }));
    newcomer.op(13).await;
    world.control.enter_voice("Sandbox", "bob", "Lounge").await.unwrap();
    assert_eq!(client.op(11).await, json!({ "user_ids": [world.sandbox.user_id("bob").unwrap()] }));
    newcomer.close(1000).await;
    assert_eq!(client.op(13).await, json!({ "user_id": second.user }));
}

#[tokio::test]
async fn ip_discovery_answers_known_ssrcs_and_keepalives_come_back() {
    let mut world = World::start().await;
    let (_, _client, audio) = world.talk().await;
    // The unknown one gets no answer, so the next answer is that of the known one.
    audio.socket.send(&question(audio.ssrc + 1)).await.unwrap();
    audio.socket.send(&[1, 2, 3]).await.unwrap();
    let mut echo = [0; 8];
    assert_eq!(audio.socket.recv(&mut echo).await.unwrap(), 3);
    for keepalive in [&7_u64.to_le_bytes()[..], &audio.ssrc.to_be_bytes()[..]] {
        audio.socket.send(keepalive).await.unwrap();
        let length = audio.socket.recv(&mut echo).await.unwrap();
        assert_eq!(&echo[..length], keepalive);
    }
    discover(&audio.socket, audio.ssrc).await;
}

#[tokio::test]
async fn keys_and_tokens_stay_out_of_the_record() {
    let mut world = World::start().await;
    let (ticket, mut client, audio) = world.talk().await;
    client.until_ack().await;
    let page = world.sandbox.event_log().read(1, usize::MAX);
    let mut described = 0;
    for entry in &page.entries {
        let line = entry.line();
        assert!(!line.contains(&ticket.token), "{line}");
        if let Event::VoiceSent { op: 4, data, .. } = &entry.event {
            described += 1;
            let data = data.json().unwrap();
            assert!(data["secret_key"].as_str().unwrap().starts_with("[redacted"), "{line}");
        }
    }
    assert_eq!(described, 1);
    drop(audio);
}

#[tokio::test]
async fn the_root_certificate_is_offered_and_nothing_else_is_signed_by_it() {
    let world = World::start().await;
    let pem = world.sandbox.voice().root_certificate();
    let text = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/sandbox/voice/root.pem", world.sandbox.url());
    let offered = text.get(url).send().await.unwrap().text().await.unwrap();
    assert_eq!(offered, pem);
    assert_eq!(world.control.overview().await.unwrap()["voice"]["root_certificate"], pem);
    // The root of another sandbox is not valid here.
    let stranger = World::start().await;
    let endpoint = world.sandbox.voice().endpoints().next().unwrap().1.to_owned();
    assert!(crate::client::open(&stranger.sandbox, &endpoint, "v=8").await.is_err());
    let mut client = Client::connect(&world.sandbox, &endpoint, "v=8").await;
    client.op(8).await;
}
