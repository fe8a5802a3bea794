//! A copy of the workspace with its build folder, for edits.
//!
//! cargo names its output by paths inside the workspace, so a copy that keeps modification times has nothing to
//! rebuild.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::{fs, io};

use tempfile::TempDir;

use crate::plugin_cache::PluginCache;
use crate::slot::Slot;
use crate::tree::Tree;

/// Held while this workspace's build output is copied, and alone while cargo writes to it.
static OUTPUT: RwLock<()> = RwLock::new(());

fn read(lock: &RwLock<()>) -> RwLockReadGuard<'_, ()> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

/// A copy of the workspace. Dropping it ends the processes in it.
pub struct Playground {
    folder: Folder,
}

/// Where a playground is.
enum Folder {
    /// A folder of its own, which is removed in the end.
    New(TempDir),
    /// A folder that other playgrounds use before and after it.
    Slot(Slot),
}

impl Playground {
    /// Copies this workspace, the development host that is built in it, and its plugins as built by a host. What is
    /// missing is built first.
    ///
    /// The copy is in a folder that was used by other playgrounds, so that an edit compiles as fast as a developer's.
    ///
    /// # Errors
    /// If a file cannot be copied or the host does not build.
    pub fn new() -> io::Result<Self> {
        build_own_host()?;
        let cache = PluginCache::of(&workspace())?;
        Self::in_slot(|| {
            let mut tree = tree_with_host()?;
            cache.add_to(&mut tree)?;
            Ok(tree)
        })
    }

    /// Copies this workspace and its development host as before a first start, without built plugins or anything else
    /// that an earlier playground left.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn bare() -> io::Result<Self> {
        build_own_host()?;
        let playground = Self::fresh()?;
        let _still = read(&OUTPUT);
        tree_with_host()?.add_to(playground.root())?;
        Ok(playground)
    }

    /// Copies this workspace and its development host, which has to be built, into a folder that was used by other
    /// playgrounds.
    ///
    /// # Errors
    /// If a file cannot be copied.
    pub(crate) fn with_host() -> io::Result<Self> {
        Self::in_slot(tree_with_host)
    }

    fn in_slot(tree: impl FnOnce() -> io::Result<Tree>) -> io::Result<Self> {
        let slot = Slot::take(&workspace().join("target/e2e/slots"))?;
        // After the wait for a slot, whose owner may be waiting for this lock.
        let _still = read(&OUTPUT);
        slot.restore(&tree()?)?;
        Ok(Self { folder: Folder::Slot(slot) })
    }

    /// Copies only the sources of this workspace, like a fresh clone.
    ///
    /// # Errors
    /// If a file cannot be copied.
    pub fn fresh() -> io::Result<Self> {
        let workspace = workspace();
        let parent = workspace.join("target/e2e");
        fs::create_dir_all(&parent)?;
        let folder = tempfile::Builder::new().prefix("playground-").tempdir_in(parent)?;
        let mut sources = Tree::default();
        sources.add_sources(&workspace, Path::new(""))?;
        sources.add_to(folder.path())?;
        Ok(Self { folder: Folder::New(folder) })
    }

    /// Returns its folder.
    pub fn root(&self) -> &Path {
        match &self.folder {
            Folder::New(folder) => folder.path(),
            Folder::Slot(slot) => slot.path(),
        }
    }

    /// Adds the output of an ordinary `cargo build -p bot`, so that it is up to date here as well.
    ///
    /// # Errors
    /// If a file cannot be copied or the bot does not build.
    pub fn with_ordinary_build(self) -> io::Result<Self> {
        self.with_build("")
    }

    /// Adds the output of the plain mode for a sandbox, so that it is up to date here as well.
    ///
    /// # Errors
    /// As [`with_ordinary_build`](Self::with_ordinary_build).
    pub fn with_plain_build(self) -> io::Result<Self> {
        self.with_build("bot/sandbox")
    }

    fn with_build(self, features: &str) -> io::Result<Self> {
        let mut command = cargo(&workspace());
        command.args(["build", "--quiet", "--bin", "hotcord"]).args(hmr::workspace::HOST_PACKAGES);
        let _alone = OUTPUT.write().unwrap_or_else(PoisonError::into_inner);
        run(command.args(["--features", features]))?;
        let mut tree = Tree::default();
        add_build(&mut tree, "target/debug")?;
        tree.add_to(self.root())?;
        Ok(self)
    }

    /// Creates a new plugin as a developer does.
    ///
    /// # Panics
    /// If dev-env.sh refuses.
    pub fn new_plugin(&self, name: &str) {
        let output = Command::new("bash")
            .args(["dev-env.sh", "new", name])
            .current_dir(self.root())
            .output()
            .expect("bash can be run");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Builds its development host, if sources of the host were edited before the start.
    ///
    /// # Errors
    /// If it does not build.
    pub fn build_host(&self) -> io::Result<()> {
        build_host(self.root())
    }

    /// Builds the bot as `cargo build` does, without hot reload.
    ///
    /// # Errors
    /// If it does not build.
    pub fn build_ordinarily(&self) -> io::Result<()> {
        let mut command = cargo(self.root());
        run(command.args(["build", "--quiet", "--bin", "hotcord"]).args(hmr::workspace::HOST_PACKAGES))
    }

    /// Returns the absolute path of a file in it.
    pub fn path(&self, inside: &str) -> PathBuf {
        self.root().join(inside)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read(&self, inside: &str) -> io::Result<String> {
        fs::read_to_string(self.path(inside))
    }

    /// Saves a file as vim and VS Code do: written beside it, then renamed over it.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn save(&self, inside: &str, text: &str) -> io::Result<()> {
        save(&self.path(inside), text)
    }

    /// Replaces `from`, which has to occur, by `to` in a file and saves it.
    ///
    /// # Errors
    /// If the file cannot be read or written, or does not contain `from`.
    pub fn edit(&self, inside: &str, from: &str, to: &str) -> io::Result<()> {
        let text = self.read(inside)?;
        if !text.contains(from) {
            return Err(io::Error::other(format!("{inside} does not hold {from:?}")));
        }
        self.save(inside, &text.replace(from, to))
    }
}

