//! Saves in a row: a newer one cancels a stale build, and the last one wins.

use sdk_core::bus::ReloadEvent;

use super::plugins::{GO, WaitsToStart, code, plain};
use super::test_engine::{Setup, TestEngine};
use crate::error::SaveError;
use crate::policy::Policy;

#[tokio::test]
async fn a_save_goes_live_as_the_next_generation() {
    let mut engine =
        TestEngine::start(&[("commands/one", plain("1.0.0")), ("events/two", plain("1.0.0"))]).await;
    engine.edit("commands/one", plain("1.0.1"));
    assert_eq!(engine.completed("commands/one").await, (Some(1), Some(2)));
    assert_eq!(engine.live("commands/one"), Some((2, "1.0.1".to_owned())));
    assert_eq!(engine.live("events/two"), Some((1, "1.0.0".to_owned())), "the other one stays");
    assert_eq!(engine.toolchain.captures(), 1, "how it is compiled is known from the start");
}

/// Waits for a save that has changed no code of a plugin, and returns the generation that stays live.
async fn unchanged(engine: &mut TestEngine, name: &str) -> u64 {
    engine
        .next(|event| match event {
            ReloadEvent::ReloadUnchanged { plugin, live, .. } if plugin.as_str() == name => Some(*live),
            ReloadEvent::ReloadCompleted { .. } => panic!("{event:?}"),
            _ => None,
        })
        .await
}

#[tokio::test]
async fn a_save_that_changes_no_code_leaves_the_live_generation_in_place() {
    let mut engine = TestEngine::start(&[("commands/one", plain("1.0.0"))]).await;
    let swaps = engine.swaps();
    engine.edit("commands/one", plain("1.0.0"));
    assert_eq!(unchanged(&mut engine, "commands/one").await, 1);
    engine.break_code("commands/one", "expected `;`");
    engine.failed().await;
    assert_eq!(engine.host.bus().failures().len(), 1);
    engine.edit("commands/one", plain("1.0.0"));
    assert_eq!(unchanged(&mut engine, "commands/one").await, 1);
    assert!(engine.host.bus().failures().is_empty(), "what was undone is no failure any more");
    assert_eq!(engine.swaps(), swaps);
    engine.edit("commands/one", plain("1.0.1"));
    assert_eq!(engine.completed("commands/one").await, (Some(1), Some(2)));
    engine.edit("commands/one", plain("1.0.0"));
    assert_eq!(engine.completed("commands/one").await, (Some(2), Some(3)), "other code is live since");
    engine.roll_back("commands/one", Some(2)).await.unwrap();
    engine.forget().await;
    engine.edit("commands/one", plain("1.0.1"));
    assert_eq!(unchanged(&mut engine, "commands/one").await, 4, "it is the code of 2 that is live");
    engine.edit("commands/one", plain("1.0.0"));
    assert_eq!(engine.completed("commands/one").await, (Some(4), Some(5)));
}

#[tokio::test]
async fn a_manifest_a_shared_crate_and_a_request_reload_the_same_code_too() {
    let setup = Setup::default().share("crates/words", &["commands/one"]);
    let mut engine = setup.start(&[("commands/one", Ok(plain("1.0.0")))]).await;
    engine.save(&["commands/one/Cargo.toml"]);
    assert_eq!(engine.completed("commands/one").await, (Some(1), Some(2)), "a build script may make files");
    engine.save(&["crates/words/src/lib.rs"]);
    assert_eq!(engine.completed("commands/one").await, (Some(2), Some(3)), "services depend on its copies");
    let reloaded = engine.reload(Some("commands/one")).await;
    assert_eq!(reloaded.into_iter().flatten().map(|reloaded| reloaded.to).collect::<Vec<_>>(), [Some(4)]);
}

