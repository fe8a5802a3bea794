use std::time::Duration;

use sandbox::event_log::{Event, Kind};
use sandbox::fault::{
    Direction, On, Rule, VoiceConnectEffect, VoiceConnectRule, VoiceEffect, VoicePacketRule, VoiceRule,
    VoiceServerEffect, VoiceServerRule,
};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::audio::{discover, encode, question};
use crate::client::{Client, End, open};
use crate::packets::heard;
use crate::world::World;

/// Long enough to distinguish silence from a slow answer, on a machine where answers take milliseconds.
const SILENCE: Duration = Duration::from_millis(400);

fn received(op: u64, effect: VoiceEffect) -> Rule {
    Rule::new(On::VoiceReceived(VoiceRule { op: Some(op), effect, ..VoiceRule::default() }))
}

#[tokio::test]
async fn each_close_code_comes_on_demand() {
    let mut world = World::start().await;
    let ticket = world.join().await;
    for code in
        [4001, 4002, 4003, 4004, 4005, 4006, 4009, 4011, 4012, 4014, 4015, 4016, 4017, 4020, 4021, 4022]
    {
        let close = VoiceEffect::Close { code, reason: String::new() };
        world.control.add_fault(&received(3, close).times(1)).await.unwrap();
        let mut client = world.dial(&ticket, 8).await;
        client.identified(&ticket).await;
        client.send(3, json!({ "t": 1, "seq_ack": 1 })).await;
        assert_eq!(client.end().await, End::Close(code));
        world
            .recorded(|event| matches!(event, Event::VoiceClosed { code: Some(told), .. } if *told == code))
            .await;
    }
}

#[tokio::test]
async fn a_connection_dropped_in_the_middle_ends_without_a_close_frame() {
    let mut world = World::start().await;
    let ticket = world.join().await;
    world.sandbox.faults().add(received(0, VoiceEffect::Sever).times(1));
    let mut client = world.dial(&ticket, 8).await;
    client.op(8).await;
    client.send(0, ticket.identify()).await;
    assert_eq!(client.end().await, End::Gone);
    world.dial(&ticket, 8).await.identified(&ticket).await;
}

#[tokio::test]
async fn a_server_stalls_before_hello_ready_or_session_description() {
    let mut world = World::start().await;
    let ticket = world.join().await;
    let stall = VoiceConnectRule { effect: VoiceConnectEffect::Stall };
    world.sandbox.faults().add(Rule::new(On::VoiceConnect(stall)).times(1));
    let mut client = world.dial(&ticket, 8).await;
    client.send(0, ticket.identify()).await;
    assert!(timeout(SILENCE, client.payload()).await.is_err());
    client.close(1000).await;

    let rule = world.sandbox.faults().add(received(0, VoiceEffect::Ignore));
    let mut client = world.dial(&ticket, 8).await;
    client.op(8).await;
    client.send(0, ticket.identify()).await;
    assert!(timeout(SILENCE, client.payload()).await.is_err());
    world.sandbox.faults().remove(rule);

    world.sandbox.faults().add(received(1, VoiceEffect::Ignore));
    let mut client = world.dial(&ticket, 8).await;
    let ready = client.identified(&ticket).await;
    let data = json!({ "address": "127.0.0.1", "port": 9, "mode": ready["modes"][0] });
    client.send(1, json!({ "protocol": "udp", "data": data })).await;
    assert_eq!(client.until_ack().await, Vec::<Value>::new());
}

#[tokio::test]
async fn new_connections_are_refused_dropped_or_delayed() {
    let mut world = World::start().await;
    let ticket = world.join().await;
    let rule = |effect| Rule::new(On::VoiceConnect(VoiceConnectRule { effect })).times(1);
    world.sandbox.faults().add(rule(VoiceConnectEffect::Refuse { status: 503 }));
    world.sandbox.faults().add(rule(VoiceConnectEffect::Sever));
    world.sandbox.faults().add(rule(VoiceConnectEffect::Pass).delayed(100));
    let refused = open(&world.sandbox, &ticket.endpoint, "v=8").await.unwrap_err().to_string();
    assert!(refused.contains("503"), "{refused}");
    assert!(open(&world.sandbox, &ticket.endpoint, "v=8").await.is_err());
    let began = std::time::Instant::now();
    Client::connect(&world.sandbox, &ticket.endpoint, "v=8").await.op(8).await;
    assert!(began.elapsed() >= Duration::from_millis(100));
}

