//! A bot that plays: a library of songs, and guilds with a voice channel and a listener each.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sandbox::client::Run;
use sandbox::event_log::Kind;
use sandbox::snowflake::Snowflake;
use sandbox::voice::{Heard, Options};
use sandbox::{Answer, Sandbox};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::bot::PATIENCE;
use crate::song::{self, Place, RATE, Song};
use crate::wait::{until, until_registered};
use crate::{Bot, Playground};

/// Minimum similarity of received sound to its song, after resampling and Opus.
pub const ALIKE: f64 = 0.9;

/// Titles of the songs, one for each room.
const TITLES: [&str; 4] = ["Adagio", "Barcarole", "Courante", "Dirge"];
/// Loudness below which received sound is noise of the codec.
const FAINT: f32 = 0.03;
/// Number of frames that are compared to find a position.
const STRETCH: u64 = RATE as u64 / 2;
/// Channel in which commands are run.
const TEXT: &str = "bot-test";

/// Options of a music host.
pub struct MusicOptions {
    /// Number of guilds, each with a channel, a listener and a song of its own; at most four.
    pub rooms: usize,
    /// Length of the songs in seconds.
    pub seconds: u32,
    /// Options of the voice servers.
    pub voice: Options,
    /// Folder to use as library instead of the songs.
    pub music: Option<PathBuf>,
}

impl Default for MusicOptions {
    fn default() -> Self {
        Self { rooms: 1, seconds: 300, voice: Options::default(), music: None }
    }
}

/// A bot that can play, and its listeners.
pub struct MusicTestHost {
    /// Copy of the workspace in which the host runs.
    pub playground: Playground,
    /// Discord.
    pub sandbox: Sandbox,
    /// The host.
    pub bot: Bot,
    /// One room for each guild.
    pub rooms: Vec<Room>,
    /// Library.
    _folder: TempDir,
}

/// A guild's voice channel, and its listener.
pub struct Room {
    /// Guild.
    pub guild: Snowflake,
    /// Voice channel.
    pub channel: Snowflake,
    /// Name of the listener.
    pub listener: String,
    /// Title of the song.
    pub title: &'static str,
    /// Song that is played here.
    pub song: Song,
}

impl MusicTestHost {
    /// Starts everything in a fresh copy of the workspace. Nothing plays yet.
    ///
    /// # Errors
    /// If something does not start.
    pub async fn new(program: MusicOptions) -> io::Result<Self> {
        Self::on(Playground::new()?, program).await
    }

