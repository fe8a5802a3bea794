//! Preflight and the sandbox agree on every definition.
//!
//! The sandbox does not depend on this crate, so its rules are a second implementation. Here both judge the same
//! definitions: random valid ones, each of them again with one rule broken or at its limit, and every Unicode character
//! in a name.

#![allow(clippy::needless_pass_by_value, reason = "reads better where `json!` is the argument")]

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use sandbox::validate::command::{self, Scope};
use serde_json::{Map, Value, json};

use super::*;

/// Valid names of slash commands and options, in several scripts.
const NAMES: &[&str] =
    &["a", "ping", "über-cool", "a_b-c'd", "频道", "สวัสดี", "नमस्ते", "3d", "x", "ñandú", "щука"];
const LOCALES: &[&str] = &["de", "en-GB", "en-US", "es-419", "ja", "zh-TW", "ar"];

/// Creates random definitions. The same seed creates the same ones.
struct Maker(StdRng);

impl Maker {
    fn chance(&mut self, percent: u32) -> bool {
        self.0.random_range(0..100) < percent
    }

    fn words(&mut self, most: usize) -> String {
        let length = self.0.random_range(1..=most);
        let letters: Vec<char> = "abc déf 漢字 XYZ!?".chars().collect();
        let text: String = (0..length).map(|_| *letters.choose(&mut self.0).unwrap()).collect();
        // White space around a text is trimmed, which would leave some texts empty.
        if text.trim().is_empty() { "t".to_owned() } else { text }
    }

    /// Returns translations into some languages, created by `one`.
    fn translations(&mut self, mut one: impl FnMut(&mut Self, &str) -> String) -> Value {
        if self.chance(70) {
            return Value::Null;
        }
        let mut translations = Map::new();
        for locale in LOCALES {
            if self.chance(30) {
                let text = one(self, locale);
                translations.insert((*locale).to_owned(), json!(text));
            }
        }
        Value::Object(translations)
    }

    /// Returns the fields of a name that is unique among siblings, in every language, and of a description.
    fn named(&mut self, index: usize, description: usize) -> Map<String, Value> {
        let stem = NAMES.choose(&mut self.0).unwrap().chars().take(20).collect::<String>();
        let name = format!("{stem}{index}");
        let name_localizations = self.translations(|_, locale| format!("{}-{index}", locale.to_lowercase()));
        let description_localizations = self.translations(|maker, _| maker.words(description));
        let fields = json!({
            "name": name,
            "description": self.words(description),
            "name_localizations": name_localizations,
            "description_localizations": description_localizations,
        });
        fields.as_object().unwrap().clone()
    }

    fn choice(&mut self, kind: u8) -> Value {
        let value = match kind {
            3 if self.chance(20) => json!(""),
            3 => json!(self.words(20)),
            4 => json!(self.0.random_range(-9_007_199_254_740_991_i64..=9_007_199_254_740_991)),
            _ => json!(self.0.random_range(-1e6..1e6)),
        };
        // Few names, so that some occur twice.
        let name = ["one", "two", " three ", "Four!"].choose(&mut self.0).unwrap();
        json!({ "name": name, "value": value, "name_localizations": self.translations(|maker, _| maker.words(9)) })
    }