/// Saves a file as [`Playground::save`] does.
///
/// # Errors
/// If it cannot be written.
pub(crate) fn save(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let beside = path.with_extension("save");
    fs::write(&beside, text)?;
    fs::rename(&beside, path)
}

/// Returns the sources of this workspace, its development host, and cargo's intermediate files for it.
fn tree_with_host() -> io::Result<Tree> {
    let mut tree = Tree::default();
    tree.add_sources(&workspace(), Path::new(""))?;
    add_build(&mut tree, "target/hmr/debug")?;
    Ok(tree)
}

/// Adds the programs in a folder of this workspace, and cargo's intermediate files for them.
fn add_build(tree: &mut Tree, programs: &str) -> io::Result<()> {
    let (workspace, build) = (workspace(), Path::new("target/build/debug"));
    let made_in = workspace.display().to_string();
    tree.add_files(&workspace.join(programs), Path::new(programs), &made_in)?;
    tree.add_output(&workspace.join(build), build, &made_in)
}

/// Returns the root of this workspace.
pub fn workspace() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

fn cargo(workspace: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    without_cargos(&mut command);
    command.current_dir(workspace).env("CARGO_TARGET_DIR", workspace.join("target")).stdin(Stdio::null());
    command.envs(hmr::process::build_environment(workspace));
    command
}

/// Removes the variables that cargo sets for a program it runs: build scripts depend on them and would run again.
pub(crate) fn without_cargos(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let name_text = name.to_string_lossy();
        if name_text.starts_with("CARGO_PKG_") || name_text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(name);
        }
    }
}

/// Runs `cargo build` with these words in a workspace.
///
/// # Errors
/// If it does not build.
pub(crate) fn build(workspace: &Path, words: &[&str]) -> io::Result<()> {
    run(cargo(workspace).args(["build", "--quiet", "--locked"]).args(words))
}

/// Builds the development host and its sandbox as dev-env.sh does.
fn build_host(workspace: &Path) -> io::Result<()> {
    let mut command = cargo(workspace);
    command.args(["build", "--quiet", "--target-dir", "target/hmr", "-p", "sandbox"]);
    command.args(hmr::workspace::HOST_PACKAGES);
    command.args(hmr::workspace::plugin_packages(workspace).iter().flat_map(|package| ["-p", package]));
    run(command.args(hmr::workspace::HOST_FEATURES))
}

/// Builds the development host of this workspace, once for all tests of this process.
fn build_own_host() -> io::Result<()> {
    static BUILT: Mutex<bool> = Mutex::new(false);
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    if !*built {
        build_host(&workspace())?;
        *built = true;
    }
    Ok(())
}

fn run(command: &mut Command) -> io::Result<()> {
    let status = command.status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("{command:?} ended with {status}"))) }
}
