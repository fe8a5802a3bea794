//! `/dev reload`: builds and swaps a plugin now, or all of them.

use sdk::prelude::*;
use sdk::{PluginId, text};
use serenity::{AutocompleteChoice, CreateAutocompleteResponse};

/// What a bot without a reload engine says of itself.
pub(crate) const OFF: &str = "This bot runs without hot reload: a change is live after a restart.";

/// Builds a plugin and swaps it in, or all of them
#[poise::command(slash_command, owners_only, ephemeral)]
pub(crate) async fn reload(
    ctx: Context<'_>,
    #[description = "Plugin to reload; all, if left out"]
    #[autocomplete = "complete"]
    plugin: Option<String>,
) -> Result<(), Error> {
    let Some(reloader) = ctx.data().host().reloader() else {
        ctx.say(OFF).await?;
        return Ok(());
    };
    // A build takes longer than the three seconds that Discord waits.
    ctx.defer_ephemeral().await?;
    let results = reloader.reload(plugin.map(PluginId::new)).await;
    ctx.say(report(results)).await?;
    Ok(())
}

async fn complete(ctx: Context<'_>, partial: &str) -> CreateAutocompleteResponse {
    let snapshot = ctx.data().host().registry().snapshot();
    let ids = snapshot.generations().keys().map(PluginId::as_str).filter(|id| id.contains(partial)).take(25);
    CreateAutocompleteResponse::new().set_choices(ids.map(|id| AutocompleteChoice::new(id, id)).collect())
}

/// Writes a line for each plugin; what did not go live comes first, since a long answer is cut at its end.
fn report(results: Vec<Result<impl std::fmt::Display, String>>) -> String {
    let (live, failed): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    let lines: Vec<_> = failed
        .into_iter()
        .chain(live)
        .map(|result| result.map_or_else(|why| format!("❌ {why}"), |line| format!("✅ {line}")))
        .collect();
    if lines.is_empty() {
        "There was nothing to reload.".to_owned()
    } else {
        text::cut(lines.join("\n"), text::MESSAGE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_is_told_first_and_never_cut_off_by_what_went_well() {
        let results = vec![Ok("fine ".repeat(500)), Err("commands/general does not compile".to_owned())];
        let report = report(results);
        assert!(report.starts_with("❌ commands/general does not compile\n✅ fine"), "{report}");
        assert_eq!(report.chars().count(), text::MESSAGE);
    }
}
