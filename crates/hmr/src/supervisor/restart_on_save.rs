//! The plain mode, for comparison: every change builds the whole bot without hot reload, and restarts it.
//!
//! cargo determines whether a save changes anything: if the program it builds is the same file as before, nothing is
//! restarted. A build that fails leaves the running bot as it is.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use rustix::process::kill_process;
use tokio::process::{Child, Command};
use tokio::time::{Instant, timeout};

use super::{END_WITHIN, Signals, pid, shell_code, tell};
use crate::error::HostError;
use crate::watch::{Filter, WatchMode, Watcher};
use crate::workspace::{HOST_PACKAGES, Workspace};

/// Environment variable that selects this mode in the development host's program.
pub const VARIABLE: &str = "HOTCORD_PLAIN";

/// The options of this mode.
#[derive(Debug)]
pub struct Options {
    /// Folder of the workspace.
    pub root: PathBuf,
    /// Variables that are added to the bot's environment.
    pub environment: Vec<(OsString, OsString)>,
    /// Features of the bot in addition to those of production, in the form of `--features`. Empty for none.
    pub features: &'static str,
}

/// Runs the bot of a workspace, built into its ordinary target folder, until a signal. Returns the exit code.
///
/// # Errors
/// When the workspace cannot be read or watched.
pub fn run(options: Options, mode: WatchMode, filter: Filter) -> Result<u8, HostError> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(HostError::Supervisor)?;
    crate::signals::set_back().map_err(HostError::Supervisor)?;
    runtime.block_on(async {
        let workspace = Workspace::read(&options.root).await.map_err(HostError::Workspace)?;
        let watcher = Watcher::new(workspace.scope().of_all(), mode, filter)?;
        let signals = Signals::new().map_err(HostError::Supervisor)?;
        Plain { options, watcher, signals, bot: None }.run().await.map_err(HostError::Supervisor)
    })
}

struct Plain {
    options: Options,
    watcher: Watcher,
    signals: Signals,
    bot: Option<(Child, Option<SystemTime>)>,
}

impl Plain {
    async fn run(mut self) -> io::Result<u8> {
        let mut began = Instant::now();
        loop {
            let mut build = self.build()?;
            let built = tokio::select! {
                status = build.wait() => Some(status?),
                _ = self.watcher.next() => None,
                signal = self.signals.next() => {
                    end_group(&mut build).await?;
                    return self.end(signal).await;
                }
            };
            match built {
                // A newer save: the build in progress is stale.
                None => {
                    end_group(&mut build).await?;
                    began = Instant::now();
                    continue;
                }
                Some(status) if status.success() => self.restart(began).await?,
                Some(_) if self.bot.is_some() => tell("the bot does not build; the one before runs on"),
                Some(_) => tell("the bot does not build; the save that mends it starts it"),
            }
            tokio::select! {
                _ = self.watcher.next() => began = Instant::now(),
                signal = self.signals.next() => return self.end(signal).await,
                status = ended(&mut self.bot) => {
                    tell(&format!("the bot ended with {}; the next save starts it again", status?));
                    self.bot = None;
                    tokio::select! {
                        _ = self.watcher.next() => began = Instant::now(),
                        signal = self.signals.next() => return self.end(signal).await,
                    }
                }
            }
        }
    }

    fn program(&self) -> PathBuf {
        self.options.root.join("target/debug/hotcord")
    }

    /// Starts cargo. Its output goes to the terminal.
    fn build(&self) -> io::Result<Child> {
        let Options { root, features, .. } = &self.options;
        crate::process::cargo_in(root)
            .args(["build", "--bin", "hotcord"])
            .args(HOST_PACKAGES)
            .args(["--features", features, "--target-dir"])
            .arg(root.join("target"))
            .stdin(Stdio::null())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
    }

    /// Replaces the running bot by the built one, if that is new.
    async fn restart(&mut self, began: Instant) -> io::Result<()> {
        let built = std::fs::metadata(self.program())?.modified().ok();
        if let Some((bot, running)) = &mut self.bot {
            if *running == built {
                return Ok(());
            }
            stop(bot, rustix::process::Signal::TERM).await?;
        }
        let bot = Command::new(self.program())
            .env_remove(VARIABLE)
            .envs(self.options.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.options.root)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        self.bot = Some((bot, built));
        tell(&format!("built and started anew in {} ms", began.elapsed().as_millis()));
        Ok(())
    }

    async fn end(mut self, signal: rustix::process::Signal) -> io::Result<u8> {
        let Some((bot, _)) = &mut self.bot else { return Ok(0) };
        let status = stop(bot, signal).await?;
        Ok(status
            .code()
            .and_then(|code| u8::try_from(code).ok())
            .unwrap_or_else(|| shell_code(signal.as_raw())))
    }
}

/// Waits for the bot to end by itself.
async fn ended(bot: &mut Option<(Child, Option<SystemTime>)>) -> io::Result<std::process::ExitStatus> {
    match bot {
        Some((bot, _)) => bot.wait().await,
        None => std::future::pending().await,
    }
}

/// Ends the bot with a signal, and kills it if it does not end.
async fn stop(bot: &mut Child, signal: rustix::process::Signal) -> io::Result<std::process::ExitStatus> {
    if let Some(pid) = pid(bot) {
        // It may have ended just now.
        let _ = kill_process(pid, signal);
    }
    if let Ok(status) = timeout(END_WITHIN, bot.wait()).await {
        return status;
    }
    bot.kill().await?;
    bot.wait().await
}

/// Ends cargo with all compilers it has started.
async fn end_group(build: &mut Child) -> io::Result<()> {
    if let Some(pid) = pid(build) {
        let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::TERM);
    }
    if timeout(Duration::from_secs(2), build.wait()).await.is_err() {
        build.kill().await?;
    }
    Ok(())
}
