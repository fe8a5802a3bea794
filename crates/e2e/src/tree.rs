//! A tree of files that a folder is to hold: copies of, and links to, files elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use crate::playground::workspace;

/// Folder of rustc's incremental state. It is valid only where it was made, so it is never copied, and stays where it is.
const INCREMENTAL: &str = "incremental";

/// Files and folders by their paths inside a folder.
#[derive(Default)]
pub(crate) struct Tree {
    folders: BTreeMap<PathBuf, PathBuf>,
    files: BTreeMap<PathBuf, Origin>,
}

/// Where the contents of a file come from.
enum Origin {
    /// The file is a copy, which may be modified in place.
    Copy(PathBuf),
    /// The file is a hard link, because it is only ever replaced as a whole.
    Link(PathBuf),
    /// The file is a copy in which one folder's path is replaced by that of the folder that gets it.
    Text { from: PathBuf, path: String },
}

impl Tree {
    /// Adds the sources of a workspace, without build output, history, or a developer's own settings.
    ///
    /// # Errors
    /// If a folder cannot be read.
    pub(crate) fn add_sources(&mut self, from: &Path, at: &Path) -> io::Result<()> {
        // Nothing in a workspace is built from `fuzz`, which may have grown very large, or by cargo from `node_modules`.
        let left_out: &[&str] = &["target", ".git", ".hotcord", ".env", "fuzz", "node_modules"];
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            let (path, name) = (entry.path(), entry.file_name());
            let at = at.join(&name);
            if left_out.iter().any(|left_out| name == *left_out) {
                continue;
            }
            if path.is_dir() {
                self.folders.insert(at.clone(), path.clone());
                self.add_sources(&path, &at)?;
            } else {
                self.files.insert(at, Origin::Copy(path));
            }
        }
        Ok(())
    }

    /// Adds cargo's and hmr's output in a folder, without incremental state. Files that contain paths in the folder
    /// `made_in` get them in the folder that gets the tree.
    ///
    /// # Errors
    /// If a folder cannot be read.
    pub(crate) fn add_output(&mut self, from: &Path, at: &Path, made_in: &str) -> io::Result<()> {
        self.add_files(from, at, made_in)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            let (path, name) = (entry.path(), entry.file_name());
            if name != INCREMENTAL && path.is_dir() {
                self.add_output(&path, &at.join(name), made_in)?;
            }
        }
        Ok(())
    }

    /// Adds only the files of such a folder, not those in its folders.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub(crate) fn add_files(&mut self, from: &Path, at: &Path, made_in: &str) -> io::Result<()> {
        self.folders.insert(at.to_path_buf(), from.to_path_buf());
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            let path = entry.path();
            if path.is_dir() || is_other_program(&path) {
                continue;
            }
            let origin = if names_folders(&path) {
                Origin::Text { from: path, path: made_in.to_owned() }
            } else if is_replaced_whole(&path) {
                Origin::Link(path)
            } else {
                Origin::Copy(path)
            };
            self.files.insert(at.join(entry.file_name()), origin);
        }
        Ok(())
    }

    /// Leaves paths in its files as they are.
    pub(crate) fn keep_paths(mut self) -> Self {
        for origin in self.files.values_mut() {
            if let Origin::Text { from, .. } = origin {
                *origin = Origin::Copy(std::mem::take(from));
            }
        }
        self
    }

    /// Writes the tree into a folder. Files that are up to date and files that are not in the tree stay as they are.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub(crate) fn add_to(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        for at in self.folders.keys() {
            fs::create_dir_all(folder.join(at))?;
        }
        let here = folder.display().to_string();
        for (at, origin) in &self.files {
            origin.put(&folder.join(at), &here)?;
        }
        // Innermost first. A folder's time is one by which cargo determines whether a build script has to run.
        for (at, from) in self.folders.iter().rev() {
            let to = folder.join(at);
            let (expected, found) = (fs::metadata(from)?, fs::metadata(&to)?);
            if expected.permissions().mode() != found.permissions().mode() {
                fs::set_permissions(&to, expected.permissions())?;
            }
            keep_time(&expected, &found, &to)?;
        }
        Ok(())
    }

    /// Makes a folder hold this tree and, besides it, only incremental state of rustc.
    ///
    /// # Errors
    /// If a file cannot be written or removed.
    pub(crate) fn restore(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        let parents = self.folders.keys().chain(self.files.keys()).flat_map(|at| at.ancestors().skip(1));
        let parents: BTreeSet<_> = parents.chain(self.folders.keys().map(PathBuf::as_path)).collect();
        self.remove_others(folder, Path::new(""), &parents)?;
        self.add_to(folder)
    }

    fn remove_others(&self, folder: &Path, at: &Path, parents: &BTreeSet<&Path>) -> io::Result<()> {
        for entry in fs::read_dir(folder.join(at))? {
            let entry = entry?;
            let (path, at, is_folder) =
                (entry.path(), at.join(entry.file_name()), entry.file_type()?.is_dir());
            if is_folder && parents.contains(at.as_path()) {
                // A test may have made it unreadable.
                let mut permissions = entry.metadata()?.permissions();
                if permissions.mode() & 0o700 != 0o700 {
                    permissions.set_mode(permissions.mode() | 0o700);
                    fs::set_permissions(&path, permissions)?;
                }
                self.remove_others(folder, &at, parents)?;
            } else if is_folder {
                if !remove_but_incremental(&path)? {
                    fs::remove_dir(&path)?;
                }
            } else if !self.files.contains_key(&at) || parents.contains(at.as_path()) {
                fs::remove_file(&path)?;
            }
        }
        Ok(())
    }
}

