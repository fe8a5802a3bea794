//! Faults of voice while a song plays, and the bot's reaction.
//!
//! # Theory of operation
//!
//! Each row begins with a listener who hears the song from its beginning. Then the fault happens. The bot's own log,
//! the received sound, the voice sessions that it begins and its messages where the music was requested have to match
//! the row. A bot that has given up or left must not do anything more: it must not connect or join a channel.

use std::io;
use std::time::{Duration, Instant};

use sandbox::event_log::Kind;
use sandbox::snowflake::Snowflake;

use super::Outcome;
use crate::bot::PATIENCE;
use crate::music_host::{Moment, MusicOptions, MusicTestHost};
use crate::wait::until;

pub mod scenarios;
pub mod table;

pub use table::ROWS;

/// Time for which a bot that has left has to be silent.
const SILENT_FOR: Duration = Duration::from_secs(3);
/// Maximum number of connections in any row: five attempts, and songbird's own second try of each.
const MOST_CONNECTS: u64 = 10;
/// Range in seconds in which the song may continue: a bot that is not connected plays nothing meanwhile.
const NEAR: f64 = 30.0;

/// A fault of voice and its expected outcome.
#[derive(Clone, Copy)]
pub struct Row {
    /// Description of the fault.
    pub name: &'static str,
    /// The fault.
    pub fault: Fault,
    /// The expected outcome.
    pub ending: Ending,
    /// Number of voice sessions that the bot begins because of it.
    pub joins: u64,
    /// Text that has to be in the bot's message about it.
    pub told: &'static str,
}

/// What is done to cause the fault.
#[derive(Clone, Copy)]
pub enum Fault {
    /// The voice gateway closes the connection with this code.
    Close(u16),
    /// The same, and again at each IDENTIFY.
    CloseAlways(u16),
    /// Anything else.
    Scenario(scenarios::Scenario),
}

/// The outcome of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The song continues, and there is no message.
    PlaysOn,
    /// The song continues in another channel.
    Moves,
    /// The connection is lost, a new one is made, and the song continues.
    Rejoins,
    /// The bot leaves, with a message about the reason where the music was requested.
    GivesUp,
    /// The bot was disconnected, with a message about that.
    Leaves,
}

impl Ending {
    /// Returns the text of the bot's log about it.
    const fn words(self) -> &'static str {
        match self {
            Self::PlaysOn => "",
            Self::Moves => "what=moved from ",
            Self::Rejoins => "what=connection restored after ",
            Self::GivesUp => "what=gave up: ",
            Self::Leaves => "what=left: ",
        }
    }
}

/// The environment in which rows run.
pub struct Stage {
    /// A bot that plays, its sandbox, and one room.
    pub host: MusicTestHost,
    /// Line of the bot's log at which the row began.
    from: usize,
}

impl Stage {
    /// Sets everything up.
    ///
    /// # Errors
    /// If something does not start.
    pub async fn new() -> io::Result<Self> {
        // So that a missing heartbeat acknowledgement is noticed soon.
        let voice = sandbox::voice::Options {
            heartbeat_interval: Duration::from_secs(2),
            ..sandbox::voice::Options::default()
        };
        let host = MusicTestHost::new(MusicOptions { voice, ..MusicOptions::default() }).await?;
        Ok(Self { host, from: 0 })
    }

    /// Removes what the row before has left, and plays the song from its beginning. Returns the moment at which it can
    /// be heard.
    async fn play(&mut self) -> io::Result<Moment> {
        let client = self.host.sandbox.client();
        client.remove_fault(None).await.map_err(io::Error::other)?;
        let host = &mut self.host;
        let (guild, bot) = (host.rooms[0].guild.to_string(), host.sandbox.bot_id().to_string());
        if host.is_in(&host.rooms[0]).await? {
            let lines = host.bot.line_count();
            client.leave_voice(&guild, &bot).await.map_err(io::Error::other)?;
            host.bot.wait_for_line(lines, Ending::Leaves.words()).await?;
        }
        host.rooms[0].reopen(&host.sandbox).await?;
        host.play(&host.rooms[0]).await
    }

    /// Returns the number of connections to voice servers.
    fn connects(&self) -> u64 {
        self.host.sandbox.event_log().count(Kind::VoiceConnected)
    }

    /// Returns the bot's log messages about voice since the row began.
    fn said(&self) -> Vec<String> {
        let lines = self.host.bot.lines_from(self.from);
        let said = lines.iter().filter_map(|line| line.split_once("what=").map(|(_, what)| what.to_owned()));
        said.collect()
    }

    /// Returns the bot's messages in the text channel after a message.
    async fn written(&self, after: Snowflake) -> io::Result<Vec<String>> {
        let client = self.host.sandbox.client();
        let messages = client.messages("alice", "bot-test", 20).await.map_err(io::Error::other)?;
        let is_new = |message: &&serde_json::Value| {
            let id = message["id"].as_str().and_then(|id| id.parse::<Snowflake>().ok());
            id.is_some_and(|id| id > after) && message["author"]["bot"] == true
        };
        let content =
            |message: &serde_json::Value| message["content"].as_str().unwrap_or_default().to_owned();
        Ok(messages.iter().filter(is_new).map(content).collect())
    }

