//! Each rule for messages at its limit and past it: creations, edits, bulk deletions.

use serde_json::{Value, json};

use super::*;
use crate::validate::component::tests::complaint;

fn file(index: u64, name: &str) -> Upload {
    Upload { index, filename: name.to_owned() }
}

fn taken(body: &Value) -> MessageCreate {
    create(body, &[], MessageOrigin::Channel).unwrap_or_else(|error| panic!("{body}: {}", error.to_json()))
}

#[track_caller]
fn refused(body: &Value, wanted: &str) {
    let error = create(body, &[], MessageOrigin::Channel).expect_err(wanted);
    assert_eq!(complaint(&error), wanted, "{body}");
}

#[test]
fn content_has_at_most_two_thousand_characters_without_the_space_around_it() {
    assert_eq!(
        taken(&json!({ "content": format!(" {}\n", "é".repeat(2000)) })).content.chars().count(),
        2000
    );
    let error = create(&json!({ "content": "x".repeat(2001) }), &[], MessageOrigin::Channel).unwrap_err();
    assert_eq!(
        error.to_json()["errors"],
        json!({ "content": { "_errors": [{
            "code": "BASE_TYPE_MAX_LENGTH", "message": "Must be 2000 or fewer in length."
        }] } })
    );
}

#[test]
fn a_message_with_nothing_to_see_is_refused() {
    for nothing in [
        json!({}),
        json!({ "content": "" }),
        json!({ "content": " \n" }),
        json!({ "content": null, "embeds": [], "components": [], "sticker_ids": [] }),
        json!({ "flags": 1 << 15 }),
        json!({ "message_reference": { "message_id": "1" } }),
    ] {
        assert_eq!(create(&nothing, &[], MessageOrigin::Channel).unwrap_err().code(), 50006, "{nothing}");
    }
    for something in [
        json!({ "embeds": [{ "title": "t" }] }),
        json!({ "sticker_ids": ["1"] }),
        json!({ "components": [{ "type": 1, "components": [{ "type": 2, "style": 1, "label": "l", "custom_id": "c" }] }] }),
        json!({ "poll": { "question": { "text": "?" }, "answers": [{ "poll_media": { "text": "a" } }] } }),
        json!({ "message_reference": { "type": 1, "message_id": "1", "channel_id": "2" } }),
    ] {
        taken(&something);
    }
    assert!(create(&json!({}), &[file(0, "a.png")], MessageOrigin::Channel).is_ok());
}

#[test]
fn new_components_leave_no_room_for_content_and_embeds() {
    let body = |fields: Value| {
        let mut body = json!({ "flags": 1 << 15, "components": [{ "type": 10, "content": "t" }] });
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        body
    };
    taken(&body(json!({ "content": "", "embeds": [] })));
    for (fields, key) in [
        (json!({ "content": "c" }), "content"),
        (json!({ "embeds": [{ "title": "t" }] }), "embeds"),
        (json!({ "sticker_ids": ["1"] }), "sticker_ids"),
    ] {
        refused(&body(fields), &format!("{key}: MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2"));
    }
    refused(&json!({ "components": [{ "type": 10, "content": "t" }] }), "components.0: UNION_TYPE_CHOICES");
}

#[test]
fn each_way_lets_its_own_flags_through() {
    let body = json!({ "flags": 0xffff_u64 & !flag::IS_COMPONENTS_V2,
        "attachments": [{ "id": 0, "duration_secs": 1.5, "waveform": "AA==" }] });
    let files = [Upload { index: 0, filename: "a.ogg".into() }];
    let flags = |origin| create(&body, &files, origin).unwrap().flags;
    let common = flag::SUPPRESS_EMBEDS | flag::SUPPRESS_NOTIFICATIONS;
    assert_eq!(flags(MessageOrigin::Webhook), common);
    assert_eq!(flags(MessageOrigin::Channel), common | flag::IS_VOICE_MESSAGE);
    assert_eq!(flags(MessageOrigin::Interaction), common | flag::IS_VOICE_MESSAGE | flag::EPHEMERAL);
}