    /// Starts everything in a prepared playground.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub async fn on(playground: Playground, program: MusicOptions) -> io::Result<Self> {
        let MusicOptions { rooms: count, seconds, voice, music } = program;
        let folder = tempfile::tempdir()?;
        let sandbox = Sandbox::builder().bot_name("Hotcord").voice(voice).start().await?;
        let library = folder.path().join("music");
        std::fs::create_dir(&library)?;
        let mut rooms = Vec::new();
        for (number, title) in (1..).zip(TITLES).take(count) {
            rooms.push(Room::open(&sandbox, number, title, seconds, &library).await?);
        }
        let library = music.unwrap_or(library);
        let bot = Bot::start(&playground, &sandbox, &[("MUSIC_DIR", &library.display().to_string())]).await?;
        let host = Self { playground, sandbox, bot, rooms, _folder: folder };
        host.register().await?;
        Ok(host)
    }

    /// Registers the commands in the other guilds too. A bot in development registers them only in its test guild.
    async fn register(&self) -> io::Result<()> {
        until_registered(&self.sandbox, |command| command["name"] == "voteskip").await?;
        let path =
            |guild: &Snowflake| format!("applications/{}/guilds/{guild}/commands", self.sandbox.bot_id());
        let mut commands = self.rest("GET", &path(&self.sandbox.guild_id()), None).await?;
        for command in commands.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
            for told in ["id", "application_id", "guild_id", "version"] {
                command.remove(told);
            }
        }
        for room in self.rooms.iter().filter(|room| room.guild != self.sandbox.guild_id()) {
            self.rest("PUT", &path(&room.guild), Some(&commands)).await?;
        }
        Ok(())
    }

    /// Sends a REST request with the bot's token, bypassing the bot. Waits out rate limits, which the bot's requests count
    /// against too.
    ///
    /// # Errors
    /// If Discord refuses it.
    pub async fn rest(&self, method: &str, path: &str, body: Option<&Value>) -> io::Result<Value> {
        let http = reqwest::Client::builder().no_proxy().build().map_err(io::Error::other)?;
        let method = method.parse().map_err(io::Error::other)?;
        let mut request = http.request(method, format!("{}/{path}", self.sandbox.api_url()));
        request = request.header("authorization", format!("Bot {}", self.sandbox.token()));
        if let Some(body) = body {
            request = request.json(body);
        }
        loop {
            let again = request.try_clone().ok_or_else(|| io::Error::other("the body is no stream"))?;
            let response = again.send().await.map_err(io::Error::other)?;
            if response.status() == reqwest::StatusCode::TOO_MANY_REQUESTS {
                let limit: Value = response.json().await.map_err(io::Error::other)?;
                let wait = limit["retry_after"].as_f64().unwrap_or(1.0);
                tokio::time::sleep(Duration::from_secs_f64(wait)).await;
                continue;
            }
            let response = response.error_for_status().map_err(io::Error::other)?;
            return response.json().await.map_err(io::Error::other);
        }
    }

    /// Runs a command as a room's listener.
    ///
    /// # Errors
    /// If Discord does not know the command.
    pub async fn say(&self, room: &Room, command: &str) -> io::Result<Answer> {
        let run = || Run::typed(command).by(&room.listener).at(TEXT).in_guild(room.guild.to_string());
        self.sandbox.client().run(run()).await.map_err(io::Error::other)
    }

    /// Plays a room's song from its beginning. Returns the position in it as soon as it can be heard.
    ///
    /// # Errors
    /// If it cannot be heard.
    pub async fn play(&self, room: &Room) -> io::Result<Moment> {
        let client = self.sandbox.client();
        let choices = Run::typed(format!("/play what:{}", room.title))
            .by(&room.listener)
            .at(TEXT)
            .in_guild(room.guild.to_string());
        until("the library is there", async || {
            let answer = client.complete(choices.clone()).await.ok()?;
            (answer.choices?.len() == 1).then_some(())
        })
        .await?;
        let from = self.position(room);
        let answer = self.say(room, &format!("/play what:{} where:now", room.title)).await?;
        if answer.content != format!("Playing **{}**.", room.title) {
            return Err(io::Error::other(format!("/play: {answer:?}")));
        }
        self.hear(room, from, 0.0..15.0).await
    }

    /// Returns the number of frames received from the bot in a room.
    pub fn position(&self, room: &Room) -> u64 {
        self.heard(room).map_or(0, |heard| heard.position)
    }

    /// Returns the statistics of the bot's sound in a room.
    pub fn heard(&self, room: &Room) -> Option<Heard> {
        self.sandbox.voice().heard(room.guild, self.sandbox.bot_id())
    }

    /// Returns frames of the bot's sound in a room, left and right alternating.
    pub fn samples(&self, room: &Room, from: u64, frames: u64) -> Vec<i16> {
        let frames = usize::try_from(frames).unwrap_or(usize::MAX);
        self.sandbox.voice().pcm(room.guild, self.sandbox.bot_id(), from, frames)
    }

    /// Waits until frames up to this one were received from the bot in a room.
    ///
    /// # Errors
    /// If they do not arrive.
    pub async fn until_heard(&self, room: &Room, frame: u64) -> io::Result<()> {
        let enough = |heard: &Heard| heard.position >= frame;
        let heard =
            self.sandbox.voice().heard_when(room.guild, self.sandbox.bot_id(), PATIENCE, enough).await;
        if heard.is_some_and(|heard| enough(&heard)) {
            return Ok(());
        }
        let said = self.bot.lines_from(0).join("\n");
        Err(io::Error::other(format!("{} is not heard; the host said:\n{said}", room.title)))
    }

    /// Waits until the song can be heard from frame `from` of the received sound on. Searches for its position within
    /// these seconds of the song, and returns it with the frame.
    ///
    /// # Errors
    /// If nothing, or something else, is received.
    pub async fn hear(&self, room: &Room, from: u64, seconds: Range<f64>) -> io::Result<Moment> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Seconds of a song.
        let frame = |seconds: f64| (seconds.max(0.0) * f64::from(RATE)) as u64;
        let mut heard = from;
        loop {
            // Silence, or another song, may be received for a moment before this one.
            heard += STRETCH;
            self.until_heard(room, heard + STRETCH).await?;
            let stretch = song::left(&self.samples(room, heard, STRETCH));
            if stretch.iter().all(|sample| sample.abs() < FAINT) {
                continue;
            }
            let song = room.song.find(&stretch, frame(seconds.start)..frame(seconds.end));
            if song.correlation > ALIKE {
                return Ok(Moment { heard, song });
            }
            if heard > from + 20 * u64::from(RATE) {
                return Err(io::Error::other(format!("{} is not what is heard: {song:?}", room.title)));
            }
        }
    }

    /// Returns the number of voice sessions that the bot has begun.
    pub fn joins(&self) -> u64 {
        self.sandbox.event_log().count(Kind::VoiceIdentified)
    }

    /// Returns whether the bot is in a voice channel of a room's guild.
    ///
    /// # Errors
    /// If Discord does not respond.
    pub async fn is_in(&self, room: &Room) -> io::Result<bool> {
        let states = self.sandbox.client().voice(&room.guild.to_string()).await.map_err(io::Error::other)?;
        let bot = self.sandbox.bot_id().to_string();
        Ok(states.iter().any(|state| state["user_id"] == bot.as_str()))
    }
}

