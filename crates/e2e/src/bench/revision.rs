//! Another revision of this repository, which is edited in turn with this one.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use sandbox::Sandbox;

use super::edited::Edited;
use super::until_answer;
use crate::Bot;
use crate::bot::command_without_variables;
use crate::playground::workspace;

/// Longest time until its host is ready: it is compiled first.
const FIRST_START: Duration = Duration::from_mins(40);

/// The development host of a revision, in a clone of its own, on a sandbox of its own.
///
/// It is started by that revision's `./dev-env.sh hmr --local`, and observed only through its answers and by which
/// plugin a line of its log names, so that it may differ from this revision in everything else.
pub(super) struct Revision {
    clone: PathBuf,
    sandbox: Sandbox,
    bot: Bot,
    /// Its measured plugins.
    edited: [Edited; 3],
}

impl Revision {
    /// Builds and starts it. A clone from an earlier run is used again, with what was built in it.
    ///
    /// # Errors
    /// If git does not know the revision, or its host does not become ready.
    pub(super) async fn start(revision: &str) -> io::Result<Self> {
        let here = workspace();
        let hash = git(&here, &["rev-parse", "--verify", "--quiet", &format!("{revision}^{{commit}}")])
            .map_err(|_| io::Error::other(format!("--against {revision}: git knows no such commit")))?;
        let clone = here.join("target/bench-against").join(&hash);
        if !clone.join(".git").is_dir() {
            std::fs::create_dir_all(&clone)?;
            let from = here.display().to_string();
            git(&clone, &["clone", "--quiet", "--no-checkout", &from, "."])?;
        }
        git(&clone, &["checkout", "--quiet", "--force", "--detach", &hash])?;
        git(&clone, &["clean", "--quiet", "-d", "--force"])?;
        let edited = Edited::all(&clone)?;
        let sandbox = Sandbox::builder().bot_name("Hotcord").start().await?;
        let mut bot = Bot::of(start(&clone, &sandbox).into())?;
        bot.wait_within(FIRST_START, 0, "ready", |line| line.contains(": ready ")).await?;
        Ok(Self { clone, sandbox, bot, edited })
    }

    /// Makes an edit of the plugin at `index`. Returns the milliseconds until the first new answer.
    ///
    /// # Errors
    /// If it does not come to be live.
    pub(super) async fn reload(&mut self, index: usize, answer: &str) -> io::Result<f64> {
        let edited = &self.edited[index];
        let (plugin, lines) = (edited.plugin(), self.bot.line_count());
        let began = Instant::now();
        edited.save(&self.clone, "commands", answer)?;
        // Requests before that would use the processors on which the compiler is measured.
        self.bot.wait_for(lines, &format!("what became of {plugin}"), |line| line.contains(&plugin)).await?;
        until_answer(&self.sandbox, &edited.command, Some(answer), began).await
    }

    /// Ends its host.
    ///
    /// # Errors
    /// If it does not end.
    pub(super) async fn stop(mut self) -> io::Result<()> {
        self.bot.signal_group(Signal::TERM)?;
        self.bot.ended().await.map(|_| ())
    }
}

impl Drop for Revision {
    fn drop(&mut self) {
        // If the run fails, its shell would be killed and its host left.
        let _ = self.bot.signal_group(Signal::TERM);
    }
}

/// Returns the command that starts its host, for a sandbox.
fn start(clone: &Path, sandbox: &Sandbox) -> Command {
    let mut command = command_without_variables("bash");
    command
        .args(["dev-env.sh", "hmr", "--local"])
        .current_dir(clone)
        .process_group(0)
        .env("DISCORD_TOKEN", sandbox.token())
        .env("DISCORD_API_URL", sandbox.url())
        .env("TEST_GUILD_ID", sandbox.guild_id().to_string());
    command
}

/// Runs git in a folder. Returns its output without the line break at the end.
fn git(folder: &Path, words: &[&str]) -> io::Result<String> {
    let output = Command::new("git").args(words).current_dir(folder).stdin(Stdio::null()).output()?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
    } else {
        let words = words.join(" ");
        Err(io::Error::other(format!("git {words} failed: {}", String::from_utf8_lossy(&output.stderr))))
    }
}
