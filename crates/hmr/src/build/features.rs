//! The features that the host's dependencies are built with, and which plugin's dependency changes them, before cargo
//! begins.
//!
//! # Theory of operation
//!
//! In one call, cargo builds a package of one version once, with every feature that any package of the call asks for.
//! Host and plugins are one call, since a plugin must see the very types of the sdk's shared library. So a plugin's
//! dependency that turns on a feature of a shared crate causes a rebuild of that crate and of all that depends on it:
//! serenity, the sdk, the host, every plugin. cargo has no means to build a package twice with different features in
//! one call. `cargo tree` resolves the same call without building anything; its output is compared with its earlier
//! output. It is kept on disk, because most hosts start with the manifests of the host before.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use sdk_core::{FINGERPRINT, PluginId};
use serde::{Deserialize, Serialize};

use super::cargo::{keep, kept};
use crate::error::SaveError;
use crate::process;
use crate::watch::hash_of;
use crate::workspace::{HOST_FEATURES, HOST_PACKAGES, Workspace};

/// Packages that the host links, by name and version, with the features that each is built with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shared {
    features: BTreeMap<String, BTreeSet<String>>,
    /// Packages that each plugin links, each with the packages that it links.
    plugins: BTreeMap<PluginId, HashMap<String, BTreeSet<String>>>,
}

/// A shared package that will be built with other features.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Package, such as `url v2.5.8`.
    pub package: String,
    /// Features that are turned on.
    pub added: BTreeSet<String>,
    /// Features that no package asks for any more.
    pub removed: BTreeSet<String>,
    /// Plugin whose dependency asks for it, with the path from that dependency to the package; `None` if it cannot be
    /// found.
    pub because: Option<(PluginId, Vec<String>)>,
}

impl Shared {
    /// Returns the features that cargo would build the host and all plugins with. Asks cargo if a manifest or the lock
    /// file is not as it was for the answer in `file`, and keeps the new answer there.
    ///
    /// # Errors
    /// When cargo cannot be run or does not accept a manifest.
    pub async fn read(workspace: &Workspace, file: &Path) -> Result<Self, SaveError> {
        let question = question(workspace);
        if let Some(answer) = kept::<Answer>(file).filter(|answer| answer.question == question) {
            return Ok(Self::of(&answer.text, workspace));
        }
        let mut cargo = process::in_workspace(process::command("nice"), &workspace.root);
        cargo
            .args(["-n", "10"])
            .arg(process::cargo())
            .args(["tree", "--edges=normal,build", "--prefix=depth", "--format={p}|{f}", "--color=never"])
            .args(HOST_PACKAGES)
            .args(workspace.plugins.values().flat_map(|plugin| ["-p", &plugin.name]))
            .args(HOST_FEATURES);
        let text = String::from_utf8_lossy(&process::output_of_cargo(cargo).await?).into_owned();
        let shared = Self::of(&text, workspace);
        // A manifest that was saved meanwhile may be part of the answer, or not.
        if question == self::question(workspace)
            && let Err(error) = keep(file, &Answer { question, text })
        {
            tracing::debug!(%error, "cargo will be asked again at the next start");
        }
        Ok(shared)
    }

    /// Reads trees of lines like `2url v2.5.8|default,std (*)`, whose first number is the depth.
    ///
    /// A package that was shown before is shown again without the packages that it links.
    fn of(text: &str, workspace: &Workspace) -> Self {
        let mut shared = Self::default();
        let mut edges: HashMap<String, BTreeSet<String>> = HashMap::new();
        let mut roots: Vec<String> = Vec::new();
        let mut path: Vec<String> = Vec::new();
        for line in text.lines() {
            let digits = line.len() - line.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let Ok(depth) = line[..digits].parse::<usize>() else { continue };
            let (package, features) = line[digits..].split_once('|').unwrap_or((&line[digits..], ""));
            let package = name_of(package);
            path.truncate(depth);
            if let Some(parent) = path.last() {
                edges.entry(parent.clone()).or_default().insert(package.clone());
            } else {
                roots.push(package.clone());
            }
            // Every package that the host links is below it at least once.
            if path.first().or(Some(&package)).is_some_and(|root| root.starts_with("bot v")) {
                let features = features.trim_end_matches("(*)").trim().split(',');
                let known = shared.features.entry(package.clone()).or_default();
                known.extend(features.filter(|feature| !feature.is_empty()).map(str::to_owned));
            }
            path.push(package);
        }
        for root in roots {
            let is_root = |name: &str| root.strip_prefix(name).is_some_and(|rest| rest.starts_with(" v"));
            if let Some(plugin) = workspace.plugins.values().find(|plugin| is_root(&plugin.name)) {
                let reached = reached(&root, &edges);
                shared.plugins.insert(plugin.id.clone(), reached);
            }
        }
        shared
    }

