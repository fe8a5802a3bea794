//! Background load: processes that keep processors busy, as a developer's compilers and browsers do.

use std::io;
use std::process::Stdio;

use tokio::process::{Child, Command};

/// Processes that only use processor time. Dropping it ends them.
pub struct Busy(#[allow(dead_code)] Vec<Child>);

impl Busy {
    /// Starts that many loops, each of which uses a whole processor if available.
    ///
    /// # Errors
    /// If a process cannot be started.
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
