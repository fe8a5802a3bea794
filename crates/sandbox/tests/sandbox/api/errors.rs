//! Discord's answers to requests that cannot be served, however the address is written.

use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::api::bot::Bot;

async fn raw(bot: &Bot, method: Method, path: &str, token: Option<&str>) -> (u16, Value) {
    let mut request = Client::new().request(method, format!("{}{path}", bot.sandbox.url()));
    if let Some(token) = token {
        request = request.header("authorization", token);
    }
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test]
async fn rest_is_served_with_and_without_a_version() {
    let bot = Bot::start().await;
    let token = format!("Bot {}", bot.sandbox.token());
    for prefix in ["/api/v10", "/api/v9", "/api"] {
        let (status, me) = raw(&bot, Method::GET, &format!("{prefix}/users/@me"), Some(&token)).await;
        assert_eq!((status, &me["username"]), (200, &json!("Sandbot")), "{prefix}");
    }
    assert_eq!(raw(&bot, Method::GET, "/api/v3/users/@me", Some(&token)).await.1["code"], 50041);
}

#[tokio::test]
async fn unknown_routes_methods_and_tokens_get_discords_own_words() {
    let bot = Bot::start().await;
    let token = format!("Bot {}", bot.sandbox.token());
    let not_found = json!({ "message": "404: Not Found", "code": 0 });
    assert_eq!(raw(&bot, Method::GET, "/api/v10/nowhere", Some(&token)).await, (404, not_found.clone()));
    assert_eq!(raw(&bot, Method::GET, "/nowhere", None).await, (404, not_found));
    let wrong_method = json!({ "message": "405: Method Not Allowed", "code": 0 });
    assert_eq!(raw(&bot, Method::DELETE, "/api/v10/users/@me", Some(&token)).await, (405, wrong_method));
    let unauthorized = json!({ "message": "401: Unauthorized", "code": 0 });
    let bearer = format!("Bearer {}", bot.sandbox.token());
    for token in [None, Some("Bot MTIz.abc.def"), Some(bearer.as_str()), Some("")] {
        assert_eq!(
            raw(&bot, Method::GET, "/api/v10/users/@me", token).await,
            (401, unauthorized.clone()),
            "{token:?}"
        );
    }
}

#[tokio::test]
async fn whatever_is_wrong_with_an_address_is_told_in_json() {
    let bot = Bot::start().await;
    let (rest, control) =
        (format!("Bot {}", bot.sandbox.token()), format!("Bearer {}", bot.sandbox.control_secret()));
    // A reaction that is not valid text after decoding.
    let path = format!("/api/v10{}/messages/1/reactions/%F5%9F%91%8D/@me", bot.channel("general"));
    assert_eq!(raw(&bot, Method::PUT, &path, Some(&rest)).await.0, 404);
    assert_eq!(raw(&bot, Method::GET, "/api/v10/invites/%FF", Some(&rest)).await.0, 404);
    let (status, answer) = raw(&bot, Method::DELETE, "/attachments/1/2/a.png", None).await;
    assert_eq!((status, &answer["code"]), (405, &json!(0)));
    for (method, path, status) in [
        (Method::DELETE, "/sandbox/interactions/command", 405),
        (Method::GET, "/sandbox/messages/none", 400),
        (Method::GET, "/sandbox/messages?channel=general", 400),
    ] {
        let (found, answer) = raw(&bot, method, path, Some(&control)).await;
        assert!(found == status && answer["error"].is_string(), "{path}: {found} {answer}");
    }
}

#[tokio::test]
async fn things_that_are_not_there_have_their_codes() {
    let bot = Bot::start().await;
    let general = bot.channel("general");
    for (method, path, status, code) in [
        (Method::GET, "/channels/1".to_owned(), 404, 10003),
        (Method::GET, "/guilds/1".to_owned(), 404, 10004),
        (Method::GET, "/users/1".to_owned(), 404, 10013),
        (Method::GET, format!("{general}/messages/1"), 404, 10008),
        (Method::GET, format!("{}/roles/1", bot.guild()), 404, 10011),
        (Method::GET, "/webhooks/1".to_owned(), 404, 10015),
        (Method::GET, format!("{}/1", bot.commands()), 404, 10063),
        (Method::GET, "/channels/abc".to_owned(), 400, 50035),
        (Method::GET, format!("{}/messages", bot.channel("Voice channels")), 400, 50024),
    ] {
        let (got, error) = bot.call(method, &path, &Value::Null).await;
        assert_eq!((got, &error["code"]), (status, &json!(code)), "{path}: {error}");
    }
    for (path, body, code) in [
        (format!("{general}/messages"), json!({}), 50006),
        (format!("{general}/messages"), json!({ "content": "x".repeat(2001) }), 50035),
        (format!("{}/messages", bot.channel("Voice channels")), json!({ "content": "x" }), 50008),
        ("/interactions/1/x/callback".to_owned(), json!({ "type": 4 }), 10062),
    ] {
        let (_, error) = bot.call(Method::POST, &path, &body).await;
        assert_eq!(error["code"], code, "{path}: {error}");
    }
}

#[tokio::test]
async fn broken_json_is_told_apart_from_a_bad_body() {
    let bot = Bot::start().await;
    let response = Client::new()
        .post(format!("{}{}/messages", bot.sandbox.api_url(), bot.channel("general")))
        .header("authorization", format!("Bot {}", bot.sandbox.token()))
        .header("content-type", "application/json")
        .body("{\"content\": ")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 400);
    assert_eq!(response.json::<Value>().await.unwrap()["code"], 50109);
}
