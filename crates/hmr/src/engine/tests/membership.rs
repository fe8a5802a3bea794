//! Added and removed plugins.

use super::plugins::{NeedsOne, code, plain};
use super::test_engine::TestEngine;

#[tokio::test]
async fn a_new_folder_comes_in_as_a_plugin() {
    let mut engine = TestEngine::start(&[("commands/one", plain("1.0.0"))]).await;
    engine.toolchain.write("commands/new", Ok(plain("1.0.0")));
    engine.save(&["commands/new/Cargo.toml", "commands/new/src/lib.rs", "commands/Cargo.toml"]);
    assert_eq!(engine.completed("commands/new").await, (None, Some(1)));
    assert_eq!(engine.versions(), ["commands/new 1.0.0", "commands/one 1.0.0"]);
    engine.edit("commands/new", plain("1.0.1"));
    assert_eq!(engine.completed("commands/new").await, (Some(1), Some(2)));
}

#[tokio::test]
async fn a_plugin_whose_folder_is_gone_is_taken_out() {
    let mut engine =
        TestEngine::start(&[("commands/one", plain("1.0.0")), ("events/two", plain("1.0.0"))]).await;
    engine.toolchain.remove("commands/one");
    engine.save(&["commands/one"]);
    assert_eq!(engine.completed("commands/one").await, (Some(1), None));
    assert_eq!(engine.versions(), ["events/two 1.0.0"]);
    engine.toolchain.write("commands/one", Ok(plain("1.0.1")));
    engine.save(&["commands/one/Cargo.toml", "commands/one/src/lib.rs"]);
    assert_eq!(engine.completed("commands/one").await, (None, Some(2)), "numbers go on");
}

#[tokio::test]
async fn a_build_of_a_plugin_whose_folder_goes_is_cancelled() {
    let mut engine =
        TestEngine::start(&[("commands/one", plain("1.0.0")), ("events/two", plain("1.0.0"))]).await;
    engine.toolchain.hold_builds();
    engine.edit("commands/one", plain("1.0.1"));
    let build = engine.next_build().await;
    engine.toolchain.remove("commands/one");
    engine.save(&["commands/one"]);
    build.cancelled().await;
    engine.completed("commands/one").await;
    assert_eq!(engine.versions(), ["events/two 1.0.0"]);
}

#[tokio::test]
async fn a_plugin_that_others_need_stays_until_they_do_not() {
    let mut engine =
        TestEngine::start(&[("commands/one", plain("1.0.0")), ("events/two", code::<NeedsOne>("1.0.0"))])
            .await;
    engine.toolchain.remove("commands/one");
    engine.save(&["commands/one"]);
    engine.forget().await;
    assert_eq!(engine.versions(), ["commands/one 1.0.0", "events/two 1.0.0"]);
    engine.edit("events/two", plain("1.0.1"));
    assert_eq!(engine.completed("commands/one").await.1, None);
    assert_eq!(engine.versions(), ["events/two 1.0.1"]);
}

#[tokio::test]
async fn a_workspace_that_cannot_be_read_is_reported_and_read_again_with_the_manifest_that_mends_it() {
    let mut engine = TestEngine::start(&[("commands/one", plain("1.0.0"))]).await;
    engine.toolchain.damage(Some("error: failed to parse manifest"));
    engine.toolchain.write("commands/new", Ok(plain("1.0.0")));
    engine.save(&["commands/new/Cargo.toml"]);
    let (plugin, reason) = engine.failed().await;
    assert_eq!((plugin, reason.as_str()), (None, "cargo failed:\nerror: failed to parse manifest"));
    assert_eq!(engine.versions(), ["commands/one 1.0.0"]);
    engine.toolchain.damage(None);
    engine.save(&["crates/words/Cargo.toml"]);
    assert_eq!(engine.completed("commands/new").await, (None, Some(1)));
}
