//! The answer to a user who runs a command, presses a button or submits a modal.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::snowflake::Snowflake;

/// A bot's answer as the user sees it, and how long it took.
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
    /// The whole message; `None` if the answer is no message.
    pub message: Option<Value>,
    /// The modal that opened: custom_id, title and components.
    pub modal: Option<Value>,
    /// Instance id of the Activity that was launched.
    #[serde(default)]
    pub activity: Option<String>,
    /// The SKU whose purchase a premium button opened; then there is no interaction.
    #[serde(default)]
    pub purchase: Option<Value>,
    /// Choices, for autocompletion.
    pub choices: Option<Vec<Value>>,
    /// Further messages so far.
    pub followups: Vec<Value>,
    /// Whether the bot was "thinking" first.
    pub deferred: bool,
    /// Time from sending the interaction to the bot until the first answer that the user sees; for a deferred answer,
    /// until the edit that completes it.
    pub latency_ms: Option<f64>,
    /// Time from sending the interaction to the bot until its initial response of any type.
    pub acknowledged_ms: Option<f64>,
    /// Number of initial responses that arrived, without invalid ones. More than one means that the bot answered twice;
    /// Discord refused the others.
    pub callbacks: u32,
    /// The error message that Discord shows the user.
    pub error: Option<String>,
    /// A possible cause of the error.
    pub hint: Option<String>,
}

impl Answer {
    /// Returns whether the bot answered.
    pub fn is_ok(&self) -> bool {
        self.error.is_none()
    }
}
