//! Probation of new code, and the rollback to the code before it.

use std::time::Duration;

use sdk_core::bus::ReloadEvent;

use super::plugins::{Calls, Counts, Names, NeedsOne, Offers, code, plain};
use super::test_engine::{Setup, TestEngine};
use crate::policy::{Policy, UnfitState};

/// Waits for a rollback, and returns the plugin, its numbers, and the reason.
async fn rolled_back(engine: &mut TestEngine) -> (String, [u64; 3], String) {
    engine
        .next(|event| match event {
            ReloadEvent::RolledBack { plugin, from, to, code_of, reason } => {
                Some((plugin.to_string(), [*from, *to, *code_of], reason.clone()))
            }
            _ => None,
        })
        .await
}

#[tokio::test]
async fn a_panic_on_probation_brings_the_code_before_it_back() {
    let mut engine = TestEngine::start(&[("commands/one", plain("1.0.0"))]).await;
    engine.edit("commands/one", plain("1.0.1"));
    engine.completed("commands/one").await;
    engine.order("commands/one", "panic");
    let (plugin, numbers, reason) = rolled_back(&mut engine).await;
    assert_eq!((plugin.as_str(), numbers), ("commands/one", [2, 3, 1]));
    assert!(reason.contains("as the test wants it"), "{reason}");
    assert_eq!(engine.live("commands/one"), Some((3, "1.0.0".to_owned())));
    engine.forget().await;
    engine.order("commands/one", "panic");
    engine.edit("commands/one", plain("1.0.2"));
    assert_eq!(engine.completed("commands/one").await, (Some(3), Some(4)), "what was brought back stays");
}

#[tokio::test]
async fn the_first_generation_has_nothing_to_go_back_to() {
    let mut engine = TestEngine::start(&[("commands/one", plain("1.0.0"))]).await;
    engine.order("commands/one", "panic");
    engine.forget().await;
    assert_eq!(engine.live("commands/one"), Some((1, "1.0.0".to_owned())));
}

#[tokio::test]
async fn a_panic_after_the_calls_of_probation_changes_nothing() {
    let policy = Policy { probation_calls: 1, ..Policy::default() };
    let plugins = [("commands/one", Ok(code::<Offers>("1.0.0"))), ("events/two", Ok(code::<Calls>("1.0.0")))];
    let mut engine = Setup::with(policy).start(&plugins).await;
    engine.edit("commands/one", code::<Offers>("1.0.1"));
    engine.completed("commands/one").await;
    engine.forget().await;
    engine.order("events/two", "call");
    engine.noted("Ok(true)").await;
    engine.order("commands/one", "panic");
    assert_eq!(engine.rest().await, Vec::<String>::new());
    assert_eq!(engine.live("commands/one"), Some((2, "1.0.1".to_owned())));
}

#[tokio::test]
async fn without_probation_a_panic_is_contained_and_nothing_else() {
    for policy in [
        Policy { probation_calls: 0, ..Policy::default() },
        Policy { probation: Duration::ZERO, ..Policy::default() },
    ] {
        let mut engine = Setup::with(policy).start(&[("commands/one", Ok(plain("1.0.0")))]).await;
        engine.edit("commands/one", plain("1.0.1"));
        engine.completed("commands/one").await;
        engine.forget().await;
        engine.order("commands/one", "panic");
        assert_eq!(engine.rest().await, Vec::<String>::new());
        assert_eq!(engine.live("commands/one"), Some((2, "1.0.1".to_owned())));
    }
}

#[tokio::test]
async fn what_went_live_together_goes_back_together() {
    let plugins = [("commands/one", Ok(plain("1.0.0"))), ("events/two", Ok(plain("1.0.0")))];
    let setup = Setup::default().share("crates/words", &["commands/one", "events/two"]);
    let mut engine = setup.start(&plugins).await;
    engine.toolchain.write("commands/one", Ok(plain("1.0.1")));
    engine.toolchain.write("events/two", Ok(plain("1.0.1")));
    engine.save(&["crates/words/src/lib.rs"]);
    engine.forget().await;
    let swaps = engine.swaps();
    engine.order("events/two", "panic");
    rolled_back(&mut engine).await;
    rolled_back(&mut engine).await;
    assert_eq!(engine.versions(), ["commands/one 1.0.0", "events/two 1.0.0"]);
    assert_eq!(engine.swaps(), swaps + 1);
}

#[tokio::test]
async fn a_dependent_that_came_along_does_so_on_the_way_back_too() {
    let plugins = [("commands/one", plain("1.0.0")), ("events/two", code::<NeedsOne>("1.0.0"))];
    let mut engine = TestEngine::start(&plugins).await;
    engine.edit("commands/one", plain("1.0.1"));
    engine.forget().await;
    engine.order("events/two", "panic");
    let (plugin, numbers, reason) = rolled_back(&mut engine).await;
    assert_eq!((plugin.as_str(), numbers), ("commands/one", [2, 3, 1]));
    assert!(reason.contains("(events/two 2, which went live with it)"), "{reason}");
    engine.idle().await;
    assert_eq!(engine.live("events/two"), Some((3, "1.0.0".to_owned())));
}

#[tokio::test]
async fn earlier_code_is_brought_back_by_hand() {
    let mut engine = TestEngine::start(&[("commands/one", plain("1.0.0"))]).await;
    for version in ["1.0.1", "1.0.2"] {
        engine.edit("commands/one", plain(version));
        engine.completed("commands/one").await;
    }
    let line = engine.roll_back("commands/one", None).await.unwrap();
    assert!(line.contains("commands/one 3 -> 4 live"), "{line}");
    assert_eq!(engine.live("commands/one"), Some((4, "1.0.1".to_owned())));
    engine.roll_back("commands/one", Some(1)).await.unwrap();
    assert_eq!(engine.live("commands/one"), Some((5, "1.0.0".to_owned())));
    let none = engine.roll_back("commands/one", Some(9)).await.unwrap_err();
    assert!(none.contains("has no generation 9 to go back to"), "{none}");
    assert!(engine.roll_back("commands/one", Some(5)).await.unwrap_err().contains("is live already"));
}

#[tokio::test]
async fn old_code_goes_on_with_a_saved_state_that_it_can_read() {
    let policy = Policy { unfit_state: UnfitState::StartFromDefault, ..Policy::default() };
    let setup = Setup::with(policy);
    let mut engine = setup.start(&[("commands/one", Ok(code::<Counts>("1.0.0")))]).await;
    engine.order("commands/one", "count");
    engine.noted("counted").await;
    engine.edit("commands/one", code::<Names>("2.0.0"));
    engine.completed("commands/one").await;
    let line = engine.roll_back("commands/one", None).await.unwrap();
    assert!(line.contains("it goes on with snapshot"), "{line}");
}

#[tokio::test]
async fn a_save_after_a_rollback_goes_live_again() {
    let mut engine = TestEngine::start(&[("commands/one", plain("1.0.0"))]).await;
    engine.edit("commands/one", plain("1.0.1"));
    engine.completed("commands/one").await;
    engine.order("commands/one", "panic");
    rolled_back(&mut engine).await;
    engine.edit("commands/one", plain("1.0.2"));
    assert_eq!(engine.completed("commands/one").await, (Some(3), Some(4)));
    engine.order("commands/one", "panic");
    let (_, numbers, _) = rolled_back(&mut engine).await;
    assert_eq!(numbers, [4, 5, 1]);
}
