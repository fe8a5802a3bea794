//! The host's side of supervision: how it was started, when it is ready, and how it gives way to a new one.

use std::os::unix::process::{CommandExt as _, parent_id};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::{env, fs, io, process, thread};

use rustix::process::{Signal, getpid, kill_process, set_parent_process_death_signal};
use sdk_core::status::since_1970;
use serde::{Deserialize, Serialize};

use crate::hosts::{Hosts, Staged};
use crate::journal::{Journal, write_whole};

/// Environment variable that marks a program as a supervised host, and contains how it was started.
pub const VARIABLE: &str = "HOTCORD_HOST";

/// Time between two checks whether the supervisor is still there.
const LEASH: Duration = Duration::from_millis(500);
/// Time for a host to end after its supervisor has gone.
const ORPHAN_FOR: Duration = Duration::from_secs(12);

/// How a host was started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Start {
    /// By a person: all plugins are built.
    Fresh,
    /// In place of a host that gave way to it.
    Replaced {
        /// Milliseconds since 1970 at which the host before began to refuse calls.
        closed_at: u64,
        /// Files that required it, or who requested it.
        because: Vec<String>,
    },
    /// After a host that died.
    Crashed {
        /// Milliseconds since 1970 at which that was noticed.
        died_at: u64,
        /// The cause of the death and what was set aside, in a sentence.
        words: String,
    },
}

impl Start {
    pub(super) fn to_variable(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// A host that has a supervisor.
#[derive(Clone, Debug)]
pub struct Child {
    /// How it was started.
    pub start: Start,
    /// The files it runs from.
    pub host: Staged,
    run: PathBuf,
}

impl Child {
    /// Returns this process as a supervised host; `None` if it is not one.
    pub fn this() -> Option<Self> {
        let start = serde_json::from_str(&env::var(VARIABLE).ok()?).ok()?;
        let program = env::current_exe().ok()?;
        let run = super::run_folder(&Hosts::target_of(&program)?);
        Some(Self { start, host: Staged::of_program(&program)?, run })
    }

    /// Makes this process end when its supervisor does. Must be called first.
    pub fn tie_to_supervisor(&self) {
        // Linux signals that at once. Elsewhere, and if the supervisor is gone already, the check below notices it.
        let _ = set_parent_process_death_signal(Some(Signal::TERM));
        let supervisor = parent_id();
        let look = move || {
            while parent_id() == supervisor && supervisor != 1 {
                thread::sleep(LEASH);
            }
            let _ = kill_process(getpid(), Signal::TERM);
            thread::sleep(ORPHAN_FOR);
            let _ = kill_process(getpid(), Signal::KILL);
        };
        if let Err(error) = thread::Builder::new().name("leash".to_owned()).spawn(look) {
            tracing::warn!(%error, "should the supervisor die, this host does not notice");
        }
    }

    /// Returns the file for the notes of what is in progress.
    pub(crate) fn flight_file(&self) -> PathBuf {
        self.run.join("flight")
    }

    /// Records that this host answers, and logs how long there was no answer. Only the first call has an effect.
    pub fn ready(&self) {
        static IS_READY: AtomicBool = AtomicBool::new(false);
        if IS_READY.swap(true, Ordering::Relaxed) {
            return;
        }
        let file = self.host.journal_file();
        if let Err(error) = (Journal { ready: true, ..Journal::read(&file) }).write(&file) {
            tracing::warn!(%error, "should this host crash, an older one takes its place");
        }
        let number = self.host.number();
        match &self.start {
            Start::Fresh => {}
            Start::Replaced { closed_at, because } => {
                let (because, silent_ms) = (because.join(", "), since_1970().saturating_sub(*closed_at));
                tracing::info!(host = number, because, silent_ms, "restarted");
            }
            Start::Crashed { died_at, .. } => {
                let silent_ms = since_1970().saturating_sub(*died_at);
                tracing::info!(host = number, silent_ms, "back after a crash");
            }
        }
    }
}

/// Records which host runs. It may be another one than the supervisor has started.
pub(super) fn note_host(run: &Path, host: &Staged) -> io::Result<()> {
    write_whole(&run.join("host"), host.number().to_string().as_bytes())
}

/// Returns the number of the host that runs, or that ran when the process died.
pub(super) fn noted_host(run: &Path) -> Option<u64> {
    fs::read_to_string(run.join("host")).ok()?.trim().parse().ok()
}

/// A host that is to replace this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextHost {
    pub(crate) host: Staged,
    pub(crate) because: Vec<String>,
}

impl NextHost {
    /// Replaces this process, keeping its id, its terminal and its environment.
    ///
    /// `closed_at`, in milliseconds since 1970, is when this host began to refuse calls. Returns only if it fails. The
    /// supervisor then starts a host again.
    pub fn take_over(&self, closed_at: u64) -> process::ExitCode {
        let start = Start::Replaced { closed_at, because: self.because.clone() };
        let program = self.host.program();
        if let Some(child) = Child::this()
            && let Err(error) = note_host(&child.run, &self.host)
        {
            sdk_core::text::write_error(format_args!(
                "hotcord: {} cannot be written ({error})",
                child.run.display()
            ));
        }
        let error = Command::new(&program).env(VARIABLE, start.to_variable()).exec();
        sdk_core::text::write_error(format_args!(
            "hotcord: {} cannot be started ({error})",
            program.display()
        ));
        process::ExitCode::from(127)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_of_a_start_survives_the_environment() {
        let start = Start::Crashed { died_at: 5, words: "the host died of \"SIGSEGV\"\n".to_owned() };
        assert_eq!(serde_json::from_str::<Start>(&start.to_variable()).unwrap(), start);
    }
}
