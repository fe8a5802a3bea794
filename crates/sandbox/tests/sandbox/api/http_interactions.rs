//! Interactions over HTTP: the endpoint gets them in place of the gateway, and its answers are responses.

use std::time::{Duration, Instant};

use axum::http::{StatusCode, header};
use reqwest::Method;
use sandbox::client::Run;
use sandbox::fault::{GatewayEffect, GatewayRule, On, Rule};
use sandbox::ratelimit::Config;
use sandbox::{Answer, Sandbox};
use serde_json::{Value, json};

use crate::api::bot::{Bot, PATIENCE, text};
use crate::api::http_bot::{HttpBot, SHORT, delivery, endless};

/// Starts a bot whose users wait only shortly for answers.
pub(crate) async fn impatient() -> Bot {
    let builder = Sandbox::builder().rate_limits(Config::off()).response_deadline(SHORT);
    let bot = Bot::start_with(builder).await;
    bot.register(json!({ "name": "ping", "description": "d" })).await;
    bot
}

async fn with_ping() -> (Bot, HttpBot) {
    let bot = Bot::start().await;
    bot.register(json!({ "name": "ping", "description": "d" })).await;
    let http = HttpBot::takes_interactions(&bot).await;
    (bot, http)
}

/// Runs /ping while the endpoint does this with the request.
async fn ping(bot: &Bot, http: &mut HttpBot, answer: Value) -> (Value, Answer) {
    let asked = async {
        let got = http.next().await;
        let interaction = got.body.clone();
        got.json(&answer);
        interaction
    };
    let (interaction, answer) = tokio::join!(asked, bot.user.say("/ping"));
    (interaction, answer.unwrap())
}

#[tokio::test]
async fn a_command_goes_to_the_endpoint_and_its_answer_is_the_response() {
    let (mut bot, mut http) = with_ping().await;
    let from = bot.sandbox.event_log().newest() + 1;
    let response =
        json!({ "type": 4, "data": { "content": "pong", "embeds": [{ "title": "t" }], "colour": 1 } });
    let (interaction, answer) = ping(&bot, &mut http, response).await;
    assert_eq!((answer.content.as_str(), answer.embeds.len(), answer.error), ("pong", 1, None));
    assert_eq!((answer.callbacks, answer.deferred), (1, false));
    assert!(answer.latency_ms.is_some_and(|ms| ms > 0.0));
    for (field, value) in [
        ("type", json!(2)),
        ("version", json!(1)),
        ("context", json!(0)),
        ("entitlements", json!([])),
        ("application_id", json!(bot.sandbox.bot_id())),
        ("attachment_size_limit", json!(10 << 20)),
    ] {
        assert_eq!(interaction[field], value, "{field}");
    }
    assert_eq!(interaction["data"]["name"], "ping");
    let message = bot.event("MESSAGE_CREATE").await;
    assert_eq!(message["interaction_metadata"]["id"], interaction["id"]);

    // What follows is as with the gateway.
    let webhook = bot.webhook(&interaction);
    bot.post(&webhook, json!({ "content": "more" })).await;
    let original = format!("{webhook}/messages/@original");
    let edited = bot.expect(200, Method::PATCH, &original, &json!({ "content": "edited" })).await;
    assert_eq!(edited["content"], "edited");
    let (status, twice) = bot.callback(&interaction, json!({ "type": 4, "data": { "content": "a" } })).await;
    assert_eq!((status, &twice["code"]), (400, &json!(40060)));
    assert!(bot.pending().iter().all(|name| name != "INTERACTION_CREATE"));

    let (_, logged) = delivery(&bot, from).await;
    assert_eq!((logged.event.as_str(), logged.url.as_str()), ("INTERACTION_CREATE", http.url.as_str()));
    assert_eq!((logged.status, logged.failure, logged.attempt), (Some(200), None, 1));
    let sent = logged.request.unwrap().json().unwrap();
    assert!(text(&sent["token"]).starts_with("[redacted "));
    assert_eq!((&sent["id"], &sent["data"]), (&interaction["id"], &interaction["data"]));
    assert_eq!(logged.response.unwrap().json().unwrap()["data"]["content"], "pong");
    let unread = &bot.user.stats().await.unwrap()["unread_fields"][0];
    assert_eq!((&unread["field"], &unread["method"]), (&json!("data.colour"), &json!("POST")));

    // Without the address they are on the gateway again.
    let none = json!({ "interactions_endpoint_url": null });
    bot.expect(200, Method::PATCH, "/applications/@me", &none).await;
    let user = bot.user.clone();
    let answer = json!({ "type": 4, "data": { "content": "by the gateway" } });
    assert_eq!(bot.answers(user.say("/ping"), answer).await.1.content, "by the gateway");
    assert!(http.is_quiet());
}

