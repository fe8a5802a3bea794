//! Numbers of components: those that an author left out are counted up, skipping those that were given.

use std::collections::HashSet;

use serde_json::{Value, json};

/// Assigns an `id` to every component that has none, in their order.
pub(super) fn fill(components: &mut [Value]) {
    let taken: HashSet<i64> = super::flatten(components).iter().filter_map(|c| c["id"].as_i64()).collect();
    let mut next = 1;
    number(components, &taken, &mut next);
}

fn number(components: &mut [Value], taken: &HashSet<i64>, next: &mut i64) {
    for component in components {
        let Some(object) = component.as_object_mut() else { continue };
        object.entry("id").or_insert_with(|| {
            while taken.contains(next) {
                *next += 1;
            }
            *next += 1;
            json!(*next - 1)
        });
        if let Some(inside) = object.get_mut("components").and_then(Value::as_array_mut) {
            number(inside, taken, next);
        }
        for key in ["accessory", "component"] {
            if let Some(inside) = object.get_mut(key) {
                number(std::slice::from_mut(inside), taken, next);
            }
        }
    }
}
