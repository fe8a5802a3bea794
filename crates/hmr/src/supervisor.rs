//! A small parent process of the host, which starts it again when it dies.
//!
//! # Theory of operation
//!
//! With hot reload on, the program that is started is the supervisor. It stages the host that cargo has built (see
//! [`hosts`](crate::hosts)) and starts it as its child. Both share a terminal, pipes and the environment. Signals go to
//! the supervisor, which forwards each once. A child that ends by itself ends the supervisor with the same exit code.
//! One that dies leaves two files behind: the [`journal`](crate::journal) of what was live, and the notes of what was
//! in progress. The supervisor finds the cause in these, sets aside the generation on probation, and starts a new
//! child, which loads the rest without cargo or rustc. A host that replaces itself after a change of its own sources
//! does so by `exec`: for the supervisor it is the same child.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;
use std::{fs, io};

use rustix::process::{Pid, Signal, kill_process};
use sdk_core::status::since_1970;
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, sleep, sleep_until};

use crate::hosts::{Hosts, Staged};
use crate::journal::Journal;
use crate::signals::is_ignored;

pub mod child;
mod crash;
mod crash_loop;
mod recorder;
pub mod restart_on_save;

pub use child::{NextHost, Start};
pub(crate) use recorder::Recorder;

/// Exit code if the host dies again and again: `EX_SOFTWARE` of sysexits.h.
pub const CRASH_LOOP: u8 = 70;
/// Exit code if another supervisor uses this folder: `EX_TEMPFAIL`.
pub const BUSY: u8 = 75;

/// Time after a signal in which others count as the same one: a terminal's Ctrl-C and a script's often arrive together.
const ECHO_WITHIN: Duration = Duration::from_millis(300);
/// Longest time for a host to end after a signal. Its own steps add up to less.
const END_WITHIN: Duration = Duration::from_secs(12);

/// The supervisor's options.
#[derive(Debug)]
pub struct Options {
    /// cargo's target folder, in which the host was built.
    pub target: PathBuf,
    /// Variables that are added to the host's environment.
    pub environment: Vec<(OsString, OsString)>,
}

/// Runs the host until it ends on purpose, and returns the exit code.
///
/// # Errors
/// When the host cannot be staged or started at all.
pub fn run(options: &Options) -> io::Result<u8> {
    let folder = run_folder(&options.target);
    fs::create_dir_all(&folder)?;
    let lock = fs::File::options().create(true).truncate(false).write(true).open(folder.join("lock"))?;
    if lock.try_lock().is_err() {
        tell("a development host of this folder is running already; end that one first");
        return Ok(BUSY);
    }
    crate::signals::set_back()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async { Supervisor::new(options, folder)?.run().await })
}

/// Returns the folder for the files of the running host: its number, and the notes of what is in progress.
pub(crate) fn run_folder(target: &std::path::Path) -> PathBuf {
    target.join("run")
}

fn tell(words: &str) {
    sdk_core::text::write_error(format_args!("hotcord: {words}"));
}

struct Supervisor<'a> {
    options: &'a Options,
    hosts: Hosts,
    run: PathBuf,
    signals: Signals,
    crashes: crash_loop::CrashLoop,
}

/// How a host has ended.
enum End {
    OnPurpose(u8),
    Died(crash::Cause),
}

impl<'a> Supervisor<'a> {
    fn new(options: &'a Options, run: PathBuf) -> io::Result<Self> {
        Ok(Self {
            options,
            hosts: Hosts::of(&options.target),
            run,
            signals: Signals::new()?,
            crashes: crash_loop::CrashLoop::default(),
        })
    }

    async fn run(mut self) -> io::Result<u8> {
        let mut host = self.hosts.stage()?;
        // A fresh start builds all changes, whatever ran here before.
        let _ = fs::remove_file(host.journal_file());
        host.pardon();
        let mut start = Start::Fresh;
        loop {
            child::note_host(&self.run, &host)?;
            // The notes of the host before are not about this one.
            let _ = fs::remove_file(self.flight());
            let child = self.start(&host, &start)?;
            let cause = match self.watch(child).await? {
                End::OnPurpose(code) => return Ok(code),
                End::Died(cause) => cause,
            };
            // It may have replaced itself meanwhile.
            host = child::noted_host(&self.run).and_then(|number| self.hosts.get(number)).unwrap_or(host);
            let verdict = crash::CrashVerdict::of(
                cause,
                Journal::read(&host.journal_file()),
                &recorder::read(&self.flight()),
            );
            // The crash does not repeat, since its cause is set aside.
            let wait = if verdict.blames_a_plugin {
                Duration::ZERO
            } else if let Some(wait) = self.crashes.next(std::time::Instant::now()) {
                wait
            } else {
                tell(&format!(
                    "{}; that is {} times within {} s, so it is not started again: mend what is named here and start \
                     anew",
                    verdict.words,
                    crash_loop::MOST,
                    crash_loop::WITHIN.as_secs()
                ));
                return Ok(CRASH_LOOP);
            };
            (host, start) = self.after_death(host, cause, verdict, wait);
            tokio::select! {
                () = sleep(wait) => {}
                _ = self.signals.next() => return Ok(0),
            }
        }
    }

