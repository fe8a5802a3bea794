//! Embeds: limits of each field, 6,000 characters in all, and the form in which Discord returns them.

use serde_json::{Map, Value, json};

use super::form::{Form, Object, format_moment};
use crate::error::FieldError;

const MAX_TOTAL: usize = 6000;
/// Longest text where Discord states no limit of its own.
const MAX_KIND: usize = 152_133;
const LINKS: &[&str] = &["http", "https"];
const MEDIA: &[&str] = &["http", "https", "attachment"];

/// Reads the value of `embeds`.
pub(super) fn read_all(form: &mut Form, value: &Value) -> Option<Vec<Value>> {
    let embeds = form.objects(value, 0..=10, |form, embed| Some(read(form, embed)))?;
    if embeds.iter().map(size).sum::<usize>() > MAX_TOTAL {
        form.complain(FieldError::new(
            "MAX_EMBED_SIZE_EXCEEDED",
            format!("Embed size exceeds maximum size of {MAX_TOTAL}"),
        ));
    }
    Some(embeds)
}

/// Returns the number of characters of an embed that count towards the limit of a message.
fn size(embed: &Value) -> usize {
    let text = |value: &Value| value.as_str().map_or(0, |text| text.chars().count());
    let fields = embed["fields"].as_array().into_iter().flatten();
    text(&embed["title"])
        + text(&embed["description"])
        + text(&embed["footer"]["text"])
        + text(&embed["author"]["name"])
        + fields.map(|field| text(&field["name"]) + text(&field["value"])).sum::<usize>()
}

fn read(form: &mut Form, embed: &Object) -> Value {
    // Libraries send back what Discord added; it sets the type itself.
    form.optional(embed, "type", |form, value| form.text(value, 0..=MAX_KIND));
    let mut out = Map::new();
    out.insert("type".to_owned(), json!("rich"));
    text(form, embed, &mut out, "title", 256);
    text(form, embed, &mut out, "description", 4096);
    link(form, embed, &mut out, "url", LINKS);
    if let Some(moment) = form.optional(embed, "timestamp", Form::moment) {
        out.insert("timestamp".to_owned(), json!(format_moment(moment)));
    }
    if let Some(color) = form.optional(embed, "color", |form, value| form.uint(value, 0xff_ff_ff)) {
        out.insert("color".to_owned(), json!(color));
    }
    part(form, embed, &mut out, "footer", "text", |form, footer, out| {
        text(form, footer, out, "text", 2048);
        link(form, footer, out, "icon_url", MEDIA);
    });
    for media in ["image", "thumbnail", "video"] {
        part(form, embed, &mut out, media, "url", |form, image, out| {
            resolved(form, image);
            link(form, image, out, "url", MEDIA);
        });
    }
    part(form, embed, &mut out, "provider", "name", |form, provider, out| {
        text(form, provider, out, "name", 256);
        link(form, provider, out, "url", LINKS);
    });
    part(form, embed, &mut out, "author", "name", |form, author, out| {
        text(form, author, out, "name", 256);
        link(form, author, out, "url", LINKS);
        link(form, author, out, "icon_url", MEDIA);
    });
    let fields = form.optional(embed, "fields", |form, value| form.objects(value, 0..=25, field));
    if let Some(fields) = fields.filter(|fields| !fields.is_empty()) {
        out.insert("fields".to_owned(), Value::Array(fields));
    }
    // A colour, time or link alone is not visible to a reader.
    let seen =
        ["title", "description", "footer", "image", "thumbnail", "video", "author", "fields", "provider"];
    let given = |key: &&str| out.contains_key(*key) || embed.get(*key).is_some_and(|value| !blank(value));
    if !seen.iter().any(given) {
        form.complain_at("description", FieldError::required());
    }
    Value::Object(out)
}

/// Returns whether a value holds nothing that could have been wrong, or right.
fn blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.values().all(blank),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Copies a text, without the white space around it; an empty one counts as absent.
fn text(form: &mut Form, from: &Object, out: &mut Object, key: &str, max: usize) {
    let text = form.optional(from, key, |form, value| form.trimmed(value, 0..=max));
    if let Some(text) = text.filter(|text| !text.is_empty()) {
        out.insert(key.to_owned(), json!(text));
    }
}

