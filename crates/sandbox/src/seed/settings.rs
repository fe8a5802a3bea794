//! Settings of a guild of a seed, its rules of auto moderation, and its scheduled events.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::Name;
use super::apply::Planter;
use super::bots::refused;
use super::channels::kind_name;
use super::file::{Action as SeedAction, Event as SeedEvent, Guild as SeedGuild, Rule as SeedRule};
use super::guild::Site;
use super::mistake::Mistake;
use super::names::{moment, user, word};
use crate::state::auto_moderation::Rule;
use crate::state::channel::kind;
use crate::state::clock;
use crate::state::scheduled_event::{ScheduledEvent, status};
use crate::validate;
use crate::validate::command::LOCALES;
use crate::validate::scheduled_event::entity;

pub(super) const VERIFICATION: &[&str] = &["none", "low", "medium", "high", "very_high"];
pub(super) const NOTIFICATIONS: &[&str] = &["all", "mentions"];
pub(super) const CONTENT_FILTER: &[&str] = &["none", "without_roles", "all"];
pub(super) const TRIGGERS: &[(&str, u8)] =
    &[("keywords", 1), ("spam", 3), ("presets", 4), ("mentions", 5), ("names", 6)];
pub(super) const PRESETS: &[&str] = &["profanity", "sexual_content", "slurs"];

/// Sets the settings of a guild whose channels are there.
pub(super) fn apply(planter: &mut Planter<'_>, site: &Site<'_>, entry: &SeedGuild) -> Result<(), Mistake> {
    let channel = |wanted: &Option<Name>| {
        wanted.as_ref().map(|name| site.names.channels.find("channel", name)).transpose()
    };
    let one = |what: &str, wanted: &Option<Name>, words: &[&str]| {
        wanted.as_ref().map_or(Ok(0), |name| word(what, name, words)).map(|index| index as u64)
    };
    let system = channel(&entry.system_channel)?;
    let (rules, updates) = (channel(&entry.rules_channel)?, channel(&entry.updates_channel)?);
    let (safety, afk) = (channel(&entry.safety_channel)?, channel(&entry.afk_channel)?);
    if let Some(place) = &entry.afk_channel {
        of_kind(planter, site, place, &[kind::VOICE])?;
    }
    if let Some(place) = &entry.system_channel {
        of_kind(planter, site, place, &[kind::TEXT, kind::ANNOUNCEMENT])?;
    }
    let verification = one("level of verification", &entry.verification, VERIFICATION)?;
    let notifications = one("kind of notifications", &entry.notifications, NOTIFICATIONS)?;
    let filter = one("content filter", &entry.content_filter, CONTENT_FILTER)?;
    if let Some(locale) = &entry.locale {
        word("language", locale, LOCALES)?;
    }
    let Some(guild) = planter.world.guilds.get_mut(&site.id) else { return Ok(()) };
    guild.description.clone_from(&entry.description);
    guild.system_channel_id = system;
    guild.rules_channel_id = rules;
    guild.public_updates_channel_id = updates;
    guild.safety_alerts_channel_id = safety;
    guild.afk_channel_id = afk;
    guild.afk_timeout = entry.afk_timeout.unwrap_or(guild.afk_timeout);
    guild.verification_level = verification;
    guild.default_message_notifications = notifications;
    guild.explicit_content_filter = filter;
    if let Some(locale) = &entry.locale {
        guild.preferred_locale.clone_from(&locale.value);
    }
    guild.perks.granted.extend(entry.features.iter().cloned());
    guild.perks.boosts = entry.boosts.unwrap_or(0);
    Ok(())
}

/// Checks that a channel is of one of these types.
pub(super) fn of_kind(
    planter: &Planter<'_>,
    site: &Site<'_>,
    wanted: &Name,
    kinds: &[u8],
) -> Result<(), Mistake> {
    let id = site.names.channels.find("channel", wanted)?;
    let kind = planter.world.channels.get(&id).map_or(kind::TEXT, |channel| channel.kind);
    if kinds.contains(&kind) {
        return Ok(());
    }
    let right: Vec<&str> = kinds.iter().map(|kind| kind_name(*kind)).collect();
    let sentence = format!(
        "\"{}\" is of type {}, and this takes one of type {}.",
        wanted.value,
        kind_name(kind),
        right.join(" or ")
    );
    Err(Mistake::at(wanted, sentence))
}

