//! The log from its readers' side.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::body::DEEPEST;
use super::{Body, Capacity, Event, EventLog, Json, Kind, Missed, Request, WaitError};

fn note(log: &EventLog, text: &str) -> u64 {
    log.note(text, None)
}

fn notes(log: &EventLog, count: usize) {
    for _ in 0..count {
        note(log, "x");
    }
}

fn keeping(entries: usize) -> EventLog {
    EventLog::new(Capacity { entries, ..Capacity::default() })
}

#[tokio::test]
async fn a_reader_gets_the_past_and_the_future_each_entry_once() {
    let log = EventLog::default();
    note(&log, "1");
    note(&log, "2");
    let mut reader = log.subscribe(2);
    assert_eq!(reader.next().await.unwrap().n, 2);
    let writer = log.clone();
    let writing = tokio::spawn(async move {
        for _ in 0..1000 {
            note(&writer, "more");
            tokio::task::yield_now().await;
        }
    });
    for expected in 3..=1002 {
        assert_eq!(reader.next().await.unwrap().n, expected);
    }
    writing.await.unwrap();
    assert!(reader.try_next().unwrap().is_none());
}

#[tokio::test]
async fn a_late_reader_is_told_how_many_entries_it_missed() {
    let log = keeping(3);
    notes(&log, 10);
    let mut reader = log.subscribe(1);
    assert_eq!(reader.next().await.unwrap_err(), Missed(7));
    assert_eq!(reader.next().await.unwrap().n, 8);
}

#[tokio::test]
async fn a_wait_ends_with_the_entry_or_with_its_deadline() {
    let log = EventLog::default();
    let writer = log.clone();
    let is_go = |entry: &super::Entry| matches!(&entry.event, Event::Note { text, .. } if text == "go");
    let waiting = tokio::spawn(async move { writer.wait_for(1, Duration::from_secs(5), is_go).await });
    note(&log, "not yet");
    note(&log, "go");
    assert_eq!(waiting.await.unwrap().unwrap().n, 2);
    let within = Duration::from_millis(1);
    let nothing = log.wait_for(3, within, |_| true).await;
    assert_eq!(nothing.unwrap_err(), WaitError::TimedOut { within, seen: 0 });
}

#[test]
fn counts_outlive_the_entries() {
    let log = keeping(2);
    notes(&log, 5);
    assert_eq!(log.read(1, 100).entries.len(), 2);
    assert_eq!(log.count(Kind::Note), 5);
    assert_eq!(log.counts()["identified"], 0);
}

#[test]
fn large_entries_push_out_more_small_ones() {
    let log = EventLog::new(Capacity { bytes: 2000, ..Capacity::default() });
    notes(&log, 5);
    let data = Json::from(&json!("x".repeat(1800)));
    log.push(Event::Note { text: String::new(), data: Some(data.into()) });
    assert_eq!(log.read(1, 100).entries.len(), 1);
}

#[test]
fn a_line_is_one_flat_object_with_its_bodies_inside() {
    let log = EventLog::default();
    log.push(Event::Request(Box::new(Request {
        method: "POST".into(),
        path: "/channels/1/messages".into(),
        route: "/channels/{channel.id}/messages".into(),
        bot: None,
        status: Some(200),
        us: 350,
        request: Some(Body::Json(Json::from(&json!({"content": "hi\nthere"})))),
        response: None,
        bucket: Some("ab12".into()),
        rate_limit: None,
        limited: None,
        fault: None,
    })));
    let line = log.read(1, 1).entries[0].line();
    assert!(!line.contains('\n'));
    let value: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(value["n"], 1);
    assert_eq!(value["kind"], "request");
    assert_eq!(value["status"], 200);
    assert_eq!(value["request"]["content"], "hi\nthere");
    assert!(value.get("response").is_none());
}

proptest! {
    #[test]
    fn pages_of_any_size_join_to_the_whole(total in 0_usize..60, kept in 1_usize..60, page in 1_usize..10) {
        let log = keeping(kept);
        notes(&log, total);
        let (mut next, mut numbers, mut dropped) = (1, Vec::new(), 0);
        loop {
            let read = log.read(next, page);
            dropped += read.dropped;
            next = read.next;
            if read.entries.is_empty() {
                break;
            }
            numbers.extend(read.entries.iter().map(|entry| entry.n));
        }
        let first = total.saturating_sub(kept) as u64 + 1;
        prop_assert_eq!(dropped, first - 1);
        prop_assert_eq!(numbers, (first..=total as u64).collect::<Vec<_>>());
    }
}

