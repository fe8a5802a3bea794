//! The overwrites of channels that a bot may set: those of permissions that it has itself.

use super::Live;
use crate::error::{ApiError, ApiResult};
use crate::permissions::{Overwrite, Permissions};
use crate::snowflake::Snowflake;

impl Live<'_> {
    /// Checks that `user` may change a channel's overwrites from `before` to `after`.
    ///
    /// Source: Discord's reference of channels: only permissions that the bot has in the guild or in the channel's
    /// category can be allowed or denied, unless it has an overwrite of MANAGE_ROLES in the channel. `channel` is
    /// `None` for one that is being created, where only administrators set MANAGE_ROLES.
    pub fn check_overwrites(
        &self,
        guild: Snowflake,
        channel: Option<Snowflake>,
        parent: Option<Snowflake>,
        user: Snowflake,
        before: &[Overwrite],
        after: &[Overwrite],
    ) -> ApiResult<()> {
        let Some(guild) = self.guilds.get(&guild) else { return Err(ApiError::unknown_guild()) };
        let mut has = self.guild_permissions(user, guild);
        let changed = changed(before, after);
        if has.contains(Permissions::ADMINISTRATOR) {
            return Ok(());
        }
        if channel.is_none() && changed.0 & Permissions::MANAGE_ROLES.0 != 0 {
            return Err(ApiError::missing_permissions());
        }
        if let Some(parent) = parent.and_then(|id| self.channels.get(&id)) {
            has |= self.permissions_in(user, parent);
        }
        let roles = guild.members.get(&user).map_or(&[][..], |member| &member.roles);
        let manages = channel.and_then(|id| self.channels.get(&id)).is_some_and(|channel| {
            channel.overwrites.iter().any(|overwrite| {
                (overwrite.id == user || roles.contains(&overwrite.id))
                    && overwrite.allow.contains(Permissions::MANAGE_ROLES)
            })
        });
        if manages || has.contains(changed) { Ok(()) } else { Err(ApiError::missing_permissions()) }
    }
}

/// Returns the permissions that differ.
fn changed(before: &[Overwrite], after: &[Overwrite]) -> Permissions {
    let of = |all: &[Overwrite], id: Snowflake| {
        all.iter().find(|overwrite| overwrite.id == id).map_or((0, 0), |found| (found.allow.0, found.deny.0))
    };
    let bits = before.iter().chain(after).map(|overwrite| {
        let (old, new) = (of(before, overwrite.id), of(after, overwrite.id));
        (old.0 ^ new.0) | (old.1 ^ new.1)
    });
    Permissions(bits.fold(0, |all, bits| all | bits))
}