/// Copies an address; an empty one counts as absent.
fn link(form: &mut Form, from: &Object, out: &mut Object, key: &str, schemes: &[&str]) {
    if from.get(key).and_then(Value::as_str).is_some_and(str::is_empty) {
        return;
    }
    if let Some(url) = form.optional(from, key, |form, value| form.url(value, 2048, schemes)) {
        out.insert(key.to_owned(), json!(url));
    }
}

/// Checks the fields of a picture that libraries send back as Discord added them; it sets them itself.
fn resolved(form: &mut Form, image: &Object) {
    form.skip(image, &["proxy_url"]);
    for key in ["width", "height"] {
        form.optional(image, key, |form, value| form.int(value, i64::MIN..=i64::MAX));
    }
    form.optional(image, "placeholder", |form, value| form.text(value, 0..=64));
    form.optional(image, "placeholder_version", |form, value| form.uint(value, i32::MAX.unsigned_abs()));
    form.optional(image, "is_animated", Form::boolean);
    form.optional(image, "description", |form, value| form.text(value, 0..=4096));
}

/// Copies an object inside the embed. It needs its main field (discord-api-docs#3610); only an empty address counts as
/// no picture.
fn part(
    form: &mut Form,
    embed: &Object,
    out: &mut Object,
    key: &str,
    main: &str,
    read: impl FnOnce(&mut Form, &Object, &mut Object),
) {
    let part = form.optional(embed, key, |form, value| {
        let object = form.object(value)?;
        let mut part = Map::new();
        read(form, object, &mut part);
        let missing = match object.get(main) {
            None | Some(Value::Null) => true,
            Some(Value::String(text)) => main != "url" && text.trim().is_empty(),
            Some(_) => false,
        };
        if missing && key != "provider" {
            form.complain_at(main, FieldError::required());
        }
        Some(part)
    });
    if let Some(part) = part.filter(|part| part.contains_key(main)) {
        out.insert(key.to_owned(), Value::Object(part));
    }
}

fn field(form: &mut Form, field: &Object) -> Option<Value> {
    let name =
        form.required(field, "name", |form, value| form.trimmed(value, 0..=256).and_then(|t| some(form, t)));
    let text = form
        .required(field, "value", |form, value| form.trimmed(value, 0..=1024).and_then(|t| some(form, t)));
    let inline = form.optional(field, "inline", Form::boolean).unwrap_or(false);
    Some(json!({ "name": name?, "value": text?, "inline": inline }))
}

