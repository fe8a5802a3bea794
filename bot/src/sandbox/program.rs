//! The local Discord as a separate process: the program `sandbox`, which is built together with a development host.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::{StartError, StartErrorKind, Started};

/// A process that ends when this is dropped, or when this process ends in any way.
pub(super) struct Server(Child);

impl Server {
    /// Starts the process and waits until its state file is at `state`.
    ///
    /// # Errors
    /// If the program is not there, cannot be started, ends, or writes no state file.
    pub(super) fn start(state: &Path) -> Result<(Self, Started), StartError> {
        let program = program()?;
        let mut child = Command::new(&program)
            .args([
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--bot-name",
                "Hotcord",
                "--exit-with-stdin",
                "--state-file",
            ])
            .arg(state)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|source| StartErrorKind::Spawn { program: program.clone(), source })?;
        // It prints its first line after it has written the state file.
        let mut line = String::new();
        let stdout = child.stdout.take().ok_or(StartErrorKind::NoOutput)?;
        let read = BufReader::new(stdout).read_line(&mut line);
        let server = Self(child);
        if !read.is_ok_and(|length| length > 0) {
            return Err(StartErrorKind::Ended.into());
        }
        let started =
            read_state(state, &program).ok_or_else(|| StartErrorKind::State(state.to_path_buf()))?;
        Ok((server, started))
    }
}

/// Returns the program's path in cargo's target folder.
fn program() -> Result<PathBuf, StartErrorKind> {
    let this = std::env::current_exe()?;
    let target = hmr::hosts::Hosts::target_of(&this).ok_or(StartErrorKind::NoTarget)?;
    let program = target.join("debug/sandbox");
    if program.is_file() { Ok(program) } else { Err(StartErrorKind::NotBuilt(program)) }
}

fn read_state(file: &Path, program: &Path) -> Option<Started> {
    let state: Value = serde_json::from_slice(&std::fs::read(file).ok()?).ok()?;
    let text = |name: &str| state[name].as_str().map(str::to_owned);
    Some(Started {
        url: text("url")?,
        token: text("token")?,
        guild: text("guild_id")?.parse().ok()?,
        root_certificate: std::fs::read_to_string(text("voice_root")?).ok()?,
        client: program.display().to_string(),
    })
}

impl Drop for Server {
    fn drop(&mut self) {
        // It exits when its input is closed.
        drop(self.0.stdin.take());
        // It may have exited by itself.
        let _ = self.0.wait();
    }
}