    fn parameter(&mut self, index: usize, required: bool) -> Value {
        let kind: u8 = self.0.random_range(3..=11);
        let mut option = self.named(index, 30);
        option.insert("type".into(), json!(kind));
        if required || self.chance(30) {
            option.insert("required".into(), json!(required));
        }
        match kind {
            3 if self.chance(40) => {
                let least = self.0.random_range(0..=6000);
                option.insert("min_length".into(), json!(least));
                option.insert("max_length".into(), json!(self.0.random_range(least.max(1)..=6000)));
            }
            4 | 10 if self.chance(40) => {
                let least = self.0.random_range(-1000..1000);
                option.insert("min_value".into(), json!(least));
                option.insert("max_value".into(), json!(self.0.random_range(least..2000)));
            }
            7 if self.chance(40) => {
                option.insert("channel_types".into(), json!([0, 2, 16]));
            }
            11 if self.chance(60) => {
                option.insert("file_types".into(), json!(["image", ".PDF", ".tar.gz"]));
            }
            _ => {}
        }
        if matches!(kind, 3 | 4 | 10) {
            let (listed, suggested) = (self.chance(40), self.chance(40));
            if listed {
                let choices = (0..self.0.random_range(0..5)).map(|_| self.choice(kind)).collect::<Vec<_>>();
                option.insert("choices".into(), json!(choices));
            } else if suggested {
                option.insert("autocomplete".into(), json!(true));
            }
        }
        Value::Object(option)
    }

    fn parameters(&mut self) -> Value {
        let count = self.0.random_range(0..6);
        let required = self.0.random_range(0..=count);
        (0..count).map(|index| self.parameter(index, index < required)).collect()
    }

    fn subcommand(&mut self, index: usize) -> Value {
        let mut option = self.named(index, 30);
        option.insert("type".into(), json!(1));
        option.insert("options".into(), self.parameters());
        Value::Object(option)
    }

    /// Returns a definition that Discord accepts.
    fn definition(&mut self) -> Value {
        let mut body = self.named(0, 100);
        let kind = if self.chance(80) { 1 } else { self.0.random_range(2..=3) };
        body.insert("type".into(), json!(kind));
        if kind == 1 {
            let options = if self.chance(70) {
                self.parameters()
            } else {
                let group = |maker: &mut Self, index| {
                    let mut option = maker.named(index, 30);
                    option.insert("type".into(), json!(2));
                    option.insert("options".into(), (0..2).map(|index| maker.subcommand(index)).collect());
                    Value::Object(option)
                };
                (0..3).map(|i| if self.chance(50) { self.subcommand(i) } else { group(self, i) }).collect()
            };
            body.insert("options".into(), options);
        } else {
            body.insert("name".into(), json!(self.words(32).trim()));
            body.insert("name_localizations".into(), json!({ "de": " Mit Leerraum " }));
            for field in ["description", "description_localizations"] {
                body.remove(field);
            }
            if self.chance(30) {
                body.insert("description".into(), json!(""));
            }
        }
        for (field, value) in [
            ("default_member_permissions", json!("18014398509481983")),
            ("nsfw", json!(true)),
            ("dm_permission", json!(false)),
            ("contexts", json!([2, 0])),
            ("integration_types", json!([1])),
        ] {
            if self.chance(30) {
                body.insert(field.to_owned(), value);
            }
        }
        Value::Object(body)
    }
}

/// Returns a slash command with these options, to which rules can be applied one by one.
fn slash(options: Value) -> Value {
    json!({ "type": 1, "name": "c", "description": "d", "options": options })
}

fn option(kind: u8, fields: Value) -> Value {
    let mut option = json!({ "type": kind, "name": "o", "description": "d" });
    option.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    option
}

fn with(mut body: Value, fields: Value) -> Value {
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    body
}

