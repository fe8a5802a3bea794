//! Interactions from both sides: the user's action that is sent to the bot, and the bot's answers by token.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::Notify;

use super::outbox::Outgoing;
use super::{Live, Notice};
use crate::draft::{self, Draft, Edit, Upload};
use crate::error::{ApiError, ApiResult};
use crate::snowflake::Snowflake;
use crate::state::authorization::Activity;
use crate::state::clock;
use crate::state::endpoint::Endpoint;
use crate::state::interaction::{Delivery, Interaction, Response, kind};
use crate::state::message::{Author, Message, Reference, flag};
use crate::state::scenario::interaction_token;
use crate::validate;
use crate::validate::interaction::{Asked, Callback};
use crate::validate::message::MessageOrigin;

/// A user's action that a bot is to answer.
#[derive(Debug, Clone)]
pub struct Trigger {
    /// The bot's application.
    pub application: Snowflake,
    /// See [`kind`].
    pub kind: u8,
    /// User.
    pub user: Snowflake,
    /// Channel.
    pub channel: Snowflake,
    /// The interaction's `data`.
    pub data: Value,
    /// The message whose component was used, or that led to a modal.
    pub message: Option<Snowflake>,
    /// Full name of a command, as in `poll create`, and its type.
    pub command: Option<(String, u8)>,
    /// For a submitted modal: the interaction that opened it.
    pub opener: Option<Snowflake>,
}

/// An interaction that was sent to the bot.
#[derive(Debug, Clone)]
pub struct Started {
    /// Its id.
    pub id: Snowflake,
    /// Notified when there is a response.
    pub changed: Arc<Notify>,
}

/// Most further messages of an interaction with an application that only the user has installed.
const MAX_FOLLOWUPS: usize = 5;

