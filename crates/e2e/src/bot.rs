//! A bot as a child process, with its output.

use std::ffi::OsStr;
use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use sandbox::Sandbox;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::unix::pipe::Receiver;
use tokio::process::{Child, Command};
use tokio::sync::Notify;

use crate::Playground;
use crate::slot::PLAYGROUND;

/// Time after which something expected counts as missing; far more than it takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_mins(5);

/// Longest time until the last lines of a bot that has ended arrive.
const LAST_LINES: Duration = Duration::from_secs(5);

/// Lines of a bot's output, in order.
#[derive(Clone, Default)]
struct Lines {
    written: Arc<Mutex<Vec<String>>>,
    more: Arc<Notify>,
}

/// A running bot. Dropping it kills it.
pub struct Bot {
    child: Child,
    lines: Lines,
}

impl Bot {
    /// Starts the playground's development host on a sandbox, with additional variables, and waits until it is ready.
    ///
    /// # Errors
    /// With its whole output, if it ends or does not become ready.
    pub async fn start(
        playground: &Playground,
        sandbox: &Sandbox,
        more: &[(&str, &str)],
    ) -> io::Result<Self> {
        let mut variables = vec![("ENABLE_HMR", "true")];
        variables.extend_from_slice(more);
        Self::run(playground, playground.path("target/hmr/debug/hotcord"), sandbox, &variables).await
    }

