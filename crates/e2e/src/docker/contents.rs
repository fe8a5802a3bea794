//! `e2e contents`: checks that a binary contains nothing that must not be shipped. The image is checked too.

use std::io;
use std::path::PathBuf;

use clap::Args;

/// Words of the command line.
#[derive(Args, Debug)]
pub struct Options {
    /// The binary, of profile `production`
    file: PathBuf,
}

/// Checks a binary and prints its size.
///
/// # Errors
/// If it cannot be read, or contains what it should not.
pub fn run(options: &Options) -> io::Result<bool> {
    let name = options.file.display();
    let binary =
        std::fs::read(&options.file).map_err(|error| io::Error::other(format!("{name}: {error}")))?;
    clean(&binary, &name.to_string())?;
    Ok(true)
}

/// Checks that a binary contains nothing of development, and prints its size.
///
/// # Errors
/// With the forbidden content.
pub(super) fn clean(binary: &[u8], name: &str) -> io::Result<()> {
    let leftovers = leftovers(binary);
    super::insist(leftovers.is_empty(), || format!("{name} holds {leftovers:?}"))?;
    #[allow(clippy::cast_precision_loss)] // Printed to a tenth of a megabyte.
    let megabytes = binary.len() as f64 / 1e6;
    println!("  {megabytes:>8.1} MB  {name}: no hot reload, no compiler, no sources, no debug sections");
    Ok(())
}

/// Crates that are for development only, a name on each line.
const DEVELOPMENT: &str = include_str!("../../../../scripts/development-crates.txt");

/// Texts in code that only development has: hot reload, its dependencies, and access to a compiler.
const FORBIDDEN: &[&str] = &[
    // Names of sections end in zeros; the standard library, which reads other programs' sections, contains these names
    // too.
    "\0.debug_info\0",
    "\0.symtab\0",
    "/.cargo/",
    "/cargo/registry",
    "/notify-",
    "HMR_DEBOUNCE_MS=",
    "HOTCORD_PROBE",
    "inotify_add_watch",
    "libloading",
    "prefer-dynamic",
    "rustc_private",
];

/// Returns the forbidden texts in a binary.
fn leftovers(binary: &[u8]) -> Vec<String> {
    let holds = |word: &String| binary.windows(word.len()).any(|window| window == word.as_bytes());
    // Panics name the sources of their crates.
    let sources = DEVELOPMENT.lines().map(|name| format!("crates/{name}/"));
    FORBIDDEN.iter().map(|&word| word.to_owned()).chain(sources).filter(holds).collect()
}

/// Returns the files of an image that should not be there: build tools, sources, and output of compilers.
pub(super) fn strangers(files: &str) -> Vec<&str> {
    let is_stranger = |path: &&str| {
        let name = path.rsplit('/').next().unwrap_or(path);
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        matches!(
            name,
            "cargo" | "rustc" | "rustup" | "cc" | "gcc" | "ld" | "Cargo.toml" | "Cargo.lock" | ".git"
        ) || name.starts_with(".env")
            || matches!(extension, "rs" | "rlib" | "rmeta" | "dwp" | "dwo" | "o" | "a")
            || path.contains("/src/")
            || name.contains("libloading")
            || name.contains("sdk_dylib")
    };
    files.lines().filter(|path| !path.ends_with('/')).filter(is_stranger).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leftovers_are_found_wherever_they_are() {
        assert_eq!(leftovers(b"\x7fELF..libloading-0.9..\0.symtab\0"), ["\0.symtab\0", "libloading"]);
        assert_eq!(leftovers(b"..crates/sandbox/src/lib.rs..crates/sandboxes/src"), ["crates/sandbox/"]);
        assert_eq!(leftovers(b"\x7fELF plain .debug_info crates/sdk-core/src"), [""; 0]);
    }

    #[test]
    fn strangers_are_told_from_a_plain_debian() {
        let files = "usr/bin/env\nusr/src/\nusr/local/bin/hotcord\nusr/lib/x86_64-linux-gnu/libc.so.6\nusr/local/cargo/bin/cargo\n\
                     src/bot/src/main.rs\nvar/lib/hotcord/\n";
        assert_eq!(strangers(files), ["usr/local/cargo/bin/cargo", "src/bot/src/main.rs"]);
    }
}
