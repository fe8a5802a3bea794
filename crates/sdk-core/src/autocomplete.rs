//! Help for autocompletion: limits of choices, and what is entered in the other options.

use serenity::all::ResolvedValue;

use crate::Context;

/// Maximum number of choices at Discord.
pub const CHOICES: usize = 25;
/// Maximum number of characters of a choice's name and value at Discord.
pub const CHOICE: usize = 100;

/// Returns the text that a user has entered in an option of the command so far; `None` if there is none.
pub fn entered(ctx: Context<'_>, option: &str) -> Option<String> {
    let poise::Context::Application(ctx) = ctx else { return None };
    let entered = ctx.args.iter().find(|entered| entered.name == option)?;
    match &entered.value {
        ResolvedValue::String(text) => Some((*text).to_owned()),
        ResolvedValue::Autocomplete { value, .. } => Some((*value).to_owned()),
        _ => None,
    }
}
