//! `/dev plugins`: live generations, older ones in which something still runs, and the state of hot reload.

use std::fmt::Display;

use sdk::prelude::*;
use sdk::status::{GenerationStatus, Status};
use sdk::text;

/// Maximum number of characters of one embed, all its parts together. Source: "Embed Limits" in Discord's
/// documentation.
const EMBED: usize = 6000;

/// Shows what is live, what still runs of older generations, and how reloading stands
#[poise::command(slash_command, owners_only, ephemeral)]
pub(crate) async fn plugins(ctx: Context<'_>) -> Result<(), Error> {
    let status = ctx.data().status().await;
    ctx.send(poise::CreateReply::default().embed(embed(&status))).await?;
    Ok(())
}

/// Creates an embed with the status within Discord's limits. What is cut off is in `./dev-env.sh status`.
fn embed(status: &Status) -> serenity::CreateEmbed {
    let mut fields = vec![("Bot", status.host.to_string()), ("Hot reload", status.reload.to_string())];
    if !status.retired.is_empty() {
        fields.push(("Retired, with something still running or held", lines(&status.retired, describe)));
    }
    if !status.failures.is_empty() {
        fields.push(("Not live as saved", lines(&status.failures, ToString::to_string)));
    }
    if let Some(commands) = status.commands() {
        fields.push(("Commands", commands));
    }
    let title = "Plugins";
    let mut room = EMBED - title.len();
    for (name, value) in &mut fields {
        *value = text::cut(std::mem::take(value), text::EMBED_FIELD);
        room = room.saturating_sub(name.chars().count() + value.chars().count());
    }
    let live = text::cut(lines(&status.live, describe), text::EMBED_DESCRIPTION.min(room));
    let fields = fields.into_iter().map(|(name, value)| (name, value, false));
    serenity::CreateEmbed::new().title(title).description(live).fields(fields)
}

fn lines<T>(rows: &[T], describe: impl Fn(&T) -> String) -> String {
    rows.iter().map(describe).collect::<Vec<_>>().join("\n")
}

/// Describes a generation as the status does, with its name highlighted.
fn describe(generation: &GenerationStatus) -> String {
    let plugin: &dyn Display = &generation.plugin;
    generation.to_string().replacen(&plugin.to_string(), &format!("`{plugin}`"), 1)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sdk::PluginEntry;
    use sdk::generation::Generation;
    use sdk::host::Host;
    use sdk::registry::Change;
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

    async fn status() -> Status {
        let entry = PluginEntry::new("commands-busy", "1.2.3", "", || Box::new(Busy));
        let host = Host::new("1.0.0", Settings::default());
        let generation = Generation::new(&entry, 4, &host).unwrap();
        generation.start(Duration::from_secs(5)).await.unwrap();
        assert!(host.registry().swap(Change { install: vec![generation], remove: Vec::new() }).is_ok());
        Status::of(&host).await
    }

    #[tokio::test]
    async fn a_generation_is_told_with_its_tasks() {
        let words = describe(&status().await.live[0]);
        let (first, task) = words.split_once('\n').unwrap();
        assert_eq!(
            first,
            "`commands/busy` 1.2.3 · generation 4 · less than a second old · 0 calls under way · 1 task · 0 commands · \
             0 listeners"
        );
        assert!(task.starts_with("– watch (spawned at "), "{task}");
    }

    #[tokio::test]
    async fn any_number_of_plugins_and_failures_fits_an_embed() {
        let mut status = status().await;
        status.live = vec![status.live[0].clone(); 500];
        status.retired.clone_from(&status.live);
        status.reload.on = true;
        status.reload.awaiting_restart = vec!["bot/src/run.rs".to_owned(); 500];
        let serde_value = serenity::json::to_value(embed(&status)).unwrap();
        let fields = serde_value["fields"].as_array().unwrap();
        let length = |value: &serenity::json::Value| value.as_str().unwrap().chars().count();
        let mut all = length(&serde_value["title"]) + length(&serde_value["description"]);
        for field in fields {
            assert!(length(&field["value"]) <= text::EMBED_FIELD && length(&field["value"]) > 0);
            all += length(&field["name"]) + length(&field["value"]);
        }
        assert!(all <= EMBED && length(&serde_value["description"]) <= text::EMBED_DESCRIPTION, "{all}");
    }
}
