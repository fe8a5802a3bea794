//! Plugins that need each other: the order of starts, dependents that are reloaded with others, and plugins that wait.

use sdk_core::bus::{Cause, ReloadEvent};

use super::plugins::{NeedsNewOne, NeedsOne, NeedsTwo, code, plain};
use super::test_engine::{Setup, TestEngine};
use crate::policy::Policy;

#[tokio::test]
async fn plugins_start_after_those_that_they_need() {
    let plugins = [
        ("commands/first", Ok(code::<NeedsTwo>("1.0.0"))),
        ("commands/one", Ok(plain("1.0.0"))),
        ("events/two", Ok(code::<NeedsOne>("1.0.0"))),
    ];
    let mut engine = Setup::default().start_heard(&plugins).await;
    let mut started = Vec::new();
    for _ in 0..plugins.len() {
        let plugin = engine.next(|event| match event {
            ReloadEvent::Note { plugin, message } if message == "1 starts" => plugin.clone(),
            _ => None,
        });
        started.push(plugin.await.to_string());
    }
    assert_eq!(started, ["commands/one", "events/two", "commands/first"]);
    assert!(engine.engine.left_out().is_empty());
}

#[tokio::test]
async fn plugins_that_need_each_other_in_a_circle_are_left_out_and_the_others_are_not() {
    let plugins = [
        ("commands/good", Ok(plain("1.0.0"))),
        ("commands/one", Ok(code::<NeedsTwo>("1.0.0"))),
        ("events/two", Ok(code::<NeedsOne>("1.0.0"))),
    ];
    let mut engine = Setup::default().start_heard(&plugins).await;
    assert_eq!(engine.versions(), ["commands/good 1.0.0"]);
    let (_, reason) = engine.failed().await;
    assert!(reason.contains("need each other in a circle"), "{reason}");
    engine.edit("events/two", plain("1.0.1"));
    engine.completed("commands/one").await;
    assert_eq!(engine.versions(), ["commands/good 1.0.0", "commands/one 1.0.0", "events/two 1.0.1"]);
}

#[tokio::test]
async fn a_plugin_that_is_reloaded_takes_its_dependents_along_in_one_swap() {
    let plugins = [
        ("commands/first", code::<NeedsTwo>("1.0.0")),
        ("commands/one", plain("1.0.0")),
        ("events/three", plain("1.0.0")),
        ("events/two", code::<NeedsOne>("1.0.0")),
    ];
    let mut engine = TestEngine::start(&plugins).await;
    let swaps = engine.swaps();
    engine.edit("commands/one", plain("1.0.1"));
    let along = engine
        .next(|event| match event {
            ReloadEvent::ReloadStarted { plugins, cause: Cause::Dependency } => Some(plugins.clone()),
            _ => None,
        })
        .await;
    assert_eq!(along.iter().map(ToString::to_string).collect::<Vec<_>>(), ["commands/first", "events/two"]);
    engine.completed("commands/one").await;
    assert_eq!(engine.live("events/two"), Some((2, "1.0.0".to_owned())));
    assert_eq!(engine.live("commands/first"), Some((2, "1.0.0".to_owned())));
    assert_eq!(engine.live("events/three"), Some((1, "1.0.0".to_owned())));
    assert_eq!(engine.swaps(), swaps + 1);
}

#[tokio::test]
async fn dependents_stay_where_that_is_configured() {
    let setup = Setup::with(Policy { dependents: false, ..Policy::default() });
    let plugins = [("commands/one", Ok(plain("1.0.0"))), ("events/two", Ok(code::<NeedsOne>("1.0.0")))];
    let mut engine = setup.start(&plugins).await;
    engine.edit("commands/one", plain("1.0.1"));
    engine.forget().await;
    assert_eq!(engine.live("commands/one"), Some((2, "1.0.1".to_owned())));
    assert_eq!(engine.live("events/two"), Some((1, "1.0.0".to_owned())));
}

#[tokio::test]
async fn a_plugin_that_does_not_fit_waits_for_the_save_that_it_fits_with() {
    let mut engine =
        TestEngine::start(&[("commands/one", plain("1.0.0")), ("events/two", code::<NeedsOne>("1.0.0"))])
            .await;
    let swaps = engine.swaps();
    engine.edit("events/two", code::<NeedsNewOne>("2.0.0"));
    assert_eq!(engine.failed().await.0.as_deref(), Some("events/two"));
    assert_eq!(engine.versions(), ["commands/one 1.0.0", "events/two 1.0.0"]);
    engine.edit("commands/one", plain("2.0.0"));
    assert_eq!(engine.completed("events/two").await, (Some(1), Some(2)), "the old code comes along");
    assert_eq!(engine.completed("events/two").await, (Some(2), Some(3)), "the new code follows");
    assert_eq!(engine.versions(), ["commands/one 2.0.0", "events/two 2.0.0"]);
    assert_eq!(engine.swaps(), swaps + 2);
}

#[tokio::test]
async fn a_save_that_a_live_dependent_does_not_take_is_refused_until_that_one_does() {
    let mut engine =
        TestEngine::start(&[("commands/one", plain("2.0.0")), ("events/two", code::<NeedsNewOne>("1.0.0"))])
            .await;
    engine.edit("commands/one", plain("3.0.0"));
    let (plugin, reason) = engine.failed().await;
    assert_eq!(plugin.as_deref(), Some("commands/one"));
    assert!(reason.contains("events/two"), "{reason}");
    assert_eq!(engine.versions(), ["commands/one 2.0.0", "events/two 1.0.0"]);
    let swaps = engine.swaps();
    engine.edit("events/two", code::<NeedsOne>("1.0.1"));
    engine.completed("commands/one").await;
    assert_eq!(engine.versions(), ["commands/one 3.0.0", "events/two 1.0.1"]);
    assert!(engine.swaps() > swaps);
}

#[tokio::test]
async fn a_plugin_without_what_it_needs_comes_in_with_that() {
    let plugins = [("commands/one", Err("expected `;`")), ("events/two", Ok(code::<NeedsOne>("1.0.0")))];
    let mut engine = Setup::default().start(&plugins).await;
    assert_eq!(engine.versions(), Vec::<String>::new());
    engine.edit("commands/one", plain("1.0.1"));
    engine.completed("events/two").await;
    assert_eq!(engine.versions(), ["commands/one 1.0.1", "events/two 1.0.0"]);
}
