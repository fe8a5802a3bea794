//! `/dev snapshot` and `/dev restore`: saving and restoring a plugin's state by hand.

use std::time::Duration;

use sdk::autocomplete::{CHOICE, CHOICES, entered};
use sdk::confirm::{Confirmed, confirm};
use sdk::prelude::*;
use sdk::status::since_1970;
use sdk::{PluginId, text};
use serenity::{AutocompleteChoice, CreateAutocompleteResponse};

use crate::choose;

/// Keeps a plugin's state as it is now
#[poise::command(slash_command, owners_only, ephemeral)]
pub(crate) async fn snapshot(
    ctx: Context<'_>,
    #[description = "Plugin whose state is kept"]
    #[autocomplete = "choose::plugin"]
    plugin: String,
) -> Result<(), Error> {
    let words = match ctx.data().take_state_snapshot(&PluginId::new(&plugin)) {
        None => format!("{} is not live.", choose::named(&plugin)),
        Some(Ok(taken)) => format!(
            "Snapshot {} of the state of {plugin} {} is taken, {} bytes. /dev restore puts it back.",
            taken.number, taken.generation, taken.bytes
        ),
        Some(Err(why)) => format!("No snapshot is taken: {why}."),
    };
    ctx.say(words).await?;
    Ok(())
}

/// Puts back a state that was kept; what it replaces is kept as well
#[poise::command(slash_command, owners_only, ephemeral)]
pub(crate) async fn restore(
    ctx: Context<'_>,
    #[description = "Plugin whose state is put back"]
    #[autocomplete = "choose::plugin"]
    plugin: String,
    #[description = "Number of the snapshot"]
    #[autocomplete = "complete"]
    #[min = 1]
    snapshot: u64,
) -> Result<(), Error> {
    let id = PluginId::new(&plugin);
    let kept = ctx.data().state_snapshots(&id).into_iter().find(|one| one.number == snapshot);
    let question = kept.map(|one| {
        format!(
            "Put back snapshot {snapshot} of the state of {plugin}, of generation {}, {} ago, taken {}?",
            one.generation,
            age(one.at),
            one.reason.words()
        )
    });
    let asked = match question {
        Some(question) => Some(confirm(ctx, &question, "Put back").await?),
        None => None,
    };
    let words = match &asked {
        Some(Confirmed { yes: false, .. }) => format!("The state of {plugin} is as it was."),
        _ => match ctx.data().restore_state_snapshot(&id, snapshot).await {
            Ok(done) => format!(
                "Snapshot {snapshot} of the state of {plugin} is in force; what was there before is snapshot {}.",
                done.before.number
            ),
            Err(why) => format!("The state of {} is as it was: {why}.", choose::named(&plugin)),
        },
    };
    let words = text::cut(words, text::MESSAGE);
    match asked {
        Some(asked) => asked.tell(ctx, words).await,
        None => {
            ctx.say(words).await?;
            Ok(())
        }
    }
}

fn age(at: u64) -> String {
    text::duration(Duration::from_millis(since_1970().saturating_sub(at)))
}

/// Returns the snapshots of the chosen plugin as choices, the newest first.
async fn complete(ctx: Context<'_>, partial: &str) -> CreateAutocompleteResponse {
    let Some(plugin) = entered(ctx, "plugin") else { return CreateAutocompleteResponse::new() };
    let snapshots = ctx.data().state_snapshots(&PluginId::new(plugin));
    let choices =
        snapshots.into_iter().filter(|one| one.number.to_string().starts_with(partial)).map(|one| {
            let words = format!(
                "{}: of generation {}, {} ago, {}",
                one.number,
                one.generation,
                age(one.at),
                one.reason.words()
            );
            AutocompleteChoice::new(text::cut(words, CHOICE), one.number)
        });
    CreateAutocompleteResponse::new().set_choices(choices.take(CHOICES).collect())
}
