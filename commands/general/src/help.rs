//! `/help`: every live command of every plugin, read from the commands themselves.

use sdk::prelude::*;
use serenity::{AutocompleteChoice, CreateAutocompleteResponse};

mod page;

/// Lists the commands, or explains one
#[poise::command(slash_command, ephemeral)]
pub(crate) async fn help(
    ctx: Context<'_>,
    #[description = "Command to explain"]
    #[autocomplete = "complete"]
    #[max_length = 100]
    command: Option<String>,
) -> Result<(), Error> {
    let snapshot = ctx.data().live();
    let commands = page::visible(snapshot.commands(), is_owner(ctx));
    let embed = serenity::CreateEmbed::new();
    let embed = match command.as_deref().map(page::bare) {
        None => embed.title("Commands").description(page::overview(&commands)),
        Some(name) => match commands.iter().find(|shown| shown.name.eq_ignore_ascii_case(&name)) {
            Some(shown) => embed.title(shown.title()).description(page::details(shown)),
            None => {
                let name = foreign(&name, Surface::Code, 100);
                embed.description(format!("There is no command `{name}`. `/help` lists them all."))
            }
        },
    };
    ctx.send(poise::CreateReply::default().embed(embed)).await?;
    Ok(())
}

async fn complete(ctx: Context<'_>, partial: &str) -> CreateAutocompleteResponse {
    let snapshot = ctx.data().live();
    let commands = page::visible(snapshot.commands(), is_owner(ctx));
    let names = page::matches(&commands, &page::bare(partial));
    let choices = names.into_iter().map(|name| AutocompleteChoice::new(name, name)).collect();
    CreateAutocompleteResponse::new().set_choices(choices)
}

fn is_owner(ctx: Context<'_>) -> bool {
    ctx.framework().options().owners.contains(&ctx.author().id)
}
