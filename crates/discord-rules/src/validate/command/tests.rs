//! Each rule for commands at its limit and past it, and the form in which commands are shown.

use serde_json::{Value, json};

use super::*;
use crate::snowflake::Snowflake;

fn slash(options: &Value) -> Value {
    json!({ "name": "test", "description": "d", "options": options })
}

fn option(kind: u8, name: &str) -> Value {
    json!({ "type": kind, "name": name, "description": "d" })
}

/// Returns an option with more fields.
fn with(mut option: Value, fields: &Value) -> Value {
    let fields = fields.as_object().unwrap().clone();
    option.as_object_mut().unwrap().extend(fields);
    option
}

fn read_global(body: &Value) -> Definition {
    create(body, Scope::Global).unwrap_or_else(|error| panic!("{body}: {}", error.to_json()))
}

/// Returns every error of a body, as `path: CODE`.
fn complaints(error: &ApiError) -> Vec<String> {
    fn walk(node: &Value, path: &str, out: &mut Vec<String>) {
        for (key, inside) in node.as_object().unwrap() {
            if key == "_errors" {
                out.extend(
                    inside
                        .as_array()
                        .unwrap()
                        .iter()
                        .map(|e| format!("{path}: {}", e["code"].as_str().unwrap())),
                );
            } else if path.is_empty() {
                walk(inside, key, out);
            } else {
                walk(inside, &format!("{path}.{key}"), out);
            }
        }
    }
    let mut out = Vec::new();
    walk(&error.to_json()["errors"], "", &mut out);
    out
}

#[track_caller]
fn refused(body: &Value, wanted: &str) {
    let error = create(body, Scope::Global).expect_err(wanted);
    assert_eq!(complaints(&error), [wanted], "{body}");
}

#[test]
fn names_of_slash_commands_follow_discords_pattern() {
    for good in ["a", "ping", "über-cool", "a_b-c'd", "频道", "สวัสดี", "नमस्ते", "3d", &"x".repeat(32)]
    {
        read_global(&json!({ "name": good, "description": "d" }));
    }
    for (bad, code) in [
        ("", "name: BASE_TYPE_REQUIRED"),
        (&*"x".repeat(33), "name: BASE_TYPE_BAD_LENGTH"),
        ("two words", "name: STRING_TYPE_REGEX"),
        (" ping", "name: STRING_TYPE_REGEX"),
        ("।", "name: STRING_TYPE_REGEX"),
        ("a.b", "name: STRING_TYPE_REGEX"),
        ("🐸", "name: STRING_TYPE_REGEX"),
        ("Ping", "name: APPLICATION_COMMAND_INVALID_NAME"),
        ("Élan", "name: APPLICATION_COMMAND_INVALID_NAME"),
    ] {
        refused(&json!({ "name": bad, "description": "d" }), code);
    }
}

#[test]
fn menu_commands_have_free_names_and_nothing_else() {
    let user = read_global(&json!({ "name": "High Five", "type": 2 }));
    assert_eq!((user.kind, user.description.as_str()), (2, ""));
    read_global(&json!({ "name": "Report", "type": 3, "description": "", "options": [] }));
    refused(
        &json!({ "name": "Report", "type": 3, "description": "d" }),
        "description: APPLICATION_COMMAND_INVALID_DESCRIPTION",
    );
    refused(
        &json!({ "name": "Report", "type": 3, "options": [option(3, "a")] }),
        "options: APPLICATION_COMMAND_INVALID_OPTIONS",
    );
}

#[test]
fn descriptions_have_1_to_100_characters() {
    read_global(&json!({ "name": "a", "description": "d".repeat(100) }));
    refused(&json!({ "name": "a", "description": "d".repeat(101) }), "description: BASE_TYPE_BAD_LENGTH");
    refused(&json!({ "name": "a", "description": "" }), "description: BASE_TYPE_REQUIRED");
    refused(&json!({ "name": "a" }), "description: BASE_TYPE_REQUIRED");
    refused(&slash(&json!([{ "type": 3, "name": "a" }])), "options.0.description: BASE_TYPE_REQUIRED");
}