/// Every rule at its limit and beyond: the subject, the definition, and whether Discord accepts it.
fn rules() -> Vec<(&'static str, Value, bool)> {
    let named = |name: &str| json!({ "type": 1, "name": name, "description": "d" });
    let menu = |fields: Value| with(json!({ "type": 2, "name": "High Five" }), fields);
    let one = |kind: u8, fields: Value| slash(json!([option(kind, fields)]));
    let many =
        |count: usize| (0..count).map(|i| option(3, json!({ "name": format!("o{i}") }))).collect::<Value>();
    let choices = |count: usize| vec![json!({ "name": "n", "value": "v" }); count];
    let choice = |kind: u8, value: Value| one(kind, json!({ "choices": [{ "name": "n", "value": value }] }));
    let sub = |name: &str, inside: Value| option(1, json!({ "name": name, "options": inside }));
    let group = |name: &str, inside: Value| option(2, json!({ "name": name, "options": inside }));
    let locales = |field: &str, texts: Value| with(named("c"), json!({ field: texts }));
    let german =
        |name: &str, german: &str| option(3, json!({ "name": name, "name_localizations": { "de": german } }));
    let sized = |last: usize| {
        let full = |i: usize, length: usize| {
            option(
                3,
                json!({ "name": format!("{i:0>32}"), "description": "d".repeat(100), "choices": [
                { "name": "n".repeat(100), "value": "v".repeat(length) } ] }),
            )
        };
        let options = (0..24).map(|i| full(i, 84)).chain([full(24, last)]).collect::<Vec<_>>();
        with(slash(json!(options)), json!({ "name": "n".repeat(32), "description": "d".repeat(68) }))
    };
    vec![
        ("name", named(&"x".repeat(32)), true),
        ("name", named(&"x".repeat(33)), false),
        ("name", named(""), false),
        ("name", named(" ping"), false),
        ("name", named("ping "), false),
        ("name", named("two words"), false),
        ("name", named("a.b"), false),
        ("name", named("🐸"), false),
        ("name", named("Ping"), false),
        ("name", named("Élan"), false),
        ("name", named("ß"), true),
        ("description", json!({ "type": 1, "name": "c" }), false),
        ("description", with(named("c"), json!({ "description": "" })), false),
        ("description", with(named("c"), json!({ "description": " \n" })), false),
        ("description", with(named("c"), json!({ "description": format!(" {} ", "d".repeat(100)) })), true),
        ("description", with(named("c"), json!({ "description": "d".repeat(101) })), false),
        ("menu", menu(json!({})), true),
        ("menu", menu(json!({ "name": format!(" {} ", "n".repeat(32)) })), true),
        ("menu", menu(json!({ "name": "n".repeat(33) })), false),
        ("menu", menu(json!({ "name": "  " })), false),
        ("menu", menu(json!({ "type": 3, "name": "Quote 🐸!" })), true),
        ("menu", menu(json!({ "description": "" , "options": [] })), true),
        ("menu", menu(json!({ "description": "d" })), false),
        ("menu", menu(json!({ "options": [option(3, json!({}))] })), false),
        ("menu", menu(json!({ "name_localizations": { "de": "Hoch Fünf" } })), true),
        ("menu", menu(json!({ "name_localizations": { "de": "n".repeat(33) } })), false),
        ("option", one(3, json!({ "name": "two words" })), false),
        ("option", one(3, json!({ "name": "Upper" })), false),
        ("option", one(3, json!({ "name": "n".repeat(33) })), false),
        ("option", one(3, json!({ "description": "" })), false),
        ("option", one(3, json!({ "description": null })), false),
        ("option", one(0, json!({})), false),
        ("option", one(12, json!({})), false),
        ("option", slash(json!([null])), false),
        ("option", slash(json!({ "type": 3 })), false),
        ("option", one(3, json!({ "required": "yes" })), false),
        ("count", slash(many(25)), true),
        ("count", slash(many(26)), false),
        ("count", slash(json!([sub("s", many(25))])), true),
        ("count", slash(json!([sub("s", many(26))])), false),
        ("different", slash(json!([option(3, json!({})), option(4, json!({}))])), false),
        ("different", slash(json!([sub("a", many(2)), sub("b", many(2))])), true),
        ("different", slash(json!([german("a", "x"), german("b", "y")])), true),
        ("different", slash(json!([german("a", "a"), german("b", "b")])), true),
        ("different", slash(json!([german("a", "x"), german("b", "x")])), false),
        ("different", slash(json!([german("a", "b"), german("b", "c")])), false),
        ("different", slash(json!([sub("s", json!([german("a", "x"), german("b", "x")]))])), false),
        (
            "order",
            slash(json!([option(3, json!({ "required": true })), option(3, json!({ "name": "p" }))])),
            true,
        ),
        (
            "order",
            slash(json!([option(3, json!({})), option(3, json!({ "name": "p", "required": true }))])),
            false,
        ),
        (
            "order",
            slash(json!([sub(
                "s",
                json!([option(3, json!({})), option(3, json!({ "name": "p", "required": true }))])
            )])),
            false,
        ),
        ("nesting", slash(json!([group("g", json!([sub("a", many(1))])), sub("b", json!([]))])), true),
        ("nesting", slash(json!([group("g", json!([]))])), true),
        ("nesting", slash(json!([group("g", json!([group("h", json!([]))]))])), false),
        ("nesting", slash(json!([group("g", many(1))])), false),
        ("nesting", slash(json!([sub("a", json!([sub("b", json!([]))]))])), false),
        ("nesting", slash(json!([sub("a", json!([group("b", json!([]))]))])), false),
        ("nesting", slash(json!([sub("a", json!([])), option(3, json!({}))])), false),
        ("choices", one(3, json!({ "choices": choices(25) })), true),
        ("choices", one(3, json!({ "choices": choices(26) })), false),
        ("choices", one(3, json!({ "choices": choices(1), "autocomplete": true })), false),
        ("choices", one(3, json!({ "choices": [], "autocomplete": true })), true),
        ("choices", one(3, json!({ "autocomplete": "yes" })), false),
        ("choices", one(3, json!({ "choices": { "name": "n", "value": "v" } })), false),
        ("choices", one(3, json!({ "choices": [null] })), false),
        // Ignored for kinds that have no choices.
        ("choices", one(5, json!({ "choices": choices(26), "autocomplete": 5, "min_value": "x" })), true),
        ("choice name", one(3, json!({ "choices": [{ "name": "", "value": "v" }] })), false),
        ("choice name", one(3, json!({ "choices": [{ "name": "  ", "value": "v" }] })), false),
        ("choice name", one(3, json!({ "choices": [{ "name": "n".repeat(100), "value": "v" }] })), true),
        ("choice name", one(3, json!({ "choices": [{ "name": "n".repeat(101), "value": "v" }] })), false),
        (
            "choice name",
            one(
                3,
                json!({ "choices": [{ "name": "n", "value": "v", "name_localizations": { "de": "n".repeat(101) } }] }),
            ),
            false,
        ),
        (
            "choices of one name and one value",
            one(
                4,
                json!({ "choices": [
                { "name": "n", "value": 1 }, { "name": "n", "value": 2 }, { "name": "m", "value": 1 }, { "name": "n", "value": 1 },
            ] }),
            ),
            true,
        ),
        ("choice value", choice(3, json!("")), true),
        ("choice value", choice(3, json!("v".repeat(100))), true),
        ("choice value", choice(3, json!("v".repeat(101))), false),
        ("choice value", choice(3, Value::Null), false),
        ("choice value", choice(3, json!(true)), false),
        ("choice value", choice(4, json!(9_007_199_254_740_991_i64)), true),
        ("choice value", choice(4, json!(9_007_199_254_740_992_i64)), false),
        ("choice value", choice(4, json!(2.0)), true),
        ("choice value", choice(4, json!(2.5)), false),
        ("choice value", choice(4, json!("v")), false),
        ("choice value", choice(10, json!(2.5)), true),
        ("choice value", choice(10, json!(-9_007_199_254_740_992.0)), true),
        ("choice value", choice(10, json!(1e16)), false),
        ("choice value", choice(10, json!("v")), false),
        ("limits", one(3, json!({ "min_length": 0, "max_length": 6000 })), true),
        ("limits", one(3, json!({ "min_length": 5, "max_length": 5 })), true),
        ("limits", one(3, json!({ "min_length": 6, "max_length": 5 })), false),
        ("limits", one(3, json!({ "min_length": 6001 })), false),
        ("limits", one(3, json!({ "min_length": -1 })), false),
        ("limits", one(3, json!({ "max_length": 0 })), false),
        ("limits", one(3, json!({ "max_length": 6001 })), false),
        ("limits", one(3, json!({ "max_length": 1.5 })), false),
        ("limits", one(4, json!({ "min_value": -5.0, "max_value": 5 })), true),
        ("limits", one(4, json!({ "min_value": 6, "max_value": 5 })), false),
        ("limits", one(4, json!({ "min_value": 0.5 })), false),
        ("limits", one(4, json!({ "max_value": 9_007_199_254_740_992_i64 })), false),
        ("limits", one(10, json!({ "min_value": -0.5, "max_value": 0.5 })), true),
        ("limits", one(10, json!({ "min_value": 0.5, "max_value": -0.5 })), false),
        ("limits", one(10, json!({ "max_value": 1e17 })), false),
        ("limits", one(10, json!({ "max_value": "much" })), false),
        (
            "channel types",
            one(7, json!({ "channel_types": [0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15, 16] })),
            true,
        ),
        ("channel types", one(7, json!({ "channel_types": [] })), true),
        ("channel types", one(7, json!({ "channel_types": [6] })), false),
        ("channel types", one(7, json!({ "channel_types": [0, 0] })), false),
        ("channel types", one(6, json!({ "channel_types": [6] })), true),
        ("file types", one(11, json!({ "file_types": ["image", "video", "audio", ".pdf", ".PDF"] })), true),
        ("file types", one(11, json!({ "file_types": [] })), true),
        ("file types", one(11, json!({ "file_types": null })), true),
        ("file types", one(11, json!({ "file_types": vec![".pdf"; 10] })), true),
        ("file types", one(11, json!({ "file_types": vec![".pdf"; 11] })), false),
        ("file types", one(11, json!({ "file_types": ["pdf"] })), false),
        ("file types", one(11, json!({ "file_types": ["Image"] })), false),
        ("file types", one(11, json!({ "file_types": ["."] })), false),
        ("file types", one(11, json!({ "file_types": [". pdf"] })), false),
        ("file types", one(11, json!({ "file_types": [null] })), false),
        ("file types", one(11, json!({ "file_types": [5] })), false),
        ("file types", one(11, json!({ "file_types": "image" })), false),
        // Ignored for other kinds.
        ("file types", one(3, json!({ "file_types": ["pdf"] })), true),
        (
            "translations",
            locales("name_localizations", json!({ "de": "größe", "ja": "名前", "he": null })),
            true,
        ),
        ("translations", locales("name_localizations", Value::Null), true),
        ("translations", locales("name_localizations", json!({ "de": "Größe" })), false),
        ("translations", locales("name_localizations", json!({ "de": "zwei wörter" })), false),
        ("translations", locales("name_localizations", json!({ "de": "" })), false),
        ("translations", locales("name_localizations", json!({ "xx": "a" })), false),
        ("translations", locales("name_localizations", json!({ "DE": "a" })), false),
        ("translations", locales("name_localizations", json!(["de"])), false),
        ("translations", locales("description_localizations", json!({ "de": "d".repeat(100) })), true),
        ("translations", locales("description_localizations", json!({ "de": "d".repeat(101) })), false),
        ("translations", locales("description_localizations", json!({ "de": " " })), false),
        ("translations", one(3, json!({ "name_localizations": { "de": "Groß" } })), false),
        ("translations", one(3, json!({ "description_localizations": { "de": "" } })), false),
        ("size", sized(84), true),
        ("size", sized(85), false),
        ("size", with(sized(84), json!({ "description_localizations": { "de": "d".repeat(69) } })), false),
        ("size", with(sized(83), json!({ "description_localizations": { "de": "d".repeat(69) } })), true),
        ("permissions", with(named("c"), json!({ "default_member_permissions": "0" })), true),
        ("permissions", with(named("c"), json!({ "default_member_permissions": 32 })), true),
        (
            "permissions",
            with(named("c"), json!({ "default_member_permissions": "18014398509481984" })),
            false,
        ),
        ("permissions", with(named("c"), json!({ "default_member_permissions": "many" })), false),
        ("contexts", with(named("c"), json!({ "contexts": [0, 1, 2], "integration_types": [0, 1] })), true),
        ("contexts", with(named("c"), json!({ "contexts": null, "integration_types": null })), true),
        ("contexts", with(named("c"), json!({ "contexts": [] })), false),
        ("contexts", with(named("c"), json!({ "contexts": [3] })), false),
        ("contexts", with(named("c"), json!({ "contexts": [0, 0] })), false),
        ("contexts", with(named("c"), json!({ "integration_types": [] })), false),
        ("contexts", with(named("c"), json!({ "integration_types": [2] })), false),
        ("contexts", with(named("c"), json!({ "integration_types": [1, 1] })), false),
        ("switches", with(named("c"), json!({ "nsfw": "no" })), false),
        ("switches", with(named("c"), json!({ "dm_permission": 1 })), false),
        ("switches", with(named("c"), json!({ "default_permission": false, "nsfw": null })), true),
    ]
}

