//! Packages of the workspace, and what selections of them are built from.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

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
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// Name, version and features.
    pub(crate) line: String,
    /// Whether it is the workspace's own and not from a registry.
    pub(crate) is_own: bool,
}

/// Returns the packages that a selection is built from along these edges, with the selected ones.
pub(crate) fn packages(edges: &str, selection: &[&str]) -> Vec<Package> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--edges", edges, "--prefix=none", "--no-dedupe", "--format={p}|{f}"])
        .args(selection)
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().filter(|line| !line.is_empty());
    lines
        .map(|line| Package {
            name: line.split(' ').next().unwrap().to_owned(),
            line: line.replace(" (proc-macro)", ""),
            // Followed by its folder in brackets.
            is_own: line.contains(" (/"),
        })
        .collect()
}
