//! Linking a plugin without the libraries that the host has loaded.
//!
//! # Theory of operation
//!
//! Every host and every probe is linked with `libsdk_dylib.so` and the standard library, so both are in the process's
//! global scope, where the system's loader looks up a plugin's symbols first. A linker that is given the two reads all
//! of their symbols for nothing. `scripts/bin/hotcord-link` takes the place of the linker, drops them from the command
//! line, and runs the linker that rustc would have run. A symbol that is then missing is reported by the loader, in the
//! probe: a plugin is linked with `-z now`.

use std::path::{Path, PathBuf};

use super::rustc_call::RustcCall;

/// The program that takes the linker's place, in the workspace.
const PROGRAM: &str = "scripts/bin/hotcord-link";
/// Variable that names the linker to run.
const LINKER: &str = "HOTCORD_LINKER";

/// Has a replayed call link without the host's libraries, where this is possible in the workspace at `root`.
///
/// The call stays as it is on systems whose linker must know where each symbol comes from, in a workspace without the
/// script, and with a configured linker that is not a C compiler: rustc tells by the linker's name which options it
/// understands.
pub(super) fn shorten(call: &mut RustcCall, root: &Path) {
    let program = root.join(PROGRAM);
    if cfg!(target_os = "linux") && program.is_file() {
        replace(call, &program);
    }
}

fn replace(call: &mut RustcCall, program: &Path) {
    let (mut linker, mut has_flavor) = (None, false);
    for option in options(&call.words) {
        match option.split_once('=') {
            Some(("linker", name)) => linker = Some(name.to_owned()),
            Some(("linker-flavor", _)) => has_flavor = true,
            _ => {}
        }
    }
    if let Some(linker) = linker {
        if !has_flavor && !is_c_compiler(&linker) {
            return;
        }
        call.environment.insert(LINKER.to_owned(), linker);
    }
    // Of several linkers, rustc takes the last. It does not compile anything again for another one.
    call.words.push(format!("-Clinker={}", program.display()));
}

/// Returns the options that follow `-C` or `--codegen`, in any of rustc's spellings.
fn options(words: &[String]) -> impl Iterator<Item = &str> {
    words.iter().enumerate().filter_map(|(at, word)| match word.as_str() {
        "-C" | "--codegen" => words.get(at + 1).map(String::as_str),
        word => word.strip_prefix("-C").or_else(|| word.strip_prefix("--codegen=")),
    })
}

/// Returns whether rustc takes a linker of this name for a C compiler, as it does `cc`.
fn is_c_compiler(linker: &str) -> bool {
    let path = PathBuf::from(linker);
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    // A version, as in `clang-19`.
    let name = stem.rsplit_once('-').filter(|(_, version)| version.chars().all(|c| c.is_ascii_digit()));
    let name = name.map_or(stem, |(name, _)| name);
    ["cc", "gcc", "g++", "clang", "clang++"].iter().any(|known| {
        name.strip_suffix(known).is_some_and(|before| before.is_empty() || before.ends_with('-'))
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::process::{Command, Output};

    use super::*;

    fn script() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(PROGRAM)
    }

    /// Runs the script with a linker that prints its arguments, one a line.
    fn link(words: &[&str]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let linker = folder.path().join("a linker");
        std::fs::write(&linker, "#!/bin/sh\nprintf '%s\\n' \"$@\"\n").unwrap();
        std::fs::set_permissions(&linker, std::fs::Permissions::from_mode(0o755)).unwrap();
        let output = run(linker.to_str().unwrap(), words);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
    }

    fn run(linker: &str, words: &[&str]) -> Output {
        Command::new(script()).args(words).env(LINKER, linker).output().unwrap()
    }

    const SDK: &str = "/w/target/build/debug/deps/libsdk_dylib.so";
    const STD: &str = "/r/lib/rustlib/x86_64-unknown-linux-gnu/lib/libstd-d1237ef7159db0a2.so";

    #[test]
    fn the_linker_is_given_all_but_the_hosts_libraries() {
        let words = [
            "-Wl,--no-undefined-version",
            "/w/it's \"one\" $HOME `id`.o",
            "",
            "*",
            SDK,
            STD,
            "/n/libstd-fast.so",
            "/n/libsdk_dylib.so.1",
            "-lgcc_s",
            "-z",
            "now",
        ];
        let expected: Vec<_> = words.into_iter().filter(|word| ![SDK, STD].contains(word)).collect();
        assert_eq!(link(&words), expected);
        let many: Vec<_> = (0..3000).map(|number| format!("{number}.o")).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        assert_eq!(link(&[&many[..], &[SDK]].concat()), many);
    }

    #[test]
    fn whoever_asks_for_undefined_symbols_as_errors_links_with_everything() {
        for option in [
            "-Wl,-z,defs",
            "defs",
            "-Wl,--no-undefined",
            "-Wl,-O1,--no-undefined,-s",
            "--unresolved-symbols=report-all",
        ] {
            assert_eq!(link(&["a.o", SDK, STD, option]), ["a.o", SDK, STD, option]);
        }
    }

    #[test]
    fn a_linker_that_is_missing_is_named_and_its_exit_code_is_kept() {
        let output = run("nosuch-cc", &["a.o"]);
        assert_eq!(output.status.code(), Some(127));
        assert_eq!(String::from_utf8_lossy(&output.stderr), "error: linker \"nosuch-cc\" not found\n");
        assert_eq!(run("false", &[SDK]).status.code(), Some(1));
    }

    fn replaced(words: &str) -> (String, Option<String>) {
        let words = words.split(' ').map(str::to_owned).collect();
        let mut call = RustcCall { words, ..RustcCall::default() };
        replace(&mut call, Path::new("/w/link"));
        (call.words.join(" "), call.environment.remove(LINKER))
    }

    #[test]
    fn a_configured_linker_is_still_the_one_that_runs() {
        assert_eq!(replaced("rustc a.rs"), ("rustc a.rs -Clinker=/w/link".to_owned(), None));
        for (linker, words) in [
            ("clang", "rustc -C linker=clang a.rs"),
            ("/usr/bin/clang-19", "rustc -Clinker=/usr/bin/clang-19 a.rs"),
            ("aarch64-linux-gnu-gcc", "rustc --codegen linker=aarch64-linux-gnu-gcc a.rs"),
            ("g++-12", "rustc --codegen=linker=g++-12 a.rs"),
            ("/opt/wild", "rustc -Clinker=/opt/wild -C linker-flavor=ld a.rs"),
            ("cc", "rustc -Clinker=gcc -Clinker=cc a.rs"),
        ] {
            assert_eq!(replaced(words), (format!("{words} -Clinker=/w/link"), Some(linker.to_owned())));
        }
        for words in
            ["rustc -C linker=ld.lld a.rs", "rustc -Clinker=/opt/wild a.rs", "rustc -Clinker=mold-12 a.rs"]
        {
            assert_eq!(replaced(words), (words.to_owned(), None));
        }
    }

    #[test]
    fn without_the_script_a_call_stays_as_it_is() {
        let before = RustcCall { words: vec!["rustc".to_owned()], ..RustcCall::default() };
        let mut call = before.clone();
        let folder = tempfile::tempdir().unwrap();
        shorten(&mut call, folder.path());
        assert_eq!(call, before);
    }
}
