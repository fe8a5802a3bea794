//! The content of cargo's metadata about a workspace.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Package, Workspace, plugin_id};

/// The parts of the output of `cargo metadata` that are read.
#[derive(Deserialize)]
pub(super) struct Metadata {
    packages: Vec<MetadataPackage>,
    resolve: Resolve,
    workspace_members: Vec<String>,
}

#[derive(Deserialize)]
struct MetadataPackage {
    id: String,
    name: String,
    manifest_path: PathBuf,
    source: Option<String>,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
    name: String,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Dep>,
}

#[derive(Deserialize)]
struct Dep {
    pkg: String,
    dep_kinds: Vec<DepKind>,
}

#[derive(Deserialize)]
struct DepKind {
    kind: Option<String>,
}

impl Metadata {
    /// Returns the workspace at `root` that it describes.
    pub(super) fn workspace(&self, root: &Path) -> Workspace {
        let packages: HashMap<_, _> =
            self.packages.iter().map(|package| (package.id.as_str(), package)).collect();
        let nodes: HashMap<_, _> = self.resolve.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
        let links_of = |name: &str| {
            let package =
                self.packages.iter().find(|package| package.name == name && package.source.is_none());
            package.map(|package| links(&package.id, &nodes)).unwrap_or_default()
        };
        let host_links = links_of("bot");
        let (host, host_packages) = (folders(&host_links, &packages), fetched(&host_links, &packages));
        let sdk = folders(&links_of("sdk-dylib"), &packages);
        // Plugins link the facade too, which is not below the shared library.
        let mut with_plugins = folders(&links_of("sdk"), &packages);
        with_plugins.extend(sdk.iter().cloned());
        let mut plugins = BTreeMap::new();
        let mut plugin_packages = BTreeMap::new();
        for package in self.packages.iter().filter(|package| self.workspace_members.contains(&package.id)) {
            let Some(folder) = package.manifest_path.parent() else { continue };
            let Some(id) = plugin_id(root, folder) else { continue };
            let is_library = |target: &&Target| target.kind.iter().any(|kind| kind == "lib");
            let Some(library) = package.targets.iter().find(is_library) else { continue };
            let links = self::links(&package.id, &nodes);
            let mut local = folders(&links, &packages);
            local.remove(folder);
            with_plugins.extend(local.iter().cloned());
            let own = fetched(&links, &packages).difference(&host_packages).cloned().collect();
            plugin_packages.insert(id.clone(), own);
            let plugin = Package {
                id: id.clone(),
                name: package.name.clone(),
                krate: library.name.replace('-', "_"),
                root: folder.to_path_buf(),
                shared: local.difference(&host).cloned().collect(),
                copies: local.difference(&sdk).cloned().collect(),
            };
            plugins.insert(id, plugin);
        }
        let host_only = host.difference(&with_plugins).cloned().collect();
        Workspace { root: root.to_path_buf(), plugins, host, host_only, host_packages, plugin_packages }
    }
}

/// Returns all packages that `id` links, itself included.
fn links<'a>(id: &'a str, nodes: &HashMap<&str, &'a Node>) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    let mut next = vec![id];
    while let Some(id) = next.pop() {
        let Some(node) = nodes.get(id) else { continue };
        if seen.insert(id) {
            let is_linked = |dep: &&Dep| dep.dep_kinds.iter().any(|kind| kind.kind.as_deref() != Some("dev"));
            next.extend(node.deps.iter().filter(is_linked).map(|dep| dep.pkg.as_str()));
        }
    }
    seen
}

/// Returns the folders of the local packages among `ids`.
fn folders(ids: &BTreeSet<&str>, packages: &HashMap<&str, &MetadataPackage>) -> BTreeSet<PathBuf> {
    let local = ids.iter().filter_map(|id| packages.get(id)).filter(|package| package.source.is_none());
    local.filter_map(|package| package.manifest_path.parent()).map(Path::to_path_buf).collect()
}

