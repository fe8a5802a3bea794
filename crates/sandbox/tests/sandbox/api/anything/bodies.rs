//! Bodies: JSON of the keys that bodies have, with values that fit them or do not.

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use serde_json::{Map, Value, json};

use super::Known;

/// Keys of bodies, by what they belong to.
const KEYS: &str = include_str!("../../../../../discord-rules/tests/keys.txt");

/// Returns the body of an operation, mostly with the keys of what it is about.
pub(super) fn about(template: &str, known: &Known, random: &mut StdRng) -> Value {
    let words = [
        ("/callback", "Answers"),
        ("/messages", "Messages"),
        ("{webhook_token}", "Messages"),
        ("/commands", "Commands"),
        ("/auto-moderation", "Auto"),
        ("/scheduled-events", "Events"),
        ("/stage", "Events"),
        ("/members", "Members"),
        ("/roles", "Members"),
        ("/bans", "Members"),
        ("/invites", "Members"),
        ("/permissions", "Channels"),
        ("/emojis", "Emojis"),
        ("/stickers", "Emojis"),
        ("/soundboard", "Emojis"),
        ("/lobbies", "Lobbies"),
        ("/partner", "Lobbies"),
        ("/applications", "Applications"),
        ("/users", "Applications"),
        ("/webhooks", "Channels"),
        ("/channels", "Channels"),
        ("/threads", "Channels"),
        ("/guilds", "Guilds"),
    ];
    let word = words.iter().find(|(part, _)| template.contains(part)).map(|(_, word)| *word);
    let one = |random: &mut StdRng| match word.filter(|_| random.random_ratio(3, 4)) {
        Some(word) => filled(KEYS.lines().find(|line| line.starts_with(word)).unwrap(), known, random, 4),
        None => object(known, random, 4),
    };
    if !template.ends_with('}') && random.random_ratio(1, 6) {
        // Some bodies are lists.
        return (0..random.random_range(0..4)).map(|_| one(random)).collect();
    }
    one(random)
}

/// Returns an object with the keys of something.
fn object(known: &Known, random: &mut StdRng, depth: u32) -> Value {
    let lines: Vec<&str> = KEYS.lines().collect();
    filled(lines.choose(random).unwrap(), known, random, depth)
}

/// Returns an object with some keys of a line.
fn filled(line: &str, known: &Known, random: &mut StdRng, depth: u32) -> Value {
    let (_, keys) = line.split_once(": ").unwrap();
    let keys: Vec<&str> = keys.split(' ').collect();
    let mut object = Map::new();
    // Few fields are all right more often than many.
    let most = *[1, 2, 3, 8].choose(random).unwrap();
    if keys.contains(&"name") && random.random_ratio(1, 2) {
        object.insert("name".to_owned(), format!("n{}", random.random_range(0..50)).into());
    }
    let tidy = random.random_ratio(1, 2);
    for _ in 0..random.random_range(0..=most) {
        let key = *keys.choose(random).unwrap();
        let value = match fitting(key, known, random) {
            Some(value) if tidy || random.random_ratio(2, 3) => value,
            None if tidy => continue,
            _ => self::value(known, random, depth),
        };
        object.insert(key.to_owned(), value);
    }
    object.into()
}

/// Returns a value that this key mostly takes, so that requests succeed too.
fn fitting(key: &str, known: &Known, random: &mut StdRng) -> Option<Value> {
    Some(match key {
        "name" => format!("n{}", random.random_range(0..50)).into(),
        "content" | "title" | "description" | "text" | "topic" | "label" | "question" | "nick" | "reason" => {
            json!("some text")
        }
        "custom_id" | "value" => format!("c{}", random.random_range(0..9)).into(),
        "type" | "entity_type" | "trigger_type" | "event_type" => random.random_range(0..18).into(),
        "style" => random.random_range(1..7).into(),
        "flags" => (*[0, 4, 64, 4096, 8192, 32768].choose(random).unwrap()).into(),
        "nonce" => json!("n"),
        "url" | "icon_url" => json!("https://a.example/b.png"),
        "image" | "icon" | "avatar" | "banner" => json!(crate::api::bot::PNG),
        "tts" | "hoist" | "mentionable" | "nsfw" | "enabled" | "archived" | "locked" | "inline"
        | "required" | "temporary" | "unique" | "invitable" | "replied_user" => {
            random.random::<bool>().into()
        }
        "color" | "position" | "rate_limit_per_user" | "user_limit" | "max_age" | "max_uses" => {
            random.random_range(0..60).into()
        }
        "permissions" | "allow" | "deny" => random.random_range(0..1_u64 << 52).to_string().into(),
        "auto_archive_duration" => json!(60),
        "privacy_level" => json!(2),
        "scheduled_start_time" => json!("2130-01-01T00:00:00Z"),
        "scheduled_end_time" => json!("2130-01-02T00:00:00Z"),
        "entity_metadata" => json!({ "location": "somewhere" }),
        "embeds" => json!([{ "title": "t", "fields": [{ "name": "n", "value": "v" }] }]),
        "poll" => {
            json!({ "question": { "text": "q" }, "answers": [{ "poll_media": { "text": "a" } }] })
        }
        "components" => json!([{ "type": 1, "components": [
            { "type": 2, "style": 1, "label": "l", "custom_id": "c" } ] }]),
        "channel_id" | "message_id" | "guild_id" | "user_id" | "role_ids" | "parent_id" | "id" => {
            known.some(key, random).or_else(|| known.some("id", random)).into()
        }
        "messages" => {
            (0..random.random_range(2..6)).filter_map(|_| known.some("message_id", random)).collect()
        }
        _ => return None,
    })
}

pub(super) fn value(known: &Known, random: &mut StdRng, depth: u32) -> Value {
    match random.random_range(0..if depth == 0 { 9 } else { 14 }) {
        0 => Value::Null,
        1 => random.random::<bool>().into(),
        2 => random.random_range(-2..20).into(),
        3 => random.random::<i64>().into(),
        4 => json!(f64::from_bits(random.random::<u64>() >> 2)),
        5 => "x".repeat(random.random_range(0..300)).into(),
        6 => known.some("id", random).into(),
        7 => (*[
            "\u{1f44d}",
            "de",
            "@everyone",
            "2130-01-01T00:00:00Z",
            "-99999-01-01",
            "\0",
            "\u{202e}",
            "users",
        ]
        .choose(random)
        .unwrap())
        .into(),
        8 => json!(""),
        9..12 => object(known, random, depth - 1),
        _ => (0..random.random_range(0..4)).map(|_| value(known, random, depth - 1)).collect(),
    }
}
