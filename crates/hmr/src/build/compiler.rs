//! How compilers are run: at low priority, and paused while the bot's own answers are late.
//!
//! # Theory of operation
//!
//! A build of cargo's takes minutes, in the background. Its niceness of 10 gives a thread that waits for its time, such
//! as a mixer, nine times a compiler's share of a processor, and the processor at once, since it has slept.
//!
//! A plugin's compiler runs for less than a second, and a developer waits for the answer. A compiler that takes 2 s by
//! itself took, beside two busy programs on two cores, 9.6 times as long at a niceness of 10, 4.7 times at 5, 3.1 times
//! at 2, 2.1 times at 0. A thread that has to run every 20 ms was equally late with each of them (p99 50 to 66 ms):
//! those programs made it wait, not the compiler. So its niceness is 1: what the bot does goes first, and other programs
//! get hardly more than it.
//!
//! This is not enough where the bot itself is late. So a timer of the bot's own runtime is watched while a compiler
//! runs. A timer that fires late shows that answers are late by as much. The compiler's whole process group is then
//! stopped (SIGSTOP) until the timer is on time again, and for at most [`STILL`] at a time. Between two stops it runs
//! for [`MOVING`], so that a build always makes progress, and a plugin's compiler for as long as it stood still, so that
//! it takes at most twice its time.

use std::io;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::error::SaveError;

/// What a compiler is run for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A plugin's reload, which a developer waits for.
    Reload,
    /// A build through cargo.
    Cargo,
}

impl Purpose {
    /// Returns the niceness of its compilers.
    fn niceness(self) -> &'static str {
        match self {
            Self::Reload => "1",
            Self::Cargo => "10",
        }
    }

    /// Returns how long its compiler runs after it has stood still for `paused`.
    fn moving(self, paused: Duration) -> Duration {
        match self {
            Self::Reload => MOVING.max(paused),
            Self::Cargo => MOVING,
        }
    }
}

/// Time between two checks whether the bot is late.
const TICK: Duration = Duration::from_millis(10);
/// How late the bot's timers may be. Measured beside two busy programs at a load of fifteen, with 40 interactions a
/// second: 40 ms lost no answer, p99 538 ms, with a reload in 39 s; 300 ms at a niceness of 5 lost one of 2,012, p99
/// 2.5 s, with a reload in 20 s.
const LATE: Duration = Duration::from_millis(100);
/// Longest time for which a compiler is stopped at a time.
const STILL: Duration = Duration::from_millis(400);
/// Least time for which it runs between two stops.
const MOVING: Duration = Duration::from_millis(100);

/// Returns a command that runs `program` at the priority of its purpose, in a process group of its own.
pub(crate) fn command(program: impl AsRef<std::ffi::OsStr>, purpose: Purpose) -> Command {
    let mut command = crate::process::command("nice");
    command.args(["-n", purpose.niceness()]).arg(program).process_group(0);
    command
}

/// A compiler with all processes that it starts. Dropping it kills them all.
pub(crate) struct Group {
    child: Child,
    running: bool,
    giving_way: Option<JoinHandle<()>>,
}

impl Group {
    /// Spawns `command`, which must ask for a process group of its own.
    pub(crate) fn spawn(mut command: Command, program: &str, purpose: Purpose) -> Result<Self, SaveError> {
        let child = command
            .kill_on_drop(true)
            .spawn()
            .map_err(|source| SaveError::Spawn { program: program.to_owned(), source })?;
        let giving_way = pid(&child).map(|group| tokio::spawn(give_way(group, purpose)));
        Ok(Self { child, running: true, giving_way })
    }

    pub(crate) fn stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    pub(crate) fn stderr(&mut self) -> Option<ChildStderr> {
        self.child.stderr.take()
    }

    pub(crate) async fn wait(&mut self) -> io::Result<ExitStatus> {
        let status = self.child.wait().await?;
        self.running = false;
        self.leave_alone();
        Ok(status)
    }

