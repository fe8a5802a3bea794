//! Each rule for components at its limit and past it, in messages of both kinds and in modals.

use serde_json::{Value, json};

use super::*;
use crate::error::{ApiError, ApiResult};

fn read(value: &Value, place: Place) -> ApiResult<Vec<Value>> {
    Form::read(|form| read_all(form, value, place, &["a.png".to_owned()]))
}

/// Returns the first entry of an error, as `path: CODE`.
pub(in crate::validate) fn complaint(error: &ApiError) -> String {
    let json = error.to_json();
    let (mut node, mut path) = (&json["errors"], Vec::new());
    loop {
        let (key, inside) = node.as_object().unwrap().iter().next().unwrap();
        if key == "_errors" {
            return format!("{}: {}", path.join("."), inside[0]["code"].as_str().unwrap());
        }
        path.push(key.clone());
        node = inside;
    }
}

#[track_caller]
fn refused(value: &Value, place: Place, wanted: &str) {
    let error = read(value, place).expect_err(wanted);
    assert_eq!(complaint(&error), wanted, "{value}");
}

#[track_caller]
fn taken(value: &Value, place: Place) -> Vec<Value> {
    read(value, place).unwrap_or_else(|error| panic!("{value}: {}", error.to_json()))
}

fn button(id: &str) -> Value {
    json!({ "type": 2, "style": 1, "label": "l", "custom_id": id })
}

fn row(inside: impl serde::Serialize) -> Value {
    json!({ "type": 1, "components": inside })
}

fn buttons(n: usize) -> Value {
    row((0..n).map(|n| button(&format!("b{n}"))).collect::<Value>())
}

fn select(fields: impl serde::Serialize) -> Value {
    let mut select = json!({ "type": 3, "custom_id": "s", "options": [{ "label": "a", "value": "a" }, { "label": "b", "value": "b" }] });
    select.as_object_mut().unwrap().extend(json!(fields).as_object().unwrap().clone());
    row(json!([select]))
}

#[test]
fn a_legacy_message_has_five_rows_of_five_buttons_or_one_menu() {
    let legacy = Place::LegacyMessage;
    let rows = |n: usize| (0..n).map(|n| row(json!([button(&n.to_string())]))).collect::<Value>();
    taken(&rows(5), legacy);
    refused(&rows(6), legacy, ": BASE_TYPE_MAX_LENGTH");
    taken(&json!([buttons(5)]), legacy);
    refused(&json!([buttons(6)]), legacy, "0.components: BASE_TYPE_BAD_LENGTH");
    refused(&json!([buttons(0)]), legacy, "0.components: BASE_TYPE_REQUIRED");
    let mixed = row(json!([button("b"), select(json!({}))["components"][0]]));
    refused(&json!([mixed]), legacy, "0.components.1: COMPONENT_LAYOUT_WIDTH_EXCEEDED");
    refused(&json!([button("b")]), legacy, "0: UNION_TYPE_CHOICES");
    refused(&json!([{ "type": 10, "content": "t" }]), legacy, "0: UNION_TYPE_CHOICES");
    refused(&json!([row(json!([{ "type": 4 }]))]), legacy, "0.components.0: UNION_TYPE_CHOICES");
    refused(&json!([row(json!([buttons(1)]))]), legacy, "0.components.0: UNION_TYPE_CHOICES");
    let error = read(&json!([button("b")]), legacy).unwrap_err();
    assert_eq!(error.errors().unwrap().at(&["0"])[0].message, "Value of field \"type\" must be one of (1,).");
}