#[tokio::test]
async fn requests_have_discords_headers() {
    let (bot, mut http) = with_ping().await;
    let before = now();
    let asked = async {
        let got = http.next().await;
        let header = |name: &str| got.headers[name].to_str().unwrap().to_owned();
        let found = ["content-type", "user-agent", "x-signature-timestamp"].map(header);
        got.json(&json!({ "type": 4, "data": { "content": "a" } }));
        found
    };
    let ([kind, agent, timestamp], _) = tokio::join!(asked, bot.user.say("/ping"));
    assert_eq!(kind, "application/json");
    assert_eq!(agent, "Discord-Interactions/1.0 (+https://discord.com)");
    assert!((before..=now()).contains(&timestamp.parse().unwrap()), "{timestamp}");
}

fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

#[tokio::test]
async fn an_answer_is_deferred_or_comes_as_a_callback() {
    let (bot, mut http) = with_ping().await;
    let asked = async {
        let got = http.next().await;
        let webhook = bot.webhook(&got.body);
        got.json(&json!({ "type": 5 }));
        delivery(&bot, bot.sandbox.event_log().newest()).await;
        let original = format!("{webhook}/messages/@original");
        bot.expect(200, Method::PATCH, &original, &json!({ "content": "thought" })).await;
    };
    let ((), answer) = tokio::join!(asked, bot.user.say("/ping"));
    let answer = answer.unwrap();
    assert_eq!((answer.content.as_str(), answer.deferred), ("thought", true));

    let asked = async {
        let got = http.next().await;
        let interaction = got.body.clone();
        got.reply(StatusCode::ACCEPTED);
        let (_, logged) = delivery(&bot, bot.sandbox.event_log().newest()).await;
        assert_eq!((logged.status, logged.failure), (Some(202), None));
        bot.callback(&interaction, json!({ "type": 4, "data": { "content": "called back" } })).await
    };
    let (called, answer) = tokio::join!(asked, bot.user.say("/ping"));
    let answer = answer.unwrap();
    assert_eq!((called.0, answer.content.as_str(), answer.error), (204, "called back", None));
}

