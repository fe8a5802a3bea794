//! What a guild's features and boosts allow its channels.

use super::Live;
use crate::error::{ApiError, ApiResult, FieldError};
use crate::snowflake::Snowflake;
use crate::state::channel::kind;
use crate::state::guild::Guild;
use crate::validate::channel::ChannelBody;

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
