//! Preflight's problems with broken definitions.

use serde_json::json;

use super::*;

fn problems(body: Value) -> Vec<String> {
    let key =
        CommandKey { kind: CommandKind::Slash, name: body["name"].as_str().unwrap_or_default().to_owned() };
    check_definitions(&Definitions::from([(key, body)]))
}

#[allow(clippy::needless_pass_by_value)] // Reads better where `json!` is the argument.
fn with_options(options: Value) -> Vec<String> {
    problems(json!({"name": "x", "description": "y", "options": options}))
}

#[test]
fn an_ordinary_command_passes() {
    assert_eq!(
        with_options(json!([
            {"type": 3, "name": "text", "description": "d", "required": true, "max_length": 6000},
            {"type": 4, "name": "n", "description": "d", "choices": [{"name": "a", "value": 1}]}
        ])),
        Vec::<String>::new()
    );
    assert_eq!(problems(json!({"name": "สวัสดี", "description": "y"})), Vec::<String>::new());
}

#[test]
fn each_limit_is_told_with_the_command_and_the_option() {
    let option = |more: Value| {
        let mut option = json!({"type": 3, "name": "o", "description": "d"});
        option.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        option
    };
    let many =
        |count: usize| (0..count).map(|i| json!({"name": format!("c{i}"), "value": "v"})).collect::<Vec<_>>();
    for (found, words) in [
        (
            problems(json!({"name": "Ping", "description": "y"})),
            "/Ping: the name has to be in lower case: 'ping'",
        ),
        (problems(json!({"name": "a b", "description": "y"})), "/a b: the name holds ' '"),
        (problems(json!({"name": "a", "description": ""})), "/a: the description has 0 characters"),
        (problems(json!({"name": "a", "description": "y".repeat(101)})), "has 101 characters"),
        (problems(json!({"name": "a".repeat(33), "description": "y"})), "has 33 characters"),
        (with_options(json!([option(json!({"choices": many(26)}))])), "option 'o' has 26 choices"),
        (
            with_options(json!([option(json!({"choices": many(1), "autocomplete": true}))])),
            "has choices and autocomplete",
        ),
        (with_options(json!([option(json!({"min_length": 9, "max_length": 3}))])), "lower limit (9)"),
        (with_options(json!([option(json!({"max_length": 6001}))])), "length limit outside"),
        (with_options(json!([option(json!({})), option(json!({}))])), "two options named 'o'"),
        (
            with_options(json!([option(json!({})), option(json!({"name": "p", "required": true}))])),
            "required option 'p' comes after the optional one 'o'",
        ),
        (
            with_options(json!([option(json!({})), {"type": 1, "name": "s", "description": "d"}])),
            "mixes subcommands",
        ),
        (
            with_options(json!([{"type": 2, "name": "g", "description": "d", "options": [
                {"type": 2, "name": "h", "description": "d"}]}])),
            "nested deeper",
        ),
    ] {
        assert!(found.iter().any(|problem| problem.contains(words)), "{words:?} not in {found:?}");
    }
}

#[test]
fn the_longest_localisation_counts_towards_the_total() {
    let choice = json!({"name": "n".repeat(100), "value": "v".repeat(100)});
    let option = |i: usize| json!({"type": 3, "name": format!("o{i}"), "description": "d", "choices": vec![choice.clone(); 25]});
    let found = with_options(json!([option(1), option(2)]));
    assert!(found.iter().any(|problem| problem.contains("8000 at most")), "{found:?}");
}

#[test]
fn several_choices_may_have_one_name_and_one_value() {
    let choice = |name: &str, value: Value| json!({"name": name, "value": value});
    for (kind, choices) in [
        // poise's own example of inline choices; it numbers them.
        (
            4,
            (0..9).map(|i| choice(&[1, 2, 3, 4, 5, 4, 3, 2, 1][i].to_string(), json!(i))).collect::<Vec<_>>(),
        ),
        (3, vec![choice("a", json!("")), choice("b", json!("")), choice("a", json!(""))]),
    ] {
        let option = json!({"type": kind, "name": "o", "description": "d", "choices": choices});
        assert_eq!(with_options(json!([option])), Vec::<String>::new());
    }
}

#[test]
fn translations_are_checked_and_told_with_their_language() {
    let translated =
        |field: &str, texts: Value| problems(json!({"name": "a", "description": "y", field: texts}));
    assert_eq!(translated("name_localizations", json!({"de": "größe", "ja": "名前"})), Vec::<String>::new());
    for (found, words) in [
        (
            translated("name_localizations", json!({"de": "Größe"})),
            "/a: the name in 'de' has to be in lower case: 'größe'",
        ),
        (translated("name_localizations", json!({"xx": "b"})), "'xx', which is none of Discord's locales"),
        (
            translated("description_localizations", json!({"fr": "y".repeat(101)})),
            "/a: the description in 'fr' has 101 characters",
        ),
        (
            with_options(json!([
                {"type": 3, "name": "o", "description": "d", "name_localizations": {"de": "p"}},
                {"type": 3, "name": "p", "description": "d"}
            ])),
            "two options named 'p' in 'de', where option 'o' is called so",
        ),
        (
            with_options(json!([{"type": 3, "name": "o", "description": "d", "choices": [
                {"name": "c", "value": "v", "name_localizations": {"de": " "}}]}])),
            "choice name 'c' in 'de' has 0 characters",
        ),
    ] {
        assert!(found.iter().any(|problem| problem.contains(words)), "{words:?} not in {found:?}");
    }
}
