//! `/privacy`: what is kept about a user or a server, as a file, and erasing it.

use sdk::confirm::confirm;
use sdk::prelude::*;
use sdk::privacy::Subject;
use sdk::text::count;
use serenity::{CreateAttachment, GatewayIntents};

/// Most bytes of a file: Discord's limit without boosts and subscriptions.
const MAX_FILE: usize = 10 * 1024 * 1024;
/// What the file has, and has not.
const KEPT: &str = "This is what is kept in documents and tables. Polls, the music queue and pending timers are not in it; they \
                    go when they end.";

struct Privacy;

impl Plugin for Privacy {
    fn commands(&self) -> Vec<Command> {
        vec![privacy()]
    }

    fn intents(&self) -> GatewayIntents {
        // Fills the cache that knows a server's owner.
        GatewayIntents::GUILDS
    }

    fn is_always_on(&self) -> bool {
        true
    }
}

/// Whose data it is.
#[derive(Clone, Copy, Default, poise::ChoiceParameter)]
enum About {
    /// The user's own.
    #[default]
    #[name = "me"]
    Me,
    /// The server's, for its owner.
    #[name = "server"]
    Server,
}

/// Returns whose data a command is about, if its user may ask for it.
fn subject(ctx: Context<'_>, about: Option<About>) -> Result<Subject, Error> {
    match about.unwrap_or_default() {
        About::Me => Ok(Subject::User(ctx.author().id)),
        About::Server => {
            let Some((guild, owner)) = ctx.guild().map(|guild| (guild.id, guild.owner_id)) else {
                return Err(Refusal::new("Run this in the server that it is about.").into());
            };
            if owner == ctx.author().id {
                Ok(Subject::Guild(guild))
            } else {
                Err(Refusal::new("Only the owner of this server can do that.").into())
            }
        }
    }
}

/// What the bot keeps about you or your server
#[poise::command(slash_command, subcommands("export", "erase"))]
#[allow(clippy::unused_async)] // poise requires it.
async fn privacy(_: Context<'_>) -> Result<(), Error> {
    Ok(())
}

/// Sends you a file with what is kept about you, or about your server
#[poise::command(slash_command, ephemeral)]
async fn export(
    ctx: Context<'_>,
    #[description = "You, or this server if you own it; you if left out"] about: Option<About>,
) -> Result<(), Error> {
    let subject = subject(ctx, about)?;
    ctx.defer_ephemeral().await?;
    let data = ctx.data().export_personal_data(subject).await?;
    let file = format!("{data:#}").into_bytes();
    if file.len() > MAX_FILE {
        let words = "It is more than Discord takes as a file. Please ask whoever runs this bot for it.";
        return Err(Refusal::new(words).into());
    }
    let reply = poise::CreateReply::default().content(KEPT).ephemeral(true);
    ctx.send(reply.attachment(CreateAttachment::bytes(file, "privacy.json"))).await?;
    Ok(())
}

/// Erases what is kept about you, or about your server
#[poise::command(slash_command, ephemeral)]
async fn erase(
    ctx: Context<'_>,
    #[description = "You, or this server if you own it; you if left out"] about: Option<About>,
) -> Result<(), Error> {
    let subject = subject(ctx, about)?;
    let whose = match subject {
        Subject::User(_) => "you, in all servers",
        Subject::Guild(_) => "this server and its members here",
    };
    let mut words = format!("Erase what is kept about {whose}? It cannot be undone.");
    if matches!(subject, Subject::Guild(_)) {
        words += " Settings made with `/config` are lost.";
    }
    for remark in ctx.data().erasure_remarks(subject) {
        words += &format!(" {remark}");
    }
    let asked = confirm(ctx, &words, "Erase").await?;
    let words = if asked.yes {
        let rows = ctx.data().erase_personal_data(subject).await?;
        format!("{} erased.", count(usize::try_from(rows).unwrap_or(usize::MAX), "entry"))
    } else {
        "Nothing was erased.".to_owned()
    };
    asked.tell(ctx, words).await
}

sdk::export!(Privacy);