/// Removes everything below a folder except incremental state. Returns whether there is any.
fn remove_but_incremental(folder: &Path) -> io::Result<bool> {
    if folder.file_name() == Some(OsStr::new(INCREMENTAL)) {
        return Ok(true);
    }
    let mut is_left = false;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if !entry.file_type()?.is_dir() {
            fs::remove_file(entry.path())?;
        } else if remove_but_incremental(&entry.path())? {
            is_left = true;
        } else {
            fs::remove_dir(entry.path())?;
        }
    }
    Ok(is_left)
}

impl Origin {
    /// Makes a file have this origin, unless it is up to date. `here` is the folder that gets the tree.
    fn put(&self, to: &Path, here: &str) -> io::Result<()> {
        let (Self::Copy(from) | Self::Link(from) | Self::Text { from, .. }) = self;
        let expected = fs::metadata(from)?;
        let is_same = fs::symlink_metadata(to).is_ok_and(|found| {
            found.is_file()
                && found.modified().ok() == expected.modified().ok()
                && found.permissions().mode() == expected.permissions().mode()
                && (found.len() == expected.len() || matches!(self, Self::Text { .. }))
        });
        if is_same {
            return Ok(());
        }
        match fs::remove_file(to) {
            Err(error) if error.kind() == io::ErrorKind::IsADirectory => fs::remove_dir_all(to)?,
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        match self {
            Self::Link(from) if fs::hard_link(from, to).is_ok() => return Ok(()),
            Self::Text { from, path } => {
                fs::write(to, fs::read_to_string(from)?.replace(path, here))?;
                fs::set_permissions(to, expected.permissions())?;
            }
            Self::Copy(from) | Self::Link(from) => drop(fs::copy(from, to)?),
        }
        keep_time(&expected, &fs::metadata(to)?, to)
    }
}

/// Sets the modification time of a file or folder to another one's, by which cargo determines what is up to date.
fn keep_time(expected: &Metadata, found: &Metadata, to: &Path) -> io::Result<()> {
    let time = expected.modified()?;
    if found.modified()? == time {
        return Ok(());
    }
    // A folder cannot be opened for writing, and need not be to set its time.
    fs::File::open(to)?.set_modified(time)
}

/// Returns whether a file of build output contains paths of the workspace by which hmr or rustc find files.
fn names_folders(path: &Path) -> bool {
    let parent = |at: usize| path.ancestors().nth(at).and_then(Path::file_name).and_then(OsStr::to_str);
    let is_of_plugins = parent(1) == Some("plugins") || parent(2) == Some("plugins");
    let has_paths = path.extension().is_some_and(|extension| extension == "json" || extension == "d");
    parent(1) == Some("calls") || is_of_plugins && has_paths
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

/// Returns whether a file is a test or another program, which is large and not needed for building the bot.
fn is_other_program(path: &Path) -> bool {
    let is_among_parts = path.parent().and_then(Path::file_name) == Some(OsStr::new("deps"));
    let is_one_of_ours = path.file_name().is_some_and(|name| {
        let name = name.to_string_lossy();
        name.starts_with("hotcord-") || name.starts_with("sandbox-")
    });
    is_among_parts && path.extension().is_none() && !is_one_of_ours
}
