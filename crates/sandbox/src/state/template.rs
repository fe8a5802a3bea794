//! Templates of guilds: a snapshot of roles, channels and settings, and new guilds made from one.
//!
//! In a snapshot, roles and channels have placeholder ids: 0 is @everyone, others count from 1. Ids of other types than
//! these are text, as in Discord's description of its API.

use std::collections::HashMap;

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::channel::{Channel, kind};
use super::forum::{EmojiRef, Tag};
use super::guild::{Guild, Role};
use super::{World, clock};
use crate::permissions::{Overwrite, OverwriteKind, Permissions};
use crate::snowflake::Snowflake;

/// A template.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Template {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: Option<String>,
    /// Number of guilds made from it.
    pub uses: u64,
    /// User who created it.
    pub creator: Snowflake,
    /// When it was created.
    pub created_at: OffsetDateTime,
    /// When the snapshot was taken.
    pub updated_at: OffsetDateTime,
    /// Guild that it is of.
    pub guild_id: Snowflake,
    /// The snapshot.
    pub snapshot: Value,
}

impl Template {
    /// Returns the template object.
    pub fn json(&self, world: &World) -> Value {
        let now = world.guilds.get(&self.guild_id).map(|guild| world.snapshot(guild));
        let is_dirty = now.is_some_and(|now| now != self.snapshot);
        json!({
            "code": self.code,
            "name": self.name,
            "description": self.description,
            "usage_count": self.uses,
            "creator_id": self.creator,
            "creator": world.users.get(&self.creator).map(super::user::User::json),
            "created_at": clock::iso(self.created_at),
            "updated_at": clock::iso(self.updated_at),
            "source_guild_id": self.guild_id,
            "serialized_source_guild": self.snapshot,
            "is_dirty": is_dirty.then_some(true),
        })
    }
}

/// Placeholder ids by id.
type Placeholders = HashMap<Snowflake, u64>;

impl World {
    /// Returns the snapshot of a guild. Roles of bots and overwrites of members are not in it.
    pub fn snapshot(&self, guild: &Guild) -> Value {
        let mut roles: Vec<&Role> = guild.roles.values().filter(|role| !role.managed).collect();
        roles.sort_by_key(|role| (role.id != guild.id, role.position, role.id));
        let role_ids: Placeholders = roles.iter().map(|role| role.id).zip(0..).collect();
        let channels: Vec<&Channel> = guild.channels.iter().filter_map(|id| self.channels.get(id)).collect();
        let channel_ids: Placeholders = channels.iter().map(|channel| channel.id).zip(1..).collect();
        let text = |id: Option<Snowflake>| id.and_then(|id| channel_ids.get(&id)).map(u64::to_string);
        json!({
            "name": guild.name,
            "description": guild.description,
            "region": null,
            "verification_level": guild.verification_level,
            "default_message_notifications": guild.default_message_notifications,
            "explicit_content_filter": guild.explicit_content_filter,
            "preferred_locale": guild.preferred_locale,
            "afk_channel_id": text(guild.afk_channel_id),
            "afk_timeout": guild.afk_timeout,
            "system_channel_id": text(guild.system_channel_id),
            "system_channel_flags": guild.system_channel_flags,
            "icon_hash": guild.icon,
            "roles": roles.iter().map(|role| role_json(role, role_ids[&role.id])).collect::<Vec<_>>(),
            "channels": channels
                .iter()
                .map(|channel| channel_json(channel, &channel_ids, &role_ids))
                .collect::<Vec<_>>(),
        })
    }