#[test]
fn each_style_of_button_has_its_own_fields() {
    let legacy = Place::LegacyMessage;
    let of = |fields: Value| {
        let mut button = json!({ "type": 2 });
        button.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        json!([row(json!([button]))])
    };
    for good in [
        json!({ "style": 4, "label": "l".repeat(80), "custom_id": "c".repeat(100) }),
        json!({ "style": 2, "emoji": { "id": "5", "name": "frog", "animated": true }, "custom_id": "c", "disabled": true }),
        json!({ "style": 5, "label": "l", "url": "https://example.com" }),
        json!({ "style": 5, "label": "l", "url": "discord://-/channels/1" }),
        json!({ "style": 6, "sku_id": "5" }),
    ] {
        taken(&of(good), legacy);
    }
    for (bad, wanted) in [
        (json!({ "style": 1, "label": "l" }), "custom_id: BUTTON_COMPONENT_CUSTOM_ID_REQUIRED"),
        (json!({ "style": 1, "label": "l".repeat(81), "custom_id": "c" }), "label: BASE_TYPE_MAX_LENGTH"),
        (
            json!({ "style": 1, "label": "l", "custom_id": "c".repeat(101) }),
            "custom_id: BASE_TYPE_BAD_LENGTH",
        ),
        (json!({ "style": 7, "label": "l", "custom_id": "c" }), "style: BASE_TYPE_CHOICES"),
        (json!({ "label": "l", "custom_id": "c" }), "style: BASE_TYPE_REQUIRED"),
        (
            json!({ "style": 1, "custom_id": "c", "emoji": { "name": "frog" } }),
            "emoji.name: BUTTON_COMPONENT_INVALID_EMOJI",
        ),
        (
            json!({ "style": 1, "custom_id": "c", "label": "l", "sku_id": "5" }),
            "sku_id: BUTTON_COMPONENT_FIELD_NOT_ALLOWED",
        ),
        (
            json!({ "style": 1, "custom_id": "c", "label": "l", "url": "https://a" }),
            "custom_id: BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE",
        ),
        (
            json!({ "style": 5, "custom_id": "c", "label": "l", "url": "https://a" }),
            "custom_id: BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE",
        ),
        (json!({ "style": 5, "label": "l" }), "url: BASE_TYPE_REQUIRED"),
        (json!({ "style": 5, "label": "l", "url": "ftp://a" }), "url: URL_TYPE_INVALID_SCHEME"),
        (
            json!({ "style": 5, "label": "l", "url": format!("https://{}", "a".repeat(505)) }),
            "url: BASE_TYPE_BAD_LENGTH",
        ),
        (json!({ "style": 6 }), "sku_id: BASE_TYPE_REQUIRED"),
        (json!({ "style": 6, "sku_id": "5", "label": "l" }), "label: BUTTON_COMPONENT_FIELD_NOT_ALLOWED"),
    ] {
        refused(&of(bad), legacy, &format!("0.components.0.{wanted}"));
    }
    refused(
        &of(json!({ "style": 1, "custom_id": "c" })),
        legacy,
        "0.components.0: BUTTON_COMPONENT_LABEL_OR_EMOJI_REQUIRED",
    );
}

#[test]
fn custom_ids_are_unique_in_a_message() {
    let twice = json!([row(json!([button("a"), button("b")])), row(json!([button("a")]))]);
    let error = read(&twice, Place::LegacyMessage).unwrap_err();
    assert_eq!(complaint(&error), "1.components.0.custom_id: COMPONENT_CUSTOM_ID_DUPLICATED");
    let complaint = &error.errors().unwrap().at(&["1", "components", "0", "custom_id"])[0];
    assert_eq!(complaint.message, "Component custom id cannot be duplicated");
}

