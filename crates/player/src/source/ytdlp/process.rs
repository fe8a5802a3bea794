//! Running a program for its output: bounded in time and size, and killed with all processes that it started.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use sdk_core::roots;
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::source::SourceError;

/// Variables of the bot's environment that a program gets. None contains a token.
const PASSED: [&str; 6] = ["PATH", "HOME", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "LANG"];
/// Most bytes of its standard error that are kept for the log.
const COMPLAINT: u64 = 2 << 10;

/// Returns the first program of a name in the folders of a `PATH`.
pub(super) fn on_path(path: &OsStr, name: &str) -> Option<PathBuf> {
    std::env::split_paths(path).map(|folder| folder.join(name)).find(|file| is_program(file))
}

/// Returns the value of a variable for a program. It trusts the root certificates that the bot trusted before a local
/// Discord was added.
fn passed(name: &str, variable: impl Fn(&str) -> Option<OsString>) -> Option<OsString> {
    if name == roots::NAMED { roots::for_programs(variable) } else { variable(name) }
}

fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    file.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

/// Runs a program and returns its output.
pub(super) async fn run(
    program: &Path,
    arguments: &[&str],
    within: Duration,
    most: usize,
) -> Result<Vec<u8>, SourceError> {
    let mut group = Group::start(program, arguments)?;
    timeout(within, group.output(most)).await.map_err(|_| SourceError::TimedOut)?
}

/// Runs a program and returns the beginning of its output, whether it succeeds or not.
pub(super) async fn output_of(program: &Path, arguments: &[&str], within: Duration) -> Option<String> {
    let mut group = Group::start(program, arguments).ok()?;
    let mut output = group.0.stdout.take()?.take(COMPLAINT);
    let mut told = Vec::new();
    timeout(within, output.read_to_end(&mut told)).await.ok()?.ok()?;
    Some(String::from_utf8_lossy(&told).into_owned())
}

/// A program and all processes that it starts. Dropping it kills them.
pub(super) struct Group(Child);

impl Group {
    /// Starts a program.
    pub(super) fn start(program: &Path, arguments: &[&str]) -> Result<Self, SourceError> {
        let mut command = Command::new(program);
        command.args(arguments).env_clear();
        command.envs(
            PASSED.into_iter().filter_map(|name| Some((name, passed(name, |name| std::env::var_os(name))?))),
        );
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.process_group(0).kill_on_drop(true).spawn().map_err(|error| {
            tracing::warn!(program = %program.display(), %error, "a program does not start");
            SourceError::NoPages
        })?;
        Ok(Self(child))
    }

    /// Returns its output as a stream. Its standard error is discarded.
    pub(super) fn written(&mut self) -> Option<ChildStdout> {
        let mut complaint = self.0.stderr.take()?;
        // It would block until that is read.
        tokio::spawn(async move { tokio::io::copy(&mut complaint, &mut tokio::io::sink()).await });
        self.0.stdout.take()
    }

    /// Waits until it has ended, and returns whether it has succeeded.
    pub(super) async fn ended(&mut self) -> bool {
        self.0.wait().await.is_ok_and(|status| status.success())
    }

    async fn output(&mut self, most: usize) -> Result<Vec<u8>, SourceError> {
        let (Some(output), Some(complaint)) = (self.0.stdout.take(), self.0.stderr.take()) else {
            return Err(SourceError::Page);
        };
        let (mut written, mut complained) = (Vec::new(), Vec::new());
        // One byte more shows that there is more.
        let mut output = output.take(u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1));
        let mut first = complaint.take(COMPLAINT);
        let reading = async {
            let read = output.read_to_end(&mut written).await;
            if written.len() > most {
                Err(SourceError::TooLarge)
            } else {
                read.map_err(|_| SourceError::Page)
            }
        };
        let complaining = async {
            let _ = first.read_to_end(&mut complained).await;
            // It would block until the rest is read.
            let _ = tokio::io::copy(&mut first.into_inner(), &mut tokio::io::sink()).await;
        };
        let (read, ()) = {
            tokio::pin!(complaining);
            tokio::pin!(reading);
            tokio::select! {
                read = &mut reading => (read, ()),
                () = &mut complaining => (reading.await, ()),
            }
        };
        read?;
        let status = self.0.wait().await.map_err(|_| SourceError::Page)?;
        if status.success() {
            return Ok(written);
        }
        let complaint = String::from_utf8_lossy(&complained);
        tracing::debug!(%status, complaint = complaint.lines().last().unwrap_or_default(), "a program failed");
        Err(SourceError::Page)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Once it was waited for it has no id any more, which may by then be another process's.
        if let Some(pid) = self.0.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw) {
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_trusts_no_local_discord() {
        let bots = |name: &str| match name {
            roots::NAMED => Some("with-sandbox.pem".into()),
            roots::BEFORE => Some("machine.pem".into()),
            "HOME" => Some("/home/me".into()),
            _ => None,
        };
        assert_eq!(passed("SSL_CERT_FILE", bots), Some("machine.pem".into()));
        assert_eq!(passed("HOME", bots), Some("/home/me".into()));
        assert_eq!(passed("LANG", bots), None);
    }
}