    fn flight(&self) -> PathBuf {
        self.run.join("flight")
    }

    /// Reports a crash, and returns the host to start next.
    fn after_death(
        &self,
        host: Staged,
        cause: crash::Cause,
        verdict: crash::CrashVerdict,
        wait: Duration,
    ) -> (Staged, Start) {
        let died_at = since_1970();
        let mut words = verdict.words;
        if let Err(error) = verdict.journal.write(&host.journal_file()) {
            words += &format!("; its journal cannot be written ({error})");
        }
        // A program that has never worked here, and no plugin is to blame.
        let spare = if verdict.journal.ready || verdict.blames_a_plugin || !cause.is_fault() {
            None
        } else {
            self.hosts.before(&host)
        };
        if let Some(spare) = &spare {
            // If this fails, the host is only tried once more.
            let _ = host.condemn();
            words += &format!(
                "; host {} was never ready, so host {} takes its place until a change of the host is saved",
                host.number(),
                spare.number()
            );
        }
        let when = if wait.is_zero() { "now".to_owned() } else { format!("in {} s", wait.as_secs()) };
        tell(&format!("{words}; it is started again {when}"));
        (spare.unwrap_or(host), Start::Crashed { died_at, words })
    }

    fn start(&self, host: &Staged, start: &Start) -> io::Result<Child> {
        Command::new(host.program())
            .envs(self.options.environment.iter().map(|(name, value)| (name, value)))
            .env(child::VARIABLE, start.to_variable())
            // Its own group, so that it receives a terminal's Ctrl-C once: through the supervisor.
            .process_group(0)
            .spawn()
            .map_err(|error| {
                io::Error::new(
                    error.kind(),
                    format!("{} cannot be started: {error}", host.program().display()),
                )
            })
    }

    /// Forwards signals until the host has ended, and returns how it ended.
    async fn watch(&mut self, mut child: Child) -> io::Result<End> {
        let mut told: Option<(Signal, Instant)> = None;
        let status = loop {
            let patience_ends = told.map_or_else(Instant::now, |(_, at)| at + END_WITHIN);
            tokio::select! {
                status = child.wait() => break status?,
                signal = self.signals.next() => {
                    if told.is_some_and(|(_, at)| at.elapsed() < ECHO_WITHIN) {
                        continue;
                    }
                    if let Some(pid) = pid(&child) {
                        // It may have ended just now.
                        let _ = kill_process(pid, signal);
                    }
                    told = Some((signal, told.map_or_else(Instant::now, |(_, first)| first)));
                }
                () = sleep_until(patience_ends), if told.is_some() => {
                    tell(&format!("the host did not end within {} s and is killed", END_WITHIN.as_secs()));
                    child.kill().await?;
                }
            }
        };
        Ok(end(status, told.map(|(signal, _)| signal)))
    }
}

/// Distinguishes an end on purpose from a death.
fn end(status: ExitStatus, told: Option<Signal>) -> End {
    match (crash::Cause::of(status), told) {
        (None, _) => End::OnPurpose(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)),
        (Some(_), Some(signal)) => End::OnPurpose(shell_code(signal.as_raw())),
        (Some(crash::Cause::Signal(signal)), None)
            if [Signal::TERM, Signal::INT, Signal::HUP].iter().any(|end| end.as_raw() == signal) =>
        {
            End::OnPurpose(shell_code(signal))
        }
        (Some(cause), None) => End::Died(cause),
    }
}

/// Returns the exit code by which a shell reports a signal.
fn shell_code(signal: i32) -> u8 {
    u8::try_from(128 + signal).unwrap_or(1)
}

fn pid(child: &Child) -> Option<Pid> {
    Pid::from_raw(i32::try_from(child.id()?).ok()?)
}

/// The signals that end a bot.
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    /// `None` if this process was started by `nohup`.
    hang_up: Option<tokio::signal::unix::Signal>,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: (!is_ignored(Signal::HUP)).then(|| signal(SignalKind::hangup())).transpose()?,
        })
    }

    /// Waits for the next signal, and returns the one to send to the host. After the end of a terminal, that is one
    /// that ends it as well.
    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::INT,
            _ = self.terminate.recv() => Signal::TERM,
            () = heard(&mut self.hang_up) => Signal::TERM,
        }
    }
}

/// Waits for a signal. Never returns without a listener.
async fn heard(signal: &mut Option<tokio::signal::unix::Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;

    use super::*;

    #[test]
    fn an_end_on_purpose_keeps_its_exit_code_and_a_crash_is_none() {
        let on_purpose = |raw, told| match end(ExitStatus::from_raw(raw), told) {
            End::OnPurpose(code) => Some(code),
            End::Died(_) => None,
        };
        assert_eq!(on_purpose(0, None), Some(0));
        assert_eq!(on_purpose(78 << 8, None), Some(78));
        assert_eq!(on_purpose(101 << 8, None), None, "a panic of the main thread");
        assert_eq!(on_purpose(11, None), None, "SIGSEGV");
        assert_eq!(on_purpose(9, None), None, "SIGKILL from elsewhere");
        assert_eq!(on_purpose(15, None), Some(143), "SIGTERM before it could listen");
        assert_eq!(on_purpose(9, Some(Signal::INT)), Some(130), "killed for not ending");
    }
}
