//! Presses, choices and modals, each handled in the generation that registered the longest matching custom-id prefix.

use std::sync::Arc;

use serenity::all::{
    CreateAllowedMentions, CreateInteractionResponse, CreateInteractionResponseMessage, FullEvent,
    Interaction,
};

use super::call_timer::CallTimer;
use super::handler::{log_failure, outcome};
use super::unhandled::UnhandledInteraction;
use super::{Dispatcher, enter, switch};
use crate::collectors::Awaited;
use crate::generation::Generation;
use crate::observer::{AWAITED, Outcome, Trigger};
use crate::routing_table::{HandlerRef, RoutingTable};
use crate::subscriptions::Keyed;
use crate::{Subscriptions, text};

/// The kind of an interaction, for metrics and for the recorder of calls.
struct Kind {
    trigger: Trigger,
    what: String,
}

/// No live generation has registered a handler for the interaction.
struct NoHandler;

impl Dispatcher {
    /// Handles a press, a choice or a modal. Returns whether the event is one.
    pub(super) async fn interaction(
        &self,
        ctx: &serenity::all::Context,
        snapshot: &Arc<RoutingTable>,
        event: &FullEvent,
    ) -> bool {
        let FullEvent::InteractionCreate { interaction } = event else { return false };
        let answered = match interaction {
            Interaction::Component(component) => {
                let id = &component.data.custom_id;
                let kind = Kind { trigger: Trigger::Component, what: format!("component {id}") };
                let keyed = snapshot.component(id);
                if let Some(off) = switch::off_plugin(snapshot, component.guild_id, component, keyed) {
                    self.report_off(&kind, keyed, &off);
                    let words = ephemeral(&switch::sentence(off.plugin().as_str()));
                    return is_answered(component.create_response(ctx, words).await);
                }
                if self.awaited(snapshot, &kind, component).await {
                    return true;
                }
                let find = |live: &RoutingTable| live.component(id).cloned();
                match self.keyed(ctx, snapshot, &kind, find, |on| &on.components, component).await {
                    Err(NoHandler) => return self.unhandled(ctx, UnhandledInteraction::press(component)),
                    Ok(Some(words)) => component.create_response(ctx, ephemeral(&words)).await,
                    Ok(None) => Ok(()),
                }
            }
            Interaction::Modal(modal) => {
                let id = &modal.data.custom_id;
                let kind = Kind { trigger: Trigger::Modal, what: format!("modal {id}") };
                let keyed = snapshot.modal(id);
                if let Some(off) = switch::off_plugin(snapshot, modal.guild_id, modal, keyed) {
                    self.report_off(&kind, keyed, &off);
                    let words = ephemeral(&switch::sentence(off.plugin().as_str()));
                    return is_answered(modal.create_response(ctx, words).await);
                }
                if self.awaited(snapshot, &kind, modal).await {
                    return true;
                }
                let find = |live: &RoutingTable| live.modal(id).cloned();
                match self.keyed(ctx, snapshot, &kind, find, |on| &on.modals, modal).await {
                    Err(NoHandler) => return self.unhandled(ctx, UnhandledInteraction::submit(modal)),
                    Ok(Some(words)) => modal.create_response(ctx, ephemeral(&words)).await,
                    Ok(None) => Ok(()),
                }
            }
            _ => return false,
        };
        is_answered(answered)
    }

    /// Reports an interaction with a plugin that the server has switched off.
    fn report_off(&self, kind: &Kind, keyed: Option<&HandlerRef>, off: &Arc<Generation>) {
        // A handler of another plugin was not meant: the press was awaited.
        let handler = keyed.filter(|(owner, _)| Arc::ptr_eq(owner, off)).map(|(_, index)| *index);
        let subscriptions = &off.subscriptions;
        let name = match (handler, kind.trigger) {
            (Some(index), Trigger::Component) => &*subscriptions.components[index].key,
            (Some(index), _) => &*subscriptions.modals[index].key,
            (None, _) => AWAITED,
        };
        CallTimer::begin().report(&self.host, kind.trigger, name, Outcome::Refused);
    }

    /// Delivers an interaction to the call that waits for it. Returns whether there is one.
    async fn awaited<T: Awaited>(&self, snapshot: &Arc<RoutingTable>, kind: &Kind, interaction: &T) -> bool {
        let timer = CallTimer::begin();
        let find = |live: &RoutingTable| {
            let mut all = live.generations().values();
            all.find(|generation| generation.data.collectors().wants(interaction))
                .map(|found| (found.clone(), ()))
        };
        let Some((generation, (), _call)) = enter(&self.host, snapshot, &kind.what, find).await else {
            return false;
        };
        let given = generation.data.collectors().give(interaction);
        if given {
            timer.report(&self.host, kind.trigger, AWAITED, Outcome::Ok);
        }
        given
    }

    /// Spawns a task that answers an interaction unless something else handles it. Returns `true`: the event is an
    /// interaction.
    fn unhandled(&self, ctx: &serenity::all::Context, interaction: UnhandledInteraction) -> bool {
        tokio::spawn(interaction.see_to(self.host.clone(), ctx.http.clone()));
        true
    }

    /// Runs a component or modal handler. Returns the message for the user if it failed.
    async fn keyed<T: Clone>(
        &self,
        ctx: &serenity::all::Context,
        snapshot: &Arc<RoutingTable>,
        kind: &Kind,
        find: impl Fn(&RoutingTable) -> Option<HandlerRef>,
        table: fn(&Subscriptions) -> &Vec<Keyed<T>>,
        value: &T,
    ) -> Result<Option<String>, NoHandler> {
        let (timer, what) = (CallTimer::begin(), &kind.what);
        let Some((generation, index, call)) = enter(&self.host, snapshot, what, find).await else {
            return Err(NoHandler);
        };
        let handler = &table(&generation.subscriptions)[index];
        let handled =
            call.run(outcome(ctx, &generation, what, |ctx| (handler.handler)(ctx, value.clone()))).await;
        timer.report(&self.host, kind.trigger, &handler.key, Outcome::from(&handled));
        Ok(log_failure(&generation, what, handled))
    }
}

/// Logs that the message for a user could not be sent. Returns `true`: the event is an interaction.
fn is_answered(answered: serenity::Result<()>) -> bool {
    if let Err(error) = answered {
        tracing::debug!(%error, "the user of an interaction could not be answered");
    }
    true
}

/// Answers users of interactions during shutdown that the bot is restarting. Returns whether the event is such an
/// interaction.
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

/// Creates an answer that only its user sees and that mentions no user, shortened to what a message holds.
pub(crate) fn ephemeral(words: &str) -> CreateInteractionResponse {
    let message = CreateInteractionResponseMessage::new().content(text::message(words));
    let nobody = CreateAllowedMentions::new();
    CreateInteractionResponse::Message(message.ephemeral(true).allowed_mentions(nobody))
}
