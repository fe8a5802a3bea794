//! A copy of the workspace with its build folder, for edits.
//!
//! cargo names its output by paths inside the workspace, so a copy that keeps modification times has nothing to
//! rebuild.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::{fs, io};

use tempfile::TempDir;

use crate::plugin_cache::PluginCache;

/// A copy of the workspace. Dropping it removes it.
pub struct Playground {
    folder: TempDir,
}

impl Playground {
    /// Copies this workspace, the development host that is built in it, and its plugins as built by a host. What is
    /// missing is built first.
    ///
    /// # Errors
    /// If a file cannot be copied or the host does not build.
    pub fn new() -> io::Result<Self> {
        build_own_host()?;
        let cache = PluginCache::of(&workspace())?;
        let playground = Self::with_host()?;
        cache.put_into(playground.folder.path())?;
        Ok(playground)
    }

    /// Copies this workspace and its development host as before a first start, without built plugins.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn bare() -> io::Result<Self> {
        build_own_host()?;
        Self::with_host()
    }

    /// Copies this workspace and its development host, which has to be built.
    ///
    /// # Errors
    /// If a file cannot be copied.
    pub(crate) fn with_host() -> io::Result<Self> {
        let playground = Self::fresh()?;
        playground.take_build("target/hmr/debug")?;
        Ok(playground)
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
        copy_sources(&workspace, folder.path())?;
        Ok(Self { folder })
    }

    /// Copies the programs in a folder of this workspace, and cargo's intermediate files for them.
    fn take_build(&self, programs: &str) -> io::Result<()> {
        let workspace = workspace();
        mirror_files(&workspace.join(programs), &self.path(programs))?;
        mirror(&workspace.join("target/build/debug"), &self.path("target/build/debug"))?;
        let here = self.folder.path().display().to_string();
        move_paths(&self.path("target/build/debug/calls"), &workspace.display().to_string(), &here, |_| true)
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
        run(command.args(["--features", features]))?;
        self.take_build("target/debug")?;
        Ok(self)
    }

    /// Creates a new plugin as a developer does.
    ///
    /// # Panics
    /// If dev-env.sh refuses.
    pub fn new_plugin(&self, name: &str) {
        let output = Command::new("bash")
            .args(["dev-env.sh", "new", name])
            .current_dir(self.folder.path())
            .output()
            .expect("bash can be run");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Builds its development host, if sources of the host were edited before the start.
    ///
    /// # Errors
    /// If it does not build.
    pub fn build_host(&self) -> io::Result<()> {
        build_host(self.folder.path())
    }

    /// Builds the bot as `cargo build` does, without hot reload.
    ///
    /// # Errors
    /// If it does not build.
    pub fn build_ordinarily(&self) -> io::Result<()> {
        let mut command = cargo(self.folder.path());
        run(command.args(["build", "--quiet", "--bin", "hotcord"]).args(hmr::workspace::HOST_PACKAGES))
    }

    /// Returns its folder.
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the absolute path of a file in it.
    pub fn path(&self, inside: &str) -> PathBuf {
        self.folder.path().join(inside)
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

/// Copies the sources, without build output, history, or a developer's own settings.
fn copy_sources(from: &Path, to: &Path) -> io::Result<()> {
    // Nothing in a workspace is built from `fuzz`, which may have grown very large.
    let left_out: &[&str] = &["target", ".git", ".hotcord", ".env", "fuzz"];
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if left_out.iter().any(|left_out| name == *left_out) {
            continue;
        }
        let path = entry.path();
        if path.is_dir() {
            fs::create_dir_all(to.join(&name))?;
            copy_sources(&path, &to.join(&name))?;
            keep_time(&path, &to.join(&name))?;
        } else {
            copy(&path, &to.join(&name))?;
        }
    }
    Ok(())
}

/// Copies cargo's output. Files that cargo and rustc only replace as a whole are linked instead of copied.
pub(crate) fn mirror(from: &Path, to: &Path) -> io::Result<()> {
    mirror_files(from, to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        if path.is_dir() && name != "incremental" {
            mirror(&path, &to.join(&name))?;
            keep_time(&path, &to.join(&name))?;
        }
    }
    Ok(())
}

/// Copies only the files of a folder in that way, and leaves those that are up to date.
fn mirror_files(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let (path, beside) = (entry?.path(), to);
        let Some(to) = path.file_name().map(|name| beside.join(name)) else { continue };
        if path.is_dir() || is_other_program(&path) || is_same(&path, &to) {
            continue;
        }
        match fs::remove_file(&to) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        if !(is_replaced_whole(&path) && fs::hard_link(&path, &to).is_ok()) {
            copy(&path, &to)?;
        }
    }
    Ok(())
}

