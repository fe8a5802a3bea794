//! The form of a seed file.

mod channel;
mod content;
mod settings;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_saphyr::Spanned;

use super::mistake::Mistake;
use super::{Name, name};
pub(crate) use channel::{Channel, Overwrite, Tag};
pub(crate) use content::{Emoji, Invite, Message, Reaction, Sticker, Thread, Webhook};
pub(crate) use settings::{Action, Choice, Event, Onboarding, Prompt, Rule, WelcomeChannel, WelcomeScreen};

/// A seed file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seed {
    /// Name of the file, for mistakes.
    #[serde(skip)]
    pub(crate) file: String,
    /// People.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) users: Vec<User>,
    /// Bots.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) bots: Vec<Bot>,
    /// Guilds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) guilds: Vec<Guild>,
}

/// A user who is no bot.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct User {
    /// Unique name.
    pub(crate) name: Name,
    /// Id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<Name>,
    /// Name that is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) display_name: Option<String>,
    /// Language of their client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) locale: Option<Name>,
}

/// A bot.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Bot {
    /// Name.
    pub(crate) name: Name,
    /// Id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<Name>,
    /// Token; a random one by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<Name>,
    /// User who owns it; the first one by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) owner: Option<Name>,
    /// Privileged intents that are on; all by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) intents: Option<Vec<Name>>,
    /// Global commands, as bots register them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) commands: Vec<Spanned<Value>>,
}

/// A guild.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Guild {
    /// Name.
    pub(crate) name: Name,
    /// Id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<Name>,
    /// How many of it there are; the others have a number behind the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) repeat: Option<Spanned<u32>>,
    /// Owner; the first user by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) owner: Option<Name>,
    /// Description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    /// Language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) locale: Option<Name>,
    /// Features.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) features: Vec<String>,
    /// Number of boosts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) boosts: Option<u64>,
    /// Requirements for new members: `none`, `low`, `medium`, `high`, `very_high`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) verification: Option<Name>,
    /// Which messages members are notified of: `all`, `mentions`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) notifications: Option<Name>,
    /// Whose media are scanned: `none`, `without_roles`, `all`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) content_filter: Option<Name>,
    /// Channel in which joins are announced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) system_channel: Option<Name>,
    /// Channel of the rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rules_channel: Option<Name>,
    /// Channel of Discord's notices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) updates_channel: Option<Name>,
    /// Channel of Discord's safety alerts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) safety_channel: Option<Name>,
    /// Channel of inactive members.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) afk_channel: Option<Name>,
    /// Seconds until a member counts as inactive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) afk_timeout: Option<u64>,
    /// Roles, from the lowest to the highest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) roles: Vec<Role>,
    /// Channels, in the order of the list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) channels: Vec<Channel>,
    /// Members besides the owner.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) members: Vec<Member>,
    /// Bots in it; all as administrators by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) bots: Option<Vec<BotMember>>,
    /// Emojis.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) emojis: Vec<Emoji>,
    /// Stickers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) stickers: Vec<Sticker>,
    /// Rules of auto moderation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) automod: Vec<Rule>,
    /// Scheduled events.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) events: Vec<Event>,
    /// Page for new members.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) welcome_screen: Option<WelcomeScreen>,
    /// Questions for new members.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) onboarding: Option<Onboarding>,
}

/// A role.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Role {
    /// Name; `@everyone` changes that role.
    pub(crate) name: Name,
    /// Id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<Name>,
    /// Colour, as in `"#3498db"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) color: Option<Name>,
    /// Whether its members are listed separately.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) hoist: bool,
    /// Whether anyone may mention it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) mentionable: bool,
    /// Position, if not that in the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) position: Option<i64>,
    /// Permissions by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) permissions: Option<Vec<Name>>,
    /// Emoji beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) unicode_emoji: Option<String>,
}

/// A member.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Member {
    /// The user.
    pub(crate) user: Name,
    /// Nickname.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) nick: Option<String>,
    /// Roles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) roles: Vec<Name>,
    /// When they joined: `-30d` before the start, or a moment in ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) joined: Option<Name>,
    /// Whether they have not accepted the rules yet.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) pending: bool,
}

/// A bot in a guild.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BotMember {
    /// The bot.
    pub(crate) bot: Name,
    /// Permissions of the role of its own; ADMINISTRATOR by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) permissions: Option<Vec<Name>>,
    /// Id of the role of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) role_id: Option<Name>,
    /// Position of the role of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) position: Option<i64>,
    /// Nickname.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) nick: Option<String>,
    /// Further roles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) roles: Vec<Name>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde asks for")]
fn is_false(flag: &bool) -> bool {
    !flag
}

impl Seed {
    /// Reads a seed file; `file` is its name in mistakes.
    ///
    /// # Errors
    /// When it is no YAML, or has a field or type that seed files do not have.
    pub fn read(text: &str, file: &str) -> Result<Self, Mistake> {
        // A file with comments alone is an empty world.
        let is_empty = text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'));
        let mut seed = if is_empty { Ok(Self::default()) } else { serde_saphyr::from_str::<Self>(text) }
            .map_err(|error| Mistake::of_yaml(file, &error))?;
        file.clone_into(&mut seed.file);
        Ok(seed)
    }
}

impl Guild {
    /// Returns a guild with a name alone.
    pub(crate) fn new(guild: &str) -> Self {
        Self {
            name: name(guild),
            id: None,
            repeat: None,
            owner: None,
            description: None,
            locale: None,
            features: Vec::new(),
            boosts: None,
            verification: None,
            notifications: None,
            content_filter: None,
            system_channel: None,
            rules_channel: None,
            updates_channel: None,
            safety_channel: None,
            afk_channel: None,
            afk_timeout: None,
            roles: Vec::new(),
            channels: Vec::new(),
            members: Vec::new(),
            bots: None,
            emojis: Vec::new(),
            stickers: Vec::new(),
            automod: Vec::new(),
            events: Vec::new(),
            welcome_screen: None,
            onboarding: None,
        }
    }
}
