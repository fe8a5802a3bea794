//! Entries as lines for people, as a failed test prints them.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value;

use super::{Body, Entry, Event};
use crate::controls::escape;

/// Most characters of a body.
const BODY: usize = 400;
/// Opcodes of a heartbeat and its acknowledgement, of the gateway.
const HEARTBEATS: [u64; 2] = [1, 11];
/// The same of the voice gateway.
const VOICE_HEARTBEATS: [u64; 2] = [3, 6];

impl Entry {
    /// Returns this entry as one line without its end, with seconds since `start_us` (microseconds of Unix time); `None` for
    /// a heartbeat or a field that the sandbox does not read. Controls are escaped.
    pub fn text(&self, start_us: u64) -> Option<String> {
        let event = described(&self.event)?;
        let since = std::time::Duration::from_micros(self.at_us.saturating_sub(start_us));
        Some(escape(&format!("{:8.3} s  {event}", since.as_secs_f64())))
    }
}

fn prune(value: &mut Value) {
    match value {
        Value::Object(object) => {
            if let (Some(Value::String(name)), true) = (object.get("username"), object.contains_key("id")) {
                *value = format!("@{name}").into();
                return;
            }
            object.values_mut().for_each(prune);
            object.retain(|_, value| match value {
                Value::Null => false,
                Value::Array(list) => !list.is_empty(),
                Value::Object(object) => !object.is_empty(),
                _ => true,
            });
        }
        Value::Array(list) => list.iter_mut().for_each(prune),
        _ => {}
    }
}

fn described(event: &Event) -> Option<String> {
    Some(match event {
        Event::Request(request) => {
            let mut line = format!("{} {} ", request.method, request.path);
            answer(&mut line, request.status, request.us, [&request.request, &request.response]);
            if let Some(limit) = request.limited {
                let _ = write!(line, ", limited by {limit}");
            }
            if let Some(rule) = request.fault {
                let _ = write!(line, ", fault {rule}");
            }
            line
        }
        Event::Delivery(delivery) => {
            let mut line = format!("{} to {} ", delivery.event, delivery.url);
            answer(&mut line, delivery.status, delivery.us, [&delivery.request, &delivery.response]);
            if delivery.attempt > 1 {
                let _ = write!(line, ", attempt {}", delivery.attempt);
            }
            if let Some(failure) = &delivery.failure {
                let _ = write!(line, ", failed: {failure}");
            }
            if let Some(rule) = delivery.fault {
                let _ = write!(line, ", fault {rule}");
            }
            line
        }
        Event::Dispatch { event, data, .. } => format!("event {event} {}", short(data)),
        Event::Sent { op, .. } if HEARTBEATS.contains(&u64::from(*op)) => return None,
        Event::Sent { op, data, .. } => format!("gateway sends opcode {op} {}", short(data)),
        Event::Received { op: Some(op), .. } if HEARTBEATS.contains(op) => return None,
        Event::Received { op: Some(op), data, .. } => format!("bot sends opcode {op} {}", short(data)),
        Event::VoiceSent { op, .. } if VOICE_HEARTBEATS.contains(&u64::from(*op)) => return None,
        Event::VoiceReceived { op: Some(op), .. } if VOICE_HEARTBEATS.contains(op) => return None,
        Event::Note { text, data: None } => format!("note: {text}"),
        Event::Note { text, data: Some(data) } => format!("note: {text} {}", short(data)),
        Event::Refused { reason } => format!("refused: {reason}"),
        Event::NotImplemented { method, path, .. } => {
            format!("{method} {path} is missing in the sandbox, and was answered with 501")
        }
        // Libraries send many fields that say nothing; the sums in `/sandbox/stats` have them all.
        Event::UnreadField { .. } => return None,
        other => {
            let mut value = serde_json::to_value(other).unwrap_or_default();
            if let Some(object) = value.as_object_mut() {
                object.remove("kind");
            }
            format!("{} {}", other.kind().name(), short(&value))
        }
    })
}

/// Adds the answer to a request, and the bodies of both.
fn answer(line: &mut String, status: Option<u16>, us: u64, bodies: [&Option<Body>; 2]) {
    let status = status.map_or("no answer".to_owned(), |status| status.to_string());
    let _ = write!(line, "{status}, {} ms", us / 1000);
    for (what, body) in ["sent", "got"].into_iter().zip(bodies) {
        if let Some(body) = body {
            let _ = write!(line, ", {what} {}", short(body));
        }
    }
}

/// Returns the beginning of a value as JSON: without what is null or empty, and of accounts only their names.
fn short(value: &impl Serialize) -> String {
    let mut value = serde_json::to_value(value).unwrap_or(Value::Null);
    prune(&mut value);
    let text = value.to_string();
    match text.char_indices().nth(BODY) {
        Some((end, _)) => format!("{}... ({} bytes)", &text[..end], text.len()),
        None => text,
    }
}