    /// Starts any bot binary in the playground's folder.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn run(
        playground: &Playground,
        program: PathBuf,
        sandbox: &Sandbox,
        variables: &[(&str, &str)],
    ) -> io::Result<Self> {
        let owner = sandbox.user_id("alice").map(|id| id.to_string()).unwrap_or_default();
        let guild = sandbox.guild_id().to_string();
        // Voice trusts the sandbox's servers with it.
        let root = playground.path("target/voice-root.pem");
        std::fs::write(&root, sandbox.voice().root_certificate())?;
        let root = root.display().to_string();
        let mut all = vec![
            ("SSL_CERT_FILE", root.as_str()),
            ("HOTCORD_SSL_CERT_FILE", ""),
            ("DISCORD_TOKEN", sandbox.token()),
            ("DISCORD_API_URL", sandbox.url()),
            ("TEST_GUILD_ID", &guild),
            ("OWNER_IDS", &owner),
        ];
        all.extend_from_slice(variables);
        Self::run_with(playground, program, &all).await
    }

    /// Starts the playground's development host with its `.env` and these variables, and no other variables of the bot.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn start_with(playground: &Playground, variables: &[(&str, &str)]) -> io::Result<Self> {
        Self::run_with(playground, playground.path("target/hmr/debug/hotcord"), variables).await
    }

    async fn run_with(
        playground: &Playground,
        program: PathBuf,
        variables: &[(&str, &str)],
    ) -> io::Result<Self> {
        let mut bot = Self::of(command(playground, program, variables).into())?;
        bot.wait_for_line(0, "ready").await?;
        Ok(bot)
    }

    /// Starts any command that runs a bot, and collects its output.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn of(mut command: Command) -> io::Result<Self> {
        // Ctrl-C has to end it, even if the tests were started in the background.
        hmr::signals::set_back()?;
        // One pipe for both: what is written to them is read in the order in which it was written.
        let (reader, writer) = io::pipe()?;
        command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer).kill_on_drop(true);
        let child = command.spawn()?;
        // The command holds the pipe's writing end: without this, the pipe would never end.
        drop(command);
        let lines = Lines::default();
        listen(Receiver::from_owned_fd(reader.into())?, lines.clone());
        Ok(Self { child, lines })
    }

    /// Returns the number of lines so far, for [`wait_for_line`](Self::wait_for_line).
    pub fn line_count(&self) -> usize {
        self.lines.written.lock().len()
    }

    /// Returns the lines so far, from the line numbered `from`.
    pub fn lines_from(&self, from: usize) -> Vec<String> {
        self.lines.written.lock().get(from..).unwrap_or_default().to_vec()
    }

    /// Waits for a line, from the line numbered `from` on, that contains `words`. Returns the line.
    ///
    /// # Errors
    /// With its output since then, if the bot ends or the line does not come.
    pub async fn wait_for_line(&mut self, from: usize, words: &str) -> io::Result<String> {
        self.wait_for(from, words, |line| line.contains(words)).await
    }

    /// Waits for a line, from the line numbered `from` on, that `fits`. `what` describes it in an error.
    ///
    /// # Errors
    /// As [`wait_for_line`](Self::wait_for_line).
    pub async fn wait_for(
        &mut self,
        from: usize,
        what: &str,
        fits: impl Fn(&str) -> bool,
    ) -> io::Result<String> {
        self.wait_within(PATIENCE, from, what, fits).await
    }

    /// As [`wait_for`](Self::wait_for), with another time limit.
    ///
    /// # Errors
    /// As [`wait_for_line`](Self::wait_for_line).
    pub async fn wait_within(
        &mut self,
        patience: Duration,
        from: usize,
        what: &str,
        fits: impl Fn(&str) -> bool,
    ) -> io::Result<String> {
        let lines = self.lines.clone();
        let found = async {
            loop {
                let more = lines.more.notified();
                tokio::pin!(more);
                more.as_mut().enable();
                let line = lines.written.lock().iter().skip(from).find(|line| fits(line)).cloned();
                if let Some(line) = line {
                    return line;
                }
                more.await;
            }
        };
        let over = async {
            // Its last lines may not have arrived yet.
            let _ = self.child.wait().await;
            tokio::time::sleep(LAST_LINES).await;
        };
        tokio::select! {
            line = found => return Ok(line),
            () = over => {}
            () = tokio::time::sleep(patience) => {}
        }
        let ended =
            self.child.try_wait()?.map(|status| format!(" (it ended with {status})")).unwrap_or_default();
        Err(io::Error::other(format!(
            "the bot did not say {what:?}{ended}; it said:\n{}",
            self.lines_from(from).join("\n")
        )))
    }

    /// Waits for the outcome of an edit of a plugin. Returns the line with it: what is live now, or why the edit is
    /// not.
    ///
    /// # Errors
    /// As [`wait_for_line`](Self::wait_for_line).
    pub async fn decided(&mut self, from: usize, plugin: &str) -> io::Result<String> {
        self.wait_for(from, &format!("what became of {plugin}"), |line| decides(line, plugin)).await
    }

    /// Waits until an edit of a plugin is live. Returns the line about it.
    ///
    /// # Errors
    /// With the host's line, if the edit does not go live.
    pub async fn went_live(&mut self, from: usize, plugin: &str) -> io::Result<String> {
        let line = self.decided(from, plugin).await?;
        if line.contains("loaded plugin=") {
            Ok(line)
        } else {
            Err(io::Error::other(format!("the edit did not go live: {line}")))
        }
    }

    /// Returns its process id while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Returns the id of the process that talks to Discord: its child, if it is a supervisor.
    ///
    /// # Errors
    /// If it has ended, or the system does not provide the id.
    pub fn host_pid(&self) -> io::Result<u32> {
        let own = self.pid().ok_or_else(|| io::Error::other("the bot has ended"))?;
        let children = std::fs::read_to_string(format!("/proc/{own}/task/{own}/children"))?;
        let is_host = |child: &u32| {
            let environment = std::fs::read(format!("/proc/{child}/environ")).unwrap_or_default();
            !environment.split(|byte| *byte == 0).any(|variable| variable.starts_with(b"HOTCORD_PROBE="))
        };
        let mut children = children.split_whitespace().filter_map(|child| child.parse().ok());
        Ok(children.find(is_host).unwrap_or(own))
    }

    /// Kills the process that talks to Discord.
    ///
    /// # Errors
    /// As [`host_pid`](Self::host_pid), and if the system refuses.
    pub fn kill_host(&self) -> io::Result<()> {
        let pid = process(self.host_pid()?).ok_or_else(|| io::Error::other("the bot has no process"))?;
        Ok(kill_process(pid, Signal::KILL)?)
    }

    /// Waits until it ends by itself. Returns its exit status.
    ///
    /// # Errors
    /// If it does not end.
    pub async fn ended(&mut self) -> io::Result<ExitStatus> {
        tokio::time::timeout(PATIENCE, self.child.wait())
            .await
            .map_err(|_| io::Error::other("the bot did not end"))?
    }

    /// Kills the bot.
    ///
    /// # Errors
    /// If the system refuses.
    pub async fn kill(mut self) -> io::Result<()> {
        self.child.kill().await
    }

    /// Sends a signal to the process group that the program leads.
    ///
    /// # Errors
    /// If the program has ended, or the system refuses.
    pub(crate) fn signal_group(&self, signal: Signal) -> io::Result<()> {
        let group = self.pid().and_then(process);
        let group = group.ok_or_else(|| io::Error::other("the program has ended by itself"))?;
        Ok(kill_process_group(group, signal)?)
    }

    /// Sends the bot SIGTERM, as a service manager does, and waits for its end. Returns its exit status.
    ///
    /// # Errors
    /// If it does not end.
    pub async fn stop(mut self) -> io::Result<ExitStatus> {
        if let Some(pid) = self.pid().and_then(process) {
            kill_process(pid, Signal::TERM)?;
        }
        tokio::time::timeout(PATIENCE, self.child.wait())
            .await
            .map_err(|_| io::Error::other("the bot did not end after SIGTERM"))?
    }
}

