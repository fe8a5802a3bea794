//! The crates of the workspace depend on each other one way, and what only the host needs is in no plugin's graph.

use std::collections::BTreeSet;

use crate::tree::{self, plugins, root};

/// Packages that plugins are not built with, and so not built again for: the player's, which the host alone links.
const OF_THE_HOST: [&str; 12] = [
    "database",
    "davey",
    "demux",
    "gateway",
    "openmls",
    "opus2",
    "player",
    "rubato",
    "songbird",
    "sqlx",
    "symphonia",
    "twilight-gateway",
];

/// What each crate that is no plugin depends on in the workspace.
const ARROWS: [(&str, &[&str]); 19] = [
    ("bot", &["commands", "database", "events", "gateway", "hmr", "player", "sdk"]),
    ("database", &["sdk-core"]),
    ("demux", &[]),
    ("discord-rules", &[]),
    ("e2e", &["hmr", "sandbox"]),
    ("gateway", &[]),
    ("hmr", &["sdk-core"]),
    ("plain-poise", &[]),
    ("player", &["demux", "sdk-core"]),
    ("sandbox", &["discord-rules", "sandbox-net", "sandbox-voice"]),
    ("sandbox-net", &[]),
    ("sandbox-test", &["sandbox"]),
    ("sandbox-voice", &["discord-rules", "sandbox-net"]),
    ("sdk", &["sdk-core", "sdk-dylib"]),
    ("sdk-core", &[]),
    ("sdk-dylib", &["sdk-core"]),
    ("workspace-hack", &[]),
    // Lists of plugins.
    ("commands", &["sdk"]),
    ("events", &["sdk"]),
];

/// Returns the names of the packages that a selection is built from, itself included: of the workspace's own with
/// `is_own`, else of those from the registry.
fn packages(selection: &[&str], is_own: bool) -> BTreeSet<String> {
    let packages = tree::packages("normal,build", selection).into_iter();
    packages.filter(|package| package.is_own == is_own).map(|package| package.name).collect()
}

/// Returns the names of all crates below `crates/`.
fn crates() -> BTreeSet<String> {
    let entries = root().join("crates").read_dir().unwrap().flatten();
    entries.map(|entry| entry.file_name().to_str().unwrap().to_owned()).collect()
}

#[test]
fn arrows_between_crates_point_one_way() {
    let plugins = plugins();
    for (name, expected) in ARROWS {
        let mut selection = vec!["--depth=1", "-p", name];
        if name == "bot" {
            selection.extend(["--features", "bot/hmr"]);
        }
        if name == "sdk" {
            selection.extend(["--features", "sdk/hmr"]);
        }
        let mut found = packages(&selection, true);
        assert!(found.remove(name));
        found.retain(|package| !plugins.contains(package));
        assert_eq!(
            found,
            expected.iter().map(|name| (*name).to_owned()).collect(),
            "{name} depends on these"
        );
    }
    // Another crate is either here, or a tool that plugins share, which depends on nothing of the host.
    let known: BTreeSet<_> = ARROWS.iter().map(|(name, _)| (*name).to_owned()).collect();
    for name in crates().difference(&known) {
        let found = packages(&["-p", name], true);
        for of_host in ["bot", "hmr", "player", "sandbox", "e2e"] {
            assert!(!found.contains(of_host), "{name} depends on {of_host}; put it into ARROWS if it may");
        }
    }
}

#[test]
fn what_only_the_host_needs_is_in_no_plugins_graph() {
    let plugins = plugins();
    assert!(plugins.contains("commands-general") && plugins.contains("commands-music"), "{plugins:?}");
    let lists = plugins.iter().flat_map(|plugin| ["-p", plugin]).collect::<Vec<_>>();
    // One by one, and as the development host is built: with the features that all of them have together.
    let alone = plugins.iter().map(|plugin| (plugin.as_str(), vec!["-p", plugin]));
    let together = ("all plugins", [lists.as_slice(), &["-p", "sdk", "--features", "sdk/hmr"]].concat());
    for (name, selection) in alone.chain([together]) {
        let (own, fetched) = (packages(&selection, true), packages(&selection, false));
        assert!(fetched.contains("serenity") && own.contains("sdk-core"), "{name}: {own:?} {fetched:?}");
        for of_host in ["bot", "commands", "events", "hmr", "sandbox", "e2e", "workspace-hack"] {
            assert!(!own.contains(of_host), "{name} depends on {of_host}");
        }
        for package in own.iter().chain(&fetched) {
            let is_of = |host: &&str| package == *host || package.starts_with(&format!("{host}-"));
            let found = OF_THE_HOST.into_iter().find(is_of);
            assert!(found.is_none(), "{name} is built with {package}, which only the host needs");
        }
    }
    // The host is built with all of them, so the look finds what is there.
    let mut host = packages(&["-p", "bot"], true);
    host.extend(packages(&["-p", "bot"], false));
    for of_host in OF_THE_HOST {
        assert!(host.contains(of_host), "the host is built without {of_host}");
    }
}

#[test]
fn every_crate_is_in_production_or_in_the_list_of_those_that_are_not() {
    let list = std::fs::read_to_string(root().join("scripts/development-crates.txt")).unwrap();
    let listed: BTreeSet<_> = list.lines().map(str::to_owned).collect();
    assert_eq!(
        listed.iter().cloned().collect::<Vec<_>>(),
        list.lines().collect::<Vec<_>>(),
        "sorted, each once"
    );
    let production = packages(&["-p", "bot"], true);
    for name in crates() {
        assert!(
            production.contains(&name) != listed.contains(&name),
            "{name} is a part of the production build or in scripts/development-crates.txt, and not both"
        );
    }
    // A name that is misspelt, or of a crate that is gone, would forbid nothing.
    let mut known = crates();
    known.extend(packages(&["-p", "bot", "--features", "bot/hmr"], false));
    assert_eq!(listed.difference(&known).collect::<Vec<_>>(), [""; 0]);
}
