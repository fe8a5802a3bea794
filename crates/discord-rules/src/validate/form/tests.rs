//! Fields as Discord reads them, and every error at its path.

use serde_json::json;

use super::*;

fn complaint<T: std::fmt::Debug>(read: impl FnOnce(&mut Form) -> Option<T>) -> Option<&'static str> {
    let error = Form::read(read).err()?;
    Some(error.errors()?.at(&[]).first()?.code)
}

#[test]
fn json_that_is_none_has_a_code_of_its_own() {
    assert_eq!(parse_json(b"{\"a\":").unwrap_err().code(), 50109);
    assert_eq!(parse_json(b" \n").unwrap(), json!({}));
}

#[test]
fn all_complaints_of_a_body_come_at_once() {
    let error = Form::read_object(&json!({ "a": 5, "c": [true, "x"] }), |form, body| {
        form.required(body, "a", |form, value| form.int(value, 0..=4));
        form.required(body, "b", Form::any_text);
        form.required(body, "c", |form, value| form.list(value, 0..=5, Form::boolean));
        Some(())
    });
    assert_eq!(
        error.unwrap_err().to_json()["errors"],
        json!({
            "a": { "_errors": [{
                "code": "NUMBER_TYPE_MAX", "message": "int value should be less than or equal to 4."
            }] },
            "b": { "_errors": [{ "code": "BASE_TYPE_REQUIRED", "message": "This field is required" }] },
            "c": { "1": { "_errors": [{
                "code": "BOOLEAN_TYPE_CONVERT", "message": "Must be either true or false."
            }] } },
        })
    );
}

#[test]
fn numbers_are_read_as_discord_reads_them() {
    for good in [json!(7), json!("7"), json!(7.0), json!(" 7 ")] {
        assert_eq!(Form::read(|form| form.int(&good, 0..=10)).unwrap(), 7, "{good}");
    }
    for bad in [json!(7.5), json!("x"), json!(true), json!([7]), json!("")] {
        assert_eq!(complaint(|form| form.int(&bad, 0..=10)), Some("NUMBER_TYPE_COERCE"), "{bad}");
    }
    assert_eq!(complaint(|form| form.int(&json!(-1), 0..=10)), Some("NUMBER_TYPE_MIN"));
    assert_eq!(complaint(|form| form.int(&json!(11), 0..=10)), Some("NUMBER_TYPE_MAX"));
    assert_eq!(complaint(|form| form.float(&json!("NaN"), 0.0..=10.0)), Some("NUMBER_TYPE_COERCE"));
    assert_eq!(complaint(|form| form.one_of(&json!(3), &[1, 2])), Some("BASE_TYPE_CHOICES"));
}

#[test]
fn lengths_are_counted_in_characters() {
    let text = json!("é".repeat(4));
    assert!(Form::read(|form| form.text(&text, 1..=4)).is_ok());
    assert_eq!(complaint(|form| form.text(&text, 1..=3)), Some("BASE_TYPE_BAD_LENGTH"));
    assert_eq!(complaint(|form| form.text(&text, 0..=3)), Some("BASE_TYPE_MAX_LENGTH"));
    assert_eq!(complaint(|form| form.text(&json!(""), 1..=3)), Some("BASE_TYPE_REQUIRED"));
    assert_eq!(complaint(|form| form.text(&json!({}), 1..=3)), Some("STRING_TYPE_CONVERT"));
    assert_eq!(Form::read(|form| form.trimmed(&json!("  a "), 1..=1)).unwrap(), "a");
}

#[test]
fn ids_are_read_from_text_or_number_and_not_twice() {
    assert_eq!(Form::read(|form| form.snowflake(&json!("12"))).unwrap(), Snowflake(12));
    assert_eq!(complaint(|form| form.snowflake(&json!("me"))), Some("NUMBER_TYPE_COERCE"));
    let error = Form::read(|form| form.id_set(&json!(["1", 2, "1"]), 0..=5)).unwrap_err();
    assert_eq!(error.errors().unwrap().at(&["2"])[0].code, "SET_TYPE_ALREADY_CONTAINS_VALUE");
}

#[test]
fn addresses_need_a_host_and_a_known_scheme() {
    for good in ["https://example.com", "http://a/b?c#d"] {
        assert!(Form::read(|form| form.url(&json!(good), 100, &["http", "https"])).is_ok(), "{good}");
    }
    for (bad, code) in [
        ("example.com", "URL_TYPE_INVALID_URL"),
        ("https://", "URL_TYPE_INVALID_URL"),
        ("https://a b", "URL_TYPE_INVALID_URL"),
        ("ftp://a", "URL_TYPE_INVALID_SCHEME"),
    ] {
        let read = |form: &mut Form| form.url(&json!(bad), 100, &["http", "https"]);
        assert_eq!(complaint(read), Some(code), "{bad}");
    }
}

#[test]
fn a_moment_is_text() {
    assert_eq!(complaint(|form| form.moment(&json!(5))), Some("DATE_TIME_TYPE_PARSE"));
}
