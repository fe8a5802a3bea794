//! Faults injected into the gateway.

use std::time::{Duration, Instant};

use sandbox::event_log::Kind;
use sandbox::fault::{ConnectEffect, ConnectRule, GatewayEffect, GatewayRule, On, Rule};
use sandbox::gateway::{Command, Intents, Target};
use serde_json::{Value, json};

use crate::gateway::client::{End, PATIENCE};
use crate::gateway::world::{BOT, Server};

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
        assert_eq!(server.log.count(Kind::Fault), 1);
    }
}

#[tokio::test]
async fn a_delayed_event_delays_those_behind_it_but_no_acknowledgement() {
    let server = Server::start().await;
    let mut client = server.identified(INTENTS).await;
    server.faults.add(on_message(GatewayEffect::Pass).delayed(1000).times(1));
    let began = Instant::now();
    server.message(1);
    server.message(2);
    assert!(client.until_ack().await.is_empty());
    for id in ["1", "2"] {
        assert_eq!(client.event("MESSAGE_CREATE").await["id"], id);
    }
    assert!(began.elapsed() >= Duration::from_secs(1));
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
    server.log.wait_for(1, PATIENCE, |entry| entry.event.kind() == Kind::Fault).await.unwrap();
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
    assert_eq!(server.log.count(Kind::Refused), 2);
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

/// Returns the data of the logged events of this name, as they were written.
fn written(server: &Server, name: &str) -> Vec<Value> {
    let entries = server.log.read(1, usize::MAX).entries;
    let lines = entries.iter().map(|entry| serde_json::from_str::<Value>(&entry.line()).unwrap());
    lines.filter(|line| line["event"] == name).map(|line| line["data"].clone()).collect()
}

#[tokio::test]
async fn an_event_can_come_changed() {
    let server = Server::start().await;
    let mut client = server.identified(INTENTS).await;
    let merge = json!({ "id": null, "content": 5, "author": { "id": "9", "bot": true } });
    server.faults.add(on_message(GatewayEffect::Patch { merge }).after(1).times(1));
    server.message(1);
    server.message(2);
    server.message(3);
    let whole = client.event("MESSAGE_CREATE").await;
    let seq = client.seq.unwrap();
    let mut changed = whole.clone();
    changed.as_object_mut().unwrap().remove("id");
    changed["content"] = json!(5);
    changed["author"]["id"] = json!("9");
    changed["author"]["bot"] = json!(true);
    assert_eq!(client.event("MESSAGE_CREATE").await, changed);
    assert_eq!(client.seq, Some(seq + 1), "name and sequence number are as they were");
    assert_eq!(client.event("MESSAGE_CREATE").await["id"], "3");
    assert_eq!(written(&server, "MESSAGE_CREATE")[1], changed);
    // A payload that a client could not read is complete when it is replayed.
    client.close(4000).await;
    let mut again = server.connect().await;
    let sessions = server.hub.sessions();
    again.resume(&sessions[0].id, seq).await;
    assert_eq!(again.event("MESSAGE_CREATE").await["id"], "2");
}

#[tokio::test]
async fn all_of_an_events_data_can_be_another() {
    let server = Server::start().await;
    let mut client = server.identified(INTENTS).await;
    server.faults.add(on_message(GatewayEffect::Patch { merge: json!("garbage") }).times(1));
    server.message(1);
    assert_eq!(client.event("MESSAGE_CREATE").await, "garbage");
}

#[tokio::test]
async fn an_event_can_come_cut_off_and_the_connection_goes_on() {
    for query in ["v=10", "v=10&compress=zlib-stream", "v=10&compress=zstd-stream"] {
        let server = Server::start().await;
        let mut client = server.connect_with(query).await;
        client.identify(INTENTS).await;
        client.event("READY").await;
        server.faults.add(on_message(GatewayEffect::Truncate { bytes: 30 }).times(1));
        server.message(1);
        server.message(2);
        let text = client.text().await;
        assert_eq!(text.len(), 30, "{query}");
        assert!(text.starts_with(r#"{"t":"MESSAGE_CREATE","s":"#), "{text}");
        assert!(serde_json::from_str::<Value>(&text).is_err());
        assert_eq!(client.event("MESSAGE_CREATE").await["id"], "2");
        assert_eq!(
            written(&server, "MESSAGE_CREATE")[0],
            json!({"omitted": "truncated payload", "bytes": 30})
        );
    }
}

#[tokio::test]
async fn an_event_can_come_again_under_its_number() {
    let server = Server::start().await;
    let mut client = server.identified(INTENTS).await;
    client.repeats = true;
    server.faults.add(on_message(GatewayEffect::Duplicate { extra: 2 }).times(1));
    server.message(1);
    server.message(2);
    let mut seen = Vec::new();
    for _ in 0..4 {
        let id = client.event("MESSAGE_CREATE").await["id"].clone();
        seen.push((id, client.seq.unwrap()));
    }
    let first = seen[0].1;
    assert_eq!(
        seen,
        [(json!("1"), first), (json!("1"), first), (json!("1"), first), (json!("2"), first + 1)]
    );
    assert_eq!(written(&server, "MESSAGE_CREATE").len(), 4);
}

#[tokio::test]
async fn a_changed_event_can_be_late_as_well() {
    let server = Server::start().await;
    let mut client = server.identified(INTENTS).await;
    let effect = GatewayEffect::Patch { merge: json!({ "content": "late" }) };
    server.faults.add(on_message(effect).delayed(150).times(1));
    let began = Instant::now();
    server.message(1);
    assert_eq!(client.event("MESSAGE_CREATE").await["content"], "late");
    assert!(began.elapsed() >= Duration::from_millis(150));
}

#[tokio::test]
async fn what_a_client_sends_can_arrive_changed_cut_off_and_twice() {
    let server = Server::start().await;
    let on =
        |op, effect| Rule::new(On::Received(GatewayRule { op: Some(op), effect, ..GatewayRule::default() }));
    let mut client = server.identified(INTENTS).await;
    server.faults.add(on(1, GatewayEffect::Duplicate { extra: 1 }).times(1));
    client.send(1, Value::Null).await;
    assert_eq!((client.op(11).await, client.op(11).await), (Value::Null, Value::Null));
    let merge = json!({ "status": "nonsense" });
    server.faults.add(on(3, GatewayEffect::Patch { merge }).times(1));
    client.send(3, json!({ "status": "online", "since": null, "activities": [], "afk": false })).await;
    assert_eq!(client.end().await, End::Close(4002));
    let mut client = server.identified(INTENTS).await;
    server.faults.add(on(1, GatewayEffect::Truncate { bytes: 5 }).times(1));
    client.send(1, Value::Null).await;
    assert_eq!(client.end().await, End::Close(4002));
}

#[test]
fn rules_for_events_read_as_documented() {
    for (text, effect) in [
        (
            r#"{"patch": {"merge": {"content": null}}}"#,
            GatewayEffect::Patch { merge: json!({"content": null}) },
        ),
        (r#"{"truncate": {"bytes": 20}}"#, GatewayEffect::Truncate { bytes: 20 }),
        (r#"{"duplicate": {}}"#, GatewayEffect::Duplicate { extra: 1 }),
        (r#"{"duplicate": {"extra": 3}}"#, GatewayEffect::Duplicate { extra: 3 }),
        (r#""ignore""#, GatewayEffect::Ignore),
    ] {
        let rule = format!(r#"{{"on": {{"dispatch": {{"event": "MESSAGE_CREATE", "effect": {text}}}}}}}"#);
        assert_eq!(serde_json::from_str::<Rule>(&rule).unwrap(), on_message(effect), "{text}");
    }
}
