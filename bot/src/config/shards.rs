//! Which shards of the gateway this process runs.

use std::collections::BTreeSet;

use super::database::Database;
use super::reader::Reader;
use super::value;
use super::value_error::ValueError;

/// Most shards that can be configured.
const MOST: u32 = 16_384;

/// The shards of this process, from `SHARDS` and `SHARD_IDS`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Shards {
    /// As many as Discord recommends, all in this process.
    #[default]
    All,
    /// These of that many.
    Fixed {
        /// Number of shards of the bot.
        total: u32,
        /// Those of this process, at least one.
        ids: BTreeSet<u32>,
    },
    /// As many as Discord recommends, divided over all processes that use the same PostgreSQL.
    Auto,
}

/// What `SHARDS` says.
enum Count {
    Auto,
    Fixed(u32),
}

impl Shards {
    pub(super) fn read(reader: &mut Reader<'_>, database: &Database) -> Self {
        let count = reader.read("SHARDS", |text| {
            if text.eq_ignore_ascii_case("auto") {
                return Ok(Count::Auto);
            }
            value::number(text, 1..=u64::from(MOST))
                .map(Count::Fixed)
                .map_err(|_| ValueError::Shards { most: MOST })
        });
        let ids = reader.read("SHARD_IDS", ids);
        match (count, ids) {
            (Some(Count::Auto), ids) => {
                if !database.is_shared() {
                    reader.mistake(
                        "SHARDS is 'auto', and processes share shards through PostgreSQL; set DATABASE_URL to \
                         postgres://USER:PASSWORD@HOST/NAME, or leave SHARDS unset.",
                    );
                }
                if ids.is_some() {
                    reader.mistake(
                        "SHARD_IDS is set, but with SHARDS=auto the processes choose by themselves; leave SHARD_IDS unset.",
                    );
                }
                Self::Auto
            }
            (Some(Count::Fixed(total)), ids) => {
                let ids = ids.unwrap_or_else(|| (0..total).collect());
                if let Some(id) = ids.last().filter(|id| **id >= total) {
                    reader.mistake(&format!(
                        "SHARD_IDS has {id}, but with SHARDS={total} the ids are 0 to {}.",
                        total - 1
                    ));
                }
                Self::Fixed { total, ids }
            }
            (None, Some(_)) => {
                if !reader.is_set("SHARDS") {
                    reader.mistake(
                        "SHARD_IDS is set, but SHARDS is not; set it to the number of shards of all processes.",
                    );
                }
                Self::All
            }
            (None, None) => Self::All,
        }
    }
}

/// Parses ids and ranges of ids, separated by commas.
fn ids(text: &str) -> Result<BTreeSet<u32>, ValueError> {
    let mut ids = BTreeSet::new();
    for (index, word) in text.split(',').map(str::trim).enumerate() {
        let (first, last) = word.split_once('-').unwrap_or((word, word));
        let number = |text: &str| value::number::<u32>(text.trim(), 0..=u64::from(MOST - 1)).ok();
        match (number(first), number(last)) {
            (Some(first), Some(last)) if first <= last => ids.extend(first..=last),
            _ => {
                return Err(ValueError::Entry {
                    of: "shards",
                    entry: index + 1,
                    way_out: "write ids and ranges from 0 on, like '0-3,8'",
                });
            }
        }
    }
    Ok(ids)
}