#[test]
fn menus_of_texts_have_1_to_25_different_ones() {
    let legacy = Place::LegacyMessage;
    let many = |n: usize| (0..n).map(|n| json!({ "label": "l", "value": n.to_string() })).collect::<Value>();
    taken(
        &json!([select(
            json!({ "options": many(25), "min_values": 0, "max_values": 25, "placeholder": "p".repeat(150) })
        )]),
        legacy,
    );
    for (fields, wanted) in [
        (json!({ "options": many(26) }), "options: BASE_TYPE_BAD_LENGTH"),
        (json!({ "options": [] }), "options: BASE_TYPE_REQUIRED"),
        (
            json!({ "options": [{ "label": "l", "value": "v" }, { "label": "m", "value": "v" }] }),
            "options.1: SELECT_COMPONENT_OPTION_VALUE_DUPLICATED",
        ),
        (
            json!({ "options": [{ "label": "l".repeat(101), "value": "v" }] }),
            "options.0.label: BASE_TYPE_BAD_LENGTH",
        ),
        (
            json!({ "options": [{ "label": "l", "value": "v".repeat(101) }] }),
            "options.0.value: BASE_TYPE_BAD_LENGTH",
        ),
        (
            json!({ "options": [{ "label": "l", "value": "v", "description": "d".repeat(101) }] }),
            "options.0.description: BASE_TYPE_MAX_LENGTH",
        ),
        (
            json!({ "options": [{ "label": "l", "value": "v", "default": true }, { "label": "l", "value": "w", "default": true }] }),
            "options: SELECT_COMPONENT_TOO_MANY_DEFAULT_VALUES",
        ),
        (json!({ "placeholder": "p".repeat(151) }), "placeholder: BASE_TYPE_MAX_LENGTH"),
        (json!({ "max_values": 3 }), "options: BASE_TYPE_MIN_LENGTH"),
        (json!({ "max_values": 26 }), "max_values: NUMBER_TYPE_MAX"),
        (json!({ "max_values": 0 }), "max_values: NUMBER_TYPE_MIN"),
        (json!({ "min_values": 2 }), "min_values: NUMBER_TYPE_MAX"),
        (json!({ "min_values": -1 }), "min_values: NUMBER_TYPE_MIN"),
    ] {
        refused(&json!([select(fields)]), legacy, &format!("0.components.0.{wanted}"));
    }
}

#[test]
fn menus_that_discord_fills_take_default_values_of_their_kind() {
    let legacy = Place::LegacyMessage;
    let of = |kind: u8, defaults: Value| {
        json!([row(json!([{ "type": kind, "custom_id": "c", "default_values": defaults }]))])
    };
    for (kind, name) in [(5, "user"), (6, "role"), (8, "channel"), (7, "role"), (7, "user")] {
        taken(&of(kind, json!([{ "id": "1", "type": name }])), legacy);
    }
    refused(
        &of(5, json!([{ "id": "1", "type": "role" }])),
        legacy,
        "0.components.0.default_values.0.type: BASE_TYPE_CHOICES",
    );
    refused(
        &of(7, json!([{ "id": "x", "type": "role" }])),
        legacy,
        "0.components.0.default_values.0.id: NUMBER_TYPE_COERCE",
    );
    let two = json!([{ "id": "1", "type": "user" }, { "id": "2", "type": "user" }]);
    refused(&of(5, two), legacy, "0.components.0.default_values: SELECT_COMPONENT_TOO_MANY_DEFAULT_VALUES");
    let channels = json!([row(json!([{ "type": 8, "custom_id": "c", "channel_types": [99] }]))]);
    refused(&channels, legacy, "0.components.0.channel_types.0: BASE_TYPE_CHOICES");
}

