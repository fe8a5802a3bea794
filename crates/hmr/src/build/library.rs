//! Loading a built plugin into this process: the only place where foreign code enters it.

use std::fs;
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};

use libloading::Library;
use sdk_core::{FINGERPRINT, PluginEntry};

use crate::error::SaveError;
use crate::link;

/// Loads the library at `path` for good and returns the plugin it exports.
///
/// A library is never unloaded: tracing keeps pointers to its callsites, tasks and errors carry its vtables, and
/// thread-local destructors pin it anyway.
///
/// # Errors
/// When it is not a library, uses symbols that this host does not have, holds no plugin, or was built with another
/// compiler, sdk or feature set. The error is one sentence that also says what to do.
pub fn load(path: &Path, krate: &str) -> Result<&'static PluginEntry, SaveError> {
    // SAFETY: loading runs the library's initialisers. The file is one that our own call of rustc has just written, and
    // a child process has loaded the same file before (see `probe`). A Rust library has no initialisers besides those
    // of crates it links, all of which this process has already run.
    #[allow(unsafe_code)]
    let library = unsafe { Library::new(path) }.map_err(|error| refused(path, &error))?;
    // The code stays mapped for the life of the process, so references into it are 'static.
    let library = ManuallyDrop::new(library);
    let symbol = format!("{}{krate}", PluginEntry::SYMBOL_PREFIX);
    // SAFETY: `export!` defines this symbol as a `PluginEntry`, and nothing else defines symbols of that name. The
    // magic, first in its fixed layout, is checked before any other field is read.
    #[allow(unsafe_code)]
    let entry = unsafe { library.get::<*const PluginEntry>(symbol.as_bytes()) }.map_err(|_| {
        SaveError::Library(format!(
            "the library of {krate} exports no plugin; its lib.rs needs the line `sdk::export!(YourPlugin);`"
        ))
    })?;
    // SAFETY: as above. The library is never unloaded, so the entry lives as long as the process.
    #[allow(unsafe_code)]
    let entry: &'static PluginEntry = unsafe { &**entry };
    if !entry.has_magic() {
        return Err(SaveError::Library(format!(
            "the library of {krate} exports something else under the name {symbol}; only `sdk::export!` may define it"
        )));
    }
    if entry.fingerprint() != FINGERPRINT {
        return Err(SaveError::Library(format!(
            "the library of {krate} was built with another compiler, sdk or feature set ({}, this host has \
             {FINGERPRINT}); restart the host",
            entry.fingerprint()
        )));
    }
    Ok(entry)
}

fn refused(path: &Path, error: &libloading::Error) -> SaveError {
    let reason = std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
    refused_for(path, &reason)
}

/// Returns the error for a message of the system's loader, with what to do.
fn refused_for(path: &Path, reason: &str) -> SaveError {
    let words = format!("{} could not be loaded ({reason})", path.display());
    // The forms of glibc and musl.
    let symbol = reason
        .split_once("undefined symbol: ")
        .or_else(|| reason.split_once("symbol not found: "))
        .map(|(_, symbol)| symbol.split([' ', ',', '(']).next().unwrap_or_default().to_owned());
    let needed = reason
        .split_once(": cannot open shared object file")
        .map(|(name, _)| name)
        .filter(|name| Path::new(name) != path);
    SaveError::Library(match (symbol, needed) {
        (Some(symbol), _) if link::is_of_rust(&symbol) => {
            format!("{words}; it was built against another sdk than this host runs, restart the host")
        }
        (Some(symbol), _) => format!("it cannot be loaded: {}", link::undefined_words(&[symbol])),
        (None, Some(name)) if name.contains("libstd-") => {
            format!("{words}; it was built by another compiler than this host, restart the host")
        }
        (None, Some(name)) => format!(
            "it cannot be loaded: it needs the shared library {name}, which the system does not find; install it, or \
             name its folder in LD_LIBRARY_PATH where the bot is started"
        ),
        (None, None) => return SaveError::Unreadable(words),
    })
}

/// The shared sdk library as this process has it mapped.
#[derive(Clone, Debug)]
pub struct MappedSdk {
    path: PathBuf,
    inode: u64,
}

impl MappedSdk {
    /// Finds the library among this process's mappings. Returns `None` if the system does not show them, or if the sdk
    /// is linked statically.
    pub fn find() -> Option<Self> {
        let maps = fs::read_to_string("/proc/self/maps").ok()?;
        let line = maps.lines().find(|line| line.contains("libsdk_dylib"))?;
        let path = line.get(line.find('/')?..)?.trim_end_matches(" (deleted)");
        let inode = line.split_whitespace().nth(4)?.parse().ok()?;
        Some(Self { path: path.into(), inode })
    }

    /// Returns the library's file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns whether the library that plugins are linked with, in the build folder beside `target`, is the mapped
    /// one.
    pub fn is_current(&self, target: &Path) -> bool {
        use std::os::unix::fs::MetadataExt as _;
        let built = target.with_file_name("build").join("debug/deps/libsdk_dylib.so");
        // The host runs from a link to that file, or from a copy of it where the file system cannot link.
        fs::metadata(&built).is_ok_and(|metadata| metadata.ino() == self.inode)
            || crate::hosts::same_file(&built, &self.path).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_systems_loader_misses_is_named_with_the_way_out() {
        let of = |reason: &str| refused_for(Path::new("/t/libone.so"), reason).to_string();
        for reason in [
            "/t/libone.so: undefined symbol: nosuch",
            "/t/libone.so: undefined symbol: nosuch, version X_1",
            "Error relocating /t/libone.so: nosuch: symbol not found: nosuch",
        ] {
            assert!(
                of(reason).starts_with("it cannot be loaded: symbol nosuch is defined nowhere"),
                "{reason}"
            );
        }
        for symbol in ["_ZN8sdk_core4host3new17h0123456789abcdefE", "_RNvC8sdk_core3new"] {
            let told = of(&format!("/t/libone.so: undefined symbol: {symbol}"));
            assert!(
                told.ends_with("built against another sdk than this host runs, restart the host"),
                "{told}"
            );
        }
        let missing = "cannot open shared object file: No such file or directory";
        assert!(
            of(&format!("libnosuch.so.1: {missing}"))
                .contains("it needs the shared library libnosuch.so.1, which")
        );
        assert!(of(&format!("libstd-0123.so: {missing}")).contains("another compiler than this host"));
        let own = refused_for(Path::new("/t/libone.so"), &format!("/t/libone.so: {missing}"));
        assert!(matches!(own, SaveError::Unreadable(_)), "{own}");
    }

    #[test]
    fn what_is_no_library_is_told_by_name() {
        let folder = tempfile::tempdir().unwrap();
        for (name, contents) in
            [("empty.so", &b""[..]), ("text.so", b"not a library"), ("cut.so", b"\x7fELF\x02\x01")]
        {
            let path = folder.path().join(name);
            fs::write(&path, contents).unwrap();
            let error = load(&path, "one").unwrap_err().to_string();
            assert!(error.contains(name) && error.contains("could not be loaded"), "{error}");
        }
        let error = load(&folder.path().join("missing.so"), "one").unwrap_err().to_string();
        assert!(error.contains("missing.so"), "{error}");
    }
}
