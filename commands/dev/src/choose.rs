//! Choices of autocompletion.

use sdk::PluginId;
use sdk::autocomplete::{CHOICE, CHOICES};
use sdk::prelude::*;
use serenity::{AutocompleteChoice, CreateAutocompleteResponse};

/// Returns the live plugins as choices.
pub(crate) async fn plugin(ctx: Context<'_>, partial: &str) -> CreateAutocompleteResponse {
    let snapshot = ctx.data().live();
    let ids = snapshot.generations().keys().map(PluginId::as_str).filter(|id| id.contains(partial));
    let choices = ids.take(CHOICES).map(|id| AutocompleteChoice::new(id, id));
    CreateAutocompleteResponse::new().set_choices(choices.collect())
}

/// Returns a plugin's name as typed, escaped and shortened for an answer.
pub(crate) fn named(plugin: &str) -> String {
    foreign(plugin, Surface::Line, CHOICE)
}
