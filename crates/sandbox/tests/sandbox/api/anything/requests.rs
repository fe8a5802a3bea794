//! Requests: of any operation, right or not.

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::multipart::{Form, Part};
use sandbox::parity::OPERATIONS;
use serde_json::Value;

use super::Known;
use super::bodies::{about, value};

/// Routes of the control API. Left out is what makes more of something without end (bots, guilds, users), what injects faults,
/// what reads without end, and what resets the token.
const CONTROL: &[&str] = &[
    "GET /sandbox",
    "GET /sandbox/clock",
    "PATCH /sandbox/clock",
    "GET /sandbox/commands",
    "PATCH /sandbox/guilds/{guild_id}",
    "GET /sandbox/guilds/{guild_id}/auto-moderation/rules",
    "POST /sandbox/guilds/{guild_id}/auto-moderation/rules",
    "POST /sandbox/guilds/{guild_id}/channels",
    "PATCH /sandbox/guilds/{guild_id}/channels/{channel_id}",
    "PATCH /sandbox/guilds/{guild_id}/channels/{channel_id}/permissions/{user_id}",
    "PUT /sandbox/guilds/{guild_id}/commands/{command_id}/permissions",
    "GET /sandbox/guilds/{guild_id}/integrations",
    "POST /sandbox/guilds/{guild_id}/integrations",
    "PUT /sandbox/guilds/{guild_id}/join-form",
    "PUT /sandbox/guilds/{guild_id}/members/{user_id}",
    "PATCH /sandbox/guilds/{guild_id}/members/{user_id}",
    "POST /sandbox/guilds/{guild_id}/members/{user_id}/onboarding",
    "PUT /sandbox/guilds/{guild_id}/new-member-welcome",
    "POST /sandbox/guilds/{guild_id}/roles",
    "PATCH /sandbox/guilds/{guild_id}/roles/{role_id}/permissions",
    "GET /sandbox/guilds/{guild_id}/scheduled-events",
    "POST /sandbox/guilds/{guild_id}/scheduled-events",
    "GET /sandbox/guilds/{guild_id}/voice",
    "PUT /sandbox/guilds/{guild_id}/voice/{user_id}",
    "PATCH /sandbox/guilds/{guild_id}/voice/{user_id}",
    "POST /sandbox/invites/{code}",
    "GET /sandbox/messages",
    "POST /sandbox/messages",
    "PATCH /sandbox/messages/{message_id}",
    "POST /sandbox/messages/{message_id}/reactions",
    "POST /sandbox/messages/{message_id}/votes",
    "PUT /sandbox/presences/{user_id}",
    "POST /sandbox/purchases",
    "GET /sandbox/sessions",
    "POST /sandbox/stages",
    "GET /sandbox/stats",
    "GET /sandbox/store",
    "PATCH /sandbox/users/{user_id}",
    "POST /sandbox/typing",
];

/// Values of queries.
const QUERIES: &[&str] = &[
    "limit",
    "before",
    "after",
    "around",
    "with_counts",
    "wait",
    "thread_id",
    "query",
    "days",
    "include_roles",
    "with_localizations",
    "user_id",
    "action_type",
    "with_response",
    "guild_id",
    "content",
    "sort_by",
    "style",
    "offset",
    "channel",
    "as",
    "with_member",
    "type",
];

/// One request.
pub(super) struct Asked {
    method: String,
    url: String,
    headers: Vec<(&'static str, String)>,
    body: Body,
    /// What it is, for the message of a failure: without ids that are secrets.
    pub(super) told: String,
}

enum Body {
    None,
    Bytes(Vec<u8>),
    Form(Vec<(String, Option<String>, Vec<u8>)>),
}

impl Asked {
    /// Returns a request of the test's own.
    pub(super) fn of(known: &Known, method: &str, path: &str, body: Option<&Value>) -> Self {
        let mut headers = vec![(AUTHORIZATION.as_str(), authorization(known, path))];
        let body = body.map_or(Body::None, |body| {
            headers.push((CONTENT_TYPE.as_str(), "application/json".to_owned()));
            Body::Bytes(body.to_string().into_bytes())
        });
        let told = format!("{method} {path}");
        Self { method: method.to_owned(), url: format!("{}{path}", known.url), headers, body, told }
    }

    /// Returns any request.
    pub(super) fn any(known: &Known, random: &mut StdRng) -> Self {
        let (method, template) = operation(random);
        let path = address(&template, known, random) + &query(known, random);
        let mut headers = Vec::new();
        let (mut body, mut shown) = (Body::None, String::new());
        if method != "GET" || random.random_ratio(1, 20) {
            let (kind, filled) = any_body(&template, known, random);
            if let Body::Bytes(bytes) = &filled {
                shown = String::from_utf8_lossy(&bytes[..bytes.len().min(2000)]).into_owned();
            }
            headers.extend(kind.map(|kind| (CONTENT_TYPE.as_str(), kind)));
            body = filled;
        }
        match random.random_range(0..20) {
            0 => {}
            1 => headers.push((AUTHORIZATION.as_str(), "Bot MTIz.abc.def".to_owned())),
            2 => headers.push((AUTHORIZATION.as_str(), "Bearer abc".to_owned())),
            _ => headers.push((AUTHORIZATION.as_str(), authorization(known, &path))),
        }
        if random.random_ratio(1, 20) {
            headers.push(("x-audit-log-reason", "%F0%9F%90%B1 100%".to_owned()));
        }
        let told = format!("{method} {template} {shown}");
        Self { method, url: format!("{}{path}", known.url), headers, body, told }
    }

