//! A host that dies: it comes back with the code that worked, and the cause of its death is reported.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use e2e::bot::PATIENCE;
use e2e::test_host::PING;
use e2e::{Bot, Playground, TestHost};
use rustix::process::{Pid, Signal, kill_process};
use sandbox::Sandbox;
use sandbox::client::Run;
use sandbox::event_log::Kind;

/// Maximum number of milliseconds from a death to an answer.
const BACK_WITHIN: u64 = 2000;

/// Returns the process id of the host below the supervisor. Waits until there is one.
async fn host(test_host: &TestHost) -> u32 {
    let supervisor = test_host.bot.pid().unwrap();
    let began = Instant::now();
    loop {
        let children = fs::read_to_string(format!("/proc/{supervisor}/task/{supervisor}/children")).unwrap();
        if let Some(child) = children.split_whitespace().next() {
            return child.parse().unwrap();
        }
        assert!(began.elapsed() < PATIENCE, "{supervisor} has no child");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn kill(process: u32, signal: Signal) {
    kill_process(Pid::from_raw(process.try_into().unwrap()).unwrap(), signal).unwrap();
}

/// Returns the masks of the signals that the children of a process ignore.
fn ignored_by_children_of(process: u32) -> Vec<u64> {
    let all = fs::read_dir("/proc").unwrap().flatten();
    let status = all.filter_map(|entry| fs::read_to_string(entry.path().join("status")).ok());
    status
        .filter(|status| status.lines().any(|line| line == format!("PPid:\t{process}")))
        .filter_map(|status| {
            let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
            u64::from_str_radix(mask.trim(), 16).ok()
        })
        .collect()
}

/// Waits until a process has ended.
async fn gone(process: u32) {
    let began = Instant::now();
    while Path::new(&format!("/proc/{process}/exe")).exists() {
        assert!(began.elapsed() < PATIENCE, "{process} is still there");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Waits until this many sessions are closed.
async fn closed(sandbox: &Sandbox, sessions: u64) {
    let began = Instant::now();
    while sandbox.event_log().count(Kind::Closed) < sessions {
        assert!(began.elapsed() < PATIENCE, "the gateway has not been closed");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Waits for the line of a host that has come back. Returns the time without answers in milliseconds.
async fn back(test_host: &mut TestHost, from: usize) -> u64 {
    let line = test_host.bot.wait_for_line(from, "back after a crash").await.unwrap();
    let ms = line.split("silent_ms=").nth(1);
    ms.unwrap_or_else(|| panic!("{line}")).parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_gateway_keeps_its_session_over_killed_hosts_and_gives_the_next_one_what_came_meanwhile() {
    let mut test_host = TestHost::new(&[("HOLD_GATEWAY", "true")]).await;
    for _ in 0..3 {
        let from = test_host.bot.line_count();
        let dead = host(&test_host).await;
        kill(dead, Signal::KILL);
        gone(dead).await;
        // Nobody is there to answer.
        assert!(test_host.ping().await.starts_with("Pong!"));
        back(&mut test_host, from).await;
    }
    assert_eq!(test_host.identifies(), 1);
    assert_eq!(test_host.sandbox.event_log().count(Kind::Closed), 0);
    let stats = test_host.sandbox.client().stats().await.unwrap();
    assert_eq!(
        (&stats["interactions"]["doubled"], &stats["interactions"]["unanswered"]),
        (&0.into(), &0.into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_on_probation_brings_the_code_before_it_back() {
    let mut test_host = TestHost::new(&[]).await;
    let source = test_host.playground.read(PING).unwrap();
    let sabotages = [
        (
            "SIGSEGV",
            "#[allow(unsafe_code)]\n    unsafe { std::ptr::without_provenance::<u8>(8).read_volatile() };",
        ),
        ("SIGABRT", "std::process::abort();"),
        ("SIGABRT", "let _ = deeper(0);"),
    ];
    let deeper = "\nfn deeper(depth: u64) -> u64 {\n    std::hint::black_box([depth; 999])[7] + deeper(depth + 1) + 1\n}\n";
    for (round, (signal, sabotage)) in sabotages.iter().enumerate() {
        // A generation is set aside, and the code before it is restored with the next number.
        let (old, new, again) = (1 + 2 * round, 2 + 2 * round, 3 + 2 * round);
        let lines = test_host.bot.line_count();
        let crashing = source.replace("let latency =", &format!("{sabotage}\n    let latency =")).replace(
            "/// Answers,",
            "#[allow(unreachable_code, unconditional_recursion, unused)]\n/// Answers,",
        );
        test_host
            .playground
            .save(PING, &(crashing + if sabotage.contains("deeper") { deeper } else { "" }))
            .unwrap();
        test_host
            .bot
            .wait_for_line(lines, &format!("plugin=commands/general from={old} to={new} "))
            .await
            .unwrap();
        let before = host(&test_host).await;
        let _ = test_host.sandbox.client().run(Run::typed("/ping").deadline(Duration::from_secs(1))).await;
        let line = test_host.bot.wait_for_line(lines, "the host died of").await.unwrap();
        let blamed = format!(
            "the host died of {signal} while /ping of commands/general {new} was under way; commands/general {new} \
             was on probation and is set aside, the code of {old} is back as {again}"
        );
        assert!(line.contains(&blamed), "{line}");
        let ms = back(&mut test_host, lines).await;
        assert!(ms < BACK_WITHIN, "{ms} ms");
        assert!(test_host.ping().await.starts_with("Pong!"));
        assert_ne!(host(&test_host).await, before);
    }
    // Neither cargo nor rustc was involved, and the next save is built as usual.
    let lines = test_host.bot.line_count();
    test_host.playground.save(PING, &source.replace("Pong!", "Pang!")).unwrap();
    test_host.bot.wait_for_line(lines, "plugin=commands/general from=7 to=8 ").await.unwrap();
    assert!(test_host.ping().await.starts_with("Pang!"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_after_the_calls_of_probation_sets_nothing_aside() {
    let variables = [("HMR_PROBATION_CALLS", "2"), ("RUST_LOG", "info,hmr=debug")];
    let mut test_host = TestHost::new(&variables).await;
    let lines = test_host.bot.line_count();
    // Each host starts counting at zero.
    let third = "static CALLS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);\n    \
                 if CALLS.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 2 {\n        std::process::abort();\n    }";
    let source =
        test_host.ping_that_says("Pang").replace("let latency =", &format!("{third}\n    let latency ="));
    test_host.playground.save(PING, &source).unwrap();
    test_host.bot.wait_for_line(lines, "plugin=commands/general from=1 to=2 ").await.unwrap();
    for _ in 0..2 {
        assert!(test_host.ping().await.starts_with("Pang!"));
    }
    test_host
        .bot
        .wait_for_line(lines, "all calls of the probation have passed plugin=commands/general generation=2")
        .await
        .unwrap();
    let _ = test_host.sandbox.client().run(Run::typed("/ping").deadline(Duration::from_secs(1))).await;
    let line = test_host.bot.wait_for_line(lines, "the host died of").await.unwrap();
    let blamed =
        "the host died of SIGABRT while /ping of commands/general 2 was under way; it is started again now";
    assert!(line.contains(blamed), "{line}");
    back(&mut test_host, lines).await;
    assert!(test_host.ping().await.starts_with("Pang!"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_killed_comes_back_as_it_was() {
    let mut test_host = TestHost::new(&[]).await;
    test_host.edit_ping("Pang").await;
    let lines = test_host.bot.line_count();
    let killed = host(&test_host).await;
    kill(killed, Signal::KILL);
    let line = test_host.bot.wait_for_line(lines, "the host died of").await.unwrap();
    assert!(line.contains("the host died of SIGKILL; it is started again now"), "{line}");
    let ms = back(&mut test_host, lines).await;
    assert!(ms < BACK_WITHIN, "{ms} ms");
    assert!(test_host.ping().await.starts_with("Pang!"));
    assert_ne!(host(&test_host).await, killed);
    let said = test_host.bot.lines_from(lines).join("\n");
    assert!(said.contains("commands/general 2"), "{said}");
    // Reloading continues from there.
    assert!(test_host.edit_ping("Peng").await.contains("plugin=commands/general from=2 to=3 "));
    assert!(test_host.ping().await.starts_with("Peng!"));

    // One signal ends supervisor and host, and closes the session.
    let host = host(&test_host).await;
    let TestHost { bot, sandbox, playground } = test_host;
    closed(&sandbox, 1).await;
    assert_eq!(sandbox.event_log().count(Kind::Closed), 1, "the killed host's session");
    assert_eq!(bot.stop().await.unwrap().code(), Some(0));
    gone(host).await;
    closed(&sandbox, 2).await;
    drop(playground);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_loop_is_given_up() {
    let mut test_host = TestHost::new(&[]).await;
    for round in 1..=5 {
        let lines = test_host.bot.line_count();
        let killed = host(&test_host).await;
        kill(killed, Signal::ABORT);
        let line = test_host.bot.wait_for_line(lines, "the host died of SIGABRT").await.unwrap();
        assert_eq!(round == 5, line.contains("5 times within 60 s, so it is not started again"), "{line}");
        if round < 5 {
            gone(killed).await;
            // A later crash would not count as part of a loop.
            test_host.bot.wait_for_line(lines, "hotcord starts").await.unwrap();
        }
    }
    assert_eq!(test_host.bot.ended().await.unwrap().code(), Some(70));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nohup_has_started_outlives_its_terminal_and_ends_by_ctrl_c() {
    let playground = Playground::new().unwrap();
    let sandbox = Sandbox::builder().bot_name("Hotcord").start().await.unwrap();
    let host_program = playground.path("target/hmr/debug/hotcord");
    let script = format!("#!/bin/sh\ntrap '' INT HUP QUIT\nexec '{}'\n", host_program.display());
    playground.save("target/ignoring", &script).unwrap();
    let program = playground.path("target/ignoring");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let bot = Bot::run(&playground, program, &sandbox, &[("ENABLE_HMR", "true")]).await.unwrap();
    let mut test_host = TestHost { playground, sandbox, bot };
    let (supervisor, host) = (test_host.bot.pid().unwrap(), host(&test_host).await);

    kill(supervisor, Signal::HUP);
    let line = test_host.edit_ping("Still").await;
    assert!(line.contains("loaded plugin="), "{line}");
    assert!(test_host.ping().await.starts_with("Still!"));
    // The host's children receive the signals that end it: its probe does, and so do compilers.
    let ignored = ignored_by_children_of(host);
    assert!(!ignored.is_empty(), "there is a probe");
    for signal in [Signal::INT, Signal::QUIT] {
        let bit = 1 << (signal.as_raw() - 1);
        assert!(ignored.iter().all(|mask| mask & bit == 0), "{signal:?} is ignored: {ignored:x?}");
    }
    kill(supervisor, Signal::INT);
    let TestHost { mut bot, sandbox, playground } = test_host;
    assert_eq!(bot.ended().await.unwrap().code(), Some(0), "{:?}", bot.lines_from(0));
    gone(host).await;
    closed(&sandbox, 1).await;
    drop(playground);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_does_not_outlive_its_supervisor() {
    let test_host = TestHost::new(&[]).await;
    let host = host(&test_host).await;
    let TestHost { bot, sandbox, playground } = test_host;
    bot.kill().await.unwrap();
    gone(host).await;
    closed(&sandbox, 1).await;
    drop(playground);
}
