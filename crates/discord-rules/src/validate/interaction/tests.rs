//! Which answers fit which interactions, and the rules for their data.

use serde_json::{Value, json};

use super::*;
use crate::validate::component::tests::complaint;
use crate::validate::form::Change;

const COMMAND: Asked<'_> = Asked { kind: kind::APPLICATION_COMMAND, focused: None, message: None };
const TYPING: Asked<'_> = Asked { kind: kind::AUTOCOMPLETE, focused: Some(3), message: None };

/// Returns a body of this type that is valid in itself.
fn answer(kind: u8) -> Value {
    match kind {
        4 | 7 => json!({ "type": kind, "data": { "content": "c" } }),
        8 => json!({ "type": kind, "data": { "choices": [] } }),
        9 => json!({ "type": kind, "data": { "custom_id": "m", "title": "t", "components": [
            { "type": 18, "label": "l", "component": { "type": 4, "custom_id": "c", "style": 1 } }
        ] } }),
        kind => json!({ "type": kind }),
    }
}

/// Interaction, and the results of the callback types that are not refused for their type.
type Row<'a> = (&'a str, Asked<'a>, &'a [(u8, Verdict)]);

/// Result of a callback of some type.
#[derive(Debug, PartialEq)]
enum Verdict {
    /// Accepted.
    Taken,
    /// Its type does not fit the interaction (50035, `BASE_TYPE_CHOICES`).
    Type,
    /// There is no message that it could edit (10008).
    NoMessage,
}

#[test]
fn each_interaction_takes_its_own_kinds_of_answers() {
    use Verdict::{NoMessage, Taken, Type};
    const TYPES: [u8; 13] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
    let shown = EditTarget { content: true, ..EditTarget::default() };
    let asked = |kind, message| Asked { kind, focused: None, message };
    // Every pair that is not listed is refused for its type.
    let table: [Row<'_>; 7] = [
        ("a ping", asked(kind::PING, None), &[(1, Taken)]),
        (
            "a command",
            asked(kind::APPLICATION_COMMAND, None),
            &[(4, Taken), (5, Taken), (9, Taken), (10, Taken), (12, Taken)],
        ),
        (
            "a component",
            asked(kind::MESSAGE_COMPONENT, Some(&shown)),
            &[(4, Taken), (5, Taken), (6, Taken), (7, Taken), (9, Taken), (10, Taken), (12, Taken)],
        ),
        (
            "a component whose message was deleted since",
            asked(kind::MESSAGE_COMPONENT, None),
            &[(4, Taken), (5, Taken), (6, Taken), (7, NoMessage), (9, Taken), (10, Taken), (12, Taken)],
        ),
        ("an autocompletion", asked(kind::AUTOCOMPLETE, None), &[(8, Taken)]),
        (
            "a modal of a command",
            asked(kind::MODAL_SUBMIT, None),
            &[(4, Taken), (5, Taken), (6, Taken), (7, NoMessage), (10, Taken), (12, Taken)],
        ),
        (
            "a modal of a component",
            asked(kind::MODAL_SUBMIT, Some(&shown)),
            &[(4, Taken), (5, Taken), (6, Taken), (7, Taken), (10, Taken), (12, Taken)],
        ),
    ];
    for (what, asked, listed) in table {
        for kind in TYPES {
            let expected =
                listed.iter().find(|(listed, _)| *listed == kind).map_or(&Type, |(_, verdict)| verdict);
            let found = match callback(&answer(kind), &[], asked) {
                Ok(_) => Taken,
                Err(error) if error.code() == 10008 => NoMessage,
                Err(error) => {
                    assert_eq!(complaint(&error), "type: BASE_TYPE_CHOICES", "{kind} for {what}");
                    Type
                }
            };
            assert_eq!(&found, expected, "type {kind} in answer to {what}");
        }
    }
}

#[test]
fn a_type_that_does_not_fit_is_told_with_those_that_do() {
    let modal = Asked { kind: kind::MODAL_SUBMIT, focused: None, message: None };
    let error = callback(&answer(9), &[], modal).unwrap_err().to_json();
    assert_eq!(
        error["errors"]["type"]["_errors"][0]["message"],
        "Value must be one of (4, 5, 6, 7, 10, 12)."
    );
}

