//! Plugins that share a crate: they are built, and go live, together.

use super::plugins::{FailsToStart, code, plain};
use super::test_engine::{Setup, TestEngine};

async fn sharing() -> TestEngine {
    let plugins = [
        ("commands/one", Ok(plain("1.0.0"))),
        ("events/three", Ok(plain("1.0.0"))),
        ("events/two", Ok(plain("1.0.0"))),
    ];
    let setup = Setup::default().share("crates/words", &["commands/one", "events/two"]);
    setup.start(&plugins).await
}

#[tokio::test]
async fn one_save_of_a_shared_crate_takes_all_that_link_it_live_in_one_swap() {
    let mut engine = sharing().await;
    let swaps = engine.swaps();
    engine.toolchain.hold_builds();
    engine.toolchain.write("commands/one", Ok(plain("1.0.1")));
    engine.toolchain.write("events/two", Ok(plain("1.0.1")));
    engine.save(&["crates/words/src/lib.rs"]);
    engine.next_build().await.finish();
    let second = engine.next_build().await;
    assert_eq!(engine.versions(), ["commands/one 1.0.0", "events/three 1.0.0", "events/two 1.0.0"]);
    second.finish();
    engine.completed("commands/one").await;
    assert_eq!(engine.versions(), ["commands/one 1.0.1", "events/three 1.0.0", "events/two 1.0.1"]);
    assert_eq!(engine.swaps(), swaps + 1);
}

#[tokio::test]
async fn a_group_of_which_one_fails_is_held_back_until_that_is_mended() {
    let mut engine = sharing().await;
    let swaps = engine.swaps();
    engine.toolchain.write("commands/one", Ok(plain("1.0.1")));
    engine.toolchain.write("events/two", Ok(code::<FailsToStart>("1.0.1")));
    engine.save(&["crates/words/src/lib.rs"]);
    let (plugin, reason) = engine.failed().await;
    assert_eq!(plugin, None, "it is the group's");
    assert!(reason.starts_with("events/two: "), "{reason}");
    engine.idle().await;
    let held = engine.host.reloader().unwrap().status().held;
    assert_eq!(held, [["commands/one", "events/two"].map(sdk_core::PluginId::new)]);
    assert_eq!(engine.swaps(), swaps);
    engine.edit("events/two", plain("1.0.2"));
    engine.completed("commands/one").await;
    assert_eq!(engine.versions(), ["commands/one 1.0.1", "events/three 1.0.0", "events/two 1.0.2"]);
    assert_eq!(engine.swaps(), swaps + 1);
    engine.idle().await;
    assert!(engine.host.reloader().unwrap().status().held.is_empty());
}

#[tokio::test]
async fn a_group_of_which_one_does_not_compile_stays_as_it_is() {
    let mut engine = sharing().await;
    engine.toolchain.write("commands/one", Ok(plain("1.0.1")));
    engine.toolchain.write("events/two", Err("expected `;`"));
    engine.save(&["crates/words/src/lib.rs"]);
    assert_eq!(engine.failed().await.0.as_deref(), Some("events/two"));
    engine.noted("commands/one stays as it is too: they go live together").await;
    assert_eq!(engine.versions(), ["commands/one 1.0.0", "events/three 1.0.0", "events/two 1.0.0"]);
}

#[tokio::test]
async fn a_save_of_one_of_a_group_that_is_being_built_takes_over_all_of_it() {
    let mut engine = sharing().await;
    let swaps = engine.swaps();
    engine.toolchain.hold_builds();
    engine.toolchain.write("commands/one", Ok(plain("1.0.1")));
    engine.toolchain.write("events/two", Ok(plain("1.0.1")));
    engine.save(&["crates/words/src/lib.rs"]);
    let first = engine.next_build().await;
    engine.edit("events/two", plain("1.0.2"));
    first.cancelled().await;
    engine.next_build().await.finish();
    engine.next_build().await.finish();
    engine.completed("commands/one").await;
    assert_eq!(engine.versions(), ["commands/one 1.0.1", "events/three 1.0.0", "events/two 1.0.2"]);
    assert_eq!(engine.swaps(), swaps + 1);
}
