//! Pruning: members without activity are removed.

use time::Duration;

use super::Live;
use crate::snowflake::Snowflake;
use crate::state::guild::Guild;

impl Live<'_> {
    /// Returns the members that a prune removes: those that have not been active for so many days, and have no roles
    /// but these. A user who is online or in voice is active.
    pub fn prunable(&self, guild: &Guild, days: u8, include_roles: &[Snowflake]) -> Vec<Snowflake> {
        let since = self.clock.now() - Duration::days(days.into());
        let members = guild.members.values().filter(|member| {
            let user = member.user_id;
            user != guild.owner_id
                && member.roles.iter().all(|role| include_roles.contains(role))
                && !guild.presences.contains_key(&user)
                && !guild.voice_states.contains_key(&user)
                && self.users.get(&user).is_some_and(|user| !user.bot && user.last_seen < since)
        });
        members.map(|member| member.user_id).collect()
    }
}
