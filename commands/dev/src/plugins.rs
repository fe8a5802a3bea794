//! `/dev plugins`: what is live, and what lingers of older generations.

use sdk::generation::Generation;
use sdk::prelude::*;
use sdk::text;

/// Shows what is live, and what still runs of older generations
#[poise::command(slash_command, owners_only, ephemeral)]
pub(crate) async fn plugins(ctx: Context<'_>) -> Result<(), Error> {
    let data = ctx.data();
    let (host, registry) = (data.host(), data.host().registry());
    let mut lines: Vec<_> =
        registry.snapshot().generations().values().map(|generation| describe(generation)).collect();
    let lingering = registry.lingering();
    if !lingering.is_empty() {
        lines.push("\n**Retired, with something still running or held**".to_owned());
        lines.extend(lingering.iter().map(|generation| describe(generation)));
    }
    let reloading = host
        .reloader()
        .map_or_else(|| crate::reload::OFF.to_owned(), |reloader| reloader.status().to_string());
    lines.push(format!("\n{reloading}"));
    let embed = serenity::CreateEmbed::new()
        .title("Plugins")
        .description(text::cut(lines.join("\n"), text::EMBED_DESCRIPTION));
    ctx.send(poise::CreateReply::default().embed(embed)).await?;
    Ok(())
}

/// Tells a generation in one line, and its running tasks by name in a line each.
fn describe(generation: &Generation) -> String {
    let manifest = generation.manifest();
    let (calls, tasks) = (generation.calls_under_way(), generation.tasks());
    let mut words = format!(
        "`{}` {} · generation {} · {} old · {} under way · {}",
        manifest.id,
        manifest.version,
        generation.number(),
        text::duration(generation.age()),
        text::count(calls, "call"),
        text::count(tasks.len(), "task"),
    );
    for task in tasks {
        words += &format!("\n– {task}");
    }
    words
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sdk::PluginEntry;
    use sdk::host::Host;
    use sdk::settings::Settings;

    use super::*;

    struct Busy;

    #[sdk::serenity::async_trait]
    impl Plugin for Busy {
        async fn start(&self, data: &Data) -> Result<(), Error> {
            data.spawn("watch", std::future::pending());
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_generation_is_told_with_its_tasks() {
        let entry = PluginEntry::new("commands-busy", "1.2.3", "", || Box::new(Busy));
        let generation = Generation::new(&entry, 4, &Host::new("1.0.0", Settings::default())).unwrap();
        generation.start(Duration::from_secs(5)).await.unwrap();
        let words = describe(&generation);
        let (first, task) = words.split_once('\n').unwrap();
        assert_eq!(
            first,
            "`commands/busy` 1.2.3 · generation 4 · less than a second old · 0 calls under way · 1 task"
        );
        assert!(task.starts_with("– watch (spawned at "), "{task}");
    }
}
