//! Guilds of a seed: roles, channels, members.

use super::apply::Planter;
use super::file::{
    BotMember, Channel as SeedChannel, Guild as SeedGuild, Member as SeedMember, Overwrite as SeedOverwrite,
    Role as SeedRole,
};
use super::mistake::Mistake;
use super::names::{GuildNames, emoji_ref, moment, permissions, user, word};
use super::{Name, bots, community, content, name, settings};
use crate::draw;
use crate::permissions::{Overwrite, OverwriteKind, Permissions};
use crate::snowflake::Snowflake;
use crate::state::File;
use crate::state::channel::{Channel, kind};
use crate::state::forum::Tag;
use crate::state::guild::{Emoji, Guild, Member, Role};
use crate::state::integration::Integration;
use crate::state::sticker::Sticker;
use crate::validate::channel::{keeps_its_name, text_channel_name};
use discord_rules::media::sticker::Format;

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

/// Most guilds of a seed.
const MOST_REPEATS: u32 = 100_000;

/// The guild that is being made.
pub(super) struct Site<'a> {
    pub(super) id: Snowflake,
    pub(super) owner: Snowflake,
    /// Start of the paths that ids follow from.
    pub(super) path: &'a str,
    pub(super) names: GuildNames,
}

/// Adds the guild of a world whose seeds have none.
pub(super) fn default(planter: &mut Planter<'_>) -> Result<(), Mistake> {
    let people: Vec<String> =
        planter.world.users.values().filter(|user| !user.bot).map(|user| user.username.clone()).collect();
    let channel = |kind: &str, of: &str, channels| SeedChannel { channels, ..SeedChannel::new(kind, of) };
    let guild = SeedGuild {
        channels: vec![
            channel("category", "Text channels", vec![channel("text", "general", vec![])]),
            channel("category", "Voice channels", vec![channel("voice", "Lounge", vec![])]),
        ],
        members: people.iter().skip(1).map(|user| SeedMember::new(user)).collect(),
        ..SeedGuild::new("Sandbox")
    };
    add(planter, &guild)
}

/// Adds a guild, as often as it says.
pub(super) fn add(planter: &mut Planter<'_>, entry: &SeedGuild) -> Result<(), Mistake> {
    let Some(repeat) = &entry.repeat else { return add_one(planter, entry, &entry.name.value) };
    if !(1..=MOST_REPEATS).contains(&repeat.value) {
        let sentence = format!("`repeat` is from 1 to {MOST_REPEATS}, not {}.", repeat.value);
        return Err(Mistake::at(repeat, sentence));
    }
    if let Some(id) = first_id(entry).filter(|_| repeat.value > 1) {
        let sentence = "an `id` belongs to one object; leave it out of a guild with `repeat`, whose ids follow from names.";
        return Err(Mistake::at(id, sentence));
    }
    add_one(planter, entry, &entry.name.value)?;
    for number in 2..=repeat.value.min(planter.most_repeats) {
        add_one(planter, entry, &format!("{} {number}", entry.name.value))?;
    }
    Ok(())
}

/// Returns an id that is given in a guild, of which there can be only one.
fn first_id(guild: &SeedGuild) -> Option<&Name> {
    fn of_channel(channel: &SeedChannel) -> Option<&Name> {
        channel.id.as_ref().or_else(|| channel.channels.iter().find_map(of_channel))
    }
    let of_role = || guild.roles.iter().find_map(|role| role.id.as_ref());
    guild.id.as_ref().or_else(of_role).or_else(|| guild.channels.iter().find_map(of_channel))
}

fn add_one(planter: &mut Planter<'_>, entry: &SeedGuild, guild_name: &str) -> Result<(), Mistake> {
    let path = format!("guild:{guild_name}");
    let id = planter.id(entry.id.as_ref(), &path, &entry.name)?;
    if !(2..=100).contains(&guild_name.chars().count()) {
        return Err(Mistake::at(&entry.name, "the name of a guild has 2 to 100 characters."));
    }
    let owner = match &entry.owner {
        Some(owner) => user(planter.world, owner)?,
        None => planter.first_person(&entry.name)?,
    };
    let mut guild = Guild::new(id, guild_name, owner, Permissions::EVERYONE);
    guild.members.insert(owner, Member::new(owner, planter.now));
    planter.world.guilds.insert(id, guild);
    planter.applied.guilds.push(id);
    let mut site = Site { id, owner, path: &path, names: GuildNames::default() };
    site.names.roles.add("@everyone", id);
    let mut next = 1;
    for role in &entry.roles {
        add_role(planter, &mut site, role, &mut next)?;
    }
    for emoji in &entry.emojis {
        add_emoji(planter, &mut site, emoji)?;
    }
    for sticker in &entry.stickers {
        add_sticker(planter, &site, sticker)?;
    }
    add_bots(planter, &site, entry.bots.as_deref())?;
    for member in &entry.members {
        add_member(planter, &site, member)?;
    }
    for channel in &entry.channels {
        add_channel(planter, &mut site, channel, None)?;
    }
    settings::apply(planter, &site, entry)?;
    // What names channels comes when all are there.
    let mut channels: Vec<&SeedChannel> = entry.channels.iter().collect();
    while let Some(channel) = channels.pop() {
        content::fill(planter, &site, channel)?;
        channels.extend(&channel.channels);
    }
    for rule in &entry.automod {
        settings::add_rule(planter, &site, rule)?;
    }
    for event in &entry.events {
        settings::add_event(planter, &site, event)?;
    }
    community::apply(planter, &site, entry)
}

