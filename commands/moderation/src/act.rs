//! What moderators do to users: checks, the user's direct message, Discord, the case, the log, in this order.

use std::time::Duration;

use sdk::prelude::*;
use sdk::{text, tracing};
use serenity::{CreateAllowedMentions, CreateMessage, Message, Permissions, Timestamp};

use crate::cases::{self, Kind, NewCase};
use crate::guard::{ModerationContext, Target};
use crate::settings::{self, Settings};
use crate::{answer, discord, expiry, log};

/// What is to be done, to whom and why.
pub(crate) struct Order {
    pub(crate) kind: Kind,
    pub(crate) target: Target,
    pub(crate) reason: Option<String>,
    pub(crate) evidence: Option<String>,
    pub(crate) quote: Option<String>,
    pub(crate) points: i64,
    /// How long it lasts.
    pub(crate) lasts: Option<Duration>,
    /// Age up to which a ban deletes messages.
    pub(crate) delete: Duration,
    /// Case whose consequence this is.
    pub(crate) cause: Option<i64>,
}

impl Order {
    pub(crate) fn new(kind: Kind, target: Target, reason: Option<String>) -> Self {
        let (evidence, quote, points, lasts, delete, cause) = (None, None, 0, None, Duration::ZERO, None);
        Self { kind, target, reason, evidence, quote, points, lasts, delete, cause }
    }
}

/// What was done.
pub(crate) struct Done {
    pub(crate) number: i64,
    pub(crate) points: i64,
    /// Sentence without its full stop.
    pub(crate) sentence: String,
}

/// Words of a kind of act.
struct Words {
    /// As in "I cannot ban carol".
    verb: &'static str,
    /// As in "carol was banned".
    done: &'static str,
    /// What the bot needs for it.
    needs: Permissions,
}

fn words(kind: Kind) -> Words {
    let (verb, done, needs) = match kind {
        Kind::Ban | Kind::TemporaryBan => ("ban", "banned", Permissions::BAN_MEMBERS),
        Kind::Softban => ("softban", "softbanned", Permissions::BAN_MEMBERS),
        Kind::Unban => ("unban", "unbanned", Permissions::BAN_MEMBERS),
        Kind::Kick => ("kick", "kicked", Permissions::KICK_MEMBERS),
        Kind::Timeout => ("time out", "timed out", Permissions::MODERATE_MEMBERS),
        Kind::TimeoutEnd => {
            ("end the timeout of", "released from the timeout", Permissions::MODERATE_MEMBERS)
        }
        Kind::Warning => ("warn", "warned", Permissions::empty()),
    };
    Words { verb, done, needs }
}

/// Carries out a moderator's order, and answers with what was done.
pub(crate) async fn answer(ctx: Context<'_>, at: &ModerationContext, order: Order) -> Result<(), Error> {
    let done = perform(at, order).await?;
    answer::sentence(ctx, done.sentence).await
}

/// Does it, after the checks. An order with a cause is not checked against the moderator's role: the server's settings
/// ask for it.
pub(crate) async fn perform(at: &ModerationContext, mut order: Order) -> Result<Done, Error> {
    let settings = settings::of(&at.data, at.guild).get().await?;
    check(at, &order)?;
    if order.kind == Kind::Warning {
        return warn(at, &order, &settings).await;
    }
    let ends_at = ends_at(order.lasts);
    let told = tell(at, &order, ends_at).await;
    let outcome = match ask_discord(at, &order, ends_at).await {
        Ok(outcome) => outcome,
        Err(error) => {
            if let Some(message) = told.message
                && let Err(error) = message.delete(&at.ctx).await
            {
                tracing::debug!(%error, "a direct message about an act that failed could not be deleted");
            }
            return Err(error);
        }
    };
    let is_still_banned = matches!(outcome, Outcome::StillBanned);
    if is_still_banned {
        order.kind = Kind::Ban;
    }
    let mut done = write(at, &order, ends_at, &settings).await?;
    if is_still_banned {
        done.sentence += "; the ban could not be lifted, use `/unban`";
    }
    if matches!(order.kind, Kind::Ban | Kind::Softban | Kind::Unban)
        && let Err(error) = expiry::cancel(&at.data, at.guild, order.target.user.id).await
    {
        tracing::warn!(guild = %at.guild, %error, "the timer of a ban that was replaced may have stayed");
    }
    if order.kind == Kind::TemporaryBan
        && let Some(lasts) = order.lasts
    {
        let set = expiry::schedule(&at.data, at.guild, order.target.user.id, done.number, lasts).await;
        if let Err(error) = set {
            tracing::error!(guild = %at.guild, number = done.number, %error, "the end of a ban has no timer");
            done.sentence += "; too many bans end by themselves, so this one needs an `/unban`";
        }
    }
    done.sentence += told.remark;
    done.sentence += log(at, done.number).await;
    Ok(done)
}

