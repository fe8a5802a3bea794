//! `/dev rollback`: earlier code of a plugin, live again.

use sdk::ledger::Former;
use sdk::prelude::*;
use sdk::{PluginId, text};
use serenity::{AutocompleteChoice, CreateAutocompleteResponse};

use crate::choose;

/// Brings back earlier code of a plugin
#[poise::command(slash_command, owners_only, ephemeral)]
pub(crate) async fn rollback(
    ctx: Context<'_>,
    #[description = "Plugin to take back"]
    #[autocomplete = "choose::plugin"]
    plugin: String,
    #[description = "Generation to go back to; the code before the live one, if left out"]
    #[autocomplete = "complete"]
    #[min = 1]
    generation: Option<u64>,
) -> Result<(), Error> {
    let Some(reloader) = crate::reloader(ctx).await? else { return Ok(()) };
    // Calls that are under way are waited for.
    ctx.defer_ephemeral().await?;
    let words = match reloader.rollback(PluginId::new(choose::named(&plugin)), generation).await {
        Ok(lines) => lines.lines().map(|line| format!("✅ {line}\n")).collect(),
        Err(why) => format!("❌ {why}"),
    };
    ctx.say(text::cut(words, text::MESSAGE)).await?;
    Ok(())
}

/// Offers the generations of the plugin that is named, the newest first.
async fn complete(ctx: Context<'_>, partial: &str) -> CreateAutocompleteResponse {
    let Some(plugin) = choose::typed(ctx, "plugin") else { return CreateAutocompleteResponse::new() };
    let formers = ctx.data().host().registry().formers(&PluginId::new(plugin));
    let choices = formers
        .iter()
        .filter(|former| former.generation.to_string().starts_with(partial))
        .map(|former| AutocompleteChoice::new(describe(former), former.generation));
    CreateAutocompleteResponse::new().set_choices(choices.take(choose::CHOICES).collect())
}

fn describe(former: &Former) -> String {
    let mut words = former.generation.to_string();
    if former.code.of() != former.generation {
        words += &format!(", code of {}", former.code.of());
    }
    if former.is_set_aside {
        words += ", set aside after a panic";
    }
    words
}