    /// Returns the shared packages that are built with other features than in `old`.
    pub fn changes(&self, old: &Self) -> Vec<Change> {
        let both = self.features.iter().filter_map(|(package, now)| {
            let before = old.features.get(package)?;
            (before != now).then(|| Change {
                package: package.clone(),
                added: now.difference(before).cloned().collect(),
                removed: before.difference(now).cloned().collect(),
                because: self.because(package, old),
            })
        });
        let mut changes: Vec<_> = both.collect();
        // Where a cause is known for one change, the others follow from it.
        if changes.iter().any(|change| change.because.is_some()) {
            changes.retain(|change| change.because.is_some());
        }
        changes
    }

    /// Returns the plugin that links the package through a package or dependency that is new to it, with the shortest
    /// path there.
    fn because(&self, package: &str, old: &Self) -> Option<(PluginId, Vec<String>)> {
        let mut ways = self.plugins.iter().filter_map(|(plugin, links)| {
            let before = old.plugins.get(plugin);
            let root = links
                .keys()
                .find(|name| name.starts_with(&format!("{} v", plugin.as_str().replace('/', "-"))))?;
            let is_new = |from: &str, to: &str| {
                !before.and_then(|links| links.get(from)).is_some_and(|links| links.contains(to))
            };
            let mut next = VecDeque::from([vec![root.clone()]]);
            let mut seen = BTreeSet::from([root.clone()]);
            while let Some(way) = next.pop_front() {
                let at = way.last()?;
                for to in links.get(at).into_iter().flatten() {
                    let is_shared = self.features.contains_key(to);
                    if to == package && is_new(at, to) {
                        return Some((plugin.clone(), way[1..].to_vec()));
                    }
                    if !is_shared && seen.insert(to.clone()) {
                        next.push_back(way.iter().cloned().chain([to.clone()]).collect());
                    }
                }
            }
            None
        });
        ways.next()
    }
}

/// An answer of cargo on disk.
#[derive(Serialize, Deserialize)]
struct Answer {
    question: u64,
    text: String,
}

/// Returns a hash of everything in the workspace that cargo's answer depends on: manifests, lock file, and settings.
fn question(workspace: &Workspace) -> u64 {
    let mut folders: BTreeSet<&PathBuf> = workspace.host.iter().collect();
    for plugin in workspace.plugins.values() {
        folders.extend([&plugin.root].into_iter().chain(&plugin.shared).chain(&plugin.copies));
    }
    let at_root = ["Cargo.toml", "Cargo.lock", ".cargo/config.toml", "rust-toolchain.toml"];
    let files = folders.into_iter().map(|folder| folder.join("Cargo.toml"));
    let mut hasher = DefaultHasher::new();
    FINGERPRINT.hash(&mut hasher);
    for file in files.chain(at_root.map(|file| workspace.root.join(file))) {
        // The workspace may have been moved.
        let name = file.strip_prefix(&workspace.root).unwrap_or(&file);
        (name, hash_of(&file).ok().flatten()).hash(&mut hasher);
    }
    hasher.finish()
}

/// Returns the packages that can be reached from a package, each with those that it links.
fn reached(root: &str, edges: &HashMap<String, BTreeSet<String>>) -> HashMap<String, BTreeSet<String>> {
    let mut reached = HashMap::new();
    let mut next = vec![root.to_owned()];
    while let Some(package) = next.pop() {
        if reached.contains_key(&package) {
            continue;
        }
        let links = edges.get(&package).cloned().unwrap_or_default();
        next.extend(links.iter().cloned());
        reached.insert(package, links);
    }
    reached
}