#[tokio::test]
async fn packets_are_lost_either_way_and_in_part() {
    let mut world = World::start().await;
    let mut other = world.another("listener").await;
    let (ticket, mut client, mut audio) = world.talk().await;
    let second = other.join(world.guild(), world.lounge).await;
    let (mut listener, ears) = world.call(&second).await;
    audio.speak(&mut client).await;
    listener.op(5).await;
    let frame = encode(&[0; 1920]).remove(0);
    let lose = |direction, user, percent| {
        Rule::new(On::VoicePacket(VoicePacketRule { direction, user, percent, ..VoicePacketRule::default() }))
    };
    audio.send(&frame).await;
    ears.receive().await;

    // Packets to the listener are lost; packets to the server are not.
    let rule = world.sandbox.faults().add(lose(Some(Direction::Sent), Some(second.user), 100.0));
    audio.send(&frame).await;
    heard(&world, &ticket, |heard| heard.counts.packets == 2).await;
    world.sandbox.faults().remove(rule);
    audio.send(&frame).await;
    assert_eq!(ears.receive().await.0[2..4], audio.sequence.wrapping_sub(1).to_be_bytes());

    let rule = world.sandbox.faults().add(lose(Some(Direction::Received), Some(ticket.user), 50.0));
    for _ in 0..200 {
        audio.send(&frame).await;
    }
    // The answer to a keepalive, which belongs to no user, shows that the server has received everything before it.
    audio.socket.send(&[1, 2, 3]).await.unwrap();
    assert_eq!(audio.socket.recv(&mut [0; 100]).await.unwrap(), 3);
    world.sandbox.faults().remove(rule);
    let last = audio.sequence;
    audio.send(&frame).await;
    loop {
        let (header, _) = ears.receive().await;
        if header[2..4] == last.to_be_bytes() {
            break;
        }
    }
    let counts = world.sandbox.voice().heard(ticket.guild, ticket.user).unwrap().counts;
    assert_eq!(counts.packets + counts.lost, 204);
    assert!((40..=160).contains(&counts.lost), "{counts:?}");
    assert!(counts.sequence_gaps > 1 && counts.sequence_gaps <= counts.lost);
    // The log has an entry for each rule, not for each packet.
    assert_eq!(world.sandbox.event_log().count(Kind::Fault), 2);
}

#[tokio::test]
async fn a_dead_socket_swallows_discovery_too() {
    let mut world = World::start().await;
    let ticket = world.join().await;
    let rule = json!({ "on": { "voice_packet": { "guild": ticket.guild } } });
    let rule: Rule = serde_json::from_value(rule).unwrap();
    let mut client = world.dial(&ticket, 8).await;
    let ready = client.identified(&ticket).await;
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = u16::try_from(ready["port"].as_u64().unwrap()).unwrap();
    socket.connect(("127.0.0.1", port)).await.unwrap();
    let ssrc = u32::try_from(ready["ssrc"].as_u64().unwrap()).unwrap();
    let id = world.control.add_fault(&rule).await.unwrap()["id"].as_u64();
    socket.send(&question(ssrc)).await.unwrap();
    assert!(timeout(SILENCE, socket.recv(&mut [0; 100])).await.is_err());
    client.until_ack().await;
    world.control.remove_fault(id).await.unwrap();
    discover(&socket, ssrc).await;
}

#[tokio::test]
async fn a_voice_server_is_withheld_or_has_no_endpoint() {
    let mut world = World::start().await;
    let guild = world.guild();
    let rule = |effect| {
        Rule::new(On::VoiceServer(VoiceServerRule { effect, ..VoiceServerRule::default() })).times(1)
    };
    world.sandbox.faults().add(rule(VoiceServerEffect::Withhold));
    world.sandbox.faults().add(rule(VoiceServerEffect::NullEndpoint));
    world.bot.ask(guild, Some(world.lounge));
    assert_eq!(world.bot.until_now(guild).await, ["VOICE_STATE_UPDATE"]);
    world.bot.ask(guild, Some(world.lounge));
    let server = world.bot.event("VOICE_SERVER_UPDATE").await;
    assert_eq!((&server["endpoint"], server["token"].is_string()), (&Value::Null, true));
    let ticket = world.join().await;
    world.dial(&ticket, 8).await.identified(&ticket).await;
}

#[tokio::test]
async fn rules_read_as_documented() {
    for (text, expected) in [
        (
            r#"{"on": {"voice_received": {"op": 3, "effect": {"close": {"code": 4015}}}}, "count": 1}"#,
            received(3, VoiceEffect::Close { code: 4015, reason: String::new() }).times(1),
        ),
        (
            r#"{"on": {"voice_connect": {"effect": "stall"}}}"#,
            Rule::new(On::VoiceConnect(VoiceConnectRule { effect: VoiceConnectEffect::Stall })),
        ),
        (
            r#"{"on": {"voice_server": {"effect": "null_endpoint"}}}"#,
            Rule::new(On::VoiceServer(VoiceServerRule {
                effect: VoiceServerEffect::NullEndpoint,
                ..VoiceServerRule::default()
            })),
        ),
        (
            r#"{"on": {"voice_packet": {"direction": "received", "percent": 5}}}"#,
            Rule::new(On::VoicePacket(VoicePacketRule {
                direction: Some(Direction::Received),
                percent: 5.0,
                ..VoicePacketRule::default()
            })),
        ),
    ] {
        assert_eq!(serde_json::from_str::<Rule>(text).unwrap(), expected, "{text}");
    }
}
