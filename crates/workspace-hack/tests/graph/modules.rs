//! The modules of sdk-core depend on each other one way: what a plugin uses stands below what holds plugins.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The modules of sdk-core by layers. A module uses only modules of layers above its own line in this table, and of its
/// own layer only those named before it.
const LAYERS: [(&str, &[&str]); 7] = [
    (
        "leaves, which know no plugin",
        &[
            "answers",
            "cache",
            "changes",
            "clock",
            "edits",
            "event",
            "permissions",
            "plugin_id",
            "raw",
            "roots",
            "settings",
            "text",
            "voice",
            "database",
            "refusal",
            "observer",
        ],
    ),
    (
        "what the host keeps and counts for each plugin",
        &[
            "bus",
            "dependency",
            "flight",
            "panics",
            "state",
            "store",
            "scheduler",
            "server",
            "probation",
            "tasks",
            "gate",
            "collectors",
            "services",
        ],
    ),
    ("what a generation holds", &["host_services", "data"]),
    (
        "a plugin",
        &[
            "autocomplete",
            "components",
            "confirm",
            "failure",
            "offers",
            "subscriptions",
            "plugin",
            "instantiate",
            "definition",
            "preflight",
            "status",
        ],
    ),
    ("a generation", &["code", "options", "generation"]),
    ("all generations", &["ledger", "state_history", "order", "compatibility", "routing_table", "registry"]),
    ("the host", &["host", "checkpoint", "privacy", "handover", "dispatch"]),
];

/// Names at the root of the crate that are no modules and no re-exports: type aliases, with the module that they need.
const ALIASES: [(&str, Option<&str>); 4] = [
    ("Command", Some("data")),
    ("Context", Some("data")),
    ("FrameworkOptions", Some("data")),
    // A boxed error of std.
    ("Error", None),
];

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk-core/src")
}

/// Returns the code of a file without its comments and its tests.
fn code(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    let lines = text.lines().map(|line| line.split_once("//").map_or(line, |(code, _)| code));
    let code = lines.collect::<Vec<_>>().join("\n");
    let tests = code.find("#[cfg(test)]\nmod ").unwrap_or(code.len());
    code[..tests].to_owned()
}

/// Returns the first word of a text.
fn word(text: &str) -> &str {
    let text = text.trim_start();
    let end = text.find(|char: char| !char.is_alphanumeric() && char != '_').unwrap_or(text.len());
    &text[..end]
}

/// Returns the items of a list in braces that begins after `text`'s opening brace, each up to its own braces.
fn items(text: &str) -> Vec<&str> {
    let (mut depth, mut begin, mut items) = (1, 0, Vec::new());
    for (at, char) in text.char_indices() {
        match char {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 || (depth == 1 && char == ',') {
            items.push(&text[begin..at]);
            begin = at + 1;
        }
        if depth == 0 {
            break;
        }
    }
    items
}

/// Returns the names after `crate::` in a file's code.
fn used(code: &str) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        match rest.strip_prefix('{') {
            Some(list) => names.extend(items(list).into_iter().map(word)),
            None => _ = names.insert(word(rest)),
        }
    }
    names.remove("");
    names
}

/// Returns the modules of the crate's root, and the module of each name that it re-exports.
fn root() -> (BTreeSet<String>, BTreeMap<String, String>) {
    let code = code(&sources().join("lib.rs"));
    // The prelude only repeats names.
    let code = code.split("pub mod prelude").next().unwrap_or_default();
    let (mut modules, mut names) = (BTreeSet::new(), BTreeMap::new());
    for statement in code.split(';').map(str::trim) {
        let statement = statement.strip_prefix("pub ").unwrap_or(statement);
        if let Some(module) = statement.strip_prefix("mod ") {
            modules.insert(module.to_owned());
        } else if let Some((module, of)) =
            statement.strip_prefix("use ").and_then(|path| path.split_once("::"))
        {
            let of = of.strip_prefix('{').map_or_else(|| vec![of], |list| items(list));
            names.extend(of.into_iter().map(|name| (word(name).to_owned(), module.to_owned())));
        }
    }
    (modules, names)
}

/// Returns the source files of a module, without those of its tests.
fn files(module: &str) -> Vec<PathBuf> {
    let (mut files, mut folders) =
        (vec![sources().join(format!("{module}.rs"))], vec![sources().join(module)]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            if path.is_dir() {
                folders.push(path);
            } else if name != "tests.rs" && name != "agreement.rs" {
                files.push(path);
            }
        }
    }
    files
}

#[test]
fn modules_of_sdk_core_depend_on_each_other_one_way() {
    let (modules, names) = root();
    let order: Vec<&str> = LAYERS.iter().flat_map(|(_, modules)| modules.iter().copied()).collect();
    let listed: BTreeSet<String> = order.iter().map(|module| (*module).to_owned()).collect();
    assert_eq!(listed, modules, "each module stands once in LAYERS");
    assert_eq!(listed.len(), order.len(), "each module stands once in LAYERS");
    let aliases = BTreeMap::from(ALIASES);
    let (mut arrows, mut wrong) = (0, Vec::new());
    for (index, module) in order.iter().enumerate() {
        for file in files(module) {
            let code = code(&file);
            for name in used(&code) {
                let target = match (names.get(name), aliases.get(name)) {
                    (Some(module), _) => module.as_str(),
                    (None, Some(Some(module))) => module,
                    (None, Some(None)) => continue,
                    (None, None) => name,
                };
                assert!(modules.contains(target), "{} names crate::{name}", file.display());
                arrows += usize::from(target != *module);
                if !order[..=index].contains(&target) {
                    wrong.push(format!("{} uses {target}, which stands above it", file.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // The reading finds what is there.
    assert!(arrows > 100, "{arrows}");
}

#[test]
fn the_reading_finds_paths_in_lists_and_in_code() {
    let code =
        "use crate::{Data, bus::{Bus, Cause}, text};\nfn a(b: crate::host::Host) { crate::clock::now() }";
    assert_eq!(used(code), BTreeSet::from(["Data", "bus", "clock", "host", "text"]));
    let (modules, names) = root();
    assert!(modules.contains("host") && modules.contains("gate"), "{modules:?}");
    assert_eq!(names["PluginId"], "plugin_id");
    assert_eq!(names["Data"], "data");
}
