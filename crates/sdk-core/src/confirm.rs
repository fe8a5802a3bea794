//! A question with two buttons, before an action that users notice.

use std::time::Duration;

use serenity::all::{ButtonStyle, CreateActionRow, CreateButton, CreateInteractionResponse};

use crate::{Context, Error};

/// How long a question can be answered.
const PATIENCE: Duration = Duration::from_mins(5);

/// A question that was answered or has expired.
pub struct Confirmed<'a> {
    /// Whether the answer was yes.
    pub yes: bool,
    question: poise::ReplyHandle<'a>,
}

/// Asks the user of the command and returns the answer. A question that expires, or outlives this generation, counts as
/// a no.
///
/// # Errors
/// If Discord does not take the question or the answer to its button.
pub async fn confirm<'a>(ctx: Context<'a>, question: &str, yes: &str) -> Result<Confirmed<'a>, Error> {
    let prefix = format!("confirm:{}:", ctx.id());
    let pressed = ctx.data().next_press(&prefix, Some(ctx.author().id), PATIENCE);
    let buttons = vec![
        CreateButton::new(format!("{prefix}yes")).label(yes).style(ButtonStyle::Danger),
        CreateButton::new(format!("{prefix}no")).label("Cancel").style(ButtonStyle::Secondary),
    ];
    let reply = poise::CreateReply::default().content(question).ephemeral(true);
    let question = ctx.send(reply.components(vec![CreateActionRow::Buttons(buttons)])).await?;
    let Some(press) = pressed.await else { return Ok(Confirmed { yes: false, question }) };
    press.create_response(ctx, CreateInteractionResponse::Acknowledge).await?;
    Ok(Confirmed { yes: press.data.custom_id.ends_with(":yes"), question })
}

impl Confirmed<'_> {
    /// Replaces the question by the result.
    ///
    /// # Errors
    /// If Discord does not take it.
    pub async fn tell(self, ctx: Context<'_>, words: String) -> Result<(), Error> {
        let reply = poise::CreateReply::default().content(words).components(Vec::new());
        self.question.edit(ctx, reply).await?;
        Ok(())
    }
}
