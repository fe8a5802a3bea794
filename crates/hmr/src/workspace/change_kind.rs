//! The effect of a changed file.

use std::collections::BTreeSet;
use std::path::Path;

use sdk_core::PluginId;

use super::{Package, Workspace, plugin_id};
use crate::watch::Filter;

/// The effect of a changed file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// These plugins must be built again, together.
    Plugins {
        /// Plugins that hold or use the file.
        plugins: BTreeSet<PluginId>,
        /// Whether a manifest, build script or shared crate changed, so that cargo must be asked.
        manifest: bool,
    },
    /// A plugin's folder may have been added or removed.
    Membership,
    /// The host links this. Only a restart applies it.
    Host,
    /// cargo has chosen packages. The effect is known once it is asked about the workspace.
    LockFile,
    /// The bot's own settings.
    Settings,
    /// Nothing is built from it.
    Nothing,
}

impl Workspace {
    /// Returns the effect of a change of the file at `path`.
    ///
    /// `reads` returns whether a plugin is built from that file, by rustc's dep-info. It returns `None` for a file that
    /// its last successful build did not read, if there was none or a later one failed.
    pub fn classify(
        &self,
        path: &Path,
        filter: &Filter,
        reads: impl Fn(&PluginId, &Path) -> Option<bool>,
    ) -> ChangeKind {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let at_root = path.parent() == Some(&self.root);
        match name {
            ".env" if at_root => return ChangeKind::Settings,
            "Cargo.lock" if at_root => return ChangeKind::LockFile,
            _ => {}
        }
        let file = File {
            path,
            is_source: filter.takes_for_source(path),
            is_listed: filter.names_extension_of(path),
            is_manifest: name == "Cargo.toml" || name == "build.rs",
        };
        // A plugin's own file, one of another plugin's through a link, or one anywhere else.
        let readers = self.plugins.keys().filter(|plugin| reads(plugin, path) == Some(true));
        let mut plugins: BTreeSet<_> = readers.cloned().collect();
        let home = self.plugins.values().find(|plugin| path.starts_with(&plugin.root));
        if let Some(plugin) = home {
            if path == plugin.root || path == plugin.root.join("Cargo.toml") && !path.exists() {
                return ChangeKind::Membership;
            }
            if file.counts_for(plugin, reads(&plugin.id, path)) {
                plugins.insert(plugin.id.clone());
            }
        }
        if home.is_some() || !plugins.is_empty() {
            return if plugins.is_empty() {
                ChangeKind::Nothing
            } else {
                ChangeKind::Plugins { plugins, manifest: home.is_some() && file.is_manifest }
            };
        }
        let uses = |plugin: &&Package| plugin.shared.iter().any(|folder| path.starts_with(folder));
        let users: BTreeSet<_> = self.plugins.values().filter(uses).map(|plugin| plugin.id.clone()).collect();
        if !users.is_empty() {
            let is_unknown = users.iter().any(|plugin| reads(plugin, path).is_none());
            return if file.is_source || file.is_manifest || is_unknown {
                ChangeKind::Plugins { plugins: users, manifest: true }
            } else {
                ChangeKind::Nothing
            };
        }
        if self.may_be_a_plugins_coming(path)
            || self.plugins.values().any(|plugin| plugin.root.starts_with(path))
        {
            return ChangeKind::Membership;
        }
        let in_host = self.host.iter().any(|folder| path.starts_with(folder));
        let is_cargos = at_root && matches!(name, "Cargo.toml" | "rust-toolchain" | "rust-toolchain.toml")
            || path == self.root.join(".cargo/config.toml");
        if in_host && (file.is_source || file.is_manifest) || is_cargos {
            return ChangeKind::Host;
        }
        ChangeKind::Nothing
    }

    /// Returns whether a folder that is no plugin may become one with this file.
    ///
    /// It becomes one with its manifest and sources, in whatever order they are saved, and with the manifest that lists
    /// it. While that names a folder which does not exist, cargo describes no plugin at all.
    fn may_be_a_plugins_coming(&self, path: &Path) -> bool {
        let is_manifest = path.ends_with("Cargo.toml");
        let lists = ["commands", "events"].iter().any(|kind| path.parent() == Some(&self.root.join(kind)));
        let home = path.ancestors().find(|folder| plugin_id(&self.root, folder).is_some());
        is_manifest && lists
            || home.is_some_and(|folder| {
                is_manifest && path.parent() == Some(folder) || folder.join("Cargo.toml").is_file()
            })
    }
}

/// A changed file, with what its name shows.
struct File<'a> {
    path: &'a Path,
    is_source: bool,
    is_listed: bool,
    is_manifest: bool,
}

