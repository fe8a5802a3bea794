//! As poise's `invocation_data`: a value that goes with a command through all its phases, each of which notes it.

use sdk::poise::FrameworkError;
use sdk::prelude::*;

pub(crate) struct Invocation;

impl Plugin for Invocation {
    fn options(&self, options: &mut FrameworkOptions) {
        options.command_check = Some(|ctx| {
            Box::pin(async move {
                ctx.set_invocation_data("luggage").await;
                note(ctx, "command_check").await?;
                Ok(true)
            })
        });
        options.pre_command = |ctx| Box::pin(async move { note(ctx, "pre_command").await.unwrap() });
        options.post_command = |ctx| {
            Box::pin(async move {
                note(ctx, "post_command").await.unwrap();
                ctx.say(noted(ctx)).await.unwrap();
            })
        };
        options.on_error = |error| {
            Box::pin(async move {
                match error {
                    FrameworkError::Command { ctx, .. } => {
                        note(ctx, "on_error").await.unwrap();
                        ctx.say(noted(ctx)).await.unwrap();
                    }
                    other => sdk::on_error(other).await,
                }
            })
        };
    }

    fn commands(&self) -> Vec<Command> {
        vec![luggage()]
    }
}

/// Adds a phase to the list, if the value is there.
async fn note(ctx: Context<'_>, phase: &str) -> Result<(), Error> {
    let data = ctx.invocation_data::<&'static str>().await;
    let mut phases: Vec<String> = ctx.data().store().get("phases")?.unwrap_or_default();
    phases.push(format!("{phase}: {:?}", data.as_deref()));
    ctx.data().store().put("phases", &phases)
}

fn noted(ctx: Context<'_>) -> String {
    let phases: Vec<String> = ctx.data().store().get("phases").unwrap().unwrap_or_default();
    ctx.data().store().remove("phases");
    phases.join("\n")
}

async fn check(ctx: Context<'_>) -> Result<bool, Error> {
    note(ctx, "check").await?;
    Ok(true)
}

async fn complete(ctx: Context<'_>, _: &str) -> serenity::CreateAutocompleteResponse {
    let data = ctx.invocation_data::<&'static str>().await;
    ctx.data().store().remove("phases");
    let choice = serenity::AutocompleteChoice::new(format!("{:?}", data.as_deref()), 1);
    serenity::CreateAutocompleteResponse::new().set_choices(vec![choice])
}

/// Travels
#[poise::command(slash_command, prefix_command, check = "check")]
async fn luggage(
    ctx: Context<'_>,
    #[description = "0 to arrive"]
    #[autocomplete = "complete"]
    trouble: u32,
) -> Result<(), Error> {
    note(ctx, "command").await?;
    if trouble == 0 { Ok(()) } else { Err("lost".into()) }
}
