//! The layers in front of REST handlers, from an HTTP client's side: the log, injected faults, rate limits.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::extract::Path;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use reqwest::{Client, Response, StatusCode};
use sandbox::event_log::{Body, Event, EventLog, Request};
use sandbox::fault::{
    Connection, ErrorBody, Faults, LimitScope, Listener, On, RequestEffect, RequestRule, Rule,
};
use sandbox::parity::Gaps;
use sandbox::ratelimit::{BucketRule, Config, Edge, Extra, Limits};
use sandbox::snowflake::Snowflake;
use sandbox::state::clock::Clock;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const TOKEN: &str = "Bot a.secret.token";
/// Longer than anything here takes. Only a failing test waits that long.
const PATIENCE: Duration = Duration::from_mins(1);

struct Server {
    address: SocketAddr,
    client: Client,
    log: EventLog,
    faults: Faults,
    /// How often a handler ran.
    handled: Arc<AtomicUsize>,
}

async fn create_message(
    Path(channel): Path<String>,
    Extension(handled): Extension<Arc<AtomicUsize>>,
    Json(body): Json<Value>,
) -> impl IntoResponse {
    handled.fetch_add(1, Ordering::SeqCst);
    let extra = Extra { bot: Some(Snowflake(7)), body_read: true, ..Extra::default() };
    (Extension(extra), Json(json!({"id": "1", "channel_id": channel, "content": body["content"]})))
}