#[tokio::test]
async fn a_newer_save_cancels_the_build_before_it_and_the_last_one_wins() {
    let mut engine = TestEngine::start(&[("commands/one", plain("1.0.0"))]).await;
    let swaps = engine.swaps();
    engine.toolchain.hold_builds();
    engine.edit("commands/one", plain("1.0.1"));
    let first = engine.next_build().await;
    engine.edit("commands/one", plain("1.0.2"));
    first.cancelled().await;
    let second = engine.next_build().await;
    engine.edit("commands/one", plain("1.0.3"));
    second.cancelled().await;
    engine.next_build().await.finish();
    assert_eq!(engine.completed("commands/one").await, (Some(1), Some(2)));
    assert_eq!(engine.live("commands/one"), Some((2, "1.0.3".to_owned())));
    engine.idle().await;
    assert_eq!(engine.swaps(), swaps + 1);
}

#[tokio::test]
async fn a_burst_of_saves_of_one_plugin_is_one_swap() {
    let mut engine = TestEngine::start(&[("commands/one", plain("1.0.0"))]).await;
    let swaps = engine.swaps();
    engine.toolchain.write("commands/one", Ok(plain("1.0.1")));
    engine.save(&["commands/one/src/lib.rs", "commands/one/src/more.rs"]);
    engine.save(&["commands/one/src/lib.rs"]);
    assert_eq!(engine.completed("commands/one").await, (Some(1), Some(2)));
    engine.idle().await;
    assert_eq!(engine.swaps(), swaps + 1);
}

#[tokio::test]
async fn plugins_that_are_saved_together_do_not_wait_for_each_other() {
    let mut engine =
        TestEngine::start(&[("commands/one", plain("1.0.0")), ("events/two", plain("1.0.0"))]).await;
    engine.toolchain.hold_builds();
    engine.toolchain.write("commands/one", Ok(plain("1.0.1")));
    engine.toolchain.write("events/two", Ok(plain("1.0.1")));
    engine.save(&["commands/one/src/lib.rs", "events/two/src/lib.rs"]);
    let builds = [engine.next_build().await, engine.next_build().await];
    let [one, two] = if builds[0].plugin.as_str() == "commands/one" {
        builds
    } else {
        let [two, one] = builds;
        [one, two]
    };
    two.finish();
    engine.completed("events/two").await;
    assert_eq!(engine.versions(), ["commands/one 1.0.0", "events/two 1.0.1"]);
    one.finish();
    engine.completed("commands/one").await;
}

#[tokio::test]
async fn a_save_while_the_new_code_starts_is_what_goes_live() {
    let mut engine = TestEngine::start(&[("commands/one", plain("1.0.0"))]).await;
    let swaps = engine.swaps();
    engine.edit("commands/one", code::<WaitsToStart>("1.0.1"));
    engine.noted("2 starts").await;
    engine.edit("commands/one", plain("1.0.2"));
    engine.tell("commands/one", GO);
    assert_eq!(engine.completed("commands/one").await, (Some(1), Some(2)));
    assert_eq!(engine.live("commands/one"), Some((2, "1.0.2".to_owned())));
    engine.idle().await;
    assert_eq!(engine.swaps(), swaps + 1, "what was overtaken has never been live");
}

