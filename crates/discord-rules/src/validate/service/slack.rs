//! Slack: texts, and attachments as embeds.

use serde_json::{Value, json};

use super::super::form::{Form, Object};
use crate::error::{ApiResult, FieldError};

/// Returns the body of the message for a body in Slack's form.
pub fn slack(body: &Value) -> ApiResult<Value> {
    Form::read_object(body, |form, body| {
        // "We do not support Slack's `channel`, `icon_emoji`, `mrkdwn`, or `mrkdwn_in` properties."
        form.skip(body, &["channel", "icon_emoji", "mrkdwn", "mrkdwn_in"]);
        let text = form.optional(body, "text", |form, value| form.text(value, 0..=2000));
        let username = form.optional(body, "username", Form::any_text);
        let icon = form.optional(body, "icon_url", url);
        let embeds = form.optional(body, "attachments", |form, value| form.list(value, 0..=1521, attachment));
        let mut message = json!({ "content": text.map(|text| links(&text)).unwrap_or_default() });
        let filled = [("username", username.map(Value::from)), ("avatar_url", icon.map(Value::from))];
        for (key, value) in filled {
            if let Some(value) = value {
                message[key] = value;
            }
        }
        message["embeds"] = embeds.unwrap_or_default().into_iter().take(10).collect();
        Some(message)
    })
}

fn url(form: &mut Form, value: &Value) -> Option<String> {
    form.url(value, 2048, &["http", "https"])
}

fn attachment(form: &mut Form, value: &Value) -> Option<Value> {
    let body = form.object(value)?;
    form.skip(body, &["fallback", "mrkdwn_in", "callback_id", "attachment_type"]);
    let text = |form: &mut Form, key: &str| form.optional(body, key, Form::any_text).map(|text| links(&text));
    let address = |form: &mut Form, key: &str| form.optional(body, key, url);
    let description: Vec<String> = ["pretext", "text"]
        .iter()
        .filter_map(|key| text(form, key))
        .filter(|text| !text.is_empty())
        .collect();
    let fields = form.optional(body, "fields", |form, value| form.list(value, 0..=1521, field));
    let time = form.optional(body, "ts", |form, value| form.int(value, 0..=i64::from(u32::MAX)));
    let time = time.and_then(|seconds| time::OffsetDateTime::from_unix_timestamp(seconds).ok());
    let parts = [
        ("title", text(form, "title").map(Value::from)),
        ("url", address(form, "title_link").map(Value::from)),
        ("description", (!description.is_empty()).then(|| description.join("\n").into())),
        ("color", form.optional(body, "color", color).map(Value::from)),
        ("timestamp", time.map(|time| super::super::form::format_moment(time).into())),
        ("image", address(form, "image_url").map(|url| json!({ "url": url }))),
        ("thumbnail", address(form, "thumb_url").map(|url| json!({ "url": url }))),
        ("fields", fields.map(|fields| fields.into_iter().take(25).collect())),
        ("footer", text(form, "footer").map(|text| json!({ "text": text, "icon_url": address(form, "footer_icon") }))),
        (
            "author",
            text(form, "author_name").map(|name| {
                json!({ "name": name, "url": address(form, "author_link"), "icon_url": address(form, "author_icon") })
            }),
        ),
    ];
    let parts = parts.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    Some(Value::Object(parts.collect()))
}

/// Reads a field, in Slack's words or in those of Discord's embeds.
fn field(form: &mut Form, value: &Value) -> Option<Value> {
    let body = form.object(value)?;
    let text = |form: &mut Form, keys: [&str; 2]| {
        keys.into_iter().find_map(|key| form.optional(body, key, Form::any_text))
    };
    let flag = |form: &mut Form, body: &Object, key: &str| form.optional(body, key, Form::boolean);
    let inline = flag(form, body, "short").or_else(|| flag(form, body, "inline")).unwrap_or(false);
    let name = text(form, ["title", "name"])
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "\u{200b}".to_owned());
    let value = text(form, ["value", "value"])
        .filter(|text| !text.is_empty())
        .unwrap_or_else(|| "\u{200b}".to_owned());
    Some(json!({ "name": links(&name), "value": links(&value), "inline": inline }))
}

/// Reads a colour, as `#f90` or `#ff9900`.
fn color(form: &mut Form, value: &Value) -> Option<u32> {
    let text = form.any_text(value)?;
    let digits = text.strip_prefix('#').filter(|digits| matches!(digits.len(), 3 | 6));
    let doubled = digits.map(|digits| match digits.len() {
        3 => digits.chars().flat_map(|digit| [digit, digit]).collect(),
        _ => digits.to_owned(),
    });
    let color = doubled.and_then(|digits: String| u32::from_str_radix(&digits, 16).ok());
    if color.is_none() {
        form.complain(FieldError::regex());
    }
    color
}

/// Returns a text with Slack's links, `<https://a.example|label>`, as Discord writes them.
fn links(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, inside)) = rest.split_once('<') {
        out += before;
        let link = inside.split_once('>').and_then(|(link, after)| Some((link.split_once('|')?, after)));
        match link {
            Some(((url, label), after)) if url.starts_with("http://") || url.starts_with("https://") => {
                out += &format!("[{label}]({url})");
                rest = after;
            }
            _ => {
                out.push('<');
                rest = inside;
            }
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attachments_become_embeds() {
        let body = json!({ "text": "see <https://a.example|this> <@1> <b", "username": "CI", "icon_url": "https://a.example/i.png",
            "channel": "#x", "attachments": [{ "fallback": "f", "pretext": "p", "text": "t", "title": "T", "title_link": "https://a.example",
            "color": "#f90", "ts": 0, "author_name": "A", "footer": "F", "fields": [{ "title": "k", "value": "v", "short": true }] }] });
        let message = slack(&body).unwrap();
        assert_eq!(message["content"], "see [this](https://a.example) <@1> <b");
        assert_eq!(
            (&message["username"], &message["avatar_url"]),
            (&json!("CI"), &json!("https://a.example/i.png"))
        );
        let embed = &message["embeds"][0];
        assert_eq!((&embed["description"], &embed["color"]), (&json!("p\nt"), &json!(0x00ff_9900)));
        assert_eq!(embed["fields"], json!([{ "name": "k", "value": "v", "inline": true }]));
        assert_eq!((&embed["author"]["name"], &embed["footer"]["text"]), (&json!("A"), &json!("F")));
        assert!(embed["timestamp"].as_str().unwrap().starts_with("1970-01-01T00:00:00"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (body, path) in [
            (json!({ "text": "t".repeat(2001) }), vec!["text"]),
            (json!({ "icon_url": "x" }), vec!["icon_url"]),
            (json!({ "attachments": [{ "color": "red" }] }), vec!["attachments", "0", "color"]),
            (json!({ "attachments": {} }), vec!["attachments"]),
        ] {
            let error = slack(&body).unwrap_err();
            assert_eq!(error.errors().unwrap().at(&path).len(), 1, "{body}");
        }
    }
}