impl Server {
    async fn start(limits: Config) -> Self {
        let (log, faults, handled) = (EventLog::default(), Faults::default(), Arc::<AtomicUsize>::default());
        let router = Router::new()
            .route("/api/v10/channels/{channel}/messages", post(create_message))
            .route("/api/v10/users/@me", get(|| async { Json(json!({"id": "7"})) }))
            .route("/api/v10/interactions/{id}/{token}/callback", post(|| async { StatusCode::NO_CONTENT }))
            .layer(Extension(handled.clone()));
        let edge = Edge {
            log: log.clone(),
            faults: faults.clone(),
            limits: Limits::new(limits, Clock::default()),
            gaps: Gaps::default(),
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = edge.guard(router).into_make_service_with_connect_info::<Connection>();
        tokio::spawn(async move { axum::serve(Listener::new(listener), service).await.unwrap() });
        Self { address, client: Client::builder().no_proxy().build().unwrap(), log, faults, handled }
    }

    fn fault(&self, effect: RequestEffect) -> u64 {
        let path = Some("/channels/*/messages".to_owned());
        self.faults
            .add(Rule::new(On::Request(RequestRule { method: Some("post".into()), path, effect })).times(1))
    }

    async fn send(&self) -> reqwest::Result<Response> {
        let url = format!("http://{}/api/v10/channels/5/messages", self.address);
        self.client.post(url).header("authorization", TOKEN).json(&json!({"content": "hi"})).send().await
    }

    async fn get(&self, path: &str) -> Response {
        let url = format!("http://{}{path}", self.address);
        self.client.get(url).header("authorization", TOKEN).send().await.unwrap()
    }

    /// Waits for the recorded request and returns it.
    async fn recorded(&self) -> Request {
        let is_request = |entry: &sandbox::event_log::Entry| matches!(entry.event, Event::Request(_));
        let entry = self.log.wait_for(1, PATIENCE, is_request).await.unwrap();
        match &entry.event {
            Event::Request(request) => (**request).clone(),
            other => panic!("{other:?}"),
        }
    }

    fn handled(&self) -> usize {
        self.handled.load(Ordering::SeqCst)
    }
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn a_request_is_recorded_with_its_bodies_and_carries_its_bucket() {
    let server = Server::start(Config::default()).await;
    let response = server.send().await.unwrap();
    assert_eq!(header(&response, "x-ratelimit-limit"), "5");
    assert_eq!(header(&response, "x-ratelimit-remaining"), "4");
    let reset_after: f64 = header(&response, "x-ratelimit-reset-after").parse().unwrap();
    assert!((4.0..=5.0).contains(&reset_after), "{reset_after}");
    let bucket = header(&response, "x-ratelimit-bucket").to_owned();
    assert_eq!(response.json::<Value>().await.unwrap()["content"], "hi");

    let request = server.recorded().await;
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/channels/5/messages"));
    assert_eq!(request.route, "/channels/{channel.id}/messages");
    assert_eq!((request.status, request.bot, request.bucket), (Some(200), Some(Snowflake(7)), Some(bucket)));
    assert_eq!(request.request.and_then(|body| body.json()), Some(json!({"content": "hi"})));
    assert_eq!(request.response.and_then(|body| body.json()).unwrap()["channel_id"], "5");
}

#[tokio::test]
async fn what_is_no_json_is_recorded_by_its_length_and_still_arrives() {
    let server = Server::start(Config::default()).await;
    let url = format!("http://{}/api/v10/channels/5/messages", server.address);
    let request = server.client.post(url).header("content-type", "multipart/form-data").body("0123456789");
    assert_eq!(request.send().await.unwrap().status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let omitted = Body::Omitted { content_type: "multipart/form-data".into(), bytes: Some(10) };
    assert_eq!(server.recorded().await.request, Some(omitted));
}

#[tokio::test]
async fn no_token_reaches_the_record() {
    let server = Server::start(Config::default()).await;
    let url = format!("http://{}/api/v10/interactions/3/secret-interaction/callback?with=1", server.address);
    let response = server.client.post(url).json(&json!({"type": 1})).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    assert!(response.headers().get("x-ratelimit-limit").is_none());
    server.send().await.unwrap();
    server.recorded().await;
    let lines: Vec<_> = server.log.read(1, 10).entries.iter().map(|entry| entry.line()).collect();
    assert!(lines[0].contains("/interactions/{interaction.id}/{interaction.token}/callback"), "{lines:#?}");
    assert!(lines.iter().all(|line| !line.contains("secret")), "{lines:#?}");
}

#[tokio::test]
async fn a_request_beyond_its_bucket_gets_a_429_and_no_handler() {
    let window = Duration::from_secs(1);
    let buckets = vec![BucketRule::new(&["POST"], "/channels/{channel.id}/messages", 1, window)];
    let server = Server::start(Config { buckets, ..Config::default() }).await;
    // On a busy machine a window may be over before the second request.
    let limited = loop {
        let response = server.send().await.unwrap();
        if response.status() == StatusCode::TOO_MANY_REQUESTS {
            break response;
        }
    };
    let came = Instant::now();
    let handled = server.handled();
    assert_eq!(header(&limited, "x-ratelimit-scope"), "user");
    assert_eq!((header(&limited, "retry-after"), header(&limited, "x-ratelimit-remaining")), ("1", "0"));
    let body: Value = limited.json().await.unwrap();
    assert_eq!((&body["global"], &body["message"]), (&json!(false), &json!("You are being rate limited.")));
    let wait = Duration::from_secs_f64(body["retry_after"].as_f64().unwrap());
    assert!(wait <= window && handled >= 1);
    tokio::time::sleep_until((came + wait).into()).await;
    assert_eq!(server.handled(), handled);
    assert_eq!(server.send().await.unwrap().status(), StatusCode::OK);
    assert_eq!(server.handled(), handled + 1);
}

#[tokio::test]
async fn the_global_limit_says_so_and_limits_can_be_off() {
    let server = Server::start(Config { global_per_second: Some(2), ..Config::default() }).await;
    server.get("/api/v10/users/@me").await;
    server.send().await.unwrap();
    let limited = server.get("/api/v10/users/@me").await;
    assert_eq!(limited.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(
        (header(&limited, "x-ratelimit-global"), header(&limited, "x-ratelimit-scope")),
        ("true", "global")
    );
    assert!(limited.headers().get("x-ratelimit-bucket").is_none());
    assert_eq!(limited.json::<Value>().await.unwrap()["global"], true);

    let server = Server::start(Config::off()).await;
    for _ in 0..100 {
        assert_eq!(server.get("/api/v10/users/@me").await.status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn injected_errors_look_like_discord_or_like_a_proxy() {
    let server = Server::start(Config::default()).await;
    server.fault(RequestEffect::Respond { status: 500, body: ErrorBody::Discord });
    let response = server.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let body: Value = response.json().await.unwrap();
    assert_eq!(body, json!({"message": "500: Internal Server Error", "code": 0}));

    server.fault(RequestEffect::Respond { status: 502, body: ErrorBody::Html });
    let response = server.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::BAD_GATEWAY);
    assert!(header(&response, "content-type").starts_with("text/html"));
    assert!(response.text().await.unwrap().contains("502 Bad Gateway"));
    assert_eq!(server.handled(), 0);
    assert_eq!(server.recorded().await.fault, Some(1));
}

#[tokio::test]
async fn injected_429s_are_as_documented_for_each_scope() {
    let server = Server::start(Config::default()).await;
    let response = server.send().await.unwrap();
    assert!(response.headers().contains_key("via"));
    let bucket = header(&response, "x-ratelimit-bucket").to_owned();
    for (scope, name, global, message) in [
        (LimitScope::User, "user", false, "You are being rate limited."),
        (LimitScope::Shared, "shared", false, "The resource is being rate limited."),
        (LimitScope::Global, "global", true, "You are being rate limited."),
    ] {
        server.fault(RequestEffect::RateLimit { retry_after: 1.25, scope });
        let response = server.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!((header(&response, "x-ratelimit-scope"), header(&response, "retry-after")), (name, "2"));
        assert!(response.headers().contains_key("via"), "libraries take a 429 without it for Cloudflare's");
        if scope != LimitScope::Global {
            assert_eq!(header(&response, "x-ratelimit-limit"), "5", "the limit of the route's own bucket");
            assert_eq!(header(&response, "x-ratelimit-bucket"), bucket);
        }
        let body: Value = response.json().await.unwrap();
        assert_eq!(body, json!({"message": message, "retry_after": 1.25, "global": global}));
    }
    server.fault(RequestEffect::RateLimit { retry_after: 3.0, scope: LimitScope::Cloudflare });
    let response = server.send().await.unwrap();
    assert_eq!((response.status(), header(&response, "retry-after")), (StatusCode::TOO_MANY_REQUESTS, "3"));
    let telling = |name: &str| name.starts_with("x-ratelimit") || name == "via";
    assert!(!response.headers().keys().any(|name| telling(name.as_str())));
    assert!(response.json::<Value>().await.is_err());
}

#[tokio::test]
async fn a_dropped_connection_never_answers_whether_the_handler_ran_or_not() {
    let server = Server::start(Config::default()).await;
    server.fault(RequestEffect::DropBefore);
    assert!(server.send().await.is_err());
    assert_eq!(server.handled(), 0);
    server.fault(RequestEffect::DropAfter);
    assert!(server.send().await.is_err());
    assert_eq!(server.handled(), 1);
    assert_eq!(server.recorded().await.status, None);
    assert_eq!(server.send().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn a_dropped_connection_sends_not_one_byte() {
    let server = Server::start(Config::default()).await;
    server.fault(RequestEffect::DropAfter);
    let mut socket = tokio::net::TcpStream::connect(server.address).await.unwrap();
    let request = "POST /api/v10/channels/5/messages HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
                   content-length: 2\r\n\r\n{}";
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // Either a clean end or a reset; both are an end without an answer.
    let _ = socket.read_to_end(&mut answer).await;
    assert_eq!((answer.len(), server.handled()), (0, 1));
}

#[tokio::test]
async fn a_truncated_answer_promises_more_than_it_holds() {
    let server = Server::start(Config::default()).await;
    server.fault(RequestEffect::Truncate { bytes: 10 });
    let mut response = server.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert!(response.content_length().unwrap() > 10);
    assert_eq!(response.chunk().await.unwrap().unwrap().len(), 10);
    assert!(response.chunk().await.is_err());
}

#[tokio::test]
async fn a_patched_answer_is_the_handlers_but_for_what_is_laid_over_it() {
    let server = Server::start(Config::default()).await;
    server.fault(RequestEffect::Patch { merge: json!({"id": null, "author": {"bot": true, "id": null}}) });
    let response = server.send().await.unwrap();
    assert_eq!((response.status(), header(&response, "x-ratelimit-remaining")), (StatusCode::OK, "4"));
    let expected = json!({"channel_id": "5", "content": "hi", "author": {"bot": true}});
    assert_eq!(response.json::<Value>().await.unwrap(), expected);
    assert_eq!(server.recorded().await.response.and_then(|body| body.json()), Some(expected));
    assert_eq!(server.handled(), 1);

    // An answer that is no JSON stays as it is, and so does the next answer.
    let path = Some("/interactions/**".to_owned());
    let effect = RequestEffect::Patch { merge: json!({"a": 1}) };
    server.faults.add(Rule::new(On::Request(RequestRule { path, effect, ..RequestRule::default() })));
    let url = format!("http://{}/api/v10/interactions/3/a/callback", server.address);
    let response = server.client.post(url).send().await.unwrap();
    assert_eq!((response.status(), response.bytes().await.unwrap().len()), (StatusCode::NO_CONTENT, 0));
    assert_eq!(server.send().await.unwrap().json::<Value>().await.unwrap()["id"], "1");
}

#[tokio::test]
async fn a_delay_alone_only_takes_time() {
    let server = Server::start(Config::default()).await;
    let on = On::Request(RequestRule { path: Some("/users/@me".into()), ..RequestRule::default() });
    server.faults.add(Rule::new(on).delayed(100).times(1));
    let began = Instant::now();
    assert_eq!(server.get("/api/v10/users/@me").await.status(), StatusCode::OK);
    assert!(began.elapsed() >= Duration::from_millis(100));
}

#[tokio::test]
async fn a_client_that_hangs_up_is_recorded_as_unanswered() {
    let server = Server::start(Config::default()).await;
    server.faults.add(Rule::new(On::Request(RequestRule::default())).delayed(60_000).times(1));
    let url = format!("http://{}/api/v10/users/@me", server.address);
    let asking = tokio::spawn(server.client.get(url).send());
    let is_fault = |entry: &sandbox::event_log::Entry| matches!(entry.event, Event::Fault { .. });
    server.log.wait_for(1, PATIENCE, is_fault).await.unwrap();
    asking.abort();
    assert_eq!(server.recorded().await.status, None);
}