/// Returns JSON as a bot may write it: any white space between values, anything in strings, numbers of any size.
fn written_json() -> impl Strategy<Value = String> {
    let space = proptest::sample::select(&["", " ", "\n", "\r\n", "\t", "\n\n    "][..]);
    let string = proptest::collection::vec(
        prop_oneof![
            "[a-z0-9 :,{}\\[\\]]{0,6}".boxed(),
            proptest::sample::select(
                &[
                    "\u{2028}",
                    "\u{2029}",
                    "\u{85}",
                    "\u{feff}",
                    "\u{7f}",
                    "\u{10ffff}",
                    "é",
                    r"\n",
                    r"\r",
                    r"\\",
                    r#"\""#,
                    r"\/",
                    r"\u2028",
                    r"\u000a",
                    r"\u0000",
                    r"\ud83d\ude00",
                    r"\ud83d",
                    "/webhooks/12/sEcReT",
                    "token",
                ][..],
            )
            .prop_map(str::to_owned)
            .boxed(),
        ],
        0..6,
    )
    .prop_map(|parts| format!("\"{}\"", parts.concat()));
    let leaf = prop_oneof![
        string.clone(),
        proptest::sample::select(
            &["null", "true", "false", "0", "-0.0", "1e5", "1e999", "12345678901234567890123", "0.1000"][..]
        )
        .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(4, 40, 5, move |inside| {
        let (string, before, after) = (string.clone(), space.clone(), space.clone());
        let item = (before.clone(), inside, after.clone()).prop_map(|(a, item, b)| format!("{a}{item}{b}"));
        let field =
            (before, string, after, item.clone()).prop_map(|(a, key, b, item)| format!("{a}{key}{b}:{item}"));
        prop_oneof![
            proptest::collection::vec(item, 1..5).prop_map(|items| format!("[{}]", items.join(","))),
            proptest::collection::vec(field, 1..5).prop_map(|fields| format!("{{{}}}", fields.join(","))),
        ]
    })
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// Returns any body of a request: JSON, JSON with white space around it, JSON of great depth or length, bytes.
fn any_body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => written_json().prop_map(String::into_bytes),
        2 => written_json().prop_map(|json| format!("\r\n {json} \n").into_bytes()),
        1 => (95_usize..135).prop_map(|depth| format!("{}{}", "[\n".repeat(depth), "]".repeat(depth)).into_bytes()),
        1 => (60_000_usize..70_000).prop_map(|length| format!("[\n\"{}\"]", "x".repeat(length)).into_bytes()),
        1 => proptest::collection::vec(any::<u8>(), 0..40),
        1 => written_json().prop_map(|json| [json.as_bytes(), b"\xff\xfe"].concat()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn an_entry_is_one_line_of_json_whatever_a_body_holds(bytes in any_body(), text in "\\PC{0,20}|[\n\r\u{2028}\u{85}\u{b}]{1,4}") {
        let log = EventLog::default();
        let longest = log.capacity().body;
        let body = log.redactor().foreign_body(&bytes, Some("application/json"), longest);
        let request = Request { path: text.clone(), request: Some(body), ..Request::default() };
        log.push(Event::Request(Box::new(request)));
        log.note(text.clone(), Some(&json!({ &text: text })));
        let entries = log.read(1, 9).entries;
        let page = serde_json::to_string(&json!({ "page": [{ "entries": [entries[0]] }] })).unwrap();
        prop_assert!(serde_json::from_str::<Value>(&page).is_ok(), "a page of entries can't be read: {}", page);
        for entry in &entries {
            let line = entry.line();
            prop_assert_eq!(line.lines().count(), 1);
            prop_assert!(
                !line.contains(|c: char| c.is_control() && !matches!(c, '\t' | '\u{7f}') || matches!(c, '\u{2028}' | '\u{2029}')),
                "{}", line
            );
            let value: Value = serde_json::from_str(&line).map_err(|why| TestCaseError::fail(format!("{why}: {line}")))?;
            prop_assert_eq!(value["n"].as_u64(), Some(entry.n));
        }
        let line: Value = serde_json::from_str(&entries[0].line()).unwrap();
        let recorded = &line["request"];
        match serde_json::from_slice::<Value>(&bytes) {
            Ok(mut read) if bytes.len() <= longest && depth(&read) <= DEEPEST => {
                log.redactor().redact(&mut read);
                prop_assert_eq!(recorded, &read);
            }
            _ => {
                let omitted = json!({ "omitted": "application/json", "bytes": bytes.len() });
                prop_assert_eq!(recorded, &omitted);
            }
        }
    }
}

#[test]
fn the_text_for_people_is_one_line_for_each_entry_without_controls() {
    let log = EventLog::default();
    log.note("test\u{1b}[2J\nfake \u{202e}line", Some(&json!({ "a": "x".repeat(1000) })));
    let heartbeat = |op| Event::Sent { conn: 1, session: None, op, data: json!(null) };
    log.push(heartbeat(11));
    log.push(heartbeat(10));
    let body = |value: Value| Some(Body::from(Json::from(&value)));
    log.push(Event::Request(Box::new(Request {
        method: "POST".to_owned(),
        path: "/channels/1/messages".to_owned(),
        status: Some(200),
        us: 3_000,
        request: body(json!({ "content": "hi", "embeds": [], "nonce": null, "poll": { "answers": [] } })),
        response: body(json!({ "id": "2", "author": { "id": "3", "username": "alice" } })),
        ..Request::default()
    })));
    let text = log.text(1);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(
        lines[0].starts_with("   0.000 s  note: test\\u{1b}[2J\\nfake \\u{202e}line {\"a\":\"xxx"),
        "{text}"
    );
    assert!(lines[0].len() < 600 && lines[0].ends_with("... (1008 bytes)"), "{text}");
    assert!(lines[1].ends_with("gateway sends opcode 10 null"), "{text}");
    let request = "POST /channels/1/messages 200, 3 ms, sent {\"content\":\"hi\"}, got {\"author\":\"@alice\",\"id\":\"2\"}";
    assert!(lines[2].ends_with(request), "{text}");
    assert_eq!(log.text(4).lines().count(), 1);
}