#[test]
fn entry_points_are_global_and_say_who_answers() {
    let body = json!({ "name": "launch", "type": 4, "handler": 2 });
    assert_eq!(read_global(&body).handler, Some(2));
    assert_eq!(complaints(&create(&body, Scope::Guild).unwrap_err()), ["type: ENUM_TYPE_COERCE"]);
    refused(&json!({ "name": "launch", "type": 4, "handler": 3 }), "handler: BASE_TYPE_CHOICES");
    refused(&json!({ "name": "launch", "type": 9 }), "type: ENUM_TYPE_COERCE");
    refused(&json!({ "name": "launch", "type": "CHAT_INPUT" }), "type: NUMBER_TYPE_COERCE");
}

#[test]
fn a_command_has_at_most_25_options_with_different_names() {
    let many = |n: usize| slash(&(0..n).map(|n| option(3, &format!("o{n}"))).collect());
    read_global(&many(25));
    refused(&many(26), "options: BASE_TYPE_MAX_LENGTH");
    let twice = slash(&json!([option(3, "a"), option(4, "a")]));
    let error = create(&twice, Scope::Global).unwrap_err();
    assert_eq!(complaints(&error), ["options.1: APPLICATION_COMMAND_OPTIONS_NAME_INVALID"]);
    let complaint = &error.errors().unwrap().at(&["options", "1"])[0];
    assert_eq!(complaint.message, "Option name a is already used in these options");
}

#[test]
fn translated_names_of_options_are_different_from_all_others_of_their_language() {
    let called =
        |name: &str, german: &str| with(option(3, name), &json!({ "name_localizations": { "de": german } }));
    read_global(&slash(&json!([called("a", "x"), called("b", "y"), option(3, "c")])));
    read_global(&slash(&json!([called("a", "a"), option(3, "b")])));
    let french = with(option(3, "b"), &json!({ "name_localizations": { "fr": "x" } }));
    read_global(&slash(&json!([called("a", "x"), french])));
    let of = |index: usize| {
        format!("options.{index}.name_localizations.de: APPLICATION_COMMAND_OPTIONS_NAME_INVALID")
    };
    refused(&slash(&json!([called("a", "x"), called("b", "x")])), &of(1));
    refused(&slash(&json!([called("a", "b"), option(3, "b")])), &of(0));
    refused(&slash(&json!([option(3, "b"), called("a", "b")])), &of(1));
    let inside = with(option(1, "sub"), &json!({ "options": [called("a", "x"), called("b", "x")] }));
    refused(
        &slash(&json!([inside])),
        "options.0.options.1.name_localizations.de: APPLICATION_COMMAND_OPTIONS_NAME_INVALID",
    );
}

#[test]
fn required_options_come_first() {
    let required = json!({ "required": true });
    read_global(&slash(&json!([with(option(3, "a"), &required), option(3, "b")])));
    let body = slash(&json!([option(3, "b"), with(option(3, "a"), &required)]));
    let error = create(&body, Scope::Global).unwrap_err();
    assert_eq!(
        error.to_json(),
        json!({ "code": 50035, "message": "Invalid Form Body", "errors": { "options": { "1": { "_errors": [{
            "code": "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
            "message": "Required options must be placed before non-required options",
        }] } } } })
    );
    let inside = slash(&json!([with(option(1, "sub"), &json!({ "options": body["options"] }))]));
    refused(&inside, "options.0.options.1: APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID");
}

#[test]
fn only_groups_of_subcommands_and_subcommands_nest() {
    let sub = |name: &str| with(option(1, name), &json!({ "options": [option(3, "text")] }));
    let group = |name: &str, inside: Value| with(option(2, name), &json!({ "options": inside }));
    read_global(&slash(&json!([sub("a"), group("b", json!([sub("c"), sub("d")]))])));
    refused(
        &slash(&json!([group("a", json!([group("b", json!([]))]))])),
        "options.0.options.0: UNION_TYPE_CHOICES",
    );
    refused(
        &slash(&json!([with(option(1, "a"), &json!({ "options": [sub("b")] }))])),
        "options.0.options.0: UNION_TYPE_CHOICES",
    );
    refused(&slash(&json!([group("a", json!([option(3, "b")]))])), "options.0.options.0: UNION_TYPE_CHOICES");
    refused(&slash(&json!([sub("a"), option(3, "b")])), "options: APPLICATION_COMMAND_OPTIONS_TYPE_INVALID");
    refused(&slash(&json!([option(12, "a")])), "options.0: UNION_TYPE_CHOICES");
}

