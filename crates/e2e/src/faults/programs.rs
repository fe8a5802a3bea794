//! The programs that a host finds: those of this machine, each of which can be hidden, and a linker whose output can be
//! corrupted.

use std::ffi::OsStr;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// A folder that is a host's whole `PATH`.
pub struct Programs {
    folder: PathBuf,
}

/// Runs the real linker, then the script in the file `after` beside it, with the output's name in `$library`.
const LINKER: &str = r#"#!/bin/sh
here=$(dirname "$0")
"$here/cc.real" "$@" || exit $?
[ -f "$here/after" ] || exit 0
library=
for word in "$@"; do
    [ "$library" != next ] || library=$word
    [ "$word" != -o ] || library=next
done
case $library in
*/plugins/*commands_faulty*) . "$here/after" ;;
esac
"#;

impl Programs {
    /// Links all programs on this process's `PATH` into `folder`.
    ///
    /// # Errors
    /// If the folder cannot be filled, or there is no C compiler.
    pub fn collect(folder: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        for directory in env::split_paths(&env::var_os("PATH").unwrap_or_default()) {
            for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
                // Of two programs with the same name, the first one is used.
                let _ = symlink(entry.path(), folder.join(entry.file_name()));
            }
        }
        fs::rename(folder.join("cc"), folder.join("cc.real"))?;
        fs::write(folder.join("cc"), LINKER)?;
        fs::set_permissions(folder.join("cc"), fs::Permissions::from_mode(0o755))?;
        Ok(Self { folder })
    }

    /// Returns the folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the real file of a program.
    ///
    /// # Errors
    /// If there is none of that name.
    pub fn real(&self, name: &str) -> io::Result<PathBuf> {
        self.folder.join(name).canonicalize()
    }

    /// Hides a program.
    ///
    /// # Errors
    /// If there is none of that name.
    pub fn hide(&self, name: &str) -> io::Result<()> {
        fs::rename(self.folder.join(name), self.hidden(name))
    }

    /// Sets the shell script that runs on each library of the failing plugin once it is linked.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn after_linking(&self, words: &str) -> io::Result<()> {
        // Written atomically: the linker may be about to read it.
        fs::write(self.folder.join("after.new"), words)?;
        fs::rename(self.folder.join("after.new"), self.folder.join("after"))
    }

    /// Makes each link of the failing plugin's library wait at its end until [`let_link`](Self::let_link).
    ///
    /// # Errors
    /// If the script cannot be written.
    pub fn hold_linking(&self) -> io::Result<()> {
        self.after_linking("touch \"$here/linking\"; while [ ! -e \"$here/go\" ]; do sleep 0.02; done")
    }

    /// Returns whether a link waits.
    pub fn is_linking(&self) -> bool {
        self.folder.join("linking").exists()
    }

    /// Lets the waiting link continue.
    ///
    /// # Errors
    /// If the file for it cannot be written.
    pub fn let_link(&self) -> io::Result<()> {
        fs::write(self.folder.join("go"), "")
    }

    /// Restores hidden programs and removes the script after linking.
    ///
    /// # Errors
    /// If a program cannot be restored.
    pub fn mend(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            if path.extension() == Some(OsStr::new("hidden")) {
                fs::rename(&path, path.with_extension(""))?;
            }
        }
        for arranged in ["after", "linking", "go"] {
            match fs::remove_file(self.folder.join(arranged)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    fn hidden(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.hidden"))
    }
}