/// A moment of the received sound, and its position in the song.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moment {
    /// Frame of the received sound.
    pub heard: u64,
    /// Position in the song.
    pub song: Place,
}

impl Room {
    /// Creates a guild, or uses the sandbox's own as the first, with a listener in its voice channel.
    async fn open(
        sandbox: &Sandbox,
        number: u32,
        title: &'static str,
        seconds: u32,
        library: &Path,
    ) -> io::Result<Self> {
        let of_sandbox = io::Error::other::<sandbox::client::Error>;
        let client = sandbox.client();
        let song = Song::new(number, seconds);
        song.write(&library.join(format!("{title}.wav")))?;
        let listener = format!("listener{number}");
        client.create_user(&listener).await.map_err(of_sandbox)?;
        let guild = if number == 1 {
            sandbox.guild_id()
        } else {
            let made = client.create_guild(&format!("Guild {number}"), "alice").await.map_err(of_sandbox)?;
            let guild = id(&made)?;
            let text = json!({ "name": TEXT });
            client.create_channel(&guild.to_string(), &text).await.map_err(of_sandbox)?;
            guild
        };
        let name = guild.to_string();
        client.join(&name, &listener).await.map_err(of_sandbox)?;
        let channel = id(&client.create_channel(&name, &stage()).await.map_err(of_sandbox)?)?;
        client.enter_voice(&name, &listener, &channel.to_string()).await.map_err(of_sandbox)?;
        Ok(Self { guild, channel, listener, title, song })
    }
}

impl Room {
    /// Restores the voice channel, with only its listener in it, whatever was done to it.
    ///
    /// # Errors
    /// If Discord refuses.
    pub async fn reopen(&mut self, sandbox: &Sandbox) -> io::Result<()> {
        let of_sandbox = io::Error::other::<sandbox::client::Error>;
        let (client, guild) = (sandbox.client(), self.guild.to_string());
        if !sandbox.discord().lock().channels.contains_key(&self.channel) {
            self.channel = id(&client.create_channel(&guild, &stage()).await.map_err(of_sandbox)?)?;
        }
        for state in client.voice(&guild).await.map_err(of_sandbox)? {
            let user = state["user_id"].as_str().unwrap_or_default();
            client.leave_voice(&guild, user).await.map_err(of_sandbox)?;
        }
        client.enter_voice(&guild, &self.listener, &self.channel.to_string()).await.map_err(of_sandbox)
    }
}

fn stage() -> Value {
    json!({ "name": "stage", "type": 2 })
}

fn id(object: &Value) -> io::Result<Snowflake> {
    let id = object["id"].as_str().and_then(|id| id.parse().ok());
    id.ok_or_else(|| io::Error::other(format!("no id: {object}")))
}