#[test]
fn choices_fit_their_option_and_exclude_autocomplete() {
    let choice = |value: Value| json!({ "name": "n", "value": value });
    let of =
        |kind: u8, choices: Value| slash(&json!([with(option(kind, "a"), &json!({ "choices": choices }))]));
    read_global(&of(3, json!([choice(json!("x".repeat(100)))])));
    read_global(&of(4, json!([choice(json!(-((1_i64 << 53) - 1)))])));
    read_global(&of(10, json!([choice(json!(0.5)), choice(json!(2))])));
    read_global(&of(3, json!([choice(json!(""))])));
    // Names and values may repeat, alone and together.
    read_global(&of(3, json!(vec![choice(json!("x")); 25])));
    read_global(&of(4, json!([choice(json!(1)), choice(json!(2)), { "name": "o", "value": 1 }])));
    assert_eq!(
        read_global(&of(3, json!([{ "name": " n ", "value": " v " }]))).options[0].choices[0].name,
        "n",
        "Discord takes the white space around a name away"
    );
    for (body, wanted) in [
        (of(3, json!([choice(json!("x".repeat(101)))])), "options.0.choices.0.value: BASE_TYPE_MAX_LENGTH"),
        (of(4, json!([choice(json!("x"))])), "options.0.choices.0.value: NUMBER_TYPE_COERCE"),
        (of(4, json!([choice(json!(1.5))])), "options.0.choices.0.value: NUMBER_TYPE_COERCE"),
        (of(4, json!([choice(json!(1_i64 << 53))])), "options.0.choices.0.value: NUMBER_TYPE_MAX"),
        (of(3, json!(vec![choice(json!("x")); 26])), "options.0.choices: BASE_TYPE_MAX_LENGTH"),
        (
            of(3, json!([{ "name": "n".repeat(101), "value": "x" }])),
            "options.0.choices.0.name: BASE_TYPE_BAD_LENGTH",
        ),
        (of(3, json!([{ "name": "n" }])), "options.0.choices.0.value: BASE_TYPE_REQUIRED"),
        (of(3, json!([{ "name": " ", "value": "x" }])), "options.0.choices.0.name: BASE_TYPE_REQUIRED"),
        (of(3, json!({ "name": "n" })), "options.0.choices: LIST_TYPE_CONVERT"),
    ] {
        refused(&body, wanted);
    }
    let mut both = of(3, json!([choice(json!("x"))]));
    both["options"][0]["autocomplete"] = json!(true);
    refused(&both, "options.0.choices: APPLICATION_COMMAND_OPTIONS_CHOICES_AUTOCOMPLETE_EXCLUSIVE");
    both["options"][0]["choices"] = json!([]);
    assert!(read_global(&both).options[0].autocomplete);
}

#[test]
fn ranges_stay_within_their_limits_and_the_right_way_round() {
    let of = |kind: u8, fields: Value| slash(&json!([with(option(kind, "a"), &fields)]));
    for good in [
        of(4, json!({ "min_value": -5, "max_value": 5 })),
        of(10, json!({ "min_value": -0.5, "max_value": 0.5 })),
        of(3, json!({ "min_length": 0, "max_length": 6000 })),
        of(3, json!({ "min_length": 1, "max_length": 1 })),
    ] {
        read_global(&good);
    }
    for (bad, wanted) in [
        (of(4, json!({ "min_value": 6, "max_value": 5 })), "options.0.max_value: NUMBER_TYPE_MIN"),
        (of(4, json!({ "min_value": 0.5 })), "options.0.min_value: NUMBER_TYPE_COERCE"),
        (of(10, json!({ "max_value": 1e17 })), "options.0.max_value: NUMBER_TYPE_MAX"),
        (of(3, json!({ "min_length": 6001 })), "options.0.min_length: NUMBER_TYPE_MAX"),
        (of(3, json!({ "max_length": 0 })), "options.0.max_length: NUMBER_TYPE_MIN"),
        (of(3, json!({ "min_length": 3, "max_length": 2 })), "options.0.max_length: NUMBER_TYPE_MIN"),
        (of(7, json!({ "channel_types": [6] })), "options.0.channel_types.0: BASE_TYPE_CHOICES"),
        (
            of(7, json!({ "channel_types": [0, 0] })),
            "options.0.channel_types.1: SET_TYPE_ALREADY_CONTAINS_VALUE",
        ),
    ] {
        refused(&bad, wanted);
    }
}

