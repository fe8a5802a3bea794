//! Lets a development build find the shared libraries it is linked to, without any environment variable.

use std::env;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var_os("CARGO_FEATURE_HMR").is_none() {
        return;
    }
    // sdk-dylib lies beside the binary, in deps/ when a test is the binary.
    println!("cargo::rustc-link-arg=-Wl,-rpath,$ORIGIN:$ORIGIN/deps");
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let libraries = Command::new(rustc).args(["--print", "target-libdir"]).output();
    if let Ok(Ok(libraries)) = libraries.map(|output| String::from_utf8(output.stdout)) {
        println!("cargo::rustc-link-arg=-Wl,-rpath,{}", libraries.trim());
    }
}
