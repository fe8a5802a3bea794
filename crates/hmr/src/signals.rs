//! Signals that this process was started to ignore, and how its child processes receive them nevertheless.
//!
//! A process that is started with a signal ignored passes that on to all processes that it starts: `execve(2)` resets
//! signals with a handler to their default, and leaves ignored ones as they are. A shell without job control starts
//! background processes with SIGINT and SIGQUIT ignored (POSIX, 2.11), `nohup` with SIGHUP, some CI runners with
//! others. So a compiler could not be interrupted, and a bot that receives SIGINT would not end.
//!
//! Installing a handler for such a signal is enough, and it needs no `unsafe` code: tokio never removes its handlers.
//! The mask of blocked signals is reset by the standard library in all processes that it starts.

use std::fs;
use std::io;
use std::sync::OnceLock;

use rustix::process::Signal;
use tokio::signal::unix::{SignalKind, signal};

/// Signals that a child process must receive: those that end it, and the end of its own children.
const HEARD: [Signal; 4] = [Signal::INT, Signal::QUIT, Signal::TERM, Signal::CHILD];

/// Makes every process that this one starts from now on receive the signals that end it, whatever this process was
/// started to ignore.
///
/// SIGHUP is left as it is: `nohup` means that the end of a terminal ends nothing. This process itself continues to
/// ignore what it ignored.
///
/// # Errors
/// When a handler cannot be installed.
pub fn set_back() -> io::Result<()> {
    static IS_DONE: OnceLock<()> = OnceLock::new();
    let ignored = HEARD.into_iter().filter(|signal| is_ignored(*signal)).collect::<Vec<_>>();
    if ignored.is_empty() || IS_DONE.get().is_some() {
        return Ok(());
    }
    // A runtime must not be dropped on a thread that runs tasks, as the caller's thread may.
    let handled = std::thread::scope(|scope| scope.spawn(|| handle(&ignored)).join());
    handled.unwrap_or_else(|_| Err(io::Error::other("no handler of signals can be installed")))?;
    let _ = IS_DONE.set(());
    Ok(())
}

/// Installs a handler for each signal. It belongs to the process, and outlives the runtime that installed it.
fn handle(signals: &[Signal]) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let _entered = runtime.enter();
    for taken in signals {
        drop(signal(SignalKind::from_raw(taken.as_raw()))?);
    }
    Ok(())
}

/// Returns whether this process ignores a signal. Returns `false` if the system does not show that.
///
/// Source: proc_pid_status(5), `SigIgn`, a mask of 64 bits of which the lowest is signal 1.
pub fn is_ignored(signal: Signal) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    mask & (1 << (signal.as_raw() - 1)) != 0
}

/// Returns the name of a signal that ends processes.
pub(crate) fn signal_name(signal: i32) -> Option<&'static str> {
    Some(match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        5 => "SIGTRAP",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        15 => "SIGTERM",
        31 => "SIGSYS",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// Marks the process that this test starts with signals ignored.
    const CHILD: &str = "HOTCORD_TEST_IGNORES";

    #[test]
    fn what_is_started_hears_what_its_starter_was_started_to_ignore() {
        let name = "signals::tests::what_is_started_hears_what_its_starter_was_started_to_ignore";
        let ignored_in_a_child = || {
            let output = Command::new("grep").args(["SigIgn", "/proc/self/status"]).output().unwrap();
            String::from_utf8(output.stdout).unwrap()
        };
        if std::env::var_os(CHILD).is_some() {
            println!("before {}", ignored_in_a_child());
            assert!([Signal::INT, Signal::HUP, Signal::TERM].into_iter().all(is_ignored));
            assert!(!is_ignored(Signal::USR1));
            // Tasks call it too, and no runtime may be dropped there.
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async { set_back() }).unwrap();
            println!("after {}", ignored_in_a_child());
            return;
        }
        let output = Command::new("sh")
            .args(["-c", "trap '' INT QUIT TERM HUP; exec \"$0\" --exact --nocapture \"$1\""])
            .arg(std::env::current_exe().unwrap())
            .arg(name)
            .env(CHILD, "1")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        let mask = |word: &str| {
            let (_, rest) = said.split_once(&format!("{word} SigIgn:")).unwrap_or_else(|| panic!("{said}"));
            u64::from_str_radix(rest.split_whitespace().next().unwrap(), 16).unwrap()
        };
        let of =
            |signals: &[Signal]| signals.iter().fold(0, |mask, signal| mask | 1_u64 << (signal.as_raw() - 1));
        let ends = of(&[Signal::INT, Signal::QUIT, Signal::TERM]);
        let hang_up = of(&[Signal::HUP]);
        assert_eq!(mask("before") & (ends | hang_up), ends | hang_up);
        assert_eq!(mask("after") & (ends | hang_up), hang_up, "nohup is heeded");
    }
}
