//! Sending to whatever a plugin has at hand: a command's context, an interaction, or a channel.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serenity::all::{
    ApplicationId, ChannelId, ComponentInteraction, Http, InteractionId, Message, MessageId, ModalInteraction,
};
use serenity::http::{LightMethod, Route};

use super::ComponentMessage;
use super::request::{Callback, followups, original, respond_with, send};
use crate::{Context, Error};

/// A message that a command has sent.
#[derive(Clone)]
pub struct Sent {
    http: Arc<Http>,
    place: Place,
}

#[derive(Clone)]
enum Place {
    /// The initial response of an interaction.
    Original(ApplicationId, String),
    Followup(ApplicationId, String, MessageId),
    Channel(ChannelId, MessageId),
}

impl Sent {
    fn route(&self) -> Route<'_> {
        match &self.place {
            Place::Original(application, token) => original(*application, token),
            Place::Followup(application_id, token, message_id) => Route::WebhookFollowupMessage {
                application_id: *application_id,
                token,
                message_id: *message_id,
            },
            Place::Channel(channel_id, message_id) => {
                Route::ChannelMessage { channel_id: *channel_id, message_id: *message_id }
            }
        }
    }

    /// Replaces what the message has by what `message` has. A message that has Components V2 keeps them for ever.
    ///
    /// # Errors
    /// If the message breaks a rule of Discord, or Discord does not take it.
    pub fn edit(&self, message: ComponentMessage) -> BoxFuture<'_, Result<Message, Error>> {
        send(&self.http, self.route(), LightMethod::Patch, message).boxed()
    }

    /// Returns the message. For an initial response this asks Discord.
    ///
    /// # Errors
    /// If Discord does not give it.
    pub fn message(&self) -> BoxFuture<'_, Result<Message, Error>> {
        async { Ok(self.http.fire(serenity::http::Request::new(self.route(), LightMethod::Get)).await?) }
            .boxed()
    }

    /// Deletes the message.
    ///
    /// # Errors
    /// If Discord does not delete it.
    pub fn delete(&self) -> BoxFuture<'_, Result<(), Error>> {
        async {
            self.http.request(serenity::http::Request::new(self.route(), LightMethod::Delete)).await?;
            Ok(())
        }
        .boxed()
    }
}

/// `send_components` for a command's context.
pub trait ComponentContext {
    /// Answers the command: with the initial response, or with a followup once it has been answered or deferred. A text
    /// command is answered with a message in its channel.
    ///
    /// # Errors
    /// If the message breaks a rule of Discord, or Discord does not take it. The command counts as answered only if
    /// Discord has taken it.
    fn send_components(&self, message: ComponentMessage) -> BoxFuture<'_, Result<Sent, Error>>;
}

impl ComponentContext for Context<'_> {
    fn send_components(&self, message: ComponentMessage) -> BoxFuture<'_, Result<Sent, Error>> {
        answer(*self, message).boxed()
    }
}

async fn answer(ctx: Context<'_>, message: ComponentMessage) -> Result<Sent, Error> {
    let http = ctx.serenity_context().http.clone();
    let app = match ctx {
        Context::Application(app) => app,
        Context::Prefix(prefix) => {
            // Nobody is the only one to see a message in a channel.
            let message = message.ephemeral(false);
            let channel_id = prefix.msg.channel_id;
            let sent = send(&http, Route::ChannelMessages { channel_id }, LightMethod::Post, message).await?;
            return Ok(Sent { http, place: Place::Channel(channel_id, sent.id) });
        }
    };
    let message = if app.command().ephemeral { message.ephemeral(true) } else { message };
    let (application, token) = (app.interaction.application_id, &app.interaction.token);
    let place = if app.has_sent_initial_response.load(Ordering::SeqCst) {
        let sent = send(&http, followups(application, token), LightMethod::Post, message).await?;
        Place::Followup(application, token.clone(), sent.id)
    } else {
        respond_with(&http, (app.interaction.id, token), Callback::Message, message).await?;
        app.has_sent_initial_response.store(true, Ordering::SeqCst);
        Place::Original(application, token.clone())
    };
    Ok(Sent { http, place })
}

