//! Interactions: a user's action, the token to answer it with, and the bot's answer.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::Notify;

use crate::snowflake::Snowflake;

/// Discord's numbers of interaction types.
pub mod kind {
    /// A command was run.
    pub const COMMAND: u8 = 2;
    /// A button was pressed or a menu used.
    pub const COMPONENT: u8 = 3;
    /// Choices for an option are requested.
    pub const AUTOCOMPLETE: u8 = 4;
    /// A modal was submitted.
    pub const MODAL_SUBMIT: u8 = 5;
}

/// The first answer to an interaction.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum Response {
    /// None so far.
    None,
    /// "Thinking": a message will follow (callback type 5).
    Deferred,
    /// The component's message may be edited (type 6).
    DeferredUpdate,
    /// A message (type 4), or a deferred one that has been completed.
    Message,
    /// The component's message was edited (type 7), or edited after type 6.
    Updated,
    /// Choices for autocomplete (type 8).
    Choices(Value),
    /// A modal (type 9).
    Modal(Value),
    /// An upgrade button was shown (type 10).
    PremiumRequired,
    /// An Activity was launched (type 12). Contains its instance id.
    Launched(String),
    /// The answer was deleted again.
    Deleted,
}

/// How an interaction is brought to its bot.
#[derive(Debug, Default, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Delivery {
    /// By the gateway.
    #[default]
    Gateway,
    /// By a request to the application's endpoint, which has not answered so far.
    Posted,
    /// By a request that was answered without a response, which is to come as a callback.
    Accepted,
    /// By a request that has failed; the sentence is the reason.
    Failed(String),
}

/// One interaction.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Interaction {
    /// Its id.
    pub id: Snowflake,
    /// Secret with which the bot answers.
    pub token: String,
    /// The bot's application.
    pub application_id: Snowflake,
    /// See [`kind`].
    pub kind: u8,
    /// User.
    pub user_id: Snowflake,
    /// Guild, if in one.
    pub guild_id: Option<Snowflake>,
    /// Channel.
    pub channel_id: Snowflake,
    /// For components, and modals that a component opened: the message.
    pub source_message: Option<Snowflake>,
    /// For a submitted modal: the interaction that opened it.
    pub opener: Option<Snowflake>,
    /// For an interaction that opened a modal: the newest interaction with which that was submitted.
    pub submission: Option<Snowflake>,
    /// For autocompletion: type of the option being typed.
    pub focused: Option<u8>,
    /// Value of the answer's `interaction_metadata`.
    pub metadata: Arc<Value>,
    /// Value of the answer's older field `interaction`, for commands.
    pub legacy: Option<Arc<Value>>,
    /// Whether all answers are for the user alone.
    pub private: bool,
    /// Whether it rests on nothing but the user's installation.
    pub user_installed: bool,
    /// Message type of the answer: 20 slash command, 23 context menu, 19 reply to a component's message.
    pub message_kind: u8,
    /// When it was sent to the bot.
    #[serde(with = "super::moment")]
    pub created: Instant,
    /// How it was sent.
    #[serde(default)]
    pub delivery: Delivery,
    /// The first answer.
    pub response: Response,
    /// The message that is the first answer.
    pub original: Option<Snowflake>,
    /// Further messages, in order.
    pub followups: Vec<Snowflake>,
    /// Number of initial responses that arrived, including late and second ones, but without invalid ones.
    pub callbacks: u32,
    /// When the first initial response arrived.
    #[serde(with = "super::moment::option")]
    pub acknowledged: Option<Instant>,
    /// When the user first saw more than "thinking".
    #[serde(with = "super::moment::option")]
    pub answered: Option<Instant>,
    /// Notified when there is a response.
    #[serde(skip)]
    pub changed: Arc<Notify>,
}

impl Interaction {
    /// Returns whether the bot has answered at all.
    pub fn is_acknowledged(&self) -> bool {
        self.response != Response::None
    }

    /// Returns whether the user waits for the edit of a deferred answer.
    pub fn is_deferred(&self) -> bool {
        matches!(self.response, Response::Deferred | Response::DeferredUpdate)
    }

