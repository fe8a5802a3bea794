//! Changes of the host itself, and hosts that replace each other.

use sdk_core::PluginId;
use sdk_core::bus::ReloadEvent;

use super::plugins::plain;
use super::test_engine::{Setup, within};
use crate::build::host::{NewHost, Refusal};
use crate::findings::Findings;
use crate::hosts::Staged;
use crate::supervisor::Start;

fn restart_required(event: &ReloadEvent) -> Option<(Vec<String>, bool)> {
    match event {
        ReloadEvent::RestartRequired { because, automatic } => Some((because.clone(), *automatic)),
        _ => None,
    }
}

#[tokio::test]
async fn without_a_supervisor_a_change_of_the_host_asks_for_a_restart() {
    let mut engine = Setup::default().start(&[("commands/one", Ok(plain("1.0.0")))]).await;
    engine.save(&["bot/src/main.rs"]);
    let (because, automatic) = engine.next(restart_required).await;
    assert_eq!((because, automatic), (vec!["bot/src/main.rs".to_owned()], false));
}

#[tokio::test]
async fn a_new_host_takes_over_once_it_is_built_and_no_plugin_is_being_built() {
    let mut engine = Setup::supervised().start(&[("commands/one", Ok(plain("1.0.0")))]).await;
    engine.toolchain.hold_builds();
    engine.save(&["bot/src/main.rs"]);
    let host = engine.next_host().await;
    engine.edit("commands/one", plain("1.0.1"));
    let build = engine.next_build().await;
    let next = Staged::of_program(&host.request.root.join("target/hosts/2/hotcord")).unwrap();
    host.end(Ok(NewHost::Built(next.clone())));
    build.finish();
    engine.completed("commands/one").await;
    let given = within(engine.engine.wait_for_successor()).await;
    assert_eq!((given.host, given.because), (next, vec!["bot/src/main.rs".to_owned()]));
}

#[tokio::test]
async fn a_newer_save_of_the_host_builds_it_anew() {
    let mut engine = Setup::supervised().start(&[("commands/one", Ok(plain("1.0.0")))]).await;
    engine.save(&["bot/src/main.rs"]);
    let first = engine.next_host().await;
    engine.save(&["bot/src/run.rs"]);
    let second = engine.next_host().await;
    let next = Staged::of_program(&first.request.root.join("target/hosts/2/hotcord")).unwrap();
    second.end(Ok(NewHost::Built(next)));
    let given = within(engine.engine.wait_for_successor()).await;
    assert_eq!(given.because, ["bot/src/main.rs", "bot/src/run.rs"]);
}

#[tokio::test]
async fn a_host_that_does_not_build_is_reported_and_plugins_reload_on() {
    let mut engine = Setup::supervised().start(&[("commands/one", Ok(plain("1.0.0")))]).await;
    engine.save(&["bot/src/main.rs"]);
    let words = "1 compile error in bot".to_owned();
    engine.next_host().await.end(Err(Refusal::Failed { words, findings: Findings::default() }));
    let failed = engine.failed().await;
    assert_eq!(failed, (None, "the running host stays: 1 compile error in bot".to_owned()));
    engine.edit("commands/one", plain("1.0.1"));
    engine.completed("commands/one").await;
}

#[tokio::test]
async fn while_the_sdk_is_built_anew_saved_plugins_wait_for_the_new_host() {
    let mut engine = Setup::supervised().start(&[("commands/one", Ok(plain("1.0.0")))]).await;
    engine.toolchain.hold_builds();
    engine.edit("commands/one", plain("1.0.1"));
    let build = engine.next_build().await;
    engine.save(&["crates/sdk-core/src/lib.rs"]);
    build.cancelled().await;
    let host = engine.next_host().await;
    let answer = engine.reload(None).await;
    assert_eq!(answer, [Err("the change comes in with the new host".to_owned())]);
    assert_eq!(engine.host.reloader().unwrap().status().held, [[PluginId::new("commands/one")]]);
    // The host turns out to be the same, so they need not wait.
    host.end(Ok(NewHost::Same));
    engine.next_build().await.finish();
    engine.completed("commands/one").await;
    assert_eq!(engine.live("commands/one"), Some((2, "1.0.1".to_owned())));
}

#[tokio::test]
async fn a_save_that_changes_nothing_in_the_host_is_reported() {
    let mut engine = Setup::supervised().start(&[("commands/one", Ok(plain("1.0.0")))]).await;
    engine.save(&["bot/src/main.rs"]);
    engine.next_host().await.end(Ok(NewHost::Same));
    assert_eq!(engine.noted("no change").await, "no change in the host: bot/src/main.rs");
}

#[tokio::test]
async fn a_package_that_the_host_links_asks_for_a_new_host() {
    let mut engine = Setup::supervised().start(&[("commands/one", Ok(plain("1.0.0")))]).await;
    engine.save(&["Cargo.lock"]);
    engine.forget().await;
    engine.toolchain.link_to_host("registry#serde@1.0.2");
    engine.save(&["Cargo.lock"]);
    let (because, automatic) = engine.next(restart_required).await;
    assert_eq!((because, automatic), (vec!["Cargo.lock".to_owned()], true));
    drop(engine.next_host().await);
}

#[tokio::test]
async fn a_host_that_takes_anothers_place_goes_on_with_its_libraries_and_numbers() {
    let mut engine = Setup::supervised().start(&[("commands/one", Ok(plain("1.0.0")))]).await;
    engine.edit("commands/one", plain("1.0.1"));
    engine.completed("commands/one").await;
    engine.idle().await;
    let captures = engine.toolchain.captures();
    let start = Start::Replaced { closed_at: 0, because: vec!["a request".to_owned()] };
    let mut engine = engine.replace(start).await;
    assert_eq!(engine.live("commands/one"), Some((2, "1.0.1".to_owned())));
    assert_eq!(engine.toolchain.captures(), captures, "nothing is built");
    engine.edit("commands/one", plain("1.0.2"));
    assert_eq!(engine.completed("commands/one").await, (Some(2), Some(3)));
}

#[tokio::test(start_paused = true)]
async fn a_restart_is_made_at_once_or_when_no_call_has_come_for_a_while() {
    for when_quiet in [false, true] {
        let engine = Setup::supervised().start(&[("commands/one", Ok(plain("1.0.0")))]).await;
        engine.host.reloader().unwrap().restart(when_quiet).unwrap();
        let given = within(engine.engine.wait_for_successor()).await;
        assert_eq!((given.host.number(), given.because), (1, vec!["a request".to_owned()]));
    }
}