fn add_role(
    planter: &mut Planter<'_>,
    site: &mut Site<'_>,
    entry: &SeedRole,
    next: &mut i64,
) -> Result<(), Mistake> {
    let granted = entry.permissions.as_deref().map(permissions).transpose()?;
    if entry.name.value == "@everyone" {
        let guild = planter.world.guilds.get_mut(&site.id);
        if let (Some(guild), Some(granted)) = (guild, granted)
            && let Some(role) = guild.roles.get_mut(&site.id)
        {
            role.permissions = granted;
        }
        return Ok(());
    }
    let path = format!("{}/role:{}", site.path, entry.name.value);
    let id = planter.id(entry.id.as_ref(), &path, &entry.name)?;
    let mut role = Role::new(id, &entry.name.value);
    role.permissions = granted.unwrap_or(Permissions::NONE);
    role.position = entry.position.unwrap_or(*next);
    *next += 1;
    role.color = entry.color.as_ref().map_or(Ok(0), color)?;
    role.hoist = entry.hoist;
    role.mentionable = entry.mentionable;
    role.unicode_emoji.clone_from(&entry.unicode_emoji);
    site.names.roles.add(&entry.name.value, id);
    if let Some(guild) = planter.world.guilds.get_mut(&site.id) {
        guild.roles.insert(id, role);
    }
    Ok(())
}

fn color(text: &Name) -> Result<u32, Mistake> {
    let digits = text.value.strip_prefix('#').filter(|digits| digits.len() == 6);
    digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).ok_or_else(|| {
        Mistake::at(text, format!("\"{}\" is no colour; write one as \"#3498db\", in quotes.", text.value))
    })
}

fn add_emoji(
    planter: &mut Planter<'_>,
    site: &mut Site<'_>,
    entry: &super::file::Emoji,
) -> Result<(), Mistake> {
    let path = format!("{}/emoji:{}", site.path, entry.name.value);
    let id = planter.id(entry.id.as_ref(), &path, &entry.name)?;
    let emoji = Emoji {
        id,
        name: entry.name.value.clone(),
        roles: site.names.roles.all("role", &entry.roles)?,
        animated: entry.animated,
        creator: site.owner,
    };
    site.names.emojis.add(&entry.name.value, id);
    if let Some(guild) = planter.world.guilds.get_mut(&site.id) {
        guild.emojis.insert(id, emoji);
    }
    add_picture(planter, id);
    Ok(())
}

fn add_sticker(
    planter: &mut Planter<'_>,
    site: &Site<'_>,
    entry: &super::file::Sticker,
) -> Result<(), Mistake> {
    let path = format!("{}/sticker:{}", site.path, entry.name.value);
    let id = planter.id(entry.id.as_ref(), &path, &entry.name)?;
    let sticker = Sticker {
        id,
        name: entry.name.value.clone(),
        description: entry.description.clone(),
        tags: entry.tags.clone().unwrap_or_else(|| entry.name.value.clone()),
        format: Format::Png,
        creator: site.owner,
    };
    if let Some(guild) = planter.world.guilds.get_mut(&site.id) {
        guild.stickers.insert(id, sticker);
    }
    add_picture(planter, id);
    Ok(())
}

/// Adds the file of an emoji or sticker, which a seed has none of.
fn add_picture(planter: &mut Planter<'_>, id: Snowflake) {
    let file = File {
        filename: format!("{id}.png"),
        content_type: "image/png".to_owned(),
        bytes: draw::avatar(id.0 >> 22).into(),
    };
    planter.world.files.insert(id, file);
}

