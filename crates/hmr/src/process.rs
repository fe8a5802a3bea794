//! How cargo, rustc and other build programs are called.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::Stdio;

use sdk_core::roots;
use tokio::process::Command;

use crate::error::SaveError;

/// Variables that no compiler, build script or macro needs.
const SECRETS: [&str; 2] = ["DISCORD_TOKEN", "DATABASE_URL"];

/// Program in `scripts/bin` through which cargo calls rustc for the crates of the workspace. It keeps the calls; see
/// [`RustcCall`](crate::build::rustc_call::RustcCall).
///
/// cargo includes the name in its fingerprints, so it is one that is looked up in `PATH`: a copy of the workspace in
/// another folder finds everything built.
const WRAPPER: &str = "hotcord-rustc";

/// Returns the cargo to call: the one that runs this process, or the first in `PATH`.
pub(crate) fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Returns the variables that must be the same in every call of cargo in a development workspace, including those of
/// `dev-env.sh`.
///
/// They name one folder for cargo's intermediate files, so that the host, the sandbox, the tests and the plain mode
/// build each dependency once.
pub fn build_environment(root: &Path) -> [(&'static str, OsString); 3] {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(root.join("scripts/bin"));
    let folders = folders.chain(std::env::split_paths(&path).filter(|folder| !folder.as_os_str().is_empty()));
    // Only a folder with a colon in its name cannot be listed, and cargo builds nothing in such a folder.
    let path = std::env::join_paths(folders).unwrap_or(path);
    [
        ("CARGO_BUILD_BUILD_DIR", root.join("target/build").into()),
        ("RUSTC_WORKSPACE_WRAPPER", WRAPPER.into()),
        ("PATH", path),
    ]
}

/// Returns a command for a build program: without the token, and with the root certificates that the machine trusts,
/// not the sandbox's.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    with_environment(program, |name| std::env::var_os(name))
}

/// Returns a call of cargo in the workspace at `root`.
pub(crate) fn cargo_in(root: &Path) -> Command {
    in_workspace(command(cargo()), root)
}

/// Runs a call of cargo that builds nothing, and returns its output.
///
/// # Errors
/// If cargo cannot be run, or fails. The error contains cargo's message.
pub(crate) async fn output_of_cargo(mut cargo: Command) -> Result<Vec<u8>, SaveError> {
    let output = cargo.stdin(Stdio::null()).kill_on_drop(true).output().await;
    let output = output.map_err(|source| SaveError::Spawn { program: "cargo".to_owned(), source })?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(SaveError::Cargo(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
    }
}

/// Makes a call of cargo agree with all others in the workspace at `root`.
pub(crate) fn in_workspace(mut command: Command, root: &Path) -> Command {
    command.envs(build_environment(root)).current_dir(root);
    command
}

fn with_environment(program: impl AsRef<OsStr>, variable: impl Fn(&str) -> Option<OsString>) -> Command {
    let mut command = Command::new(program);
    for secret in SECRETS {
        command.env_remove(secret);
    }
    match roots::for_programs(variable) {
        Some(file) => command.env(roots::NAMED, file),
        None => command.env_remove(roots::NAMED),
    };
    command
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn what_builds_knows_no_token_and_trusts_no_local_discord() {
        for (before, expected) in [(Some("machine.pem"), Some("machine.pem")), (Some(""), None)] {
            let command = with_environment("cargo", |name| match name {
                roots::NAMED => Some("with-sandbox.pem".into()),
                roots::BEFORE => before.map(OsString::from),
                _ => None,
            });
            let set: BTreeMap<_, _> = command.as_std().get_envs().collect();
            assert!(SECRETS.iter().all(|secret| set[OsStr::new(secret)].is_none()));
            assert_eq!(set[OsStr::new("SSL_CERT_FILE")], expected.map(OsStr::new));
        }
    }
}
