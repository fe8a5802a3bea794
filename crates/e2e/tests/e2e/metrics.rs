//! Health and metrics of a development host: reloads are counted, and a new host serves at the address of the old one.

use std::net::{Ipv4Addr, TcpListener};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use e2e::TestHost;
use e2e::bot::PATIENCE;
use e2e::test_host::PING;

/// Returns status and body of a page, if it is served.
async fn get(address: &str, path: &str) -> Option<(u16, String)> {
    let answer = reqwest::get(format!("http://{address}{path}")).await.ok()?;
    Some((answer.status().as_u16(), answer.text().await.ok()?))
}

/// Waits until a page responds with this status and contains `line`. Returns its body.
async fn shows(address: &str, path: &str, status: u16, line: &str) -> String {
    let began = Instant::now();
    loop {
        let page = get(address, path).await;
        match page {
            Some((answered, body)) if answered == status && body.lines().any(|each| each.contains(line)) => {
                return body;
            }
            page if began.elapsed() > PATIENCE => panic!("{path} does not show {line:?}, but {page:?}"),
            _ => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
        }
    }
}

fn value(metrics: &str, sample: &str) -> f64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("{sample} is not in:\n{metrics}")).parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn reloads_and_panics_are_counted_and_each_new_host_serves_at_the_same_address() {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().to_string();
    let address = free.as_str();
    let mut host = TestHost::new(&[("HEALTH_ADDR", address), ("HMR_PROBATION_CALLS", "0")]).await;
    shows(address, "/ready", 200, "\"ready\"").await;
    shows(address, "/metrics", 200, "reload=\"yes\"").await;

    // Swaps do not interrupt requests.
    let ended = Arc::new(AtomicBool::new(false));
    let watch = tokio::spawn({
        let (address, ended) = (free.clone(), ended.clone());
        async move {
            let mut looks = 0;
            while !ended.load(Ordering::Relaxed) {
                assert_eq!(get(&address, "/ready").await.map(|(status, _)| status), Some(200));
                looks += 1;
            }
            looks
        }
    });
    for words in ["Pang", "Peng", "Pung"] {
        assert!(host.edit_ping(words).await.contains("loaded plugin="));
    }
    ended.store(true, Ordering::Relaxed);
    assert!(watch.await.unwrap() > 3);
    let live = "hotcord_reloads_total{plugin=\"commands/general\",outcome=\"live\"} 3";
    let metrics = shows(address, "/metrics", 200, live).await;
    let generation = value(&metrics, "hotcord_plugin_generation{plugin=\"commands/general\"}");
    assert!((generation - 4.0).abs() < 1e-9, "{generation}");
    let took = "hotcord_reload_duration_seconds";
    assert!((value(&metrics, &format!("{took}_count{{plugin=\"commands/general\"}}")) - 3.0).abs() < 1e-9);
    assert!(value(&metrics, &format!("{took}_sum{{plugin=\"commands/general\"}}")) > 0.05);

    // A save that does not build, and one that panics.
    let source = host.playground.read(PING).unwrap();
    host.playground.save(PING, &source.replace("Context<'_>", "Contxt<'_>")).unwrap();
    let failed = "hotcord_reloads_total{plugin=\"commands/general\",outcome=\"failed\"} 1";
    shows(address, "/metrics", 200, failed).await;
    let lines = host.bot.line_count();
    let panics = "assert!(ctx.guild_id().is_none(), \"no guilds today\");\n    let latency =";
    host.playground.save(PING, &source.replace("let latency =", panics)).unwrap();
    host.bot.wait_for_line(lines, "plugin=commands/general from=4 to=5 ").await.unwrap();
    assert!(host.say("/ping").await.content.contains("no guilds today"));
    let panicked = "hotcord_commands_total{command=\"ping\",kind=\"slash\",outcome=\"panic\"} 1";
    let before = shows(address, "/metrics", 200, panicked).await;
    assert!((value(&before, "hotcord_panics_total{plugin=\"commands/general\"}") - 1.0).abs() < 1e-9);

    // A host that replaces this one, and one that is started after a crash.
    let began = "hotcord_process_start_time_seconds";
    let lines = host.bot.line_count();
    assert_eq!(host.say("/dev restart now:true").await.content, "The bot restarts now.");
    host.bot.wait_for_line(lines, "silent_ms=").await.unwrap();
    shows(address, "/ready", 200, "\"ready\"").await;
    let after = shows(address, "/metrics", 200, "hotcord_gateway_identifies_total{shard=\"0\"} 1").await;
    assert!(value(&after, began) > value(&before, began));
    let lines = host.bot.line_count();
    host.bot.kill_host().unwrap();
    host.bot.wait_for(lines, "ready", |line| line.contains(": ready ")).await.unwrap();
    shows(address, "/ready", 200, "\"ready\"").await;
    let said = host.bot.lines_from(0).join("\n");
    assert!(!said.contains("health and metrics are not served"), "{said}");

    // The development host's program has the client for health too.
    for (words, code) in [(&["health"][..], 0), (&["health", "--ready"], 0), (&["helth"], 64)] {
        let mut asked = Command::new(host.playground.path("target/hmr/debug/hotcord"));
        let asked = asked.args(words).env_clear().env("HEALTH_ADDR", address).output().unwrap();
        assert_eq!(asked.status.code(), Some(code), "{asked:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_on_probation_that_panics_is_counted_as_rolled_back() {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().to_string();
    let mut host = TestHost::new(&[("HEALTH_ADDR", &free)]).await;
    let lines = host.bot.line_count();
    let panics = "assert!(ctx.guild_id().is_none(), \"no guilds today\");\n    let latency =";
    host.playground.edit(PING, "let latency =", panics).unwrap();
    host.bot.wait_for_line(lines, "plugin=commands/general from=1 to=2 ").await.unwrap();
    host.say("/ping").await;
    let back = "hotcord_reloads_total{plugin=\"commands/general\",outcome=\"rolled_back\"} 1";
    shows(&free, "/metrics", 200, back).await;
}
