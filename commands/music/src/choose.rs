//! Choices of autocompletion.

use sdk::autocomplete::{CHOICE, CHOICES};
use sdk::prelude::*;
use serenity::{AutocompleteChoice, CreateAutocompleteResponse};

/// Returns the numbers of waiting tracks with their titles as choices.
pub(crate) async fn waiting(ctx: Context<'_>, partial: &str) -> CreateAutocompleteResponse {
    let upcoming = ctx
        .guild_id()
        .and_then(|guild| ctx.data().voice().existing(guild))
        .map(|player| player.status().upcoming);
    let partial = partial.trim().to_lowercase();
    let mut choices = Vec::new();
    for (index, track) in upcoming.iter().flat_map(|tracks| tracks.iter()).enumerate() {
        let name = format!("{}. {}", index + 1, track.label());
        if choices.len() < CHOICES && name.to_lowercase().contains(&partial) {
            choices.push(AutocompleteChoice::new(foreign(&name, Surface::Label, CHOICE), index + 1));
        }
    }
    CreateAutocompleteResponse::new().set_choices(choices)
}
