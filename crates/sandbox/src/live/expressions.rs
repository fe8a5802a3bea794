//! Emojis and stickers: of guilds, with their events and audit log entries, and of applications.

use discord_rules::media::picture::extension;
use discord_rules::media::sticker::Format;
use serde_json::{Value, json};

use super::{Live, changes};
use crate::error::{ApiError, ApiResult};
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::state::File;
use crate::state::channel::Channel;
use crate::state::guild::{Emoji, Guild};
use crate::state::perks::Perks;
use crate::state::sticker::{STANDARD, Sticker};
use crate::state::user::Application;
use crate::validate::expression::EmojiCreate;

/// Fields of an emoji in the audit log.
const EMOJI_FIELDS: &[&str] = &["name", "roles"];
/// Fields of a sticker in the audit log.
const STICKER_FIELDS: &[&str] =
    &["name", "description", "tags", "type", "format_type", "available", "guild_id", "id"];

/// Most emojis of an application.
const APPLICATION_EMOJIS: usize = 2000;

impl Live<'_> {
    /// Sends the event of a guild's changed emojis.
    pub fn emojis_changed(&self, guild: Snowflake) {
        if let Some(guild) = self.guilds.get(&guild) {
            let emojis = guild.emojis_json(|creator| self.users.get(&creator));
            let event = json!({ "guild_id": guild.id, "emojis": emojis });
            self.dispatch_guild(guild.id, "GUILD_EMOJIS_UPDATE", event);
        }
    }

    /// Sends the event of a guild's changed stickers.
    pub fn stickers_changed(&self, guild: Snowflake) {
        if let Some(guild) = self.guilds.get(&guild) {
            let all = guild.stickers.values();
            let stickers: Vec<Value> =
                all.map(|sticker| guild.sticker_json(sticker, self.users.get(&sticker.creator))).collect();
            let event = json!({ "guild_id": guild.id, "stickers": stickers });
            self.dispatch_guild(guild.id, "GUILD_STICKERS_UPDATE", event);
        }
    }

    /// Stores the picture of an emoji and returns the emoji.
    fn new_emoji(&mut self, body: EmojiCreate, creator: Snowflake) -> Emoji {
        let id = self.next_id();
        let file = File {
            filename: format!("{id}.{}", extension(body.kind)),
            content_type: body.kind.to_owned(),
            bytes: body.image.into(),
        };
        self.files.insert(id, file);
        Emoji { id, name: body.name, roles: body.roles, animated: body.animated, creator }
    }

    /// Adds an emoji to a guild. The limit depends on its boosts.
    pub fn add_emoji(
        &mut self,
        guild_id: Snowflake,
        body: EmojiCreate,
        by: Snowflake,
        reason: Option<&str>,
    ) -> ApiResult<Emoji> {
        let guild = self.guild_mut(guild_id)?;
        check_roles(guild, &body.roles)?;
        let limit = guild.perks.emoji_slots();
        if guild.emojis.values().filter(|emoji| emoji.animated == body.animated).count() >= limit {
            return Err(ApiError::max_emojis(limit, body.animated));
        }
        let emoji = self.new_emoji(body, by);
        self.guild_mut(guild_id)?.emojis.insert(emoji.id, emoji.clone());
        self.emojis_changed(guild_id);
        let made = changes::between(&Value::Null, &audited(&emoji), EMOJI_FIELDS);
        self.audit(guild_id, 60, by, Some(emoji.id), reason, made);
        Ok(emoji)
    }

    /// Replaces an emoji of a guild, if anything has changed.
    pub fn change_emoji(
        &mut self,
        guild_id: Snowflake,
        emoji: Emoji,
        by: Snowflake,
        reason: Option<&str>,
    ) -> ApiResult<()> {
        let (id, after) = (emoji.id, audited(&emoji));
        check_roles(self.guild_mut(guild_id)?, &emoji.roles)?;
        let before = self.guild_mut(guild_id)?.emojis.insert(id, emoji).as_ref().map(audited);
        let before = before.unwrap_or_default();
        if before != after {
            self.emojis_changed(guild_id);
            self.audit(guild_id, 61, by, Some(id), reason, changes::between(&before, &after, EMOJI_FIELDS));
        }
        Ok(())
    }

    /// Deletes an emoji of a guild.
    pub fn remove_emoji(
        &mut self,
        guild_id: Snowflake,
        id: Snowflake,
        by: Snowflake,
        reason: Option<&str>,
    ) -> ApiResult<()> {
        let gone = self.guild_mut(guild_id)?.emojis.shift_remove(&id).ok_or_else(ApiError::unknown_emoji)?;
        self.files.remove(&id);
        self.emojis_changed(guild_id);
        let lost = changes::between(&audited(&gone), &Value::Null, EMOJI_FIELDS);
        self.audit(guild_id, 62, by, Some(id), reason, lost);
        Ok(())
    }

    /// Adds an emoji to an application.
    pub fn add_application_emoji(&mut self, application: Snowflake, body: EmojiCreate) -> ApiResult<Emoji> {
        let found = self.applications.get(&application).ok_or_else(ApiError::unknown_application)?;
        if found.emojis.len() >= APPLICATION_EMOJIS {
            return Err(ApiError::max_emojis(APPLICATION_EMOJIS, false));
        }
        let emoji = self.new_emoji(body, application);
        if let Some(application) = self.applications.get_mut(&application) {
            application.emojis.insert(emoji.id, emoji.clone());
        }
        Ok(emoji)
    }

    /// Returns an emoji by its id, with the application that alone may use it, if one does.
    pub fn custom_emoji(&self, id: Snowflake) -> Option<(&Emoji, Option<Snowflake>)> {
        let of_guild =
            self.guilds.values().find_map(|guild| guild.emojis.get(&id)).map(|emoji| (emoji, None));
        of_guild.or_else(|| {
            let application = self.application_of_emoji(id)?;
            Some((application.emojis.get(&id)?, Some(application.id)))
        })
    }

    /// Returns the application that alone may use an emoji, if one does.
    pub(super) fn application_of_emoji(&self, id: Snowflake) -> Option<&Application> {
        self.applications.values().find(|application| application.emojis.contains_key(&id))
    }

    /// Adds a sticker to a guild. The limit depends on its boosts; Lottie needs a feature.
    pub fn add_sticker(
        &mut self,
        guild_id: Snowflake,
        sticker: &Sticker,
        bytes: axum::body::Bytes,
        reason: Option<&str>,
    ) -> ApiResult<()> {
        let (id, by, format) = (sticker.id, sticker.creator, sticker.format);
        let guild = self.guild_mut(guild_id)?;
        if format == Format::Lottie && !guild.perks.takes_lottie() {
            return Err(ApiError::invalid_file());
        }
        if guild.stickers.len() >= guild.perks.sticker_slots() {
            return Err(ApiError::max_stickers(guild.perks.sticker_slots()));
        }
        guild.stickers.insert(id, sticker.clone());
        let made = changes::between(&Value::Null, &guild.sticker_json(sticker, None), STICKER_FIELDS);
        let file = File {
            filename: format!("{id}.{}", format.extension()),
            content_type: format.content_type().to_owned(),
            bytes,
        };
        self.files.insert(id, file);
        self.stickers_changed(guild_id);
        self.audit(guild_id, 90, by, Some(id), reason, made);
        Ok(())
    }

    /// Replaces a sticker of a guild, if anything has changed.
    pub fn change_sticker(
        &mut self,
        guild_id: Snowflake,
        sticker: Sticker,
        by: Snowflake,
        reason: Option<&str>,
    ) -> ApiResult<()> {
        let (id, guild) = (sticker.id, self.guild_mut(guild_id)?);
        let before = guild.stickers.get(&id).ok_or_else(ApiError::unknown_sticker)?;
        let before = guild.sticker_json(before, None);
        let after = guild.sticker_json(&sticker, None);
        guild.stickers.insert(id, sticker);
        if before != after {
            self.stickers_changed(guild_id);
            self.audit(guild_id, 91, by, Some(id), reason, changes::between(&before, &after, STICKER_FIELDS));
        }
        Ok(())
    }

    /// Deletes a sticker of a guild.
    pub fn remove_sticker(
        &mut self,
        guild_id: Snowflake,
        id: Snowflake,
        by: Snowflake,
        reason: Option<&str>,
    ) -> ApiResult<()> {
        let guild = self.guild_mut(guild_id)?;
        let found = guild.stickers.get(&id).ok_or_else(ApiError::unknown_sticker)?;
        let lost = changes::between(&guild.sticker_json(found, None), &Value::Null, STICKER_FIELDS);
        guild.stickers.shift_remove(&id);
        self.files.remove(&id);
        self.stickers_changed(guild_id);
        self.audit(guild_id, 92, by, Some(id), reason, lost);
        Ok(())
    }

    /// Checks the stickers of a message: they are standard ones, or available ones of the guild. A person with
    /// USE_EXTERNAL_STICKERS sends those of other guilds too; bots do not (Create Message, `sticker_ids`).
    pub fn check_stickers(
        &self,
        user: Option<Snowflake>,
        channel: &Channel,
        ids: &[Snowflake],
    ) -> ApiResult<()> {
        for id in ids.iter().filter(|id| STANDARD.iter().all(|standard| standard.id != **id)) {
            let guild = self.guild_of_sticker(*id).ok_or_else(ApiError::invalid_sticker)?;
            if !guild.has_slot_for(*id) {
                return Err(ApiError::invalid_sticker());
            }
            if channel.guild_id == Some(guild.id) {
                continue;
            }
            let person = user.filter(|user| !self.applications.contains_key(user));
            let may = person.is_some_and(|user| {
                guild.members.contains_key(&user)
                    && self.permissions_in(user, channel).contains(Permissions::USE_EXTERNAL_STICKERS)
            });
            if !may {
                return Err(ApiError::cannot_send_sticker());
            }
        }
        Ok(())
    }

    /// Sets the features and boosts of a guild, and sends the events of what they change.
    pub fn set_perks(&mut self, guild_id: Snowflake, perks: Perks) -> ApiResult<()> {
        let guild = self.guild_mut(guild_id)?;
        let (stickers, sounds) = (guild.stickers.len(), guild.sounds.len());
        let moving = guild.emojis.values().filter(|emoji| emoji.animated).count();
        let still = guild.emojis.len() - moving;
        let usable = |perks: &Perks| {
            let emojis = (still.min(perks.emoji_slots()), moving.min(perks.emoji_slots()));
            (emojis, stickers.min(perks.sticker_slots()), sounds.min(perks.sound_slots()))
        };
        let now = usable(&perks);
        let before = std::mem::replace(&mut guild.perks, perks);
        if before == guild.perks {
            return Ok(());
        }
        let before = usable(&before);
        self.guild_changed(guild_id);
        if before.0 != now.0 {
            self.emojis_changed(guild_id);
        }
        if before.1 != now.1 {
            self.stickers_changed(guild_id);
        }
        if before.2 != now.2 {
            self.sounds_changed(guild_id);
        }
        Ok(())
    }
}

/// Returns what the audit log has of an emoji. That everyone may use it is no value.
fn audited(emoji: &Emoji) -> Value {
    let roles = Some(&emoji.roles).filter(|roles| !roles.is_empty());
    json!({ "name": emoji.name, "roles": roles })
}

fn check_roles(guild: &Guild, roles: &[Snowflake]) -> ApiResult<()> {
    let known = roles.iter().all(|role| guild.roles.contains_key(role));
    if known { Ok(()) } else { Err(ApiError::unknown_role()) }
}