#[tokio::test]
async fn a_file_that_no_plugin_is_built_from_starts_nothing() {
    let mut engine = TestEngine::start(&[("commands/one", plain("1.0.0"))]).await;
    engine.save(&["commands/one/notes.txt", "commands/one/src/unused.rs", "README.md"]);
    assert_eq!(engine.rest().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_manifest_is_saved_through_cargo_and_sources_are_not() {
    let mut engine = TestEngine::start(&[("commands/one", plain("1.0.0"))]).await;
    engine.toolchain.write("commands/one", Ok(plain("1.0.1")));
    engine.save(&["commands/one/Cargo.toml"]);
    engine.completed("commands/one").await;
    assert_eq!(engine.toolchain.captures(), 2);
    engine.edit("commands/one", plain("1.0.2"));
    engine.completed("commands/one").await;
    assert_eq!(engine.toolchain.captures(), 2);
}

#[tokio::test]
async fn a_reload_by_hand_is_answered_with_what_became_of_it() {
    let mut engine =
        TestEngine::start(&[("commands/one", plain("1.0.0")), ("events/two", plain("1.0.0"))]).await;
    let reloaded = engine.reload(Some("commands/one")).await;
    let [Ok(reloaded)] = &reloaded[..] else { panic!("{reloaded:?}") };
    assert_eq!((reloaded.from, reloaded.to), (Some(1), Some(2)));
    assert_eq!(engine.reload(None).await.into_iter().flatten().count(), 2);
    let unknown = engine.reload(Some("commands/none")).await;
    assert_eq!(unknown, [Err("there is no plugin commands/none in the workspace".to_owned())]);
    engine.toolchain.write("events/two", Err("expected `;`"));
    let failed = engine.reload(Some("events/two")).await;
    assert_eq!(failed, [Err("events/two 2 stays live: 1 compile error".to_owned())]);
    engine.forget().await;
}

#[tokio::test]
async fn a_save_takes_over_the_answer_that_a_reload_by_hand_waits_for() {
    let mut engine = TestEngine::start(&[("commands/one", plain("1.0.0"))]).await;
    engine.toolchain.hold_builds();
    let asked = engine.host.reloader().unwrap().reload(None);
    let first = engine.next_build().await;
    engine.edit("commands/one", plain("1.0.1"));
    first.cancelled().await;
    engine.next_build().await.finish();
    let answer = asked.await;
    assert!(matches!(&answer[..], [Ok(reloaded)] if reloaded.to == Some(2)), "{answer:?}");
    assert_eq!(engine.live("commands/one"), Some((2, "1.0.1".to_owned())));
}

#[tokio::test(start_paused = true)]
async fn what_may_pass_by_itself_is_tried_again_after_a_growing_wait() {
    let mut engine = TestEngine::start(&[("commands/one", plain("1.0.0"))]).await;
    for _ in 0..2 {
        engine.toolchain.fail_probe(SaveError::Probe("loading it crashed the probe process".to_owned()));
    }
    let began = tokio::time::Instant::now();
    engine.edit("commands/one", plain("1.0.1"));
    let first = engine.noted("tried again").await;
    assert!(first.ends_with("tried again in 50 ms (1 of 2)"), "{first}");
    let second = engine.noted("tried again").await;
    assert!(second.ends_with("tried again in 100 ms (2 of 2)"), "{second}");
    assert_eq!(engine.completed("commands/one").await, (Some(1), Some(2)));
    assert!(began.elapsed().as_millis() >= 150);
}

#[tokio::test(start_paused = true)]
async fn it_is_tried_again_as_often_as_configured() {
    let setup = Setup::with(Policy { retries: 1, ..Policy::default() });
    let mut engine = setup.start(&[("commands/one", Ok(plain("1.0.0")))]).await;
    for _ in 0..2 {
        engine.toolchain.fail_probe(SaveError::Unreadable("file too short".to_owned()));
    }
    engine.edit("commands/one", plain("1.0.1"));
    assert_eq!(engine.failed().await, (Some("commands/one".to_owned()), "file too short".to_owned()));
    assert_eq!(engine.live("commands/one"), Some((1, "1.0.0".to_owned())));
}

#[tokio::test(start_paused = true)]
async fn a_newer_save_ends_the_wait_for_another_attempt() {
    let mut engine = TestEngine::start(&[("commands/one", plain("1.0.0"))]).await;
    engine.toolchain.fail_probe(SaveError::Probe("loading it crashed the probe process".to_owned()));
    engine.edit("commands/one", plain("1.0.1"));
    engine.noted("tried again").await;
    let began = tokio::time::Instant::now();
    engine.edit("commands/one", plain("1.0.2"));
    engine.completed("commands/one").await;
    assert_eq!(engine.live("commands/one"), Some((2, "1.0.2".to_owned())));
    assert!(began.elapsed().as_millis() < 50, "{:?}", began.elapsed());
}
