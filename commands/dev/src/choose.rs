//! Choices of autocompletion.

use sdk::PluginId;
use sdk::prelude::*;
use serenity::{AutocompleteChoice, CreateAutocompleteResponse};

/// Maximum number of choices at Discord.
pub(crate) const CHOICES: usize = 25;
pub(crate) const NAME: usize = 100;

/// Returns the live plugins as choices.
pub(crate) async fn plugin(ctx: Context<'_>, partial: &str) -> CreateAutocompleteResponse {
    let snapshot = ctx.data().live();
    let ids = snapshot.generations().keys().map(PluginId::as_str).filter(|id| id.contains(partial));
    let choices = ids.take(CHOICES).map(|id| AutocompleteChoice::new(id, id));
    CreateAutocompleteResponse::new().set_choices(choices.collect())
}

/// Returns the input for another option of the same command.
pub(crate) fn typed(ctx: Context<'_>, option: &str) -> Option<String> {
    let poise::Context::Application(ctx) = ctx else { return None };
    let typed = ctx.args.iter().find(|typed| typed.name == option)?;
    match &typed.value {
        serenity::ResolvedValue::String(text) => Some((*text).to_owned()),
        serenity::ResolvedValue::Autocomplete { value, .. } => Some((*value).to_owned()),
        _ => None,
    }
}

/// Returns a plugin's name as typed, escaped and shortened for an answer.
pub(crate) fn named(plugin: &str) -> String {
    foreign(plugin, Surface::Line, NAME)
}
