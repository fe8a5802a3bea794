//! All development builds use one build of each dependency.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Returns the dependencies of a selection from the registry, each with the features that it is built with.
fn dependencies(edges: &str, selection: &[&str]) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--edges", edges, "--prefix=none", "--no-dedupe", "--format={p}|{f}"])
        .args(selection)
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    // What is in a folder, in brackets, is the workspace's own.
    text.lines().filter(|line| !line.contains(" (/")).map(|line| line.replace(" (proc-macro)", "")).collect()
}

#[test]
fn every_selection_builds_dependencies_with_the_features_that_the_tests_have() {
    let mut plugins = Vec::new();
    for kind in ["commands", "events"] {
        for entry in root().join(kind).read_dir().unwrap().flatten() {
            if entry.path().join("Cargo.toml").is_file() {
                plugins.push(format!("-p{kind}-{}", entry.file_name().to_str().unwrap()));
            }
        }
    }
    let mut host = vec!["-pbot", "-pworkspace-hack", "--no-default-features", "--features", "bot/hmr"];
    host.extend(plugins.iter().map(String::as_str));
    let with_sandbox = [&["-psandbox"], host.as_slice()].concat();
    let plain = ["-pbot", "-pworkspace-hack", "--features", "bot/sandbox"];
    let tools = ["-pe2e", "-pworkspace-hack"];
    let tests = dependencies("normal,build,dev", &["--workspace"]);
    assert!(
        tests.iter().any(|line| line.starts_with("tokio v1.") && line.contains("test-util")),
        "{tests:#?}"
    );
    for (name, selection) in
        [("host", &host[..]), ("host and sandbox", &with_sandbox), ("plain mode", &plain), ("tools", &tools)]
    {
        let others: Vec<_> = dependencies("normal,build", selection).difference(&tests).cloned().collect();
        assert!(
            others.is_empty(),
            "the {name} would build these anew; name the features that they lack in crates/workspace-hack: {others:#?}"
        );
    }
    // Without the package they differ, so the comparison can fail.
    let without = dependencies("normal,build", &["-pbot"]);
    assert!(without.difference(&tests).next().is_some());
}
