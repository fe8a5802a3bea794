//! Packages of the workspace, and what selections of them are built from.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};

/// Returns the root of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Returns the names of all plugins' packages.
pub(crate) fn plugins() -> BTreeSet<String> {
    let mut plugins = BTreeSet::new();
    for kind in ["commands", "events"] {
        for entry in root().join(kind).read_dir().unwrap().flatten() {
            if entry.path().join("Cargo.toml").is_file() {
                plugins.insert(format!("{kind}-{}", entry.file_name().to_str().unwrap()));
            }
        }
    }
    plugins
}

/// A line of `cargo tree`: a package, and the features that it is built with.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// Name, version and features.
    pub(crate) line: String,
    /// Whether it is the workspace's own and not from a registry.
    pub(crate) is_own: bool,
}

/// Returns the packages that a selection is built from along these edges, with the selected ones.
///
/// cargo is asked once for each selection: it takes a third of a second.
pub(crate) fn packages(edges: &str, selection: &[&str]) -> BTreeSet<Package> {
    type Asked = BTreeMap<String, Arc<OnceLock<BTreeSet<Package>>>>;
    static ASKED: Mutex<Asked> = Mutex::new(BTreeMap::new());
    let question = format!("{edges} {}", selection.join(" "));
    let answer = Arc::clone(ASKED.lock().unwrap().entry(question).or_default());
    answer.get_or_init(|| ask(edges, selection)).clone()
}

fn ask(edges: &str, selection: &[&str]) -> BTreeSet<Package> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--edges", edges, "--prefix=none", "--format={p}|{f}"])
        .args(selection)
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    // A package that was shown before ends in a mark.
    let lines = text.lines().filter(|line| !line.is_empty()).map(|line| line.trim_end_matches(" (*)"));
    lines
        .map(|line| Package {
            name: line.split(' ').next().unwrap().to_owned(),
            line: line.replace(" (proc-macro)", ""),
            // Followed by its folder in brackets.
            is_own: line.contains(" (/"),
        })
        .collect()
}