#[test]
fn new_messages_are_made_of_containers_sections_texts_and_media() {
    let message = Place::Message;
    let text = json!({ "type": 10, "content": "t" });
    let media = json!({ "url": "https://a/b.png" });
    for good in [
        json!([text]),
        json!([{ "type": 9, "components": [text, text, text], "accessory": button("b") }]),
        json!([{ "type": 9, "components": [text], "accessory": { "type": 11, "media": media, "description": "d".repeat(1024) } }]),
        json!([{ "type": 12, "items": vec![json!({ "media": media }); 10] }]),
        json!([{ "type": 13, "file": { "url": "attachment://a.png" }, "spoiler": true }]),
        json!([{ "type": 14, "divider": false, "spacing": 2 }]),
        json!([{ "type": 17, "components": [text, buttons(5)], "accent_color": 0xff_ff_ff }]),
        json!([buttons(5)]),
    ] {
        taken(&good, message);
    }
    for (bad, wanted) in [
        (json!([{ "type": 10, "content": "" }]), "0.content: BASE_TYPE_REQUIRED"),
        (json!([{ "type": 10, "content": "t".repeat(4001) }]), "0.content: BASE_TYPE_BAD_LENGTH"),
        (json!([{ "type": 9, "components": [text] }]), "0.accessory: BASE_TYPE_REQUIRED"),
        (
            json!([{ "type": 9, "components": [text, text, text, text], "accessory": button("b") }]),
            "0.components: BASE_TYPE_BAD_LENGTH",
        ),
        (
            json!([{ "type": 9, "components": [button("b")], "accessory": button("c") }]),
            "0.components.0: UNION_TYPE_CHOICES",
        ),
        (json!([{ "type": 9, "components": [text], "accessory": text }]), "0.accessory: UNION_TYPE_CHOICES"),
        (
            json!([{ "type": 12, "items": vec![json!({ "media": media }); 11] }]),
            "0.items: BASE_TYPE_BAD_LENGTH",
        ),
        (
            json!([{ "type": 12, "items": [{ "media": { "url": "a.png" } }] }]),
            "0.items.0.media.url: URL_TYPE_INVALID_URL",
        ),
        (json!([{ "type": 13, "file": media }]), "0.file.url: URL_TYPE_INVALID_SCHEME"),
        (
            json!([{ "type": 13, "file": { "url": "attachment://b.png" } }]),
            "0.file.url: UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND",
        ),
        (json!([{ "type": 14, "spacing": 3 }]), "0.spacing: BASE_TYPE_CHOICES"),
        (
            json!([{ "type": 17, "components": [{ "type": 17, "components": [text] }] }]),
            "0.components.0: UNION_TYPE_CHOICES",
        ),
        (json!([{ "type": 17, "components": [] }]), "0.components: BASE_TYPE_REQUIRED"),
        (
            json!([{ "type": 17, "components": [text], "accent_color": 0x100_0000 }]),
            "0.accent_color: NUMBER_TYPE_MAX",
        ),
        (json!([{ "type": 18, "label": "l", "component": button("b") }]), "0: UNION_TYPE_CHOICES"),
    ] {
        refused(&bad, message, wanted);
    }
}

#[test]
fn a_message_has_at_most_forty_components_and_four_thousand_characters_of_text() {
    let message = Place::Message;
    let container =
        |n: usize| json!([{ "type": 17, "components": vec![json!({ "type": 10, "content": "t" }); n] }]);
    taken(&container(39), message);
    refused(&container(40), message, ": COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED");
    let texts = |n: usize| json!([{ "type": 10, "content": "t".repeat(2000) }, { "type": 10, "content": "t".repeat(n) }]);
    taken(&texts(2000), message);
    refused(&texts(2001), message, ": COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED");
}

#[test]
fn components_are_numbered_in_their_order_around_the_numbers_that_are_given() {
    let value = json!([
        { "type": 9, "components": [{ "type": 10, "content": "t", "id": 2 }], "accessory": button("b") },
        { "type": 10, "content": "u", "id": 0 },
    ]);
    let numbered = taken(&value, Place::Message);
    let ids: Vec<i64> =
        flatten(&numbered).iter().map(|component| component["id"].as_i64().unwrap()).collect();
    assert_eq!(ids, [1, 2, 3, 4]);
    let twice = json!([{ "type": 14, "id": 7 }, { "type": 14, "id": 7 }]);
    refused(&twice, Place::Message, "1.id: COMPONENT_ID_DUPLICATED");
}

