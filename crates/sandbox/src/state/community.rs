//! What Community guilds show to new members: the welcome screen, onboarding, the Server Guide, and join requests.

use std::collections::{BTreeSet, HashMap};

use indexmap::IndexMap;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::forum::EmojiRef;
use super::{World, clock};
use crate::snowflake::Snowflake;

/// A channel of the welcome screen.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct WelcomeChannel {
    /// The channel.
    pub channel_id: Snowflake,
    /// What it is for.
    pub description: String,
    /// Emoji beside it.
    pub emoji: EmojiRef,
}

/// A welcome screen.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct WelcomeScreen {
    /// Whether new members see it.
    pub enabled: bool,
    /// Description of the guild.
    pub description: Option<String>,
    /// Its channels.
    pub channels: Vec<WelcomeChannel>,
}

impl WelcomeScreen {
    /// Returns the welcome-screen object.
    pub fn json(&self) -> Value {
        let channels = self.channels.iter().map(|channel| {
            json!({
                "channel_id": channel.channel_id,
                "description": channel.description,
                "emoji_id": channel.emoji.id,
                "emoji_name": channel.emoji.name,
            })
        });
        json!({ "description": self.description, "welcome_channels": channels.collect::<Vec<_>>() })
    }
}

/// An option of a prompt.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PromptOption {
    /// Its id.
    pub id: Snowflake,
    /// Its title.
    pub title: String,
    /// Its description.
    pub description: Option<String>,
    /// Its emoji, and whether that is animated.
    pub emoji: (EmojiRef, bool),
    /// Roles that a member gets.
    pub role_ids: Vec<Snowflake>,
    /// Channels that a member opts into.
    pub channel_ids: Vec<Snowflake>,
}

impl PromptOption {
    fn json(&self) -> Value {
        let (emoji, animated) = &self.emoji;
        json!({
            "id": self.id,
            "title": self.title,
            "description": self.description.as_deref().unwrap_or_default(),
            "emoji": { "id": emoji.id, "name": emoji.name, "animated": animated },
            "role_ids": self.role_ids,
            "channel_ids": self.channel_ids,
        })
    }
}

/// A question to new members.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Prompt {
    /// Its id.
    pub id: Snowflake,
    /// The question.
    pub title: String,
    /// Its options.
    pub options: Vec<PromptOption>,
    /// Whether only one option can be chosen.
    pub single_select: bool,
    /// Whether onboarding cannot be completed without an answer.
    pub required: bool,
    /// Whether it is part of onboarding, not only of "Channels & Roles".
    pub in_onboarding: bool,
    /// 0 for a list, 1 for a menu.
    pub kind: u8,
}

impl Prompt {
    /// Returns the onboarding-prompt object.
    pub fn json(&self) -> Value {
        json!({
            "id": self.id,
            "title": self.title,
            "options": self.options.iter().map(PromptOption::json).collect::<Vec<_>>(),
            "single_select": self.single_select,
            "required": self.required,
            "in_onboarding": self.in_onboarding,
            "type": self.kind,
        })
    }
}

/// The onboarding of a guild.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Onboarding {
    /// Whether new members go through it.
    pub enabled: bool,
    /// Its questions.
    pub prompts: Vec<Prompt>,
    /// Channels that every member opts into.
    pub default_channel_ids: Vec<Snowflake>,
    /// Whether channels of questions count towards the requirements: 0 no, 1 yes.
    pub mode: u8,
}

impl Onboarding {
    /// Returns the onboarding object.
    pub fn json(&self, guild: Snowflake) -> Value {
        json!({
            "guild_id": guild,
            "prompts": self.prompts.iter().map(Prompt::json).collect::<Vec<_>>(),
            "default_channel_ids": self.default_channel_ids,
            "enabled": self.enabled,
            "mode": self.mode,
        })
    }

    /// Returns the roles that its options give.
    pub fn roles(&self) -> BTreeSet<Snowflake> {
        let options = self.prompts.iter().flat_map(|prompt| &prompt.options);
        options.flat_map(|option| &option.role_ids).copied().collect()
    }

