//! What `fuzz/` calls: output of cargo and rustc. Nothing in this workspace turns the feature on.
//!
//! Each function panics when a rule is broken.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use futures_util::FutureExt as _;
use sdk_core::PluginId;

use crate::cargo::{Call, read_messages, read_progress};
use crate::findings::Findings;
use crate::rustc::{Replay, inputs_of};
use crate::workspace::{Package, Workspace};

/// A message that cargo writes after whatever else it has written.
const ARTIFACT: &[u8] = br#"
{"reason":"compiler-artifact","package_id":"path+file:///w/crates/last#last@0.1.0","manifest_path":"/w/crates/last/Cargo.toml","target":{"kind":["lib"]},"filenames":["/t/liblast.rlib"]}
"#;
/// A call of rustc, likewise.
const RUNNING: &[u8] = b"\n     Running `A=b rustc --crate-name commands_one --crate-type lib`\n";

/// Reads bytes as what cargo and rustc write: the first one tells as what.
pub fn cargo_output(bytes: &[u8]) {
    let Some((kind, rest)) = bytes.split_first() else { return };
    let text = String::from_utf8_lossy(rest);
    match kind {
        b'd' => dep_info(&text),
        b'm' => messages(rest),
        b'p' => progress(rest),
        b'c' => call(&text),
        _ => findings(&Findings::read(&text)),
    }
}

/// Reads what rustc was given, and again once that is written as rustc does.
fn dep_info(text: &str) {
    let folder = Path::new("/w");
    let inputs = inputs_of(text, folder);
    // A backslash at the end of a name and one that stands for a space look alike.
    let inputs: BTreeSet<PathBuf> =
        inputs.into_iter().filter(|path| !path.as_os_str().as_encoded_bytes().ends_with(b"\\")).collect();
    let mut written = "/t/one.d:".to_owned();
    for path in &inputs {
        written += " ";
        written += &path.to_string_lossy().replace(' ', "\\ ");
    }
    written += "\n\nsrc/lib.rs:\n";
    assert_eq!(inputs_of(&written, folder), inputs, "{written}");
}

fn messages(bytes: &[u8]) {
    let output = [bytes, ARTIFACT].concat();
    let said = read_messages(Some(&output[..])).now_or_never().expect("bytes are there at once");
    assert!(said.libraries.contains("last"), "what follows is not read");
    for failure in said.failures.values() {
        assert!(failure.errors > 0 || failure.first.is_empty());
        findings(failure);
    }
}

fn progress(bytes: &[u8]) {
    let id = PluginId::new("commands/one");
    let package = Package {
        id: id.clone(),
        name: "commands-one".into(),
        krate: "commands_one".into(),
        root: "/w/commands/one".into(),
        shared: BTreeSet::new(),
        copies: BTreeSet::new(),
    };
    let workspace = Workspace { plugins: [(id.clone(), package)].into(), ..Workspace::default() };
    let output = [bytes, RUNNING].concat();
    let counted = std::cell::Cell::new(0);
    let read = read_progress(Some(&output[..]), &workspace, |_, call| {
        replay(call);
        counted.set(counted.get() + 1);
    });
    let (calls, words) = read.now_or_never().expect("bytes are there at once");
    assert!(counted.get() >= 1, "what follows is not read");
    assert_eq!(calls[&id].environment.get("A").map(String::as_str), Some("b"));
    // Each byte that is no UTF-8 becomes a character of three.
    assert!(words.len() <= output.len() * 3);
}

/// Reads a call of rustc, and again once it is written.
fn call(text: &str) {
    let Some(call) = Call::parse(text) else { return };
    let assigned =
        call.environment.iter().map(|(name, value)| format!("{name}={}", shell_words::quote(value)));
    let words = call.words.iter().map(|word| shell_words::quote(word).into_owned());
    let written = assigned.chain(words).collect::<Vec<_>>().join(" ");
    assert_eq!(Call::parse(&written).as_ref(), Some(&call), "{written}");
    replay(&call);
}

fn replay(call: &Call) {
    let replay =
        Replay { folder: "/t/one".into(), suffix: "-g5".into(), colour: true, working_folder: "/w".into() };
    let made = replay.call(call);
    assert_eq!(made.environment, call.environment);
    assert!(made.words.iter().any(|word| word == "--crate-type=cdylib"));
    assert!(made.words.ends_with(&["--out-dir".to_owned(), "/t/one".to_owned()]), "{made:?}");
}

fn findings(findings: &Findings) {
    assert!(findings.first.len() <= findings.errors.min(20));
    assert!(findings.linking.len() <= findings.errors);
    for error in &findings.first {
        let length = error.rendered.chars().count();
        assert!(length <= 4000, "{length} characters");
        assert!(!error.rendered.contains('\u{1b}'), "colours are left in {:?}", error.rendered);
    }
    let _ = findings.summary();
}

#[cfg(test)]
mod tests {
    use super::cargo_output;

    #[test]
    fn every_seed_is_read() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/seeds/cargo_output");
        let seeds: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(!seeds.is_empty());
        for seed in seeds {
            cargo_output(&std::fs::read(&seed).unwrap());
        }
    }
}
