//! Other work beside: processes that keep processors busy, as compilers and browsers of the developer's do.

use std::io;
use std::process::Stdio;

use tokio::process::{Child, Command};

/// Processes that do nothing but take processor time; dropping it ends them.
pub struct Busy(#[allow(dead_code)] Vec<Child>);

impl Busy {
    /// Starts so many loops, each of which takes all of a processor that it gets.
    ///
    /// # Errors
    /// When a process cannot be started.
    pub fn start(loops: usize) -> io::Result<Self> {
        let one = || {
            Command::new("sh")
                .args(["-c", "while :; do :; done"])
                .stdin(Stdio::null())
                .kill_on_drop(true)
                .spawn()
        };
        Ok(Self((0..loops).map(|_| one()).collect::<io::Result<_>>()?))
    }
}