/// Returns preflight's problems with a definition; none if it accepts it.
fn preflight(body: &Value) -> Vec<String> {
    let kind = CommandKind::from_number(body["type"].as_u64()).unwrap();
    let key = CommandKey { kind, name: value::text(&body["name"]).unwrap_or_default().into_owned() };
    check_definitions(&Definitions::from([(key, body.clone())]))
}

/// Returns the sandbox's verdict on a definition, which is the same in a guild and globally.
fn in_sandbox(body: &Value) -> Result<(), String> {
    let [global, guild] = [Scope::Global, Scope::Guild]
        .map(|scope| command::create(body, scope).map(|_| ()).map_err(|error| error.to_json().to_string()));
    assert_eq!(global.is_ok(), guild.is_ok(), "{body}");
    global
}

/// Returns whether both accept a definition. An error describes a disagreement.
fn verdict(what: &str, body: &Value) -> Result<bool, String> {
    let (ours, theirs) = (preflight(body), in_sandbox(body));
    if ours.is_empty() == theirs.is_ok() {
        return Ok(ours.is_empty());
    }
    Err(format!("{what}: {body}\npreflight: {ours:?}\nsandbox: {theirs:?}"))
}

#[test]
fn both_know_every_rule() {
    for (what, body, taken) in rules() {
        let verdict = verdict(what, &body).unwrap_or_else(|differs| panic!("{differs}"));
        assert_eq!(verdict, taken, "{what}: {body}\npreflight: {:?}", preflight(&body));
    }
}

