//! Presses, choices and modals for which no live plugin has registered a handler.
//!
//! # Theory of operation
//!
//! Without a registered handler, an interaction may still be handled. serenity's own collectors
//! (`ComponentInteractionCollector` and similar ones, as in `poise::builtins::paginate`) take interactions in the
//! shard, before dispatch, and do not report which; and another process of the same application receives the same
//! events. What all of them do is acknowledge the interaction, for which Discord waits 3 s. So no answer is sent from
//! here before [`CHANCE`] has passed since the interaction was created. The host knows what this process has begun to
//! answer by then, because all requests to Discord pass through it ([`Answers`](crate::answers::Answers)). Discord
//! knows what another process has acknowledged, and refuses a second answer (code 40060). Therefore no interaction is
//! answered twice, and a collector loses only an interaction that it has not acknowledged until shortly before Discord
//! itself would drop it.
//!
//! Sources: "Responding to an Interaction" (3 s) and "JSON Error Codes" in Discord's documentation.

use std::sync::Arc;
use std::time::Duration;

use serenity::all::{
    ChannelId, ComponentInteraction, ComponentInteractionDataKind, Http, HttpError, InteractionId, MessageId,
    ModalInteraction, UserId,
};

use super::interaction::ephemeral;
use crate::clock::since_1970;
use crate::host::Host;
use crate::observer::Unhandled;

/// Time in which an interaction can be acknowledged elsewhere, from its creation. Discord drops it after 3 s.
const CHANCE: Duration = Duration::from_millis(2500);
/// Largest part of [`CHANCE`] that may have passed before the event arrived, in case the two clocks differ.
const ON_THE_WAY: Duration = Duration::from_secs(1);

/// Start of the time in snowflakes, in milliseconds since 1970.
const DISCORD_EPOCH: u64 = 1_420_070_400_000;
/// Discord's error code for a second initial response.
const ACKNOWLEDGED_ALREADY: isize = 40060;

/// An interaction for which no live plugin has registered.
pub(super) struct UnhandledInteraction {
    /// What the user calls it, for example a form.
    what: &'static str,
    id: InteractionId,
    token: String,
    custom_id: String,
    user: UserId,
    channel: ChannelId,
    message: Option<MessageId>,
}

impl UnhandledInteraction {
    pub(super) fn press(press: &ComponentInteraction) -> Self {
        let what = match press.data.kind {
            ComponentInteractionDataKind::Button => "button",
            _ => "menu",
        };
        Self {
            what,
            id: press.id,
            token: press.token.clone(),
            custom_id: press.data.custom_id.clone(),
            user: press.user.id,
            channel: press.channel_id,
            message: Some(press.message.id),
        }
    }

    pub(super) fn submit(modal: &ModalInteraction) -> Self {
        Self {
            what: "form",
            id: modal.id,
            token: modal.token.clone(),
            custom_id: modal.data.custom_id.clone(),
            user: modal.user.id,
            channel: modal.channel_id,
            message: modal.message.as_ref().map(|message| message.id),
        }
    }

    /// Answers the user, unless the interaction has been answered elsewhere shortly before Discord's deadline.
    pub(super) async fn see_to(self, host: Host, http: Arc<Http>) {
        tokio::time::sleep(CHANCE.saturating_sub(on_the_way(self.id, since_1970()))).await;
        if host.is_being_answered(self.id) {
            tracing::debug!(custom_id = self.custom_id, "a collector has handled this component");
            return;
        }
        let words = ephemeral(&format!("This {} is not part of this bot any more.", self.what));
        let answered = http.create_interaction_response(self.id, &self.token, &words, Vec::new()).await;
        if answered.as_ref().is_err_and(is_acknowledged) {
            tracing::debug!(custom_id = self.custom_id, "somebody else has handled this component");
            return;
        }
        let (custom_id, what, user, channel) = (&self.custom_id, self.what, self.user, self.channel);
        let on_message = self.message.map(MessageId::get);
        tracing::warn!(custom_id, what, %user, %channel, on_message, "no live plugin handles this component");
        if let Some(observer) = host.observer() {
            observer.unhandled(Unhandled::UnknownComponent);
        }
        if let Err(error) = answered {
            tracing::warn!(custom_id, %error, "could not answer");
        }
    }
}

/// Returns how long an interaction took to arrive by `now` (milliseconds since 1970), limited to what is plausible if
/// the clocks differ. Source: "Snowflakes" in Discord's documentation.
fn on_the_way(id: InteractionId, now: u64) -> Duration {
    let made = (id.get() >> 22) + DISCORD_EPOCH;
    Duration::from_millis(now.saturating_sub(made)).min(ON_THE_WAY)
}

/// Returns whether Discord refuses a response because the interaction already has one.
fn is_acknowledged(error: &serenity::Error) -> bool {
    match error {
        serenity::Error::Http(HttpError::UnsuccessfulRequest(answer)) => {
            answer.error.code == ACKNOWLEDGED_ALREADY
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_that_do_not_agree_neither_skip_the_wait_nor_prolong_it() {
        for (made, came, expected) in [(0, 0, 0), (0, 120, 120), (0, 90_000, 1000), (90_000, 0, 0)] {
            let id = InteractionId::new((1_000_000_000 + made) << 22);
            let now = DISCORD_EPOCH + 1_000_000_000 + came;
            assert_eq!(on_the_way(id, now), Duration::from_millis(expected), "{made} {came}");
        }
    }
}
