//! Channels of a seed: their types, permissions and tags.

use super::apply::Planter;
use super::file::{Channel as SeedChannel, Overwrite as SeedOverwrite};
use super::guild::Site;
use super::mistake::Mistake;
use super::names::{emoji_ref, permissions, user, word};
use super::{Name, content};
use crate::permissions::{Overwrite, OverwriteKind};
use crate::snowflake::Snowflake;
use crate::state::channel::{Channel, kind};
use crate::state::forum::Tag;
use crate::validate::channel::{keeps_its_name, text_channel_name};

/// Types of channels by name.
pub(super) const KINDS: &[(&str, u8)] = &[
    ("text", kind::TEXT),
    ("voice", kind::VOICE),
    ("category", kind::CATEGORY),
    ("announcement", kind::ANNOUNCEMENT),
    ("stage", kind::STAGE),
    ("forum", kind::FORUM),
    ("media", kind::MEDIA),
];

/// Adds a channel, and those in it.
pub(super) fn add<'a>(
    planter: &mut Planter<'_>,
    site: &mut Site<'a>,
    entry: &'a SeedChannel,
    category: Option<Snowflake>,
) -> Result<(), Mistake> {
    let names: Vec<&str> = KINDS.iter().map(|(name, _)| *name).collect();
    let kind = KINDS[word("type of channel", &entry.kind, &names)?].1;
    check_kind(entry, kind, category.is_some())?;
    let shown =
        if keeps_its_name(kind) { entry.name.value.clone() } else { text_channel_name(&entry.name.value) };
    if shown.is_empty() || shown.chars().count() > 100 {
        return Err(Mistake::at(&entry.name, "the name of a channel has 1 to 100 characters."));
    }
    let path = format!("{}/{}:{}", site.path, entry.kind.value, entry.name.value);
    let id = planter.id(entry.id.as_ref(), &path, &entry.name)?;
    let mut channel = Channel::new(id, kind, Some(site.id), &shown, planter.now);
    channel.topic.clone_from(&entry.topic);
    channel.parent_id = category;
    channel.nsfw = entry.nsfw;
    channel.rate_limit_per_user = entry.slowmode.unwrap_or(0);
    channel.user_limit = entry.user_limit.unwrap_or(0);
    channel.bitrate = entry.bitrate.unwrap_or(channel.bitrate);
    channel.default_auto_archive_duration = entry.archive_after;
    channel.overwrites = entry
        .overwrites
        .iter()
        .map(|overwrite| self::overwrite(planter, site, overwrite, &entry.name))
        .collect::<Result<_, _>>()?;
    forum(planter, site, entry, &path, &mut channel)?;
    site.names.channels.add(&shown, id);
    if let Some(guild) = planter.world.guilds.get_mut(&site.id) {
        let next = i64::try_from(guild.channels.len()).unwrap_or(i64::MAX);
        channel.position = entry.position.unwrap_or(next);
        guild.channels.push(id);
    }
    planter.world.channels.insert(id, channel);
    if content::is_in(entry) {
        site.to_fill.push((id, entry));
    }
    entry.channels.iter().try_for_each(|inner| add(planter, site, inner, Some(id)))
}

/// Checks that a channel has only what its type can have.
fn check_kind(entry: &SeedChannel, kind: u8, inside: bool) -> Result<(), Mistake> {
    let is_forum = matches!(kind, kind::FORUM | kind::MEDIA);
    let is_voice = matches!(kind, kind::VOICE | kind::STAGE);
    let has_threads = is_forum || matches!(kind, kind::TEXT | kind::ANNOUNCEMENT);
    let forum_only = !entry.tags.is_empty() || entry.default_reaction.is_some() || entry.require_tag;
    let only = |what: &str, right: &str| {
        let sentence = format!("a channel of type {} has no {what}; {right}.", entry.kind.value);
        Err(Mistake::at(&entry.kind, sentence))
    };
    if kind == kind::CATEGORY && inside {
        return only("category around it", "categories are not nested");
    }
    if kind != kind::CATEGORY && !entry.channels.is_empty() {
        return only("channels in it", "only one of type category has");
    }
    if forum_only && !is_forum {
        return only("tags, default reaction or `require_tag`", "only those of type forum and media have");
    }
    if (entry.user_limit.is_some() || entry.bitrate.is_some()) && !is_voice {
        return only("user limit or bitrate", "only those of type voice and stage have");
    }
    if !entry.messages.is_empty() && (is_forum || kind == kind::CATEGORY) {
        return only("messages", "those of a forum are in its threads");
    }
    if !entry.threads.is_empty() && !has_threads {
        return only("threads", "only those of type text, announcement, forum and media have");
    }
    let webhooks = !entry.webhooks.is_empty() && kind == kind::CATEGORY;
    let invites = !entry.invites.is_empty() && kind == kind::CATEGORY;
    if webhooks || invites { only("webhooks or invites", "the channels in it have") } else { Ok(()) }
}

fn overwrite(
    planter: &Planter<'_>,
    site: &Site<'_>,
    entry: &SeedOverwrite,
    channel: &Name,
) -> Result<Overwrite, Mistake> {
    let (id, kind) = match (&entry.role, &entry.member) {
        (Some(role), None) => (site.names.roles.find("role", role)?, OverwriteKind::Role),
        (None, Some(member)) => (user(planter.world, member)?, OverwriteKind::Member),
        (Some(place), Some(_)) => {
            return Err(Mistake::at(place, "an overwrite is for a `role` or for a `member`, not for both."));
        }
        (None, None) => {
            let sentence = format!("an overwrite of \"{}\" lacks its `role` or `member`.", channel.value);
            return Err(Mistake::at(channel, sentence));
        }
    };
    let (allow, deny) = (permissions(&entry.allow)?, permissions(&entry.deny)?);
    if let Some(both) = entry
        .allow
        .iter()
        .find(|name| permissions(std::slice::from_ref(name)).is_ok_and(|one| deny.contains(one)))
    {
        return Err(Mistake::at(
            both,
            format!("{} is allowed and denied in one overwrite; choose one.", both.value),
        ));
    }
    Ok(Overwrite { id, kind, allow, deny })
}

/// Adds what only forums have.
fn forum(
    planter: &mut Planter<'_>,
    site: &Site<'_>,
    entry: &SeedChannel,
    path: &str,
    channel: &mut Channel,
) -> Result<(), Mistake> {
    if entry.require_tag {
        channel.flags |= crate::state::forum::REQUIRE_TAG;
    }
    let Some(forum) = channel.forum_mut() else { return Ok(()) };
    for tag in &entry.tags {
        let id = planter.id(tag.id.as_ref(), &format!("{path}/tag:{}", tag.name.value), &tag.name)?;
        forum.available_tags.push(Tag {
            id,
            name: tag.name.value.clone(),
            moderated: tag.moderated,
            emoji: emoji_ref(planter.world, site.id, &site.names, tag.emoji.as_ref())?,
        });
    }
    if entry.default_reaction.is_some() {
        let reaction = emoji_ref(planter.world, site.id, &site.names, entry.default_reaction.as_ref())?;
        forum.default_reaction = Some(reaction);
    }
    forum.default_sort_order = entry.sort_order;
    forum.default_layout = entry.layout.unwrap_or(0);
    Ok(())
}

/// Returns the name of a channel's type.
pub(super) fn kind_name(kind: u8) -> &'static str {
    KINDS.iter().find(|(_, known)| *known == kind).map_or("text", |(name, _)| name)
}
