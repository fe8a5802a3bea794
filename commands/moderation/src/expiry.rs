//! The ends of temporary bans.
//!
//! The database says which bans end when, and the host's timers say it in time. A timer that no longer fits the
//! database does nothing. After a start, timers are set again from the database, guild by guild.

use std::time::Duration;

use sdk::prelude::*;
use sdk::tracing;
use serenity::{GuildId, Mentionable as _, UserId};

use crate::cases::{self, TemporaryBan};
use crate::{discord, guard, log};

/// Name of the timer.
pub(crate) const TIMER: &str = "unban";

/// Time after which an unban that failed is tried again.
const RETRY: Duration = Duration::from_mins(5);

/// Time after which an unban is tried again for which the bot has no permission.
const FORBIDDEN_RETRY: Duration = Duration::from_hours(24);

fn key(guild: GuildId, user: UserId) -> String {
    format!("{guild}:{user}")
}

/// Sets the timer of a temporary ban, in place of an earlier one of the same user.
pub(crate) async fn schedule(
    data: &Data,
    guild: GuildId,
    user: UserId,
    number: i64,
    lasts: Duration,
) -> Result<(), Error> {
    data.schedule(TIMER, &key(guild, user), lasts, &(guild, user, number)).await
}

async fn schedule_rest(data: &Data, guild: GuildId, ban: &TemporaryBan) -> Result<(), Error> {
    let rest = u64::try_from(ban.ends_at - cases::now()).unwrap_or_default();
    schedule(data, guild, ban.user_id, ban.number, Duration::from_secs(rest)).await
}

/// Removes the timer of a ban that does not end by itself any more.
pub(crate) async fn cancel(data: &Data, guild: GuildId, user: UserId) -> Result<(), Error> {
    data.unschedule(TIMER, &key(guild, user));
    // Meanwhile there may be a new ban, whose timer this was.
    match cases::temporary_ban(&data.sql(), guild, user).await? {
        Some(ban) => schedule_rest(data, guild, &ban).await,
        None => Ok(()),
    }
}

/// Forgets that the ban of a user ends by itself who is not banned.
pub(crate) async fn forget(data: &Data, guild: GuildId, user: UserId) -> Result<(), Error> {
    let sql = data.sql();
    let Some(ban) = cases::temporary_ban(&sql, guild, user).await? else { return Ok(()) };
    cases::forget_temporary_ban(&sql, guild, user, ban.number).await?;
    cancel(data, guild, user).await
}

/// Ends a ban whose time is over.
pub(crate) async fn due(ctx: EventContext, timer: Timer) -> Result<(), Error> {
    let (guild, user, number) = timer.payload()?;
    let ended = end(&ctx, guild, user, number).await;
    if ended.is_err() {
        schedule(ctx.data(), guild, user, number, RETRY).await?;
    }
    ended
}

async fn end(ctx: &EventContext, guild: GuildId, user: UserId, number: i64) -> Result<(), Error> {
    let (data, sql) = (ctx.data(), ctx.data().sql());
    let Some(ban) = cases::temporary_ban(&sql, guild, user).await? else { return Ok(()) };
    if ban.number != number {
        // A timer of an earlier ban has taken the place of this one's.
        return schedule_rest(data, guild, &ban).await;
    }
    let reason = guard::audit(&format!("Case {number}"), Some("the temporary ban is over"));
    let title = match ctx.http.remove_ban(guild, user, Some(&reason)).await {
        Ok(()) => {
            cases::forget_temporary_ban(&sql, guild, user, number).await?;
            "Temporary ban over"
        }
        Err(error) if discord::is_not_banned(&error) => {
            return cases::forget_temporary_ban(&sql, guild, user, number).await;
        }
        Err(error) if discord::is_forbidden(&error) => {
            let first_end = cases::one(&sql, guild, number).await?.expires_at;
            postpone(data, guild, &ban).await?;
            if first_end.is_some_and(|first| first < ban.ends_at) {
                // It was postponed before, and that is logged.
                return Ok(());
            }
            tracing::warn!(%guild, %user, number, %error, "a temporary ban could not be ended");
            "A temporary ban could not be ended, because I have no permission; I try again every day"
        }
        Err(error) => {
            return Err(format!("a temporary ban in guild {guild} could not be ended: {error}").into());
        }
    };
    let entry = log::entry(title, ctx.cache.current_user().id)
        .field("User", format!("{} (`{user}`)", user.mention()), true)
        .field("Case", number.to_string(), true);
    log::write(data, guild, entry).await;
    Ok(())
}

async fn postpone(data: &Data, guild: GuildId, ban: &TemporaryBan) -> Result<(), Error> {
    let ends_at = cases::now() + i64::try_from(FORBIDDEN_RETRY.as_secs())?;
    cases::postpone_temporary_ban(&data.sql(), guild, ban, ends_at).await?;
    schedule(data, guild, ban.user_id, ban.number, FORBIDDEN_RETRY).await
}

/// Sets the timers of a server's temporary bans, when Discord sends the server after a start. Bans that were lifted while
/// the bot was away are forgotten, so that later ones stay.
pub(crate) async fn guild_available(ctx: EventContext, event: event::GuildCreate) -> Result<(), Error> {
    let guild = event.guild.id;
    let bans = cases::temporary_bans(&ctx.data().sql(), guild).await?;
    for ban in &bans {
        schedule_rest(ctx.data(), guild, ban).await?;
    }
    for ban in &bans {
        match ctx.http.get_ban(guild, ban.user_id).await {
            Ok(Some(_)) => {}
            Ok(None) => {
                cases::forget_temporary_ban(&ctx.data().sql(), guild, ban.user_id, ban.number).await?;
                cancel(ctx.data(), guild, ban.user_id).await?;
            }
            Err(error) => {
                tracing::debug!(%guild, user = %ban.user_id, %error, "a temporary ban could not be looked up");
            }
        }
    }
    Ok(())
}

/// Forgets the end of a ban that somebody has lifted by hand, so that a later ban stays.
pub(crate) async fn unbanned(ctx: EventContext, event: event::GuildBanRemoval) -> Result<(), Error> {
    let (guild, user, sql) = (event.guild_id, event.unbanned_user.id, ctx.data().sql());
    let Some(ban) = cases::temporary_ban(&sql, guild, user).await? else { return Ok(()) };
    // The user may have been banned anew before this event was handled.
    if ctx.http.get_ban(guild, user).await?.is_none() {
        cases::forget_temporary_ban(&sql, guild, user, ban.number).await?;
        cancel(ctx.data(), guild, user).await?;
    }
    Ok(())
}
