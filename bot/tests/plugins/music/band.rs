//! A bot with a library of two-minute songs, and listeners.

use std::fs;

use sandbox::answer::Answer;
use sandbox::client::{Error, Run};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::bot::{Bot, PATIENCE, id, words};

/// Songs of the library, alphabetically.
const SONGS: [&str; 4] = ["Alpha", "Beta", "Gamma", "Delta"];
/// Sample rate in hertz.
const RATE: u32 = 8_000;
/// Length of a song in seconds.
const SECONDS: u32 = 120;

/// A bot, its library, and the Lounge with listeners.
pub(crate) struct Band {
    pub(crate) bot: Bot,
    library: TempDir,
}

impl Band {
    /// Starts a bot whose library contains the songs. No user is in a voice channel.
    pub(crate) async fn silent() -> Self {
        Self::with(Vec::new()).await
    }

    /// Starts such a bot with additional variables.
    pub(crate) async fn with(mut variables: Vec<(&'static str, String)>) -> Self {
        let library = TempDir::new().unwrap();
        for (index, song) in (1..).zip(SONGS) {
            fs::write(library.path().join(format!("{song}.wav")), tone(110 * index, SECONDS)).unwrap();
        }
        variables.push(("MUSIC_DIR", library.path().display().to_string()));
        let band = Self { bot: Bot::start_with(variables).await, library };
        // The library is indexed concurrently with the start.
        band.bot
            .until("the library is there", async || {
                (band.choices("/play what:Delta").await.len() == 1).then_some(())
            })
            .await;
        band
    }

    /// Starts such a bot with these listeners in the Lounge. Users that do not exist are created.
    pub(crate) async fn of(listeners: &[&str]) -> Self {
        let band = Self::silent().await;
        for listener in listeners {
            band.enters(listener, "Lounge").await;
        }
        band
    }

    /// Moves a user into a voice channel. Users that do not exist are created.
    pub(crate) async fn enters(&self, user: &str, channel: &str) {
        if !["alice", "bob", "carol"].contains(&user) {
            self.bot.people.create_user(user).await.unwrap();
            self.bot.people.join(&self.bot.guild(), user).await.unwrap();
        }
        self.bot.people.enter_voice(&self.bot.guild(), user, channel).await.unwrap();
    }

    /// Creates a second voice channel.
    pub(crate) async fn opens_studio(&self) {
        let studio = json!({ "name": "Studio", "type": 2 });
        self.bot.people.create_channel(&self.bot.guild(), &studio).await.unwrap();
    }

    /// Restricts the commands that affect other listeners to members with bob's role, managers, and a user who listens
    /// alone.
    pub(crate) async fn has_djs(&self) {
        let answer = self.bot.say("alice", "/settings dj_role:@Moderator vote_ratio:60").await;
        assert!(answer.is_ok() && answer.ephemeral, "{answer:?}");
    }

    /// Runs a command with a public answer. Returns its text.
    pub(crate) async fn told(&self, user: &str, command: &str) -> String {
        let answer = self.bot.say(user, command).await;
        assert!(answer.is_ok() && !answer.ephemeral && answer.callbacks == 1, "{command}: {answer:?}");
        answer.content
    }

    /// Runs a command that is refused in one sentence, which only its user sees. Returns that sentence.
    pub(crate) async fn refused(&self, user: &str, command: &str) -> String {
        refusal(&self.bot.say(user, command).await)
    }

    /// Returns the choices for the option being typed.
    pub(crate) async fn choices(&self, text: &str) -> Vec<String> {
        let answer = self.bot.people.complete(Run::typed(text).by("carol")).await.unwrap();
        let choices = answer.choices.unwrap_or_default();
        choices.iter().map(|choice| choice["name"].as_str().unwrap().to_owned()).collect()
    }

    /// Returns the text of `/queue`: the current track, the waiting ones, and the footer.
    pub(crate) async fn queue(&self) -> String {
        words(&self.bot.say("carol", "/queue").await.embeds[0])
    }

    /// Waits until about another second of the bot's sound has been received.
    pub(crate) async fn is_heard(&self) {
        let (guild, bot) = (self.bot.guild(), self.bot.id());
        let before = self.bot.people.heard(&guild, &bot).await.map_or(0, |heard| heard.counts.packets);
        let heard = self.bot.people.heard_packets(&guild, &bot, before + 50, PATIENCE).await.unwrap();
        assert!(heard.counts.packets >= before + 50, "{heard:?}");
    }

    /// Waits until a message contains all of `parts`, including its buttons. Returns the message.
    pub(crate) async fn shows(&self, message: &Value, parts: &[&str]) -> Value {
        let channel = message["channel_id"].as_str().unwrap();
        self.bot
            .message("alice", channel, |shown| {
                let seen = format!("{}\n{}", words(&shown["embeds"][0]), shown["components"]);
                shown["id"] == message["id"] && parts.iter().all(|part| seen.contains(part))
            })
            .await
    }

    /// Presses the button with that label under a message.
    pub(crate) async fn press(&self, user: &str, message: &Value, label: &str) -> Answer {
        self.presses(user, message, label).await.unwrap()
    }

    /// As [`press`](Self::press), for a button that may be gone by now.
    pub(crate) async fn presses(&self, user: &str, message: &Value, label: &str) -> Result<Answer, Error> {
        let rows = message["components"].as_array().unwrap();
        let mut buttons = rows.iter().flat_map(|row| row["components"].as_array().unwrap());
        let button = buttons.find(|button| button["label"] == label);
        let button = button.unwrap_or_else(|| panic!("there is no button {label}: {message}"));
        let custom_id = button["custom_id"].as_str().unwrap();
        self.bot.people.press(user, id(message), custom_id).await
    }

    /// Removes a song's file from the library while the bot still has it in its index.
    pub(crate) fn loses(&self, song: &str) {
        fs::remove_file(self.library.path().join(format!("{song}.wav"))).unwrap();
    }
}

/// Returns the sentence of a refusal, which only its user sees.
pub(crate) fn refusal(answer: &Answer) -> String {
    // If the bot was "thinking" first, that line is deleted and the sentence follows.
    let words = match answer.followups.as_slice() {
        [] => {
            assert!(answer.ephemeral, "{answer:?}");
            answer.content.clone()
        }
        [message] => {
            assert_eq!(message["flags"].as_u64().unwrap() & 64, 64, "{answer:?}");
            message["content"].as_str().unwrap().to_owned()
        }
        _ => panic!("{answer:?}"),
    };
    assert!(words.ends_with('.') && !words.contains('\n'), "{words}");
    words
}

/// Creates a WAV file of one tone, with 16 bits and one channel.
pub(crate) fn tone(hertz: u32, seconds: u32) -> Vec<u8> {
    let size = RATE * seconds * 2;
    let mut file = Vec::new();
    file.extend(b"RIFF");
    file.extend((36 + size).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    file.extend([1_u16, 1].map(u16::to_le_bytes).concat());
    file.extend([RATE, RATE * 2].map(u32::to_le_bytes).concat());
    file.extend([2_u16, 16].map(u16::to_le_bytes).concat());
    file.extend(b"data");
    file.extend(size.to_le_bytes());
    for sample in 0..RATE * seconds {
        // A sawtooth needs no sine.
        let phase = sample * hertz % RATE;
        let level = i32::try_from(phase * 16_000 / RATE).unwrap() - 8_000;
        file.extend(i16::try_from(level).unwrap().to_le_bytes());
    }
    file
}
