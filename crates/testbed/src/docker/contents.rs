//! What may not be in what is shipped.

/// Words of code that only development has: of hot reload, of its dependencies, and of the way to a compiler.
const FORBIDDEN: &[&str] = &[
    // Names of sections end in zeros; the standard library, which reads others' sections, has these names too.
    "\0.debug_info\0",
    "\0.symtab\0",
    "/.cargo/",
    "/cargo/registry",
    "HOTCORD_PROBE",
    "crates/hmr/",
    "crates/sandbox/",
    "inotify_add_watch",
    "libloading",
    "prefer-dynamic",
    "rustc_private",
];

/// Gives what a binary holds and should not.
pub(super) fn leftovers(binary: &[u8]) -> Vec<&'static str> {
    let holds = |word: &&&str| binary.windows(word.len()).any(|window| window == word.as_bytes());
    FORBIDDEN.iter().filter(holds).copied().collect()
}

/// Gives the files of an image that should not be there: tools that build, sources, and what compilers leave.
pub(super) fn strangers(files: &str) -> Vec<&str> {
    let is_stranger = |path: &&str| {
        let name = path.rsplit('/').next().unwrap_or(path);
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        matches!(
            name,
            "cargo"
                | "rustc"
                | "rustup"
                | "cc"
                | "gcc"
                | "ld"
                | "Cargo.toml"
                | "Cargo.lock"
                | ".env"
                | ".git"
        ) || matches!(extension, "rs" | "rlib" | "rmeta" | "dwp" | "dwo" | "o" | "a")
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
        assert_eq!(leftovers(b"\x7fELF plain .debug_info"), [""; 0]);
    }

    #[test]
    fn strangers_are_told_from_a_plain_debian() {
        let files = "usr/bin/env\nusr/src/\nusr/local/bin/hotcord\nusr/lib/x86_64-linux-gnu/libc.so.6\nusr/local/cargo/bin/cargo\n\
                     src/bot/src/main.rs\nvar/lib/hotcord/\n";
        assert_eq!(strangers(files), ["usr/local/cargo/bin/cargo", "src/bot/src/main.rs"]);
    }
}
