//! Commands as users type them, and the same options as JSON.

use serde_json::{Value, json};

use crate::snowflake::Snowflake;
use crate::typed::{Command, FileError, Found, FoundUser, Mistakes, Named, Resolver};
use crate::typed::{find, parse, parse_partial, structured, structured_partial};
use crate::validate::command::{self, Definition, Scope};

/// A guild in which every second name belongs to a member.
struct Guild;

impl Guild {
    fn id(named: Named<'_>) -> Option<Snowflake> {
        match named {
            // A shorter number by itself is read as a name.
            Named::Id(id) => (id.0 >= 1_000_000_000_000_000).then_some(id),
            Named::Name(name) => {
                (name.len() % 2 == 1).then(|| Snowflake(200_000_000_000_000_000 + name.len() as u64))
            }
        }
    }
}

impl Resolver for Guild {
    fn user(&mut self, named: Named<'_>) -> Option<FoundUser> {
        let id = Self::id(named)?;
        let member = (id.0 % 2 == 0).then(|| json!({ "roles": [] }));
        Some(FoundUser { id, user: json!({ "id": id }), member })
    }

    fn role(&mut self, named: Named<'_>) -> Option<Found> {
        Self::id(named).map(|id| Found { id, object: json!({ "id": id }) })
    }

    fn channel(&mut self, named: Named<'_>) -> Option<Found> {
        Self::id(named).map(|id| Found { id, object: json!({ "id": id, "type": id.0 % 4 }) })
    }

    fn attach(&mut self, path: &str) -> Result<Found, FileError> {
        let id = Snowflake(path.len() as u64);
        Ok(Found { id, object: json!({ "filename": path }) })
    }
}

/// Returns commands with everything that a definition may contain.
fn definitions() -> Vec<Definition> {
    let option = |kind: u8, name: &str| json!({ "type": kind, "name": name, "description": "d" });
    let mut options =
        vec![option(3, "text"), option(4, "count"), option(5, "loud"), option(6, "who"), option(7, "where")];
    options.extend([option(8, "role"), option(9, "target"), option(10, "ratio"), option(11, "file")]);
    options[0]["min_length"] = json!(2);
    options[0]["max_length"] = json!(40);
    options[0]["name_localizations"] = json!({ "de": "wörter" });
    options[1]["min_value"] = json!(-1);
    options[1]["max_value"] = json!(10);
    options[4]["channel_types"] = json!([0, 2]);
    let mut colour = option(3, "colour");
    colour["choices"] = json!([{ "name": "Dark red", "value": "r" }, { "name": "Green", "value": "Dark red",
        "name_localizations": { "de": "Grün" } }]);
    let mut size = option(10, "size");
    size["choices"] = json!([{ "name": "0.5", "value": 1.5 }, { "name": "big", "value": 2 }]);
    let mut word = option(3, "word");
    word["autocomplete"] = json!(true);
    options.extend([colour, size, word]);
    let mut name = option(3, "name");
    name["required"] = json!(true);
    let mut add = option(1, "add");
    add["options"] = json!([name, option(3, "text")]);
    let mut group = option(2, "group");
    group["options"] = json!([add, option(1, "all")]);
    let nested = json!([group, option(1, "list")]);
    [
        json!({ "name": "all", "description": "d", "options": options, "name_localizations": { "de": "alles" } }),
        json!({ "name": "tag", "description": "d", "options": nested }),
        json!({ "name": "ping", "description": "d" }),
    ]
    .iter()
    .map(|body| command::create(body, Scope::Guild).unwrap_or_else(|error| panic!("{}", error.to_json())))
    .collect()
}

/// Types a command. The first byte selects the language and whether it is finished, or given as JSON.
pub fn typed_command(bytes: &[u8]) {
    let Some((how, text)) = bytes.split_first() else { return };
    let text = String::from_utf8_lossy(text);
    let definitions = definitions();
    let locale = if how & 1 == 0 { "en-US" } else { "de" };
    let commands: Vec<_> = definitions
        .iter()
        .zip(1..)
        .map(|(definition, id)| Command { id: Snowflake(id), guild_id: None, definition, locale })
        .collect();
    let (command, rest) = match find(&text, &commands) {
        Ok(found) => found,
        Err(mistake) => return in_words(&mistake.to_string(), &text),
    };
    match how >> 1 & 3 {
        0 | 1 => check(parse(rest, command, &mut Guild), command, &text),
        2 => match parse_partial(rest, command, &mut Guild) {
            Ok(data) => assert_eq!(focused(&data["options"]), 1, "{data}"),
            Err(mistakes) => in_words(&mistakes.to_string(), &text),
        },
        _ => {
            let Ok(given) = serde_json::from_str::<Value>(rest) else { return };
            check(structured(&given, command, &mut Guild), command, &text);
            if let Ok(data) = structured_partial(&given, "word", command, &mut Guild) {
                assert_eq!(focused(&data["options"]), 1, "{data}");
            }
        }
    }
}

/// Checks the data that is sent, and that the same options as JSON have the same result.
fn check(data: Result<Value, Mistakes>, command: Command<'_>, text: &str) {
    let data = match data {
        Ok(data) => data,
        Err(mistakes) => return in_words(&mistakes.to_string(), text),
    };
    assert_eq!(data["name"], json!(command.definition.name));
    let names = values(&data["options"]);
    let options: Vec<_> = names.iter().map(|(name, _)| name).collect();
    assert!(options.iter().enumerate().all(|(at, name)| !options[..at].contains(name)), "{data}");
    let has = |name: &str| names.iter().any(|(known, value)| known == name && !value.is_null());
    let sums = names.iter().filter(|(_, value)| value.is_null()).count();
    assert_eq!(sums, 0, "{data}");
    // A file is given by its path, and a choice by its name, so their values need not be accepted.
    if has("file") || has("colour") || has("size") {
        return;
    }
    let again = structured(&data["options"], command, &mut Guild);
    match again {
        Ok(again) => assert_eq!(again["options"], data["options"], "{text}"),
        Err(mistakes) => panic!("{text}: {data}: {mistakes}"),
    }
}

/// Returns the names and values of all options except subcommands.
fn values(options: &Value) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for option in options.as_array().into_iter().flatten() {
        if matches!(option["type"].as_u64(), Some(1 | 2)) {
            found.extend(values(&option["options"]));
        } else {
            found.push((option["name"].as_str().unwrap_or_default().to_owned(), option["value"].clone()));
        }
    }
    found
}

/// Counts the options that are being typed.
fn focused(options: &Value) -> usize {
    let options = options.as_array().into_iter().flatten();
    options.map(|option| usize::from(option["focused"] == true) + focused(&option["options"])).sum()
}

fn in_words(mistakes: &str, text: &str) {
    assert!(!mistakes.trim().is_empty());
    // Each word may be quoted in a mistake of its own.
    assert!(mistakes.len() <= 4_096 + 40 * text.len(), "{} bytes about {}", mistakes.len(), text.len());
}
