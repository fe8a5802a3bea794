//! The page's files, who may use it, and what the control API has for it: views, the stream, threads, pins.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::{Client, Method, StatusCode};
use sandbox::{Answer, Sandbox};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::api::bot::{Bot, PATIENCE, id, text};

type Socket = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

/// A client of the stream.
pub(crate) struct Stream(Socket);

impl Stream {
    async fn open(sandbox: &Sandbox, hello: Value) -> Self {
        let url = format!("{}/sandbox/stream", sandbox.gateway_url());
        let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
        socket.send(Message::text(hello.to_string())).await.unwrap();
        Self(socket)
    }

    /// Opens one as a user, and returns it with the view.
    pub(crate) async fn of(sandbox: &Sandbox, user: &str) -> (Self, Value) {
        let mut stream = Self::open(sandbox, json!({ "secret": sandbox.control_secret(), "as": user })).await;
        let view = stream.next().await.unwrap();
        assert_eq!(view["type"], "view");
        (stream, view)
    }

    async fn send(&mut self, wish: Value) {
        self.0.send(Message::text(wish.to_string())).await.unwrap();
    }

    /// Returns the next message; `None` after the end.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        loop {
            let frame = tokio::time::timeout(PATIENCE, self.0.next()).await.expect("the stream goes on");
            match frame {
                Some(Ok(Message::Text(text))) => return Some(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    /// Returns the next change of this kind, and the number of the message with it.
    pub(crate) async fn change(&mut self, kind: &str) -> (Value, u64) {
        loop {
            let message = self.next().await.expect("the stream goes on");
            let changes = message["changes"].as_array().into_iter().flatten();
            if let Some(found) = changes.into_iter().find(|change| change["change"] == kind) {
                return (found.clone(), message["n"].as_u64().unwrap());
            }
        }
    }
}

pub(crate) fn control(sandbox: &Sandbox, method: Method, path: &str) -> reqwest::RequestBuilder {
    let http = Client::builder().no_proxy().build().unwrap();
    http.request(method, format!("{}/sandbox/{path}", sandbox.url())).bearer_auth(sandbox.control_secret())
}

pub(crate) async fn ask(sandbox: &Sandbox, method: Method, path: &str, body: Value) -> Value {
    let answer = control(sandbox, method, path).json(&body).send().await.unwrap();
    let status = answer.status();
    let text = answer.text().await.unwrap();
    assert!(status.is_success(), "{path}: {status} {text}");
    serde_json::from_str(&text).unwrap_or_default()
}

#[tokio::test]
async fn the_pages_files_load_nothing_from_elsewhere_and_are_cached_by_their_tag() {
    let sandbox = Sandbox::builder().start().await.unwrap();
    let http = Client::builder().no_proxy().build().unwrap();
    let get = |path: &str| http.get(format!("{}{path}", sandbox.url()));
    for (path, kind) in [
        ("/app", "text/html"),
        ("/app/app.js", "text/javascript"),
        ("/app/app.css", "text/css"),
        ("/app/licences.txt", "text/plain"),
    ] {
        let plain = get(path).send().await.unwrap();
        assert_eq!(plain.status(), 200, "{path}");
        let header = |name: &str| plain.headers()[name].to_str().unwrap().to_owned();
        assert!(header("content-type").starts_with(kind));
        for rule in
            ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "connect-src 'self'"]
        {
            assert!(header("content-security-policy").contains(rule), "{rule}");
        }
        assert_eq!(
            (header("x-content-type-options"), header("referrer-policy")),
            ("nosniff".into(), "no-referrer".into())
        );
        let tag = header("etag");
        let again = get(path).header("if-none-match", &tag).send().await.unwrap();
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        let zipped = get(path).header("accept-encoding", "gzip").send().await.unwrap();
        assert_eq!(zipped.headers()["content-encoding"], "gzip");
        let mut read = Vec::new();
        let bytes = zipped.bytes().await.unwrap();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&bytes[..]), &mut read).unwrap();
        let text = plain.text().await.unwrap();
        assert!(read == text.as_bytes(), "{path}");
        assert!(path != "/app" || !text.contains("http"), "{text}");
    }
    assert_eq!(get("/app/../Cargo.toml").send().await.unwrap().status(), 404);
    assert_eq!(get("/app/other.js").send().await.unwrap().status(), 404);
    let foreign = get("/app").header("sec-fetch-site", "cross-site").send().await.unwrap();
    assert_eq!(foreign.status(), 403);
}