/// Returns name and version from a form such as `url v2.5.8 (proc-macro)`.
fn name_of(package: &str) -> String {
    package.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

/// Describes changes, and what to do about them.
pub fn words(changes: &[Change]) -> String {
    const TOLD: usize = 3;
    let mut parts: Vec<_> = changes.iter().take(TOLD).map(part).collect();
    if changes.len() > TOLD {
        parts.push(format!("{} more", changes.len() - TOLD));
    }
    let by_plugin = changes.iter().any(|change| change.because.is_some() && !change.added.is_empty());
    let way_out = if by_plugin {
        "; to avoid it, take the dependency without that feature (`default-features = false`, say), or another one"
    } else {
        ""
    };
    format!(
        "{}: the host is built with that as well, so cargo builds it anew with all that depends on it, the sdk and every \
         plugin, which takes minutes{way_out}",
        parts.join("; ")
    )
}

fn part(change: &Change) -> String {
    let list = |features: &BTreeSet<String>| {
        features.iter().map(|feature| format!("`{feature}`")).collect::<Vec<_>>().join(", ")
    };
    let Change { package, added, removed, because } = change;
    match because {
        Some((plugin, way)) if !added.is_empty() => {
            let whose = match &way[..] {
                [] => format!("{plugin} itself"),
                way => format!("the dependency {} of {plugin}", way.join(" > ")),
            };
            format!("{whose} turns on {} of {package}", list(added))
        }
        _ if !added.is_empty() => format!("{} of {package} is turned on", list(added)),
        _ => format!("nothing asks for {} of {package} any more", list(removed)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Package;

    fn workspace() -> Workspace {
        let plugin = |id: &str| {
            let package = Package {
                id: PluginId::new(id),
                name: id.replace('/', "-"),
                krate: id.replace('/', "_"),
                root: Path::new("/w").join(id),
                shared: BTreeSet::new(),
                copies: BTreeSet::new(),
            };
            (package.id.clone(), package)
        };
        Workspace { plugins: [plugin("commands/one"), plugin("events/two")].into(), ..Workspace::default() }
    }

    fn shared(text: &str) -> Shared {
        Shared::of(text, &workspace())
    }

    const HOST: &str = "0bot v0.1.0 (/w/bot)|hmr\n1url v2.5.8|default,std\n2idna v1.1.0|std\n1serenity v0.12.5|\n\
                        2url v2.5.8|default,std (*)\n";
    const PLUGINS: &str = "0commands-one v0.1.0 (/w/commands/one)|\n1serenity v0.12.5| (*)\n\
                           0events-two v0.1.0 (/w/events/two)|\n1serenity v0.12.5| (*)\n";

    #[tokio::test]
    async fn cargo_is_asked_again_only_if_a_manifest_has_changed() {
        let folder = tempfile::tempdir().unwrap();
        let mut workspace = workspace();
        workspace.root = folder.path().to_path_buf();
        for plugin in workspace.plugins.values_mut() {
            plugin.root = folder.path().join(plugin.id.as_str());
            std::fs::create_dir_all(&plugin.root).unwrap();
            std::fs::write(plugin.root.join("Cargo.toml"), "no manifest").unwrap();
        }
        let file = folder.path().join("features.json");
        let text = format!("{HOST}{PLUGINS}");
        keep(&file, &Answer { question: question(&workspace), text: text.clone() }).unwrap();
        assert_eq!(Shared::read(&workspace, &file).await.unwrap(), shared(&text));
        // What cargo would be asked now is no workspace.
        std::fs::write(folder.path().join("events/two/Cargo.toml"), "another one").unwrap();
        assert!(Shared::read(&workspace, &file).await.is_err());
        std::fs::write(folder.path().join("events/two/Cargo.toml"), "no manifest").unwrap();
        assert_eq!(Shared::read(&workspace, &file).await.unwrap(), shared(&text));
        std::fs::write(folder.path().join("Cargo.lock"), "").unwrap();
        assert!(Shared::read(&workspace, &file).await.is_err());
    }

    #[test]
    fn the_dependency_that_turns_a_feature_on_is_named_with_its_plugin() {
        let before = shared(&format!("{HOST}{PLUGINS}"));
        let plugins = PLUGINS.replace(
            "1serenity v0.12.5| (*)\n0events",
            "1fluent v0.16.1|\n2unic v0.9.0 (proc-macro)|\n3idna v1.1.0|alloc,std (*)\n1serenity v0.12.5| (*)\n0events",
        );
        let host = HOST.replace("idna v1.1.0|std", "idna v1.1.0|alloc,std");
        let after = shared(&format!("{host}{plugins}"));
        let changes = after.changes(&before);
        assert_eq!(
            words(&changes),
            "the dependency fluent v0.16.1 > unic v0.9.0 of commands/one turns on `alloc` of idna v1.1.0: the host is \
             built with that as well, so cargo builds it anew with all that depends on it, the sdk and every plugin, \
             which takes minutes; to avoid it, take the dependency without that feature (`default-features = false`, \
             say), or another one"
        );
        let back = before.changes(&after);
        assert!(words(&back).starts_with("nothing asks for `alloc` of idna v1.1.0 any more: "), "{back:?}");
        assert_eq!(after.changes(&after.clone()), []);
    }

    #[test]
    fn a_plugin_that_asks_by_itself_is_named_and_what_follows_from_it_is_not() {
        let before = shared(&format!("{HOST}{PLUGINS}"));
        let host = HOST
            .replace("url v2.5.8|default,std", "url v2.5.8|default,serde,std")
            .replace("idna v1.1.0|std", "idna v1.1.0|alloc,std");
        let plugins = format!("{PLUGINS}1url v2.5.8|default,serde,std (*)\n");
        let changes = shared(&format!("{host}{plugins}")).changes(&before);
        assert_eq!(changes.len(), 1, "{changes:?}");
        assert!(
            words(&changes).starts_with("events/two itself turns on `serde` of url v2.5.8: "),
            "{changes:?}"
        );
    }

    #[test]
    fn what_only_plugins_link_concerns_nobody_else() {
        let with = |features: &str| {
            shared(&format!("{HOST}{PLUGINS}1rand v0.9.0|{features}\n2zerocopy v0.8.0|{features}\n"))
        };
        assert_eq!(with("default,std").changes(&with("default")), []);
        assert_eq!(with("default").changes(&shared(&format!("{HOST}{PLUGINS}"))), []);
    }
}
