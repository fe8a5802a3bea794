//! Requests through the router: any method, route and body, one after the other on a small world.

use std::cell::RefCell;

use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{Request, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::{Ids, Place, SECRET, TOKEN};
use crate::live::Trigger;
use crate::state::World;

/// Separates the requests of an input.
const SEPARATOR: u8 = 0x1e;
/// Most requests of an input.
const REQUESTS: usize = 8;
/// Most bytes of an answer.
const LONGEST: usize = 8 << 20;

thread_local! {
    static PLACE: RefCell<Option<Place>> = const { RefCell::new(None) };
}

/// Sends requests, one after the other. Each has a head of `METHOD /path KIND`, and the next lines are its body.
///
/// Placeholders stand for ids: `$g` (the guild), `$c` (a channel), `$x` (the last created object) and so on. `START N`
/// starts an interaction of that type, whose id is `$i` and whose token is `$k`.
pub async fn rest_bodies(bytes: &[u8]) {
    let mut place = PLACE.take().unwrap_or_else(Place::new);
    let mut ids = place.reset();
    for part in bytes.split(|byte| *byte == SEPARATOR).take(REQUESTS) {
        let (head, body) = match part.iter().position(|byte| *byte == b'\n') {
            Some(end) => (&part[..end], &part[end + 1..]),
            None => (part, &[][..]),
        };
        let Ok(head) = String::from_utf8(ids.fill(head)) else { continue };
        let mut words = head.split(' ');
        let (method, path, kind) = (words.next().unwrap_or_default(), words.next(), words.next());
        let Some(path) = path else { continue };
        if method == "START" {
            start(&place, &mut ids, path);
            continue;
        }
        let body = ids.fill(body);
        send(&place, &mut ids, method, path, kind.unwrap_or("json"), body).await;
    }
    judge(&place.discord.lock());
    place.discord.voice().close_all();
    PLACE.set(Some(place));
}

/// Starts an interaction.
fn start(place: &Place, ids: &mut Ids, kind: &str) {
    let kind = kind.parse().unwrap_or(2);
    let mut live = place.discord.lock();
    let Some(channel) = live.channels.values().find(|channel| channel.name == "general") else { return };
    let (channel, last) = (channel.id, channel.last_message_id);
    let (Some(user), Some(bot)) =
        (live.find_user("alice").map(|user| user.id), live.applications.keys().next().copied())
    else {
        return;
    };
    let data = match kind {
        2 | 4 => json!({ "id": "1", "name": "ping", "type": 1 }),
        3 => json!({ "custom_id": "x", "component_type": 2 }),
        _ => json!({ "custom_id": "x", "components": [] }),
    };
    let command = matches!(kind, 2 | 4).then(|| ("ping".to_owned(), 1));
    let message = last.filter(|_| kind == 3);
    let trigger = Trigger { application: bot, kind, user, channel, data, message, command, opener: None };
    let Ok(started) = live.start(&trigger) else { return };
    let Some(interaction) = live.interactions.get(started.id) else { return };
    ids.set("$k", interaction.token.clone());
    ids.set("$i", started.id.to_string());
}

/// Returns whether a request waits, reads without end, or injects a fault.
fn is_left_out(path: &str, body: &[u8]) -> bool {
    ["/sandbox/log", "/sandbox/faults"].iter().any(|left| path.starts_with(left))
        || path.starts_with("/sandbox/interactions") && body.windows(3).any(|word| word == b"_ms")
        // The gateway handles no requests.
        || path.split('?').next() == Some("/")
}

async fn send(place: &Place, ids: &mut Ids, method: &str, path: &str, kind: &str, body: Vec<u8>) {
    let is_control = path.starts_with("/sandbox");
    // After decoding its escapes, a path may be one that is left out.
    if !path.starts_with('/') || is_left_out(path, &body) || path.contains('%') && is_control {
        return;
    }
    let is_file = path.starts_with("/attachments");
    let path = if is_control || is_file || path.starts_with("/api") {
        path.to_owned()
    } else {
        format!("/api/v10{path}")
    };
    let content_type = match kind {
        "form" => "application/x-www-form-urlencoded",
        "parts" => "multipart/form-data; boundary=x",
        "text" => "text/plain",
        _ => "application/json",
    };
    let authorization = match (kind, is_control) {
        ("none", _) => String::new(),
        (_, true) => format!("Bearer {SECRET}"),
        (_, false) => format!("Bot {TOKEN}"),
    };
    let request = Request::builder().method(method).uri(&path).header(CONTENT_TYPE, content_type);
    let request = request.header("host", "127.0.0.1:8787").header(AUTHORIZATION, authorization);
    let Ok(request) = request.body(Body::from(body)) else { return };
    let Ok(response) = place.router.clone().oneshot(request).await;
    let Some(answer) = read(response, method, &path).await else { return };
    for (field, name) in [("id", "$x"), ("token", "$k"), ("code", "$n")] {
        if let Some(text) = answer[field].as_str() {
            ids.set(name, text.to_owned());
        }
    }
    look_again(place, method, &path, &answer).await;
}

/// Reads an answer and checks that it has the form of Discord's.
async fn read(response: Response, method: &str, path: &str) -> Option<Value> {
    let status = response.status();
    assert!(status.as_u16() < 500, "{method} {path}: {status}");
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or_default().to_owned();
    let bytes = axum::body::to_bytes(response.into_body(), LONGEST).await;
    let bytes = bytes.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
    if status == StatusCode::NO_CONTENT {
        assert!(bytes.is_empty(), "{method} {path}: {status} with a body");
    }
    let is_success = status.is_success();
    if method == "HEAD" || bytes.is_empty() && is_success || is_success && !path.starts_with("/api") {
        return serde_json::from_slice(&bytes).ok();
    }
    assert!(kind.starts_with("application/json"), "{method} {path}: {status} of {kind:?}");
    let answer: Value =
        serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{method} {path}: {status}: {error}"));
    if status.is_client_error() {
        let is_told = answer["message"].is_string() && answer["code"].is_u64() || answer["error"].is_string();
        assert!(is_told, "{method} {path}: {status}: {answer}");
    }
    is_success.then_some(answer)
}

/// Reads an object that was created, and checks that it equals the answer to its creation.
async fn look_again(place: &Place, method: &str, path: &str, made: &Value) {
    let path = path.split('?').next().unwrap_or_default().trim_end_matches('/');
    let is_kept = path.contains("/channels/") && path.ends_with("/messages")
        || path.contains("/guilds/") && (path.ends_with("/roles") || path.ends_with("/emojis"));
    let Some(id) = made["id"].as_str().filter(|_| method == "POST" && is_kept) else { return };
    if path.starts_with("/sandbox") {
        return;
    }
    let request = Request::get(format!("{path}/{id}")).header("host", "127.0.0.1:8787");
    let request = request.header(AUTHORIZATION, format!("Bot {TOKEN}")).body(Body::empty());
    let Ok(request) = request else { panic!("{path}/{id} is no address") };
    let Ok(response) = place.router.clone().oneshot(request).await;
    // Another request may have created it in a channel that the bot cannot see.
    if response.status() == StatusCode::FORBIDDEN {
        return;
    }
    let seen = read(response, "GET", path).await;
    assert_eq!(seen.as_ref(), Some(made), "{path}");
}

/// Checks the whole world: each id refers to an existing object, and the READY of a new bot lists it.
fn judge(world: &World) {
    for guild in world.guilds.values() {
        for bot in world.applications.keys().filter(|bot| guild.members.contains_key(*bot)) {
            let told = world.guild_create_json(guild, *bot);
            assert!(told.is_object());
        }
        assert!(guild.channels.iter().all(|id| world.channels.contains_key(id)), "a channel that is gone");
        let roles = guild.members.values().flat_map(|member| &member.roles);
        assert!(roles.into_iter().all(|role| guild.roles.contains_key(role)), "a role that is gone");
        assert!(guild.members.keys().all(|user| world.users.contains_key(user)), "a member that is nobody");
    }
}
