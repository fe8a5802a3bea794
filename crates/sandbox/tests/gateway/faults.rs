//! Faults injected into the gateway.

use std::time::{Duration, Instant};

use sandbox::fault::{ConnectEffect, ConnectRule, GatewayEffect, GatewayRule, On, Rule};
use sandbox::gateway::{Command, Intents, Target};
use sandbox::record::Kind;
use serde_json::Value;

use crate::client::End;
use crate::world::{BOT, Server};

const INTENTS: Intents = Intents::GUILD_MESSAGES;

fn on_message(effect: GatewayEffect) -> Rule {
    let event = Some("MESSAGE_CREATE".to_owned());
    Rule::new(On::Dispatch(GatewayRule { event, effect, ..GatewayRule::default() }))
}

#[tokio::test]
async fn a_connection_dropped_before_an_event_gets_it_after_resuming() {
    for (effect, end) in [
        (GatewayEffect::Sever, End::Gone),
        (GatewayEffect::Close { code: 4000, reason: "out".into() }, End::Close(4000)),
    ] {
        let server = Server::start().await;
        server.faults.add(on_message(effect).after(1).times(1));
        let mut client = server.identified(INTENTS).await;
        server.message(1);
        server.message(2);
        client.event("MESSAGE_CREATE").await;
        assert_eq!(client.end().await, end);
        let mut again = server.connect().await;
        again.resume(&client.session_id, client.seq.unwrap()).await;
        assert_eq!(again.event("MESSAGE_CREATE").await["id"], "2");
        again.event("RESUMED").await;
        assert_eq!(server.recorder.count(Kind::Fault), 1);
    }
}

#[tokio::test]
async fn a_delayed_event_delays_those_behind_it_but_no_acknowledgement() {
    let server = Server::start().await;
    let mut client = server.identified(INTENTS).await;
    server.faults.add(on_message(GatewayEffect::Pass).delayed(150).times(1));
    let began = Instant::now();
    server.message(1);
    server.message(2);
    assert!(client.until_ack().await.is_empty());
    for id in ["1", "2"] {
        assert_eq!(client.event("MESSAGE_CREATE").await["id"], id);
    }
    assert!(began.elapsed() >= Duration::from_millis(150));
}

#[tokio::test]
async fn an_ignored_event_is_lost() {
    let server = Server::start().await;
    let mut client = server.identified(INTENTS).await;
    server.faults.add(on_message(GatewayEffect::Ignore).times(1));
    server.message(1);
    server.message(2);
    assert_eq!(client.event("MESSAGE_CREATE").await["id"], "2");
}

#[tokio::test]
async fn heartbeats_can_stay_unacknowledged() {
    let server = Server::start().await;
    let mut client = server.identified(INTENTS).await;
    let rule = GatewayRule { op: Some(1), effect: GatewayEffect::Ignore, ..GatewayRule::default() };
    let id = server.faults.add(Rule::new(On::Received(rule)));
    client.send(1, Value::Null).await;
    server.message(1);
    client.event("MESSAGE_CREATE").await;
    server
        .recorder
        .wait_for(1, Duration::from_secs(5), |entry| entry.event.kind() == Kind::Fault)
        .await
        .unwrap();
    server.faults.remove(id);
    assert!(client.until_ack().await.is_empty());
}

#[tokio::test]
async fn new_connections_can_be_refused_for_a_while() {
    let server = Server::start().await;
    let rule = |effect| Rule::new(On::Connect(ConnectRule { effect })).times(1);
    server.faults.add(rule(ConnectEffect::Refuse { status: 503 }));
    server.faults.add(rule(ConnectEffect::Sever));
    let url = server.url("v=10");
    let refused = tokio_tungstenite::connect_async(&url).await.unwrap_err();
    assert!(refused.to_string().contains("503"), "{refused}");
    assert!(tokio_tungstenite::connect_async(&url).await.is_err());
    server.connect().await;
    assert_eq!(server.recorder.count(Kind::Refused), 2);
}

#[tokio::test]
async fn commands_reach_the_sessions_that_they_are_for() {
    let server = Server::start().await;
    let mut first = server.identified(INTENTS).await;
    let mut second = server.identified(INTENTS).await;
    let target = Target { session: Some(first.session_id.clone()), ..Target::default() };
    assert_eq!(server.hub.command(&target, &Command::Reconnect), 1);
    assert_eq!(first.op(7).await, Value::Null);
    assert_eq!(server.hub.command(&target, &Command::RequestHeartbeat), 1);
    assert_eq!(first.op(1).await, Value::Null);
    assert!(second.until_ack().await.is_empty());
    let bot = Target { bot: Some(BOT), ..Target::default() };
    assert_eq!(server.hub.command(&bot, &Command::Close { code: 4009, reason: String::new() }), 2);
    assert_eq!((first.end().await, second.end().await), (End::Close(4009), End::Close(4009)));
    assert_eq!(server.hub.close_all(1001), 0);
}

#[tokio::test]
async fn an_invalidated_session_is_gone_and_a_resumable_one_is_not() {
    let server = Server::start().await;
    for resumable in [true, false] {
        let mut client = server.identified(INTENTS).await;
        server.hub.command(&Target::default(), &Command::InvalidSession { resumable });
        assert_eq!(client.op(9).await, resumable);
        let (session_id, seq) = (client.session_id.clone(), client.seq.unwrap());
        client.resume(&session_id, seq).await;
        if resumable {
            client.event("RESUMED").await;
        } else {
            assert_eq!(client.op(9).await, false);
        }
        client.close(1000).await;
    }
}
