//! What the names of a seed file mean: ids, and places in time.

use std::collections::HashSet;

use time::OffsetDateTime;

use super::Name;
use super::mistake::{Mistake, nearest, unknown};
use crate::permissions::Permissions;
use crate::snowflake::{EPOCH_MS, Snowflake};
use crate::state::forum::EmojiRef;
use crate::state::{World, clock};
use crate::validate::channel::text_channel_name;
use crate::validate::reaction::Emoji;

/// Named objects of one kind, in the order of the file.
#[derive(Debug, Default)]
pub(super) struct Names {
    list: Vec<(String, Snowflake)>,
}

impl Names {
    /// Adds an object.
    pub(super) fn add(&mut self, name: &str, id: Snowflake) {
        self.list.push((name.to_owned(), id));
    }

    /// Returns the object of a name or id.
    pub(super) fn find(&self, what: &str, wanted: &Name) -> Result<Snowflake, Mistake> {
        let text = wanted.value.trim_start_matches('#');
        let named = |name: &str| {
            let mut found = self.list.iter().filter(|(known, _)| known == name).map(|(_, id)| *id);
            (found.next(), found.next())
        };
        // A name as it stands is meant before one that Discord would make of it.
        let exact = named(&wanted.value);
        match if exact.0.is_some() { exact } else { named(&text_channel_name(text)) } {
            (Some(id), None) => Ok(id),
            (Some(_), Some(_)) => Err(Mistake::at(
                wanted,
                format!(
                    "there is more than one {what} \"{}\"; give each an `id`, and name it by that.",
                    wanted.value
                ),
            )),
            (None, _) => {
                let id = text.parse().ok().filter(|id| self.list.iter().any(|(_, known)| known == id));
                id.ok_or_else(|| unknown(what, wanted, self.list.iter().map(|(name, _)| name.as_str())))
            }
        }
    }

    /// Returns the objects of names or ids.
    pub(super) fn all(&self, what: &str, wanted: &[Name]) -> Result<Vec<Snowflake>, Mistake> {
        wanted.iter().map(|name| self.find(what, name)).collect()
    }
}

/// The names of one guild.
#[derive(Debug, Default)]
pub(super) struct GuildNames {
    pub(super) roles: Names,
    pub(super) channels: Names,
    pub(super) emojis: Names,
}

/// Ids that are given or follow from names, each once.
#[derive(Debug, Default)]
pub(super) struct Ids {
    taken: HashSet<Snowflake>,
}

impl Ids {
    /// Returns the ids for additions to a world: none of those that its objects have.
    pub(super) fn of_world(world: &World) -> Self {
        let channels = world.channels.values().flat_map(|channel| {
            let tags = channel.forum().available_tags.iter().map(|tag| tag.id);
            tags.chain([channel.id])
        });
        let guilds = world.guilds.values().flat_map(|guild| {
            let expressions = guild.emojis.keys().chain(guild.stickers.keys()).chain(guild.sounds.keys());
            let others = guild.roles.keys().chain(guild.integrations.keys());
            let rules = guild.auto_moderation.keys().chain(guild.scheduled_events.keys());
            expressions.chain(others).chain(rules).copied().chain([guild.id])
        });
        let others = world.users.keys().chain(world.webhooks.keys()).copied();
        Self { taken: channels.chain(guilds).chain(others).collect() }
    }

    /// Returns the id that is given, or else the one that follows from a path of names, the same each time.
    pub(super) fn of(
        &mut self,
        given: Option<&Name>,
        path: &str,
        place: &Name,
    ) -> Result<Snowflake, Mistake> {
        let id = match given {
            Some(text) => self::given(text)?,
            None => derived(path),
        };
        if self.taken.insert(id) {
            return Ok(id);
        }
        Err(match given {
            Some(text) => {
                Mistake::at(text, format!("the id {id} is that of another object; ids are used once."))
            }
            None => Mistake::at(
                place,
                format!(
                    "there is another \"{}\" in the same place; rename one, or give one an `id`.",
                    place.value
                ),
            ),
        })
    }
}

/// Reads an id.
pub(super) fn given(text: &Name) -> Result<Snowflake, Mistake> {
    text.value.parse().ok().filter(|id: &Snowflake| id.0 > 0).ok_or_else(|| {
        Mistake::at(
            text,
            format!("\"{}\" is no id; an id is a number such as 1100000000000000001.", text.value),
        )
    })
}

/// First moment of derived ids, 2018-01-01, in milliseconds of Discord's epoch.
const FIRST_MS: u64 = 1_514_764_800_000 - EPOCH_MS;