#[test]
fn both_say_the_same_of_a_thousand_definitions() {
    let rules = rules();
    let mut differ = Vec::new();
    for number in 0..1000 {
        let whole = Maker(StdRng::seed_from_u64(number)).definition();
        match verdict("as made", &whole) {
            Ok(taken) => assert!(taken, "{whole}\n{:?}", preflight(&whole)),
            Err(differs) => differ.push(differs),
        }
        // The same definition with the part of another one that keeps or breaks one rule.
        let (what, other, fits) = &rules[usize::try_from(number).unwrap() % rules.len()];
        if whole["type"] != other["type"] {
            continue;
        }
        let mut broken = whole;
        broken.as_object_mut().unwrap().remove("description");
        for (field, value) in other.as_object().unwrap() {
            broken[field] = value.clone();
        }
        match verdict(what, &broken) {
            Ok(taken) => {
                assert!(taken == *fits || *what == "size", "{what}: {broken}\n{:?}", preflight(&broken));
            }
            Err(differs) => differ.push(differs),
        }
    }
    assert!(differ.is_empty(), "{} differ:\n{}", differ.len(), differ.join("\n"));
}

/// Replaces any one place of a valid definition by some value. Most such changes break a rule.
#[test]
fn both_say_the_same_of_definitions_with_one_place_changed() {
    let values = [
        Value::Null,
        json!(true),
        json!(0),
        json!(-1),
        json!(3),
        json!(16),
        json!(0.5),
        json!(1e17),
        json!(""),
        json!(" "),
        json!("A b"),
        json!("x".repeat(33)),
        json!("x".repeat(101)),
        json!([]),
        json!([0, 0]),
        json!({}),
        json!({ "de": "a" }),
        json!({ "xx": "a" }),
    ];
    let (mut taken, mut refused, mut differ) = (0, 0, Vec::new());
    for number in 0..1000 {
        let mut maker = Maker(StdRng::seed_from_u64(number));
        let mut body = maker.definition();
        let places = places(&body, String::new());
        let place = places.choose(&mut maker.0).unwrap();
        let value = values.choose(&mut maker.0).unwrap();
        *body.pointer_mut(place).unwrap() = value.clone();
        // The kind of a command is in its key, and a quoted number as a type needs no rule.
        if place == "/type" || place.ends_with("/type") && value.is_string() {
            continue;
        }
        let what = format!("{place} = {value}");
        match verdict(&what, &body) {
            Ok(true) => taken += 1,
            Ok(false) => refused += 1,
            Err(differs) => differ.push(differs),
        }
    }
    assert!(differ.is_empty(), "{} differ:\n{}", differ.len(), differ.join("\n"));
    assert!(taken > 100 && refused > 300, "{taken} taken, {refused} refused");
}

