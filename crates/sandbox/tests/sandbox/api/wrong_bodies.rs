//! Wrong bodies for the operations that bots use most, each refused with Discord's status, code and path.
//!
//! The tables are `wrong_bodies/*.txt`. An unindented line names an operation, and after ` + ` a body that every row of it
//! changes. A row is `STATUS CODE [PATH ERROR]... | BODY`: all errors that the answer must have and no others, with `.` for
//! the body itself. Sources are Discord's documentation, its OpenAPI description, and answers that users of libraries have
//! reported.
//!
//! In texts, `<N>` stands for N letters and `<name>` for something of the [`world`]; `["<times N>", ITEM]` is a list of N
//! items, in which `<#>` is the index; `"<absent>"` leaves a field out.

mod described;
mod schema;
mod world;

use std::path::Path;

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Map, Value, json};

use self::world::World;
use crate::api::bot::{Bot, PNG};

/// One row of a table.
struct Row {
    /// Where it stands.
    line: String,
    /// Operation: `FORM ` if the body is sent as a form, the method and the path.
    operation: String,
    /// Status, code and errors.
    expected: String,
    /// Body.
    body: Value,
}

/// Returns the rows of all tables.
fn rows() -> Vec<Row> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sandbox/api/wrong_bodies");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "txt"));
    files.sort();
    let mut rows = Vec::new();
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let (mut operation, mut base) = (String::new(), Value::Null);
        for (number, line) in (1..).zip(std::fs::read_to_string(&file).unwrap().lines()) {
            let place = format!("{name}:{number}");
            let parsed = |text: &str| -> Value {
                serde_json::from_str(text).unwrap_or_else(|error| panic!("{place}: {error}"))
            };
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            if !line.starts_with(' ') {
                let (named, body) = line.split_once(" + ").unwrap_or((line, "null"));
                (operation, base) = (named.trim().to_owned(), parsed(body));
                continue;
            }
            let (expected, body) = line.split_once(" | ").unwrap_or_else(|| panic!("{place}: no ` | `"));
            let body = merged(&base, parsed(body));
            rows.push(Row {
                line: place,
                operation: operation.clone(),
                expected: expected.trim().to_owned(),
                body,
            });
        }
    }
    rows
}

/// Returns the body of a row: its fields in place of those of the operation's body.
fn merged(base: &Value, row: Value) -> Value {
    let (Value::Object(base), Value::Object(row)) = (base, &row) else { return row };
    let mut body = base.clone();
    body.extend(row.clone());
    body.retain(|_, value| value != "<absent>");
    Value::Object(body)
}

/// Replaces what stands in angle brackets in the texts of a value.
fn filled(value: &Value, world: &World) -> Value {
    match value {
        Value::String(text) => Value::String(world.fill(text)),
        Value::Array(items) => match items.as_slice() {
            [Value::String(first), item] if first.starts_with("<times ") => {
                let times = first.trim_start_matches("<times ").trim_end_matches('>').parse().unwrap();
                (0..times).map(|index: usize| filled(&numbered(item, index), world)).collect()
            }
            items => items.iter().map(|item| filled(item, world)).collect(),
        },
        Value::Object(fields) => {
            let fields = fields.iter().map(|(key, value)| (world.fill(key), filled(value, world)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
        value => value.clone(),
    }
}

fn numbered(value: &Value, index: usize) -> Value {
    serde_json::from_str(&value.to_string().replace("<#>", &index.to_string())).unwrap()
}

/// Returns `PATH ERROR` of every error of a tree, in the order of their paths.
fn errors(node: &Value, path: &str, found: &mut Vec<String>) {
    for (key, inside) in node.as_object().into_iter().flatten() {
        if key == "_errors" {
            let at = if path.is_empty() { "." } else { path };
            for error in inside.as_array().unwrap() {
                found.push(format!("{at} {}", error["code"].as_str().unwrap()));
            }
        } else {
            let inner = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            errors(inside, &inner, found);
        }
    }
}

/// Returns a body as a form, in which the field `file` is a picture.
fn form(body: &Value) -> Form {
    let mut form = Form::new();
    for (key, value) in body.as_object().unwrap() {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        form = match key.as_str() {
            "file" => form.part("file", Part::bytes(picture(&text)).file_name("a.png")),
            _ => form.text(key.clone(), text),
        };
    }
    form
}

fn picture(kind: &str) -> Vec<u8> {
    use base64::Engine;
    let (_, data) = PNG.split_once(',').unwrap();
    match kind {
        "png" => base64::engine::general_purpose::STANDARD.decode(data).unwrap(),
        text => text.as_bytes().to_vec(),
    }
}

async fn answer(bot: &Bot, row: &Row, world: &World) -> String {
    let is_form = row.operation.starts_with("FORM ");
    let operation = row.operation.trim_start_matches("FORM ");
    let (method, path) = operation.split_once(' ').unwrap();
    let (method, path) = (Method::from_bytes(method.as_bytes()).unwrap(), world.fill(path));
    let body = filled(&row.body, world);
    let (status, answer) = if is_form {
        bot.upload(method, &path, form(&body)).await
    } else {
        bot.call(method, &path, &body).await
    };
    let mut found = Vec::new();
    errors(&answer["errors"], "", &mut found);
    found.sort();
    format!("{status} {} {}", answer["code"], found.join(" ")).trim().to_owned()
}

/// Returns what a row expects, in the order in which errors are compared.
fn expected(row: &Row) -> String {
    let words: Vec<&str> = row.expected.split_whitespace().collect();
    let (head, rest) = words.split_at(2.min(words.len()));
    let mut errors: Vec<String> = rest.chunks(2).map(|pair| pair.join(" ")).collect();
    errors.sort();
    format!("{} {}", head.join(" "), errors.join(" ")).trim().to_owned()
}

#[tokio::test]
async fn wrong_bodies_are_refused_in_discords_words() {
    let (bot, world) = World::start().await;
    let rows = rows();
    let mut operations: Vec<&str> = rows.iter().map(|row| row.operation.as_str()).collect();
    operations.sort_unstable();
    operations.dedup();
    assert!(rows.len() >= 400 && operations.len() >= 60, "{} of {} operations", rows.len(), operations.len());
    let mut wrong = Vec::new();
    for row in &rows {
        let (found, expected) = (answer(&bot, row, &world).await, expected(row));
        if found != expected {
            wrong.push(format!(
                "{} {} {}\n  expected {expected}\n  found    {found}",
                row.line,
                row.operation,
                cut(&row.body)
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

fn cut(body: &Value) -> String {
    body.to_string().chars().take(160).collect()
}

#[test]
fn a_table_is_read_with_its_abbreviations() {
    let world = World::of([("guild", "7")]);
    let body = json!({ "a": "<3>", "b": ["<times 2>", { "n": "<guild>-<#>" }], "c": "<x>" });
    let expected = json!({ "a": "xxx", "b": [{ "n": "7-0" }, { "n": "7-1" }], "c": "<x>" });
    assert_eq!(filled(&body, &world), expected);
    let base = json!({ "a": 1, "b": 2 });
    assert_eq!(merged(&base, json!({ "a": "<absent>", "c": 3 })), json!({ "b": 2, "c": 3 }));
    assert_eq!(merged(&base, json!([])), json!([]));
}
