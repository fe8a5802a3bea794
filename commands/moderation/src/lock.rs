//! `/lock` and `/unlock`: whether everyone may write in a channel.
//!
//! What @everyone had there is stored before it is changed. Unlocking restores it for the permissions that locking
//! changes; others that were changed meanwhile stay. Locking anew a channel that somebody has opened by hand stores that.

use sdk::database::Sql;
use sdk::params;
use sdk::permissions::{self, Bits, Change};
use sdk::prelude::*;
use sdk::tracing;
use serde::Deserialize;
use serde_json::Value;
use serenity::http::{LightMethod, Request, Route};
use serenity::{
    ChannelId, ChannelType, GuildChannel, GuildId, Http, Mentionable as _, PermissionOverwriteType,
    Permissions, RoleId,
};

use crate::guard::ModerationContext;
use crate::{answer, discord};

/// Permissions that a locked channel denies to everyone.
const WRITING: Permissions = Permissions::SEND_MESSAGES
    .union(Permissions::SEND_MESSAGES_IN_THREADS)
    .union(Permissions::CREATE_PUBLIC_THREADS)
    .union(Permissions::CREATE_PRIVATE_THREADS)
    .union(Permissions::ADD_REACTIONS);

/// Keeps everyone from writing in a channel
#[poise::command(slash_command, guild_only, ephemeral, default_member_permissions = "MANAGE_CHANNELS")]
pub(crate) async fn lock(
    ctx: Context<'_>,
    #[description = "Which channel; this one, if left out"]
    #[channel_types("Text", "News", "Voice", "Stage", "Forum")]
    channel: Option<GuildChannel>,
    #[description = "Why, for Discord's audit log"]
    #[max_length = 400]
    reason: Option<String>,
) -> Result<(), Error> {
    let (at, channel) = place(ctx, channel)?;
    ctx.defer_ephemeral().await?;
    let (http, sql, mention) = (ctx.http(), at.data.sql(), channel.mention());
    let before = overwrite(http, at.guild, channel).await?;
    // Stored first, so that what was there is not lost if the bot ends meanwhile.
    let is_new = remember(&sql, at.guild, channel, before).await?;
    if !is_new {
        if before.is_some_and(|(_, denied)| denied.contains(WRITING)) {
            return Err(Refusal::new(format!("{mention} is locked already.")).into());
        }
        let locked = remembered(&sql, channel).await?.flatten();
        replace(&sql, at.guild, channel, opened(locked, before)).await?;
    }
    let change = Change::new().deny(WRITING);
    if let Err(error) = set(http, at.guild, channel, &change, &at.audit(reason.as_deref())).await {
        // After any other failure, the channel may be locked all the same.
        if is_new
            && discord::is_refused(&error)
            && let Err(error) = forget(&sql, channel).await
        {
            tracing::warn!(%channel, %error, "a lock that Discord refused could not be forgotten");
        }
        return Err(explained(error, &format!("lock {mention}")));
    }
    answer::logged(ctx, &at, "Channel locked", format!("{mention} is locked")).await
}

/// Lets everyone write in a locked channel as before
#[poise::command(slash_command, guild_only, ephemeral, default_member_permissions = "MANAGE_CHANNELS")]
pub(crate) async fn unlock(
    ctx: Context<'_>,
    #[description = "Which channel; this one, if left out"]
    #[channel_types("Text", "News", "Voice", "Stage", "Forum")]
    channel: Option<GuildChannel>,
    #[description = "Why, for Discord's audit log"]
    #[max_length = 400]
    reason: Option<String>,
) -> Result<(), Error> {
    let (at, channel) = place(ctx, channel)?;
    ctx.defer_ephemeral().await?;
    let (http, sql, mention) = (ctx.http(), at.data.sql(), channel.mention());
    let Some(before) = remembered(&sql, channel).await? else {
        let words = format!("{mention} is not locked, or not by me; change its permissions by hand.");
        return Err(Refusal::new(words).into());
    };
    let (what, reason) = (format!("unlock {mention}"), at.audit(reason.as_deref()));
    let (allowed, denied) = before.unwrap_or_default();
    let writing = Bits::from(WRITING);
    let change = Change::new().inherit(writing).allow(allowed & writing).deny(denied & writing);
    let now = set(http, at.guild, channel, &change, &reason).await;
    let now = now.map_err(|error| explained(error, &what))?;
    if before.is_none() && now == (Bits(0), Bits(0)) {
        let removed = http.delete_permission(channel, at.guild.get().into(), Some(&reason)).await;
        removed.map_err(|error| discord::explained(error, &what))?;
    }
    forget(&sql, channel).await?;
    answer::logged(ctx, &at, "Channel unlocked", format!("{mention} is unlocked")).await
}

