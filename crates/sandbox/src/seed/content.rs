//! What is in a channel of a seed: messages, threads, webhooks, invites.

use indexmap::{IndexMap, IndexSet};
use serde_json::json;
use time::OffsetDateTime;

use super::Name;
use super::apply::Planter;
use super::bots::refused;
use super::file::{Channel as SeedChannel, Message as SeedMessage, Thread as SeedThread};
use super::guild::Site;
use super::mistake::Mistake;
use super::names::{Names, emoji, moment, user};
use crate::draft::Draft;
use crate::snowflake::Snowflake;
use crate::state::channel::{Channel, HISTORY_LIMIT, Thread, kind};
use crate::state::invite::Invite;
use crate::state::message::{Author, Message, Reaction};
use crate::state::webhook::Webhook;
use crate::state::{clock, secret};
use crate::validate::message::{self, MessageOrigin};

/// Time between two messages that say nothing of their times.
const APART: time::Duration = time::Duration::SECOND;

/// Returns whether there is anything in a channel.
pub(super) fn is_in(entry: &SeedChannel) -> bool {
    !(entry.messages.is_empty()
        && entry.threads.is_empty()
        && entry.webhooks.is_empty()
        && entry.invites.is_empty())
}

/// Adds what is in a channel.
pub(super) fn fill(
    planter: &mut Planter<'_>,
    site: &Site<'_>,
    id: Snowflake,
    entry: &SeedChannel,
) -> Result<(), Mistake> {
    let path = format!("{}/{}:{}", site.path, entry.kind.value, entry.name.value);
    add_messages(planter, site, id, &entry.messages)?;
    for thread in &entry.threads {
        add_thread(planter, site, id, thread, &path)?;
    }
    for webhook in &entry.webhooks {
        let own = planter.id(
            webhook.id.as_ref(),
            &format!("{path}/webhook:{}", webhook.name.value),
            &webhook.name,
        )?;
        let webhook = Webhook {
            id: own,
            guild_id: Some(site.id),
            channel_id: id,
            name: webhook.name.value.clone(),
            avatar: None,
            token: webhook.token.as_ref().map_or_else(|| secret(68), |token| token.value.clone()),
            application_id: None,
            creator: planter.user_or(webhook.creator.as_ref(), site.owner)?,
            follows: None,
        };
        planter.world.webhooks.insert(own, webhook);
    }
    for entry in &entry.invites {
        if planter.world.invites.contains_key(&entry.code.value) {
            let sentence = format!("there is another invite \"{}\"; codes are unique.", entry.code.value);
            return Err(Mistake::at(&entry.code, sentence));
        }
        let inviter = planter.user_or(entry.inviter.as_ref(), site.owner)?;
        let mut invite = Invite::new(site.id, id, Some(inviter), planter.now);
        invite.code.clone_from(&entry.code.value);
        invite.max_age = entry.max_age.unwrap_or(0);
        invite.max_uses = entry.max_uses.unwrap_or(0);
        invite.temporary = entry.temporary;
        planter.world.invites.insert(entry.code.value.clone(), invite);
    }
    Ok(())
}

fn add_messages(
    planter: &mut Planter<'_>,
    site: &Site<'_>,
    channel: Snowflake,
    entries: &[SeedMessage],
) -> Result<(), Mistake> {
    if entries.len() > HISTORY_LIMIT {
        let place = entries.get(HISTORY_LIMIT).map_or_else(|| super::name(""), |entry| entry.author.clone());
        return Err(Mistake::at(
            &place,
            format!("a channel keeps its newest {HISTORY_LIMIT} messages, and here are more."),
        ));
    }
    // Those without times are the newest, a second apart.
    let span = APART.checked_mul(i32::try_from(entries.len()).unwrap_or(i32::MAX)).unwrap_or(APART);
    let mut earliest = planter.now - span;
    let mut last = Snowflake(0);
    for entry in entries {
        let id = message_id(planter, entry, earliest)?;
        if id <= last {
            let place = entry.at.as_ref().or(entry.id.as_ref()).unwrap_or(&entry.author);
            return Err(Mistake::at(
                place,
                "messages are listed from the oldest to the newest, and this one is older.",
            ));
        }
        last = id;
        earliest = earliest.max(id.created_at()) + APART;
        add_message(planter, site, channel, id, entry)?;
    }
    Ok(())
}

fn message_id(
    planter: &mut Planter<'_>,
    entry: &SeedMessage,
    default: OffsetDateTime,
) -> Result<Snowflake, Mistake> {
    if entry.id.is_some() {
        if let Some(at) = &entry.at {
            return Err(Mistake::at(at, "the `id` of a message says when it was sent; leave `at` out."));
        }
        let given = entry.id.as_ref().unwrap_or(&entry.author);
        // The first message of a forum's post has the id of the post, so ids of messages are a kind of their own.
        let id = super::names::given(given)?;
        if !planter.message_ids.insert(id) {
            return Err(Mistake::at(
                given,
                format!("the id {id} is that of another message; ids are used once."),
            ));
        }
        return Ok(id);
    }
    let at = entry.at.as_ref().map_or(Ok(default), |at| moment(planter.now, at))?;
    if at > planter.now {
        let place = entry.at.as_ref().unwrap_or(&entry.author);
        return Err(Mistake::at(
            place,
            "a message can't have been sent in the future; write -1h for an hour ago.",
        ));
    }
    let ms = u64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or(0);
    let mut id = Snowflake::first_at(ms);
    while !planter.message_ids.insert(id) {
        id.0 += 1;
    }
    Ok(id)
}

