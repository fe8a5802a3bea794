//! `/dev rollback` and `/dev generations`: the generations that were live, and restoring the code of one.

use std::fmt::Write as _;
use std::time::Duration;

use sdk::autocomplete::{CHOICE, CHOICES, entered};
use sdk::ledger::{LedgerRow, LedgerStage, PluginLedger};
use sdk::prelude::*;
use sdk::status::since_1970;
use sdk::{PluginId, text};
use serenity::{AutocompleteChoice, CreateAutocompleteResponse};

use crate::choose;

/// Makes earlier code of a plugin live again
#[poise::command(slash_command, owners_only, ephemeral)]
pub(crate) async fn rollback(
    ctx: Context<'_>,
    #[description = "Plugin to take back"]
    #[autocomplete = "choose::plugin"]
    plugin: String,
    #[description = "Generation whose code comes back; the one before, if left out"]
    #[autocomplete = "complete"]
    #[min = 1]
    generation: Option<u64>,
) -> Result<(), Error> {
    let Some(reloader) = crate::reloader(ctx).await? else { return Ok(()) };
    // Hooks run and state is transferred, which may take longer than the three seconds that Discord waits.
    ctx.defer_ephemeral().await?;
    let words = match reloader.rollback(PluginId::new(plugin), generation).await {
        Ok(lines) => format!("✅ {}", lines.replace('\n', "\n✅ ")),
        Err(why) => format!("❌ {why}"),
    };
    ctx.say(text::cut(words, text::MESSAGE)).await?;
    Ok(())
}

/// Returns the generations whose code can be restored as choices, the newest first.
async fn complete(ctx: Context<'_>, partial: &str) -> CreateAutocompleteResponse {
    let Some(plugin) = entered(ctx, "plugin").map(PluginId::new) else {
        return CreateAutocompleteResponse::new();
    };
    let ledger = ctx.data().ledger();
    let rows = ledger.iter().find(|ledger| ledger.plugin == plugin).map(|ledger| ledger.rows.as_slice());
    let formers = ctx.data().formers(&plugin).into_iter().map(|former| former.generation);
    let choices = formers.filter(|number| number.to_string().starts_with(partial)).map(|number| {
        let row = rows.unwrap_or_default().iter().find(|row| row.generation == number);
        let words = row.map_or_else(|| number.to_string(), |row| format!("{number}: {}", stage(row)));
        AutocompleteChoice::new(text::cut(words, CHOICE), number)
    });
    CreateAutocompleteResponse::new().set_choices(choices.take(CHOICES).collect())
}

/// Shows the generations that have been live
#[poise::command(slash_command, owners_only, ephemeral)]
pub(crate) async fn generations(
    ctx: Context<'_>,
    #[description = "Plugin to tell of; all, if left out"]
    #[autocomplete = "choose::plugin"]
    plugin: Option<String>,
) -> Result<(), Error> {
    let mut ledger = ctx.data().ledger();
    ledger.retain(|ledger| plugin.as_ref().is_none_or(|plugin| ledger.plugin.as_str() == plugin));
    let words = if ledger.is_empty() {
        format!(
            "No generation of {} has been live.",
            choose::named(plugin.as_deref().unwrap_or("any plugin"))
        )
    } else {
        table(&ledger, text::EMBED_DESCRIPTION)
    };
    let embed = serenity::CreateEmbed::new().title("Generations").description(words);
    ctx.send(poise::CreateReply::default().embed(embed)).await?;
    Ok(())
}

/// Writes a line for each generation, with as many per plugin as fit for all of them.
fn table(ledger: &[PluginLedger], most: usize) -> String {
    let longest = ledger.iter().map(|ledger| ledger.rows.len()).max().unwrap_or_default();
    let whole =
        (1..=longest).rev().map(|rows| written(ledger, rows)).find(|words| words.chars().count() <= most);
    text::cut(whole.unwrap_or_else(|| written(ledger, 1)), most)
}

