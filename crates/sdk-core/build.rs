//! Hashes what must be equal on both sides of a loaded library: compiler, profile, features and these sources.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::process::Command;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    // DefaultHasher::new() has fixed keys; the value only has to be equal within one compiler.
    let mut hasher = DefaultHasher::new();
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    Command::new(rustc).arg("-vV").output()?.stdout.hash(&mut hasher);
    for name in ["TARGET", "OPT_LEVEL", "DEBUG", "PROFILE", "CARGO_CFG_DEBUG_ASSERTIONS", "CARGO_CFG_PANIC"] {
        env::var_os(name).hash(&mut hasher);
    }
    env::vars_os()
        .filter(|(name, _)| name.to_string_lossy().starts_with("CARGO_FEATURE_"))
        .collect::<BTreeMap<_, _>>()
        .hash(&mut hasher);
    hash_folder(Path::new("src"), &mut hasher)?;
    println!("cargo::rerun-if-changed=src");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-env=SDK_FINGERPRINT={:016x}", hasher.finish());
    Ok(())
}

fn hash_folder(folder: &Path, hasher: &mut DefaultHasher) -> io::Result<()> {
    let mut paths =
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    for path in paths {
        if path.is_dir() {
            hash_folder(&path, hasher)?;
        } else {
            path.hash(hasher);
            fs::read(&path)?.hash(hasher);
        }
    }
    Ok(())
}
