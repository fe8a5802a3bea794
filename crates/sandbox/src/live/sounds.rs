//! The soundboard: sounds of guilds, and effects in voice channels.

use serde_json::{Value, json};

use super::{Live, Notice, changes};
use crate::error::{ApiError, ApiResult};
use crate::gateway::Intents;
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::state::File;
use crate::state::sound::{Sound, defaults};
use crate::validate::reaction::Emoji;

/// Fields of a sound in the audit log.
const FIELDS: &[&str] = &["name", "volume", "emoji_id", "emoji_name", "sound_id", "guild_id", "available"];

/// An effect in a voice channel.
#[derive(Debug, Clone)]
pub enum Effect {
    /// A sound, and the guild that it is from if that is another.
    Sound(Snowflake, Option<Snowflake>),
    /// An emoji that flies over the channel.
    Emoji(Emoji),
}

impl Live<'_> {
    /// Adds a sound to a guild. The limit depends on its boosts.
    pub fn add_sound(
        &mut self,
        guild_id: Snowflake,
        sound: Sound,
        file: File,
        reason: Option<&str>,
    ) -> ApiResult<()> {
        self.check_emoji_of(guild_id, &sound)?;
        let guild = self.guild_mut(guild_id)?;
        if guild.sounds.len() >= guild.perks.sound_slots() {
            return Err(ApiError::max_sounds(guild.perks.sound_slots()));
        }
        let (id, by) = (sound.id, sound.creator);
        guild.sounds.insert(id, sound);
        self.files.insert(id, file);
        self.sound_event(guild_id, id, "GUILD_SOUNDBOARD_SOUND_CREATE");
        let made = changes::between(&Value::Null, &self.sound_now(guild_id, id), FIELDS);
        self.audit(guild_id, 130, by, Some(id), reason, made);
        Ok(())
    }

    /// Replaces a sound of a guild, if anything has changed.
    pub fn change_sound(
        &mut self,
        guild_id: Snowflake,
        sound: Sound,
        by: Snowflake,
        reason: Option<&str>,
    ) -> ApiResult<()> {
        self.check_emoji_of(guild_id, &sound)?;
        let id = sound.id;
        let before = self.sound_now(guild_id, id);
        self.guild_mut(guild_id)?.sounds.insert(id, sound);
        let changed = changes::between(&before, &self.sound_now(guild_id, id), FIELDS);
        if !changed.is_empty() {
            self.sound_event(guild_id, id, "GUILD_SOUNDBOARD_SOUND_UPDATE");
            self.audit(guild_id, 131, by, Some(id), reason, changed);
        }
        Ok(())
    }

    /// Deletes a sound of a guild.
    pub fn remove_sound(
        &mut self,
        guild_id: Snowflake,
        id: Snowflake,
        by: Snowflake,
        reason: Option<&str>,
    ) -> ApiResult<()> {
        let lost = changes::between(&self.sound_now(guild_id, id), &Value::Null, FIELDS);
        let gone = self.guild_mut(guild_id)?.sounds.shift_remove(&id);
        gone.ok_or_else(ApiError::unknown_sound)?;
        self.files.remove(&id);
        let event = json!({ "sound_id": id, "guild_id": guild_id });
        self.dispatch_guild(guild_id, "GUILD_SOUNDBOARD_SOUND_DELETE", event);
        self.audit(guild_id, 132, by, Some(id), reason, lost);
        Ok(())
    }

    /// Sends the event of several changed sounds of a guild.
    pub(super) fn sounds_changed(&self, guild: Snowflake) {
        if let Some(guild) = self.guilds.get(&guild) {
            let event = json!({ "guild_id": guild.id, "soundboard_sounds": self.sounds_json(guild) });
            self.dispatch_guild(guild.id, "GUILD_SOUNDBOARD_SOUNDS_UPDATE", event);
        }
    }

    /// Returns a sound without its user, as it is now.
    fn sound_now(&self, guild: Snowflake, id: Snowflake) -> Value {
        let guild = self.guilds.get(&guild);
        let found = guild.and_then(|guild| Some(guild.sound_json(guild.sounds.get(&id)?, None)));
        found.unwrap_or_default()
    }

    fn sound_event(&self, guild_id: Snowflake, id: Snowflake, name: &'static str) {
        let Some(guild) = self.guilds.get(&guild_id) else { return };
        if let Some(sound) = guild.sounds.get(&id) {
            self.dispatch_guild(guild_id, name, guild.sound_json(sound, self.users.get(&sound.creator)));
        }
    }

    fn check_emoji_of(&self, guild: Snowflake, sound: &Sound) -> ApiResult<()> {
        let guild = self.guilds.get(&guild).ok_or_else(ApiError::unknown_guild)?;
        match sound.emoji_id {
            Some(id) if !guild.emojis.contains_key(&id) => Err(ApiError::invalid_emoji()),
            _ => Ok(()),
        }
    }

    /// Plays a sound or shows an emoji in a voice channel, as a member who is connected to it and can be heard there.
    pub fn send_effect(&mut self, channel_id: Snowflake, user: Snowflake, effect: &Effect) -> ApiResult<()> {
        let channel = self.channel_for(channel_id, user, Permissions::NONE)?;
        let (true, Some(guild_id)) = (channel.is_voice(), channel.guild_id) else {
            return Err(ApiError::wrong_channel_type());
        };
        if matches!(effect, Effect::Sound(..)) {
            self.require(channel_id, user, Permissions::SPEAK | Permissions::USE_SOUNDBOARD)?;
        }
        let guild = self.guild_for(guild_id, user)?;
        let state = guild.voice_states.get(&user).filter(|state| state.channel_id == channel_id);
        let state = state.ok_or_else(ApiError::not_in_voice)?;
        let member = self.member(guild_id, user)?;
        if member.deaf || member.mute || state.self_deaf || state.suppress {
            return Err(ApiError::no_voice_effect());
        }
        let mut event = json!({ "channel_id": channel_id, "guild_id": guild_id, "user_id": user,
            "animation_type": 1, "animation_id": rand::random_range(0..21) });
        match effect {
            Effect::Emoji(emoji) => event["emoji"] = emoji.to_json(),
            Effect::Sound(id, source) => {
                let sound = self.playable(channel_id, guild_id, user, *id, *source)?;
                // The default ones have numbers for ids, not snowflakes.
                let number = sound.get("guild_id").is_none().then_some(id.0);
                event["sound_id"] = number.map_or_else(|| json!(id), Value::from);
                event["sound_volume"] = sound["volume"].clone();
                let without = sound["emoji_id"].is_null() && sound["emoji_name"].is_null();
                let emoji = json!({ "id": sound["emoji_id"], "name": sound["emoji_name"] });
                event["emoji"] = if without { Value::Null } else { emoji };
            }
        }
        if event["emoji"].is_object() {
            // py-cord 2.8 reads it of every emoji.
            let custom = event["emoji"]["id"].as_str().and_then(|id| self.custom_emoji(id.parse().ok()?));
            event["emoji"]["animated"] = custom.is_some_and(|(emoji, _)| emoji.animated).into();
        }
        if let Effect::Sound(sound, _) = effect {
            let time = rand::random();
            self.feed.push(Notice::Sound { channel: channel_id, user, sound: *sound, time });
        }
        let name = "VOICE_CHANNEL_EFFECT_SEND";
        let here =
            |bot: &Snowflake| guild.voice_states.get(bot).is_some_and(|state| state.channel_id == channel_id);
        let bots = self.bots_in(guild_id).into_iter().filter(here);
        let intents = Intents::for_event(name, true);
        self.dispatch_each(bots, name, Some(guild_id), intents, |_| Some(event.clone()));
        Ok(())
    }

    /// Returns a sound that a member may play in a channel: a default one, one of the guild, or one of another guild
    /// that they name and are in.
    fn playable(
        &self,
        channel: Snowflake,
        guild: Snowflake,
        user: Snowflake,
        id: Snowflake,
        source: Option<Snowflake>,
    ) -> ApiResult<Value> {
        let wanted = id.to_string();
        if let Some(default) = defaults().into_iter().find(|sound| sound["sound_id"] == *wanted) {
            return Ok(default);
        }
        let from = source.unwrap_or(guild);
        if from != guild {
            self.require(channel, user, Permissions::USE_EXTERNAL_SOUNDS)?;
        }
        let from = self.guild_for(from, user).map_err(|_| ApiError::unknown_sound())?;
        let sound = from.sounds.get(&id).map(|sound| from.sound_json(sound, None));
        sound.filter(|sound| sound["available"] == true).ok_or_else(ApiError::unknown_sound)
    }
}