    /// Returns the request, or an error if no client could send it.
    pub(super) fn build(self, http: &reqwest::Client) -> Result<reqwest::Request, reqwest::Error> {
        let method = reqwest::Method::from_bytes(self.method.as_bytes()).unwrap_or_default();
        let mut request = http.request(method, self.url);
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        match self.body {
            Body::None => request,
            Body::Bytes(bytes) => request.body(bytes),
            Body::Form(parts) => {
                let mut form = Form::new();
                for (name, filename, bytes) in parts {
                    let part = Part::bytes(bytes);
                    form = form.part(name, filename.into_iter().fold(part, Part::file_name));
                }
                request.multipart(form)
            }
        }
        .build()
    }
}

fn authorization(known: &Known, path: &str) -> String {
    if path.starts_with("/sandbox") {
        format!("Bearer {}", known.secret)
    } else {
        format!("Bot {}", known.token)
    }
}

/// Returns a method and the template of a path.
fn operation(random: &mut StdRng) -> (String, String) {
    let (mut method, template) = if random.random_ratio(1, 6) {
        let (method, path) = CONTROL.choose(random).unwrap().split_once(' ').unwrap();
        (method.to_owned(), path.to_owned())
    } else {
        let operation = OPERATIONS.choose(random).unwrap();
        let version = match random.random_range(0..40) {
            0 => "/api/v3",
            1..5 => "/api/v9",
            5..9 => "/api",
            _ => "/api/v10",
        };
        (operation.method.to_owned(), format!("{version}{}", operation.path))
    };
    // The bot stays in its guild, or nothing is left to ask about.
    if method == "DELETE" && template.ends_with("/users/@me/guilds/{guild_id}") {
        "GET".clone_into(&mut method);
    }
    if random.random_ratio(1, 25) && !template.starts_with("/sandbox") && !template.contains("@me") {
        let methods = ["GET", "POST", "PUT", "PATCH", "HEAD", "OPTIONS"];
        (*methods.choose(random).unwrap()).clone_into(&mut method);
    }
    (method, template)
}

fn address(template: &str, known: &Known, random: &mut StdRng) -> String {
    let part = |part: &str| {
        let Some(name) = part.strip_prefix('{').and_then(|name| name.strip_suffix('}')) else {
            return part.to_owned();
        };
        match random.random_range(0..24) {
            0 => (*["0", "x", "@me", "-1", "18446744073709551616", "%F0%9F%91%8D", "%FF", "..%2F.."]
                .choose(random)
                .unwrap())
            .to_owned(),
            1 => random.random::<u64>().to_string(),
            2 => "9".repeat(random.random_range(1..300)),
            3..6 => known.some("id", random).unwrap_or_default(),
            _ if name.contains("emoji_name") => "%F0%9F%91%8D".to_owned(),
            _ => known.some(plain(name), random).or_else(|| known.some("id", random)).unwrap_or_default(),
        }
    };
    template.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// Returns the name under which answers have what a path's parameter is.
fn plain(name: &str) -> &str {
    match name {
        "webhook_token" | "interaction_token" => "token",
        "overwrite_id" => "role_id",
        "interaction_id" => "interaction_id",
        name => name,
    }
}

fn query(known: &Known, random: &mut StdRng) -> String {
    let mut query = String::new();
    while random.random_ratio(1, 4) {
        let value = match random.random_range(0..6) {
            0 => known.some("id", random).unwrap_or_default(),
            1 => random.random_range(-5..2000).to_string(),
            2 => "true".to_owned(),
            3 => "%FF%00".to_owned(),
            4 => "x".repeat(random.random_range(0..200)),
            _ => String::new(),
        };
        query += if query.is_empty() { "?" } else { "&" };
        query += &format!("{}={value}", QUERIES.choose(random).unwrap());
    }
    query
}

/// Returns a content type and a body of it, or of another.
fn any_body(template: &str, known: &Known, random: &mut StdRng) -> (Option<String>, Body) {
    let json = about(template, known, random).to_string().into_bytes();
    let named = |kind: &str| Some(kind.to_owned());
    match random.random_range(0..30) {
        0 => (named("application/json"), Body::Bytes(json[..json.len() / 2].to_vec())),
        1 => (named("text/plain"), Body::Bytes(json)),
        2 => (None, Body::Bytes(json)),
        3 => (named("application/json; charset=utf-8"), Body::Bytes(json)),
        4 => (
            named("application/x-www-form-urlencoded"),
            Body::Bytes(b"payload_json=%7B%22content%22%3A1%7D".to_vec()),
        ),
        5 => (named("multipart/form-data; boundary=x"), Body::Bytes(b"--x\r\nbroken".to_vec())),
        6 => (named("application/json"), Body::Bytes(value(known, random, 5).to_string().into_bytes())),
        7 => {
            let deep = "[".repeat(random.random_range(1..400));
            (named("application/json"), Body::Bytes(deep.into_bytes()))
        }
        8..11 => {
            let mut parts = vec![("payload_json".to_owned(), None, json)];
            for index in 0..random.random_range(0..12_u32) {
                let name = *["files", "file", "x"].choose(random).unwrap();
                let bytes = vec![b'a'; random.random_range(0..5000)];
                parts.push((format!("{name}[{index}]"), Some("a.png".to_owned()), bytes));
            }
            (None, Body::Form(parts))
        }
        11 => (None, Body::None),
        _ => (named("application/json"), Body::Bytes(json)),
    }
}
