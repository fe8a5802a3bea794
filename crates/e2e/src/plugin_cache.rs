//! Plugins as built once by a host, so that a playground's host starts like a developer's second start.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::bot::command;
use crate::playground::Playground;
use crate::tree::Tree;

/// Built plugins, with the rustc calls that built them.
pub(crate) struct PluginCache {
    folder: PathBuf,
}

impl PluginCache {
    /// Returns the cache of the current build of a workspace. Creates it if necessary.
    ///
    /// # Errors
    /// If a file cannot be read or written, or the host does not start.
    pub(crate) fn of(workspace: &Path) -> io::Result<Self> {
        let parent = workspace.join("target/e2e");
        fs::create_dir_all(&parent)?;
        let lock = File::create(parent.join("cache.lock"))?;
        lock.lock()?;
        let folder = parent.join("cache");
        let stamp = stamp(workspace)?;
        if fs::read_to_string(folder.join("stamp")).ok().as_ref() != Some(&stamp) {
            make(&folder, &stamp)?;
        }
        Ok(Self { folder })
    }

    /// Adds the plugins to a tree that is a copy of the workspace.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub(crate) fn add_to(&self, tree: &mut Tree) -> io::Result<()> {
        let made_in = fs::read_to_string(self.folder.join("made-in"))?;
        tree.add_output(&self.folder.join("plugins"), Path::new("target/hmr/plugins"), &made_in)
    }
}

/// Describes the build of host and plugins: names, sizes and modification times.
fn stamp(workspace: &Path) -> io::Result<String> {
    let mut lines = Vec::new();
    for entry in fs::read_dir(workspace.join("target/hmr/debug"))? {
        let entry = entry?;
        let name = PathBuf::from(entry.file_name());
        let is_library = name.extension().is_some_and(|extension| extension == "rlib" || extension == "so");
        if is_library || name == Path::new("hotcord") {
            let metadata = entry.metadata()?;
            lines.push(format!("{} {} {:?}", name.display(), metadata.len(), metadata.modified()?));
        }
    }
    lines.sort();
    Ok(lines.join("\n"))
}

/// Lets a host build all plugins in a playground.
fn make(folder: &Path, stamp: &str) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => fs::create_dir_all(folder)?,
    }
    let playground = Playground::with_host()?;
    build_plugins(&playground)?;
    // What the host has made is copied: the playground's incremental state stays for the next one in its folder.
    let made_in = playground.path("").display().to_string();
    let made_in = made_in.trim_end_matches('/');
    let mut plugins = Tree::default();
    plugins.add_output(&playground.path("target/hmr/plugins"), Path::new("plugins"), made_in)?;
    plugins.keep_paths().add_to(folder)?;
    fs::write(folder.join("made-in"), made_in)?;
    fs::write(folder.join("stamp"), stamp)
}

/// Runs a host, on a local Discord of its own, until it is ready.
fn build_plugins(playground: &Playground) -> io::Result<()> {
    let mut child =
        command(playground, playground.path("target/hmr/debug/hotcord"), &[("ENABLE_HMR", "true")])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
    let said = until_ready(&mut child);
    // It may have exited by itself.
    let _ = kill_process(Pid::from_child(&child), Signal::TERM);
    child.wait()?;
    said
}

fn until_ready(child: &mut Child) -> io::Result<()> {
    let mut said = Vec::new();
    for line in child.stdout.take().into_iter().flat_map(|pipe| BufReader::new(pipe).lines()) {
        let line = line?;
        if line.contains(": ready") {
            return Ok(());
        }
        said.push(line);
    }
    Err(io::Error::other(format!(
        "the host that builds plugins for the tests did not start:\n{}",
        said.join("\n")
    )))
}
