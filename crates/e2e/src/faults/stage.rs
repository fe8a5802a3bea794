//! The environment of rows: a playground with the failing plugin, a sandbox, and a host.

use std::collections::BTreeMap;
use std::process::ExitStatus;
use std::time::{Duration, Instant};
use std::{fs, io};

use sandbox::Sandbox;
use sandbox::event_log::Kind;

use super::plugin::{self, MANIFEST, PLUGIN, Place, SHARED, SOURCE, Sabotage};
use super::programs::Programs;
use super::pulse::Pulse;
use crate::bot::PATIENCE;
use crate::wait::until_registered;
use crate::{Bot, Playground};

/// The environment in which rows run.
pub struct Stage {
    /// Copy of the workspace.
    pub playground: Playground,
    /// Discord.
    pub sandbox: Sandbox,
    /// Host; `None` only while it is down.
    pub bot: Option<Bot>,
    /// Programs that the host finds.
    pub programs: Programs,
    /// Number of the failing plugin's newest source.
    version: u32,
    /// Files in their working state.
    sound: BTreeMap<&'static str, String>,
    /// Line of the host's log at which the row began.
    pub(super) from: usize,
}

impl Stage {
    /// Sets everything up and waits until the failing plugin answers.
    ///
    /// # Errors
    /// If something does not work.
    pub async fn new() -> io::Result<Self> {
        let playground = Playground::new()?;
        plugin::write(&playground, "1")?;
        let mut sound = BTreeMap::new();
        for file in [SHARED, MANIFEST] {
            sound.insert(file, playground.read(file)?);
        }
        let programs = Programs::collect(playground.path("target/programs"))?;
        let sandbox = Sandbox::builder().bot_name("Hotcord").start().await?;
        let mut stage = Self { playground, sandbox, bot: None, programs, version: 1, sound, from: 0 };
        stage.start_host().await?;
        Ok(stage)
    }

    /// Starts the host and waits until a user sees the failing plugin's answer. Returns the time that took.
    ///
    /// # Errors
    /// If it does not become ready.
    pub async fn start_host(&mut self) -> io::Result<Duration> {
        let began = Instant::now();
        let programs = self.programs.folder().display().to_string();
        let bot = Bot::start(&self.playground, &self.sandbox, &[("PATH", &programs)]).await?;
        self.bot = Some(bot);
        let version = self.version;
        self.until_answered(version).await?;
        Ok(began.elapsed())
    }

    /// Returns the host.
    ///
    /// # Errors
    /// If it is down.
    pub fn bot(&mut self) -> io::Result<&mut Bot> {
        self.bot.as_mut().ok_or_else(|| io::Error::other("the host is down"))
    }

    /// Returns the answer of the version that was live when the row began.
    pub fn old_answer(&self) -> String {
        answer(self.version)
    }

    /// Returns the answer of the next version.
    pub fn new_answer(&self) -> String {
        answer(self.version + 1)
    }