#[test]
fn a_voice_message_is_one_recording_and_nothing_else() {
    let file = |index| Upload { index, filename: format!("{index}.ogg") };
    let code = |body: Value, files: &[Upload]| {
        let mut body = body;
        body["flags"] = json!(flag::IS_VOICE_MESSAGE);
        create(&body, files, MessageOrigin::Channel).map_err(|error| error.code()).err()
    };
    let info = json!([{ "id": 0, "duration_secs": 1.5, "waveform": "AA==" }]);
    assert_eq!(code(json!({ "attachments": info }), &[file(0)]), None);
    assert_eq!(code(json!({ "attachments": info, "content": "c" }), &[file(0)]), Some(50159));
    assert_eq!(code(json!({ "attachments": info }), &[file(0), file(1)]), Some(50160));
    assert_eq!(code(json!({}), &[file(0)]), Some(50161));
    let sent = EditTarget { flags: flag::IS_VOICE_MESSAGE, ..EditTarget::default() };
    assert_eq!(edit(&json!({ "content": "c" }), &[], &sent).unwrap_err().code(), 50162);
}

#[test]
fn a_nonce_is_a_number_or_a_short_text() {
    assert_eq!(taken(&json!({ "content": "c", "nonce": 5 })).nonce, Some(json!(5)));
    taken(&json!({ "content": "c", "nonce": "n".repeat(25), "enforce_nonce": true }));
    refused(&json!({ "content": "c", "nonce": "n".repeat(26) }), "nonce: NONCE_TYPE_TOO_LONG");
    refused(&json!({ "content": "c", "nonce": {} }), "nonce: NONCE_TYPE_INVALID_TYPE");
}

#[test]
fn a_reply_names_a_message_and_a_forward_its_channel_too() {
    let of = |reference: Value| json!({ "content": "c", "message_reference": reference });
    let reply =
        taken(&of(json!({ "message_id": "5", "fail_if_not_exists": false }))).message_reference.unwrap();
    assert_eq!((reply.forward, reply.message_id, reply.fail_if_not_exists), (false, Snowflake(5), false));
    refused(&of(json!({})), "message_reference.message_id: BASE_TYPE_REQUIRED");
    refused(&of(json!({ "type": 1, "message_id": "5" })), "message_reference.channel_id: BASE_TYPE_REQUIRED");
    refused(&of(json!({ "message_id": "me" })), "message_reference.message_id: NUMBER_TYPE_COERCE");
}

#[test]
fn attachments_belong_to_uploaded_files() {
    let files = [file(0, "a.png"), file(1, "b.png")];
    let of =
        |attachments: Value| create(&json!({ "attachments": attachments }), &files, MessageOrigin::Channel);
    let read = of(json!([{ "id": 1, "description": "d".repeat(1024), "filename": "c.png" }])).unwrap();
    assert_eq!(
        (read.attachments[0].id, read.attachments[0].filename.as_deref()),
        (Snowflake(1), Some("c.png"))
    );
    assert_eq!(complaint(&of(json!([{ "id": 2 }])).unwrap_err()), "attachments.0.id: ATTACHMENT_NOT_FOUND");
    let long = of(json!([{ "id": 0, "description": "d".repeat(1025) }])).unwrap_err();
    assert_eq!(complaint(&long), "attachments.0.description: BASE_TYPE_MAX_LENGTH");
    let many = |n: u64| (0..n).map(|n| file(n, "a")).collect::<Vec<_>>();
    assert!(create(&json!({}), &many(10), MessageOrigin::Channel).is_ok());
    assert_eq!(create(&json!({}), &many(11), MessageOrigin::Channel).unwrap_err().code(), 30015);
}

#[test]
fn only_webhooks_choose_their_name_and_not_discords() {
    let body = json!({ "content": "c", "username": "Frog", "avatar_url": "https://a/b.png" });
    assert_eq!(create(&body, &[], MessageOrigin::Webhook).unwrap().username.as_deref(), Some("Frog"));
    assert_eq!(taken(&body).username, None);
    for (name, wanted) in
        [("Discord Bot", "USERNAME_INVALID_CONTAINS"), (&*"n".repeat(81), "BASE_TYPE_BAD_LENGTH")]
    {
        let error =
            create(&json!({ "content": "c", "username": name }), &[], MessageOrigin::Webhook).unwrap_err();
        assert_eq!(complaint(&error), format!("username: {wanted}"));
    }
}

