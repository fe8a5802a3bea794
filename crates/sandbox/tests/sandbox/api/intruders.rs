//! Intruders: web pages, and other users of the machine.

use std::process::Stdio;
use std::time::Duration;

use axum::Router;
use axum::response::Html;
use axum::routing::{get, post};
use reqwest::{Client, Method};
use sandbox::Sandbox;
use sandbox::event_log::Kind;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, http};

use crate::api::bot::Bot;
use crate::api::cli;

/// Headers of a browser, or a name that rebinding has pointed here.
const PAGES: [(&str, &str); 4] = [
    ("origin", "https://evil.example"),
    ("origin", "null"),
    ("host", "evil.example"),
    ("sec-fetch-site", "cross-site"),
];

#[tokio::test]
async fn web_pages_reach_no_route_whatever_they_know() {
    let bot = Bot::start().await;
    let token = format!("Bot {}", bot.sandbox.token());
    let http = Client::builder().no_proxy().build().unwrap();
    let message = bot.user.send("alice", "general", "x").await.unwrap();
    let form = reqwest::multipart::Form::new()
        .part("files[0]", reqwest::multipart::Part::text("a").file_name("a.txt"));
    let sent = bot.upload(Method::POST, &format!("{}/messages", bot.channel("general")), form).await.1;
    let file = sent["attachments"][0]["url"].as_str().unwrap().to_owned();
    let url = |path: &str| format!("{}{path}", bot.sandbox.url());
    let channel = message["channel_id"].as_str().unwrap();
    for (method, url) in [
        (Method::GET, url("/")),
        (Method::GET, url("/nowhere")),
        (Method::GET, url("/api/v10/gateway")),
        (Method::GET, url("/api/v10/gateway/bot")),
        (Method::GET, url("/api/users/@me")),
        (Method::POST, url(&format!("/api/v10/channels/{channel}/messages"))),
        (Method::OPTIONS, url("/api/v10/users/@me")),
        (Method::GET, file.clone()),
        (Method::GET, url("/sandbox/voice/root.pem")),
        (Method::POST, url("/sandbox/messages")),
    ] {
        for (name, value) in PAGES {
            let request =
                http.request(method.clone(), &url).header("authorization", &token).header(name, value);
            let answer = request.json(&json!({ "content": "x" })).send().await.unwrap();
            assert_eq!(answer.status(), 403, "{method} {url} {name}: {value}");
            let said: Value = answer.json().await.unwrap();
            assert!(said["message"].is_string() && said["message"] == said["error"], "{said}");
        }
    }
    assert_eq!(bot.sandbox.event_log().count(Kind::Refused), 40);
    // A program and a user who follows a link get the same file.
    assert_eq!(http.get(&file).send().await.unwrap().text().await.unwrap(), "a");
    let link = http.get(&file).header("sec-fetch-site", "none");
    assert_eq!(link.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn web_pages_open_no_websocket() {
    let sandbox = Sandbox::builder().start().await.unwrap();
    let connect = async |pairs: &[(&'static str, String)]| {
        let url = format!("{}/?v=10&encoding=json", sandbox.gateway_url());
        let mut request = url.into_client_request().unwrap();
        for (name, value) in pairs {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match tokio_tungstenite::connect_async(request).await {
            Ok(_) => http::StatusCode::SWITCHING_PROTOCOLS,
            Err(Error::Http(response)) => response.status(),
            Err(error) => panic!("{error}"),
        }
    };
    for (name, value) in PAGES {
        assert_eq!(connect(&[(name, value.to_owned())]).await, 403, "{name}: {value}");
    }
    let port = sandbox.address().port();
    for pairs in [
        vec![],
        vec![("host", format!("sandbox:{port}"))],
        // Clients that are no browsers and name the address that they connect to.
        vec![("origin", sandbox.url().to_owned())],
        vec![("origin", sandbox.gateway_url())],
    ] {
        assert_eq!(connect(&pairs).await, 101, "{pairs:?}");
    }
}

#[tokio::test]
async fn bodies_are_read_as_what_they_say_they_are() {
    let bot = Bot::start().await;
    let http = Client::builder().no_proxy().build().unwrap();
    let messages = format!("{}/messages", bot.channel("general"));
    let channels = format!("{}/channels", bot.guild());
    let own = "application/json";
    for (path, kind, body, status) in [
        (&messages, Some("application/json"), r#"{"content": "x"}"#, 200),
        (&messages, Some("Application/JSON; charset=utf-8"), r#"{"content": "x"}"#, 200),
        (&messages, Some("application/x-www-form-urlencoded"), "content=x", 200),
        (&messages, Some("text/plain"), r#"{"content": "x"}"#, 400),
        (&messages, Some("application/jsonx"), r#"{"content": "x"}"#, 400),
        (&messages, None, r#"{"content": "x"}"#, 400),
        (&channels, Some(own), r#"{"name": "x"}"#, 201),
        (&channels, Some("text/plain"), r#"{"name": "x"}"#, 400),
        (&channels, Some("application/x-www-form-urlencoded"), "name=x", 400),
        (&channels, Some("multipart/form-data; boundary=x"), "--x--", 400),
        // Without a body, no content type matters.
        (&format!("{}/typing", bot.channel("general")), None, "", 204),
        (&format!("{}/typing", bot.channel("general")), Some("text/plain"), "", 204),
    ] {
        let request = http
            .post(format!("{}{path}", bot.sandbox.api_url()))
            .header("authorization", format!("Bot {}", bot.sandbox.token()));
        let request = kind.into_iter().fold(request, |request, kind| request.header("content-type", kind));
        let answer = request.body(body).send().await.unwrap();
        assert_eq!(answer.status(), status, "{path} {kind:?} {body}");
        if status == 400 {
            let error: Value = answer.json().await.unwrap();
            let code = &error["errors"]["_errors"][0]["code"];
            assert_eq!((&error["code"], code), (&json!(50035), &json!("CONTENT_TYPE_INVALID")), "{error}");
        }
    }
}

#[tokio::test]
async fn who_knows_no_secret_is_nobody() {
    let bot = Bot::start().await;
    let other = Sandbox::builder().start().await.unwrap();
    assert_ne!(bot.sandbox.token(), other.token());
    // The token that every sandbox once accepted.
    let old = "MTEwMDAwMDAwMDAwMDAwMDAwMQ.Sandbx.local-sandbox-token-not-for-discord-com";
    let http = Client::builder().no_proxy().build().unwrap();
    for token in [old, other.token()] {
        let request = http.get(format!("{}/users/@me", bot.sandbox.api_url()));
        let answer = request.header("authorization", format!("Bot {token}")).send().await.unwrap();
        assert_eq!(answer.status(), 401);
    }
    // The control API, whose address every user of the machine knows.
    let body = json!({ "as": "alice", "channel": "general", "content": "x" });
    let secret = bot.sandbox.control_secret();
    let bearer = |secret: &str| Some(format!("Bearer {secret}"));
    for (method, path) in [(Method::GET, ""), (Method::GET, "/log?follow=true"), (Method::POST, "/messages")]
    {
        let url = format!("{}/sandbox{path}", bot.sandbox.url());
        for wrong in [
            None,
            bearer(""),
            bearer(other.control_secret()),
            bearer(&secret[1..]),
            bearer(&format!("{secret}x")),
            Some(secret.to_owned()),
            Some(format!("Bot {}", bot.sandbox.token())),
        ] {
            let request = http.request(method.clone(), &url);
            let request = wrong.iter().fold(request, |request, sent| request.header("authorization", sent));
            let answer = request.json(&body).send().await.unwrap();
            assert_eq!(answer.status(), 403, "{path} {wrong:?}");
            let said = answer.json::<Value>().await.unwrap()["error"].to_string();
            assert!(said.contains("state file") && said.contains("SANDBOX_CONTROL_SECRET"), "{said}");
            assert!(!said.contains(secret), "{said}");
        }
    }
    let url = format!("{}/sandbox/messages", bot.sandbox.url());
    assert_eq!(http.post(&url).bearer_auth(secret).json(&body).send().await.unwrap().status(), 200);
    let chosen = Sandbox::builder().control_secret("chosen").token("chosen too").start().await.unwrap();
    assert!(sandbox::Client::new(chosen.url()).overview().await.is_err());
    assert!(sandbox::Client::new(chosen.url()).secret("chosen").overview().await.is_ok());
    assert_eq!(chosen.token(), "chosen too");
}

/// Tries everything that a page can: to act as the bot, to act as a user, and to read the answers. The results are sent
/// to the page's own server.
const PAGE: &str = r#"<!doctype html><script>
const [http, token, secret] = SANDBOX;
const tried = (name, work) => work.then(() => [name, "got in"], () => [name, "kept out"]);
const socket = new Promise((got, kept) => {
    const socket = new WebSocket(http.replace("http", "ws") + "/?v=10&encoding=json");
    socket.onmessage = got;
    socket.onerror = socket.onclose = kept;
});
const json = { "Content-Type": "application/json" };
const message = JSON.stringify({ as: "alice", channel: "general", content: "from a page" });
Promise.all([
    tried("gateway", socket),
    tried("rest", fetch(http + "/api/v10/users/@me", { headers: { Authorization: "Bot " + token } })),
    tried("gateway url", fetch(http + "/api/v10/gateway").then(answer => answer.json())),
    tried("control", fetch(http + "/sandbox/messages",
        { method: "POST", headers: { ...json, Authorization: "Bearer " + secret }, body: message })),
    // It goes out without a preflight, and its answer is for nobody to see: the sandbox has to refuse it by itself.
    fetch(http + "/sandbox/messages", { method: "POST", mode: "no-cors", body: message }).then(() => ["blind", "sent"]),
]).then(all => fetch("/outcome", { method: "POST", body: JSON.stringify(Object.fromEntries(all)) }));
</script>"#;

#[tokio::test]
async fn a_page_in_a_real_browser_gets_nowhere() {
    let browsers = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let has = |name: &&&str| {
        std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
            .any(|path| path.join(name).is_file())
    };
    let Some(browser) = browsers.iter().find(has) else {
        eprintln!("skipped: there is no Chromium here to open a page with");
        return;
    };
    let bot = Bot::start().await;
    let secrets = json!([bot.sandbox.url(), bot.sandbox.token(), bot.sandbox.control_secret()]);
    let page = PAGE.replace("SANDBOX", &secrets.to_string());
    let (sender, mut outcomes) = tokio::sync::mpsc::unbounded_channel();
    let site = Router::new().route("/", get(async move || Html(page))).route(
        "/outcome",
        post(async move |body: String| {
            let _ = sender.send(serde_json::from_str::<Value>(&body).unwrap());
        }),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, site).await });
    let profile = tempfile::tempdir().unwrap();
    let mut running = tokio::process::Command::new(browser)
        .args([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
        ])
        .args(["--disable-background-networking", "--no-proxy-server", "--remote-debugging-port=0"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(address)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let outcome = tokio::select! {
        outcome = tokio::time::timeout(Duration::from_mins(3), outcomes.recv()) => outcome,
        // For example the wrapper of a package that is not installed.
        ended = running.wait() => {
            eprintln!("skipped: {browser} does not run here ({ended:?})");
            return;
        }
    };
    running.kill().await.unwrap();
    let outcome = outcome.expect("the page tells how it went").unwrap();
    for name in ["gateway", "rest", "gateway url", "control"] {
        assert_eq!(outcome[name], "kept out", "{outcome}");
    }
    assert_eq!(outcome["blind"], "sent", "{outcome}");
    let record = bot.sandbox.event_log();
    // The bot of this test has the only session, and no message was sent by the page.
    assert_eq!((record.count(Kind::Identified), record.count(Kind::Refused) >= 5), (1, true));
    let said = bot.user.messages("alice", "general", 50).await.unwrap();
    assert!(said.iter().all(|message| message["content"] != "from a page"), "{said:?}");
}

/// Starts a server that gives one answer to everything, unlike a sandbox.
async fn hostile(overview: Value) -> String {
    let answer = async move || axum::Json(overview.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    url
}

#[tokio::test]
async fn a_shell_runs_nothing_that_a_server_says() {
    let folder = tempfile::tempdir().unwrap();
    let evil = format!("1; touch {}/ran #", folder.path().display());
    let guild =
        |id: &str, owner: &str| json!({ "guilds": [{ "id": id, "owner": owner }], "bots": [{ "id": "1" }] });
    for (overview, token, told) in [
        (guild(&evil, "1"), "token", false),
        (guild("1", &evil), "token", false),
        (guild("1\nPATH=/evil", "1"), "token", false),
        (json!({}), "token", false),
        // The values of this user's own variables are theirs, and must still not be executed.
        (guild("1", "2"), evil.as_str(), true),
        (guild("1", "2"), "a'b\"c$(id)", true),
    ] {
        let url = hostile(overview.clone()).await;
        let script = r#"eval "$("$PROGRAM" --url "$URL" env)"; printf '%s|%s|%s' "$DISCORD_TOKEN" "$TEST_GUILD_ID" "$OWNER_IDS""#;
        let mut shell = tokio::process::Command::new("sh");
        shell.args(["-c", script]).current_dir(folder.path()).env("XDG_RUNTIME_DIR", folder.path());
        shell.env("PROGRAM", env!("CARGO_BIN_EXE_sandbox")).env("URL", url).env("SANDBOX_TOKEN", token);
        for name in ["SANDBOX_STATE_FILE", "SANDBOX_URL", "DISCORD_TOKEN", "TEST_GUILD_ID", "OWNER_IDS"] {
            shell.env_remove(name);
        }
        let output = shell.output().await.unwrap();
        let seen = String::from_utf8(output.stdout).unwrap();
        let expected = if told { format!("{token}|1|2") } else { "||".to_owned() };
        assert_eq!(seen, expected, "{overview} {}", String::from_utf8_lossy(&output.stderr));
        assert!(!folder.path().join("ran").exists(), "{overview} {token}");
    }
}

#[tokio::test]
async fn what_a_server_says_is_harmless_on_a_terminal() {
    let url = hostile(json!({ "users": [{ "id": "1\u{1b}[2J", "username": "a\nroot  bot\u{202e}", "locale": "\u{9b}2J" }] })).await;
    for (arguments, expected) in [
        (&["users"][..], "1\\u{1b}[2J  a\\nroot  bot\\u{202e}  \\u{9b}2J\n"),
        (
            &["users", "--json"],
            "{\"users\":[{\"id\":\"1\\u001b[2J\",\"locale\":\"\\u009b2J\",\"username\":\"a\\nroot  bot\\u202e\"}]}\n",
        ),
    ] {
        let output = cli::command().args(["--url", &url]).args(arguments).output().await.unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
    }
}
