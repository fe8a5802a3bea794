//! JSON merge patches, with which rules change answers and events.

use serde_json::{Value, json};

/// Applies a JSON merge patch. Source: RFC 7396, section 2.
pub(crate) fn lay_over(target: &mut Value, merge: &Value) {
    let Value::Object(merge) = merge else {
        *target = merge.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let Value::Object(target) = target else { return };
    for (name, value) in merge {
        if value.is_null() {
            target.remove(name);
        } else {
            lay_over(target.entry(name).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::lay_over;

    /// The examples of RFC 7396, appendix A.
    #[test]
    fn patches_merge_as_in_the_rfc() {
        for (target, merge, merged) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a": "foo"}), json!(null), json!(null)),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ] {
            let mut target = target;
            lay_over(&mut target, &merge);
            assert_eq!(target, merged, "{merge}");
        }
    }
}