#[test]
fn translations_are_of_known_locales_and_follow_the_rules_of_the_original() {
    let body =
        |key: &str, value: Value| with(json!({ "name": "a", "description": "d" }), &json!({ key: value }));
    read_global(&body("name_localizations", json!({ "de": "größe", "ja": "名前" })));
    read_global(&body("name_localizations", Value::Null));
    refused(
        &body("name_localizations", json!({ "de": "Größe" })),
        "name_localizations.de: APPLICATION_COMMAND_INVALID_NAME",
    );
    refused(&body("name_localizations", json!({ "xx": "a" })), "name_localizations.xx: BASE_TYPE_CHOICES");
    refused(&body("name_localizations", json!([])), "name_localizations: DICT_TYPE_CONVERT");
    refused(
        &body("description_localizations", json!({ "de": "d".repeat(101) })),
        "description_localizations.de: BASE_TYPE_BAD_LENGTH",
    );
}

#[test]
fn eight_thousand_characters_are_the_most_counted_by_the_longest_translation() {
    // 25 options of one choice each: names and descriptions of 132 characters, 200 for the choice.
    let option = |n: usize, description: usize| {
        with(
            option(3, &format!("{n:0>32}")),
            &json!({
                "description": "d".repeat(description),
                "choices": [{ "name": "n".repeat(100), "value": "v".repeat(80) }],
            }),
        )
    };
    let body = |last: usize| {
        let mut options: Vec<Value> = (0..24).map(|n| option(n, 100)).collect();
        options.push(option(24, last));
        json!({ "name": "n".repeat(32), "description": "d".repeat(68), "options": options })
    };
    // 32 + 68 + 24 * 312 + 212 = 7800, so the last description may be translated into 100 more than it has.
    let mut edge = body(1);
    assert_eq!(read_global(&edge).size(), 100 + 24 * 312 + 213);
    edge["options"][24]["description_localizations"] = json!({ "de": "d".repeat(100) });
    assert_eq!(read_global(&edge).size(), 7900);
    edge["options"][0]["choices"] = json!([
        { "name": "n".repeat(100), "value": "v".repeat(80) }, { "name": "n", "value": "v".repeat(99) }
    ]);
    assert_eq!(read_global(&edge).size(), 8000);
    edge["options"][0]["choices"][1]["name"] = json!("nn");
    let error = create(&edge, Scope::Global).unwrap_err();
    assert_eq!(complaints(&error), [": APPLICATION_COMMAND_TOO_LARGE"]);
    assert_eq!(error.errors().unwrap().at(&[])[0].message, "Command exceeds maximum size (8000)");
}

