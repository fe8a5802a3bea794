//! Rules, events and pages for new members of a guild of a seed file.

use serde::{Deserialize, Serialize};

use super::is_false;
use crate::seed::Name;

/// A rule of auto moderation.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    /// Name.
    pub(crate) name: Name,
    /// Id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<Name>,
    /// Whether it is off.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) disabled: bool,
    /// What it triggers on: `keywords` (the default), `spam`, `presets`, `mentions`, `names`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) trigger: Option<Name>,
    /// Keywords with their wildcards.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) keywords: Vec<String>,
    /// Regular expressions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) regex: Vec<String>,
    /// What is allowed nevertheless.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) allow: Vec<String>,
    /// Lists of words: `profanity`, `sexual_content`, `slurs`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) presets: Vec<Name>,
    /// Most mentions in a message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) mention_limit: Option<u64>,
    /// Whether raids of mentions are detected.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) raid_protection: bool,
    /// What it does.
    pub(crate) actions: Vec<Action>,
    /// Roles whose members it does not affect.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) exempt_roles: Vec<Name>,
    /// Channels that it does not affect.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) exempt_channels: Vec<Name>,
}

/// What a rule does: one of these.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Action {
    /// Block the message, with this explanation, which may be empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) block: Option<Name>,
    /// Report it in this channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) alert: Option<Name>,
    /// Time the member out for so many seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) timeout: Option<u64>,
    /// Keep the member from interacting.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) block_member: bool,
}

/// A scheduled event.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Event {
    /// Name.
    pub(crate) name: Name,
    /// Id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<Name>,
    /// When it starts: `+2h` after the start of the sandbox, or a moment in ISO 8601.
    pub(crate) start: Name,
    /// When it ends; needed for one at a location.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) end: Option<Name>,
    /// Voice or stage channel, or
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) channel: Option<Name>,
    /// another place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) location: Option<String>,
    /// Description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    /// User who made it; the owner by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) creator: Option<Name>,
    /// Users who subscribed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) users: Vec<Name>,
}

/// The page for new members.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WelcomeScreen {
    /// Whether it is off.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) disabled: bool,
    /// Text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    /// Channels that it recommends.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) channels: Vec<WelcomeChannel>,
}

/// A channel of the page for new members.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WelcomeChannel {
    /// The channel.
    pub(crate) channel: Name,
    /// Text.
    pub(crate) description: String,
    /// Emoji.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) emoji: Option<Name>,
}

/// Questions for new members.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Onboarding {
    /// Whether they are off.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) disabled: bool,
    /// Whether questions count for the channels that members see.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) advanced: bool,
    /// Channels that everybody sees.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) channels: Vec<Name>,
    /// Questions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) prompts: Vec<Prompt>,
}

/// A question for new members.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "Discord's object has just these switches")]
pub(crate) struct Prompt {
    /// Text.
    pub(crate) title: Name,
    /// Id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<Name>,
    /// Whether one answer is chosen only.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) single: bool,
    /// Whether it must be answered.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) required: bool,
    /// Whether it is not asked when joining, but can be answered later.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) later: bool,
    /// Whether answers are in a list.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) dropdown: bool,
    /// Answers.
    pub(crate) options: Vec<Choice>,
}

/// An answer of a question for new members.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Choice {
    /// Text.
    pub(crate) title: Name,
    /// Id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<Name>,
    /// Description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    /// Emoji.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) emoji: Option<Name>,
    /// Roles that it gives.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) roles: Vec<Name>,
    /// Channels that it opens.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) channels: Vec<Name>,
}
