//! A guild's widget for web pages: settings, and what it shows.

use serde_json::{Value, json};

use super::World;
use super::channel::Channel;
use super::guild::Guild;
use super::invite::Invite;
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;

/// Most members that a widget shows.
const MOST_MEMBERS: usize = 100;

/// Number of pictures for members without one.
pub const AVATARS: u64 = 6;

/// Settings of a widget.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Widget {
    /// Whether it is on.
    pub enabled: bool,
    /// Channel that it invites to.
    pub channel_id: Option<Snowflake>,
}

impl Widget {
    /// Returns the widget-settings object.
    pub fn json(&self) -> Value {
        json!({ "enabled": self.enabled, "channel_id": self.channel_id })
    }
}

impl World {
    /// Returns the invite of a guild's widget, if one is open.
    pub fn widget_invite(&self, guild: &Guild) -> Option<&Invite> {
        let channel = guild.widget.channel_id?;
        self.open_invites().find(|invite| invite.of_widget && invite.channel_id == channel)
    }

    /// Returns the widget object. Ids and pictures of members are anonymous.
    pub fn widget_json(&self, guild: &Guild, invite: Option<&str>) -> Value {
        let everyone = guild.everyone_in();
        let open = |channel: &&Channel| {
            channel.is_voice()
                && everyone(&channel.overwrites).contains(Permissions::VIEW_CHANNEL | Permissions::CONNECT)
        };
        let channels: Vec<&Channel> =
            guild.channels.iter().filter_map(|id| self.channels.get(id)).filter(open).collect();
        let online = guild.members.values().filter_map(|member| {
            let presence = guild.presences.get(&member.user_id)?;
            Some((member, self.users.get(&member.user_id)?, presence))
        });
        let members = online.zip(0u64..).take(MOST_MEMBERS).map(|((member, user, presence), number)| {
            let mut shown = json!({
                "id": number.to_string(),
                "username": member.nick.as_deref().unwrap_or(user.display_name()),
                "discriminator": "0000",
                "avatar": null,
                "status": presence["status"].as_str().unwrap_or("online"),
                "avatar_url": format!("{}/widget-avatars/{}.png", self.files_url, user.id.0 % AVATARS),
            });
            if let Some(name) = presence["activities"][0]["name"].as_str() {
                shown["activity"] = json!({ "name": name });
            }
            let voice = guild.voice_states.get(&member.user_id);
            let voice = voice.filter(|state| channels.iter().any(|channel| channel.id == state.channel_id));
            if let Some(state) = voice {
                let object = guild.voice_json(state, Some(state.channel_id));
                for key in ["deaf", "mute", "self_deaf", "self_mute", "suppress", "channel_id"] {
                    shown[key] = object[key].clone();
                }
            }
            shown
        });
        json!({
            "id": guild.id,
            "name": guild.name,
            "instant_invite": invite.map(|code| format!("https://discord.com/invite/{code}")),
            "channels": channels
                .iter()
                .map(|channel| json!({ "id": channel.id, "name": channel.name, "position": channel.position }))
                .collect::<Vec<_>>(),
            "members": members.collect::<Vec<_>>(),
            "presence_count": guild.presences.len(),
        })
    }
}