/// Returns an id that follows from a text. Its time is in the years from 2018 to 2020.
fn derived(path: &str) -> Snowflake {
    // FNV-1a, and the finalizer of splitmix64, so that all bits depend on all of the text.
    let mut hash = path.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash = (hash ^ hash >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ hash >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^= hash >> 31;
    Snowflake((FIRST_MS << 22) + (hash & ((1 << 58) - 1)))
}

/// Returns the account of a unique name or id.
pub(super) fn user(world: &World, wanted: &Name) -> Result<Snowflake, Mistake> {
    let found = world.find_user(&wanted.value).map(|user| user.id);
    found.ok_or_else(|| unknown("user", wanted, world.users.values().map(|user| user.username.as_str())))
}

/// Returns the permissions of these names.
pub(super) fn permissions(names: &[Name]) -> Result<Permissions, Mistake> {
    let one = |name: &Name| {
        let known = || Permissions::ALL.names().collect::<Vec<_>>();
        let numbered = name.value.parse().ok().map(Permissions);
        Permissions::named(&name.value).or(numbered).ok_or_else(|| match nearest(&name.value, known()) {
            Some(near) => {
                Mistake::at(name, format!("there is no permission \"{}\"; did you mean {near}?", name.value))
            }
            None => Mistake::at(
                name,
                format!(
                    "there is no permission \"{}\"; SEND_MESSAGES is one, in Discord's spelling.",
                    name.value
                ),
            ),
        })
    };
    names.iter().try_fold(Permissions::NONE, |all, name| Ok(all | one(name)?))
}

/// Returns one of some words, as its index.
pub(super) fn word(what: &str, wanted: &Name, words: &[&str]) -> Result<usize, Mistake> {
    let found = words.iter().position(|word| *word == wanted.value);
    found.ok_or_else(|| unknown(what, wanted, words.iter().copied()))
}

/// Returns an emoji: a character, or one of the guild by name or id.
pub(super) fn emoji(
    world: &World,
    guild: Snowflake,
    names: &GuildNames,
    wanted: &Name,
) -> Result<Emoji, Mistake> {
    if let Ok(emoji @ Emoji::Unicode(_)) = Emoji::parse(&wanted.value) {
        return Ok(emoji);
    }
    let id = names.emojis.find("emoji", wanted)?;
    let found = world.guilds.get(&guild).and_then(|guild| guild.emojis.get(&id));
    let (name, animated) =
        found.map_or((wanted.value.clone(), false), |emoji| (emoji.name.clone(), emoji.animated));
    Ok(Emoji::Custom { id, name, animated })
}

/// Returns a reference to an emoji, empty without one.
pub(super) fn emoji_ref(
    world: &World,
    guild: Snowflake,
    names: &GuildNames,
    wanted: Option<&Name>,
) -> Result<EmojiRef, Mistake> {
    let Some(wanted) = wanted else { return Ok(EmojiRef::default()) };
    Ok(match emoji(world, guild, names, wanted)? {
        Emoji::Unicode(name) => EmojiRef { id: None, name: Some(name) },
        // Discord leaves the name of a guild's emoji out of tags, and so does the sandbox.
        Emoji::Custom { id, .. } => EmojiRef { id: Some(id), name: None },
    })
}

/// Returns a moment: `-2h`, `+1h30m` from now, or one in ISO 8601.
pub(super) fn moment(now: OffsetDateTime, wanted: &Name) -> Result<OffsetDateTime, Mistake> {
    let text = wanted.value.trim();
    let found = match text.split_at_checked(1) {
        Some(("-", length)) => {
            clock::length(length).and_then(|length| now.checked_sub(length.try_into().ok()?))
        }
        Some(("+", length)) => {
            clock::length(length).and_then(|length| now.checked_add(length.try_into().ok()?))
        }
        _ => clock::parse(text),
    };
    let fits = |at: &OffsetDateTime| (2015..=clock::LAST_YEAR).contains(&at.year());
    found.filter(fits).ok_or_else(|| {
        let sentence = format!("\"{text}\" is no moment; write -2h, +1h30m, or 2026-01-31T12:00:00Z.");
        Mistake::at(wanted, sentence)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::name;

    #[test]
    fn derived_ids_are_fixed_and_of_past_years() {
        let id = derived("guild:Sandbox");
        assert_eq!(id, derived("guild:Sandbox"));
        assert_ne!(id, derived("guild:Sandbax"));
        for path in ["", "a", "guild:Sandbox/channel:general"] {
            assert!((2018..=2027).contains(&derived(path).created_at().year()), "{path}");
        }
    }

    #[test]
    fn moments_are_relative_or_absolute() {
        let now = clock::parse("2026-05-01T12:00:00Z").unwrap();
        let hour = time::Duration::HOUR;
        assert_eq!(moment(now, &name("-2h")), Ok(now - 2 * hour));
        assert_eq!(moment(now, &name("+1h30m")), Ok(now + hour + hour / 2));
        assert_eq!(moment(now, &name("2026-05-01T11:00:00Z")), Ok(now - hour));
        for wrong in ["", "2h", "-", "yesterday", "-99999999d", "1999-01-01T00:00:00Z"] {
            let mistake = moment(now, &name(wrong)).unwrap_err();
            assert!(mistake.sentence.contains("is no moment"), "{wrong}");
        }
    }
}