#[test]
fn modals_take_labels_texts_and_rows_with_one_text_input() {
    let modal = Place::Modal;
    let input = |id: &str| json!({ "type": 4, "custom_id": id, "style": 1, "label": "l" });
    let label = |component: Value| json!([{ "type": 18, "label": "l", "component": component }]);
    taken(&json!([row(json!([input("a")])), { "type": 10, "content": "t" }]), modal);
    for good in [
        json!({ "type": 4, "custom_id": "c", "style": 2, "min_length": 0, "max_length": 4000, "value": "v", "placeholder": "p".repeat(100) }),
        json!({ "type": 3, "custom_id": "c", "required": false, "min_values": 0, "options": [{ "label": "a", "value": "a" }] }),
        json!({ "type": 5, "custom_id": "c" }),
        json!({ "type": 8, "custom_id": "c", "channel_types": [0] }),
        json!({ "type": 19, "custom_id": "c", "max_values": 10 }),
        json!({ "type": 21, "custom_id": "c", "options": [{ "label": "a", "value": "a" }, { "label": "b", "value": "b" }] }),
        json!({ "type": 22, "custom_id": "c", "options": [{ "label": "a", "value": "a" }] }),
        json!({ "type": 23, "custom_id": "c", "default": true }),
    ] {
        taken(&label(good), modal);
    }
    for (bad, wanted) in [
        (json!([row(json!([input("a"), input("b")]))]), "0.components.1: COMPONENT_LAYOUT_WIDTH_EXCEEDED"),
        (json!([row(json!([button("a")]))]), "0.components.0: UNION_TYPE_CHOICES"),
        (label(button("a")), "0.component: UNION_TYPE_CHOICES"),
        (json!([]), ": BASE_TYPE_REQUIRED"),
        (json!(vec![json!({ "type": 10, "content": "t" }); 6]), ": BASE_TYPE_BAD_LENGTH"),
        (
            json!([{ "type": 18, "label": "l".repeat(46), "component": input("a") }]),
            "0.label: BASE_TYPE_BAD_LENGTH",
        ),
        (
            json!([{ "type": 18, "label": "l", "description": "d".repeat(101), "component": input("a") }]),
            "0.description: BASE_TYPE_MAX_LENGTH",
        ),
        (label(json!({ "type": 4, "custom_id": "c", "style": 3 })), "0.component.style: BASE_TYPE_CHOICES"),
        (
            label(json!({ "type": 4, "custom_id": "c", "style": 1, "max_length": 4001 })),
            "0.component.max_length: NUMBER_TYPE_MAX",
        ),
        (
            label(json!({ "type": 4, "custom_id": "c", "style": 1, "min_length": 5, "max_length": 4 })),
            "0.component.max_length: NUMBER_TYPE_MIN",
        ),
        (
            label(json!({ "type": 4, "custom_id": "c", "style": 1, "placeholder": "p".repeat(101) })),
            "0.component.placeholder: BASE_TYPE_MAX_LENGTH",
        ),
        (
            label(json!({ "type": 5, "custom_id": "c", "disabled": true })),
            "0.component.disabled: SELECT_COMPONENT_DISABLED_IN_MODAL",
        ),
        (
            label(json!({ "type": 5, "custom_id": "c", "required": true, "min_values": 0 })),
            "0.component.min_values: NUMBER_TYPE_MIN",
        ),
        (
            label(json!({ "type": 19, "custom_id": "c", "max_values": 11 })),
            "0.component.max_values: NUMBER_TYPE_MAX",
        ),
        (
            label(json!({ "type": 21, "custom_id": "c", "options": [{ "label": "a", "value": "a" }] })),
            "0.component.options: BASE_TYPE_BAD_LENGTH",
        ),
        (
            label(
                json!({ "type": 22, "custom_id": "c", "max_values": 2, "options": [{ "label": "a", "value": "a" }] }),
            ),
            "0.component.max_values: NUMBER_TYPE_MAX",
        ),
    ] {
        refused(&bad, modal, wanted);
    }
}

#[test]
fn every_media_of_a_message_is_found() {
    let mut components = taken(
        &json!([
            { "type": 12, "items": [{ "media": { "url": "https://a/1" } }] },
            { "type": 17, "components": [
                { "type": 9, "components": [{ "type": 10, "content": "t" }], "accessory": { "type": 11, "media": { "url": "https://a/2" } } },
                { "type": 13, "file": { "url": "attachment://a.png" } },
            ] },
        ]),
        Place::Message,
    );
    let mut urls = Vec::new();
    each_media(&mut components, &mut |media| urls.push(media["url"].clone()));
    assert_eq!(urls, ["https://a/1", "https://a/2", "attachment://a.png"]);
}