    /// Stops the bot as a service manager does.
    ///
    /// # Errors
    /// If it does not end.
    pub async fn end(self) -> io::Result<()> {
        self.host.bot.stop().await.map(|_| ())
    }
}

/// Runs a row. Returns the outcome.
///
/// # Errors
/// If the song cannot be heard in the first place.
pub async fn run(row: &Row, stage: &mut Stage) -> io::Result<Outcome> {
    let before = stage.play().await?;
    let client = stage.host.sandbox.client();
    let messages = client.messages("alice", "bot-test", 1).await.map_err(io::Error::other)?;
    let newest = messages.last().and_then(|message| message["id"].as_str()?.parse().ok()).unwrap_or_default();
    stage.from = stage.host.bot.line_count();
    let (joins, connects) = (stage.host.joins(), stage.connects());
    let began = Instant::now();
    let mut outcome = Outcome::of(row.name);
    let ended = async {
        strike(row, stage).await?;
        if row.ending == Ending::PlaysOn {
            return Ok(());
        }
        let from = stage.from;
        stage.host.bot.wait_for_line(from, row.ending.words()).await.map(|_| ())
    };
    let ended = ended.await.map(|()| began.elapsed());
    match (ended, row.ending) {
        (Err(error), _) => outcome.wrong.push(error.to_string()),
        (Ok(after), Ending::GivesUp | Ending::Leaves) => {
            is_out(row, stage, newest, &mut outcome).await?;
            outcome.answers = format!("out after {} ms", after.as_millis());
        }
        (Ok(_), _) => goes_on(stage, before, &mut outcome).await,
    }
    let begun = stage.host.joins() - joins;
    if begun != row.joins {
        outcome.wrong.push(format!("it has begun {begun} voice sessions, not {}", row.joins));
    }
    let connects = stage.connects() - connects;
    if connects > MOST_CONNECTS {
        outcome.wrong.push(format!("it has connected {connects} times"));
    }
    outcome.answers += &format!(", {begun} joins, {connects} connects");
    let said = stage.said();
    if row.ending == Ending::PlaysOn && !said.is_empty() {
        outcome.wrong.push("it tells of something".to_owned());
    }
    if !said.iter().any(|said| said.contains(row.told)) && !row.told.is_empty() {
        outcome.wrong.push(format!("it does not say {:?}", row.told));
    }
    outcome.observed = if said.is_empty() { "nothing to tell".to_owned() } else { said.join("; ") };
    Ok(outcome)
}

async fn strike(row: &Row, stage: &mut Stage) -> io::Result<()> {
    match row.fault {
        Fault::Close(code) => scenarios::close(stage, code).await,
        Fault::CloseAlways(code) => {
            scenarios::close_at_identify(stage, code).await?;
            scenarios::close(stage, code).await
        }
        Fault::Scenario(run) => run(stage).await,
    }
}

/// Checks that the song continues where it was.
async fn goes_on(stage: &Stage, before: Moment, outcome: &mut Outcome) {
    let room = &stage.host.rooms[0];
    let from = stage.host.position(room);
    let begins = before.song.seconds();
    match stage.host.hear(room, from, begins..begins + NEAR).await {
        Ok(after) => {
            let (seconds, alike) = (after.song.seconds(), after.song.correlation);
            outcome.answers = format!("played on at {seconds:.1} s (correlation {alike:.3})");
        }
        Err(error) => outcome.wrong.push(format!("it does not play on: {error}")),
    }
}

/// Checks that the bot has left, sends one sentence about it, and does not come back.
async fn is_out(row: &Row, stage: &Stage, newest: Snowflake, outcome: &mut Outcome) -> io::Result<()> {
    let host = &stage.host;
    let room = &host.rooms[0];
    let out = until("the bot is out", async || (!host.is_in(room).await.ok()?).then_some(())).await;
    out.err().into_iter().for_each(|error| outcome.wrong.push(error.to_string()));
    let told = async || stage.written(newest).await.ok().filter(|written| !written.is_empty());
    match tokio::time::timeout(PATIENCE, until("it tells so", told)).await {
        Ok(Ok(written)) => {
            let sentence = written.join("\n");
            let is_one = written.len() == 1 && sentence.lines().count() == 1 && sentence.ends_with('.');
            if !is_one || !sentence.contains(row.told) {
                outcome.wrong.push(format!("it wrote {written:?}"));
            }
        }
        _ => outcome.wrong.push("it wrote nothing where the music was asked for".to_owned()),
    }
    let connects = stage.connects();
    // No event shows that nothing happens.
    tokio::time::sleep(SILENT_FOR).await;
    if stage.connects() != connects {
        outcome.wrong.push("it connects again though it is out for good".to_owned());
    }
    Ok(())
}
