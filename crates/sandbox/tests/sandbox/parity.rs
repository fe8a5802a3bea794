//! What the sandbox lacks is said: by 501, in the log, in the statistics, and in `docs/parity.md`.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use reqwest::Method;
use sandbox::Sandbox;
use sandbox::event_log::{Event, Kind};
use sandbox::parity::{EVENTS, OPERATIONS, Operation, WEBHOOK_EVENTS, page};
use sandbox::ratelimit::Config;
use serde_json::{Value, json};

use crate::api::bot::{Bot, DISCORD, text};

/// Returns a path of an operation, with some value for every parameter.
fn filled(template: &str) -> String {
    let part = |part: &str| match part.strip_prefix('{') {
        Some(name) if name.ends_with("id}") => "1".to_owned(),
        Some(_) => "x".to_owned(),
        None => part.to_owned(),
    };
    template.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// Returns the operations that have a route: those that are not answered with 501.
async fn with_a_route() -> HashSet<&'static str> {
    let sandbox = Sandbox::builder().rate_limits(Config::off()).start().await.unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut found = HashSet::new();
    for Operation { method, path, name } in OPERATIONS.iter() {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let url = format!("{}{}", sandbox.api_url(), filled(path));
        // Without a token nothing is changed: every route is found before a token is looked for.
        let answer = client.request(method, url).send().await.unwrap();
        if answer.status() != 501 {
            found.insert(*name);
        }
    }
    found
}

#[tokio::test]
async fn the_page_of_parity_says_what_the_routes_are() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/parity.md");
    let routes = with_a_route().await;
    let page = page(|operation| routes.contains(operation.name));
    if std::env::var_os("UPDATE_DOCS").is_some_and(|value| !value.is_empty()) {
        std::fs::write(&file, &page).unwrap();
        return;
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    let differs = page.lines().zip(kept.lines().chain(std::iter::repeat(""))).find(|(now, kept)| now != kept);
    assert!(kept == page, "docs/parity.md is stale; renew it with ./dev-env.sh docs: {differs:?}");
}

#[test]
fn the_list_of_operations_is_discords() {
    let Some(api) = &*DISCORD else { return };
    let here = OPERATIONS.iter().map(|Operation { method, path, name }| format!("{method} {path} {name}"));
    let (here, there): (BTreeSet<String>, BTreeSet<String>) =
        (here.collect(), api.operations().into_iter().collect());
    let missing: Vec<_> = there.difference(&here).collect();
    let gone: Vec<_> = here.difference(&there).collect();
    assert!(
        missing.is_empty() && gone.is_empty(),
        "src/parity/operations.txt lacks {missing:#?}, and Discord has no {gone:#?}"
    );
}

/// Returns the code of the sandbox, without what only lists events.
fn sources(folder: &Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let lists = ["parity", "fuzzing", "tests"].contains(&name)
            || ["intents.rs", "content.rs", "event.rs", "tests.rs", "fuzzing.rs"].contains(&name);
        if path.is_dir() && !lists {
            text += &sources(&path);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !lists {
            // Unit tests stand at the end of a file.
            let code = std::fs::read_to_string(&path).unwrap();
            text += code.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        }
    }
    text
}

#[test]
fn every_event_is_sent() {
    let code = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    for event in EVENTS {
        assert!(code.contains(&format!("\"{}\"", event.name)), "nothing sends {}", event.name);
    }
    for event in WEBHOOK_EVENTS {
        assert_eq!(code.contains(&format!("\"{}\"", event.name)), event.sent, "{}", event.name);
    }
}

#[test]
fn the_list_of_webhook_events_is_that_of_the_rules() {
    let here: BTreeSet<&str> = WEBHOOK_EVENTS.iter().map(|event| event.name).collect();
    let rules: BTreeSet<&str> = sandbox::validate::application::WEBHOOK_EVENTS.iter().copied().collect();
    assert_eq!(here, rules);
}

#[tokio::test]
async fn a_missing_operation_is_named_logged_and_counted() {
    let routes = with_a_route().await;
    let Some(missing) = OPERATIONS.iter().find(|operation| !routes.contains(operation.name)) else {
        eprintln!("skipped: no operation of Discord's is missing");
        return;
    };
    let Operation { method, path, name } = *missing;
    let bot = Bot::start().await;
    let verb = Method::from_bytes(method.as_bytes()).unwrap();
    for _ in 0..2 {
        let answer = bot.expect(501, verb.clone(), &filled(path), &json!({})).await;
        let message = text(&answer["message"]);
        assert!(message.contains(&format!("{name} ({method} {path})")), "{message}");
    }
    let stats = bot.user.stats().await.unwrap();
    let expected = json!({ "operation": name, "method": method, "path": path, "requests": 2 });
    assert_eq!(stats["missing"], json!([expected]));
    assert_eq!(stats["record"]["not_implemented"], 2);
    let id = bot.sandbox.bot_id();
    let log = bot.sandbox.event_log().read(1, usize::MAX).entries;
    let logged = log.iter().filter(|entry| {
        matches!(&entry.event, Event::NotImplemented { operation, bot: Some(bot), .. } if *operation == name && *bot == id)
    });
    assert_eq!(logged.count(), 2);
}

#[tokio::test]
async fn what_discord_lacks_too_is_answered_as_discord_answers() {
    let bot = Bot::start().await;
    bot.expect(404, Method::GET, "/guilds", &Value::Null).await;
    bot.expect(404, Method::GET, &format!("{}/frogs", bot.guild()), &Value::Null).await;
    bot.expect(405, Method::PATCH, "/gateway", &Value::Null).await;
    assert_eq!(bot.user.stats().await.unwrap()["missing"], json!([]));
}

#[tokio::test]
async fn a_field_that_no_route_reads_is_named_once() {
    let bot = Bot::start().await;
    let messages = format!("{}/messages", bot.channel("general"));
    for colour in [1, 2] {
        bot.post(
            &messages,
            json!({ "content": "a", "frog": 1, "embeds": [{ "title": "b", "colour": colour }] }),
        )
        .await;
    }
    // A refused body is answered, not logged; a body that is not read at all is.
    bot.expect(400, Method::POST, &messages, &json!({ "content": 1, "embeds": 1, "toad": 1 })).await;
    bot.expect(204, Method::POST, &format!("{}/typing", bot.channel("general")), &json!({ "newt": 1 })).await;
    bot.expect(200, Method::PATCH, "/applications/@me", &json!({ "tags": [], "tadpole": 1 })).await;

    let stats = bot.user.stats().await.unwrap();
    let expected = |method: &str, route: &str, field: &str, requests: u64| json!({ "method": method, "route": route, "field": field, "requests": requests });
    let messages = "/channels/{channel.id}/messages";
    assert_eq!(
        stats["unread_fields"],
        json!([
            expected("PATCH", "/applications/@me", "tadpole", 1),
            expected("POST", messages, "embeds[].colour", 2),
            expected("POST", messages, "frog", 2),
            expected("POST", "/channels/{channel.id}/typing", "newt", 1),
        ])
    );
    assert_eq!(bot.sandbox.event_log().count(Kind::UnreadField), 4);
}