fn add_message(
    planter: &mut Planter<'_>,
    site: &Site<'_>,
    channel: Snowflake,
    id: Snowflake,
    entry: &SeedMessage,
) -> Result<(), Mistake> {
    let author = user(planter.world, &entry.author)?;
    let content = entry.content.as_ref().map_or("", |content| content.value.as_str());
    let embeds: Vec<_> = entry.embeds.iter().map(|embed| &embed.value).collect();
    let components: Vec<_> = entry.components.iter().map(|component| &component.value).collect();
    let body = json!({ "content": content, "embeds": embeds, "components": components });
    let body = message::create(&body, &[], MessageOrigin::Channel)
        .map_err(|error| Mistake::at(&entry.author, refused("this is no message", &error)))?;
    let mut message = Message::new(id, channel, Author::User(author));
    Draft { message: body, uploads: Vec::new() }.fill(planter.world, &mut message);
    for reaction in &entry.reactions {
        let emoji = emoji(planter.world, site.id, &site.names, &reaction.emoji)?;
        let users = reaction
            .users
            .iter()
            .map(|name| user(planter.world, name))
            .collect::<Result<IndexSet<_>, _>>()?;
        if users.is_empty() {
            return Err(Mistake::at(&reaction.emoji, "a reaction has at least one of `users`."));
        }
        message.reactions.push(Reaction { emoji, users });
    }
    message.pinned = entry.pinned;
    if let Some(channel) = planter.world.channels.get_mut(&channel) {
        channel.push(message);
        if entry.pinned {
            channel.pin(id, id.created_at());
        }
    }
    Ok(())
}

fn add_thread(
    planter: &mut Planter<'_>,
    site: &Site<'_>,
    parent: Snowflake,
    entry: &SeedThread,
    path: &str,
) -> Result<(), Mistake> {
    let owner = user(planter.world, &entry.owner)?;
    let id = planter.id(entry.id.as_ref(), &format!("{path}/thread:{}", entry.name.value), &entry.name)?;
    let Some(found) = planter.world.channels.get(&parent) else { return Ok(()) };
    let mut tags = Names::default();
    for tag in &found.forum().available_tags {
        tags.add(&tag.name, tag.id);
    }
    if let Some(tag) = entry.tags.first().filter(|_| !found.is_forum()) {
        return Err(Mistake::at(tag, "only posts of a forum have tags."));
    }
    let kind = match found.kind {
        kind::ANNOUNCEMENT => kind::ANNOUNCEMENT_THREAD,
        kind::TEXT if entry.private => kind::PRIVATE_THREAD,
        _ if entry.private => {
            return Err(Mistake::at(&entry.name, "only threads of text channels can be private."));
        }
        _ => kind::PUBLIC_THREAD,
    };
    let minutes = entry.archive_after.or(found.default_auto_archive_duration).unwrap_or(4320);
    let (owner_joins, now) = (planter.world.member(site.id, owner).is_ok(), clock::iso(planter.now));
    let mut members: IndexMap<Snowflake, String> = IndexMap::new();
    members.extend(owner_joins.then(|| (owner, now.clone())));
    for member in &entry.members {
        members.insert(member_of(planter, site, member)?, now.clone());
    }
    let mut channel = Channel::new(id, kind, Some(site.id), &entry.name.value, planter.now);
    channel.parent_id = Some(parent);
    channel.rate_limit_per_user = entry.slowmode.unwrap_or(0);
    channel.thread = Some(Box::new(Thread {
        owner_id: owner,
        archived: entry.archived,
        auto_archive_duration: minutes,
        archive_timestamp: now.clone(),
        locked: entry.locked,
        invitable: true,
        create_timestamp: now,
        members,
        total_sent: 0,
        applied_tags: tags.all("tag", &entry.tags)?,
    }));
    planter.world.channels.insert(id, channel);
    if let Some(guild) = planter.world.guilds.get_mut(&site.id) {
        guild.threads.push(id);
    }
    planter.applied.threads.push(id);
    add_messages(planter, site, id, &entry.messages)
}

/// Returns a member of the guild.
fn member_of(planter: &Planter<'_>, site: &Site<'_>, wanted: &Name) -> Result<Snowflake, Mistake> {
    let id = user(planter.world, wanted)?;
    if planter.world.member(site.id, id).is_ok() {
        return Ok(id);
    }
    Err(Mistake::at(
        wanted,
        format!("{} is no member of this guild; add them under `members`.", wanted.value),
    ))
}