/// Writes the case of a warning, and then sends the user a direct message about it.
async fn warn(at: &ModerationContext, order: &Order, settings: &Settings) -> Result<Done, Error> {
    let mut done = write(at, order, None, settings).await?;
    let told = tell(at, order, None).await;
    done.sentence += told.remark;
    done.sentence += log(at, done.number).await;
    Ok(done)
}

fn check(at: &ModerationContext, order: &Order) -> Result<(), Error> {
    let (target, words) = (&order.target, words(order.kind));
    at.bot_may(words.needs, &format!("to {} {}", words.verb, target.name()))?;
    let needs_member = matches!(order.kind, Kind::Kick | Kind::Timeout | Kind::TimeoutEnd | Kind::Warning);
    if needs_member && !target.is_member() {
        let words = format!("I cannot {} {}, who is not in this server.", words.verb, target.name());
        return Err(Refusal::new(words).into());
    }
    if order.kind == Kind::Unban {
        return Ok(());
    }
    if order.cause.is_some() {
        at.check_bot(target, words.verb)?;
    } else {
        at.check(target, words.verb)?;
    }
    if order.kind == Kind::Timeout && at.is_administrator(target)? {
        let name = target.name();
        return Err(Refusal::new(format!(
            "I cannot time out {name}, because Discord does not let anybody time out administrators."
        ))
        .into());
    }
    Ok(())
}

fn ends_at(lasts: Option<Duration>) -> Option<i64> {
    lasts.map(|lasts| cases::now() + i64::try_from(lasts.as_secs()).unwrap_or(i64::MAX / 2))
}

/// What Discord has done.
enum Outcome {
    Done,
    /// The ban of a softban, which then could not be lifted.
    StillBanned,
}

async fn ask_discord(at: &ModerationContext, order: &Order, ends_at: Option<i64>) -> Result<Outcome, Error> {
    let (http, guild, user) = (&at.ctx.http, at.guild, order.target.user.id);
    let reason = at.audit(order.reason.as_deref());
    let answer = match order.kind {
        Kind::Ban | Kind::TemporaryBan | Kind::Softban => {
            let banned = discord::ban(http, guild, user, order.delete, &reason).await;
            if banned.is_ok()
                && order.kind == Kind::Softban
                && let Err(error) = http.remove_ban(guild, user, Some(&reason)).await
            {
                tracing::warn!(%user, %error, "the ban of a softban could not be lifted");
                return Ok(Outcome::StillBanned);
            }
            banned
        }
        Kind::Unban => {
            let lifted = http.remove_ban(guild, user, Some(&reason)).await;
            if lifted.as_ref().is_err_and(discord::is_not_banned) {
                expiry::forget(&at.data, guild, user).await?;
            }
            lifted
        }
        Kind::Kick => http.kick_member(guild, user, Some(&reason)).await,
        Kind::Timeout | Kind::TimeoutEnd => {
            let until = match ends_at {
                Some(end) => Some(Timestamp::from_unix_timestamp(end)?.to_string()),
                None => None,
            };
            let change = serde_json::json!({ "communication_disabled_until": until });
            http.edit_member(guild, user, &change, Some(&reason)).await.map(drop)
        }
        Kind::Warning => Ok(()),
    };
    answer.map(|()| Outcome::Done).map_err(|error| {
        discord::explained(error, &format!("{} {}", words(order.kind).verb, order.target.name()))
    })
}

