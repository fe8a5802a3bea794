//! The record as its readers see it.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Body, Capacity, Event, Json, Kind, Missed, Recorder, Request, WaitError};

fn note(recorder: &Recorder, text: &str) -> u64 {
    recorder.note(text, None)
}

fn notes(recorder: &Recorder, count: usize) {
    for _ in 0..count {
        note(recorder, "x");
    }
}

fn keeping(entries: usize) -> Recorder {
    Recorder::new(Capacity { entries, ..Capacity::default() })
}

#[tokio::test]
async fn a_reader_gets_the_past_and_the_future_each_entry_once() {
    let recorder = Recorder::default();
    note(&recorder, "1");
    note(&recorder, "2");
    let mut reader = recorder.subscribe(2);
    assert_eq!(reader.next().await.unwrap().n, 2);
    let writer = recorder.clone();
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
    let recorder = keeping(3);
    notes(&recorder, 10);
    let mut reader = recorder.subscribe(1);
    assert_eq!(reader.next().await.unwrap_err(), Missed(7));
    assert_eq!(reader.next().await.unwrap().n, 8);
}

#[tokio::test]
async fn a_wait_ends_with_the_entry_or_with_its_deadline() {
    let recorder = Recorder::default();
    let writer = recorder.clone();
    let is_go = |entry: &super::Entry| matches!(&entry.event, Event::Note { text, .. } if text == "go");
    let waiting = tokio::spawn(async move { writer.wait_for(1, Duration::from_secs(5), is_go).await });
    note(&recorder, "not yet");
    note(&recorder, "go");
    assert_eq!(waiting.await.unwrap().unwrap().n, 2);
    let within = Duration::from_millis(1);
    let nothing = recorder.wait_for(3, within, |_| true).await;
    assert_eq!(nothing.unwrap_err(), WaitError::TimedOut { within, seen: 0 });
}

#[test]
fn counts_outlive_the_entries() {
    let recorder = keeping(2);
    notes(&recorder, 5);
    assert_eq!(recorder.read(1, 100).entries.len(), 2);
    assert_eq!(recorder.count(Kind::Note), 5);
    assert_eq!(recorder.counts()["identified"], 0);
}

#[test]
fn large_entries_push_out_more_small_ones() {
    let recorder = Recorder::new(Capacity { bytes: 2000, ..Capacity::default() });
    notes(&recorder, 5);
    let data = Json::from(&json!("x".repeat(1800)));
    recorder.push(Event::Note { text: String::new(), data: Some(data) });
    assert_eq!(recorder.read(1, 100).entries.len(), 1);
}

#[test]
fn a_line_is_one_flat_object_with_its_bodies_inside() {
    let recorder = Recorder::default();
    recorder.push(Event::Request(Box::new(Request {
        method: "POST".into(),
        path: "/channels/1/messages".into(),
        route: "/channels/{channel.id}/messages".into(),
        bot: None,
        status: Some(200),
        us: 350,
        request: Some(Body::Json(Json::from(&json!({"content": "hi\nthere"})))),
        response: None,
        bucket: Some("ab12".into()),
        limited: None,
        fault: None,
    })));
    let line = recorder.read(1, 1).entries[0].line();
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
        let recorder = keeping(kept);
        notes(&recorder, total);
        let (mut next, mut numbers, mut dropped) = (1, Vec::new(), 0);
        loop {
            let read = recorder.read(next, page);
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
