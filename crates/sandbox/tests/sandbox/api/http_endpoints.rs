//! The endpoints of an application: verified when they are set, checked later, and set at the start.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};
use reqwest::Method;
use sandbox::Sandbox;
use sandbox::ratelimit::Config;
use serde_json::{Value, json};

use crate::api::bot::{Bot, text};
use crate::api::cli::command_for;
use crate::api::http_bot::{HttpBot, Pings, delivery, endless, right};
use crate::api::http_interactions::impatient;

const CODE: &str = "APPLICATION_INTERACTIONS_ENDPOINT_URL_INVALID";

#[tokio::test]
async fn an_address_is_set_only_if_it_answers_pings_as_it_has_to() {
    let bot = impatient().await;
    let wrong: [(Pings, &str); 9] = [
        (|_, _| right(1, true), "a PING with a wrong signature with 200, and not with 401"),
        (|_, _| StatusCode::UNAUTHORIZED.into_response(), "a PING with 401, and not with 200"),
        (|_, _| StatusCode::INTERNAL_SERVER_ERROR.into_response(), "a PING with 500"),
        (|_, _| Redirect::temporary("/elsewhere").into_response(), "307 (redirects are not followed)"),
        (|_, _| axum::Json(json!({ "type": 4 })).into_response(), "with no {\"type\": 1}"),
        (|_, _| axum::Json(json!({ "ok": true })).into_response(), "with no {\"type\": 1}"),
        (|_, _| axum::response::Html("{\"type\": 1}").into_response(), "CONTENT_TYPE_INVALID"),
        (|_, _| StatusCode::OK.into_response(), "with no {\"type\": 1}"),
        (|_, _| endless(), "more than 65536 bytes"),
    ];
    let set = async |url: &str| {
        bot.call(Method::PATCH, "/applications/@me", &json!({ "interactions_endpoint_url": url })).await
    };
    let reason = |(status, error): (u16, Value)| {
        let field = &error["errors"]["interactions_endpoint_url"]["_errors"][0];
        assert_eq!((status, &error["code"], &field["code"]), (400, &json!(50035), &json!(CODE)), "{error}");
        let words = "The specified interactions endpoint url could not be verified: ";
        text(&field["message"]).strip_prefix(words).unwrap_or_else(|| panic!("{error}")).to_owned()
    };
    for (pings, expected) in wrong {
        let http = HttpBot::with(&bot, pings).await;
        let reason = reason(set(&http.url).await);
        assert!(reason.starts_with(&http.url) && reason.contains(expected), "{reason} lacks {expected}");
    }
    let dead = HttpBot::start(&bot).await;
    let url = dead.url.clone();
    dead.stop().await;
    assert!(reason(set(&url).await).contains("can't be reached: Connection refused"));
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    assert!(reason(set(&url).await).contains("gave no answer within 0.3 s"));
    for (url, expected) in [
        ("https://8.8.8.8/hook", "start the sandbox with --endpoint-host 8.8.8.8"),
        ("http://bot.example.com/hook", "is not encrypted"),
        ("http://169.254.169.254/latest/meta-data", "neither this machine nor in a private network"),
        ("http://a:secret@127.0.0.1/", "name or password"),
    ] {
        let reason = reason(set(url).await);
        assert!(reason.contains(expected) && !reason.contains("secret"), "{reason}");
    }
    assert_eq!(set("ftp://127.0.0.1/").await.1["code"], 50035);
    assert_eq!(bot.get("/applications/@me").await["interactions_endpoint_url"], Value::Null);

    let from = bot.sandbox.event_log().newest() + 1;
    let http = HttpBot::takes_interactions(&bot).await;
    assert_eq!(bot.get("/applications/@me").await["interactions_endpoint_url"], http.url);
    let (next, good) = delivery(&bot, from).await;
    assert_eq!((good.event.as_str(), good.status, &good.failure), ("PING", Some(200), &None));
    let body = good.request.unwrap().json().unwrap();
    assert_eq!((&body["type"], &body["application_id"]), (&json!(1), &json!(bot.sandbox.bot_id())));
    assert!(text(&body["token"]).starts_with("[redacted "));
    assert_eq!(delivery(&bot, next + 1).await.1.status, Some(401));
}

