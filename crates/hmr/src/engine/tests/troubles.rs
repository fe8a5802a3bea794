//! Saves that cannot go live: the live generation continues to answer, and the reason is reported.

use sdk_core::bus::ReloadEvent;

use super::plugins::{Counts, FailsToStart, Names, code, plain};
use super::test_engine::{Setup, TestEngine};
use crate::policy::{Policy, UnfitState};

#[tokio::test]
async fn code_that_does_not_compile_leaves_the_old_code_live_and_is_reported() {
    let mut engine = TestEngine::start(&[("commands/one", plain("1.0.0"))]).await;
    engine.break_code("commands/one", "expected `;`");
    let (live, reason, found) = engine
        .next(|event| match event {
            ReloadEvent::ReloadFailed { live, reason, diagnostics, .. } => {
                Some((*live, reason.clone(), diagnostics.clone()))
            }
            _ => None,
        })
        .await;
    assert_eq!((live, reason.as_str()), (Some(1), "1 compile error"));
    assert_eq!(found[0].message, "expected `;`");
    assert_eq!(engine.live("commands/one"), Some((1, "1.0.0".to_owned())));
    assert_eq!(engine.host.bus().failures().len(), 1);
    engine.edit("commands/one", plain("1.0.1"));
    assert_eq!(engine.completed("commands/one").await, (Some(1), Some(2)), "failures use up no number");
    assert!(engine.host.bus().failures().is_empty());
}

#[tokio::test]
async fn any_source_of_a_plugin_may_mend_what_does_not_compile() {
    let mut engine = TestEngine::start(&[("commands/one", plain("1.0.0"))]).await;
    engine.break_code("commands/one", "file not found for module `more`");
    engine.failed().await;
    engine.toolchain.write("commands/one", Ok(plain("1.0.1")));
    engine.save(&["commands/one/src/more.rs"]);
    assert_eq!(engine.completed("commands/one").await, (Some(1), Some(2)));
}

#[tokio::test]
async fn a_plugin_that_does_not_start_leaves_the_old_one_live() {
    let mut engine = TestEngine::start(&[("commands/one", plain("1.0.0"))]).await;
    engine.edit("commands/one", code::<FailsToStart>("1.0.1"));
    let (plugin, reason) = engine.failed().await;
    assert_eq!(plugin.as_deref(), Some("commands/one"));
    assert!(reason.contains("its start hook failed: as the test wants it"), "{reason}");
    assert_eq!(engine.live("commands/one"), Some((1, "1.0.0".to_owned())));
}

#[tokio::test]
async fn what_fails_at_the_start_is_left_out_and_comes_in_with_the_save_that_mends_it() {
    let plugins = [
        ("commands/broken", Err("expected `;`")),
        ("commands/fails", Ok(code::<FailsToStart>("1.0.0"))),
        ("commands/good", Ok(plain("1.0.0"))),
    ];
    let mut engine = Setup::default().start(&plugins).await;
    assert_eq!(engine.versions(), ["commands/good 1.0.0"]);
    let left_out: Vec<_> = engine.engine.left_out().iter().map(ToString::to_string).collect();
    assert_eq!(left_out, ["commands/broken", "commands/fails"]);
    engine.edit("commands/broken", plain("1.0.1"));
    assert_eq!(engine.completed("commands/broken").await, (None, Some(1)));
    engine.edit("commands/fails", plain("1.0.1"));
    assert_eq!(engine.completed("commands/fails").await, (None, Some(1)));
}

#[tokio::test]
async fn state_crosses_to_the_next_generation() {
    let mut engine = TestEngine::start(&[("commands/one", code::<Counts>("1.0.0"))]).await;
    engine.order("commands/one", "count");
    engine.noted("counted: Ok").await;
    engine.edit("commands/one", code::<Counts>("1.0.1"));
    let restored = engine
        .next(|event| match event {
            ReloadEvent::StateRestored { generation, .. } => Some(*generation),
            _ => None,
        })
        .await;
    assert_eq!(restored, 2);
    engine.completed("commands/one").await;
}

#[tokio::test]
async fn code_that_cannot_read_the_state_is_refused() {
    let mut engine = TestEngine::start(&[("commands/one", code::<Counts>("1.0.0"))]).await;
    engine.order("commands/one", "count");
    engine.noted("counted: Ok").await;
    engine.edit("commands/one", code::<Names>("2.0.0"));
    let (_, reason) = engine.failed().await;
    assert!(reason.contains("the state of commands/one cannot be migrated from version 1 to 2"), "{reason}");
    assert_eq!(engine.live("commands/one"), Some((1, "1.0.0".to_owned())));
    engine.order("commands/one", "count");
    engine.noted("counted: Ok").await;
}

#[tokio::test]
async fn code_that_cannot_read_the_state_begins_anew_where_that_is_configured() {
    let policy = Policy { unfit_state: UnfitState::StartFromDefault, ..Policy::default() };
    let setup = Setup::with(policy);
    let mut engine = setup.start(&[("commands/one", Ok(code::<Counts>("1.0.0")))]).await;
    engine.edit("commands/one", code::<Names>("2.0.0"));
    assert_eq!(engine.completed("commands/one").await, (Some(1), Some(2)));
}
