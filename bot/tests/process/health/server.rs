//! The server with invalid, slow, and too many requests.

use std::path::Path;

use sdk::tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use sdk::tokio::net::TcpStream;
use sdk::tokio::time::timeout;

use super::bot::{Bot, PATIENCE, discord};
use super::http::{request, request_as};

#[tokio::test]
async fn other_paths_and_methods_are_refused_in_one_line() {
    let discord = discord().await;
    let bot = Bot::start(&discord, &[]).await;
    for (method, path, status) in [
        ("GET", "/", 404),
        ("GET", "/health/", 404),
        ("GET", "/metrics/../health", 404),
        ("POST", "/nothing", 404),
        ("POST", "/health", 405),
        ("DELETE", "/metrics", 405),
        ("GET", "/health?verbose=1", 200),
    ] {
        let page = request(bot.address, method, path).await;
        assert_eq!(page.status, status, "{method} {path}");
        assert_eq!(page.body.lines().count(), 1, "{page:?}");
        assert_eq!(page.header("allow").is_some(), status == 405, "{page:?}");
    }
    for path in ["/health", "/ready", "/metrics"] {
        let page = request(bot.address, "HEAD", path).await;
        assert_eq!(page.body, "", "{path}");
        let length: usize = page.header("content-length").unwrap().parse().unwrap();
        assert!(length > 0 && matches!(page.status, 200 | 503), "{page:?}");
    }
}

#[tokio::test]
async fn a_page_whose_own_name_leads_here_reads_nothing() {
    let discord = discord().await;
    let bot = Bot::start(&discord, &[]).await;
    for (host, status) in [("rebound.example:9464", 421), ("", 421), ("bot:9464", 200), ("[::1]", 200)] {
        let page = request_as(bot.address, host, "GET", "/metrics").await;
        assert_eq!(page.status, status, "{host}");
        assert_eq!(page.body.contains("hotcord_"), status == 200, "{host}: {page:?}");
    }
}

#[tokio::test]
async fn who_is_slow_or_sends_too_much_hurts_nobody() {
    let discord = discord().await;
    let bot = Bot::start(&discord, &[]).await;
    let mut slow = Vec::new();
    for _ in 0..100 {
        let mut stream = TcpStream::connect(bot.address).await.unwrap();
        stream.write_all(b"GET /health HT").await.unwrap();
        slow.push(stream);
    }
    assert_eq!(bot.get("/health").await.status, 200);
    // The first ones were closed to make room, the last ones run out of time.
    for stream in slow.iter_mut().step_by(99) {
        let mut rest = Vec::new();
        let ended = timeout(PATIENCE, stream.read_to_end(&mut rest)).await;
        assert!(ended.is_ok(), "a connection stays open");
    }
    // A request's head is limited to a few kilobytes.
    let mut stream = TcpStream::connect(bot.address).await.unwrap();
    let huge = format!("GET /health HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "x".repeat(1 << 20));
    // The server need not read it to its end.
    let _ = stream.write_all(huge.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap();
    assert!(!answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    bot.answers("/ready", 200).await;
}

#[tokio::test]
async fn no_page_holds_a_token_or_tells_who_uses_the_bot() {
    let discord = discord().await;
    let mut bot = Bot::start(&discord, &[("MY_SECRET", "correct-horse")]).await;
    bot.serves().await;
    assert!(discord.client().say("/ping").await.unwrap().is_ok());
    bot.counts("hotcord_commands_total{command=\"ping\",kind=\"slash\",outcome=\"ok\"}", 1.0).await;
    let secret = discord.token().rsplit('.').next().unwrap();
    let (guild, user) = (discord.guild_id().to_string(), discord.user_id("alice").unwrap().to_string());
    for path in ["/health", "/ready", "/metrics", "/"] {
        let body = bot.get(path).await.body;
        for hidden in [secret, "correct-horse", &guild, &user, "alice"] {
            assert!(!body.contains(hidden), "{hidden} is on {path}");
        }
    }
}

#[tokio::test]
async fn every_metric_is_in_the_documentation() {
    let page =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/metrics.md")).unwrap();
    let discord = discord().await;
    let bot = Bot::start(&discord, &[]).await;
    bot.answers("/ready", 200).await;
    let scrape = bot.scrape().await;
    assert!(scrape.kinds.len() > 15, "{scrape:?}");
    for (name, kind) in &scrape.kinds {
        let suffix = if kind == "counter" {
            "_total"
        } else if kind == "info" {
            "_info"
        } else {
            ""
        };
        assert!(page.contains(&format!("| `{name}{suffix}` | {kind} |")), "{name} is not in docs/metrics.md");
    }
    let build = format!("hotcord_build_info{{version=\"{}\",reload=\"no\"}}", env!("CARGO_PKG_VERSION"));
    assert!((scrape.sample(&build) - 1.0).abs() < 1e-9);
    assert!(scrape.sample("hotcord_process_resident_memory_bytes") > 1e6);
    assert!(scrape.sample("hotcord_process_start_time_seconds") > 1.7e9);
    assert!((scrape.sample("hotcord_plugin_generation{plugin=\"commands/general\"}") - 1.0).abs() < 1e-9);
    assert!(!scrape.kinds.contains_key("hotcord_reloads"), "nothing reloads here");
}
