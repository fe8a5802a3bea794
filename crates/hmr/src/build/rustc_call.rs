//! A call of rustc as cargo has made it: all that is known about how a plugin is built.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::watch::{files_below, hash_of};

/// One call of rustc, as cargo made it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RustcCall {
    /// Environment variables that cargo added.
    pub environment: BTreeMap<String, String>,
    /// Program and arguments.
    pub words: Vec<String>,
    /// Files that the package's build script has read, with the hashes of their contents then.
    #[serde(default)]
    pub script_inputs: BTreeMap<PathBuf, u64>,
    /// Folders that the package's build script has read, with the hashes of the names of the files in them then.
    #[serde(default)]
    pub script_folders: BTreeMap<PathBuf, u64>,
}

impl RustcCall {
    /// Finds the call that made one of `files`, a library of `krate` in `folder`, among those that
    /// `scripts/bin/hotcord-rustc` keeps.
    ///
    /// cargo names a library by all of its inputs besides the sources (dependencies, features, profile, compiler), so a
    /// call that is found by that name is the current one. The name does not depend on the folder of the workspace:
    /// after a copy or a move, calls are those of the former folder until cargo makes them again.
    pub fn find<'a>(
        krate: &str,
        folder: &Path,
        files: impl IntoIterator<Item = &'a PathBuf>,
    ) -> Option<Self> {
        let prefix = format!("lib{krate}-");
        files.into_iter().find_map(|file| {
            let hash = file.file_stem()?.to_str()?.strip_prefix(&prefix)?;
            let calls = file.parent()?.parent()?.join("calls");
            let call = Self::parse(&std::fs::read(calls.join(format!("{krate}-{hash}"))).ok()?)?;
            (call.environment.get("CARGO_MANIFEST_DIR").map(Path::new) == Some(folder)).then_some(call)
        })
    }

    /// Reads strings that each end with a NUL: variables, an empty string, then the command line.
    ///
    /// Returns `None` for anything else, such as a file that was cut off.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?.strip_suffix('\0')?;
        let mut strings = text.split('\0');
        let mut environment = BTreeMap::new();
        loop {
            match strings.next()? {
                "" => break,
                variable => {
                    let (name, value) = variable.split_once('=')?;
                    environment.insert(name.to_owned(), value.to_owned());
                }
            }
        }
        let words: Vec<_> = strings.map(str::to_owned).collect();
        (!words.is_empty()).then_some(Self { environment, words, ..Self::default() })
    }

    /// Returns whether the package's build script would run again, which only cargo can do.
    pub fn is_outdated(&self) -> bool {
        self.script_inputs.iter().any(|(path, hash)| hash_of(path).ok().flatten() != Some(*hash))
            || self.script_folders.iter().any(|(folder, hash)| hash_of_names(&names_below(folder)) != *hash)
    }

    /// Returns the value that follows `flag`.
    pub fn value_of(&self, flag: &str) -> Option<&str> {
        let at = self.words.iter().position(|word| word == flag)?;
        self.words.get(at + 1).map(String::as_str)
    }

    /// Returns the index of rustc's first argument, `--crate-name`.
    pub(crate) fn arguments_at(&self) -> usize {
        self.words.iter().position(|word| word == "--crate-name").unwrap_or(1).min(self.words.len())
    }
}

/// Returns all files in a folder and those below it.
pub(super) fn names_below(folder: &Path) -> BTreeSet<PathBuf> {
    let mut files = BTreeSet::new();
    files_below(folder, &mut files);
    files
}