/// Returns the ids of the fetched packages among `ids`, each with version and source. The source of a repository
/// contains its commit.
fn fetched(ids: &BTreeSet<&str>, packages: &HashMap<&str, &MetadataPackage>) -> BTreeSet<String> {
    let fetched = ids.iter().filter_map(|id| Some((id, packages.get(id)?.source.as_ref()?)));
    fetched.map(|(id, source)| format!("{id} from {source}")).collect()
}

#[cfg(test)]
mod tests {
    use sdk_core::PluginId;
    use serde_json::json;

    use super::*;

    /// Returns a workspace whose host links serde and whose plugin links rand, in these versions.
    fn workspace(serde: &str, rand: &str) -> Workspace {
        let package = |name: &str, folder: &str| {
            json!({
                "id": format!("path+file:///w/{folder}#{name}@0.1.0"), "name": name, "source": null,
                "manifest_path": format!("/w/{folder}/Cargo.toml"),
                "targets": [{ "kind": ["lib"], "name": name }],
            })
        };
        let fetched = |name: &str, version: &str| {
            json!({
                "id": format!("registry#{name}@{version}"), "name": name, "source": "registry",
                "manifest_path": format!("/r/{name}/Cargo.toml"), "targets": [],
            })
        };
        let node = |id: &str, deps: &[String]| {
            let dep = |pkg: &String| json!({ "pkg": pkg, "dep_kinds": [{ "kind": null }] });
            json!({ "id": id, "deps": deps.iter().map(dep).collect::<Vec<_>>() })
        };
        let (serde_id, rand_id) = (format!("registry#serde@{serde}"), format!("registry#rand@{rand}"));
        let (bot, one) = ("path+file:///w/bot#bot@0.1.0", "path+file:///w/commands/one#commands-one@0.1.0");
        let metadata = json!({
            "packages": [
                package("bot", "bot"), package("commands-one", "commands/one"),
                fetched("serde", serde), fetched("rand", rand),
            ],
            "resolve": { "nodes": [
                node(bot, std::slice::from_ref(&serde_id)), node(one, &[serde_id.clone(), rand_id.clone()]),
                node(&serde_id, &[]), node(&rand_id, &[]),
            ] },
            "workspace_members": [bot, one],
        });
        serde_json::from_value::<Metadata>(metadata).unwrap().workspace(Path::new("/w"))
    }

    #[tokio::test]
    async fn what_no_plugin_is_built_with_is_the_hosts_alone() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
        let workspace = Workspace::read(&root).await.unwrap();
        for host_only in [
            "bot/src/main.rs",
            "crates/hmr/Cargo.toml",
            "crates/player/src/lib.rs",
            "crates/demux/src/lib.rs",
        ] {
            assert!(workspace.is_host_only(Path::new(host_only)), "{host_only}: {:?}", workspace.host_only);
        }
        for linked in [
            "crates/sdk/src/lib.rs",
            "crates/sdk-core/src/lib.rs",
            "crates/sdk-dylib/src/lib.rs",
            "Cargo.toml",
        ] {
            assert!(!workspace.is_host_only(Path::new(linked)), "{linked}: {:?}", workspace.host_only);
        }
    }

    #[test]
    fn a_lock_file_concerns_the_host_only_where_the_host_links_other_packages() {
        let old = workspace("1.0.1", "0.9.0");
        let other_rand = workspace("1.0.1", "0.9.1");
        assert_eq!(old.host_packages, other_rand.host_packages);
        assert_eq!(other_rand.relinked(&old), [PluginId::new("commands/one")].into());
        let other_serde = workspace("1.0.2", "0.9.0");
        assert_ne!(old.host_packages, other_serde.host_packages);
        assert_eq!(
            other_serde.relinked(&old),
            BTreeSet::new(),
            "the plugin is built against what the host links"
        );
        assert_eq!(old.relinked(&workspace("1.0.1", "0.9.0")), BTreeSet::new());
    }
}
