//! Replaces tokens by marks that only show which tokens are equal.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use serde_json::Value;

use super::{Body, Json};

/// Keys whose strings are secrets, anywhere in a body.
const SECRET_KEYS: [&str; 9] = [
    "token",
    "access_token",
    "refresh_token",
    "id_token",
    "external_auth_token",
    "client_secret",
    "continuation_token",
    "secret",
    "secret_key",
];

/// Key of a list of secrets.
const SECRETS_KEY: &str = "access_tokens";

/// Words of which each of these keys contains one. A text without them has no secret under a key.
const HINTS: [&str; 2] = ["token", "secret"];

/// Replaces tokens by marks. The marks use a new key in each process, so that they cannot be searched for.
#[derive(Debug, Default)]
pub struct Redactor {
    key: RandomState,
}

impl Redactor {
    /// Returns the mark for this secret.
    pub fn mark(&self, secret: &str) -> String {
        format!("[redacted {:08x}]", self.key.hash_one(secret) >> 32)
    }

    /// Replaces every secret inside a value.
    pub fn redact(&self, value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for (key, field) in fields {
                    match field {
                        Value::String(text) if SECRET_KEYS.contains(&key.as_str()) => {
                            *text = self.mark(text);
                        }
                        Value::Array(items) if key == SECRETS_KEY => {
                            for text in items.iter_mut().filter(|item| item.is_string()) {
                                *text = self.mark(text.as_str().unwrap_or_default()).into();
                            }
                        }
                        other => self.redact(other),
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.redact(item)),
            Value::String(text) => {
                if let Some(clean) = self.webhook_url(text) {
                    *text = clean;
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Returns the JSON of a value without its secrets.
    pub fn json(&self, value: &Value) -> Json {
        self.shared(&Json::from(value))
    }

    /// Returns the same JSON without its secrets, shared if it has none.
    pub fn shared(&self, json: &Json) -> Json {
        self.text(json).unwrap_or_else(|| json.clone())
    }

    /// Returns the same JSON without this one secret, which must be the only one in it. Much cheaper than searching for
    /// any.
    pub fn without(&self, json: &Json, secret: &str) -> Json {
        // A text that JSON escapes is not found as it is. Tokens are never escaped, so the general search is sufficient
        // otherwise.
        if secret.is_empty()
            || !secret.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
        {
            return self.shared(json);
        }
        Json::parse(json.get().replace(secret, &self.mark(secret))).unwrap_or_else(|| self.shared(json))
    }

    /// Returns the body to record for the bytes of an answer: their JSON without its secrets, or their length.
    pub fn body(&self, bytes: &[u8], content_type: Option<&str>, longest: usize) -> Body {
        let json = || {
            let text = std::str::from_utf8(bytes).ok().filter(|text| text.len() <= longest)?;
            let json = Json::parse(text.trim().to_owned()).filter(Json::is_shallow)?;
            // Without its secrets it is nested no deeper.
            Some(Body::Json(self.text(&json).unwrap_or(json)))
        };
        json().unwrap_or_else(|| Body::omitted(content_type, bytes.len()))
    }

    /// Returns the same for the bytes of a request, which may be anything. JSON that no handler can read (half a
    /// surrogate pair, a number out of range, too deep) is recorded by its length, since a reader of the log could not
    /// read it either.
    pub fn foreign_body(&self, bytes: &[u8], content_type: Option<&str>, longest: usize) -> Body {
        let readable = bytes.len() <= longest && serde_json::from_slice::<Value>(bytes).is_ok();
        if readable {
            self.body(bytes, content_type, longest)
        } else {
            Body::omitted(content_type, bytes.len())
        }
    }

    /// Returns the same for a parsed body.
    pub fn value_body(&self, value: &Value, longest: usize) -> Body {
        let json = self.json(value);
        let length = json.get().len();
        if length <= longest { Body::from(json) } else { Body::omitted(Some("application/json"), length) }
    }

    /// Returns the same JSON without its secrets; `None` if it has none. Most bodies are never parsed.
    fn text(&self, json: &Json) -> Option<Json> {
        let text = json.get();
        // Escapes can spell a key or a slash in other ways, so a text with one is parsed as well.
        let suspicious = HINTS.iter().any(|hint| text.contains(hint))
            || text.contains("/webhooks/")
            || text.contains("\\/")
            || text.contains("\\u00");
        suspicious.then(|| {
            let mut value = json.value();
            self.redact(&mut value);
            Json::from(&value)
        })
    }

    /// Returns a text with the token of a webhook's address replaced; `None` if it contains none.
    fn webhook_url(&self, text: &str) -> Option<String> {
        let after = text.find("/webhooks/")? + "/webhooks/".len();
        let slash = after + text[after..].find('/')?;
        let token = slash + 1;
        let is_id = slash > after && text[after..slash].bytes().all(|byte| byte.is_ascii_digit());
        let length = text[token..]
            .find(|character: char| !character.is_ascii_alphanumeric() && !"-_.".contains(character))
            .unwrap_or(text.len() - token);
        (is_id && length > 0).then(|| {
            let end = token + length;
            // The rest may contain further addresses.
            let rest = self.webhook_url(&text[end..]).unwrap_or_else(|| text[end..].to_owned());
            format!("{}{}{rest}", &text[..token], self.mark(&text[token..end]))
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{HINTS, Redactor, SECRET_KEYS, SECRETS_KEY};
    use crate::event_log::Body;

    #[test]
    fn tokens_vanish_wherever_they_stand_and_equal_ones_stay_equal() {
        let redactor = Redactor::default();
        let body = json!({
            "d": {"token": "sEcReT"},
            "list": [{"token": "sEcReT", "name": "token"}],
            "url": "https://discord.com/api/webhooks/12/sEcReT?wait=true",
            "content": "two: /webhooks/1/sEcReT and /webhooks/2/sEcReT/messages/@original",
        });
        let clean = redactor.json(&body);
        assert!(!clean.get().contains("sEcReT"), "{}", clean.get());
        let mark = redactor.mark("sEcReT");
        let value = clean.value();
        assert_eq!(value["d"]["token"], mark);
        assert_eq!(value["list"][0]["token"], mark);
        assert_eq!(value["list"][0]["name"], "token");
        assert_eq!(value["url"], format!("https://discord.com/api/webhooks/12/{mark}?wait=true"));
        assert_ne!(mark, redactor.mark("another"));
    }

    #[test]
    fn every_key_of_a_secret_is_hinted_at() {
        for key in SECRET_KEYS.into_iter().chain([SECRETS_KEY]) {
            assert!(HINTS.iter().any(|hint| key.contains(hint)), "{key}");
        }
    }

    #[test]
    fn a_key_spelled_with_escapes_is_no_way_around() {
        let redactor = Redactor::default();
        let body = redactor.body(br#"{"\u0074oken":"sEcReT"}"#, Some("application/json"), 1000);
        let Body::Json(json) = body else { panic!("{body:?}") };
        assert!(!json.get().contains("sEcReT"), "{}", json.get());
    }

    #[test]
    fn what_is_no_json_or_too_long_is_told_by_its_length() {
        let redactor = Redactor::default();
        for body in [
            redactor.body(b"--boundary", Some("multipart/form-data"), 1000),
            redactor.body(b"[1,2,3,4,5]", Some("application/json"), 5),
        ] {
            assert!(matches!(body, Body::Omitted { bytes: Some(10 | 11), .. }), "{body:?}");
        }
    }
}
