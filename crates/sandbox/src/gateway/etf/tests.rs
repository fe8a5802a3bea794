use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Error, Keys, MAX_DEPTH, decode, encode};

/// Returns any JSON whose numbers a term can have exactly.
fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-255_i64..=70_000).prop_map(Value::from),
        any::<f64>()
            .prop_filter("with a fraction", |f| f.is_finite() && f.fract() != 0.0)
            .prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 8, |inner| {
        // A field of this name has a text, and "t" has an atom, which could be `nil`.
        let key = "[a-z_ é]{1,12}".prop_filter("no id and no event", |key| key != "t" && !super::is_id(key));
        prop_oneof![
            vec(inner.clone(), 0..8).prop_map(Value::from),
            btree_map(key, inner, 0..8).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded_as_it_was(value in values()) {
        prop_assert_eq!(decode(&encode(&value), Keys::TextsAndAtoms), Ok(value));
    }

    #[test]
    fn an_id_is_an_integer_and_a_text_of_digits_is_not(id in 1_u64.., key in "(id|guild_id|a_id)") {
        let text = id.to_string();
        let sent = encode(&json!({ key.clone(): text, "content": text, "custom_id": text, "role_ids": [text] }));
        let read = decode(&sent, Keys::TextsAndAtoms).unwrap();
        prop_assert_eq!(&read[&key], &json!(id));
        prop_assert_eq!((&read["content"], &read["custom_id"]), (&json!(text), &json!(text)));
        prop_assert_eq!(&read["role_ids"], &json!([id]));
    }

    #[test]
    fn no_bytes_make_the_decoder_panic(bytes in vec(any::<u8>(), 0..200)) {
        let _ = decode(&bytes, Keys::Texts);
        let _ = decode(&[&[131][..], &bytes].concat(), Keys::TextsAndAtoms);
    }

    #[test]
    fn a_part_of_a_term_is_an_error(value in values(), share in 0.0..1.0) {
        let bytes = encode(&value);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a share")]
        let kept = (bytes.len() as f64 * share) as usize;
        prop_assert!(decode(&bytes[..kept], Keys::TextsAndAtoms).is_err());
    }
}

/// The bytes are those of the format's description and of Discord's erlpack.
#[test]
fn every_kind_has_the_bytes_of_the_format() {
    for (value, bytes) in [
        (json!(null), &b"\x83d\x00\x03nil"[..]),
        (json!(true), b"\x83d\x00\x04true"),
        (json!(255), b"\x83a\xff"),
        (json!(256), b"\x83b\x00\x00\x01\x00"),
        (json!(-1), b"\x83b\xff\xff\xff\xff"),
        (json!(4_294_967_296_u64), b"\x83n\x05\x00\x00\x00\x00\x00\x01"),
        (json!(-2_147_483_649_i64), b"\x83n\x04\x01\x01\x00\x00\x80"),
        (json!(1.5), b"\x83F\x3f\xf8\x00\x00\x00\x00\x00\x00"),
        (json!("hi"), b"\x83m\x00\x00\x00\x02hi"),
        (json!([]), b"\x83j"),
        (json!([1]), b"\x83l\x00\x00\x00\x01a\x01j"),
        (json!({ "op": 1 }), b"\x83t\x00\x00\x00\x01d\x00\x02opa\x01"),
        (json!({ "t": "READY" }), b"\x83t\x00\x00\x00\x01d\x00\x01td\x00\x05READY"),
        (
            json!({ "id": "175928847299117063" }),
            b"\x83t\x00\x00\x00\x01d\x00\x02idn\x08\x00\x07\x00\x02\xc1\x5a\x06\x71\x02",
        ),
    ] {
        assert_eq!(encode(&value), bytes, "{value}");
    }
}

#[test]
fn what_clients_encode_is_read() {
    for (bytes, value) in [
        // A shard as Erlang sends it, a float for an integer as JavaScript does, atoms in all four forms, a tuple.
        (&b"\x83k\x00\x02\x00\x02"[..], json!([0, 2])),
        (b"\x83F\x40\x80\x08\x00\x00\x00\x00\x00", json!(513)),
        (b"\x83s\x03nil", json!(null)),
        (b"\x83w\x05false", json!(false)),
        (b"\x83v\x00\x04null", json!(null)),
        (b"\x83h\x02a\x01a\x02", json!([1, 2])),
        (b"\x83t\x00\x00\x00\x01m\x00\x00\x00\x02opa\x01", json!({ "op": 1 })),
        (b"\x83t\x00\x00\x00\x01k\x00\x02opa\x01", json!({ "op": 1 })),
        (b"\x83c1.50000000000000000000e+00\0\0\0\0\0", json!(1.5)),
        (b"\x83n\x01\x00\x07", json!(7)),
    ] {
        assert_eq!(decode(bytes, Keys::Texts), Ok(value), "{bytes:?}");
    }
}

#[test]
fn what_is_wrong_is_named() {
    let deep: Vec<u8> = [131].into_iter().chain([104, 1].repeat(MAX_DEPTH + 2)).chain([97, 1]).collect();
    for (bytes, error) in [
        (&b""[..], Error::Version),
        (b"{}", Error::Version),
        (b"\x83", Error::Truncated),
        (b"\x83a\x01a", Error::Trailing),
        (b"\x83P\x00\x00\x00\x01", Error::Tag(80)),
        (b"\x83t\x00\x00\x00\x01d\x00\x02opa\x01", Error::Key),
        (b"\x83m\x00\x00\x00\x01\xff", Error::Text),
        (b"\x83m\xff\xff\xff\xffa", Error::Truncated),
        (b"\x83l\xff\xff\xff\xff", Error::Truncated),
        (b"\x83n\x09\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01", Error::Number),
        (b"\x83F\x7f\xf0\x00\x00\x00\x00\x00\x00", Error::Number),
        (&deep, Error::Depth),
    ] {
        assert_eq!(decode(bytes, Keys::Texts), Err(error), "{bytes:?}");
    }
}
