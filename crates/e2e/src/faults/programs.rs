//! The programs that a host finds: those of this machine, each of which can be taken away, and a linker whose work
//! can be spoiled.

use std::ffi::OsStr;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// A folder to be a host's whole `PATH`.
pub struct Programs {
    folder: PathBuf,
}

/// Runs the real linker, then whatever the file `after` beside it says, with the output's name in `$library`.
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
    /// Collects every program on this process's `PATH` in `folder`.
    ///
    /// # Errors
    /// When the folder cannot be filled, or there is no C compiler.
    pub fn collect(folder: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        for directory in env::split_paths(&env::var_os("PATH").unwrap_or_default()) {
            for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
                // Of two programs of one name the first is found.
                let _ = symlink(entry.path(), folder.join(entry.file_name()));
            }
        }
        fs::rename(folder.join("cc"), folder.join("cc.real"))?;
        fs::write(folder.join("cc"), LINKER)?;
        fs::set_permissions(folder.join("cc"), fs::Permissions::from_mode(0o755))?;
        Ok(Self { folder })
    }

    /// Gives the folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Gives the real file of a program.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn real(&self, name: &str) -> io::Result<PathBuf> {
        self.folder.join(name).canonicalize()
    }

    /// Takes a program away.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn hide(&self, name: &str) -> io::Result<()> {
        fs::rename(self.folder.join(name), self.hidden(name))
    }

    /// Says what is done to each library of the failing plugin once it is linked, in shell's words.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn after_linking(&self, words: &str) -> io::Result<()> {
        // Whole or not at all: the linker may be about to read it.
        fs::write(self.folder.join("after.new"), words)?;
        fs::rename(self.folder.join("after.new"), self.folder.join("after"))
    }

    /// Makes each link of the failing plugin's library wait at its end until [`let_link`](Self::let_link).
    ///
    /// # Errors
    /// When it cannot be arranged.
    pub fn hold_linking(&self) -> io::Result<()> {
        self.after_linking("touch \"$here/linking\"; while [ ! -e \"$here/go\" ]; do sleep 0.02; done")
    }

    /// Says whether a link waits.
    pub fn is_linking(&self) -> bool {
        self.folder.join("linking").exists()
    }

    /// Lets the link that waits go on.
    ///
    /// # Errors
    /// When it cannot be told.
    pub fn let_link(&self) -> io::Result<()> {
        fs::write(self.folder.join("go"), "")
    }

    /// Brings back what was hidden and lets the linker's work alone.
    ///
    /// # Errors
    /// When a program cannot be brought back.
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