    /// Returns the channels that count towards the requirements.
    pub fn counted_channels(&self) -> BTreeSet<Snowflake> {
        let options = self.prompts.iter().flat_map(|prompt| &prompt.options);
        let of_options = options.filter(|_| self.mode == 1).flat_map(|option| &option.channel_ids);
        self.default_channel_ids.iter().chain(of_options).copied().collect()
    }
}

/// State of a request to join.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum RequestStatus {
    /// The form is not complete.
    Started,
    /// It waits for a moderator.
    Submitted,
    /// It was rejected.
    Rejected,
    /// It was approved, and the user is a member.
    Approved,
}

impl RequestStatus {
    /// Returns Discord's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Started => "STARTED",
            Self::Submitted => "SUBMITTED",
            Self::Rejected => "REJECTED",
            Self::Approved => "APPROVED",
        }
    }
}

/// A user's request to join a guild.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct JoinRequest {
    /// Its id.
    pub id: Snowflake,
    /// User who wants to join.
    pub user: Snowflake,
    /// Its state.
    pub status: RequestStatus,
    /// When it was approved or rejected.
    pub reviewed_at: Option<OffsetDateTime>,
    /// Who approved or rejected it.
    pub reviewer: Option<Snowflake>,
    /// Why it was rejected.
    pub rejection_reason: Option<String>,
    /// Fields of the form, each with `response`.
    pub responses: Vec<Value>,
}

impl JoinRequest {
    /// Returns the join-request object.
    pub fn json(&self, world: &World, guild: Snowflake) -> Value {
        let user = |id: Snowflake| world.users.get(&id).map(super::user::User::json);
        json!({
            "id": self.id,
            "created_at": clock::iso_of(self.id),
            "reviewed_at": self.reviewed_at.map(clock::iso),
            "application_status": self.status.name(),
            "rejection_reason": self.rejection_reason,
            "guild_id": guild,
            "user_id": self.user,
            "user": user(self.user),
            "form_responses": self.responses,
            "actioned_by_user": self.reviewer.and_then(user),
        })
    }
}

/// All of a guild's pages for new members.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct Community {
    /// Welcome screen, once there is one.
    pub welcome_screen: Option<WelcomeScreen>,
    /// Onboarding, once there is one.
    pub onboarding: Option<Onboarding>,
    /// Server Guide, once there is one: the object of `GET /guilds/{guild.id}/new-member-welcome`.
    pub guide: Option<Value>,
    /// Channels of the guide's actions that members have completed.
    pub completed_actions: HashMap<Snowflake, BTreeSet<Snowflake>>,
    /// Fields of the form for those who want to join.
    pub form: Vec<Value>,
    /// Requests to join by id, oldest first.
    pub requests: IndexMap<Snowflake, JoinRequest>,
}

impl Community {
    /// Removes a role that is deleted from the options of onboarding.
    pub fn forget_role(&mut self, role: Snowflake) {
        for option in self.options() {
            option.role_ids.retain(|id| *id != role);
        }
    }

    /// Removes a channel that is deleted from onboarding, the welcome screen and the Server Guide.
    pub fn forget_channel(&mut self, channel: Snowflake) {
        for option in self.options() {
            option.channel_ids.retain(|id| *id != channel);
        }
        if let Some(onboarding) = &mut self.onboarding {
            onboarding.default_channel_ids.retain(|id| *id != channel);
        }
        if let Some(screen) = &mut self.welcome_screen {
            screen.channels.retain(|shown| shown.channel_id != channel);
        }
        for list in ["new_member_actions", "resource_channels"] {
            if let Some(items) = self.guide.as_mut().and_then(|guide| guide[list].as_array_mut()) {
                items.retain(|item| item["channel_id"] != json!(channel));
            }
        }
    }

    fn options(&mut self) -> impl Iterator<Item = &mut PromptOption> {
        let prompts = self.onboarding.iter_mut().flat_map(|onboarding| &mut onboarding.prompts);
        prompts.flat_map(|prompt| &mut prompt.options)
    }
}