#[test]
fn an_answer_needs_a_type_and_most_need_data() {
    for (body, wanted) in [
        (json!({}), "type: BASE_TYPE_REQUIRED"),
        (json!({ "type": 4 }), "data: BASE_TYPE_REQUIRED"),
        (json!({ "type": 9, "data": null }), "data: BASE_TYPE_REQUIRED"),
        (json!({ "type": 4, "data": [] }), "data: MODEL_TYPE_CONVERT"),
        (json!({ "type": 4, "data": { "content": "x".repeat(2001) } }), "data.content: BASE_TYPE_MAX_LENGTH"),
        (json!({ "type": 4, "data": { "embeds": [{}] } }), "data.embeds.0.description: BASE_TYPE_REQUIRED"),
    ] {
        assert_eq!(complaint(&callback(&body, &[], COMMAND).unwrap_err()), wanted, "{body}");
    }
    assert_eq!(callback(&json!({ "type": 4, "data": {} }), &[], COMMAND).unwrap_err().code(), 50006);
}

#[test]
fn a_deferred_message_may_be_for_one_user_only() {
    let defer =
        |flags: u64| callback(&json!({ "type": 5, "data": { "flags": flags } }), &[], COMMAND).unwrap();
    assert_eq!(defer(64), Callback::DeferMessage { ephemeral: true });
    assert_eq!(defer(4), Callback::DeferMessage { ephemeral: false });
    assert_eq!(
        callback(&json!({ "type": 5 }), &[], COMMAND).unwrap(),
        Callback::DeferMessage { ephemeral: false }
    );
}

#[test]
fn an_update_edits_the_message_of_its_component() {
    let shown = EditTarget { content: true, ..EditTarget::default() };
    let asked = Asked { kind: kind::MESSAGE_COMPONENT, focused: None, message: Some(&shown) };
    let Callback::Update(edit) =
        callback(&json!({ "type": 7, "data": { "components": [] } }), &[], asked).unwrap()
    else {
        panic!("type 7 is an update")
    };
    assert_eq!((edit.content, edit.components), (Change::Keep, Change::Set(Vec::new())));
    let emptied = callback(&json!({ "type": 7, "data": { "content": "" } }), &[], asked).unwrap_err();
    assert_eq!(emptied.code(), 50006);
    assert!(callback(&json!({ "type": 7 }), &[], asked).is_ok());
    // Errors of the body come before what is missing.
    let nothing = Asked { message: None, ..asked };
    let long = json!({ "type": 7, "data": { "content": "x".repeat(2001) } });
    assert_eq!(complaint(&callback(&long, &[], nothing).unwrap_err()), "data.content: BASE_TYPE_MAX_LENGTH");
    assert_eq!(callback(&json!({ "type": 7 }), &[], nothing).unwrap_err().code(), 10008);
}

#[test]
fn suggestions_are_at_most_25_and_fit_their_option() {
    let choices = |n: usize, value: Value| json!({ "type": 8, "data": { "choices": vec![json!({ "name": "n", "value": value }); n] } });
    let Callback::Choices(read) = callback(&choices(25, json!("v")), &[], TYPING).unwrap() else {
        panic!("type 8 is a list of choices")
    };
    assert_eq!(read.len(), 25);
    let refused = |body: &Value, asked| complaint(&callback(body, &[], asked).unwrap_err());
    assert_eq!(refused(&choices(26, json!("v")), TYPING), "data.choices: BASE_TYPE_MAX_LENGTH");
    assert_eq!(
        refused(&choices(1, json!("v".repeat(101))), TYPING),
        "data.choices.0.value: BASE_TYPE_MAX_LENGTH"
    );
    let integer = Asked { focused: Some(4), ..TYPING };
    assert_eq!(refused(&choices(1, json!("v")), integer), "data.choices.0.value: NUMBER_TYPE_COERCE");
    assert!(callback(&choices(1, json!(5)), &[], integer).is_ok());
}

#[test]
fn a_modal_has_a_title_and_labelled_inputs() {
    let of = |fields: Value| {
        let mut body = answer(9);
        body["data"].as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        callback(&body, &[], COMMAND)
    };
    let input = |label: Value| json!({ "components": [{ "type": 1, "components": [{ "type": 4, "custom_id": "c", "style": 1, "label": label }] }] });
    assert!(of(json!({ "title": "t".repeat(45), "custom_id": "c".repeat(100) })).is_ok());
    assert!(of(input(json!("l"))).is_ok());
    for (fields, wanted) in [
        (json!({ "title": "t".repeat(46) }), "data.title: BASE_TYPE_BAD_LENGTH"),
        (json!({ "title": null }), "data.title: BASE_TYPE_REQUIRED"),
        (json!({ "custom_id": "c".repeat(101) }), "data.custom_id: BASE_TYPE_BAD_LENGTH"),
        (json!({ "components": [] }), "data.components: BASE_TYPE_REQUIRED"),
        (input(Value::Null), "data.components.0.components.0.label: BASE_TYPE_REQUIRED"),
    ] {
        assert_eq!(complaint(&of(fields).unwrap_err()), wanted);
    }
}