/// Returns a hash of the names of files.
pub(super) fn hash_of_names(files: &BTreeSet<PathBuf>) -> u64 {
    let mut hasher = DefaultHasher::new();
    files.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    /// Runs the wrapper as cargo does, with `true` in place of rustc.
    fn wrap(deps: &Path, environment: &[(&str, &str)], words: &[&str]) {
        let wrapper = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/bin/hotcord-rustc");
        let status = Command::new(wrapper)
            .arg("true")
            .args(words)
            .arg("--out-dir")
            .arg(deps)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .envs(environment.iter().copied())
            .status()
            .unwrap();
        assert!(status.success());
    }

    #[test]
    fn what_the_wrapper_keeps_is_found_by_the_file_that_was_made() {
        let folder = tempfile::tempdir().unwrap();
        let deps = folder.path().join("debug/deps");
        let description = "Two words,\nand a line: it's \"so\" $HOME `id` \\n";
        let environment = [
            ("CARGO_MANIFEST_DIR", "/w/one"),
            ("CARGO_PKG_DESCRIPTION", description),
            ("CARGO_PKG_HOMEPAGE", ""),
            ("CARGO_REGISTRY_TOKEN", "secret"),
            ("DISCORD_TOKEN", "secret"),
            ("OUT_DIR", "/t/out"),
        ];
        let words = [
            "--crate-name",
            "one",
            "src/lib.rs",
            "--crate-type",
            "lib",
            "--check-cfg",
            "cfg(feature, values(\"a\"))",
            "-C",
            "metadata=1",
            "-C",
            "extra-filename=-00c7",
            "--cfg",
            "",
        ];
        wrap(&deps, &environment, &words);
        let made = [deps.join("libone.rlib"), deps.join("libone-00c7.rmeta")];
        let call = RustcCall::find("one", Path::new("/w/one"), &made).unwrap();
        assert_eq!(
            call.environment,
            [environment[0], environment[1], environment[2], environment[5]]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            "nothing that cargo has not set for the crate is kept"
        );
        let deps_word = deps.display().to_string();
        let expected: Vec<_> = ["true"].into_iter().chain(words).chain(["--out-dir", &deps_word]).collect();
        assert_eq!(call.words, expected);
        assert_eq!(call.value_of("--check-cfg"), Some("cfg(feature, values(\"a\"))"));
        for other in ["libone-00c7a.rmeta", "libone-99.rmeta", "libtwo-00c7.rmeta", "libone.rlib"] {
            assert_eq!(RustcCall::find("one", Path::new("/w/one"), &[deps.join(other)]), None, "{other}");
        }
        assert_eq!(RustcCall::find("one", Path::new("/moved/one"), &made), None, "it is of another folder");
    }

    #[test]
    fn the_wrapper_keeps_libraries_alone_and_ends_as_rustc_does() {
        let folder = tempfile::tempdir().unwrap();
        let deps = folder.path().join("debug/deps");
        for kind in ["bin", "proc-macro", "dylib"] {
            wrap(&deps, &[], &["--crate-name", "one", "--crate-type", kind, "-C", "extra-filename=-1"]);
        }
        wrap(&folder.path().join("elsewhere"), &[], &["--crate-name", "one", "--crate-type", "lib"]);
        assert!(!folder.path().join("debug/calls").exists());
        let wrapper = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/bin/hotcord-rustc");
        let status = Command::new(&wrapper).args(["sh", "-c", "exit 7"]).status().unwrap();
        assert_eq!(status.code(), Some(7));
        // Where nothing can be kept, rustc is still called.
        std::fs::create_dir_all(folder.path().join("full")).unwrap();
        std::fs::write(folder.path().join("full/calls"), "a file").unwrap();
        wrap(&folder.path().join("full/deps"), &[], &["--crate-name", "one", "--crate-type", "lib"]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = RustcCall::parse(&bytes);
        }

        #[test]
        fn a_file_that_was_cut_off_in_a_string_is_refused(
            words in proptest::collection::vec("[^\0]{1,8}", 1..5),
            variables in proptest::collection::btree_map("[A-Z_]{1,6}", "[^\0]{0,8}", 0..4),
        ) {
            let mut text = String::new();
            for (name, value) in &variables {
                text.extend([name, "=", value, "\0"]);
            }
            text.push('\0');
            for word in &words {
                text.extend([word, "\0"]);
            }
            let call = RustcCall { environment: variables, words, ..RustcCall::default() };
            prop_assert_eq!(RustcCall::parse(text.as_bytes()), Some(call));
            prop_assert_eq!(RustcCall::parse(&text.as_bytes()[..text.len() - 1]), None);
        }
    }
}