    /// Adds a guild that is like a snapshot, with its owner, and returns its id.
    pub fn create_from(&mut self, snapshot: &Value, name: &str, owner: Snowflake) -> Snowflake {
        let id = self.next_id();
        let list = |key: &str| snapshot[key].as_array().cloned().unwrap_or_default();
        let mut guild = Guild::new(id, name, owner, Permissions::NONE);
        guild.members.insert(owner, super::guild::Member::new(owner, self.clock.now()));
        let mut role_ids = HashMap::new();
        for (position, template) in (0..).zip(list("roles")) {
            let everyone = template["id"] == 0;
            let mut role = Role::new(if everyone { id } else { self.next_id() }, "");
            read_role(&mut role, &template);
            role.position = position;
            role_ids.insert(template["id"].to_string(), role.id);
            guild.roles.insert(role.id, role);
        }
        let channels = list("channels");
        let channel_ids: HashMap<String, Snowflake> =
            channels.iter().map(|channel| (channel["id"].to_string(), self.next_id())).collect();
        let find = |value: &Value| value.as_str().and_then(|text| channel_ids.get(text)).copied();
        for template in &channels {
            let kind =
                template["type"].as_u64().and_then(|kind| u8::try_from(kind).ok()).unwrap_or(kind::TEXT);
            let channel_id = channel_ids[&template["id"].to_string()];
            let mut channel = Channel::new(channel_id, kind, Some(id), "", self.clock.now());
            channel.parent_id = find(&template["parent_id"]);
            self.read_channel(&mut channel, template, &role_ids);
            guild.channels.push(channel.id);
            self.channels.insert(channel.id, channel);
        }
        let number = |key: &str| snapshot[key].as_u64();
        guild.description = snapshot["description"].as_str().map(str::to_owned);
        guild.icon = snapshot["icon_hash"].as_str().map(str::to_owned);
        guild.verification_level = number("verification_level").unwrap_or(0);
        guild.default_message_notifications = number("default_message_notifications").unwrap_or(0);
        guild.explicit_content_filter = number("explicit_content_filter").unwrap_or(0);
        guild.system_channel_flags = number("system_channel_flags").unwrap_or(0);
        guild.afk_timeout = number("afk_timeout").unwrap_or(guild.afk_timeout);
        guild.afk_channel_id = find(&snapshot["afk_channel_id"]);
        guild.system_channel_id = find(&snapshot["system_channel_id"]);
        if let Some(locale) = snapshot["preferred_locale"].as_str() {
            locale.clone_into(&mut guild.preferred_locale);
        }
        self.guilds.insert(id, guild);
        id
    }

