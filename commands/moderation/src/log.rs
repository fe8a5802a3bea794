//! Entries in the moderators' log, which `events/modlog` keeps.

use sdk::prelude::*;
use sdk::services::{MODLOG, ModLog};
use sdk::{text, tracing};
use serenity::{CreateEmbed, GuildId, Mentionable as _, UserId};

use crate::cases::Case;

pub(crate) const COLOR: u32 = 0x00f2_3f43;

/// Maximum number of characters of a reason or a quotation in an entry.
const SHOWN: usize = 1000;

/// Writes an entry, if the server has a log. Returns what to add to an answer if that failed.
pub(crate) async fn write(data: &Data, guild: GuildId, entry: CreateEmbed) -> &'static str {
    let Ok(log) = data.service::<dyn ModLog>(MODLOG) else { return "" };
    match log.write(guild, entry).await {
        Ok(_) => "",
        Err(error) => {
            tracing::warn!(%guild, %error, "an act of a moderator could not be logged");
            "; the moderators' log could not be written"
        }
    }
}

/// Starts an entry about what a moderator did other than a case.
pub(crate) fn entry(title: &str, moderator: UserId) -> CreateEmbed {
    CreateEmbed::new().title(title).color(COLOR).field("Moderator", moderator.mention().to_string(), true)
}

/// Returns a reason as shown in an embed.
pub(crate) fn reason(reason: Option<&str>) -> String {
    reason.map_or_else(|| "*No reason given*".to_owned(), |reason| foreign(reason, Surface::Line, SHOWN))
}

/// Describes a case.
pub(crate) fn case(case: &Case) -> CreateEmbed {
    let user = format!(
        "{} {} (`{}`)",
        case.user_id.mention(),
        foreign(&case.user_name, Surface::Line, 100),
        case.user_id
    );
    let mut embed = CreateEmbed::new()
        .title(format!("Case {}: {}", case.number, case.kind))
        .color(COLOR)
        .description(reason(case.reason.as_deref()))
        .field("User", user, true)
        .field("Moderator", case.moderator.mention().to_string(), true)
        .field("Time", format!("<t:{}:f>", case.created_at), true);
    if let Some(end) = case.expires_at {
        embed = embed.field("Until", format!("<t:{end}:f>"), true);
    }
    if case.points > 0 {
        embed = embed.field("Points", case.points.to_string(), true);
    }
    if let Some(cause) = case.cause {
        embed = embed.field("Consequence of", format!("case {cause}"), true);
    }
    if let Some(evidence) = &case.evidence {
        embed = embed.field("Evidence", text::cut(evidence.as_str(), text::EMBED_FIELD), false);
    }
    if let Some(quote) = &case.quote {
        embed = embed.field("Message", foreign(quote, Surface::Quote, SHOWN), false);
    }
    if let (Some(by), Some(at)) = (case.removed_by, case.removed_at) {
        embed = embed.field("Removed", format!("by {} <t:{at}:f>", by.mention()), false);
    }
    embed
}