#[tokio::test]
async fn a_check_like_discords_removes_an_address_that_takes_wrong_signatures() {
    let bot = impatient().await;
    let id = bot.sandbox.bot_id().to_string();
    let lax = HttpBot::with(&bot, |kind, _| right(kind, true)).await;
    let good = HttpBot::start(&bot).await;
    let both = json!({ "interactions_endpoint_url": lax.url, "event_webhooks_url": good.url });
    assert!(bot.user.edit_endpoints(&id, &both).await.unwrap_err().to_string().contains("and not with 401"));
    let mut unverified = both.clone();
    unverified["verify"] = false.into();
    let set = bot.user.edit_endpoints("Sandbot", &unverified).await.unwrap();
    assert_eq!(set["interactions_endpoint_url"], lax.url);
    assert_eq!(set["public_key"], bot.sandbox.public_key());
    assert_eq!(set["public_key"], bot.get("/applications/@me").await["verify_key"]);
    let checked = bot.user.check_endpoints(&id).await.unwrap();
    assert_eq!(checked["interactions_endpoint_url"], Value::Null);
    assert_eq!(checked["event_webhooks_url"], good.url);
    let removed = &checked["removed"];
    assert!(text(&removed["interactions_endpoint_url"]).contains("and not with 401"), "{removed}");
    assert_eq!(removed.as_object().unwrap().len(), 1);
    for (body, expected) in [
        (
            json!({ "interactions_endpoint_url": "https://8.8.8.8/" , "verify": false }),
            "--endpoint-host 8.8.8.8",
        ),
        (json!({ "url": "http://127.0.0.1/" }), "There is no field \"url\""),
        (json!({ "event_webhooks_types": ["FROG"] }), "event_webhooks_types"),
    ] {
        let error = bot.user.edit_endpoints(&id, &body).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[tokio::test]
async fn the_command_line_sets_endpoints_and_prints_the_key() {
    let bot = impatient().await;
    let http = HttpBot::start(&bot).await;
    let run = async |arguments: &[&str]| {
        let output =
            command_for(&bot).env("SANDBOX_TOKEN", bot.sandbox.token()).args(arguments).output().await;
        let output = output.unwrap();
        let [out, error] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        (output.status.code(), out, error)
    };
    let (_, env, _) = run(&["env"]).await;
    assert!(env.contains(&format!("DISCORD_PUBLIC_KEY={}\n", bot.sandbox.public_key())), "{env}");
    assert!(env.contains(&format!("DISCORD_APPLICATION_ID={}\n", bot.sandbox.bot_id())), "{env}");
    let (code, out, _) = run(&[
        "endpoint",
        "--interactions",
        &http.url,
        "--events",
        &http.url,
        "--event-types",
        "ENTITLEMENT_CREATE",
    ])
    .await;
    assert_eq!(code, Some(0));
    for line in [
        format!("interactions  {}", http.url),
        format!("events        {}, on", http.url),
        "ENTITLEMENT_CREATE".to_owned(),
    ] {
        assert!(out.contains(&line), "{out}");
    }
    http.stop().await;
    let (code, out, error) = run(&["endpoint", "Sandbot", "--check"]).await;
    assert_eq!(code, Some(1), "{out}");
    assert!(out.contains("interactions  the gateway") && error.contains("can't be reached"), "{out}{error}");
    let (code, _, error) = run(&["endpoint", "--interactions", "https://8.8.8.8/"]).await;
    assert_eq!(code, Some(2));
    assert!(error.contains("--endpoint-host 8.8.8.8"), "{error}");
}

#[tokio::test]
async fn a_sandbox_starts_with_endpoints_that_need_not_answer_yet() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let token = "MTEwMDAwMDAwMDAwMDAwMDAwMQ.a.b";
    let builder = || Sandbox::builder().token(token).rate_limits(Config::off());
    let started = builder().interactions_endpoint_url(&url).event_webhooks(&url, Vec::<String>::new());
    let bot = Bot::start_with(started).await;
    let shown = bot.get("/applications/@me").await;
    assert_eq!(
        (&shown["interactions_endpoint_url"], &shown["event_webhooks_status"]),
        (&json!(url), &json!(2))
    );
    assert_eq!(shown["event_webhooks_types"].as_array().unwrap().len(), 12);
    bot.register(json!({ "name": "ping", "description": "d" })).await;
    assert!(bot.user.say("/ping").await.unwrap().hint.unwrap().contains("can't be reached"));
    // The same token has the same key.
    let again = builder().start().await.unwrap();
    assert_eq!(again.public_key(), bot.sandbox.public_key());
    let outside = builder().interactions_endpoint_url("https://8.8.8.8/").start().await.unwrap_err();
    assert!(outside.to_string().contains("--endpoint-host 8.8.8.8"), "{outside}");
    let wrong = builder().event_webhooks(&url, ["FROG"]).start().await.unwrap_err();
    assert!(wrong.to_string().contains("event_webhooks_types"), "{wrong}");
    let named = builder().endpoint_hosts(["8.8.8.8"]).interactions_endpoint_url("https://8.8.8.8/");
    assert!(named.start().await.is_ok());
}
