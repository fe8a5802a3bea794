//! Rules of auto moderation.

use std::sync::Arc;

use discord_rules::auto_moderation::Matcher;
use serde_json::{Value, json};

use crate::snowflake::Snowflake;
use crate::validate::auto_moderation::{Action, RuleBody, Trigger, event_of};

/// A rule of a guild (Auto Moderation, "Auto Moderation Rule Object").
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Rule {
    /// Its id.
    pub id: Snowflake,
    /// Its guild.
    pub guild_id: Snowflake,
    /// User who created it.
    pub creator_id: Snowflake,
    /// Its name.
    pub name: String,
    /// What triggers it.
    pub trigger: Trigger,
    /// What it does.
    pub actions: Vec<Action>,
    /// Whether it is carried out.
    pub enabled: bool,
    /// Roles whose members it does not affect.
    pub exempt_roles: Vec<Snowflake>,
    /// Channels that it does not affect.
    pub exempt_channels: Vec<Snowflake>,
    /// The compiled trigger.
    #[serde(skip, default = "uncompiled")]
    pub matcher: Arc<Matcher>,
}

/// Returns the matcher of a rule that was read and not [compiled](Rule::compile) yet.
fn uncompiled() -> Arc<Matcher> {
    Arc::new(Matcher::new(&Trigger::Spam))
}

impl Rule {
    /// Compiles its trigger again.
    pub(crate) fn compile(&mut self) {
        self.matcher = Arc::new(Matcher::new(&self.trigger));
    }

    /// Creates a rule. A creation has all the fields that it needs.
    pub fn new(id: Snowflake, guild_id: Snowflake, creator_id: Snowflake, body: RuleBody) -> Self {
        let trigger = Trigger::Spam;
        let mut rule = Self {
            id,
            guild_id,
            creator_id,
            name: String::new(),
            matcher: Arc::new(Matcher::new(&trigger)),
            trigger,
            actions: Vec::new(),
            enabled: false,
            exempt_roles: Vec::new(),
            exempt_channels: Vec::new(),
        };
        rule.apply(body);
        rule
    }

    /// Applies the fields that a body names.
    pub fn apply(&mut self, body: RuleBody) {
        if let Some(trigger) = body.trigger {
            self.matcher = Arc::new(Matcher::new(&trigger));
            self.trigger = trigger;
        }
        self.name = body.name.unwrap_or(std::mem::take(&mut self.name));
        self.actions = body.actions.unwrap_or(std::mem::take(&mut self.actions));
        self.enabled = body.enabled.unwrap_or(self.enabled);
        self.exempt_roles = body.exempt_roles.unwrap_or(std::mem::take(&mut self.exempt_roles));
        self.exempt_channels = body.exempt_channels.unwrap_or(std::mem::take(&mut self.exempt_channels));
    }

    /// Returns the rule object.
    pub fn json(&self) -> Value {
        let kind = self.trigger.kind();
        json!({
            "id": self.id,
            "guild_id": self.guild_id,
            "name": self.name,
            "creator_id": self.creator_id,
            "event_type": event_of(kind),
            "trigger_type": kind,
            "trigger_metadata": self.trigger.metadata(),
            "actions": self.actions.iter().map(Action::json).collect::<Vec<_>>(),
            "enabled": self.enabled,
            "exempt_roles": self.exempt_roles,
            "exempt_channels": self.exempt_channels,
        })
    }
}
