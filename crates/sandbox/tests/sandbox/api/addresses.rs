//! Addresses: in another spelling, with bytes that are no text, and those that the sandbox gives to bots.

use reqwest::Method;
use sandbox::Sandbox;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::api::bot::Bot;

#[tokio::test]
async fn a_path_may_be_percent_encoded() {
    let bot = Bot::start().await;
    assert_eq!(bot.get("/users/%40me").await, bot.get("/users/@me").await);
    let nick = format!("{}/members/%40me", bot.guild());
    assert_eq!(bot.expect(200, Method::PATCH, &nick, &json!({ "nick": "n" })).await["nick"], "n");
    let body = json!({ "name": "t", "type": 11 });
    let thread = bot.expect(201, Method::POST, &format!("{}/threads", bot.channel("general")), &body).await;
    let own = format!("/channels/{}/thread-members/%40me", crate::api::bot::text(&thread["id"]));
    bot.expect(204, Method::DELETE, &own, &Value::Null).await;
    bot.expect(204, Method::PUT, &own, &Value::Null).await;
    // Limits and the log know it by its one name.
    let log = bot.sandbox.event_log().read(1, usize::MAX).entries;
    assert!(log.iter().any(|entry| entry.line().contains(r#""route":"/guilds/{guild.id}/members/@me""#)));
}

/// Sends a request as these bytes and returns the answer.
async fn raw(sandbox: &Sandbox, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(sandbox.address()).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn a_path_that_is_no_text_is_answered_in_json() {
    let bot = Bot::start().await;
    for path in [
        "/api/v10/users/%FF",
        "/api/v10/channels/1/messages/2/reactions/%FF/@me",
        "/api/v10/invites/%C3%28",
        "/attachments/1/2/%FF",
    ] {
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bot {}\r\nconnection: close\r\n\r\n",
            bot.sandbox.token()
        );
        let answer = raw(&bot.sandbox, request.as_bytes()).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.to_ascii_lowercase().contains("content-type: application/json"), "{path}: {answer}");
        let body: Value = serde_json::from_str(body).unwrap();
        assert!(body["code"].is_number() && head.starts_with("HTTP/1.1 4"), "{path}: {answer}");
    }
}

#[tokio::test]
async fn the_gateways_address_is_the_configured_one_or_the_one_that_the_client_used() {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let gateway = async |sandbox: &Sandbox| -> Value {
        let url = format!("{}/api/v10/gateway", sandbox.local_url());
        client.get(url).header("host", "bots.internal:99").send().await.unwrap().json().await.unwrap()
    };
    let plain = Sandbox::builder().start().await.unwrap();
    assert_eq!(gateway(&plain).await["url"], "ws://bots.internal:99");
    let public = Sandbox::builder().public_url("http://sandbox.test:8787/").start().await.unwrap();
    assert_eq!(gateway(&public).await["url"], "ws://sandbox.test:8787");
    // In either order of the builder's methods.
    let options = sandbox::gateway::Options { shards: 3, max_concurrency: 2, ..Default::default() };
    let public =
        Sandbox::builder().public_url("https://sandbox.test").gateway(options).start().await.unwrap();
    assert_eq!(gateway(&public).await["url"], "wss://sandbox.test");
    let url = format!("{}/api/v10/gateway/bot", public.local_url());
    let token = format!("Bot {}", public.token());
    let bot: Value =
        client.get(url).header("authorization", token).send().await.unwrap().json().await.unwrap();
    assert_eq!((&bot["shards"], &bot["session_start_limit"]["max_concurrency"]), (&json!(3), &json!(2)));
}

#[tokio::test]
async fn a_guild_without_the_bot_is_unknown_to_it() {
    let bot = Bot::start().await;
    let guild =
        bot.control(Method::POST, "/guilds").json(&json!({ "name": "Other", "owner": "bob", "bots": [] }));
    let guild: Value = guild.send().await.unwrap().json().await.unwrap();
    let path = format!("/guilds/{}", crate::api::bot::text(&guild["id"]));
    for path in [path.clone(), format!("{path}/preview")] {
        let (status, answer) = bot.call(Method::GET, &path, &Value::Null).await;
        assert_eq!((status, &answer["code"]), (404, &json!(10004)), "{path}");
    }
}