/// Returns whether a line of the host is the outcome of an edit of a plugin. Other lines may name the plugin too.
fn decides(line: &str, plugin: &str) -> bool {
    const MESSAGES: [&str; 6] =
        ["loaded", "reloaded", "rolled back", "load failed", "reload failed", "rollback failed"];
    MESSAGES.iter().any(|message| line.contains(&format!(": {message} plugin={plugin} ")))
}

/// Returns a command that runs a program in a playground with these variables, and no other variables of the bot.
pub(crate) fn command(
    playground: &Playground,
    program: PathBuf,
    variables: &[(&str, &str)],
) -> std::process::Command {
    let mut command = command_without_variables(program);
    command
        .env(PLAYGROUND, playground.path(""))
        .envs(variables.iter().copied())
        .current_dir(playground.path(""));
    command
}

/// Returns a command that runs a bot or its script without any variables of the bot, except that it serves no metrics.
pub(crate) fn command_without_variables(program: impl AsRef<OsStr>) -> std::process::Command {
    let inherited = ["PATH", "HOME", "CARGO_HOME", "RUSTUP_HOME", "TMPDIR", "LANG"];
    let mut command = std::process::Command::new(program);
    command
        .env_clear()
        .envs(inherited.iter().filter_map(|name| Some((*name, std::env::var_os(name)?))))
        // Several bots at once cannot share the default port.
        .env("HEALTH_ADDR", "off");
    command
}

/// Returns a process id in the form for signals.
pub(crate) fn process(id: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(id).ok()?)
}

fn listen(pipe: Receiver, lines: Lines) {
    tokio::spawn(async move {
        let mut reader = BufReader::new(pipe).lines();
        while let Ok(Some(line)) = reader.next_line().await {
            lines.written.lock().push(line);
            lines.more.notify_waiters();
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_decision_about_the_plugin_decides() {
        for line in [
            "INFO hmr::engine::report: reloaded plugin=commands/small from=1 to=2 ms=426 watch=7.0 build=418.2",
            "INFO hmr::engine::report: loaded plugin=commands/small to=1 ms=5",
            "WARN hmr::engine::rollback: rolled back plugin=commands/small from=2 to=3 ms=5 code_of=1",
            "ERROR hmr::engine::report: reload failed plugin=commands/small live=2 error=1 compile error",
            "ERROR hmr::engine::report: load failed plugin=commands/small error=1 compile error",
        ] {
            assert!(decides(line, "commands/small"), "{line}");
            assert!(!decides(line, "commands/large"), "{line}");
        }
        for line in [
            "ERROR sdk_core::dispatch: commands/small 2: /small1 failed: Unknown interaction plugin=commands/small live",
            "WARN hmr::engine::results: tried again after a while plugins=\"commands/small\" error=rustc failed",
            "INFO hmr::engine::report: removed plugin=commands/small from=1 ms=3",
        ] {
            assert!(!decides(line, "commands/small"), "{line}");
        }
    }
}