/// Returns the text, unless it is empty although it is required.
fn some(form: &mut Form, text: String) -> Option<String> {
    if text.is_empty() {
        form.complain(FieldError::required());
        return None;
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ApiResult;

    fn embeds(value: &Value) -> ApiResult<Vec<Value>> {
        Form::read(|form| read_all(form, value))
    }

    fn long(length: usize) -> String {
        "x".repeat(length)
    }

    /// Returns the one error of a body, as `path: CODE`.
    fn complaint(value: &Value) -> String {
        let error = embeds(value).unwrap_err().to_json()["errors"].clone();
        let (mut node, mut path) = (&error, Vec::new());
        loop {
            let (key, inside) = node.as_object().unwrap().iter().next().unwrap();
            if key == "_errors" {
                return format!("{}: {}", path.join("."), inside[0]["code"].as_str().unwrap());
            }
            path.push(key.clone());
            node = inside;
        }
    }

    #[test]
    fn every_limit_holds_at_its_edge_and_not_past_it() {
        type Make = fn(usize) -> Value;
        let table: [(usize, Make, &str); 9] = [
            (256, |n| json!({ "title": long(n) }), "0.title: BASE_TYPE_MAX_LENGTH"),
            (4096, |n| json!({ "description": long(n) }), "0.description: BASE_TYPE_MAX_LENGTH"),
            (2048, |n| json!({ "footer": { "text": long(n) } }), "0.footer.text: BASE_TYPE_MAX_LENGTH"),
            (256, |n| json!({ "author": { "name": long(n) } }), "0.author.name: BASE_TYPE_MAX_LENGTH"),
            (
                256,
                |n| json!({ "fields": [{ "name": long(n), "value": "v" }] }),
                "0.fields.0.name: BASE_TYPE_MAX_LENGTH",
            ),
            (
                1024,
                |n| json!({ "fields": [{ "name": "n", "value": long(n) }] }),
                "0.fields.0.value: BASE_TYPE_MAX_LENGTH",
            ),
            (
                25,
                |n| json!({ "fields": vec![json!({ "name": "n", "value": "v" }); n] }),
                "0.fields: BASE_TYPE_MAX_LENGTH",
            ),
            (0xff_ff_ff, |n| json!({ "title": "t", "color": n }), "0.color: NUMBER_TYPE_MAX"),
            (
                2048,
                |n| json!({ "title": "t", "url": format!("https://{}", long(n - 8)) }),
                "0.url: BASE_TYPE_BAD_LENGTH",
            ),
        ];
        for (edge, make, wanted) in table {
            assert!(embeds(&json!([make(edge)])).is_ok(), "{wanted} at its edge");
            assert_eq!(complaint(&json!([make(edge + 1)])), wanted);
        }
    }

    #[test]
    fn ten_embeds_of_six_thousand_characters_are_the_most() {
        assert!(embeds(&json!(vec![json!({ "title": "t" }); 10])).is_ok());
        assert_eq!(complaint(&json!(vec![json!({ "title": "t" }); 11])), ": BASE_TYPE_MAX_LENGTH");
        let two = |n| json!([{ "description": long(3000) }, { "description": long(n), "footer": { "text": "12345" } }]);
        assert!(embeds(&two(2995)).is_ok());
        assert_eq!(complaint(&two(2996)), ": MAX_EMBED_SIZE_EXCEEDED");
    }

    #[test]
    fn an_embed_with_nothing_to_see_is_refused() {
        for nothing in [json!({}), json!({ "color": 5 }), json!({ "title": "  " }), json!({ "fields": [] })] {
            assert_eq!(complaint(&json!([nothing])), "0.description: BASE_TYPE_REQUIRED");
        }
        assert!(embeds(&json!([{ "image": { "url": "attachment://a.png" } }])).is_ok());
    }

    #[test]
    fn fields_need_a_name_and_a_value() {
        assert_eq!(
            complaint(&json!([{ "fields": [{ "name": "", "value": "v" }] }])),
            "0.fields.0.name: BASE_TYPE_REQUIRED"
        );
        assert_eq!(
            complaint(&json!([{ "fields": [{ "name": "n" }] }])),
            "0.fields.0.value: BASE_TYPE_REQUIRED"
        );
    }

    #[test]
    fn parts_need_their_main_field() {
        for (part, wanted) in [
            (json!({ "author": {} }), "0.author.name"),
            (json!({ "author": { "name": "" } }), "0.author.name"),
            (json!({ "footer": { "text": null, "icon_url": "https://a/b" } }), "0.footer.text"),
            (json!({ "image": { "width": 5 } }), "0.image.url"),
        ] {
            let mut embed = json!({ "title": "t" });
            embed.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
            assert_eq!(complaint(&json!([embed])), format!("{wanted}: BASE_TYPE_REQUIRED"));
        }
        assert_eq!(complaint(&json!([null])), "0: LIST_ITEM_VALUE_REQUIRED");
    }

    #[test]
    fn wrong_kinds_of_values_are_named() {
        assert_eq!(complaint(&json!([{ "title": "t", "color": "#fff" }])), "0.color: NUMBER_TYPE_COERCE");
        assert_eq!(
            complaint(&json!([{ "title": "t", "timestamp": "now" }])),
            "0.timestamp: DATE_TIME_TYPE_PARSE"
        );
        assert_eq!(
            complaint(&json!([{ "title": "t", "url": "ttps://a" }])),
            "0.url: URL_TYPE_INVALID_SCHEME"
        );
        assert_eq!(complaint(&json!([{ "title": "t", "image": "a.png" }])), "0.image: MODEL_TYPE_CONVERT");
        assert_eq!(complaint(&json!(["text"])), "0: MODEL_TYPE_CONVERT");
    }

    #[test]
    fn what_comes_back_is_a_rich_embed_without_nulls() {
        let given = json!([{
            "title": " T ", "description": null, "timestamp": "2026-07-18T10:00:00.000Z",
            "fields": [{ "name": "n", "value": "v" }], "footer": null, "image": { "url": "" },
            "author": { "name": "A", "icon_url": "" },
        }]);
        assert_eq!(
            embeds(&given).unwrap(),
            [json!({
                "type": "rich", "title": "T", "timestamp": "2026-07-18T10:00:00+00:00",
                "fields": [{ "name": "n", "value": "v", "inline": false }], "author": { "name": "A" },
            })]
        );
    }
}
