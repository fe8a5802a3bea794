//! Voice: members in it, moderation, and the audio that the servers receive.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::run::millis;
use super::{Client, Error, escape};
use crate::voice::{Command, Heard, Target, wav};

impl Client {
    /// Moves a user into a voice channel. A bot that is in voice is moved as by a moderator.
    pub async fn enter_voice(&self, guild: &str, user: &str, channel: &str) -> Result<(), Error> {
        self.tell(Method::PUT, &seat(guild, user, ""), &json!({ "channel": channel })).await
    }

    /// Makes a member a speaker of the stage that they are on, or moves them into its audience, as a moderator does.
    pub async fn suppress_voice(&self, guild: &str, user: &str, suppress: bool) -> Result<(), Error> {
        self.tell(Method::PATCH, &seat(guild, user, ""), &json!({ "suppress": suppress })).await
    }

    /// Removes a user from voice. A bot is disconnected as by a moderator.
    pub async fn leave_voice(&self, guild: &str, user: &str) -> Result<(), Error> {
        self.tell(Method::DELETE, &seat(guild, user, ""), &json!({})).await
    }

    /// Returns the voice states of a guild, each with `name`, `channel` by name, `bot` and `connection`.
    pub async fn voice(&self, guild: &str) -> Result<Vec<Value>, Error> {
        self.get(&format!("guilds/{}/voice", escape(guild))).await
    }

    /// Returns the voice servers: `endpoints` by region, and the `root_certificate` that clients must trust, as PEM.
    pub async fn voice_servers(&self) -> Result<Value, Error> {
        self.get("voice").await
    }

    /// Returns what was received from a user.
    pub async fn heard(&self, guild: &str, user: &str) -> Result<Heard, Error> {
        self.get(&seat(guild, user, "/heard")).await
    }

    /// Returns what was received from a user once that many packets have arrived, or after a time.
    pub async fn heard_packets(
        &self,
        guild: &str,
        user: &str,
        packets: u64,
        within: Duration,
    ) -> Result<Heard, Error> {
        let wait = format!("/heard?packets={packets}&within_ms={}", millis(within));
        self.get(&seat(guild, user, &wait)).await
    }

    /// Returns the audio received from a user as a WAV file: from frame `from` on, at 48,000 frames per second, as far
    /// as it is kept.
    pub async fn heard_wav(&self, guild: &str, user: &str, from: u64) -> Result<Vec<u8>, Error> {
        let path = self.address(&seat(guild, user, &format!("/heard.wav?from={from}")));
        let response = self.respond(self.http.get(path)).await?;
        let bytes = response.bytes().await;
        bytes.map(Into::into).map_err(|source| Error::Garbled { url: self.url.clone(), source })
    }

    /// Returns the same as samples, left and right in turns.
    pub async fn heard_samples(&self, guild: &str, user: &str, from: u64) -> Result<Vec<i16>, Error> {
        let file = self.heard_wav(guild, user, from).await?;
        wav::read(&file).ok_or_else(|| Error::Refused(format!("{} sent no WAV file of its own", self.url)))
    }

    /// Deletes what was received from a user.
    pub async fn forget_heard(&self, guild: &str, user: &str) -> Result<(), Error> {
        self.tell(Method::DELETE, &seat(guild, user, "/heard"), &json!({})).await
    }

    /// Moves a channel's call to the server of a region; without a name, of the next one.
    pub async fn change_region(
        &self,
        guild: &str,
        channel: &str,
        region: Option<&str>,
    ) -> Result<Value, Error> {
        let path = format!("guilds/{}/channels/{}/region", escape(guild), escape(channel));
        self.call(Method::PUT, &path, &json!({ "region": region })).await
    }

    /// Sends a command to live voice connections, and returns their number.
    pub async fn voice_command(&self, target: Target, command: &Command) -> Result<Value, Error> {
        self.call(Method::POST, "voice/connections", &json!({ "target": target, "command": command })).await
    }

    /// Sends an effect in the voice channel that a user is in: `sound` by id, with `source_guild` if it is from another,
    /// or `emoji`.
    pub async fn send_effect(&self, guild: &str, user: &str, effect: &Value) -> Result<(), Error> {
        self.tell(Method::POST, &seat(guild, user, "/effects"), effect).await
    }
}

fn seat(guild: &str, user: &str, rest: &str) -> String {
    format!("guilds/{}/voice/{}{rest}", escape(guild), escape(user))
}