#[test]
fn permissions_contexts_and_installations_are_read() {
    let body = |fields: Value| with(json!({ "name": "a", "description": "d" }), &fields);
    let read = read_global(&body(
        json!({ "default_member_permissions": "32", "contexts": [2, 0], "integration_types": [1] }),
    ));
    assert_eq!(read.default_member_permissions, Some(Permissions::MANAGE_GUILD));
    assert_eq!((read.contexts, read.integration_types), (Some(vec![0, 2]), Some(vec![1])));
    assert!(!read.dm_permission);
    assert_eq!(
        read_global(&body(json!({ "default_member_permissions": 0 }))).default_member_permissions,
        Some(Permissions::NONE)
    );
    assert_eq!(
        read_global(&body(json!({ "default_permission": false }))).default_member_permissions,
        Some(Permissions::NONE)
    );
    for (fields, wanted) in [
        (json!({ "default_member_permissions": "many" }), "default_member_permissions: NUMBER_TYPE_COERCE"),
        (
            json!({ "default_member_permissions": (1_u64 << 54).to_string() }),
            "default_member_permissions: NUMBER_TYPE_MAX",
        ),
        (json!({ "contexts": [3] }), "contexts.0: BASE_TYPE_CHOICES"),
        (json!({ "contexts": [] }), "contexts: BASE_TYPE_REQUIRED"),
        (json!({ "integration_types": [0, 0] }), "integration_types.1: SET_TYPE_ALREADY_CONTAINS_VALUE"),
        (json!({ "nsfw": "no" }), "nsfw: BOOLEAN_TYPE_CONVERT"),
    ] {
        refused(&body(fields), wanted);
    }
}

#[test]
fn every_mistake_of_a_body_is_told_at_once() {
    let body = json!({ "name": "A B", "options": [
        { "type": 3, "name": "Upper", "description": "" }, { "type": 99 }, { "name": "ok", "description": "d" }, "text"
    ] });
    assert_eq!(
        complaints(&create(&body, Scope::Global).unwrap_err()),
        [
            "description: BASE_TYPE_REQUIRED",
            "name: STRING_TYPE_REGEX",
            "options.0.description: BASE_TYPE_REQUIRED",
            "options.0.name: APPLICATION_COMMAND_INVALID_NAME",
            "options.1: UNION_TYPE_CHOICES",
            "options.1.description: BASE_TYPE_REQUIRED",
            "options.1.name: BASE_TYPE_REQUIRED",
            "options.2.type: BASE_TYPE_REQUIRED",
            "options.3: MODEL_TYPE_CONVERT",
        ]
    );
}

#[test]
fn an_overwrite_takes_all_commands_or_none() {
    let one = |name: &str| json!({ "name": name, "description": "d" });
    let read = overwrite(&json!([one("a"), one("b"), { "name": "a", "type": 2 }]), Scope::Guild).unwrap();
    assert_eq!(read.iter().map(|d| d.name.as_str()).collect::<Vec<_>>(), ["a", "b", "a"]);
    let error = overwrite(&json!([one("a"), one("B"), one("a")]), Scope::Guild).unwrap_err();
    assert_eq!(
        complaints(&error),
        ["1.name: APPLICATION_COMMAND_INVALID_NAME", "2: APPLICATION_COMMANDS_DUPLICATE_NAME"]
    );
    assert!(overwrite(&json!({}), Scope::Guild).is_err());
}

#[test]
fn a_scope_holds_100_slash_commands_and_15_of_each_menu() {
    let many = |n: usize, kind: u8| {
        let name = |n: usize| json!({ "name": format!("c{n}"), "type": kind, "description": if kind == 1 { "d" } else { "" } });
        (0..n).map(name).collect::<Vec<_>>()
    };
    for (most, kind) in [(100, 1), (15, 2), (15, 3)] {
        let full = overwrite(&json!(many(most, kind)), Scope::Guild).unwrap();
        assert_eq!(overwrite(&json!(many(most + 1, kind)), Scope::Guild).unwrap_err().code(), 30032);
        let new = create(
            &json!({ "name": "new", "type": kind, "description": if kind == 1 { "d" } else { "" } }),
            Scope::Guild,
        )
        .unwrap();
        assert_eq!(
            check_room(&new, &full).unwrap_err().message(),
            format!("Maximum number of application commands reached ({most}).")
        );
        assert!(check_room(&new, &full[1..]).is_ok());
        assert!(check_room(&full[0], &full).is_ok(), "replacing a command needs no room");
    }
}