impl File<'_> {
    /// Returns whether the file counts for the plugin in whose folder it is.
    fn counts_for(&self, plugin: &Package, is_read: Option<bool>) -> bool {
        let inside = self.path.strip_prefix(&plugin.root).unwrap_or(self.path);
        let is_test = ["tests", "benches", "examples"].iter().any(|folder| inside.starts_with(folder));
        match is_read {
            Some(true) => true,
            // A file that the last successful build did not read changes nothing until one that it read does. The
            // exception are files that a macro reads without reporting it, which the developer lists by their
            // extension.
            Some(false) => self.is_manifest && inside.components().count() == 1 || self.is_listed && !is_test,
            None => (self.is_source || self.is_manifest) && !is_test,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classify(path: &str, read: Option<bool>) -> ChangeKind {
        of_its_plugin(&Filter::default(), path, read)
    }

    /// Classifies a file that no plugin reads except, with `read`, the one whose folder it is in.
    fn of_its_plugin(filter: &Filter, path: &str, read: Option<bool>) -> ChangeKind {
        workspace().classify(Path::new(path), filter, |plugin, path| {
            let is_own = path.starts_with(Path::new("/w").join(plugin.as_str()));
            if is_own { read } else { read.map(|_| false) }
        })
    }

    fn workspace() -> Workspace {
        let plugin = |id: &str, shared: &[&str]| {
            let package = Package {
                id: PluginId::new(id),
                name: id.replace('/', "-"),
                krate: id.replace('/', "_"),
                root: Path::new("/w").join(id),
                shared: shared.iter().map(|folder| Path::new("/w").join(folder)).collect(),
                copies: BTreeSet::new(),
            };
            (package.id.clone(), package)
        };
        Workspace {
            root: "/w".into(),
            plugins: [
                plugin("commands/one", &["crates/words"]),
                plugin("events/two", &["crates/words"]),
                plugin("events/three", &[]),
            ]
            .into(),
            host: ["/w/bot".into(), "/w/crates/sdk-core".into()].into(),
            ..Workspace::default()
        }
    }

    fn plugins(ids: &[&str], manifest: bool) -> ChangeKind {
        ChangeKind::Plugins { plugins: ids.iter().map(PluginId::new).collect(), manifest }
    }

    #[test]
    fn a_source_file_means_its_own_plugin() {
        assert_eq!(classify("/w/commands/one/src/a.rs", Some(true)), plugins(&["commands/one"], false));
        assert_eq!(classify("/w/commands/one/src/a.rs", None), plugins(&["commands/one"], false));
        assert_eq!(classify("/w/commands/one/Cargo.toml", None), ChangeKind::Membership, "it is not there");
        assert_eq!(classify("/w/commands/one/build.rs", Some(false)), plugins(&["commands/one"], true));
    }

    #[test]
    fn what_is_not_built_from_means_nothing() {
        assert_eq!(classify("/w/commands/one/notes.txt", Some(false)), ChangeKind::Nothing);
        assert_eq!(classify("/w/commands/one/src/unused.rs", Some(false)), ChangeKind::Nothing);
        assert_eq!(classify("/w/commands/one/tests/a.rs", None), ChangeKind::Nothing);
        assert_eq!(classify("/w/commands/one/src/.a.rs.swp", Some(false)), ChangeKind::Nothing);
        assert_eq!(classify("/w/commands/lib.rs", Some(false)), ChangeKind::Nothing);
    }

    #[test]
    fn a_shared_crate_means_all_that_use_it() {
        let users = plugins(&["commands/one", "events/two"], true);
        assert_eq!(classify("/w/crates/words/src/lib.rs", Some(false)), users);
        assert_eq!(classify("/w/crates/words/README.md", Some(false)), ChangeKind::Nothing);
    }

    #[test]
    fn what_the_host_links_means_a_restart() {
        assert_eq!(classify("/w/crates/sdk-core/src/lib.rs", None), ChangeKind::Host);
        assert_eq!(classify("/w/bot/src/main.rs", None), ChangeKind::Host);
        assert_eq!(classify("/w/Cargo.toml", None), ChangeKind::Host);
    }

    #[test]
    fn a_new_or_vanished_folder_means_membership() {
        assert_eq!(classify("/w/commands/fresh/Cargo.toml", None), ChangeKind::Membership);
        assert_eq!(classify("/w/events", None), ChangeKind::Membership);
        assert_eq!(classify("/w/events/three", None), ChangeKind::Membership);
    }

    #[test]
    fn what_a_plugin_reads_means_it_wherever_it_lies() {
        let reads = |readers: &'static [&'static str]| {
            move |plugin: &PluginId, _: &Path| Some(readers.contains(&plugin.as_str()))
        };
        let classify =
            |path: &str, readers| workspace().classify(Path::new(path), &Filter::default(), reads(readers));
        for path in
            ["/w/commands/one/text.md", "/w/README.md", "/elsewhere/text", "/w/commands/one/tests/data"]
        {
            assert_eq!(classify(path, &["commands/one"]), plugins(&["commands/one"], false), "{path}");
        }
        let both = classify("/w/events/two/src/common.rs", &["events/two", "events/three"]);
        assert_eq!(both, plugins(&["events/two", "events/three"], false), "one of them has a link to it");
        assert_eq!(classify("/w/README.md", &[]), ChangeKind::Nothing);
    }

    #[test]
    fn listed_extensions_count_where_the_compiler_tells_nothing() {
        let filter = Filter::new(Path::new("/w"), &[], &["html".to_owned()]).unwrap();
        let classify = |path: &str, read| of_its_plugin(&filter, path, read);
        let one = plugins(&["commands/one"], false);
        assert_eq!(classify("/w/commands/one/page.html", Some(false)), one);
        assert_eq!(classify("/w/commands/one/tests/page.html", Some(false)), ChangeKind::Nothing);
        assert_eq!(classify("/w/commands/one/page.html", None), one);
        assert_eq!(classify("/w/commands/one/src/a.rs", None), ChangeKind::Nothing);
        assert_eq!(classify("/w/commands/one/src/a.rs", Some(true)), one, "what is read counts in any case");
    }

    #[test]
    fn files_at_the_root_have_meanings_of_their_own() {
        assert_eq!(classify("/w/.env", None), ChangeKind::Settings);
        assert_eq!(classify("/w/commands/one/.env", None), ChangeKind::Nothing);
        assert_eq!(classify("/w/Cargo.lock", None), ChangeKind::LockFile);
        assert_eq!(classify("/w/rust-toolchain.toml", None), ChangeKind::Host);
        assert_eq!(classify("/w/.cargo/config.toml", None), ChangeKind::Host);
        assert_eq!(classify("/w/commands/Cargo.toml", None), ChangeKind::Membership);
    }
}
