//! Fields of a body that nothing has read, so that none is dropped without a word.
//!
//! A [`Form`](super::Form) remembers which values it has read, but only within [`collect`]. Objects with free keys, such
//! as translations, are not objects of a form, and nothing in them counts as unread.

use std::cell::RefCell;

use serde_json::Value;

use super::form::Object;
use crate::error::Segment;

thread_local! {
    static FOUND: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Calls `f` and returns its result with the paths of fields, such as `embeds[0].colour`, that valid bodies had and that
/// nothing has read.
pub fn collect<T>(f: impl FnOnce() -> T) -> (T, Vec<String>) {
    let before = FOUND.replace(Some(Vec::new()));
    let result = f();
    (result, FOUND.replace(before).unwrap_or_default())
}

/// Reports the fields of an object that are not among these, for a body that is read without a [`Form`](super::Form).
pub fn all_but(body: &Object, known: &[&str]) {
    if is_collecting() {
        body.keys().filter(|key| !known.contains(&key.as_str())).for_each(|key| report(key));
    }
}

fn is_collecting() -> bool {
    FOUND.with_borrow(Option::is_some)
}

fn report(path: &str) {
    FOUND.with_borrow_mut(|found| found.iter_mut().for_each(|found| found.push(path.to_owned())));
}

/// Addresses of the objects and values that a form has read. A body does not move while it is read.
#[derive(Debug, Default)]
pub(super) struct Seen {
    active: bool,
    objects: Vec<usize>,
    fields: usize,
    values: Vec<usize>,
}

impl Seen {
    pub(super) fn new() -> Self {
        Self { active: is_collecting(), ..Self::default() }
    }

    pub(super) fn object(&mut self, object: &Object) {
        let address = std::ptr::from_ref(object).addr();
        if self.active && !self.objects.contains(&address) {
            self.objects.push(address);
            self.fields += object.len();
        }
    }

    pub(super) fn value(&mut self, value: &Value) {
        if self.active {
            self.values.push(std::ptr::from_ref(value).addr());
        }
    }

    /// Reports every field of the objects that were read which was not read itself.
    pub(super) fn report(mut self, body: &Value) {
        self.values.sort_unstable();
        self.values.dedup();
        if self.active && self.values.len() < self.fields {
            self.walk(body, &mut Vec::new());
        }
    }

    fn walk(&self, value: &Value, path: &mut Vec<Segment>) {
        match value {
            Value::Object(object) => {
                let read = self.objects.contains(&std::ptr::from_ref(object).addr());
                for (key, value) in object {
                    path.push(Segment::from(key.as_str()));
                    if read && self.values.binary_search(&std::ptr::from_ref(value).addr()).is_err() {
                        report(&shown(path));
                    } else {
                        self.walk(value, path);
                    }
                    path.pop();
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    path.push(Segment::from(index));
                    self.walk(item, path);
                    path.pop();
                }
            }
            _ => {}
        }
    }
}

/// Returns a path as JavaScript writes it.
fn shown(path: &[Segment]) -> String {
    let mut text = String::new();
    for segment in path {
        match segment {
            Segment::Index(index) => text += &format!("[{index}]"),
            Segment::Key(key) if text.is_empty() => text += key,
            Segment::Key(key) => {
                text.push('.');
                text += key;
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::message::{MessageOrigin, create};
    use super::*;

    fn unread(body: &Value) -> Vec<String> {
        let (read, found) = collect(|| create(body, &[], MessageOrigin::Channel));
        read.unwrap();
        found
    }

    #[test]
    fn a_field_that_nothing_reads_is_found_at_any_depth() {
        assert_eq!(unread(&json!({ "content": "a", "embeds": [{ "title": "b", "color": 1 }] })), [""; 0]);
        assert_eq!(
            unread(
                &json!({ "colour": 1, "embeds": [{ "title": "b" }, { "title": "c", "colour": { "x": 1 } }] })
            ),
            ["colour", "embeds[1].colour"]
        );
        let button = json!({ "type": 2, "style": 1, "label": "a", "custom_id": "b", "color": 3 });
        assert_eq!(
            unread(&json!({ "content": "a", "components": [{ "type": 1, "components": [button] }] })),
            ["components[0].components[0].color"]
        );
    }

    #[test]
    fn nothing_is_found_outside_or_in_a_refused_body() {
        create(&json!({ "content": "a", "b": 1 }), &[], MessageOrigin::Channel).unwrap();
        let (read, found) = collect(|| create(&json!({ "b": 1 }), &[], MessageOrigin::Channel));
        assert_eq!((read.unwrap_err().code(), found), (50006, vec!["b".to_owned()]));
        let (read, found) =
            collect(|| create(&json!({ "content": 1.5e3, "tts": 1, "b": 1 }), &[], MessageOrigin::Channel));
        assert_eq!((read.unwrap_err().code(), found), (50035, vec![]));
        let ((), found) = collect(|| all_but(json!({ "a": 1, "b": 2 }).as_object().unwrap(), &["a"]));
        assert_eq!(found, ["b"]);
    }
}
