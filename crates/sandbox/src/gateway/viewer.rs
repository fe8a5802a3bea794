//! The receiver of events: the part of a session that determines which events it gets, and in which shape.

use serde_json::Value;

use super::Intents;
use crate::snowflake::Snowflake;

/// The part of a session that determines which events it gets, and in which shape.
#[derive(Clone, Copy, Debug)]
pub(super) struct Viewer {
    pub(super) bot: Snowflake,
    pub(super) shard: [u32; 2],
    pub(super) intents: Intents,
    pub(super) large_threshold: usize,
}

/// Returns the shard that gets a guild's events (Gateway, "Sharding Formula").
pub(super) fn shard_of(guild: Snowflake, shards: u32) -> u32 {
    // The remainder is less than `shards`, so it fits.
    u32::try_from((guild.0 >> 22) % u64::from(shards.max(1))).unwrap_or_default()
}

impl Viewer {
    /// Returns whether this shard gets events of this guild, or of none.
    pub(super) fn is_on_shard(&self, guild: Option<Snowflake>) -> bool {
        let [shard, shards] = self.shard;
        guild.map_or(0, |guild| shard_of(guild, shards)) == shard
    }
}

/// Returns whether a user object is this user's.
pub(super) fn is_user(user: &Value, id: Snowflake) -> bool {
    user["id"].as_str().is_some_and(|text| text.parse() == Ok(id))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Viewer, shard_of};
    use crate::gateway::Intents;
    use crate::snowflake::Snowflake;

    proptest! {
        #[test]
        fn every_guild_is_on_exactly_one_shard(guild: u64, shards in 1_u32..200) {
            let viewer = |shard| Viewer {
                bot: Snowflake(1),
                shard: [shard, shards],
                intents: Intents::all(),
                large_threshold: 50,
            };
            let on: Vec<_> = (0..shards).filter(|&shard| viewer(shard).is_on_shard(Some(Snowflake(guild)))).collect();
            prop_assert_eq!(on, vec![u32::try_from((guild >> 22) % u64::from(shards)).unwrap()]);
        }
    }

    #[test]
    fn the_formula_uses_the_time_bits_only() {
        assert_eq!(shard_of(Snowflake(5 << 22), 3), 2);
        assert_eq!(shard_of(Snowflake((5 << 22) | 0x3f_ffff), 3), 2);
    }
}