#[tokio::test]
async fn a_ticket_opens_one_page_whose_secret_is_good_until_the_end() {
    let sandbox = Sandbox::builder().start().await.unwrap();
    let http = Client::builder().no_proxy().build().unwrap();
    let address = sandbox.client().page_url(Some("bob & co")).await.unwrap();
    assert!(address.ends_with("&as=bob+%26+co"), "{address}");
    let ticket = address.split("#ticket=").nth(1).unwrap().split('&').next().unwrap();
    let enter = |ticket: &str| {
        let body = json!({ "ticket": ticket });
        http.post(format!("{}/sandbox/page/sessions", sandbox.url())).json(&body).send()
    };
    assert_eq!(enter("another").await.unwrap().status(), 403);
    let given: Value = enter(ticket).await.unwrap().json().await.unwrap();
    let secret = text(&given["secret"]).to_owned();
    let used = enter(ticket).await.unwrap();
    assert_eq!(used.status(), 403);
    assert!(used.text().await.unwrap().contains("sandbox page"));
    let stats =
        |secret: &str| http.get(format!("{}/sandbox/stats", sandbox.url())).bearer_auth(secret).send();
    assert_eq!(stats(&secret).await.unwrap().status(), 200);
    assert_eq!(stats(ticket).await.unwrap().status(), 403);
    let log = format!("{:?}", sandbox.event_log().read(0, usize::MAX));
    assert!(!log.contains(ticket) && !log.contains(&*secret));
    let mut page = Stream::open(&sandbox, json!({ "secret": secret, "as": "bob" })).await;
    assert_eq!(page.next().await.unwrap()["view"]["user"]["username"], "bob");
}

#[tokio::test]
async fn the_stream_takes_the_secret_only_and_no_other_sites_pages() {
    let sandbox = Sandbox::builder().start().await.unwrap();
    for hello in [
        json!({ "secret": "wrong", "as": "alice" }),
        json!({ "as": "alice" }),
        json!({ "secret": sandbox.control_secret(), "as": "nobody" }),
        json!({ "secret": sandbox.control_secret(), "as": "Sandbot" }),
    ] {
        let mut stream = Stream::open(&sandbox, hello.clone()).await;
        let refused = stream.next().await.unwrap();
        assert_eq!(refused["type"], "refused", "{hello}");
        assert!(!refused.to_string().contains(sandbox.control_secret()));
        assert_eq!(stream.next().await, None);
    }
    let url = format!("{}/sandbox/stream", sandbox.gateway_url());
    let mut request = url.into_client_request().unwrap();
    request.headers_mut().insert("origin", "https://evil.example".parse().unwrap());
    assert!(tokio_tungstenite::connect_async(request).await.is_err());
}

#[tokio::test]
async fn everyone_sees_in_the_stream_what_they_may_see_in_order() {
    let sandbox = Sandbox::builder().start().await.unwrap();
    let user = sandbox.client();
    let (mut alice, view) = Stream::of(&sandbox, "alice").await;
    let (mut carol, _) = Stream::of(&sandbox, "carol").await;
    let guild = &view["view"]["guilds"][0];
    assert_eq!(guild["name"], "Sandbox");
    assert!(guild["channels"].as_array().unwrap().iter().all(|channel| channel["permissions"].is_string()));
    let path = "guilds/Sandbox/channels/mod-log/permissions/@everyone";
    ask(&sandbox, Method::PATCH, path, json!({ "deny": ["VIEW_CHANNEL"] })).await;
    let (change, _) = carol.change("guild").await;
    let seen = |guild: &Value| {
        guild["channels"].as_array().unwrap().iter().any(|channel| channel["name"] == "mod-log")
    };
    assert!(!seen(&change["guild"]));
    user.send("alice", "mod-log", "between moderators").await.unwrap();
    for n in 0..20 {
        user.send("bob", "general", &format!("number {n}")).await.unwrap();
    }
    let mut texts = Vec::new();
    while texts.len() < 20 {
        let message = carol.next().await.unwrap();
        for change in message["changes"].as_array().into_iter().flatten() {
            if change["change"] == "message" {
                texts.push(text(&change["message"]["content"]).to_owned());
            }
        }
    }
    let expected: Vec<String> = (0..20).map(|n| format!("number {n}")).collect();
    assert_eq!(texts, expected);
    let (own, _) = alice.change("message").await;
    assert_eq!(own["message"]["content"], "between moderators");

    // Another user, on the same connection.
    carol.send(json!({ "do": "as", "user": "alice" })).await;
    let view = carol.next().await.unwrap();
    assert!(seen(&view["view"]["guilds"][0]));
    carol.send(json!({ "do": "as", "user": "nobody" })).await;
    assert_eq!(carol.next().await.unwrap()["type"], "refused");
    carol.send(json!({ "do": "nonsense" })).await;
    assert_eq!(carol.next().await.unwrap()["type"], "refused");
}