/// Answers of presses, choices and submitted modals. Each interaction has exactly one initial response, within 3 s.
pub trait ComponentInteractions {
    /// Answers with a new message, as the initial response.
    ///
    /// # Errors
    /// If the message breaks a rule of Discord, or Discord does not take it.
    fn send_components<'a>(
        &'a self,
        http: &'a Http,
        message: ComponentMessage,
    ) -> BoxFuture<'a, Result<(), Error>>;

    /// Replaces the message that the component is on, as the initial response.
    ///
    /// # Errors
    /// As [`send_components`](Self::send_components).
    fn update_components<'a>(
        &'a self,
        http: &'a Http,
        message: ComponentMessage,
    ) -> BoxFuture<'a, Result<(), Error>>;

    /// Sends a further message, after the initial response.
    ///
    /// # Errors
    /// As [`send_components`](Self::send_components).
    fn follow_up_components<'a>(
        &'a self,
        http: &'a Http,
        message: ComponentMessage,
    ) -> BoxFuture<'a, Result<Message, Error>>;

    /// Edits the initial response, or completes one that was deferred.
    ///
    /// # Errors
    /// As [`send_components`](Self::send_components).
    fn edit_components<'a>(
        &'a self,
        http: &'a Http,
        message: ComponentMessage,
    ) -> BoxFuture<'a, Result<Message, Error>>;
}

/// What answers need of an interaction.
trait Interaction: Sync {
    fn own(&self) -> (ApplicationId, InteractionId, &str);
}

impl Interaction for ComponentInteraction {
    fn own(&self) -> (ApplicationId, InteractionId, &str) {
        (self.application_id, self.id, &self.token)
    }
}

impl Interaction for ModalInteraction {
    fn own(&self) -> (ApplicationId, InteractionId, &str) {
        (self.application_id, self.id, &self.token)
    }
}

impl<T: Interaction> ComponentInteractions for T {
    fn send_components<'a>(
        &'a self,
        http: &'a Http,
        message: ComponentMessage,
    ) -> BoxFuture<'a, Result<(), Error>> {
        let (_, id, token) = self.own();
        respond_with(http, (id, token), Callback::Message, message).boxed()
    }

    fn update_components<'a>(
        &'a self,
        http: &'a Http,
        message: ComponentMessage,
    ) -> BoxFuture<'a, Result<(), Error>> {
        let (_, id, token) = self.own();
        respond_with(http, (id, token), Callback::Update, message).boxed()
    }

    fn follow_up_components<'a>(
        &'a self,
        http: &'a Http,
        message: ComponentMessage,
    ) -> BoxFuture<'a, Result<Message, Error>> {
        let (application, _, token) = self.own();
        send(http, followups(application, token), LightMethod::Post, message).boxed()
    }

    fn edit_components<'a>(
        &'a self,
        http: &'a Http,
        message: ComponentMessage,
    ) -> BoxFuture<'a, Result<Message, Error>> {
        let (application, _, token) = self.own();
        send(http, original(application, token), LightMethod::Patch, message).boxed()
    }
}

/// Messages in a channel, outside of interactions.
pub trait ComponentMessages {
    /// Sends a message.
    ///
    /// # Errors
    /// If the message breaks a rule of Discord, or Discord does not take it.
    fn send_components<'a>(
        &self,
        http: &'a Http,
        message: ComponentMessage,
    ) -> BoxFuture<'a, Result<Message, Error>>;

    /// Edits a message of the bot.
    ///
    /// # Errors
    /// As [`send_components`](Self::send_components).
    fn edit_components<'a>(
        &self,
        http: &'a Http,
        message_id: MessageId,
        message: ComponentMessage,
    ) -> BoxFuture<'a, Result<Message, Error>>;
}

impl ComponentMessages for ChannelId {
    fn send_components<'a>(
        &self,
        http: &'a Http,
        message: ComponentMessage,
    ) -> BoxFuture<'a, Result<Message, Error>> {
        send(http, Route::ChannelMessages { channel_id: *self }, LightMethod::Post, message).boxed()
    }

    fn edit_components<'a>(
        &self,
        http: &'a Http,
        message_id: MessageId,
        message: ComponentMessage,
    ) -> BoxFuture<'a, Result<Message, Error>> {
        let route = Route::ChannelMessage { channel_id: *self, message_id };
        send(http, route, LightMethod::Patch, message).boxed()
    }
}
