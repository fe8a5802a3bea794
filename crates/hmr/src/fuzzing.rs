//! Entry points for `fuzz/`: output of cargo and rustc. No crate of this workspace enables the feature.
//!
//! Each function panics when a rule is broken.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use futures_util::FutureExt as _;

use crate::build::cargo::read_messages;
use crate::build::rustc::{Replay, inputs_of};
use crate::build::rustc_call::RustcCall;
use crate::findings::Findings;

/// A message that cargo writes after any other output.
const ARTIFACT: &[u8] = br#"
{"reason":"compiler-artifact","package_id":"path+file:///w/crates/last#last@0.1.0","manifest_path":"/w/crates/last/Cargo.toml","target":{"kind":["lib"]},"filenames":["/t/liblast.rlib"]}
"#;

/// Reads bytes as output of cargo or rustc. The first byte selects the format.
pub fn cargo_output(bytes: &[u8]) {
    let Some((kind, rest)) = bytes.split_first() else { return };
    let text = String::from_utf8_lossy(rest);
    match kind {
        b'd' => dep_info(&text),
        b'm' => messages(rest),
        b'c' => call(rest),
        _ => findings(&Findings::read(&text)),
    }
}

/// Reads dep-info, and reads it again after writing it as rustc does.
fn dep_info(text: &str) {
    let folder = Path::new("/w");
    let inputs = inputs_of(text, folder);
    // A backslash at the end of a name looks like one that escapes a space.
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

/// Reads a call of rustc, and reads it again after writing it.
fn call(bytes: &[u8]) {
    let Some(call) = RustcCall::parse(bytes) else { return };
    let assigned = call.environment.iter().map(|(name, value)| format!("{name}={value}\0"));
    let words = call.words.iter().map(|word| format!("{word}\0"));
    let written: String = assigned.chain(["\0".to_owned()]).chain(words).collect();
    assert_eq!(RustcCall::parse(written.as_bytes()).as_ref(), Some(&call), "{written:?}");
    replay(&call);
}

fn replay(call: &RustcCall) {
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