#[tokio::test]
async fn edits_reactions_deletions_and_typing_are_changes() {
    let sandbox = Sandbox::builder().start().await.unwrap();
    let user = sandbox.client();
    let (mut bob, _) = Stream::of(&sandbox, "bob").await;
    let sent = user.send("alice", "general", "one").await.unwrap();
    let path = format!("messages/{}", text(&sent["id"]));
    assert_eq!(bob.change("message").await.0["message"]["content"], "one");
    ask(&sandbox, Method::PATCH, &path, json!({ "as": "alice", "content": "two" })).await;
    assert_eq!(bob.change("message").await.0["message"]["content"], "two");
    ask(&sandbox, Method::POST, &format!("{path}/reactions"), json!({ "as": "bob", "emoji": "🎉" })).await;
    assert_eq!(bob.change("message").await.0["message"]["reactions"][0]["me"], true);
    ask(&sandbox, Method::POST, "typing", json!({ "as": "alice", "channel": "general" })).await;
    assert_eq!(bob.change("typing").await.0["user"], sent["author"]["id"]);
    ask(&sandbox, Method::DELETE, &path, json!({ "as": "alice" })).await;
    assert_eq!(bob.change("gone").await.0["id"], sent["id"]);
    ask(&sandbox, Method::POST, "users", json!({ "username": "dora", "guild": "Sandbox" })).await;
    let (world, _) = bob.change("world").await;
    assert!(world["users"].as_array().unwrap().iter().any(|user| user["username"] == "dora"));
}

#[tokio::test]
async fn a_stream_is_resumed_where_it_was_lost_or_begins_anew() {
    let sandbox = Sandbox::builder().start().await.unwrap();
    let user = sandbox.client();
    let (mut first, view) = Stream::of(&sandbox, "bob").await;
    user.send("alice", "general", "seen").await.unwrap();
    let (_, n) = first.change("message").await;
    drop(first);
    for text in ["missed", "missed too"] {
        user.send("alice", "general", text).await.unwrap();
    }
    let hello = |run: &Value, n: u64| json!({ "secret": sandbox.control_secret(), "as": "bob", "resume": { "run": run, "n": n } });
    let mut again = Stream::open(&sandbox, hello(&view["run"], n)).await;
    assert_eq!(again.next().await.unwrap()["type"], "resumed");
    let missed = again.next().await.unwrap();
    let texts: Vec<&Value> =
        missed["changes"].as_array().unwrap().iter().map(|change| &change["message"]["content"]).collect();
    assert_eq!(texts, ["missed", "missed too"]);
    let mut other = Stream::open(&sandbox, hello(&json!("another run"), n)).await;
    assert_eq!(other.next().await.unwrap()["type"], "view");
    sandbox.shutdown().await;
    while again.next().await.is_some() {}
}

#[tokio::test]
async fn answers_for_one_user_alone_are_in_their_stream_only_and_end_there() {
    let mut bot = Bot::start().await;
    bot.register(json!({ "name": "secret", "description": "d" })).await;
    let (mut alice, _) = Stream::of(&bot.sandbox, "alice").await;
    let (mut bob, _) = Stream::of(&bot.sandbox, "bob").await;
    let user = bot.user.clone();
    let reply = json!({ "type": 4, "data": { "content": "between us", "flags": 64 } });
    let (interaction, answer) = bot.answers(user.say("/secret"), reply).await;
    let (change, _) = alice.change("message").await;
    assert_eq!(change["message"]["content"], "between us");
    let message = answer.message.unwrap();
    let webhook = format!("/webhooks/{}/{}", bot.sandbox.bot_id(), text(&interaction["token"]));
    bot.expect(204, Method::DELETE, &format!("{webhook}/messages/@original"), &Value::Null).await;
    assert_eq!(alice.change("gone").await.0["id"], message["id"]);
    user.send("carol", "bot-test", "for all").await.unwrap();
    let (change, _) = bob.change("message").await;
    assert_eq!(change["message"]["content"], "for all");
}

