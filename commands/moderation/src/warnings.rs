//! `/warnings`: what warnings lead to, and how long their points count.

use sdk::prelude::*;
use sdk::text;
use serenity::CreateEmbed;

use crate::act::points as shown_points;
use crate::guard::ModerationContext;
use crate::settings::{self, Action, Consequence, Settings};
use crate::{answer, duration, log};

/// Configures the consequences of warnings
#[poise::command(
    slash_command,
    guild_only,
    ephemeral,
    default_member_permissions = "MANAGE_GUILD",
    subcommands("consequence", "forget", "decay", "show"),
    subcommand_required
)]
pub(crate) async fn warnings(_ctx: Context<'_>) -> Result<(), Error> {
    Ok(())
}

/// Sets what happens to a member who reaches a number of points
#[poise::command(slash_command, guild_only, ephemeral)]
async fn consequence(
    ctx: Context<'_>,
    #[description = "Number of points"]
    #[min = 1]
    #[max = 1000]
    points: i64,
    #[description = "What happens then"] action: Action,
    #[description = "How long a timeout or a ban lasts, for example 1h; a ban without it lasts for good"]
    #[max_length = 50]
    duration: Option<String>,
) -> Result<(), Error> {
    let at = ModerationContext::of(ctx)?;
    let seconds = match (action, duration.as_deref()) {
        (Action::Timeout, Some(text)) => {
            Some(duration::within(text, duration::TIMEOUT, "A timeout")?.as_secs())
        }
        (Action::Timeout, None) => {
            return Err(Refusal::new("A timeout needs a duration, for example `1h`.").into());
        }
        (Action::Ban, Some(text)) => Some(duration::parse(text)?.as_secs()),
        (Action::Kick, Some(_)) => {
            return Err(Refusal::new("A kick has no duration; leave it out.").into());
        }
        (Action::Ban | Action::Kick, None) => None,
    };
    ctx.defer_ephemeral().await?;
    let consequence = Consequence { points, action, seconds };
    let sentence = described(&consequence);
    settings::of(&at.data, at.guild).update(|settings| settings.set(consequence.clone())).await??;
    changed(ctx, &at, format!("From now on, {sentence}")).await
}

/// Removes the consequence of a number of points
#[poise::command(slash_command, guild_only, ephemeral)]
async fn forget(
    ctx: Context<'_>,
    #[description = "Number of points"]
    #[min = 1]
    #[max = 1000]
    points: i64,
) -> Result<(), Error> {
    let at = ModerationContext::of(ctx)?;
    ctx.defer_ephemeral().await?;
    if !settings::of(&at.data, at.guild).update(|settings| settings.unset(points)).await? {
        let words =
            format!("{} have no consequence; `/warnings show` lists those that have.", shown_points(points));
        return Err(Refusal::new(words).into());
    }
    changed(ctx, &at, format!("From now on, {} have no consequence", shown_points(points))).await
}

/// Sets the time after which points do not count any more
#[poise::command(slash_command, guild_only, ephemeral)]
async fn decay(
    ctx: Context<'_>,
    #[description = "The time, for example 90d, or never"]
    #[max_length = 50]
    after: String,
) -> Result<(), Error> {
    let at = ModerationContext::of(ctx)?;
    let decay = match after.trim() {
        never if never.eq_ignore_ascii_case("never") => None,
        text => Some(duration::parse(text)?.as_secs()),
    };
    ctx.defer_ephemeral().await?;
    settings::of(&at.data, at.guild).update(|settings| settings.decay = decay).await?;
    changed(ctx, &at, format!("From now on, {}", decayed(decay))).await
}

/// Shows the consequences of warnings
#[poise::command(slash_command, guild_only, ephemeral)]
async fn show(ctx: Context<'_>) -> Result<(), Error> {
    let at = ModerationContext::of(ctx)?;
    let settings = settings::of(&at.data, at.guild).get().await?;
    answer::embed(ctx, shown(&settings)).await
}

async fn changed(ctx: Context<'_>, at: &ModerationContext, sentence: String) -> Result<(), Error> {
    answer::logged(ctx, at, "Consequences of warnings", sentence).await
}

fn shown(settings: &Settings) -> CreateEmbed {
    let mut lines: Vec<_> = settings.consequences.iter().map(described).collect();
    if lines.is_empty() {
        lines.push("no number of points has a consequence".to_owned());
    }
    lines.push(decayed(settings.decay));
    CreateEmbed::new().title("Warnings").color(log::COLOR).description(lines.join("\n"))
}

fn described(consequence: &Consequence) -> String {
    let lasts = consequence.lasts().map(|lasts| format!(" for {}", text::duration(lasts)));
    let action = match consequence.action {
        Action::Timeout => "a timeout",
        Action::Kick => "a kick",
        Action::Ban => "a ban",
    };
    format!(
        "a member who reaches {} gets {action}{}",
        shown_points(consequence.points),
        lasts.unwrap_or_default()
    )
}

fn decayed(decay: Option<u64>) -> String {
    match decay {
        Some(seconds) => {
            let time = text::duration(std::time::Duration::from_secs(seconds));
            format!("the points of a warning count for {time}")
        }
        None => "the points of a warning count for ever".to_owned(),
    }
}
