//! Interactions: what a user did, the token to answer it with, and how the bot answered.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::Notify;

use crate::snowflake::Snowflake;

/// Interaction types as Discord numbers them.
pub mod kind {
    /// A command was run.
    pub const COMMAND: u8 = 2;
    /// A button was pressed or a menu used.
    pub const COMPONENT: u8 = 3;
    /// Choices for an option are asked for.
    pub const AUTOCOMPLETE: u8 = 4;
    /// A modal was submitted.
    pub const MODAL_SUBMIT: u8 = 5;
}

/// The first answer to an interaction.
#[derive(Debug, Clone, PartialEq)]
pub enum Response {
    /// None so far.
    None,
    /// "Thinking": a message will follow (callback type 5).
    Deferred,
    /// The component's message will perhaps be edited (type 6).
    DeferredUpdate,
    /// A message (type 4), or a deferred one that has been filled in.
    Message,
    /// The component's message was edited (type 7), or edited after type 6.
    Updated,
    /// Choices for autocomplete (type 8).
    Choices(Value),
    /// A modal (type 9).
    Modal(Value),
    /// An upgrade button was shown (type 10).
    PremiumRequired,
    /// An Activity was launched (type 12); its instance id.
    Launched(String),
    /// The answer was deleted again.
    Deleted,
}

/// One interaction.
#[derive(Debug)]
pub struct Interaction {
    /// Its id.
    pub id: Snowflake,
    /// Secret by which the bot answers.
    pub token: String,
    /// Whose interaction it is.
    pub application_id: Snowflake,
    /// See [`kind`].
    pub kind: u8,
    /// Who acted.
    pub user_id: Snowflake,
    /// Where, if in a guild.
    pub guild_id: Option<Snowflake>,
    /// Where.
    pub channel_id: Snowflake,
    /// For components, and modals that a component opened: the message.
    pub source_message: Option<Snowflake>,
    /// For a submitted modal: the interaction that opened it.
    pub opener: Option<Snowflake>,
    /// Where this one opened a modal: the newest interaction by which that was submitted.
    pub submission: Option<Snowflake>,
    /// For autocompletion: type of the option being typed.
    pub focused: Option<u8>,
    /// What the answer's `interaction_metadata` says.
    pub metadata: Arc<Value>,
    /// What the answer's older field `interaction` says, for commands.
    pub legacy: Option<Arc<Value>>,
    /// Message type of the answer: 20 slash command, 23 context menu, 19 reply to a component's message.
    pub message_kind: u8,
    /// When it was sent to the bot.
    pub created: Instant,
    /// The first answer.
    pub response: Response,
    /// The message that is the first answer.
    pub original: Option<Snowflake>,
    /// Further messages, in order.
    pub followups: Vec<Snowflake>,
    /// Initial responses that arrived, those that came late or second included; what had a mistake in it is none.
    pub callbacks: u32,
    /// When the first initial response arrived.
    pub acknowledged: Option<Instant>,
    /// When the user first saw more than "thinking".
    pub answered: Option<Instant>,
    /// Wakes the user who waits.
    pub changed: Arc<Notify>,
}

impl Interaction {
    /// Whether the bot has answered at all.
    pub fn is_acknowledged(&self) -> bool {
        self.response != Response::None
    }

    /// Whether the user waits for the edit of a deferred answer.
    pub fn is_deferred(&self) -> bool {
        matches!(self.response, Response::Deferred | Response::DeferredUpdate)
    }

    /// Notes that the user sees the answer now, and wakes who waits.
    pub fn seen(&mut self, response: Response) {
        self.seen_at(Instant::now(), response);
    }

    /// The same, at this moment.
    pub fn seen_at(&mut self, now: Instant, response: Response) {
        self.response = response;
        self.answered.get_or_insert(now);
        self.changed.notify_waiters();
    }
}

/// How many interactions are remembered, answered ones included. The oldest are forgotten first.
pub const LIMIT: usize = 20_000;

/// For how long past its token's life an interaction can still be asked about.
const GRACE: Duration = Duration::from_mins(1);

/// What became of all interactions since the start.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Totals {
    /// Sent to bots.
    pub dispatched: u64,
    /// Answered at least once in time.
    pub acknowledged: u64,
    /// Given up on by the user who waited.
    pub unanswered: u64,
    /// Second and later initial responses, all refused with 40060.
    pub doubled: u64,
    /// Initial responses refused because they came too late.
    pub late: u64,
}

/// The interactions that can still be answered or asked about.
#[derive(Debug, Default)]
pub struct Interactions {
    by_id: HashMap<Snowflake, Interaction>,
    by_token: HashMap<String, Snowflake>,
    order: VecDeque<Snowflake>,
    awaiting_update: HashMap<Snowflake, Vec<Snowflake>>,
    /// Sums over all interactions, forgotten ones included.
    pub totals: Totals,
}

impl Interactions {
    /// Remembers an interaction; gives back those forgotten for it.
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

    /// By id.
    pub fn get(&self, id: Snowflake) -> Option<&Interaction> {
        self.by_id.get(&id)
    }

    /// By id, to change.
    pub fn get_mut(&mut self, id: Snowflake) -> Option<&mut Interaction> {
        self.by_id.get_mut(&id)
    }

    /// Id of the interaction with this token.
    pub fn by_token(&self, token: &str) -> Option<Snowflake> {
        self.by_token.get(token).copied()
    }

    /// Notes that an edit of this message, by any route, is the answer.
    pub fn await_update(&mut self, message: Snowflake, interaction: Snowflake) {
        self.awaiting_update.entry(message).or_default().push(interaction);
    }

    /// The message was edited: whoever waits for that has the answer.
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