#[tokio::test]
async fn the_log_is_in_the_stream_while_it_is_asked_for() {
    let sandbox = Sandbox::builder().start().await.unwrap();
    let (mut alice, _) = Stream::of(&sandbox, "alice").await;
    alice.send(json!({ "do": "log", "from": 1 })).await;
    let note = ask(&sandbox, Method::POST, "notes", json!({ "text": "a note" })).await;
    let entry = loop {
        let message = alice.next().await.unwrap();
        assert_eq!(message["missed"], 0);
        if let Some(entry) =
            message["entries"].as_array().unwrap().iter().find(|entry| entry["n"] == note["n"])
        {
            break entry.clone();
        }
    };
    assert_eq!(entry["text"], "a note");
}

#[tokio::test]
async fn a_command_can_be_waited_for_until_it_is_acknowledged() {
    let mut bot = Bot::start().await;
    bot.register(json!({ "name": "slow", "description": "d" })).await;
    let sandbox = bot.sandbox.url().to_owned();
    let secret = bot.sandbox.control_secret().to_owned();
    let run = async move {
        let http = Client::builder().no_proxy().build().unwrap();
        let body =
            json!({ "as": "alice", "channel": "bot-test", "text": "/slow", "until_acknowledged": true });
        let request = http.post(format!("{sandbox}/sandbox/interactions/command")).bearer_auth(secret);
        Ok(request.json(&body).send().await.unwrap().json::<Answer>().await.unwrap())
    };
    // Nothing completes the deferred answer, so that only the acknowledgement can end the wait.
    let (_, answer) = bot.answers(run, json!({ "type": 5 })).await;
    assert!(answer.deferred && answer.error.is_none(), "{answer:?}");
    assert_eq!(bot.user.stats().await.unwrap()["interactions"]["unanswered"], 0);
}