#[tokio::test]
async fn components_modals_and_autocompletion_go_to_the_endpoint() {
    let (bot, mut http) = with_ping().await;
    let option = json!({ "name": "tea", "description": "d", "type": 3, "autocomplete": true });
    bot.register(json!({ "name": "drink", "description": "d", "options": [option] })).await;

    let completed = async {
        let got = http.next().await;
        let focused = got.body["data"]["options"][0]["focused"].clone();
        got.json(&json!({ "type": 8, "data": { "choices": [{ "name": "Green", "value": "g" }] } }));
        focused
    };
    let (focused, choices) = tokio::join!(completed, bot.user.complete(Run::typed("/drink tea:gr")));
    assert_eq!((focused, &choices.unwrap().choices.unwrap()[0]["value"]), (json!(true), &json!("g")));

    let button = json!({ "type": 2, "style": 1, "custom_id": "go", "label": "Go" });
    let row = json!({ "type": 1, "components": [button] });
    let response = json!({ "type": 4, "data": { "content": "panel", "components": [row] } });
    let (_, panel) = ping(&bot, &mut http, response).await;
    let message = panel.message.unwrap()["id"].clone();

    let pressed = async {
        let got = http.next().await;
        let interaction = got.body.clone();
        let field = json!({ "type": 4, "custom_id": "name", "label": "Name", "style": 1 });
        let row = json!({ "type": 1, "components": [field] });
        got.json(
            &json!({ "type": 9, "data": { "custom_id": "form", "title": "Form", "components": [row] } }),
        );
        interaction
    };
    let press = bot.user.press("alice", crate::api::bot::id(&message), "go");
    let (interaction, opened) = tokio::join!(pressed, press);
    let opened = opened.unwrap();
    assert_eq!((&interaction["type"], &interaction["message"]["id"]), (&json!(3), &message));
    assert_eq!(opened.modal.unwrap()["custom_id"], "form");

    // A response with a file is a form.
    let submitted = async {
        let got = http.next().await;
        let interaction = got.body.clone();
        let attachments = json!([{ "id": 0, "description": "a list" }]);
        let data = json!({ "content": "done", "attachments": attachments });
        got.file(&json!({ "type": 4, "data": data }), "list.txt", "one\ntwo");
        interaction
    };
    let values = json!({ "interaction": opened.interaction, "values": { "name": "Pat" } });
    let submit = bot.user.modal(&values);
    let (interaction, answer) = tokio::join!(submitted, submit);
    let message = answer.unwrap().message.unwrap();
    assert_eq!(interaction["type"], 5);
    let file = &message["attachments"][0];
    assert_eq!(
        (&message["content"], &file["filename"], &file["description"]),
        (&json!("done"), &json!("list.txt"), &json!("a list"))
    );
    let bytes = reqwest::get(text(&file["url"])).await.unwrap().bytes().await.unwrap();
    assert_eq!(bytes, b"one\ntwo".as_slice());
}

#[tokio::test]
async fn a_failed_request_tells_the_user_at_once_and_the_developer_why() {
    let bot = Bot::start().await;
    bot.register(json!({ "name": "ping", "description": "d" })).await;
    let mut http = HttpBot::takes_interactions(&bot).await;
    let began = Instant::now();
    for (status, kind, body, expected) in [
        (500, "", "", "answered with 500, and not with 200 and a response, or 202 and no body"),
        (204, "", "", "answered with 204, and not"),
        (302, "", "", "answered with 302 (redirects are not followed)"),
        (200, "application/json", "{", "is refused: {\"code\":50109"),
        (200, "application/json", "{\"type\": 1}", "is refused: {\"code\":50035"),
        (200, "application/json", "{\"type\": 4}", "BASE_TYPE_REQUIRED"),
        (200, "application/json", "", "BASE_TYPE_REQUIRED"),
        (200, "text/html", "{\"type\": 5}", "CONTENT_TYPE_INVALID"),
    ] {
        let from = bot.sandbox.event_log().newest() + 1;
        let asked = async {
            let status = StatusCode::from_u16(status).unwrap();
            http.next().await.reply((status, [(header::CONTENT_TYPE, kind)], body));
        };
        let ((), answer) = tokio::join!(asked, bot.user.say("/ping"));
        let answer = answer.unwrap();
        assert_eq!(answer.error.as_deref(), Some("The application did not respond"));
        let hint = answer.hint.unwrap();
        assert!(hint.contains(&http.url) && hint.contains(expected) && hint.ends_with('.'), "{hint}");
        let (_, logged) = delivery(&bot, from).await;
        assert_eq!((logged.status, Some(logged.failure.unwrap() + ".")), (Some(status), Some(hint)));
    }
    let totals = &bot.user.stats().await.unwrap()["interactions"];
    assert_eq!(totals["unanswered"], 8, "{totals}");
    http.stop().await;
    let answer = bot.user.say("/ping").await.unwrap();
    assert!(answer.hint.unwrap().contains("can't be reached: Connection refused"));
    assert!(began.elapsed() < PATIENCE, "a failure waited for the deadline");
}

