//! Who gets events: what of a session decides which ones come to it, and in which shape.

use serde_json::Value;

use super::Intents;
use crate::snowflake::Snowflake;

/// What of a session decides which events it gets, and in which shape.
#[derive(Clone, Copy, Debug)]
pub(super) struct Viewer {
    pub(super) bot: Snowflake,
    pub(super) shard: [u32; 2],
    pub(super) intents: Intents,
    pub(super) large_threshold: usize,
}

/// Shard that a guild's events go to (Gateway, "Sharding Formula").
pub(super) fn shard_of(guild: Snowflake, shards: u32) -> u32 {
    // The remainder is less than `shards`, so it fits.
    u32::try_from((guild.0 >> 22) % u64::from(shards.max(1))).unwrap_or_default()
}

impl Viewer {
    /// Whether events of this guild, or of none, come to this shard.
    pub(super) fn is_on_shard(&self, guild: Option<Snowflake>) -> bool {
        let [shard, shards] = self.shard;
        guild.map_or(0, |guild| shard_of(guild, shards)) == shard
    }
}

/// Whether a user object is this user's.
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
