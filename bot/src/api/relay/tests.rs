//! The relay against a small server on loopback.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::Method;
use axum::response::IntoResponse;
use axum::routing::any;
use futures_util::{StreamExt as _, stream};
use sdk::PluginId;
use sdk::serenity::all::{ChannelId, CreateAttachment, CreateMessage, GuildId, Http};
use sdk::serenity::http::{LightMethod, Request as HttpRequest, Route};
use tokio::sync::Notify;

use super::*;
use crate::api::Api;
use crate::config::Token;

mod limits;

const TOKEN: &str = "the.bots.token";

/// Serves `router` on a free port and returns its address.
async fn server(router: Router) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

async fn api(url: &str) -> Api {
    let target = ApiUrl::parse(url).unwrap();
    Api::new(Token::parse(TOKEN, false).unwrap(), target.as_ref(), false).await.unwrap()
}

/// A request as received by the server.
#[derive(Debug)]
struct Seen {
    method: Method,
    uri: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

type Log = Arc<Mutex<Vec<Seen>>>;

async fn record(log: &Log, request: axum::extract::Request) {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
    log.lock().unwrap().push(Seen {
        method: head.method,
        uri: head.uri.to_string(),
        headers: head.headers,
        body,
    });
}

fn message() -> serde_json::Value {
    serde_json::json!({
        "id": "1", "channel_id": "5", "author": {"id": "2", "username": "bot", "discriminator": "0", "avatar": null},
        "content": "hi", "timestamp": "2026-01-01T00:00:00.000000+00:00", "edited_timestamp": null, "tts": false,
        "mention_everyone": false, "mentions": [], "mention_roles": [], "attachments": [], "embeds": [],
        "pinned": false, "type": 0
    })
}

/// Starts a server that records requests and responds as `POST /channels/ID/messages` does. Returns the record, and
/// clients for it.
async fn recorder(prefix: &str) -> (Log, Http, Api) {
    let log = Log::default();
    let router =
        Router::new().fallback(any(|State(log): State<Log>, request: axum::extract::Request| async move {
            record(&log, request).await;
            ([("x-ratelimit-bucket", "abc"), ("x-ratelimit-limit", "5")], axum::Json(message()))
        }));
    let address = server(router.with_state(log.clone())).await;
    let api = api(&format!("http://{address}{prefix}")).await;
    (log, api.http(), api)
}

#[tokio::test]
async fn a_request_arrives_as_serenity_made_it() {
    let (log, http, _api) = recorder("/some/prefix/api/v10").await;
    let channel = ChannelId::new(5);
    let sent = channel.send_message(&http, CreateMessage::new().content("hi – hello")).await.unwrap();
    assert_eq!(sent.content, "hi");
    channel.create_reaction(&http, 7, '👍').await.unwrap();

    let seen = log.lock().unwrap();
    assert_eq!(seen[0].method, Method::POST);
    assert_eq!(seen[0].uri, "/some/prefix/api/v10/channels/5/messages");
    assert_eq!(seen[0].headers["authorization"], format!("Bot {TOKEN}"));
    assert_eq!(seen[0].headers["content-type"], "application/json");
    assert!(seen[0].headers["user-agent"].to_str().unwrap().starts_with("DiscordBot ("));
    assert_ne!(seen[0].headers["host"], HOST);
    let body: serde_json::Value = serde_json::from_slice(&seen[0].body).unwrap();
    assert_eq!(body["content"], "hi – hello");
    assert_eq!(seen[1].method, Method::PUT);
    assert_eq!(seen[1].uri, "/some/prefix/api/v10/channels/5/messages/7/reactions/%F0%9F%91%8D/@me");
    assert_eq!(seen[1].headers["content-length"], "0");
}

#[tokio::test]
async fn an_upload_arrives_byte_for_byte() {
    let (log, http, _api) = recorder("").await;
    let file: Vec<u8> = (0..1_000_000_u32).map(|i| u8::try_from(i % 251).unwrap()).collect();
    let message = CreateMessage::new().add_file(CreateAttachment::bytes(file.clone(), "data.bin"));
    ChannelId::new(5).send_message(&http, message).await.unwrap();
    let seen = log.lock().unwrap();
    assert!(seen[0].headers["content-type"].to_str().unwrap().starts_with("multipart/form-data; boundary="));
    assert!(seen[0].body.windows(file.len()).any(|window| window == file));
}

#[tokio::test]
async fn a_query_and_a_custom_header_arrive() {
    let (log, http, _api) = recorder("").await;
    GuildId::new(9).kick_with_reason(&http, 3, "spam & more").await.unwrap();
    let route = Route::Channel { channel_id: ChannelId::new(5) };
    let request = HttpRequest::new(route, LightMethod::Get).params(Some(vec![("with", "a%20b".to_owned())]));
    http.request(request).await.unwrap();
    let seen = log.lock().unwrap();
    assert_eq!(seen[0].headers["x-audit-log-reason"], "spam%20%26%20more");
    assert_eq!(seen[1].uri, "/api/v10/channels/5?&with=a%20b");
}

#[tokio::test]
async fn status_headers_and_body_come_back_unchanged() {
    let router = Router::new().fallback(any(async || {
        let headers = [
            ("x-ratelimit-remaining", "3"),
            ("x-ratelimit-reset-after", "0.5"),
            ("connection", "x-of-this-connection"),
            ("x-of-this-connection", "1"),
        ];
        (axum::http::StatusCode::IM_A_TEAPOT, headers, "short and stout")
    }));
    let api = api(&format!("http://{}", server(router).await)).await;
    let response = api.client.get("https://discord.com/api/v10/x").send().await.unwrap();
    assert_eq!(response.status(), 418);
    assert_eq!(response.headers()["x-ratelimit-remaining"], "3");
    assert_eq!(response.headers()["x-ratelimit-reset-after"], "0.5");
    assert!(!response.headers().contains_key("x-of-this-connection"));
    assert_eq!(response.headers()["content-length"], "15");
    assert_eq!(response.text().await.unwrap(), "short and stout");
}

#[tokio::test]
async fn an_answer_streams_through_as_it_comes() {
    let go_on = Arc::new(Notify::new());
    let router = Router::new().fallback(any(|State(go_on): State<Arc<Notify>>| async move {
        let second = stream::once(async move {
            go_on.notified().await;
            Ok("second")
        });
        Body::from_stream(stream::iter([Ok::<_, Infallible>("first ")]).chain(second))
    }));
    let api = api(&format!("http://{}", server(router.with_state(go_on.clone())).await)).await;
    let mut response = api.client.get("https://discord.com/api/v10/x").send().await.unwrap();
    // The second part is only sent once the first has arrived here.
    assert_eq!(response.chunk().await.unwrap().unwrap(), "first ");
    go_on.notify_one();
    assert_eq!(response.chunk().await.unwrap().unwrap(), "second");
}

#[tokio::test]
async fn a_429_is_met_by_the_relay_which_sends_the_request_again() {
    let requests = Arc::new(AtomicUsize::new(0));
    let router = Router::new().fallback(any(|State(requests): State<Arc<AtomicUsize>>| async move {
        if requests.fetch_add(1, Ordering::SeqCst) == 0 {
            let body = serde_json::json!({"message": "You are being rate limited.", "retry_after": 0.3, "global": false});
            let headers = [("retry-after", "0.3"), ("x-ratelimit-scope", "user")];
            (axum::http::StatusCode::TOO_MANY_REQUESTS, headers, axum::Json(body)).into_response()
        } else {
            axum::Json(message()).into_response()
        }
    }));
    let api = api(&format!("http://{}", server(router.with_state(requests.clone())).await)).await;
    let began = Instant::now();
    ChannelId::new(5).say(&api.http(), "hi").await.unwrap();
    assert_eq!(requests.load(Ordering::SeqCst), 2);
    assert!(began.elapsed() >= Duration::from_millis(300), "{:?}", began.elapsed());
}

#[tokio::test]
async fn an_unreachable_server_is_told_by_its_variable_and_without_tokens() {
    let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap();
    let api = api(&format!("http://{closed}")).await;
    let http = api.http();
    let error = http.get_current_application_info().await.unwrap_err();
    assert!(
        error.to_string().contains(&format!("DISCORD_API_URL names (http://{closed}) cannot be reached")),
        "{error}"
    );
    let route = Route::InteractionResponse { interaction_id: 1.into(), token: "interaction-token" };
    let error = http.request(HttpRequest::new(route, LightMethod::Post)).await.unwrap_err();
    assert!(
        !error.to_string().contains(TOKEN) && !error.to_string().contains("interaction-token"),
        "{error}"
    );
}

#[tokio::test]
async fn only_the_one_client_trusts_the_relay() {
    let relay = Relay::start(ApiUrl::parse("http://127.0.0.1:9").unwrap(), false, Arc::new(Limiter::new()))
        .await
        .unwrap();
    let stranger =
        reqwest::Client::builder().use_rustls_tls().no_proxy().resolve(HOST, relay.address).build().unwrap();
    let error = stranger.get("https://discord.com/").send().await.unwrap_err();
    assert!(cause(&error).contains("certificate"), "{}", cause(&error));
    let other = Relay::start(ApiUrl::parse("http://127.0.0.1:9").unwrap(), false, Arc::new(Limiter::new()))
        .await
        .unwrap();
    let confused = other.client().unwrap().resolve(HOST, relay.address).build().unwrap();
    assert!(confused.get("https://discord.com/").send().await.is_err());
}

#[tokio::test]
async fn another_program_of_this_machine_sends_nothing_through_the_relay() {
    let (log, http, api) = recorder("").await;
    let stranger = |headers: HeaderMap| {
        reqwest::Client::builder()
            .use_rustls_tls()
            .no_proxy()
            .danger_accept_invalid_certs(true)
            .resolve(HOST, api.relay.address)
            .default_headers(headers)
            .build()
            .unwrap()
    };
    let guessed = HeaderValue::from_str(&"0".repeat(2 * KEY_BYTES)).unwrap();
    for headers in [HeaderMap::new(), HeaderMap::from_iter([(KEY, guessed)])] {
        let answer = stranger(headers).get("https://discord.com/api/v10/users/@me").send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
        assert!(answer.text().await.unwrap().contains("the bot that has opened it"));
    }
    assert!(log.lock().unwrap().is_empty(), "nothing was sent on");
    let message = CreateMessage::new().content("mine");
    ChannelId::new(5).send_message(&http, message).await.unwrap();
    let seen = log.lock().unwrap();
    assert!(seen[0].headers.get(KEY).is_none() && seen[0].headers.get(PLUGIN).is_none(), "{seen:?}");
}

#[tokio::test]
async fn a_server_that_was_named_learns_which_plugin_a_request_is_of() {
    let (log, http, api) = recorder("").await;
    let plugin = api.http_of(&PluginId::new("commands/general")).unwrap();
    for http in [&plugin, &http] {
        ChannelId::new(5).send_message(http, CreateMessage::new().content("x")).await.unwrap();
    }
    let seen = log.lock().unwrap();
    assert_eq!(seen[0].headers[SOURCE], "commands/general");
    assert!(seen[0].headers.get(PLUGIN).is_none() && seen[1].headers.get(SOURCE).is_none(), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn relay_costs_little_and_takes_many_requests_at_once() {
    const AT_ONCE: usize = 50;
    let router = Router::new().fallback(any(async || "{}"));
    let address = server(router).await;
    let api = api(&format!("http://{address}")).await;
    let direct = reqwest::Client::builder().no_proxy().build().unwrap();
    let relayed_url = "https://discord.com/api/v10/x".to_owned();
    let direct_url = format!("http://{address}/api/v10/x");

    let mut medians = Vec::new();
    for (client, url) in [(&direct, &direct_url), (&api.client, &relayed_url)] {
        let mut times = Vec::new();
        for _ in 0..200 {
            let began = Instant::now();
            assert_eq!(client.get(url).send().await.unwrap().text().await.unwrap(), "{}");
            times.push(began.elapsed());
        }
        times.sort_unstable();
        medians.push(times[times.len() / 2]);
    }
    println!("a request takes {:?} directly and {:?} through the relay (medians)", medians[0], medians[1]);
    // A wide margin, for a busy machine. The printed value is the one to watch.
    assert!(medians[1] < medians[0] + Duration::from_millis(10), "{medians:?}");

    let answers =
        futures_util::future::join_all((0..AT_ONCE).map(|_| api.client.get(&relayed_url).send())).await;
    assert!(answers.into_iter().all(|answer| answer.unwrap().status().is_success()));
}

#[tokio::test]
async fn a_name_is_judged_each_time_that_the_relay_connects_without_tls() {
    let log = Log::default();
    let router =
        Router::new().fallback(any(|State(log): State<Log>, request: axum::extract::Request| async move {
            record(&log, request).await;
            "there"
        }));
    let address = server(router.with_state(log.clone())).await;
    let asked = Arc::<AtomicUsize>::default();
    let get = async |url: String, plain: bool, addresses: &'static [&'static str]| {
        let target = ApiUrl::parse(&url).unwrap().unwrap();
        let names = NotPublic::of(addresses, asked.clone());
        let client = outgoing(&target, plain, names).no_proxy().build().unwrap();
        let answer = client.get(target.join("/api/x").unwrap()).send().await;
        answer.map(|answer| answer.status()).map_err(|error| cause(&error))
    };
    let url = format!("http://proxy.lan:{}", address.port());
    assert_eq!(get(url.clone(), false, &["127.0.0.1:0"]).await, Ok(StatusCode::OK));
    let refused = get(url, false, &["127.0.0.1:0", "192.0.32.8:0"]).await.unwrap_err();
    assert!(refused.contains("192.0.32.8") && refused.contains("ALLOW_PLAIN_HTTP"), "{refused}");
    assert_eq!((log.lock().unwrap().len(), asked.load(Ordering::SeqCst)), (1, 2));
    // With TLS, and where it is allowed, names are resolved by the system.
    let local = format!("localhost:{}", address.port());
    assert_eq!(get(format!("http://{local}"), true, &["192.0.32.8:0"]).await, Ok(StatusCode::OK));
    assert!(get(format!("https://{local}"), false, &["192.0.32.8:0"]).await.is_err());
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}
