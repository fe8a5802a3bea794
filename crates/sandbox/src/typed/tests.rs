//! Typing as a user: the data that is sent, and the client's messages for mistakes.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::validate::command::{self, Definition, Scope};

/// A guild with two users, a role, a text and a voice channel, and one file.
struct Guild;

impl Resolver for Guild {
    fn user(&mut self, named: Named<'_>) -> Option<FoundUser> {
        let (id, name) = match named {
            Named::Id(Snowflake(100_000_000_000_000_001)) | Named::Name("ada") => {
                (100_000_000_000_000_001, "ada")
            }
            Named::Name("Bob the Second") => (100_000_000_000_000_002, "Bob the Second"),
            _ => return None,
        };
        let member = (name == "ada").then(|| json!({ "roles": [] }));
        Some(FoundUser { id: Snowflake(id), user: json!({ "id": id.to_string(), "username": name }), member })
    }

    fn role(&mut self, named: Named<'_>) -> Option<Found> {
        let id = match named {
            Named::Id(Snowflake(100_000_000_000_000_005)) | Named::Name("mods") => 100_000_000_000_000_005,
            Named::Name("@everyone") => 7,
            _ => return None,
        };
        Some(Found { id: Snowflake(id), object: json!({ "id": id.to_string() }) })
    }

    fn channel(&mut self, named: Named<'_>) -> Option<Found> {
        let (id, kind) = match named {
            Named::Id(Snowflake(100_000_000_000_000_003)) | Named::Name("general") => {
                (100_000_000_000_000_003, 0)
            }
            Named::Name("Talk") => (100_000_000_000_000_004, 2),
            _ => return None,
        };
        Some(Found { id: Snowflake(id), object: json!({ "id": id.to_string(), "type": kind }) })
    }

    fn attach(&mut self, path: &str) -> Result<Found, FileError> {
        if path == "frog.png" {
            Ok(Found { id: Snowflake(9), object: json!({ "filename": path }) })
        } else {
            Err(FileError::Missing { path: path.to_owned() })
        }
    }
}

fn definition(body: &Value) -> Definition {
    command::create(body, Scope::Guild).unwrap_or_else(|error| panic!("{}", error.to_json()))
}

fn everything() -> Definition {
    let option = |kind: u8, name: &str| json!({ "type": kind, "name": name, "description": "d" });
    let mut options =
        vec![option(3, "text"), option(4, "count"), option(5, "loud"), option(6, "who"), option(7, "where")];
    options.extend([option(8, "role"), option(9, "target"), option(10, "ratio"), option(11, "file")]);
    options[0]["min_length"] = json!(2);
    options[0]["max_length"] = json!(40);
    options[1]["min_value"] = json!(1);
    options[1]["max_value"] = json!(10);
    options[4]["channel_types"] = json!([0, 5]);
    let mut colour = option(3, "colour");
    colour["choices"] = json!([{ "name": "Dark red", "value": "r" }, { "name": "Green", "value": "g" }]);
    options.push(colour);
    definition(&json!({ "name": "all", "description": "d", "options": options }))
}

fn run(definition: &Definition, text: &str) -> Result<Value, Mistakes> {
    let command = Command { id: Snowflake(1), guild_id: Some(Snowflake(2)), definition, locale: "en-US" };
    let (command, rest) = find(text, &[command])?;
    parse(rest, command, &mut Guild)
}

/// Returns the value of one option of `/all`.
fn value(text: &str) -> Value {
    let data = run(&everything(), text).unwrap_or_else(|mistakes| panic!("{text}: {mistakes}"));
    data["options"][0]["value"].clone()
}

/// Returns the client's message for a text for `/all`.
fn said(text: &str) -> String {
    run(&everything(), text).expect_err(text).to_string()
}

#[test]
fn a_command_without_options_is_its_name_alone() {
    let ping = definition(&json!({ "name": "ping", "description": "d" }));
    assert_eq!(
        run(&ping, "  /Ping ").unwrap(),
        json!({ "id": "1", "name": "ping", "type": 1, "guild_id": "2" })
    );
}

