//! All development builds use one build of each dependency.

use std::collections::BTreeSet;

use crate::tree;

/// Returns the dependencies of a selection from the registry, each with the features that it is built with.
fn dependencies(edges: &str, selection: &[&str]) -> BTreeSet<String> {
    let packages = tree::packages(edges, selection).into_iter().filter(|package| !package.is_own);
    packages.map(|package| package.line).collect()
}

#[test]
fn every_selection_builds_dependencies_with_the_features_that_the_tests_have() {
    let plugins: Vec<_> = tree::plugins().iter().map(|plugin| format!("-p{plugin}")).collect();
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
