//! Roles of guilds.

use serde_json::{Value, json};

use crate::permissions::Permissions;
use crate::snowflake::Snowflake;

/// Flag of a role that members can choose in onboarding.
pub const IN_PROMPT: u64 = 1;

/// A role.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Role {
    /// Its id; @everyone has the guild's.
    pub id: Snowflake,
    /// Its name.
    pub name: String,
    /// Permissions it grants.
    pub permissions: Permissions,
    /// Position in the hierarchy; 0 is @everyone.
    pub position: i64,
    /// RGB colour, 0 for none.
    pub color: u32,
    /// Second colour of a gradient.
    pub secondary_color: Option<u32>,
    /// Third colour of a holographic role.
    pub tertiary_color: Option<u32>,
    /// Whether its members are listed separately.
    pub hoist: bool,
    /// Whether an integration owns it.
    pub managed: bool,
    /// Whether anyone may mention it.
    pub mentionable: bool,
    /// Hash of its icon.
    pub icon: Option<String>,
    /// Role flags.
    pub flags: u64,
    /// Unicode emoji shown beside it.
    pub unicode_emoji: Option<String>,
    /// The bot it belongs to.
    pub bot_id: Option<Snowflake>,
}

impl Role {
    /// Creates a role without permissions at the bottom.
    pub fn new(id: Snowflake, name: &str) -> Self {
        Self {
            id,
            name: name.to_owned(),
            permissions: Permissions::NONE,
            position: 1,
            color: 0,
            secondary_color: None,
            tertiary_color: None,
            hoist: false,
            managed: false,
            mentionable: false,
            icon: None,
            flags: 0,
            unicode_emoji: None,
            bot_id: None,
        }
    }

    /// Returns the fields of the role that an invite shows.
    pub fn invite_json(&self) -> Value {
        let full = self.json();
        let keys = ["id", "name", "position", "color", "colors", "icon", "unicode_emoji"];
        keys.iter().map(|key| ((*key).to_owned(), full[*key].clone())).collect()
    }

    /// Returns the role object.
    pub fn json(&self) -> Value {
        let mut value = json!({
            "id": self.id,
            "name": self.name,
            "description": null,
            "permissions": self.permissions,
            "position": self.position,
            "color": self.color,
            "colors": { "primary_color": self.color, "secondary_color": self.secondary_color,
                "tertiary_color": self.tertiary_color },
            "hoist": self.hoist,
            "managed": self.managed,
            "mentionable": self.mentionable,
            "icon": self.icon,
            "unicode_emoji": self.unicode_emoji,
            "flags": self.flags,
        });
        if let Some(bot) = self.bot_id {
            value["tags"] = json!({ "bot_id": bot });
        }
        value
    }
}