    /// Records that the user sees the answer now, and notifies those who wait.
    pub fn seen(&mut self, response: Response) {
        self.seen_at(Instant::now(), response);
    }

    /// Does the same, with a given time.
    pub fn seen_at(&mut self, now: Instant, response: Response) {
        self.response = response;
        self.answered.get_or_insert(now);
        self.changed.notify_waiters();
    }
}

/// Most interactions kept, including answered ones. The oldest are removed first.
pub const LIMIT: usize = 20_000;

/// How long past its token's validity an interaction is kept.
const GRACE: Duration = Duration::from_mins(1);

/// Statistics of all interactions since the start.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Totals {
    /// Sent to bots.
    pub dispatched: u64,
    /// Answered at least once in time.
    pub acknowledged: u64,
    /// Not answered while the user waited.
    pub unanswered: u64,
    /// Second and later initial responses, all refused with 40060.
    pub doubled: u64,
    /// Initial responses refused because they were too late.
    pub late: u64,
}

/// The interactions that can still be answered or read.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Interactions {
    by_id: HashMap<Snowflake, Interaction>,
    by_token: HashMap<String, Snowflake>,
    order: VecDeque<Snowflake>,
    awaiting_update: HashMap<Snowflake, Vec<Snowflake>>,
    /// Statistics of all interactions, including removed ones.
    pub totals: Totals,
}

impl Interactions {
    /// Adds an interaction. Returns those that were removed for it.
    pub fn insert(&mut self, interaction: Interaction, lifetime: Duration) -> Vec<Interaction> {
        self.totals.dispatched += 1;
        self.by_token.insert(interaction.token.clone(), interaction.id);
        self.order.push_back(interaction.id);
        self.by_id.insert(interaction.id, interaction);
        let mut forgotten = Vec::new();
        while let Some(oldest) = self.order.front() {
            let expired = self.by_id.get(oldest).is_none_or(|i| i.created.elapsed() > lifetime + GRACE);
            if self.order.len() <= LIMIT && !expired {
                break;
            }
            let Some(id) = self.order.pop_front() else { break };
            if let Some(old) = self.by_id.remove(&id) {
                self.by_token.remove(&old.token);
                if let Some(message) = old.source_message {
                    self.stop_awaiting(message, id);
                }
                forgotten.push(old);
            }
        }
        forgotten
    }

    /// Wakes everybody who waits for an answer. Those whose interaction is among these too go on waiting for it here.
    pub(crate) fn hand_over(&self, to: &mut Self) {
        for (id, old) in &self.by_id {
            if let Some(new) = to.by_id.get_mut(id) {
                new.changed = Arc::clone(&old.changed);
            }
            old.changed.notify_waiters();
        }
    }

    /// Returns an interaction by id.
    pub fn get(&self, id: Snowflake) -> Option<&Interaction> {
        self.by_id.get(&id)
    }

    /// Returns an interaction by id, mutably.
    pub fn get_mut(&mut self, id: Snowflake) -> Option<&mut Interaction> {
        self.by_id.get_mut(&id)
    }

    /// Returns the id of the interaction with this token.
    pub fn by_token(&self, token: &str) -> Option<Snowflake> {
        self.by_token.get(token).copied()
    }

    /// Records that an edit of this message, by any route, is the answer.
    pub fn await_update(&mut self, message: Snowflake, interaction: Snowflake) {
        self.awaiting_update.entry(message).or_default().push(interaction);
    }

    /// Handles an edit of a message: interactions that wait for it are answered.
    pub fn message_updated(&mut self, message: Snowflake) {
        for id in self.awaiting_update.remove(&message).unwrap_or_default() {
            if let Some(interaction) = self.by_id.get_mut(&id)
                && interaction.response == Response::DeferredUpdate
            {
                interaction.seen(Response::Updated);
            }
        }
    }

    fn stop_awaiting(&mut self, message: Snowflake, interaction: Snowflake) {
        if let Some(waiting) = self.awaiting_update.get_mut(&message) {
            waiting.retain(|id| *id != interaction);
            if waiting.is_empty() {
                self.awaiting_update.remove(&message);
            }
        }
    }
}