/// Returns a pointer to every value inside a value.
fn places(value: &Value, path: String) -> Vec<String> {
    let inside: Vec<(String, &Value)> = match value {
        Value::Array(items) => {
            items.iter().enumerate().map(|(i, item)| (format!("{path}/{i}"), item)).collect()
        }
        Value::Object(fields) => fields.iter().map(|(key, field)| (format!("{path}/{key}"), field)).collect(),
        _ => Vec::new(),
    };
    let deeper = inside.into_iter().flat_map(|(path, value)| places(value, path));
    let own = (!path.is_empty()).then_some(path);
    own.into_iter().chain(deeper).collect()
}

#[test]
fn both_count_the_commands_of_a_scope_alike() {
    for (kind, most) in [(1, MAX_SLASH_COMMANDS), (2, MAX_MENU_COMMANDS), (3, MAX_MENU_COMMANDS)] {
        for count in [most, most + 1] {
            let bodies: Vec<Value> = (0..count)
                .map(|i| json!({ "type": kind, "name": format!("c{i}"), "description": if kind == 1 { "d" } else { "" } }))
                .collect();
            let key = |body: &Value| CommandKey {
                kind: CommandKind::from_number(Some(kind)).unwrap(),
                name: body["name"].as_str().unwrap().to_owned(),
            };
            let definitions: Definitions = bodies.iter().map(|body| (key(body), body.clone())).collect();
            let ours = check_definitions(&definitions).is_empty();
            assert_eq!(ours, command::overwrite(&json!(bodies), Scope::Guild).is_ok());
            assert_eq!(ours, count == most, "{count} of kind {kind}");
        }
    }
}

#[test]
fn both_allow_the_same_characters_in_names() {
    let name = |c: char| json!({ "type": 1, "name": c.to_string(), "description": "d" });
    // All assigned planes (0 to 3), and a sample of the rest.
    let sampled = ('\u{40000}'..=char::MAX).step_by(1009);
    let differ: Vec<char> = ('\0'..'\u{34000}')
        .chain(sampled)
        .filter(|c| preflight(&name(*c)).is_empty() != command::create(&name(*c), Scope::Guild).is_ok())
        .collect();
    assert!(
        differ.is_empty(),
        "{} differ, the first are {:?}",
        differ.len(),
        &differ[..differ.len().min(40)]
    );
}
