//! ETF as a client has it: texts as keys, and large integers as texts, as erlpack returns them.

use sandbox::gateway::etf::{Keys, decode};
use serde_json::Value;

/// Returns a payload as erlpack packs it.
pub(crate) fn pack(value: &Value) -> Vec<u8> {
    let mut out = vec![131];
    put(&mut out, value);
    out
}

fn put(out: &mut Vec<u8>, value: &Value) {
    let length = |length: usize| u32::try_from(length).unwrap().to_be_bytes();
    let atom = |name: &str| [&[115, u8::try_from(name.len()).unwrap()], name.as_bytes()].concat();
    match value {
        Value::Null => out.extend(atom("nil")),
        Value::Bool(value) => out.extend(atom(&value.to_string())),
        Value::Number(number) => match number.as_i64().and_then(|number| i32::try_from(number).ok()) {
            Some(number) => out.extend([&[98][..], &number.to_be_bytes()].concat()),
            None => out.extend([&[70][..], &number.as_f64().unwrap().to_be_bytes()].concat()),
        },
        Value::String(text) => out.extend([&[109][..], &length(text.len()), text.as_bytes()].concat()),
        Value::Array(items) => {
            out.extend([&[108][..], &length(items.len())].concat());
            for item in items {
                put(out, item);
            }
            out.push(106);
        }
        Value::Object(fields) => {
            out.extend([&[116][..], &length(fields.len())].concat());
            for (key, value) in fields {
                put(out, &Value::from(key.as_str()));
                put(out, value);
            }
        }
    }
}

/// Returns a payload as erlpack unpacks it.
pub(crate) fn unpack(bytes: &[u8]) -> Value {
    large_as_text(decode(bytes, Keys::TextsAndAtoms).unwrap())
}

fn large_as_text(value: Value) -> Value {
    match value {
        Value::Number(number) if number.as_u64().is_some_and(|number| number > u64::from(u32::MAX)) => {
            number.to_string().into()
        }
        Value::Array(items) => items.into_iter().map(large_as_text).collect(),
        Value::Object(fields) => fields.into_iter().map(|(key, value)| (key, large_as_text(value))).collect(),
        other => other,
    }
}
