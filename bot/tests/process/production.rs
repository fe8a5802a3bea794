//! The production build contains no reload engine and no local Discord, neither among its dependencies nor in the
//! binary itself.

use std::process::Command;

/// Crates that are for development only, a name on each line.
const DEVELOPMENT: &str = include_str!("../../../scripts/development-crates.txt");

#[test]
fn the_dependency_tree_holds_nothing_of_development() {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "-p", "bot", "-e", "normal,build", "--prefix", "none", "--format", "{p}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    let crates: Vec<_> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(crates.contains(&"serenity") && crates.contains(&"commands-general"), "{tree}");
    for name in DEVELOPMENT.lines() {
        assert!(!crates.contains(&name), "{name} is in the tree");
    }
}

#[test]
fn the_binary_holds_nothing_of_development() {
    // In a binary, sources appear in the paths of their panics, functions by their mangled names.
    let traces = |name: &str| {
        let (length, name) = (name.len(), name.replace('-', "[-_]"));
        format!("crates/{name}/src|/{name}-[0-9]+\\.[0-9]+|_ZN{length}{name}|Cs[0-9A-Za-z]+_{length}{name}")
    };
    let found = |pattern: &str| {
        let output = Command::new("grep")
            .args(["--text", "--only-matching", "--max-count=3", "--extended-regexp", pattern])
            .arg(env!("CARGO_BIN_EXE_hotcord"))
            .env("LC_ALL", "C")
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect::<Vec<_>>()
    };
    // The same search finds what is there, so it would find the others.
    assert!(!found(&traces("serenity")).is_empty() && !found(&traces("sdk-core")).is_empty());
    for name in DEVELOPMENT.lines() {
        assert_eq!(found(&traces(name)), Vec::<String>::new(), "{name} is in the binary");
    }
    assert_eq!(found("dlopen"), Vec::<String>::new(), "the binary can load libraries");
}

#[test]
fn the_images_are_labelled_with_the_workspaces_version() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let defaults = |file: &str, before: &str| {
        let text = std::fs::read_to_string(format!("{root}/{file}")).unwrap();
        let found = text.lines().filter_map(|line| line.trim().strip_prefix(before)).map(str::to_owned);
        found.collect::<Vec<_>>()
    };
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(defaults("Dockerfile", "ARG VERSION="), [version; 2]);
    assert_eq!(
        defaults("docker-compose.yml", "VERSION: ${BOT_VERSION:-"),
        [format!("{version}}}").as_str(); 2]
    );
}
