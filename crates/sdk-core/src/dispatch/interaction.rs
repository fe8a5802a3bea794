//! Presses, choices and modals, each in the generation that registered the closest custom-id prefix.

use std::sync::Arc;

use serenity::all::{CreateInteractionResponse, CreateInteractionResponseMessage, FullEvent, Interaction};

use super::handler::run;
use super::{Dispatcher, enter};
use crate::collectors::Awaited;
use crate::snapshot::{Place, Snapshot};
use crate::subscriptions::Keyed;
use crate::{Subscriptions, text};

impl Dispatcher {
    /// Has a press, a choice or a modal handled; says whether the event is one.
    pub(super) async fn interaction(
        &self,
        ctx: &serenity::all::Context,
        snapshot: &Arc<Snapshot>,
        event: &FullEvent,
    ) -> bool {
        let FullEvent::InteractionCreate { interaction } = event else { return false };
        let answered = match interaction {
            Interaction::Component(component) => {
                let id = &component.data.custom_id;
                if self.awaited(snapshot, &format!("component {id}"), component).await {
                    return true;
                }
                let (what, find) = (format!("component {id}"), |live: &Snapshot| live.component(id).cloned());
                match self.keyed(ctx, snapshot, &what, find, |on| &on.components, component).await {
                    Some(words) => component.create_response(ctx, ephemeral(words)).await,
                    None => Ok(()),
                }
            }
            Interaction::Modal(modal) => {
                let id = &modal.data.custom_id;
                if self.awaited(snapshot, &format!("modal {id}"), modal).await {
                    return true;
                }
                let (what, find) = (format!("modal {id}"), |live: &Snapshot| live.modal(id).cloned());
                match self.keyed(ctx, snapshot, &what, find, |on| &on.modals, modal).await {
                    Some(words) => modal.create_response(ctx, ephemeral(words)).await,
                    None => Ok(()),
                }
            }
            _ => return false,
        };
        if let Err(error) = answered {
            tracing::debug!(%error, "the user of a handler that failed could not be told");
        }
        true
    }

    /// Hands an interaction to the call that waits for it, and says whether there is one.
    async fn awaited<T: Awaited>(&self, snapshot: &Arc<Snapshot>, what: &str, interaction: &T) -> bool {
        let find = |live: &Snapshot| {
            let mut all = live.generations().values();
            all.find(|generation| generation.data.collectors().wants(interaction))
                .map(|found| (found.clone(), ()))
        };
        let Some((generation, (), _call)) = enter(&self.host, snapshot, what, find).await else {
            return false;
        };
        generation.data.collectors().give(interaction)
    }

    /// Runs a component or modal handler and gives the words to tell the user when it failed.
    async fn keyed<T: Clone>(
        &self,
        ctx: &serenity::all::Context,
        snapshot: &Arc<Snapshot>,
        what: &str,
        find: impl Fn(&Snapshot) -> Option<Place>,
        table: fn(&Subscriptions) -> &Vec<Keyed<T>>,
        value: &T,
    ) -> Option<String> {
        let (generation, index, call) = enter(&self.host, snapshot, what, find).await?;
        let handler = &table(&generation.subscriptions)[index];
        call.run(run(ctx, &generation, what, |ctx| (handler.handler)(ctx, value.clone()))).await
    }
}

/// Tells users who come in the last moments that the bot is about to end.
pub(super) async fn answer_while_closing(ctx: &serenity::all::Context, event: &FullEvent) {
    let words = || ephemeral("The bot is restarting. Please try again in a moment.".to_owned());
    let answered = match event {
        FullEvent::InteractionCreate { interaction: Interaction::Command(command) } => {
            command.create_response(ctx, words()).await
        }
        FullEvent::InteractionCreate { interaction: Interaction::Component(component) } => {
            component.create_response(ctx, words()).await
        }
        FullEvent::InteractionCreate { interaction: Interaction::Modal(modal) } => {
            modal.create_response(ctx, words()).await
        }
        _ => Ok(()),
    };
    if let Err(error) = answered {
        tracing::debug!(%error, "could not answer while closing");
    }
}

/// Makes an answer that only its user sees, cut to what a message holds.
pub(crate) fn ephemeral(words: String) -> CreateInteractionResponse {
    CreateInteractionResponse::Message(
        CreateInteractionResponseMessage::new().content(text::cut(words, text::MESSAGE)).ephemeral(true),
    )
}