#[test]
fn values_run_until_the_next_option_or_are_quoted() {
    let data = run(&everything(), r#"/all text:see http://x: it: works count:3 colour:"Dark red" loud:True"#)
        .unwrap();
    assert_eq!(
        data["options"],
        json!([
            { "name": "text", "type": 3, "value": "see http://x: it: works" },
            { "name": "count", "type": 4, "value": 3 },
            { "name": "colour", "type": 3, "value": "r" },
            { "name": "loud", "type": 5, "value": true },
        ])
    );
    assert_eq!(value(r#"/all text:"count:3 is \"in\" it \\""#), r#"count:3 is "in" it \"#);
    assert_eq!(value("/all text: spaced out "), "spaced out");
}

#[test]
fn users_channels_roles_and_files_are_looked_up_and_resolved() {
    let text = "/all who:@ada where:#general role:mods target:Bob the Second file:frog.png";
    let data = run(&everything(), text).unwrap();
    let values: Vec<&Value> =
        data["options"].as_array().unwrap().iter().map(|option| &option["value"]).collect();
    assert_eq!(
        values,
        ["100000000000000001", "100000000000000003", "100000000000000005", "100000000000000002", "9"]
    );
    assert_eq!(
        data["resolved"],
        json!({
            "users": {
                "100000000000000001": { "id": "100000000000000001", "username": "ada" },
                "100000000000000002": { "id": "100000000000000002", "username": "Bob the Second" },
            },
            "members": { "100000000000000001": { "roles": [] } },
            "channels": { "100000000000000003": { "id": "100000000000000003", "type": 0 } },
            "roles": { "100000000000000005": { "id": "100000000000000005" } },
            "attachments": { "9": { "filename": "frog.png" } },
        })
    );
}

#[test]
fn mentions_and_ids_name_the_same_as_names() {
    for who in ["ada", "@ada", "<@100000000000000001>", "<@!100000000000000001>", "100000000000000001"] {
        assert_eq!(value(&format!("/all who:{who}")), "100000000000000001", "{who}");
    }
    for place in ["general", "#general", "<#100000000000000003>", "100000000000000003"] {
        assert_eq!(value(&format!("/all where:{place}")), "100000000000000003", "{place}");
    }
    for role in ["mods", "@mods", "<@&100000000000000005>"] {
        assert_eq!(value(&format!("/all role:{role}")), "100000000000000005", "{role}");
        assert_eq!(value(&format!("/all target:{role}")), "100000000000000005", "{role}");
    }
    assert_eq!(value("/all role:@everyone"), "7");
}

#[test]
fn each_mistake_is_one_sentence_that_names_the_option() {
    let table = [
        ("/all text:a", "The option \"text\" takes at least 2 characters, not 1."),
        ("/all count:11", "The option \"count\" takes no number above 10, as 11 is."),
        ("/all count:0", "The option \"count\" takes no number below 1, as 0 is."),
        ("/all count:ten", "The option \"count\" takes a whole number, not \"ten\"."),
        ("/all count:1.5", "The option \"count\" takes a whole number, not \"1.5\"."),
        (
            "/all count:3 txt:hi",
            "The option \"count\" takes a whole number, not \"3 txt:hi\"; there is no option \"txt\".",
        ),
        ("/all loud:yes", "The option \"loud\" is true or false, not \"yes\"."),
        ("/all ratio:NaN", "The option \"ratio\" takes a number, not \"NaN\"."),
        ("/all who:eve", "The option \"who\" names no user: there is no \"eve\" here."),
        ("/all role:eve", "The option \"role\" names no role: there is no \"eve\" here."),
        ("/all where:nowhere", "The option \"where\" names no channel: there is no \"nowhere\" here."),
        (
            "/all where:Talk",
            "The option \"where\" takes only text channels or announcement channels, and \"Talk\" is none.",
        ),
        ("/all target:eve", "The option \"target\" names no user or role: there is no \"eve\" here."),
        (
            "/all file:toad.png",
            "The option \"file\" needs a file: the file toad.png did not come with the request.",
        ),
        ("/all colour:Gren", "The option \"colour\" has no choice \"Gren\"; the nearest is \"Green\"."),
        (
            "/all colour:Ultraviolet",
            "The option \"colour\" has no choice \"Ultraviolet\"; choose from Dark red, Green.",
        ),
        ("/all txet:hi", "There is no option \"txet\"; the nearest is text."),
        ("/all text:ab text:cd", "The option \"text\" is given twice."),
        ("/all text:\"ab", "The value of \"text\" has an opening quote without a closing one."),
        ("/al text:ab", "There is no command /al; the nearest is /all."),
        ("all text:ab", "A command starts with a slash, as in /ping."),
        ("/", "There is no name after the slash."),
    ];
    for (text, wanted) in table {
        assert_eq!(said(text), wanted, "{text}");
    }
    // An address is a value, not the name of an option; a name that is like none is answered with all of them.
    let all = "text, count, loud, who, where, role, target, ratio, file, colour";
    assert_eq!(said("/all zzzzzz:1"), format!("There is no option \"zzzzzz\"; there are {all}."));
    let written = all.split(", ").map(|name| format!("{name}:…")).collect::<Vec<_>>().join(" or ");
    assert_eq!(
        said("/all http://radio.example/live.mp3"),
        format!("\"http://radio.example/live.mp3\" belongs to no option; write it as {written}.")
    );
    let echo = definition(&json!({ "name": "echo", "description": "d", "options": [
        { "type": 3, "name": "text", "description": "d", "required": true }
    ] }));
    assert_eq!(
        run(&echo, "/echo").unwrap_err().to_string(),
        "The option \"text\" is required: specify a value."
    );
    assert_eq!(
        run(&echo, "/echo hello there").unwrap_err().to_string(),
        "\"hello there\" belongs to no option; write it as text:….",
    );
}

#[test]
fn all_mistakes_are_told_at_once() {
    assert_eq!(said("/all text:a loud:maybe").lines().count(), 2);
}

fn nested() -> Definition {
    let sub = |name: &str| {
        json!({ "type": 1, "name": name, "description": "d", "options": [
            { "type": 6, "name": "user", "description": "d", "required": true }
        ] })
    };
    definition(&json!({ "name": "perm", "description": "d", "options": [
        { "type": 2, "name": "user", "description": "d", "options": [sub("get"), sub("edit")] },
        { "type": 1, "name": "list", "description": "d" },
    ] }))
}

#[test]
fn groups_and_subcommands_nest_as_documented() {
    let data = run(&nested(), "/perm user get user:ada").unwrap();
    assert_eq!(
        data["options"],
        json!([{ "name": "user", "type": 2, "options": [{ "name": "get", "type": 1, "options": [
            { "name": "user", "type": 6, "value": "100000000000000001" }
        ] }] }])
    );
    let data = run(&nested(), "/perm list").unwrap();
    assert_eq!(data["options"], json!([{ "name": "list", "type": 1, "options": [] }]));
    let mistake = |text| run(&nested(), text).unwrap_err().to_string();
    assert_eq!(mistake("/perm"), "This command needs one of its subcommands: user, list.");
    assert_eq!(mistake("/perm user"), "This command needs one of its subcommands: get, edit.");
    assert_eq!(mistake("/perm user gte"), "There is no subcommand gte; the nearest is get.");
    assert_eq!(mistake("/perm user https://a"), "There is no subcommand https://a; there are get, edit.");
    assert_eq!(mistake("/perm list all"), "\"all\" belongs to no option; this command takes none.");
}

#[test]
fn options_in_json_go_through_the_same_rules() {
    let definition = everything();
    let command = Command { id: Snowflake(1), guild_id: None, definition: &definition, locale: "en-US" };
    let list = json!([{ "name": "count", "value": 3 }, { "name": "who", "value": "@ada" }]);
    let map = json!({ "count": 3, "who": "@ada" });
    let data = structured(&list, command, &mut Guild).unwrap();
    assert_eq!(data, structured(&map, command, &mut Guild).unwrap());
    assert_eq!(data["options"][0]["value"], 3);
    assert!(data.get("guild_id").is_none());
    for (bad, wanted) in [
        (json!({ "count": 99 }), "The option \"count\" takes no number above 10, as 99 is."),
        (json!({ "text": 5 }), "The option \"text\" takes text, not 5."),
        (
            json!("text"),
            "Options are a list of objects with \"name\" and \"value\", or an object of names and values.",
        ),
        (
            json!([{ "value": 5 }]),
            "Options are a list of objects with \"name\" and \"value\", or an object of names and values.",
        ),
    ] {
        assert_eq!(structured(&bad, command, &mut Guild).unwrap_err().to_string(), wanted);
    }
    let nested = nested();
    let command = Command { definition: &nested, ..command };
    let given = json!([{ "name": "user", "options": [{ "name": "get", "options": [{ "name": "user", "value": "ada" }] }] }]);
    let data = structured(&given, command, &mut Guild).unwrap();
    assert_eq!(data["options"][0]["options"][0]["options"][0]["value"], "100000000000000001");
    assert_eq!(
        data,
        structured(&json!({ "user": { "get": { "user": "ada" } } }), command, &mut Guild).unwrap()
    );
}

#[test]
fn while_typing_the_last_option_is_focused_and_nothing_is_required_yet() {
    let definition = definition(&json!({ "name": "find", "description": "d", "options": [
        { "type": 4, "name": "year", "description": "d", "required": true, "autocomplete": true },
        { "type": 3, "name": "kind", "description": "d", "required": true, "autocomplete": true },
        { "type": 3, "name": "note", "description": "d" },
    ] }));
    let command = Command { id: Snowflake(1), guild_id: None, definition: &definition, locale: "en-US" };
    let data = parse_partial("year:2020 kind:fr", command, &mut Guild).unwrap();
    assert_eq!(
        data["options"],
        json!([
            { "name": "year", "type": 4, "value": 2020 },
            { "name": "kind", "type": 3, "value": "fr", "focused": true },
        ])
    );
    let data = parse_partial("year:20", command, &mut Guild).unwrap();
    assert_eq!(data["options"], json!([{ "name": "year", "type": 4, "value": "20", "focused": true }]));
    let data = parse_partial("kind:", command, &mut Guild).unwrap();
    assert_eq!(data["options"][0]["value"], "");
    let said = |text| parse_partial(text, command, &mut Guild).unwrap_err().to_string();
    assert_eq!(said("year:20x"), "The option \"year\" takes a whole number, not \"20x\".");
    assert_eq!(said("note:x"), "The option \"note\" has no autocomplete.");
    assert_eq!(said(""), "Autocomplete needs an option that is being typed, as in name:va.");
    let data =
        structured_partial(&json!({ "year": 2020, "kind": "f" }), "kind", command, &mut Guild).unwrap();
    let focused: Vec<&Value> =
        data["options"].as_array().unwrap().iter().filter(|o| o["focused"] == true).collect();
    assert_eq!(focused, [&json!({ "name": "kind", "type": 3, "value": "f", "focused": true })]);
}

#[test]
fn while_typing_other_options_are_sent_as_ids_and_values_or_not_at_all() {
    let mut option = json!({ "type": 3, "name": "find", "description": "d", "autocomplete": true });
    let mut body = json!({ "name": "all", "description": "d", "options": [option] });
    for known in everything().options {
        body["options"].as_array_mut().unwrap().push(json!(known));
    }
    option["type"] = json!(10);
    option["name"] = json!("near");
    body["options"].as_array_mut().unwrap().push(option);
    let definition = definition(&body);
    let command = Command { id: Snowflake(1), guild_id: None, definition: &definition, locale: "en-US" };
    let options = |text: &str| {
        let data = parse_partial(text, command, &mut Guild).unwrap_or_else(|error| panic!("{text}: {error}"));
        let resolved = data["resolved"].as_object().map(|all| all.keys().cloned().collect::<Vec<_>>());
        let mut options = data["options"].as_array().unwrap().clone();
        assert_eq!(options.pop().unwrap()["focused"], true, "{text}");
        (
            options.iter().map(|option| option["value"].clone()).collect::<Vec<_>>(),
            resolved.unwrap_or_default(),
        )
    };
    for who in ["ada", "@ada", "<@100000000000000001>", "100000000000000001"] {
        let (values, resolved) = options(&format!("who:{who} find:x"));
        assert_eq!((values, resolved.len()), (vec![json!("100000000000000001")], 2), "{who}");
    }
    assert_eq!(options("colour:Green find:x").0, ["g"], "a choice's value, not its name");
    // Half typed: a text is sent as it is, and what is no value of its option is not sent.
    assert_eq!(options("text:a find:x").0, ["a"]);
    for half in ["who:ad", "where:gene", "role:mo", "target:ad", "count:1x", "loud:tr", "colour:Gr", "file:f"]
    {
        assert_eq!(options(&format!("{half} find:x")), (Vec::new(), Vec::new()), "{half}");
    }
    for near in ["", "-", "1", "1.", "-1.5", "1e"] {
        assert_eq!(options(&format!("near:{near}")), (Vec::new(), Vec::new()), "{near}");
    }
    let said = parse_partial("near:x", command, &mut Guild).unwrap_err().to_string();
    assert_eq!(said, "The option \"near\" takes a number, not \"x\".");
}

#[test]
fn files_are_of_the_types_that_the_option_takes() {
    let takes = |types: Value| {
        definition(&json!({ "name": "show", "description": "d", "options": [
            { "type": 11, "name": "file", "description": "d", "file_types": types }
        ] }))
    };
    for types in [json!([]), json!(["image"]), json!([".txt", ".PNG"])] {
        assert_eq!(run(&takes(types), "/show file:frog.png").unwrap()["options"][0]["value"], "9");
    }
    let said = run(&takes(json!(["video", ".Pdf"])), "/show file:frog.png").unwrap_err().to_string();
    assert_eq!(said, "The option \"file\" takes only files of video or .pdf, and \"frog.png\" is none.");
}

/// Returns one value of each kind of option that can be typed, and the text for it.
fn typed_value() -> impl Strategy<Value = (u8, Value, String)> {
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    prop_oneof![
        "\\PC{1,30}".prop_map(move |text| (3, json!(text), quoted(&text))),
        // Without quotes, a text must not look like an option or start with a quote, and has no space around it.
        "[a-z0-9\\\\éß?!.]{1,8}( [a-z0-9\\\\éß?!.]{1,8}){0,3}".prop_map(|text| (3, json!(text), text)),
        (-(1_i64 << 53) + 1..1 << 53).prop_map(|number| (4, json!(number), number.to_string())),
        any::<bool>().prop_map(|value| (5, json!(value), value.to_string())),
        Just((6, json!("100000000000000002"), "@Bob the Second".to_owned())),
        Just((7, json!("100000000000000003"), "#general".to_owned())),
        Just((8, json!("100000000000000005"), "@mods".to_owned())),
        (-1.0e9..1.0e9).prop_map(|number| (10, json!(number), format!("{number}"))),
    ]
}

proptest! {
    #[test]
    fn what_is_written_out_is_read_back(values in proptest::collection::vec(typed_value(), 1..8), pad in " {1,3}") {
        let options: Vec<Value> = values
            .iter()
            .enumerate()
            .map(|(n, (kind, ..))| json!({ "type": kind, "name": format!("o-{n}"), "description": "d" }))
            .collect();
        let definition = definition(&json!({ "name": "c", "description": "d", "options": options }));
        let typed = values.iter().enumerate().map(|(n, (_, _, typed))| format!("o-{n}:{typed}"));
        let text = format!("/c{pad}{}", typed.collect::<Vec<_>>().join(&pad));
        let data = run(&definition, &text).map_err(|mistakes| TestCaseError::fail(format!("{text}: {mistakes}")))?;
        for (n, (kind, value, _)) in values.iter().enumerate() {
            let option = &data["options"][n];
            prop_assert_eq!(&option["name"], &json!(format!("o-{n}")));
            prop_assert_eq!(&option["type"], &json!(kind));
            prop_assert_eq!(&option["value"], value);
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,60}", rest in "(text|count|who|colour)?[: \"\\\\a-z<@#0-9>]{0,40}") {
        let _ = run(&everything(), &text);
        let _ = run(&everything(), &format!("/all {rest}"));
        let everything = everything();
        let command = Command { id: Snowflake(1), guild_id: None, definition: &everything, locale: "en-US" };
        let _ = parse_partial(&rest, command, &mut Guild);
    }
}

/// Returns a command with a translation of every name, and one of each kind without.
fn translated() -> Definition {
    definition(&json!({
        "name": "paint", "description": "d", "name_localizations": { "de": "malen", "en-GB": "decorate" },
        "options": [
            { "type": 3, "name": "color", "description": "d", "required": true,
              "name_localizations": { "de": "farbe", "en-GB": "colour" },
              "choices": [{ "name": "Red", "value": "r", "name_localizations": { "de": "Rot" } },
                          { "name": "Green", "value": "g" }] },
            { "type": 4, "name": "count", "description": "d", "name_localizations": { "de": "anzahl" } },
            { "type": 3, "name": "hint", "description": "d", "autocomplete": true,
              "name_localizations": { "de": "tipp" } },
        ],
    }))
}

fn run_in(locale: &str, text: &str) -> Result<Value, Mistakes> {
    let definition = translated();
    let command = Command { id: Snowflake(1), guild_id: None, definition: &definition, locale };
    let (command, rest) = find(text, &[command])?;
    parse(rest, command, &mut Guild)
}

#[test]
fn names_are_taken_as_the_client_shows_them_and_sent_as_they_are_registered() {
    let sent =
        json!([{ "name": "color", "type": 3, "value": "r" }, { "name": "count", "type": 4, "value": 3 }]);
    for (locale, text) in [
        ("de", "/malen farbe:Rot anzahl:3"),
        ("de", "/Malen Farbe:rot Anzahl:3"),
        ("de", "/paint color:Red count:3"),
        ("en-US", "/decorate colour:Red count:3"),
        ("en-GB", "/decorate colour:Red count:3"),
        ("fr", "/paint color:Red count:3"),
    ] {
        let data = run_in(locale, text).unwrap_or_else(|why| panic!("{locale}: {text}: {why}"));
        assert_eq!((&data["name"], &data["options"]), (&json!("paint"), &sent), "{locale}: {text}");
    }
    assert!(run_in("fr", "/malen farbe:Rot").is_err(), "no German for a French user");
}

#[test]
fn mistakes_name_things_as_the_client_shows_them() {
    for (text, said) in [
        ("/maln", "There is no command /maln; the nearest is /malen."),
        ("/malen anzahl:3", "The option \"farbe\" is required: specify a value."),
        ("/malen fabre:Rot", "There is no option \"fabre\"; the nearest is farbe."),
        ("/malen farbe:Rto", "The option \"farbe\" has no choice \"Rto\"; the nearest is \"Rot\"."),
        ("/malen farbe:Blau", "The option \"farbe\" has no choice \"Blau\"; choose from Rot, Green."),
        ("/malen farbe:Rot color:Red", "The option \"farbe\" is given twice."),
        ("/malen farbe:Rot anzahl:viele", "The option \"anzahl\" takes a whole number, not \"viele\"."),
        ("/malen hallo", "\"hallo\" belongs to no option; write it as farbe:… or anzahl:… or tipp:…."),
    ] {
        assert_eq!(run_in("de", text).unwrap_err().to_string(), said, "{text}");
    }
}

#[test]
fn options_apart_are_called_by_either_name() {
    let definition = translated();
    let command = Command { id: Snowflake(1), guild_id: None, definition: &definition, locale: "de" };
    for given in [json!({ "farbe": "Rot" }), json!([{ "name": "color", "value": "Red" }])] {
        let data = structured(&given, command, &mut Guild).unwrap();
        assert_eq!(data["options"], json!([{ "name": "color", "type": 3, "value": "r" }]));
    }
    for focused in ["tipp", "hint"] {
        let data = structured_partial(&json!({ "hint": "x" }), focused, command, &mut Guild).unwrap();
        assert_eq!(data["options"][0], json!({ "name": "hint", "type": 3, "value": "x", "focused": true }));
    }
    let data = parse_partial("farbe:Rot tipp:ab", command, &mut Guild).unwrap();
    assert_eq!(data["options"][1], json!({ "name": "hint", "type": 3, "value": "ab", "focused": true }));
}

#[test]
fn subcommands_have_translations_too() {
    let definition = definition(&json!({ "name": "poll", "description": "d", "options": [
        { "type": 2, "name": "admin", "description": "d", "name_localizations": { "de": "verwaltung" }, "options": [
            { "type": 1, "name": "close", "description": "d", "name_localizations": { "de": "schließen" } } ] } ] }));
    let command = Command { id: Snowflake(1), guild_id: None, definition: &definition, locale: "de" };
    let data = parse("verwaltung schließen", command, &mut Guild).unwrap();
    assert_eq!(
        (&data["options"][0]["name"], &data["options"][0]["options"][0]["name"]),
        (&json!("admin"), &json!("close"))
    );
    let said = parse("", command, &mut Guild).unwrap_err().to_string();
    assert_eq!(said, "This command needs one of its subcommands: verwaltung.");
}

#[test]
fn a_mistake_carries_its_cause() {
    use std::error::Error as _;

    let encoding = FileError::Encoding { path: "a".to_owned(), source: base64::DecodeError::InvalidPadding };
    let mistake = Mistake::Value { name: "file".to_owned(), source: ValueError::File(encoding) };
    assert_eq!(mistake.to_string(), "The option \"file\" needs a file: the file a is not valid base64.");
    let value = mistake.source().unwrap();
    let cause = value.source().unwrap().source().unwrap();
    assert_eq!(cause.downcast_ref(), Some(&base64::DecodeError::InvalidPadding));
}
