//! Presses, choices and modals, each in the generation that registered the closest custom-id prefix.

use std::sync::Arc;

use serenity::all::{
    CreateAllowedMentions, CreateInteractionResponse, CreateInteractionResponseMessage, FullEvent,
    Interaction,
};

use super::handler::{outcome, told};
use super::unhandled::Unhandled;
use super::{Dispatcher, enter};
use crate::collectors::Awaited;
use crate::observer::{AWAITED, Outcome, Watch, Way};
use crate::snapshot::{Place, Snapshot};
use crate::subscriptions::Keyed;
use crate::{Subscriptions, text};

/// Which interaction it is, for figures and for the account of calls.
struct Kind {
    way: Way,
    what: String,
}

/// No live generation has registered a handler for it.
struct NoHandler;

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
                let kind = Kind { way: Way::Component, what: format!("component {id}") };
                if self.awaited(snapshot, &kind, component).await {
                    return true;
                }
                let find = |live: &Snapshot| live.component(id).cloned();
                match self.keyed(ctx, snapshot, &kind, find, |on| &on.components, component).await {
                    Err(NoHandler) => return self.unhandled(ctx, Unhandled::press(component)),
                    Ok(Some(words)) => component.create_response(ctx, ephemeral(&words)).await,
                    Ok(None) => Ok(()),
                }
            }
            Interaction::Modal(modal) => {
                let id = &modal.data.custom_id;
                let kind = Kind { way: Way::Modal, what: format!("modal {id}") };
                if self.awaited(snapshot, &kind, modal).await {
                    return true;
                }
                let find = |live: &Snapshot| live.modal(id).cloned();
                match self.keyed(ctx, snapshot, &kind, find, |on| &on.modals, modal).await {
                    Err(NoHandler) => return self.unhandled(ctx, Unhandled::submit(modal)),
                    Ok(Some(words)) => modal.create_response(ctx, ephemeral(&words)).await,
                    Ok(None) => Ok(()),
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
    async fn awaited<T: Awaited>(&self, snapshot: &Arc<Snapshot>, kind: &Kind, interaction: &T) -> bool {
        let watch = Watch::begin();
        let find = |live: &Snapshot| {
            let mut all = live.generations().values();
            all.find(|generation| generation.data.collectors().wants(interaction))
                .map(|found| (found.clone(), ()))
        };
        let Some((generation, (), _call)) = enter(&self.host, snapshot, &kind.what, find).await else {
            return false;
        };
        let given = generation.data.collectors().give(interaction);
        if given {
            watch.tell(&self.host, kind.way, AWAITED, Outcome::Ok);
        }
        given
    }

    /// Waits, in a task of its own, whether anybody else handles an interaction; says that the event is one.
    fn unhandled(&self, ctx: &serenity::all::Context, interaction: Unhandled) -> bool {
        tokio::spawn(interaction.see_to(self.host.clone(), ctx.http.clone()));
        true
    }

    /// Runs a component or modal handler and gives the words to tell the user when it failed.
    async fn keyed<T: Clone>(
        &self,
        ctx: &serenity::all::Context,
        snapshot: &Arc<Snapshot>,
        kind: &Kind,
        find: impl Fn(&Snapshot) -> Option<Place>,
        table: fn(&Subscriptions) -> &Vec<Keyed<T>>,
        value: &T,
    ) -> Result<Option<String>, NoHandler> {
        let (watch, what) = (Watch::begin(), &kind.what);
        let Some((generation, index, call)) = enter(&self.host, snapshot, what, find).await else {
            return Err(NoHandler);
        };
        let handler = &table(&generation.subscriptions)[index];
        let handled =
            call.run(outcome(ctx, &generation, what, |ctx| (handler.handler)(ctx, value.clone()))).await;
        watch.tell(&self.host, kind.way, &handler.key, Outcome::from(&handled));
        Ok(told(&generation, what, handled))
    }
}

/// Tells users who come in the last moments that the bot is about to end; says whether the event is one of theirs.
pub(super) async fn answer_while_closing(ctx: &serenity::all::Context, event: &FullEvent) -> bool {
    let words = || ephemeral("The bot is restarting. Please try again in a moment.");
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
        _ => return false,
    };
    if let Err(error) = answered {
        tracing::debug!(%error, "could not answer while closing");
    }
    true
}

/// Makes an answer that only its user sees and that mentions nobody, of what a message holds.
pub(crate) fn ephemeral(words: &str) -> CreateInteractionResponse {
    let message = CreateInteractionResponseMessage::new().content(text::message(words));
    let nobody = CreateAllowedMentions::new();
    CreateInteractionResponse::Message(message.ephemeral(true).allowed_mentions(nobody))
}