/// Returns whether cargo and rustc never modify a file in place: a library or a program, or a file of a dependency, which
/// is built once and for all.
///
/// A copy of everything else would be thousands of files, and ext4 creates files slowly after as many were deleted: it
/// searches for inodes that were not in use for some minutes.
fn is_replaced_whole(path: &Path) -> bool {
    let is_library = ["rlib", "rmeta", "so", "a", "dylib"]
        .iter()
        .any(|extension| path.extension() == Some(OsStr::new(extension)));
    let is_program = || {
        path.extension().is_none()
            && fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o100 != 0)
    };
    is_library || is_program() || is_of_dependency(path)
}

/// Returns whether cargo wrote a file for a package that is not of this workspace. Names of such files or of their
/// folders are the package's, a hyphen, and 16 hexadecimal digits.
fn is_of_dependency(path: &Path) -> bool {
    static OURS: LazyLock<BTreeSet<String>> = LazyLock::new(own_packages);
    let package = |name: &OsStr| {
        let name = name.to_str()?;
        let (package, hash) = name.split('.').next()?.rsplit_once('-')?;
        let is_hash = hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hash.then(|| package.trim_start_matches("lib").replace('_', "-"))
    };
    path.iter().find_map(package).is_some_and(|package| !OURS.contains(&package))
}

/// Returns the names of this workspace's packages and programs, as cargo names their files.
fn own_packages() -> BTreeSet<String> {
    let workspace = workspace();
    let crates = fs::read_dir(workspace.join("crates")).into_iter().flatten().flatten();
    let crates = crates.map(|entry| entry.file_name().display().to_string());
    let others = ["hotcord", "bot", "commands", "events"].map(str::to_owned);
    hmr::workspace::plugin_packages(&workspace).into_iter().chain(crates).chain(others).collect()
}

/// Returns whether a copy is up to date.
fn is_same(one: &Path, other: &Path) -> bool {
    let (Ok(one), Ok(other)) = (fs::metadata(one), fs::metadata(other)) else { return false };
    one.len() == other.len() && one.modified().ok() == other.modified().ok()
}

/// Replaces a folder's path in all files below another folder that are `wanted`.
pub(crate) fn move_paths(below: &Path, from: &str, to: &str, wanted: fn(&Path) -> bool) -> io::Result<()> {
    for entry in fs::read_dir(below)? {
        let path = entry?.path();
        if path.is_dir() {
            move_paths(&path, from, to, wanted)?;
        } else if wanted(&path) {
            let text = fs::read_to_string(&path)?;
            fs::write(&path, text.replace(from, to))?;
        }
    }
    Ok(())
}

/// Returns whether a file is a test or another program, which is large and not needed for building the bot.
fn is_other_program(path: &Path) -> bool {
    let is_among_parts = path.parent().and_then(Path::file_name) == Some(OsStr::new("deps"));
    let is_one_of_ours = path.file_name().is_some_and(|name| {
        let name = name.to_string_lossy();
        name.starts_with("hotcord-") || name.starts_with("sandbox-")
    });
    is_among_parts && path.extension().is_none() && !is_one_of_ours
}

/// Copies a file with its modification time, by which cargo determines what is up to date.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::copy(from, to)?;
    keep_time(from, to)
}

fn keep_time(from: &Path, to: &Path) -> io::Result<()> {
    // A folder cannot be opened for writing, and need not be to set its time.
    fs::File::open(to)?.set_modified(fs::metadata(from)?.modified()?)
}