fn place(ctx: Context<'_>, channel: Option<GuildChannel>) -> Result<(ModerationContext, ChannelId), Error> {
    let at = ModerationContext::of(ctx)?;
    let id = channel.as_ref().map_or(ctx.channel_id(), |channel| channel.id);
    let kind = channel.map(|channel| channel.kind).or_else(|| {
        let guild = ctx.guild()?;
        guild
            .channels
            .get(&id)
            .or_else(|| guild.threads.iter().find(|thread| thread.id == id))
            .map(|one| one.kind)
    });
    if matches!(kind, Some(ChannelType::PublicThread | ChannelType::PrivateThread | ChannelType::NewsThread))
    {
        let words = "A thread has no permissions of its own; lock it in its own menu, or lock its channel.";
        return Err(Refusal::new(words).into());
    }
    if id != ctx.channel_id() {
        at.moderator_may_in(id, Permissions::VIEW_CHANNEL | Permissions::MANAGE_CHANNELS)?;
    }
    let needed = Permissions::VIEW_CHANNEL | Permissions::MANAGE_ROLES;
    at.bot_may_in(id, needed, "to change who may write there")?;
    at.bot_may(WRITING, "to change who has them")?;
    Ok((at, id))
}

/// What an overwrite allows and denies; `None` without an overwrite.
type Overwrite = Option<(Bits, Bits)>;

/// Returns the overwrite of everyone, with the permissions that serenity has no name for.
async fn overwrite(http: &Http, guild: GuildId, channel: ChannelId) -> Result<Overwrite, Error> {
    let request = Request::new(Route::Channel { channel_id: channel }, LightMethod::Get);
    let answer: Value = http.fire(request).await?;
    let everyone = guild.to_string();
    let all = answer["permission_overwrites"].as_array();
    let Some(found) = all.into_iter().flatten().find(|one| one["id"] == everyone.as_str()) else {
        return Ok(None);
    };
    let bits = |field: &str| bits(found[field].as_str());
    Ok(Some((bits("allow")?, bits("deny")?)))
}

fn bits(text: Option<&str>) -> Result<Bits, Error> {
    let number = text.and_then(|text| text.parse().ok());
    number.map(Bits).ok_or_else(|| "an overwrite has no permissions where it should".into())
}

async fn set(
    http: &Http,
    guild: GuildId,
    channel: ChannelId,
    change: &Change,
    reason: &str,
) -> Result<(Bits, Bits), Error> {
    let everyone = PermissionOverwriteType::Role(RoleId::new(guild.get()));
    permissions::edit_overwrite(http, channel, everyone, change, Some(reason)).await
}

fn explained(error: Error, what: &str) -> Error {
    match error.downcast::<serenity::Error>() {
        Ok(error) => discord::explained(*error, what),
        Err(error) => error,
    }
}

#[derive(Deserialize)]
struct Stored {
    allowed: Option<String>,
    denied: Option<String>,
}

/// Stores what was there. Returns whether the channel was not locked yet.
async fn remember(sql: &Sql, guild: GuildId, channel: ChannelId, before: Overwrite) -> Result<bool, Error> {
    store(sql, guild, channel, before, "DO NOTHING").await
}

/// Stores what was there in place of what is stored.
async fn replace(sql: &Sql, guild: GuildId, channel: ChannelId, before: Overwrite) -> Result<(), Error> {
    let update = "DO UPDATE SET allowed = excluded.allowed, denied = excluded.denied";
    store(sql, guild, channel, before, update).await?;
    Ok(())
}

/// Stores what was there; `otherwise` says what becomes of what is stored already. Returns whether anything was written.
async fn store(
    sql: &Sql,
    guild: GuildId,
    channel: ChannelId,
    before: Overwrite,
    otherwise: &str,
) -> Result<bool, Error> {
    let insert = format!(
        "INSERT INTO moderation_locks (channel, guild, allowed, denied) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (channel) {otherwise}"
    );
    let (allowed, denied) = before.map(|(allowed, denied)| (allowed.to_string(), denied.to_string())).unzip();
    Ok(sql.execute(&insert, params![channel, guild, allowed, denied]).await? > 0)
}

/// Returns what was there before the lock, or `None` if the channel is not locked.
async fn remembered(sql: &Sql, channel: ChannelId) -> Result<Option<Overwrite>, Error> {
    let query = "SELECT allowed, denied FROM moderation_locks WHERE channel = $1";
    match sql.fetch_one::<Stored>(query, params![channel]).await? {
        None => Ok(None),
        Some(Stored { allowed: None, .. }) => Ok(Some(None)),
        Some(Stored { allowed, denied }) => {
            Ok(Some(Some((bits(allowed.as_deref())?, bits(denied.as_deref())?))))
        }
    }
}

/// Returns what to restore in a locked channel that was changed by hand: what it has now, and what was stored for the
/// permissions that are still denied.
fn opened(stored: Overwrite, now: Overwrite) -> Overwrite {
    let (allowed, denied) = now?;
    let (allowed_before, denied_before) = stored.unwrap_or_default();
    let still = denied & Bits::from(WRITING);
    Some((allowed | (allowed_before & still), (denied & !still) | (denied_before & still)))
}

async fn forget(sql: &Sql, channel: ChannelId) -> Result<(), Error> {
    sql.execute("DELETE FROM moderation_locks WHERE channel = $1", params![channel]).await?;
    Ok(())
}