impl Live<'_> {
    /// Sends an interaction to the bot: to its application's endpoint, or else through the gateway.
    pub fn start(&mut self, trigger: &Trigger) -> ApiResult<Started> {
        self.saw(trigger.user);
        let channel = self.channel(trigger.channel)?;
        let (guild_id, channel_id) = (channel.guild_id, channel.id);
        let id = self.next_id();
        let token = interaction_token(id);
        let opened_by = trigger.opener.and_then(|id| self.interactions.get(id));
        let opened_by = opened_by.map(|opener| Value::clone(&opener.metadata));
        let installs = self.installations(trigger, channel);
        let (private, user_installed) =
            (self.answers_in_private(installs, trigger.user, channel), installs.guild.is_none());
        let owners = opened_by
            .as_ref()
            .or(trigger.message.and_then(|message| self.metadata_of(channel_id, message)).as_ref())
            .map(|metadata| metadata["authorizing_integration_owners"].clone())
            .filter(Value::is_object)
            .unwrap_or_else(|| installs.json());
        let payload = self.payload(trigger, channel, id, &token, &owners)?;
        let user = self.user(trigger.user)?;
        let mut metadata = json!({
            "id": id,
            "type": trigger.kind,
            "user": user.json(),
            "authorizing_integration_owners": owners,
        });
        if let Some((name, command_kind)) = &trigger.command {
            metadata["name"] = json!(name);
            metadata["command_type"] = json!(command_kind);
        }
        match (trigger.kind, trigger.message, opened_by) {
            (kind::COMPONENT, Some(message), _) => metadata["interacted_message_id"] = json!(message),
            (kind::MODAL_SUBMIT, _, Some(opened_by)) => {
                metadata["triggering_interaction_metadata"] = opened_by;
            }
            _ => {}
        }
        let legacy = trigger
            .command
            .as_ref()
            .map(|(name, _)| json!({ "id": id, "type": trigger.kind, "name": name, "user": user.json() }));
        let message_kind = match (&trigger.command, trigger.message) {
            (Some((_, 1)), _) | (None, None) => 20,
            (Some(_), _) => 23,
            (None, Some(_)) => 19,
        };
        let application = self.applications.get(&trigger.application);
        let posted = application.is_some_and(|found| found.endpoint(Endpoint::Interactions).is_some());
        let changed = Arc::new(Notify::new());
        let interaction = Interaction {
            id,
            token,
            application_id: trigger.application,
            kind: trigger.kind,
            user_id: trigger.user,
            guild_id,
            channel_id,
            source_message: trigger.message,
            opener: trigger.opener,
            submission: None,
            focused: focused(&trigger.data),
            metadata: Arc::new(metadata),
            legacy: legacy.map(Arc::new),
            private,
            user_installed,
            message_kind,
            created: Instant::now(),
            delivery: if posted { Delivery::Posted } else { Delivery::Gateway },
            response: Response::None,
            original: None,
            followups: Vec::new(),
            callbacks: 0,
            acknowledged: None,
            answered: None,
            changed: Arc::clone(&changed),
        };
        if let Some(opener) = trigger.opener.and_then(|id| self.interactions.get_mut(id)) {
            opener.submission = Some(id);
        }
        let lifetime = self.limits.token;
        for old in self.interactions.insert(interaction, lifetime) {
            for message in old.original.into_iter().chain(old.followups) {
                self.drop_ephemeral(message);
            }
        }
        if self.launches_itself(trigger) {
            self.launch(id)?;
        } else if posted {
            self.outbox.push(Outgoing::Interaction { id, application: trigger.application, payload });
        } else {
            self.dispatch_bot(trigger.application, "INTERACTION_CREATE", guild_id, payload);
        }
        Ok(Started { id, changed })
    }

    /// Handles the bot's initial response. Returns the message that it created or edited.
    pub fn respond(
        &mut self,
        id: Snowflake,
        token: &str,
        body: &Value,
        uploads: Vec<Upload>,
    ) -> ApiResult<Option<Snowflake>> {
        self.claim(id, token)?;
        let Some(interaction) = self.interactions.get(id) else {
            return Err(ApiError::unknown_interaction());
        };
        let (source, channel_id) = (interaction.source_message, interaction.channel_id);
        let target = source.and_then(|message| self.any_message(channel_id, message)).map(draft::edit_target);
        let asked = Asked { kind: interaction.kind, focused: interaction.focused, message: target.as_ref() };
        let callback = validate::interaction::callback(body, &draft::names(&uploads), asked)?;
        let (response, message) = match callback {
            Callback::Message(message) => {
                let message = self.answer_message(id, Draft { message: *message, uploads }, &["data"])?;
                (Response::Message, Some(message))
            }
            Callback::DeferMessage { ephemeral } => {
                let mut message = self.blank_answer(id)?;
                message.flags |= flag::LOADING | if ephemeral { flag::EPHEMERAL } else { 0 };
                (Response::Deferred, Some(self.put_answer(id, message)))
            }
            Callback::DeferUpdate => {
                if let Some(message) = source {
                    self.interactions.await_update(message, id);
                }
                (Response::DeferredUpdate, source)
            }
            Callback::Update(change) => {
                let message = source.ok_or_else(ApiError::unknown_message)?;
                self.check_emojis(change.components.as_ref().map_or(&[], Vec::as_slice), &["data"])?;
                self.apply(channel_id, message, Edit { change: *change, uploads })?;
                (Response::Updated, source)
            }
            Callback::Choices(choices) => {
                let locale = &self.user(interaction.user_id)?.locale;
                (Response::Choices(choices.iter().map(|choice| choice.to_json(locale)).collect()), None)
            }
            Callback::Modal(modal) => (Response::Modal(modal), None),
            Callback::LaunchActivity => {
                let (guild, instance) =
                    (interaction.guild_id, activity_instance(id, interaction.guild_id, channel_id));
                let activity = Activity {
                    application: interaction.application_id,
                    launch: id,
                    guild,
                    channel: channel_id,
                    users: vec![interaction.user_id],
                };
                self.activities.insert(instance.clone(), activity);
                (Response::Launched(instance), None)
            }
            // A PING is no interaction of the world.
            Callback::Pong | Callback::PremiumRequired => (Response::PremiumRequired, None),
        };
        self.interactions.totals.acknowledged += 1;
        if let Some(interaction) = self.interactions.get_mut(id) {
            let now = Instant::now();
            interaction.callbacks += 1;
            interaction.original = message;
            interaction.acknowledged = Some(now);
            if matches!(response, Response::Deferred | Response::DeferredUpdate) {
                interaction.response = response;
                interaction.changed.notify_waiters();
            } else {
                interaction.seen_at(now, response);
            }
        }
        Ok(message)
    }

    /// Records what has become of the request with an interaction. One that has failed is over, unless a callback has come
    /// before.
    pub fn delivered(&mut self, id: Snowflake, delivery: Delivery) {
        if let Some(interaction) = self.interactions.get_mut(id)
            && !interaction.is_acknowledged()
        {
            interaction.delivery = delivery;
            interaction.changed.notify_waiters();
        }
    }

    /// Checks that an initial response is allowed now, and counts it otherwise.
    fn claim(&mut self, id: Snowflake, token: &str) -> ApiResult<()> {
        let deadline = self.limits.response;
        // The deadline is a time of the bot's; a moved clock ends the token alone.
        let token_ends = deadline.max(self.limits.token);
        let is_over = self.interactions.get(id).is_some_and(|found| self.is_older(found, token_ends));
        let interactions = &mut self.interactions;
        let Some(interaction) = interactions.get_mut(id) else { return Err(ApiError::unknown_interaction()) };
        if interaction.token != token {
            return Err(ApiError::invalid_webhook_token());
        }
        if interaction.is_acknowledged() {
            interaction.callbacks += 1;
            interactions.totals.doubled += 1;
            return Err(ApiError::already_acknowledged());
        }
        if is_over || interaction.created.elapsed() > deadline {
            interaction.callbacks += 1;
            interactions.totals.late += 1;
            return Err(ApiError::unknown_interaction());
        }
        Ok(())
    }

    /// Returns whether an interaction is older than this by the world's clock.
    fn is_older(&self, interaction: &Interaction, age: Duration) -> bool {
        clock::later(interaction.id.created_at(), age) < self.clock.now()
    }

    /// Returns the interaction of a webhook address, if it has been answered and its token is still valid.
    pub fn interaction_webhook(&self, application: Snowflake, token: &str) -> ApiResult<&Interaction> {
        let id = self.interactions.by_token(token).ok_or_else(ApiError::unknown_webhook)?;
        let interaction = self.interactions.get(id).ok_or_else(ApiError::unknown_webhook)?;
        if interaction.application_id != application || !interaction.is_acknowledged() {
            return Err(ApiError::unknown_webhook());
        }
        if self.is_older(interaction, self.limits.token) {
            return Err(ApiError::invalid_webhook_token());
        }
        Ok(interaction)
    }

    /// Handles a further message. Right after "thinking" it replaces the awaited one, as on Discord.
    pub fn follow_up(&mut self, id: Snowflake, body: &Value, uploads: Vec<Upload>) -> ApiResult<Snowflake> {
        let Some(interaction) = self.interactions.get(id) else { return Err(ApiError::unknown_webhook()) };
        if interaction.response == Response::Deferred
            && let Some(original) = interaction.original
        {
            self.edit_answer(id, original, body, uploads)?;
            return Ok(original);
        }
        if interaction.user_installed && interaction.followups.len() >= MAX_FOLLOWUPS {
            return Err(ApiError::max_followups());
        }
        let message = validate::message::create(body, &draft::names(&uploads), MessageOrigin::Interaction)?;
        let message = self.answer_message(id, Draft { message, uploads }, &[])?;
        if let Some(interaction) = self.interactions.get_mut(id) {
            interaction.followups.push(message);
            if interaction.response == Response::DeferredUpdate {
                interaction.seen(Response::DeferredUpdate);
            } else {
                interaction.changed.notify_waiters();
            }
            self.answered_through_opener(id);
        }
        Ok(message)
    }

    /// Records that a further message of an interaction that opened a modal is what the modal's user waits for.
    ///
    /// Libraries (poise) acknowledge the submission and continue with the token of the command.
    fn answered_through_opener(&mut self, opener: Snowflake) {
        let submission = self.interactions.get(opener).and_then(|opener| opener.submission);
        if let Some(submission) = submission.and_then(|id| self.interactions.get_mut(id))
            && submission.response == Response::DeferredUpdate
        {
            submission.seen(Response::DeferredUpdate);
        }
    }

    /// Edits the first answer or a further message.
    pub fn edit_answer(
        &mut self,
        id: Snowflake,
        message: Snowflake,
        body: &Value,
        uploads: Vec<Upload>,
    ) -> ApiResult<()> {
        let Some(interaction) = self.interactions.get(id) else { return Err(ApiError::unknown_webhook()) };
        let channel = interaction.channel_id;
        self.edit(channel, message, body, uploads)?;
        if let Some(interaction) = self.interactions.get_mut(id)
            && interaction.original == Some(message)
        {
            match interaction.response {
                Response::Deferred => interaction.seen(Response::Message),
                Response::DeferredUpdate => interaction.seen(Response::Updated),
                _ => interaction.changed.notify_waiters(),
            }
        }
        Ok(())
    }

    /// Deletes the first answer or a further message.
    pub fn delete_answer(&mut self, id: Snowflake, message: Snowflake) -> ApiResult<()> {
        let Some(interaction) = self.interactions.get(id) else { return Err(ApiError::unknown_webhook()) };
        let channel = interaction.channel_id;
        if self.any_message(channel, message).is_none() {
            return Err(ApiError::unknown_message());
        }
        self.drop_ephemeral(message);
        self.delete(channel, &[message]);
        if let Some(interaction) = self.interactions.get_mut(id)
            && interaction.original == Some(message)
        {
            interaction.seen(Response::Deleted);
        }
        Ok(())
    }

    /// Creates a message that answers an interaction, from the bot's account, and returns its id. `within` is where the
    /// message is in the body.
    fn answer_message(&mut self, id: Snowflake, draft: Draft, within: &[&str]) -> ApiResult<Snowflake> {
        draft.check_recording()?;
        let mut message = self.blank_answer(id)?;
        message.flags |= draft.message.flags & flag::EPHEMERAL;
        self.check_skus(message.application_id, &draft.message.components)?;
        self.check_emojis(&draft.message.components, within)?;
        self.check_stickers(None, self.channel(message.channel_id)?, &draft.message.sticker_ids)?;
        draft.fill(self, &mut message);
        Ok(self.put_answer(id, message))
    }

    pub(super) fn blank_answer(&self, id: Snowflake) -> ApiResult<Message> {
        let interaction = self.interactions.get(id).ok_or_else(ApiError::unknown_webhook)?;
        let author = Author::User(interaction.application_id);
        let mut message = Message::new(self.next_id(), interaction.channel_id, author);
        message.webhook_id = Some(interaction.application_id);
        message.application_id = Some(interaction.application_id);
        message.interaction_metadata = Some(Arc::clone(&interaction.metadata));
        if interaction.private {
            message.flags |= flag::EPHEMERAL;
        }
        let first = interaction.original.is_none();
        if first {
            message.kind = interaction.message_kind;
            message.interaction.clone_from(&interaction.legacy);
        } else {
            message.kind = 19;
            if let (Some(metadata), Some(original)) =
                (&mut message.interaction_metadata, interaction.original)
            {
                Arc::make_mut(metadata)["original_response_message_id"] = json!(original);
            }
        }
        let answered = if first { interaction.source_message } else { interaction.original };
        if message.kind == 19 {
            message.reference = answered.map(|other| Reference {
                kind: 0,
                channel_id: interaction.channel_id,
                message_id: Some(other),
                guild_id: interaction.guild_id,
            });
        }
        Ok(message)
    }

    fn put_answer(&mut self, id: Snowflake, mut message: Message) -> Snowflake {
        message.source = self.source(Some(id));
        if message.flags & flag::EPHEMERAL == 0 {
            return self.publish(message);
        }
        let message_id = message.id;
        message.ephemeral_for = self.interactions.get(id).map(|interaction| interaction.user_id);
        let channel = message.channel_id;
        self.ephemeral.insert(message_id, message);
        self.feed.push(Notice::Message { channel, id: message_id });
        message_id
    }

    fn drop_ephemeral(&mut self, message: Snowflake) {
        if let Some(gone) = self.ephemeral.remove(&message) {
            self.feed.push(Notice::Gone { channel: gone.channel_id, id: message });
            for attachment in gone.files() {
                self.files.remove(&attachment.id);
            }
        }
    }
}

/// Returns the id of the Activity instance that an interaction launches, in the form of Discord's documentation ("Get
/// Application Activity Instance"): the launch, then `gc` and guild and channel, or `pc` and a private channel.
pub(super) fn activity_instance(launch: Snowflake, guild: Option<Snowflake>, channel: Snowflake) -> String {
    match guild {
        Some(guild) => format!("i-{launch}-gc-{guild}-{channel}"),
        None => format!("i-{launch}-pc-{channel}"),
    }
}

/// Returns the type of the option that is being typed, in the data of an autocompletion.
fn focused(data: &Value) -> Option<u8> {
    let options = data.get("options")?.as_array()?;
    options.iter().find_map(|option| {
        let own = option.get("focused").and_then(Value::as_bool) == Some(true);
        let kind = option.get("type").and_then(Value::as_u64).and_then(|kind| u8::try_from(kind).ok());
        if own { kind } else { focused(option) }
    })
}
