//! Checks that songbird's dependencies write nothing except to the log.

use std::process::Command;

use songbird::model;

/// Set for the child process of the test.
const LOOKED_AT: &str = "HOTCORD_TEST_QUIET";

/// serenity-voice-model writes each packet of the end-to-end encryption's handshake, including keys, to stderr if debug
/// assertions are on: in every development build, unless the workspace's `Cargo.toml` turns them off for it.
#[test]
fn the_end_to_end_encryptions_packets_are_not_written_to_the_terminal() {
    if std::env::var_os(LOOKED_AT).is_some() {
        let welcome = [30, 0, 1, 2, 3, 4];
        assert!(matches!(model::deserialize_binary_event(&welcome), Ok(model::Event::DaveMlsWelcome(_))));
        assert!(model::deserialize_binary_event(&[99]).is_err());
        return;
    }
    let name = "quiet::the_end_to_end_encryptions_packets_are_not_written_to_the_terminal";
    let mut itself = Command::new(std::env::current_exe().unwrap());
    let ran = itself.args(["--exact", name, "--nocapture"]).env(LOOKED_AT, "1").output().unwrap();
    let written = [ran.stdout, ran.stderr].concat();
    let written = String::from_utf8_lossy(&written);
    assert!(ran.status.success() && written.contains("1 passed"), "{written}");
    assert!(!written.contains("DAVE"), "{written}");
}
