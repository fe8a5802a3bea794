use sandbox::event_log::Event;
use sandbox::voice::{Dave, Options};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::client::{Client, End, Ticket};
use crate::world::World;

/// Returns a client that has read HELLO.
async fn greeted(world: &World, ticket: &Ticket) -> Client {
    let mut client = world.dial(ticket, 8).await;
    client.op(8).await;
    client
}

/// Returns how an IDENTIFY with this change ends.
async fn identify(world: &World, ticket: &Ticket, change: impl FnOnce(&mut Value)) -> End {
    let mut client = greeted(world, ticket).await;
    let mut data = ticket.identify();
    change(&mut data);
    client.send(0, data).await;
    client.end().await
}

#[tokio::test]
async fn what_no_server_can_read_has_its_code() {
    let mut world = World::start().await;
    let ticket = world.join().await;
    for (frame, code) in [
        (Message::text("{"), 4002),
        (Message::text("[]"), 4002),
        (Message::text(r#"{"op": 0, "d": {"token": 1}}"#), 4002),
        (Message::text(r#"{"op": 99, "d": null}"#), 4001),
        (Message::text(r#"{"op": 2, "d": null}"#), 4001),
        (Message::text(r#"{"op": 3, "d": "soon"}"#), 4020),
        (Message::text(r#"{"op": 5, "d": {"speaking": 1, "ssrc": 1}}"#), 4003),
        (Message::text(r#"{"op": 1, "d": {}}"#), 4003),
        (Message::text(r#"{"op": 23, "d": {}}"#), 4003),
        (Message::binary(vec![26, 1]), 4003),
        (Message::binary(vec![]), 4002),
    ] {
        let mut client = greeted(&world, &ticket).await;
        client.send_raw(frame.clone()).await;
        assert_eq!(client.end().await, End::Close(code), "{frame:?}");
    }
    for (payload, code) in [
        (json!({ "op": 0, "d": ticket.identify() }), 4005),
        (json!({ "op": 7, "d": ticket.identify() }), 4005),
        (json!({ "op": 1, "d": { "protocol": "webrtc" } }), 4012),
        (json!({ "op": 1, "d": { "protocol": "udp", "data": { "mode": 1 } } }), 4020),
        (
            json!({ "op": 1, "d": { "protocol": "udp", "data": {
                "address": "127.0.0.1", "port": 1, "mode": "xsalsa20_poly1305" } } }),
            4016,
        ),
        (json!({ "op": 5, "d": { "speaking": 1, "ssrc": 0 } }), 4020),
        (json!({ "op": 5, "d": { "speaking": "loud" } }), 4020),
        (json!({ "op": 21, "d": {} }), 4001),
    ] {
        let mut client = world.dial(&ticket, 8).await;
        client.identified(&ticket).await;
        client.send_raw(Message::text(payload.to_string())).await;
        assert_eq!(client.end().await, End::Close(code), "{payload}");
    }
    let mut client = world.dial(&ticket, 8).await;
    client.identified(&ticket).await;
    client.send_raw(Message::binary(vec![25])).await;
    assert_eq!(client.end().await, End::Close(4001));
}

#[tokio::test]
async fn who_does_not_belong_has_its_code() {
    let mut world = World::start().await;
    let ticket = world.join().await;
    let wrong = |field: &'static str, value: Value| move |data: &mut Value| data[field] = value;
    for (field, value, code) in [
        ("token", json!("not it"), 4004),
        ("user_id", json!("1"), 4004),
        ("session_id", json!("not it"), 4006),
        ("server_id", json!("1"), 4011),
    ] {
        assert_eq!(identify(&world, &ticket, wrong(field, value)).await, End::Close(code), "{field}");
    }
    let elsewhere = world.sandbox.voice().endpoints().nth(1).unwrap().1.to_owned();
    let moved = Ticket { endpoint: elsewhere, ..ticket.clone() };
    assert_eq!(identify(&world, &moved, |_| {}).await, End::Close(4011));
    // The valid one still works after all that.
    world.dial(&ticket, 8).await.identified(&ticket).await;
    let again = world.bot.join(world.sandbox.guild_id(), world.attic).await;
    assert_eq!(identify(&world, &ticket, |_| {}).await, End::Close(4006), "an old token");
    world.bot.ask(again.guild, None);
    world.bot.event("VOICE_STATE_UPDATE").await;
    assert_eq!(identify(&world, &again, |_| {}).await, End::Close(4006), "a token after leaving");
}

#[tokio::test]
async fn versions_that_are_not_spoken_are_refused() {
    let mut world = World::start().await;
    let ticket = world.join().await;
    for query in ["", "v=3", "v=9", "v=x"] {
        let mut client = Client::connect(&world.sandbox, &ticket.endpoint, query).await;
        assert_eq!(client.end().await, End::Close(4020), "{query}");
    }
    world.recorded(|event| matches!(event, Event::VoiceConnected { version: None, .. })).await;
}

#[tokio::test]
async fn a_stage_takes_clients_without_dave() {
    let mut world = World::start_with(Options::default()).await;
    let stage =
        world.control.create_channel("Sandbox", &json!({ "name": "Talk", "type": 13 })).await.unwrap();
    let stage = stage["id"].as_str().unwrap().parse().unwrap();
    let ticket = world.bot.join(world.guild(), stage).await;
    let mut client = world.dial(&ticket, 8).await;
    client.identified(&ticket).await;
}

#[tokio::test]
async fn a_channel_takes_no_client_without_dave_by_default() {
    assert_eq!(Options::default().dave, Dave::Required);
    let mut world = World::start_with(Options::default()).await;
    let ticket = world.join().await;
    assert_eq!(identify(&world, &ticket, |_| {}).await, End::Close(4017));
    let zero = |data: &mut Value| data["max_dave_protocol_version"] = json!(0);
    assert_eq!(identify(&world, &ticket, zero).await, End::Close(4017));
    let mut client = greeted(&world, &ticket).await;
    let mut data = ticket.identify();
    data["max_dave_protocol_version"] = json!(1);
    client.send(0, data).await;
    client.op(2).await;
}

#[tokio::test]
async fn a_second_identify_elsewhere_takes_the_session_over() {
    let mut world = World::start().await;
    let ticket = world.join().await;
    let mut first = world.dial(&ticket, 8).await;
    let before = first.identified(&ticket).await;
    let mut second = world.dial(&ticket, 8).await;
    let after = second.identified(&ticket).await;
    assert_ne!(before["ssrc"], after["ssrc"]);
    assert_eq!(first.end().await, End::Close(4006));
    second.until_ack().await;
}

#[tokio::test]
async fn a_client_that_says_too_much_is_rate_limited() {
    let mut world = World::start_with(Options { payloads_per_minute: Some(20), ..World::plain() }).await;
    let ticket = world.join().await;
    let mut client = greeted(&world, &ticket).await;
    for beat in 0..21 {
        client.send(3, json!({ "t": beat, "seq_ack": -1 })).await;
    }
    assert_eq!(client.end().await, End::Close(4021));
}