/// The direct message to the user.
struct Told {
    message: Option<Message>,
    /// What to add to the answer.
    remark: &'static str,
}

/// Sends a member a direct message with what happens and why. A failure, as with closed direct messages, becomes a remark.
async fn tell(at: &ModerationContext, order: &Order, ends_at: Option<i64>) -> Told {
    if !order.target.is_member() || matches!(order.kind, Kind::Unban | Kind::TimeoutEnd) {
        return Told { message: None, remark: "" };
    }
    let mut sentence = format!("You were {} in {}", words(order.kind).done, at.guild_name());
    if let Some(end) = ends_at {
        sentence += &format!(" until <t:{end}:f>");
    }
    if order.points > 0 {
        sentence += &format!(" with {}", points(order.points));
    }
    match order.reason.as_deref() {
        Some(reason) => sentence += &format!(": {}", foreign(reason, Surface::Line, 1000)),
        None => sentence.push('.'),
    }
    let message = CreateMessage::new().content(sentence).allowed_mentions(CreateAllowedMentions::new());
    match order.target.user.id.direct_message(&at.ctx, message).await {
        Ok(message) => Told { message: Some(message), remark: "" },
        Err(error) => {
            tracing::debug!(%error, "a user could not be told of a moderator's act");
            Told { message: None, remark: "; a direct message did not reach them" }
        }
    }
}

/// Writes the case of what was done.
async fn write(
    at: &ModerationContext,
    order: &Order,
    ends_at: Option<i64>,
    settings: &Settings,
) -> Result<Done, Error> {
    let case = NewCase {
        kind: order.kind,
        user: &order.target.user,
        moderator: at.moderator.id,
        reason: order.reason.as_deref(),
        evidence: order.evidence.as_deref(),
        quote: order.quote.as_deref(),
        points: order.points,
        expires_at: ends_at,
        cause: order.cause,
    };
    let written = cases::write(&at.data.sql(), at.guild, &case, settings.points_since()).await;
    let (name, done) = (order.target.name(), words(order.kind).done);
    let mut sentence = format!("{name} was {done}");
    if let Some(end) = ends_at {
        sentence += &format!(" until <t:{end}:f>");
    }
    let written = match written {
        Ok(written) => written,
        // Nothing has happened yet.
        Err(error) if order.kind == Kind::Warning => return Err(error),
        Err(error) => {
            tracing::error!(guild = %at.guild, user = %order.target.user.id, %error, "a case could not be written");
            let lasting = match order.kind {
                Kind::TemporaryBan => ", and so the ban will not end by itself",
                _ => "",
            };
            let words = format!("{name} was {done}, but the case could not be written{lasting}.");
            return Err(Refusal::new(words).into());
        }
    };
    if order.kind == Kind::Warning {
        sentence += &format!(" with {}", points(order.points));
        if written.points > order.points {
            sentence += &format!(" and has {} now", points(written.points));
        }
    }
    sentence += &format!(" (case {})", written.number);
    Ok(Done { number: written.number, points: written.points, sentence })
}

/// Formats points.
pub(crate) fn points(points: i64) -> String {
    text::count(usize::try_from(points).unwrap_or_default(), "point")
}

async fn log(at: &ModerationContext, number: i64) -> &'static str {
    match cases::one(&at.data.sql(), at.guild, number).await {
        Ok(case) => log::write(&at.data, at.guild, log::case(&case)).await,
        Err(error) => {
            tracing::warn!(guild = %at.guild, number, %error, "a case could not be logged");
            "; the moderators' log could not be written"
        }
    }
}
