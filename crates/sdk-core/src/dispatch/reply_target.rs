//! The user who waits for the answer to a command. They get an error message if the command fails where poise does not
//! see it.

use serenity::all::{
    AutocompleteChoice, Builder as _, ChannelId, Context, CreateAllowedMentions, CreateAutocompleteResponse,
    CreateInteractionResponse, CreateMessage, FullEvent, Interaction, InteractionId,
};

use super::interaction::ephemeral;
use crate::text;

/// Where to send the error message of a failed command.
pub(crate) enum ReplyTarget {
    /// A user of a slash or menu command.
    Command(InteractionId, String),
    /// A user who is still typing.
    Typing(InteractionId, String),
    /// The author of a message.
    Text(ChannelId),
}

impl ReplyTarget {
    pub(crate) fn of(event: &FullEvent) -> Option<Self> {
        match event {
            FullEvent::InteractionCreate { interaction: Interaction::Command(command) } => {
                Some(Self::Command(command.id, command.token.clone()))
            }
            FullEvent::InteractionCreate { interaction: Interaction::Autocomplete(command) } => {
                Some(Self::Typing(command.id, command.token.clone()))
            }
            FullEvent::Message { new_message } => Some(Self::Text(new_message.channel_id)),
            _ => None,
        }
    }

    /// Sends `words` as an error message that mentions no user. If the command is answered already, Discord refuses the
    /// message, which is fine.
    pub(crate) async fn tell(self, ctx: &Context, words: String) {
        let told = match self {
            Self::Command(id, token) => ephemeral(&words).execute(ctx, (id, token.as_str())).await,
            Self::Typing(id, token) => {
                let nothing = CreateAutocompleteResponse::new().set_choices(Vec::<AutocompleteChoice>::new());
                CreateInteractionResponse::Autocomplete(nothing).execute(ctx, (id, token.as_str())).await
            }
            Self::Text(channel) => {
                let message = CreateMessage::new().content(text::message(&words));
                let nobody = CreateAllowedMentions::new();
                channel.send_message(ctx, message.allowed_mentions(nobody)).await.map(drop)
            }
        };
        if let Err(error) = told {
            tracing::debug!(%error, "the user of a command that failed could not be told");
        }
    }
}
