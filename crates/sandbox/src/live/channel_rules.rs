//! What a guild's features and boosts allow its channels.

use super::Live;
use crate::error::{ApiError, ApiResult, FieldError};
use crate::snowflake::Snowflake;
use crate::state::channel::kind;
use crate::state::guild::Guild;
use crate::validate::channel::ChannelBody;
use crate::validate::reaction::is_unicode;

/// Voice regions of Discord's own (discord-api-docs#7470), which a bot may name although no server here has their names.
const REGIONS: [&str; 13] = [
    "brazil",
    "hongkong",
    "india",
    "japan",
    "rotterdam",
    "singapore",
    "south-korea",
    "southafrica",
    "sydney",
    "us-central",
    "us-east",
    "us-south",
    "us-west",
];

/// Most channels of one category.
const MOST_IN_CATEGORY: usize = 50;

impl Live<'_> {
    /// Checks that a guild may have a channel of this type with the fields of a body.
    ///
    /// # Errors
    /// If it is an announcement channel and the guild lacks NEWS, or the bitrate needs more boosts.
    pub fn check_features(&self, guild: Snowflake, kind: u8, body: &ChannelBody) -> ApiResult<()> {
        let Some(guild) = self.guilds.get(&guild) else { return Err(ApiError::unknown_guild()) };
        if body.kind.as_ref() == Some(&kind::ANNOUNCEMENT) && !guild.perks.has("NEWS") {
            let error = FieldError::choices([0, 2, 4, 13, 15, 16]);
            return Err(ApiError::field(&["type"], error));
        }
        let most = guild.perks.most_bitrate();
        if kind == kind::VOICE && body.bitrate.as_ref().is_some_and(|bitrate| *bitrate > most) {
            return Err(ApiError::field(&["bitrate"], FieldError::max("int", most)));
        }
        Ok(())
    }

    /// Checks what a body for a channel of this type names: its category, its region, and emojis of the guild.
    ///
    /// # Errors
    /// If something of it does not exist, or a channel of this type cannot have it.
    pub fn check_body(&self, guild: Snowflake, kind: u8, body: &ChannelBody) -> ApiResult<()> {
        self.check_parent(guild, kind, body.parent_id.as_ref())
            .map_err(|error| ApiError::field(&["parent_id"], error))?;
        let regions = || self.voice.regions().iter().map(String::as_str).chain(REGIONS);
        if body.rtc_region.as_ref().is_some_and(|wanted| regions().all(|region| region != wanted)) {
            return Err(ApiError::field(&["rtc_region"], FieldError::words(regions())));
        }
        let tags = body.available_tags.as_ref().map_or(&[][..], Vec::as_slice);
        let guild = self.guilds.get(&guild);
        for emoji in tags.iter().map(|tag| &tag.emoji).chain(body.default_reaction_emoji.as_ref()) {
            if !guild.is_some_and(|guild| emoji.id.is_none_or(|id| guild.emojis.contains_key(&id))) {
                return Err(ApiError::unknown_emoji());
            }
            if emoji.name.as_ref().is_some_and(|name| !name.is_empty() && !is_unicode(name)) {
                return Err(ApiError::invalid_emoji());
            }
        }
        Ok(())
    }

    /// Checks that `parent` may be the category of a channel of this type in this guild.
    pub fn check_parent(
        &self,
        guild: Snowflake,
        kind: u8,
        parent: Option<&Snowflake>,
    ) -> Result<(), FieldError> {
        let Some(parent) = parent else { return Ok(()) };
        let category = self.channels.get(parent).filter(|parent| parent.kind == kind::CATEGORY);
        if category.is_none_or(|parent| parent.guild_id != Some(guild)) {
            return Err(FieldError::new("CHANNEL_PARENT_INVALID", "Category does not exist"));
        }
        if kind == kind::CATEGORY {
            return Err(FieldError::new(
                "CHANNEL_PARENT_INVALID_TYPE",
                "Categories cannot have subcategories",
            ));
        }
        Ok(())
    }

    /// Checks that a guild's category takes one more channel.
    pub fn check_room(&self, guild: &Guild, category: Option<&Snowflake>) -> ApiResult<()> {
        let Some(category) = category else { return Ok(()) };
        let channels = guild.channels.iter().filter_map(|id| self.channels.get(id));
        let inside = channels.filter(|channel| channel.parent_id == Some(*category));
        if inside.count() < MOST_IN_CATEGORY {
            return Ok(());
        }
        let sentence = format!("Maximum number of channels in category reached ({MOST_IN_CATEGORY})");
        Err(ApiError::field(&["parent_id"], FieldError::new("CHANNEL_PARENT_MAX_CHANNELS", sentence)))
    }
}
