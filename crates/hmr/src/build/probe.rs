//! Loading a plugin in a child process first.
//!
//! # Theory of operation
//!
//! A library that aborts, crashes or never returns while it is loaded must not take the host with it. So a child
//! process, the host's own program started with [`CHILD_VARIABLE`] set, loads it before the host does, creates an
//! instance, checks its definitions, and reports the result in one line of JSON. Starting a process and linking it
//! takes tens of milliseconds. A spare child that waits for its path on standard input keeps that out of every reload.
//! Each child serves once.

use std::fs::File;
use std::io::{BufRead as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{ExitCode, ExitStatus, Stdio};
use std::time::Duration;
use std::{env, io};

use sdk_core::FINGERPRINT;
use sdk_core::generation::Generation;
use sdk_core::host::Host;
use sdk_core::settings::Settings;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};

use super::library;
use crate::error::SaveError;

/// Environment variable that makes the host's program a probe.
pub const CHILD_VARIABLE: &str = "HOTCORD_PROBE";

/// Time within which a library must load and define its commands.
const DEADLINE: Duration = Duration::from_secs(5);

#[derive(Serialize, Deserialize)]
struct Question {
    library: PathBuf,
    krate: String,
}

#[derive(Serialize, Deserialize)]
enum Answer {
    /// The plugin may go live. The string is the fingerprint of the child's sdk.
    Fit(String),
    Unfit(Vec<String>),
    Unreadable(String),
}

/// Serves one probe and returns the exit code, if this process was started as a probe. Must be called first in `main`.
pub fn serve_if_child() -> Option<ExitCode> {
    env::var_os(CHILD_VARIABLE)?;
    Some(serve().unwrap_or(ExitCode::FAILURE))
}

fn serve() -> io::Result<ExitCode> {
    let mut line = String::new();
    if io::stdin().lock().read_line(&mut line)? == 0 {
        // The host has ended without a question.
        return Ok(ExitCode::SUCCESS);
    }
    let question: Question = serde_json::from_str(&line)?;
    // Output of the plugin itself during loading must not be taken for the answer.
    let mut answer_to = File::from(rustix::io::dup(io::stdout())?);
    rustix::stdio::dup2_stdout(io::stderr())?;
    let answer = match library::load(&question.library, &question.krate) {
        Ok(entry) => match Generation::new(entry, 0, &Host::new("probe", Settings::default())) {
            Ok(_) => Answer::Fit(FINGERPRINT.to_owned()),
            Err(problems) => Answer::Unfit(problems),
        },
        Err(SaveError::Unreadable(problem)) => Answer::Unreadable(problem),
        Err(error) => Answer::Unfit(vec![error.to_string()]),
    };
    writeln!(answer_to, "{}", serde_json::to_string(&answer)?)?;
    Ok(ExitCode::SUCCESS)
}

/// Keeps a spare child ready.
pub struct Prober {
    program: PathBuf,
    spare: tokio::sync::Mutex<Option<Child>>,
}

impl Prober {
    /// Starts the first spare child, of this program.
    ///
    /// # Errors
    /// When this program cannot be started again.
    pub fn new() -> io::Result<Self> {
        // The running program, even if its file has been replaced since.
        let program =
            if cfg!(target_os = "linux") { PathBuf::from("/proc/self/exe") } else { env::current_exe()? };
        Self::of(program)
    }

    /// Starts the first spare child, of the host at `program`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn of(program: PathBuf) -> io::Result<Self> {
        let spare = tokio::sync::Mutex::new(Some(spawn(&program)?));
        Ok(Self { program, spare })
    }

    /// Loads the library in a child process and checks its definitions. Returns the fingerprint of the child's sdk.
    ///
    /// # Errors
    /// When the child died, did not answer in time, or found a problem. The error is one sentence.
    pub async fn probe(&self, library: &Path, krate: &str) -> Result<String, SaveError> {
        let lost = |source| SaveError::Spawn { program: "the probe process".to_owned(), source };
        let mut child = match self.spare.lock().await.take() {
            Some(child) => child,
            None => spawn(&self.program).map_err(lost)?,
        };
        if child.try_wait().map_err(lost)?.is_some() {
            // The spare child was killed.
            child = spawn(&self.program).map_err(lost)?;
        }
        let outcome = ask(&mut child, library, krate).await;
        // The next child is started now, and is linked by the next save.
        // One is enough for several probes side by side.
        let mut spare = self.spare.lock().await;
        if spare.is_none() {
            *spare = spawn(&self.program).ok();
        }
        outcome
    }
}

async fn ask(child: &mut Child, library: &Path, krate: &str) -> Result<String, SaveError> {
    let (Some(mut stdin), Some(stdout), Some(mut stderr)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(SaveError::Probe("the probe process has no pipes".to_owned()));
    };
    let question = Question { library: library.to_owned(), krate: krate.to_owned() };
    let mut line = serde_json::to_string(&question).map_err(|error| SaveError::Probe(error.to_string()))?;
    line.push('\n');
    // Read all the time: a full pipe would block the child.
    let words = tokio::spawn(async move {
        let mut bytes = Vec::new();
        let _ = stderr.read_to_end(&mut bytes).await;
        String::from_utf8_lossy(&bytes).into_owned()
    });
    let conversation = async {
        // A child that is already dead shows in its answer.
        let _ = stdin.write_all(line.as_bytes()).await;
        let mut answer = String::new();
        let _ = BufReader::new(stdout).read_line(&mut answer).await;
        answer
    };
    let Ok(answer) = tokio::time::timeout(DEADLINE, conversation).await else {
        let _ = child.start_kill();
        return Err(SaveError::Hung(format!(
            "loading it did not end within {} s in a probe process; is there an endless loop in its constructor, \
             commands or subscriptions?",
            DEADLINE.as_secs()
        )));
    };
    match serde_json::from_str(&answer) {
        Ok(Answer::Fit(fingerprint)) => Ok(fingerprint),
        Ok(Answer::Unfit(problems)) => Err(SaveError::Preflight(problems)),
        Ok(Answer::Unreadable(problem)) => Err(SaveError::Unreadable(problem)),
        Err(_) => {
            let status = child.wait().await.ok();
            let words = words.await.unwrap_or_default();
            Err(SaveError::Probe(format!("loading it {}{}", death(status), last_words(&words))))
        }
    }
}

fn spawn(program: &Path) -> io::Result<Child> {
    let kept = ["PATH", "HOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "RUST_BACKTRACE", "TMPDIR"];
    Command::new(program)
        .env_clear()
        .envs(kept.iter().filter_map(|name| Some((name, env::var_os(name)?))))
        .env(CHILD_VARIABLE, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
}

/// Describes how a process ended.
fn death(status: Option<ExitStatus>) -> String {
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt as _;
        if let Some(signal) = status.and_then(|status| status.signal()) {
            let Some(name) = crate::signals::signal_name(signal) else {
                return format!("ended the probe process with signal {signal}");
            };
            return format!("crashed the probe process ({name})");
        }
    }
    match status.and_then(|status| status.code()) {
        Some(code) => format!("ended the probe process with exit code {code}"),
        None => "ended the probe process".to_owned(),
    }
}

/// Returns the last lines of a process's output.
fn last_words(words: &str) -> String {
    const MOST: usize = 5;
    let lines: Vec<_> = words.lines().filter(|line| !line.trim().is_empty()).collect();
    if lines.is_empty() {
        return String::new();
    }
    format!(": {}", lines[lines.len().saturating_sub(MOST)..].join(" | "))
}
