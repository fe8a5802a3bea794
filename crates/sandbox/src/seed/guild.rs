//! Guilds of a seed: roles, channels, members.

use super::apply::Planter;
use super::file::{
    BotMember, Channel as SeedChannel, Guild as SeedGuild, Member as SeedMember, Role as SeedRole,
};
use super::mistake::Mistake;
use super::names::{GuildNames, moment, permissions, user};
use super::{Name, bots, channels, community, content, name, settings};
use crate::draw;
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::state::File;
use crate::state::guild::{Emoji, Guild, Member, Role};
use crate::state::integration::Integration;
use crate::state::sticker::Sticker;
use discord_rules::media::sticker::Format;

/// Most guilds of a seed.
const MOST_REPEATS: u32 = 100_000;

/// The guild that is being made.
pub(super) struct Site<'a> {
    pub(super) id: Snowflake,
    pub(super) owner: Snowflake,
    /// Start of the paths that ids follow from.
    pub(super) path: &'a str,
    pub(super) names: GuildNames,
    /// Channels with messages, threads, webhooks or invites, which come when all channels are there.
    pub(super) to_fill: Vec<(Snowflake, &'a SeedChannel)>,
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
    for number in 2..=repeat.value {
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
    let mut site = Site { id, owner, path: &path, names: GuildNames::default(), to_fill: Vec::new() };
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
        channels::add(planter, &mut site, channel, None)?;
    }
    settings::apply(planter, &site, entry)?;
    for (id, channel) in std::mem::take(&mut site.to_fill) {
        content::fill(planter, &site, id, channel)?;
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