#[test]
fn an_edit_changes_what_it_mentions_and_must_leave_something() {
    let target = EditTarget { content: true, ..EditTarget::default() };
    let read = edit(&json!({ "embeds": [{ "title": "t" }] }), &[], &target).unwrap();
    assert_eq!(read.content, Change::Keep);
    assert_eq!(read.embeds.as_ref().map(Vec::len), Some(1));
    assert_eq!(edit(&json!({ "content": "" }), &[], &target).unwrap_err().code(), 50006);
    assert_eq!(edit(&json!({ "content": null }), &[], &target).unwrap_err().code(), 50006);
    assert!(edit(&json!({}), &[], &target).is_ok());
    let both = EditTarget { embeds: true, ..target.clone() };
    assert!(edit(&json!({ "content": null }), &[], &both).is_ok());
    let attached = EditTarget { attachments: vec![(Snowflake(7), "a.png".into())], ..EditTarget::default() };
    assert!(edit(&json!({ "attachments": [{ "id": "7" }] }), &[], &attached).is_ok());
    assert_eq!(edit(&json!({ "attachments": [] }), &[], &attached).unwrap_err().code(), 50006);
    assert_eq!(
        complaint(&edit(&json!({ "attachments": [{ "id": "8" }] }), &[], &attached).unwrap_err()),
        "attachments.0.id: ATTACHMENT_NOT_FOUND"
    );
    assert_eq!(edit(&json!({ "content": "x".repeat(2001) }), &[], &target).unwrap_err().code(), 50035);
}

#[test]
fn an_edit_sets_and_clears_suppression_but_never_takes_new_components_back() {
    let target =
        EditTarget { content: true, flags: flag::EPHEMERAL | flag::SUPPRESS_EMBEDS, ..EditTarget::default() };
    assert_eq!(edit(&json!({ "flags": 0 }), &[], &target).unwrap().flags, flag::EPHEMERAL);
    assert_eq!(edit(&json!({}), &[], &target).unwrap().flags, target.flags);
    assert_eq!(
        edit(&json!({ "flags": flag::IS_VOICE_MESSAGE }), &[], &target).unwrap().flags,
        flag::EPHEMERAL
    );
    let new = EditTarget { components: true, flags: flag::IS_COMPONENTS_V2, ..EditTarget::default() };
    assert_eq!(edit(&json!({ "flags": 0 }), &[], &new).unwrap().flags, flag::IS_COMPONENTS_V2);
    let text = json!({ "components": [{ "type": 10, "content": "t" }] });
    assert!(edit(&text, &[], &new).is_ok());
    assert_eq!(
        complaint(&edit(&json!({ "content": "c" }), &[], &new).unwrap_err()),
        "content: MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2"
    );
    let upgrade = |content: bool| {
        let mut body =
            json!({ "flags": flag::IS_COMPONENTS_V2, "components": [{ "type": 10, "content": "t" }] });
        if content {
            body["content"] = Value::Null;
        }
        edit(&body, &[], &EditTarget { content: true, ..EditTarget::default() })
    };
    assert!(upgrade(true).is_ok());
    assert!(upgrade(false).is_err(), "the old content is still there");
}

#[test]
fn a_bulk_deletion_takes_2_to_100_messages_of_the_last_14_days() {
    const NOW: u64 = 1_784_368_800_000;
    const DAY: u64 = 24 * 60 * 60 * 1000;
    let ids = |n: u64| json!({ "messages": (0..n).map(|n| (Snowflake::first_at(NOW).0 + n).to_string()).collect::<Vec<_>>() });
    assert_eq!(bulk_delete(&ids(2), NOW).unwrap().len(), 2);
    assert_eq!(bulk_delete(&ids(100), NOW).unwrap().len(), 100);
    for wrong in [0, 1, 101] {
        assert_eq!(bulk_delete(&ids(wrong), NOW).unwrap_err().code(), 50016, "{wrong}");
    }
    let old = |age: u64| json!({ "messages": [Snowflake::first_at(NOW), Snowflake::first_at(NOW - age)] });
    assert!(bulk_delete(&old(14 * DAY), NOW).is_ok());
    assert_eq!(bulk_delete(&old(14 * DAY + 1), NOW).unwrap_err().code(), 50034);
    assert_eq!(
        complaint(&bulk_delete(&json!({ "messages": ["1", "1"] }), NOW).unwrap_err()),
        "messages.1: SET_TYPE_ALREADY_CONTAINS_VALUE"
    );
    assert_eq!(bulk_delete(&json!({}), NOW).unwrap_err().code(), 50035);
}