/// Adds a rule of auto moderation.
pub(super) fn add_rule(planter: &mut Planter<'_>, site: &Site<'_>, entry: &SeedRule) -> Result<(), Mistake> {
    let names: Vec<&str> = TRIGGERS.iter().map(|(name, _)| *name).collect();
    let index = entry.trigger.as_ref().map_or(Ok(0), |name| word("trigger", name, &names))?;
    let kind = TRIGGERS[index].1;
    let mut metadata = Map::new();
    let mut set = |field: &str, value: Value, is_there: bool| {
        if is_there {
            metadata.insert(field.to_owned(), value);
        }
    };
    set("keyword_filter", json!(entry.keywords), !entry.keywords.is_empty());
    set("regex_patterns", json!(entry.regex), !entry.regex.is_empty());
    set("allow_list", json!(entry.allow), !entry.allow.is_empty());
    set("mention_total_limit", json!(entry.mention_limit), entry.mention_limit.is_some());
    set("mention_raid_protection_enabled", true.into(), entry.raid_protection);
    let presets = entry.presets.iter().map(|name| Ok(word("preset", name, PRESETS)? + 1));
    set("presets", json!(presets.collect::<Result<Vec<_>, Mistake>>()?), !entry.presets.is_empty());
    let actions = entry.actions.iter().map(|action| self::action(planter, site, action, &entry.name));
    let body = json!({
        "name": entry.name.value,
        "event_type": validate::auto_moderation::event_of(kind),
        "trigger_type": kind,
        "trigger_metadata": metadata,
        "actions": actions.collect::<Result<Vec<_>, _>>()?,
        "enabled": !entry.disabled,
        "exempt_roles": site.names.roles.all("role", &entry.exempt_roles)?,
        "exempt_channels": site.names.channels.all("channel", &entry.exempt_channels)?,
    });
    let body = validate::auto_moderation::create(&body)
        .map_err(|error| Mistake::at(&entry.name, refused("this is no rule of auto moderation", &error)))?;
    let id =
        planter.id(entry.id.as_ref(), &format!("{}/rule:{}", site.path, entry.name.value), &entry.name)?;
    let rule = Rule::new(id, site.id, site.owner, body);
    if let Some(guild) = planter.world.guilds.get_mut(&site.id) {
        guild.auto_moderation.insert(id, rule);
    }
    Ok(())
}

fn action(planter: &Planter<'_>, site: &Site<'_>, entry: &SeedAction, rule: &Name) -> Result<Value, Mistake> {
    Ok(match entry {
        SeedAction { block: Some(text), alert: None, timeout: None, block_member: false } => {
            match text.value.as_str() {
                "" => json!({ "type": 1 }),
                text => json!({ "type": 1, "metadata": { "custom_message": text } }),
            }
        }
        SeedAction { block: None, alert: Some(channel), timeout: None, block_member: false } => {
            of_kind(planter, site, channel, &[kind::TEXT, kind::ANNOUNCEMENT, kind::VOICE, kind::STAGE])?;
            let channel = site.names.channels.find("channel", channel)?;
            json!({ "type": 2, "metadata": { "channel_id": channel } })
        }
        SeedAction { block: None, alert: None, timeout: Some(seconds), block_member: false } => {
            json!({ "type": 3, "metadata": { "duration_seconds": seconds } })
        }
        SeedAction { block: None, alert: None, timeout: None, block_member: true } => json!({ "type": 4 }),
        _ => {
            let sentence = "an action is one of `block`, `alert`, `timeout` and `block_member`; list several one by one.";
            return Err(Mistake::at(rule, sentence));
        }
    })
}

/// Adds a scheduled event.
pub(super) fn add_event(
    planter: &mut Planter<'_>,
    site: &Site<'_>,
    entry: &SeedEvent,
) -> Result<(), Mistake> {
    let start = moment(planter.now, &entry.start)?;
    let end = entry.end.as_ref().map(|end| moment(planter.now, end)).transpose()?;
    let mut body = json!({
        "name": entry.name.value,
        "privacy_level": 2,
        "scheduled_start_time": clock::iso(start),
        "scheduled_end_time": end.map(clock::iso),
        "description": entry.description,
    });
    match (&entry.channel, &entry.location) {
        (Some(channel), None) => {
            of_kind(planter, site, channel, &[kind::VOICE, kind::STAGE])?;
            let id = site.names.channels.find("channel", channel)?;
            let is_stage = planter.world.channels.get(&id).is_some_and(|channel| channel.kind == kind::STAGE);
            body["entity_type"] = if is_stage { entity::STAGE_INSTANCE } else { entity::VOICE }.into();
            body["channel_id"] = json!(id);
        }
        (None, Some(location)) => {
            body["entity_type"] = entity::EXTERNAL.into();
            body["entity_metadata"] = json!({ "location": location });
        }
        _ => {
            return Err(Mistake::at(
                &entry.name,
                "an event is in a `channel` or at a `location`, and at one of them.",
            ));
        }
    }
    let body = validate::scheduled_event::create(&body, planter.now)
        .map_err(|error| Mistake::at(&entry.name, refused("this is no event", &error)))?;
    let users =
        entry.users.iter().map(|name| user(planter.world, name)).collect::<Result<BTreeSet<_>, _>>()?;
    let creator_id = planter.user_or(entry.creator.as_ref(), site.owner)?;
    let id =
        planter.id(entry.id.as_ref(), &format!("{}/event:{}", site.path, entry.name.value), &entry.name)?;
    let event = ScheduledEvent {
        id,
        guild_id: site.id,
        creator_id,
        body,
        status: status::SCHEDULED,
        started: None,
        entity_id: None,
        image: None,
        users,
        exceptions: BTreeMap::new(),
    };
    if let Some(guild) = planter.world.guilds.get_mut(&site.id) {
        guild.scheduled_events.insert(id, event);
    }
    planter.applied.events.push((site.id, id));
    Ok(())
}