#[tokio::test]
async fn history_is_read_page_by_page() {
    let sandbox = Sandbox::builder().start().await.unwrap();
    let user = sandbox.client();
    let mut ids = Vec::new();
    for n in 0..7 {
        ids.push(text(&user.send("alice", "general", &n.to_string()).await.unwrap()["id"]).to_owned());
    }
    let page = async |before: &str| {
        let path = format!("messages?as=bob&channel=general&limit=3{before}");
        let page: Value = control(&sandbox, Method::GET, &path).send().await.unwrap().json().await.unwrap();
        page.as_array().unwrap().iter().map(|message| text(&message["id"]).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(page("").await, ids[4..]);
    assert_eq!(page(&format!("&before={}", ids[4])).await, ids[1..4]);
    assert_eq!(page(&format!("&before={}", ids[1])).await, ids[..1]);
    assert!(page(&format!("&before={}&after={}", ids[1], ids[3])).await.is_empty());
}

#[tokio::test]
async fn people_pin_start_threads_and_write_to_each_other() {
    let sandbox = Sandbox::builder().start().await.unwrap();
    let user = sandbox.client();
    let sent = user.send("bob", "general", "pin me").await.unwrap();
    let pin = format!("messages/{}/pin", text(&sent["id"]));
    let refused = control(&sandbox, Method::PUT, &pin).json(&json!({ "as": "carol" })).send().await.unwrap();
    assert_eq!(refused.status(), 403);
    ask(&sandbox, Method::PUT, &pin, json!({ "as": "alice" })).await;
    let pins = async || -> Value {
        control(&sandbox, Method::GET, "pins?as=bob&channel=general")
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    };
    assert_eq!(pins().await[0]["content"], "pin me");
    ask(&sandbox, Method::DELETE, &pin, json!({ "as": "alice" })).await;
    assert_eq!(pins().await, json!([]));

    let body = json!({ "as": "bob", "channel": "general", "name": "A talk", "message": sent["id"] });
    let thread = ask(&sandbox, Method::POST, "threads", body).await;
    assert_eq!((&thread["id"], &thread["name"]), (&sent["id"], &json!("A talk")));
    let path = format!("threads/{}", text(&thread["id"]));
    let close = |who: &str| {
        control(&sandbox, Method::PATCH, &path).json(&json!({ "as": who, "archived": true })).send()
    };
    assert_eq!(close("carol").await.unwrap().status(), 403);
    assert_eq!(close("bob").await.unwrap().status(), 200);
    let (_, view) = Stream::of(&sandbox, "carol").await;
    assert_eq!(view["view"]["guilds"][0]["threads"][0]["thread_metadata"]["archived"], true);

    ask(&sandbox, Method::POST, "guilds/Sandbox/channels", json!({ "name": "ideas", "type": 15 })).await;
    let post = json!({ "as": "carol", "channel": "ideas", "name": "An idea", "content": "what if" });
    let post = ask(&sandbox, Method::POST, "threads", post).await;
    let first = user.messages("bob", text(&post["id"]), 10).await.unwrap();
    assert_eq!(first[0]["content"], "what if");
    let empty = json!({ "as": "carol", "channel": "ideas", "name": "Empty" });
    let empty = control(&sandbox, Method::POST, "threads").json(&empty).send().await.unwrap();
    assert_eq!(empty.status(), 400);

    let direct =
        ask(&sandbox, Method::POST, "direct-messages", json!({ "as": "bob", "with": "carol" })).await;
    user.send("carol", text(&direct["id"]), "psst").await.unwrap();
    let (_, view) = Stream::of(&sandbox, "bob").await;
    assert_eq!(view["view"]["direct_messages"][0]["id"], direct["id"]);
    let (_, view) = Stream::of(&sandbox, "alice").await;
    assert_eq!(view["view"]["direct_messages"], json!([]));
}

#[tokio::test]
async fn a_bot_that_names_its_source_is_known_by_it_to_people_alone() {
    let mut bot = Bot::start().await;
    let url = format!("{}{}/messages", bot.sandbox.api_url(), bot.channel("general"));
    let http = Client::builder().no_proxy().build().unwrap();
    let send = |source: &str| {
        let request = http.post(&url).header("authorization", format!("Bot {}", bot.sandbox.token()));
        request.header("x-sandbox-source", source).json(&json!({ "content": "hello" })).send()
    };
    let sent: Value = send("commands/general").await.unwrap().json().await.unwrap();
    send(&"x".repeat(101)).await.unwrap();
    assert!(sent["source"].is_null() && sent["id"].is_string(), "{sent}");
    let seen = bot.user.messages("alice", "general", 10).await.unwrap();
    assert_eq!(seen[0]["source"]["name"], "commands/general");
    assert!(seen[0]["source"]["at_ms"].as_u64().is_some_and(|at| at > 1_600_000_000_000));
    assert!(seen[1]["source"].is_null());
    let event = bot.event("MESSAGE_CREATE").await;
    assert!(event["source"].is_null() && event["content"] == "hello", "{event}");
    assert_eq!(id(&seen[0]["id"]), id(&sent["id"]));
}

#[cfg(unix)]
#[tokio::test]
async fn a_bots_control_socket_is_reached_through_the_sandbox() {
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("control.sock");
    let sandbox = Sandbox::builder().bot_control(&socket).start().await.unwrap();
    let status = async || {
        control(&sandbox, Method::POST, "bot-control").json(&json!({ "do": "status" })).send().await.unwrap()
    };
    assert_eq!(status().await.status(), 503);
    let listener = tokio::net::UnixListener::bind(&socket).unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut stream = BufReader::new(stream);
                let mut line = String::new();
                while stream.read_line(&mut line).await.is_ok_and(|read| read > 0) {
                    let asked: Value = serde_json::from_str(&line).unwrap();
                    let reply = match asked["do"].as_str() {
                        Some("events") => format!("{{\"event\":\"note\",\"last\":{}}}\n", asked["last"]),
                        _ => format!("{}\n", json!({ "ok": asked })),
                    };
                    stream.get_mut().write_all(reply.as_bytes()).await.unwrap();
                    line.clear();
                }
            });
        }
    });
    let answer: Value = status().await.json().await.unwrap();
    assert_eq!(answer, json!({ "ok": { "do": "status" } }));
    let (mut alice, _) = Stream::of(&sandbox, "alice").await;
    alice.send(json!({ "do": "bot", "last": 5 })).await;
    assert_eq!(
        alice.next().await.unwrap(),
        json!({ "type": "bot", "event": { "event": "note", "last": 5 } })
    );
    let without = Sandbox::builder().start().await.unwrap();
    let refused = control(&without, Method::POST, "bot-control").json(&json!({})).send().await.unwrap();
    assert_eq!(refused.status(), 404);
    tokio::time::timeout(Duration::from_secs(10), sandbox.shutdown()).await.unwrap();
}