    fn read_channel(&self, channel: &mut Channel, template: &Value, roles: &HashMap<String, Snowflake>) {
        let number = |key: &str| template[key].as_u64();
        let text = |key: &str| template[key].as_str().map(str::to_owned);
        channel.name = text("name").unwrap_or_default();
        channel.topic = text("topic");
        channel.position = template["position"].as_i64().unwrap_or(0);
        channel.bitrate = number("bitrate").unwrap_or(channel.bitrate);
        channel.user_limit = number("user_limit").unwrap_or(0);
        channel.nsfw = template["nsfw"] == true;
        channel.rate_limit_per_user = number("rate_limit_per_user").unwrap_or(0);
        channel.default_auto_archive_duration = number("default_auto_archive_duration");
        channel.default_thread_rate_limit_per_user =
            number("default_thread_rate_limit_per_user").unwrap_or(0);
        let overwrite = |value: &Value| {
            let permissions = |key: &str| serde_json::from_value(value[key].clone()).ok();
            Some(Overwrite {
                id: *roles.get(value["id"].as_str()?)?,
                kind: OverwriteKind::Role,
                allow: permissions("allow")?,
                deny: permissions("deny")?,
            })
        };
        channel.overwrites = template["permission_overwrites"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(overwrite)
            .collect();
        let emoji =
            |value: &Value| EmojiRef { id: None, name: value["emoji_name"].as_str().map(str::to_owned) };
        let tag = |value: &Value| Tag {
            id: self.next_id(),
            name: value["name"].as_str().unwrap_or_default().to_owned(),
            moderated: value["moderated"] == true,
            emoji: emoji(value),
        };
        let small = |key: &str| number(key).and_then(|number| u8::try_from(number).ok());
        let Some(forum) = channel.forum_mut() else { return };
        forum.available_tags = template["available_tags"].as_array().into_iter().flatten().map(tag).collect();
        forum.default_reaction = template["default_reaction_emoji"]
            .as_object()
            .map(|_| emoji(&template["default_reaction_emoji"]));
        forum.default_sort_order = small("default_sort_order");
        forum.default_layout = small("default_forum_layout").unwrap_or(0);
        forum.default_tag_setting = match template["default_tag_setting"].as_str() {
            Some("match_all") => Some("match_all".into()),
            Some("match_some") => Some("match_some".into()),
            _ => None,
        };
    }
}

fn role_json(role: &Role, id: u64) -> Value {
    json!({
        "id": id,
        "name": role.name,
        "permissions": role.permissions,
        "color": role.color,
        "colors": { "primary_color": role.color, "secondary_color": role.secondary_color,
            "tertiary_color": role.tertiary_color },
        "hoist": role.hoist,
        "mentionable": role.mentionable,
        "icon": role.icon,
        "unicode_emoji": role.unicode_emoji,
    })
}

fn read_role(role: &mut Role, template: &Value) {
    let color = |value: &Value| value.as_u64().and_then(|color| u32::try_from(color).ok());
    template["name"].as_str().unwrap_or_default().clone_into(&mut role.name);
    role.permissions = serde_json::from_value(template["permissions"].clone()).unwrap_or(Permissions::NONE);
    role.color = color(&template["color"]).unwrap_or(0);
    role.secondary_color = color(&template["colors"]["secondary_color"]);
    role.tertiary_color = color(&template["colors"]["tertiary_color"]);
    role.hoist = template["hoist"] == true;
    role.mentionable = template["mentionable"] == true;
    role.icon = template["icon"].as_str().map(str::to_owned);
    role.unicode_emoji = template["unicode_emoji"].as_str().map(str::to_owned);
}

/// Returns a channel of a snapshot. A template has text, voice, categories and forums only.
fn channel_json(channel: &Channel, channels: &Placeholders, roles: &Placeholders) -> Value {
    let kind = match channel.kind {
        kind::ANNOUNCEMENT => kind::TEXT,
        kind::STAGE => kind::VOICE,
        kind::MEDIA => kind::FORUM,
        other => other,
    };
    let overwrite = |rule: &Overwrite| {
        let id = roles.get(&rule.id).filter(|_| rule.kind == OverwriteKind::Role)?;
        Some(json!({ "id": id.to_string(), "type": 0, "allow": rule.allow, "deny": rule.deny }))
    };
    let forum = channel.forum();
    let is_forum = channel.is_forum();
    // Emojis of the guild are not in a template.
    let name = |emoji: &EmojiRef| emoji.name.clone().filter(|_| emoji.id.is_none());
    let tags = forum.available_tags.iter().zip(0u32..).map(|(tag, id)| {
        let emoji = name(&tag.emoji);
        json!({ "id": id, "name": tag.name, "emoji_id": null, "emoji_name": emoji, "moderated": tag.moderated })
    });
    let reaction = forum.default_reaction.as_ref().and_then(name);
    json!({
        "id": channels.get(&channel.id),
        "type": kind,
        "name": channel.name,
        "position": channel.position,
        "topic": channel.topic,
        "bitrate": channel.bitrate,
        "user_limit": channel.user_limit,
        "nsfw": channel.nsfw,
        "rate_limit_per_user": channel.rate_limit_per_user,
        "parent_id": channel.parent_id.and_then(|id| channels.get(&id)).map(u64::to_string),
        "default_auto_archive_duration": channel.default_auto_archive_duration,
        "permission_overwrites": channel.overwrites.iter().filter_map(overwrite).collect::<Vec<_>>(),
        "available_tags": is_forum.then(|| tags.collect::<Vec<_>>()),
        "template": "",
        "default_reaction_emoji": reaction.map(|name| json!({ "emoji_id": null, "emoji_name": name })),
        "default_thread_rate_limit_per_user": channel.default_thread_rate_limit_per_user,
        "default_sort_order": forum.default_sort_order,
        "default_forum_layout": is_forum.then_some(forum.default_layout),
        "default_tag_setting": forum.default_tag_setting,
        "theme_color": null,
    })
}