#[test]
fn an_edit_keeps_what_it_does_not_mention() {
    let before = read_global(&json!({
        "name": "a", "description": "d", "nsfw": true, "contexts": [0], "default_member_permissions": "8",
        "options": [with(option(10, "n"), &json!({ "min_value": 0.5, "choices": [{ "name": "c", "value": 1 }] }))],
    }));
    assert_eq!(edit(&before, &json!({}), Scope::Global).unwrap(), before);
    let after = edit(
        &before,
        &json!({ "description": "new", "default_member_permissions": null, "type": 2 }),
        Scope::Global,
    )
    .unwrap();
    assert_eq!((after.kind, after.description.as_str(), after.default_member_permissions), (1, "new", None));
    assert_eq!((after.nsfw, &after.options), (true, &before.options));
    assert!(edit(&before, &json!({ "options": [] }), Scope::Global).unwrap().options.is_empty());
    assert_eq!(
        complaints(&edit(&before, &json!({ "name": "" }), Scope::Global).unwrap_err()),
        ["name: BASE_TYPE_REQUIRED"]
    );
}

#[test]
fn the_same_definition_written_otherwise_is_equal() {
    let terse = read_global(&slash(&json!([option(3, "a")])));
    let wordy = read_global(&json!({
        "type": 1, "name": "test", "description": "d", "nsfw": false, "default_member_permissions": null,
        "dm_permission": true, "name_localizations": {}, "unknown": 5,
        "options": [with(option(3, "a"), &json!({ "required": false, "choices": [], "autocomplete": false }))],
    }));
    assert_eq!(terse, wordy);
    assert_ne!(terse, read_global(&slash(&json!([with(option(3, "a"), &json!({ "required": true }))]))));
}

#[test]
fn commands_are_shown_as_documented() {
    let definition = read_global(&json!({
        "name": "blep", "description": "Send a photo", "name_localizations": { "de": "blöp" },
        "options": [with(option(3, "animal"), &json!({
            "required": true, "choices": [{ "name": "Dog", "value": "dog", "name_localizations": { "de": "Hund" } }],
        }))],
    }));
    let identity =
        Identity { id: Snowflake(1), application_id: Snowflake(2), guild_id: None, version: Snowflake(3) };
    let shown = definition.to_json(&identity, ShownIn::Every);
    assert_eq!(
        shown,
        json!({
            "id": "1", "application_id": "2", "version": "3", "type": 1, "name": "blep",
            "name_localizations": { "de": "blöp" }, "description": "Send a photo", "description_localizations": null,
            "default_member_permissions": null, "dm_permission": true, "contexts": null, "integration_types": [0, 1],
            "nsfw": false,
            "options": [{
                "type": 3, "name": "animal", "name_localizations": null, "description": "d",
                "description_localizations": null, "required": true,
                "choices": [{ "name": "Dog", "name_localizations": { "de": "Hund" }, "value": "dog" }],
            }],
        })
    );
    let guild = Identity { guild_id: Some(Snowflake(9)), ..identity };
    let shown = definition.to_json(&guild, ShownIn::Locale(Some("de")));
    assert_eq!((&shown["guild_id"], &shown["name_localized"]), (&json!("9"), &json!("blöp")));
    assert_eq!(
        shown["options"][0]["choices"][0],
        json!({ "name": "Dog", "name_localized": "Hund", "value": "dog" })
    );
    for absent in
        ["dm_permission", "contexts", "integration_types", "name_localizations", "description_localized"]
    {
        assert!(shown.get(absent).is_none(), "{absent}");
    }
}

#[test]
fn what_only_global_commands_have_makes_no_difference_in_a_guild() {
    let plain = json!({ "name": "a", "description": "d" });
    let fields = json!({ "dm_permission": false, "contexts": [0], "integration_types": [1] });
    let guild = |body: &Value| create(body, Scope::Guild).unwrap();
    assert_eq!(guild(&plain), guild(&with(plain.clone(), &fields)));
    assert_ne!(read_global(&plain), read_global(&with(plain.clone(), &fields)));
}

#[test]
fn the_largest_whole_number_is_read_exactly_however_it_is_written() {
    for written in ["9007199254740991", "9007199254740991.0"] {
        let text = format!(r#"{{"type": 4, "name": "n", "description": "d", "max_value": {written}}}"#);
        let number: Value = serde_json::from_str(&text).unwrap();
        let read = read_global(&slash(&json!([number])));
        assert_eq!(serde_json::to_value(&read.options[0]).unwrap()["max_value"], 9_007_199_254_740_991_i64);
    }
}