fn add_bots(
    planter: &mut Planter<'_>,
    site: &Site<'_>,
    entries: Option<&[BotMember]>,
) -> Result<(), Mistake> {
    let all: Vec<BotMember>;
    let entries = if let Some(entries) = entries {
        entries
    } else {
        let every = planter.world.applications.keys();
        all = every.map(|bot| BotMember::new(&bot.to_string())).collect();
        &all
    };
    for entry in entries {
        let bot = bots::find(planter, &entry.bot)?;
        let granted = entry.permissions.as_deref().map_or(Ok(Permissions::ADMINISTRATOR), permissions)?;
        let bot_name = planter.world.users.get(&bot).map(|user| user.username.clone()).unwrap_or_default();
        let path = format!("{}/bot:{bot_name}", site.path);
        let role_id = planter.id(entry.role_id.as_ref(), &format!("{path}/role"), &entry.bot)?;
        let integration = planter.id(None, &format!("{path}/integration"), &entry.bot)?;
        let further = site.names.roles.all("role", &entry.roles)?;
        let now = planter.now;
        let Some(guild) = planter.world.guilds.get_mut(&site.id) else { continue };
        let mut role = Role::new(role_id, &bot_name);
        role.permissions = granted;
        role.position = entry.position.unwrap_or_else(|| {
            guild.roles.values().map(|role| role.position).max().unwrap_or(0).saturating_add(1)
        });
        role.managed = true;
        role.bot_id = Some(bot);
        guild.roles.insert(role_id, role);
        let mut member = Member::new(bot, now);
        member.nick.clone_from(&entry.nick);
        member.roles = further;
        member.roles.push(role_id);
        guild.members.insert(bot, member);
        let integration = Integration::of_bot(integration, bot, &bot_name, guild.owner_id, now);
        guild.integrations.insert(integration.id, integration);
    }
    Ok(())
}

fn add_member(planter: &mut Planter<'_>, site: &Site<'_>, entry: &SeedMember) -> Result<(), Mistake> {
    let id = user(planter.world, &entry.user)?;
    if planter.world.applications.contains_key(&id) {
        let sentence = format!("{} is a bot; list it under `bots` of the guild.", entry.user.value);
        return Err(Mistake::at(&entry.user, sentence));
    }
    let joined = entry.joined.as_ref().map_or(Ok(planter.now), |at| moment(planter.now, at))?;
    let roles = site.names.roles.all("role", &entry.roles)?;
    if let Some(everyone) = roles.iter().position(|role| *role == site.id) {
        let place = entry.roles.get(everyone).unwrap_or(&entry.user);
        return Err(Mistake::at(place, "all members have @everyone; leave it out."));
    }
    let Some(guild) = planter.world.guilds.get_mut(&site.id) else { return Ok(()) };
    if id != site.owner && guild.members.contains_key(&id) {
        return Err(Mistake::at(&entry.user, format!("{} is a member already.", entry.user.value)));
    }
    let mut member = Member::new(id, joined);
    member.nick.clone_from(&entry.nick);
    member.roles = roles;
    member.pending = entry.pending;
    guild.members.insert(id, member);
    Ok(())
}

fn add_channel(
    planter: &mut Planter<'_>,
    site: &mut Site<'_>,
    entry: &SeedChannel,
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
    if channel.is_forum() {
        forum(planter, site, entry, &path, &mut channel)?;
    }
    site.names.channels.add(&shown, id);
    if let Some(guild) = planter.world.guilds.get_mut(&site.id) {
        let next = i64::try_from(guild.channels.len()).unwrap_or(i64::MAX);
        channel.position = entry.position.unwrap_or(next);
        guild.channels.push(id);
    }
    planter.world.channels.insert(id, channel);
    entry.channels.iter().try_for_each(|inner| add_channel(planter, site, inner, Some(id)))
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

fn forum(
    planter: &mut Planter<'_>,
    site: &Site<'_>,
    entry: &SeedChannel,
    path: &str,
    channel: &mut Channel,
) -> Result<(), Mistake> {
    for tag in &entry.tags {
        let id = planter.id(tag.id.as_ref(), &format!("{path}/tag:{}", tag.name.value), &tag.name)?;
        channel.forum_mut().available_tags.push(Tag {
            id,
            name: tag.name.value.clone(),
            moderated: tag.moderated,
            emoji: emoji_ref(planter.world, site.id, &site.names, tag.emoji.as_ref())?,
        });
    }
    if entry.default_reaction.is_some() {
        let reaction = emoji_ref(planter.world, site.id, &site.names, entry.default_reaction.as_ref())?;
        channel.forum_mut().default_reaction = Some(reaction);
    }
    channel.forum_mut().default_sort_order = entry.sort_order;
    channel.forum_mut().default_layout = entry.layout.unwrap_or(0);
    if entry.require_tag {
        channel.flags |= crate::state::forum::REQUIRE_TAG;
    }
    Ok(())
}

impl SeedMember {
    /// Returns a member without roles.
    pub(super) fn new(user: &str) -> Self {
        Self { user: name(user), nick: None, roles: Vec::new(), joined: None, pending: false }
    }
}

impl BotMember {
    /// Returns a bot that is an administrator.
    pub(super) fn new(bot: &str) -> Self {
        Self {
            bot: name(bot),
            permissions: None,
            role_id: None,
            position: None,
            nick: None,
            roles: Vec::new(),
        }
    }
}

/// Returns the name of a channel's type.
pub(super) fn kind_name(kind: u8) -> &'static str {
    KINDS.iter().find(|(_, known)| *known == kind).map_or("text", |(name, _)| name)
}
