//! `/automod`: rules of Discord's own auto moderation.
//!
//! Discord checks messages before they are posted, also while the bot is away, so nothing is filtered here.

use sdk::prelude::*;
use serde_json::json;
use serenity::{GuildChannel, Permissions};

use crate::guard::ModerationContext;
use crate::{answer, discord};

mod rule;

use rule::{Actions, Rule};

/// Protects this server with rules of Discord's auto moderation
#[poise::command(
    slash_command,
    guild_only,
    ephemeral,
    default_member_permissions = "MANAGE_GUILD",
    subcommands("spam", "mentions", "invites", "words", "presets", "list", "remove"),
    subcommand_required
)]
pub(crate) async fn automod(_ctx: Context<'_>) -> Result<(), Error> {
    Ok(())
}

/// Blocks what Discord takes for spam
#[poise::command(slash_command, guild_only, ephemeral)]
async fn spam(
    ctx: Context<'_>,
    #[description = "Channel in which moderators read what was blocked"]
    #[channel_types("Text", "News")]
    alert: Option<GuildChannel>,
) -> Result<(), Error> {
    let rule = Rule::spam(Actions::new(alert.map(|channel| channel.id), None)?);
    apply(ctx, rule).await
}

/// Blocks messages with too many mentions, and raids of them
#[poise::command(slash_command, guild_only, ephemeral)]
async fn mentions(
    ctx: Context<'_>,
    #[description = "Most users and roles that a message may mention"]
    #[min = 1]
    #[max = 50]
    limit: u32,
    #[description = "Whether Discord looks out for raids, too; yes, if left out"] raids: Option<bool>,
    #[description = "Timeout for the author, for example 10m, up to 28d"]
    #[max_length = 50]
    timeout: Option<String>,
    #[description = "Channel in which moderators read what was blocked"]
    #[channel_types("Text", "News")]
    alert: Option<GuildChannel>,
) -> Result<(), Error> {
    let actions = Actions::new(alert.map(|channel| channel.id), timeout.as_deref())?;
    apply(ctx, Rule::mentions(limit, raids.unwrap_or(true), actions)).await
}

/// Blocks invitations to other servers
#[poise::command(slash_command, guild_only, ephemeral)]
async fn invites(
    ctx: Context<'_>,
    #[description = "Invitations that are fine, with commas between: discord.gg/hotcord, ..."]
    #[max_length = 1000]
    allow: Option<String>,
    #[description = "Timeout for the author, for example 10m, up to 28d"]
    #[max_length = 50]
    timeout: Option<String>,
    #[description = "Channel in which moderators read what was blocked"]
    #[channel_types("Text", "News")]
    alert: Option<GuildChannel>,
) -> Result<(), Error> {
    let actions = Actions::new(alert.map(|channel| channel.id), timeout.as_deref())?;
    apply(ctx, Rule::invites(allow.as_deref(), actions)?).await
}

/// Blocks messages with certain words
#[poise::command(slash_command, guild_only, ephemeral)]
async fn words(
    ctx: Context<'_>,
    #[description = "Name of the list; one of the same name is replaced"]
    #[max_length = 50]
    name: String,
    #[description = "The words, with commas between; * at an end stands for anything"]
    #[max_length = 6000]
    words: String,
    #[description = "Words that are fine all the same"]
    #[max_length = 3000]
    allow: Option<String>,
    #[description = "Timeout for the author, for example 10m, up to 28d"]
    #[max_length = 50]
    timeout: Option<String>,
    #[description = "Channel in which moderators read what was blocked"]
    #[channel_types("Text", "News")]
    alert: Option<GuildChannel>,
) -> Result<(), Error> {
    let actions = Actions::new(alert.map(|channel| channel.id), timeout.as_deref())?;
    apply(ctx, Rule::words(&name, &words, allow.as_deref(), actions)?).await
}

