//! The gaps that clients have met: operations that are missing, fields that no route reads.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::{Value, json};

use super::Operation;
use crate::event_log::{Event, EventLog};
use crate::snowflake::Snowflake;

/// Most different fields that are remembered; later ones are not named, so that a client cannot fill the memory.
const MOST_FIELDS: usize = 1000;
/// Longest name of a field in the log, in bytes.
const LONGEST_NAME: usize = 200;

/// The gaps that clients have met. Clones share the same ones.
#[derive(Clone, Debug, Default)]
pub struct Gaps {
    shared: Arc<Mutex<Met>>,
}

#[derive(Debug, Default)]
struct Met {
    missing: BTreeMap<(&'static str, &'static str), (&'static str, u64)>,
    unread: BTreeMap<(String, String, String), u64>,
}

impl Gaps {
    /// Counts a request for an operation that is missing, and logs it.
    pub(crate) fn missing(&self, operation: &'static Operation, bot: Option<Snowflake>, log: &EventLog) {
        let Operation { method, path, name } = *operation;
        self.shared.lock().missing.entry((path, method)).or_insert((name, 0)).1 += 1;
        log.push(Event::NotImplemented { operation: name, method, path, bot });
    }

    /// Counts fields of a valid body that no route read, and logs each once.
    pub(crate) fn unread(&self, method: &str, route: &str, fields: Vec<String>, log: &EventLog) {
        let mut met = self.shared.lock();
        for field in fields {
            let field = without_indexes(&field);
            let full = met.unread.len() >= MOST_FIELDS;
            let key = (method.to_owned(), route.to_owned(), field);
            if let Some(count) = met.unread.get_mut(&key) {
                *count += 1;
            } else if !full {
                let (method, route, field) = key.clone();
                met.unread.insert(key, 1);
                log.push(Event::UnreadField { method, route, field });
            }
        }
    }

    /// Returns all gaps as JSON: `missing` operations and `unread_fields`, each with the number of `requests`.
    pub fn json(&self) -> Value {
        let met = self.shared.lock();
        let missing = met.missing.iter().map(|((path, method), (operation, requests))| {
            json!({ "operation": operation, "method": method, "path": path, "requests": requests })
        });
        let unread = met.unread.iter().map(|((method, route, field), requests)| {
            json!({ "method": method, "route": route, "field": field, "requests": requests })
        });
        json!({ "missing": missing.collect::<Vec<_>>(), "unread_fields": unread.collect::<Vec<_>>() })
    }
}

/// Returns the path of a field without the indexes in it, so that a field of all items of a list is one field.
fn without_indexes(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    for c in path.chars().take(LONGEST_NAME) {
        if !(c.is_ascii_digit() && text.ends_with('[')) {
            text.push(c);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_logged_once_and_counted_always() {
        let (gaps, log) = (Gaps::default(), EventLog::default());
        for index in [0, 7, 12] {
            gaps.unread("POST", "/a", vec![format!("embeds[{index}].colour")], &log);
        }
        assert_eq!(log.newest(), 1);
        let expected =
            json!([{ "method": "POST", "route": "/a", "field": "embeds[].colour", "requests": 3 }]);
        assert_eq!(gaps.json()["unread_fields"], expected);
        for n in 0..2 * MOST_FIELDS {
            gaps.unread("POST", "/a", vec![n.to_string()], &log);
        }
        assert_eq!(gaps.json()["unread_fields"].as_array().unwrap().len(), MOST_FIELDS);
    }
}