#[tokio::test]
async fn a_slow_or_endless_answer_is_none() {
    let bot = impatient().await;
    let mut http = HttpBot::takes_interactions(&bot).await;
    // What the user sees is the deadline's end or the failed request, whichever comes first.
    let from = bot.sandbox.event_log().newest() + 1;
    let (got, answer) = tokio::join!(http.next(), bot.user.say("/ping"));
    assert_eq!(answer.unwrap().error.as_deref(), Some("The application did not respond"));
    let (_, logged) = delivery(&bot, from).await;
    assert!(logged.failure.unwrap().ends_with("gave no answer within 0.3 s"));
    // Its token is void.
    let late = bot.callback(&got.body, json!({ "type": 4, "data": { "content": "late" } })).await;
    assert_eq!(late.1["code"], 10062);

    // 202 promises a callback.
    let asked = async { http.next().await.reply(StatusCode::ACCEPTED) };
    let ((), answer) = tokio::join!(asked, bot.user.say("/ping"));
    assert!(answer.unwrap().hint.unwrap().contains("answered with 202, and no callback came"));

    let (bot, mut http) = with_ping().await;
    let asked = async { http.next().await.reply(endless()) };
    let ((), answer) = tokio::join!(asked, bot.user.say("/ping"));
    assert!(answer.unwrap().hint.unwrap().contains("answered with more than 67108864 bytes"));
}

#[tokio::test]
async fn faults_for_interactions_strike_requests_too() {
    let bot = impatient().await;
    let mut http = HttpBot::takes_interactions(&bot).await;
    let add = |effect: GatewayEffect, delay: u64| {
        let event = Some("INTERACTION_CREATE".to_owned());
        let rule = Rule::new(On::Dispatch(GatewayRule { event, effect, ..GatewayRule::default() }));
        bot.sandbox.faults().add(rule.times(1).delayed(delay))
    };
    add(GatewayEffect::Reconnect, 0);
    let rule = add(GatewayEffect::Patch { merge: json!({ "locale": "tlh" }) }, 0);
    let from = bot.sandbox.event_log().newest() + 1;
    let (interaction, _) = ping(&bot, &mut http, json!({ "type": 4, "data": { "content": "a" } })).await;
    assert_eq!(interaction["locale"], "tlh");
    assert_eq!(delivery(&bot, from).await.1.fault, Some(rule));

    add(GatewayEffect::Ignore, 0);
    assert!(bot.user.say("/ping").await.unwrap().error.is_some());
    assert!(http.is_quiet());

    let rule = add(GatewayEffect::Sever, 0);
    let hint = bot.user.say("/ping").await.unwrap().hint.unwrap();
    assert!(hint.contains(&format!("fault {rule} has dropped the connection")), "{hint}");

    add(GatewayEffect::Truncate { bytes: 10 }, 0);
    let asked = async {
        let got = http.next().await;
        let body = got.body.clone();
        got.reply(StatusCode::BAD_REQUEST);
        body
    };
    let (body, _) = tokio::join!(asked, bot.user.say("/ping"));
    assert_eq!(text(&body).len(), 10);

    add(GatewayEffect::Pass, u64::try_from(SHORT.as_millis()).unwrap() / 2);
    let began = Instant::now();
    ping(&bot, &mut http, json!({ "type": 4, "data": { "content": "a" } })).await;
    assert!(began.elapsed() >= SHORT / 2);

    add(GatewayEffect::Duplicate { extra: 1 }, 0);
    let asked = async {
        for _ in 0..2 {
            http.next().await.json(&json!({ "type": 4, "data": { "content": "a" } }));
        }
    };
    let run = bot.user.run(Run::typed("/ping").settle(Duration::from_millis(100)));
    let ((), answer) = tokio::join!(asked, run);
    assert!(answer.unwrap().is_ok());
    assert_eq!(bot.user.stats().await.unwrap()["interactions"]["doubled"], 1);
}
