//! Libraries that look like the failing plugin's but come from elsewhere.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a foreign library claims to be built with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// This compiler, and an sdk with other sources.
    OtherSdk,
    /// This compiler, and this sdk with other features.
    OtherFeatures,
    /// Another compiler.
    OtherCompiler,
}

/// Layout of `sdk_core::PluginEntry`. A host first checks the magic and the fingerprint.
const ENTRY: &str = r#"
#[repr(C)]
pub struct Entry {
    magic: [u8; 16],
    fingerprint: &'static str,
    package: &'static str,
    version: &'static str,
    description: &'static str,
    make: fn() -> usize,
}

UNDEFINED_HERE

#[unsafe(no_mangle)]
pub static hotcord_plugin_commands_faulty: Entry = Entry {
    magic: *b"hotcord plugin 1",
    fingerprint: "0123456789abcdef",
    package: "commands-faulty",
    version: "0.1.0",
    description: "",
    make: || MAKE_HERE,
};
"#;

/// Builds such a library into `folder`. Returns its path. An error of kind `Unsupported` names what this machine lacks
/// for it.
///
/// # Errors
/// If there is no other compiler, or the library does not build.
pub fn build(origin: Origin, folder: &Path) -> io::Result<PathBuf> {
    let mut rustc = Command::new("rustc");
    if origin == Origin::OtherCompiler {
        rustc.arg(format!("+{}", other_toolchain()?));
    }
    // Rust's symbol names depend on the features too, so those of another set are undefined here.
    let (undefined, make) = match origin {
        Origin::OtherFeatures => (
            "unsafe extern \"C\" {\n    #[link_name = \"_RNvC8sdk_core19with_other_features\"]\n    fn sdk_core_with_other_features() -> usize;\n}",
            "unsafe { sdk_core_with_other_features() }",
        ),
        Origin::OtherSdk | Origin::OtherCompiler => ("", "std::env::args().count()"),
    };
    let source = folder.join(format!("{origin:?}.rs"));
    let library = folder.join(format!("{origin:?}.so"));
    std::fs::write(&source, ENTRY.replace("UNDEFINED_HERE", undefined).replace("MAKE_HERE", make))?;
    let output = rustc
        .args([
            "--edition=2024",
            "--crate-type=cdylib",
            "-Cprefer-dynamic",
            "--crate-name=commands_faulty",
            "-o",
        ])
        .args([&library, &source])
        .current_dir(folder)
        .output()?;
    if output.status.success() {
        Ok(library)
    } else {
        Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()))
    }
}

/// Finds an installed toolchain with another compiler than this one.
fn other_toolchain() -> io::Result<String> {
    let lacking = || io::Error::new(io::ErrorKind::Unsupported, "rustup has no second compiler installed");
    let version = |toolchain: &[&str]| {
        let output = Command::new("rustc").args(toolchain).arg("-vV").output().ok()?;
        output.status.success().then_some(output.stdout)
    };
    let here = version(&[]);
    let list = Command::new("rustup").args(["toolchain", "list"]).output().map_err(|_| lacking())?;
    String::from_utf8_lossy(&list.stdout)
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .find(|name| {
            let other = version(&[&format!("+{name}")]);
            other.is_some() && other != here
        })
        .map(str::to_owned)
        .ok_or_else(lacking)
}
