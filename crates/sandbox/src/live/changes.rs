//! The `changes` of an audit log entry: which fields of an object differ.

use serde_json::{Value, json};

/// Returns the audit log changes between two objects, each null where there is none (Audit Log Resource, "Audit Log Change
/// Structure"). Ids and what is derived from others are left out by `skip`.
pub(super) fn changes(before: &Value, after: &Value, skip: &[&str]) -> Vec<Value> {
    let keys = |value: &Value| -> Vec<String> {
        value.as_object().map(|object| object.keys().cloned().collect()).unwrap_or_default()
    };
    let mut all = keys(before);
    all.extend(keys(after).into_iter().filter(|key| before.get(key).is_none()));
    let change = |key: String| {
        let (old, new) = (&before[key.as_str()], &after[key.as_str()]);
        (old != new).then(|| {
            let mut change = json!({ "key": key });
            for (name, value) in [("old_value", old), ("new_value", new)] {
                if !value.is_null() {
                    change[name] = value.clone();
                }
            }
            change
        })
    };
    all.into_iter().filter(|key| !skip.contains(&key.as_str())).filter_map(change).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_names_what_was_and_what_is() {
        let before = json!({ "id": "1", "name": "a", "topic": "t", "same": 1 });
        let after = json!({ "id": "1", "name": "b", "topic": null, "same": 1, "new": true });
        let expected = json!([
            { "key": "name", "old_value": "a", "new_value": "b" },
            { "key": "topic", "old_value": "t" },
            { "key": "new", "new_value": true },
        ]);
        assert_eq!(json!(changes(&before, &after, &["id"])), expected);
        let created = changes(&Value::Null, &json!({ "id": "1", "name": "a" }), &["id"]);
        assert_eq!(json!(created), json!([{ "key": "name", "new_value": "a" }]));
        assert_eq!(
            json!(changes(&json!({ "name": "a" }), &Value::Null, &[])),
            json!([{ "key": "name", "old_value": "a" }])
        );
    }
}
