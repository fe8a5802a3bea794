//! What comes back when a user runs a command, presses a button or submits a modal.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::snowflake::Snowflake;

/// What the user sees of a bot's answer, and how long it took.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Answer {
    /// The interaction.
    pub interaction: Snowflake,
    /// Text of the answer.
    pub content: String,
    /// Embeds of the answer.
    pub embeds: Vec<Value>,
    /// Components of the answer.
    pub components: Vec<Value>,
    /// Whether only this user sees it.
    pub ephemeral: bool,
    /// The whole message; none where the answer is none.
    pub message: Option<Value>,
    /// The modal that opened: custom_id, title and components.
    pub modal: Option<Value>,
    /// Instance id of the Activity that was launched.
    #[serde(default)]
    pub activity: Option<String>,
    /// Choices, for autocompletion.
    pub choices: Option<Vec<Value>>,
    /// Further messages so far.
    pub followups: Vec<Value>,
    /// Whether the bot was "thinking" first.
    pub deferred: bool,
    /// From the interaction leaving for the bot to the first answer that the user sees; for a deferred answer, to the
    /// edit that filled it in.
    pub latency_ms: Option<f64>,
    /// From the interaction leaving for the bot to its initial response of any type.
    pub acknowledged_ms: Option<f64>,
    /// Initial responses that arrived, without those that had a mistake in them. More than one means that the bot answered twice; Discord refused the others.
    pub callbacks: u32,
    /// What went wrong, in the words that Discord shows the user.
    pub error: Option<String>,
    /// What may be behind the error.
    pub hint: Option<String>,
}

impl Answer {
    /// Whether the bot answered.
    pub fn is_ok(&self) -> bool {
        self.error.is_none()
    }
}