fn written(ledger: &[PluginLedger], rows: usize) -> String {
    let mut words = String::new();
    for ledger in ledger {
        let _ = writeln!(words, "**{}**", ledger.plugin);
        for row in ledger.rows.iter().take(rows) {
            let _ = writeln!(words, "{}", line(row));
        }
        let left_out = ledger.rows.len().saturating_sub(rows) as u64 + ledger.older.generations;
        if left_out > 0 {
            let _ = writeln!(words, "-# and {left_out} before them");
        }
    }
    words.trim_end().to_owned()
}

fn line(row: &LedgerRow) -> String {
    let mut words = format!("`{}` {} · {}", row.generation, row.version, stage(row));
    if row.code_of != row.generation {
        let _ = write!(words, " · code of {}", row.code_of);
    }
    for (number, noun) in [(row.calls.len(), "call"), (row.tasks.len(), "task"), (row.hooks.len(), "hook")] {
        if number > 0 {
            let _ = write!(words, " · {}", text::count(number, noun));
        }
    }
    if let Some(bytes) = row.mapped_bytes {
        let _ = write!(words, " · {} KB mapped", bytes.div_ceil(1024));
    }
    if let Some(error) = &row.error {
        let _ = write!(words, "\n– {}", text::cut(error.as_str(), 200));
    }
    words
}

/// Returns a generation's stage, and since when.
fn stage(row: &LedgerRow) -> String {
    let ago = |at: Option<u64>| {
        let ms = at.map_or(0, |at| since_1970().saturating_sub(at));
        text::duration(Duration::from_millis(ms))
    };
    match row.stage {
        LedgerStage::NeverLive => "never live".to_owned(),
        LedgerStage::Probation => format!("live for {}, on probation", ago(row.live_at)),
        LedgerStage::Live => format!("live for {}", ago(row.live_at)),
        LedgerStage::Retired => format!("retired {} ago", ago(row.retired_at)),
        LedgerStage::SetAside => format!("set aside {} ago, because it panicked", ago(row.retired_at)),
    }
}

#[cfg(test)]
mod tests {
    use sdk::ledger::Older;

    use super::*;

    fn row(generation: u64) -> LedgerRow {
        LedgerRow {
            generation,
            code_of: 2,
            version: "1.2.3".to_owned(),
            stage: LedgerStage::Probation,
            made_at: 0,
            live_at: Some(since_1970()),
            retired_at: None,
            live_ms: 0,
            error: Some("it panicked: no".to_owned()),
            calls: vec!["/ping".to_owned()],
            tasks: Vec::new(),
            hooks: Vec::new(),
            listeners: 0,
            mapped_bytes: Some(59_000),
            private_bytes: None,
        }
    }

    fn ledger(name: &str, rows: u64) -> PluginLedger {
        let plugin = PluginId::new(format!("commands/{name}"));
        PluginLedger { plugin, rows: (1..=rows).rev().map(row).collect(), older: Older::default() }
    }

    #[test]
    fn a_generation_is_told_in_a_line_with_its_last_error() {
        assert_eq!(
            line(&row(5)),
            "`5` 1.2.3 · live for less than a second, on probation · code of 2 · 1 call · 58 KB mapped\n– it panicked: no"
        );
    }

    #[test]
    fn however_many_there_are_every_plugin_is_told_of_and_the_table_fits() {
        let ledger: Vec<_> = (0..10).map(|number| ledger(&format!("plugin{number}"), 64)).collect();
        let words = table(&ledger, text::EMBED_DESCRIPTION);
        assert!(words.chars().count() <= text::EMBED_DESCRIPTION);
        for number in 0..10 {
            assert!(words.contains(&format!("**commands/plugin{number}**\n`64`")), "{words}");
        }
        assert!(words.contains(" before them") && !words.ends_with('…'), "{words}");
    }
}
