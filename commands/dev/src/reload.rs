//! `/dev reload`: builds and swaps a plugin now, or all of them.

use sdk::host::RequestError;
use sdk::prelude::*;
use sdk::status::Reloaded;
use sdk::{PluginId, text};

/// Builds a plugin and swaps it in, or all of them
#[poise::command(slash_command, owners_only, ephemeral)]
pub(crate) async fn reload(
    ctx: Context<'_>,
    #[description = "Plugin to reload; all, if left out"]
    #[autocomplete = "crate::choose::plugin"]
    plugin: Option<String>,
) -> Result<(), Error> {
    let Some(reloader) = crate::reloader(ctx).await? else { return Ok(()) };
    // A build takes longer than the three seconds that Discord waits.
    ctx.defer_ephemeral().await?;
    let results = reloader.reload(plugin.map(PluginId::new)).await;
    ctx.say(report(results)).await?;
    Ok(())
}

/// Writes a line for each plugin. Failures come first, because a long answer is cut at its end.
fn report(results: Vec<Result<Reloaded, RequestError>>) -> String {
    let (live, failed): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    let lines: Vec<_> = failed
        .into_iter()
        .chain(live)
        .map(|result| result.map_or_else(|why| format!("❌ {why}"), |live| format!("✅ {live}")))
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
        let live = Reloaded {
            plugin: PluginId::new("commands/general"),
            from: Some(1),
            to: Some(2),
            from_version: None,
            to_version: None,
            ms: 1,
            line: "fine ".repeat(500),
        };
        let results = vec![Ok(live), Err("commands/general does not compile".into())];
        let report = report(results);
        assert!(report.starts_with("❌ commands/general does not compile\n✅ fine"), "{report}");
        assert_eq!(report.chars().count(), text::MESSAGE);
    }
}