    /// Ends the task that stops and continues the group: the group's number may soon be another's.
    fn leave_alone(&mut self) {
        self.giving_way.take().into_iter().for_each(|task| task.abort());
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.leave_alone();
        if self.running
            && let Some(group) = pid(&self.child)
        {
            // It may have just ended by itself. A stopped process is killed as well.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

fn pid(child: &Child) -> Option<Pid> {
    Pid::from_raw(i32::try_from(child.id()?).ok()?)
}

/// Stops a process group while the bot is late.
async fn give_way(group: Pid, purpose: Purpose) {
    let mut paused = Duration::ZERO;
    loop {
        if lateness().await < LATE {
            continue;
        }
        if kill_process_group(group, Signal::STOP).is_err() {
            return;
        }
        let still = Instant::now();
        while still.elapsed() < STILL && lateness().await >= LATE {}
        let went_on = kill_process_group(group, Signal::CONT);
        let stood = still.elapsed();
        paused += stood;
        tracing::debug!(ms = paused.as_millis(), "the compiler stood still while answers were late");
        if went_on.is_err() {
            return;
        }
        sleep(purpose.moving(stood)).await;
    }
}

/// Sleeps for a tick, and returns how much longer than that it took.
async fn lateness() -> Duration {
    let asked = Instant::now();
    sleep(TICK).await;
    asked.elapsed().saturating_sub(TICK)
}

#[cfg(test)]
mod tests {
    use std::process::Stdio;

    use super::*;

    /// Returns a process's state, in the form of proc_pid_stat(5).
    fn state(pid: u32) -> char {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        stat.rsplit_once(") ").unwrap().1.chars().next().unwrap()
    }

    fn counting() -> Command {
        let mut command = command("sh", Purpose::Reload);
        // A child process of its own, as a linker is of rustc.
        command.args(["-c", "(while :; do :; done) & echo $!; wait"]).stdout(Stdio::piped());
        command
    }

    /// Blocks the runtime's only thread, as a lack of processor time does.
    fn be_late() {
        std::thread::sleep(LATE + TICK * 2);
    }

    #[test]
    fn a_reload_runs_as_long_as_it_stands_still() {
        for (paused, moving) in [(Duration::ZERO, MOVING), (MOVING / 2, MOVING), (STILL, STILL)] {
            assert_eq!(Purpose::Reload.moving(paused), moving);
            assert_eq!(Purpose::Cargo.moving(paused), MOVING);
        }
    }

    #[tokio::test]
    async fn a_compiler_stands_still_while_the_bot_is_late_and_always_gets_on() {
        use tokio::io::{AsyncBufReadExt as _, BufReader};
        let mut group = Group::spawn(counting(), "sh", Purpose::Reload).unwrap();
        let mut line = String::new();
        BufReader::new(group.stdout().unwrap()).read_line(&mut line).await.unwrap();
        let worker: u32 = line.trim().parse().unwrap();
        assert_eq!(state(worker), 'R');
        // Late all the time: it is stopped, and continues from time to time.
        let (mut stood, mut moved) = (0, 0);
        let began = Instant::now();
        while (stood < 3 || moved < 3) && began.elapsed() < Duration::from_mins(1) {
            be_late();
            match state(worker) {
                'T' => stood += 1,
                _ => moved += 1,
            }
            tokio::task::yield_now().await;
        }
        assert!(stood >= 3 && moved >= 3, "it stood still {stood} times and moved {moved} times");
        // On time again: it continues for good.
        let began = Instant::now();
        while state(worker) == 'T' {
            assert!(began.elapsed() < Duration::from_mins(1), "it still stands");
            sleep(TICK).await;
        }
        drop(group);
        let began = Instant::now();
        while std::path::Path::new(&format!("/proc/{worker}/exe")).exists() {
            assert!(began.elapsed() < Duration::from_mins(1), "it is still there");
            sleep(TICK).await;
        }
    }
}