/// Blocks words of Discord's own lists
#[poise::command(slash_command, guild_only, ephemeral)]
async fn presets(
    ctx: Context<'_>,
    #[description = "Swearing"] profanity: Option<bool>,
    #[description = "Sexual content"] sexual: Option<bool>,
    #[description = "Insults and hate"] slurs: Option<bool>,
    #[description = "Channel in which moderators read what was blocked"]
    #[channel_types("Text", "News")]
    alert: Option<GuildChannel>,
) -> Result<(), Error> {
    let chosen = [profanity, sexual, slurs].map(Option::unwrap_or_default);
    let actions = Actions::new(alert.map(|channel| channel.id), None)?;
    apply(ctx, Rule::presets(chosen, actions)?).await
}

/// Lists the rules of this server
#[poise::command(slash_command, guild_only, ephemeral)]
async fn list(ctx: Context<'_>) -> Result<(), Error> {
    let at = may_manage(ctx, Permissions::empty())?;
    ctx.defer_ephemeral().await?;
    let rules = rule::all(ctx.http(), at.guild).await;
    let rules = rules.map_err(|error| discord::explained(error, "read the rules of auto moderation"))?;
    answer::embed(ctx, rule::listed(&rules)).await
}

/// Removes a rule
#[poise::command(slash_command, guild_only, ephemeral)]
async fn remove(
    ctx: Context<'_>,
    #[description = "Name of the rule"]
    #[max_length = 100]
    name: String,
    #[description = "Why, for Discord's audit log"]
    #[max_length = 400]
    reason: Option<String>,
) -> Result<(), Error> {
    let at = may_manage(ctx, Permissions::empty())?;
    ctx.defer_ephemeral().await?;
    let rules = rule::all(ctx.http(), at.guild).await;
    let rules = rules.map_err(|error| discord::explained(error, "read the rules of auto moderation"))?;
    let shown = foreign(&name, Surface::Line, 100);
    let Some(id) = rules.iter().find(|rule| rule.is_called(&name)).map(|rule| rule.id) else {
        let words = format!("There is no rule {shown}; `/automod list` shows their names.");
        return Err(Refusal::new(words).into());
    };
    let answer = ctx.http().delete_automod_rule(at.guild, id, Some(&at.audit(reason.as_deref()))).await;
    answer.map_err(|error| discord::explained(error, &format!("remove the rule {shown}")))?;
    finish(ctx, &at, format!("The rule {shown} is removed")).await
}

/// Creates a rule, or updates the one that it replaces.
async fn apply(ctx: Context<'_>, rule: Rule) -> Result<(), Error> {
    let needed = if rule.times_out() { Permissions::MODERATE_MEMBERS } else { Permissions::empty() };
    let at = may_manage(ctx, needed)?;
    ctx.defer_ephemeral().await?;
    let (http, name) = (ctx.http(), foreign(&rule.name, Surface::Line, 100));
    let what = format!("set up the rule {name}");
    let rules = rule::all(http, at.guild).await.map_err(|error| discord::explained(error, &what))?;
    let reason = at.audit(None);
    let sentence = if let Some(existing) = rules.iter().find(|existing| rule.replaces(existing)) {
        let answer = http.edit_automod_rule(at.guild, existing.id, &rule.change(), Some(&reason)).await;
        answer.map_err(|error| discord::explained(error, &what))?;
        format!("The rule {} is updated", foreign(&existing.name, Surface::Line, 100))
    } else {
        let mut body = rule.change();
        body["name"] = json!(rule.name);
        body["event_type"] = json!(rule::MESSAGE_SEND);
        body["trigger_type"] = json!(rule.trigger);
        let answer = http.create_automod_rule(at.guild, &body, Some(&reason)).await;
        answer.map_err(|error| discord::explained(error, &what))?;
        format!("The rule {name} is set up")
    };
    finish(ctx, &at, sentence).await
}

fn may_manage(ctx: Context<'_>, more: Permissions) -> Result<ModerationContext, Error> {
    let at = ModerationContext::of(ctx)?;
    at.bot_may(Permissions::MANAGE_GUILD | more, "to look after auto moderation")?;
    Ok(at)
}

async fn finish(ctx: Context<'_>, at: &ModerationContext, sentence: String) -> Result<(), Error> {
    answer::logged(ctx, at, "Auto moderation", sentence).await
}
