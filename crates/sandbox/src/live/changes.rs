//! The `changes` of audit log entries.

use serde_json::{Value, json};

/// Returns what differs between two forms of an object in these fields, as the audit log has it. Null is no value.
pub(super) fn between(before: &Value, after: &Value, keys: &[&str]) -> Vec<Value> {
    let differs = |key: &&&str| before[**key] != after[**key];
    let change = |key: &&str| {
        let mut change = json!({ "key": key });
        for (side, value) in [("old_value", &before[*key]), ("new_value", &after[*key])] {
            if !value.is_null() {
                change[side] = value.clone();
            }
        }
        change
    };
    keys.iter().filter(differs).map(change).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_a_change_and_null_is_no_value() {
        let (before, after) =
            (json!({ "a": 1, "b": 2, "c": 3 }), json!({ "a": 1, "b": null, "c": 4, "d": 5 }));
        assert_eq!(
            between(&before, &after, &["a", "b", "c", "d"]),
            [
                json!({ "key": "b", "old_value": 2 }),
                json!({ "key": "c", "old_value": 3, "new_value": 4 }),
                json!({ "key": "d", "new_value": 5 }),
            ]
        );
    }
}