    /// Saves the next version of the failing plugin, with a sabotage in one of its places.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn save_next(&self, sabotage: Option<(Place, Sabotage)>) -> io::Result<()> {
        self.playground.save(SOURCE, &plugin::source(&(self.version + 1).to_string(), sabotage))
    }

    /// Saves the next version without a sabotage and waits until it is live. It then counts as the old one.
    ///
    /// # Errors
    /// If it does not go live.
    pub async fn succeed(&mut self) -> io::Result<()> {
        self.version += 1;
        self.from = self.bot()?.line_count();
        self.save_next(None)?;
        self.live().await?;
        Ok(())
    }

    /// Edits a file. An edit of the failing plugin's source is one of its next version, so that an answer shows its
    /// version.
    ///
    /// # Errors
    /// If the file cannot be written or does not contain `from`.
    pub fn edit(&self, file: &str, from: &str, to: &str) -> io::Result<()> {
        if file != SOURCE {
            return self.playground.edit(file, from, to);
        }
        let next = plugin::source(&(self.version + 1).to_string(), None);
        if !next.contains(from) {
            return Err(io::Error::other(format!("{file} does not hold {from:?}")));
        }
        self.playground.save(file, &next.replace(from, to))
    }

    /// Waits for a line of the host's log, since the row began, that contains `words`. Returns the line.
    ///
    /// # Errors
    /// If it does not come.
    pub async fn told(&mut self, words: &str) -> io::Result<String> {
        let from = self.from;
        self.bot()?.wait_for_line(from, words).await
    }

    /// Returns the host's log since the row began.
    pub fn said(&self) -> Vec<String> {
        self.bot.as_ref().map(|bot| bot.lines_from(self.from)).unwrap_or_default()
    }

    /// Waits until the host logs that a new generation of the failing plugin is live. Returns the line.
    ///
    /// # Errors
    /// If that does not happen.
    pub async fn live(&mut self) -> io::Result<String> {
        let from = self.from;
        self.bot()?.went_live(from, PLUGIN).await
    }

    /// Waits until the old version answers after a crash. Returns the time without answers.
    ///
    /// # Errors
    /// If the host does not come back with the old code.
    pub async fn back(&mut self) -> io::Result<Duration> {
        const WORDS: &str = "silent_ms=";
        let line = self.told(WORDS).await?;
        let number = line.split(WORDS).nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok());
        self.until_answered(self.version).await?;
        number.map(Duration::from_millis).ok_or_else(|| io::Error::other(line))
    }

    /// Returns how many events of one kind the sandbox has recorded.
    pub fn count(&self, kind: Kind) -> u64 {
        self.sandbox.event_log().count(kind)
    }

    /// Runs a command as alice, once it is registered. Returns the answer.
    ///
    /// # Errors
    /// If it is never registered.
    pub async fn say(&self, command: &str) -> io::Result<sandbox::Answer> {
        let client = self.sandbox.client();
        let began = Instant::now();
        loop {
            match client.say(command).await {
                Ok(answer) => return Ok(answer),
                Err(error) if began.elapsed() > PATIENCE => return Err(io::Error::other(error.to_string())),
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    }

    /// Repairs everything and waits until a working version is live and users see it. `anew` starts another host for
    /// that.
    ///
    /// # Errors
    /// If it does not go live.
    pub async fn mend(&mut self, anew: bool) -> io::Result<()> {
        if anew && let Some(bot) = self.bot.take() {
            bot.kill().await?;
        }
        self.programs.mend()?;
        self.version += 2;
        for (file, sound) in &self.sound {
            if self.playground.read(file).ok().as_ref() != Some(sound) {
                self.playground.save(file, sound)?;
            }
        }
        self.playground.save(SOURCE, &plugin::source(&self.version.to_string(), None))?;
        if anew {
            self.start_host().await?;
        } else {
            self.until_answered(self.version).await?;
        }
        self.until_registered().await
    }

    /// Waits until Discord has the command as a working version defines it. A request for that which is still on its way
    /// would meet a fault of the next row.
    async fn until_registered(&self) -> io::Result<()> {
        until_registered(&self.sandbox, |command| {
            command["name"] == "pulse" && command["description"] == plugin::DESCRIPTION
        })
        .await
    }

    /// Returns the folder into which the failing plugin is built.
    pub fn output(&self) -> std::path::PathBuf {
        self.playground.path(&format!("target/hmr/plugins/{}", PLUGIN.replace('/', "-")))
    }

    /// Removes a folder of sources.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub fn remove(&self, folder: &str) -> io::Result<()> {
        fs::remove_dir_all(self.playground.path(folder))
    }

    /// Stops the host as a service manager does. Returns its exit status, unless it was down.
    ///
    /// # Errors
    /// If it does not end.
    pub async fn end(mut self) -> io::Result<Option<ExitStatus>> {
        match self.bot.take() {
            Some(bot) => bot.stop().await.map(Some),
            None => Ok(None),
        }
    }

    async fn until_answered(&mut self, version: u32) -> io::Result<()> {
        let pulse = Pulse::start(&self.sandbox, "/pulse");
        let answered = pulse.answers(&answer(version), PATIENCE).await;
        drop(pulse);
        if answered {
            return Ok(());
        }
        let said = self.bot()?.lines_from(0).join("\n");
        Err(io::Error::other(format!("version {version} does not answer; the host said:\n{said}")))
    }
}

fn answer(version: u32) -> String {
    format!("version {version}")
}
