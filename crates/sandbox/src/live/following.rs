//! Announcement channels and the channels that follow them: published messages, their edits and deletions.

use serde_json::{Value, json};

use super::{Live, changes};
use crate::error::{ApiError, ApiResult};
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::state::channel::kind;
use crate::state::clock;
use crate::state::message::{Attachment, Author, Message, Reference, flag};
use crate::state::secret;
use crate::state::webhook::Webhook;

/// Fields of a webhook in the audit log, where the picture has a name of its own.
const FIELDS: &[&str] = &["name", "type", "channel_id", "avatar_hash", "application_id"];

/// Most webhooks of a channel.
const MOST: usize = 15;

impl Live<'_> {
    /// Sends the event of a channel's changed webhooks.
    pub fn webhooks_changed(&self, channel: Snowflake) {
        if let Some(guild) = self.channels.get(&channel).and_then(|channel| channel.guild_id) {
            let event = json!({ "guild_id": guild, "channel_id": channel });
            self.dispatch_guild(guild, "WEBHOOKS_UPDATE", event);
        }
    }

    /// Returns a webhook as the audit log has it; null if there is none.
    pub fn webhook_now(&self, id: Snowflake) -> Value {
        let shown = self.webhooks.get(&id).map(|webhook| {
            let mut value = webhook.json(self, false);
            value["avatar_hash"] = value["avatar"].take();
            value
        });
        shown.unwrap_or_default()
    }

    /// Writes what has become of a webhook into the audit log: 50 created, 51 changed, 52 deleted.
    pub fn audit_webhook(&mut self, id: Snowflake, before: &Value, by: Snowflake, reason: Option<&str>) {
        let after = self.webhook_now(id);
        let changed = changes::between(before, &after, FIELDS);
        let action = match (before.is_null(), after.is_null()) {
            (true, _) => 50,
            (false, false) => 51,
            (false, true) => 52,
        };
        let guild = if after.is_null() { before } else { &after }["guild_id"].clone();
        if let Ok(guild) = serde_json::from_value(guild)
            && !changed.is_empty()
        {
            self.audit(guild, action, by, Some(id), reason, changed);
        }
    }

    /// Adds a webhook to its channel. The limit is that of a channel.
    pub fn add_webhook(&mut self, webhook: Webhook, reason: Option<&str>) -> ApiResult<()> {
        let (id, channel, by) = (webhook.id, webhook.channel_id, webhook.creator);
        if self.webhooks.values().filter(|other| other.channel_id == channel).count() >= MOST {
            return Err(ApiError::max_webhooks());
        }
        self.webhooks.insert(id, webhook);
        self.webhooks_changed(channel);
        self.audit_webhook(id, &Value::Null, by, reason);
        Ok(())
    }

    /// Makes a channel follow an announcement channel, and returns the webhook that posts there.
    pub fn follow(
        &mut self,
        source: Snowflake,
        target: Snowflake,
        by: Snowflake,
        reason: Option<&str>,
    ) -> ApiResult<Snowflake> {
        let followed = self.channel_for(source, by, Permissions::NONE)?;
        let (from, name) = (followed.guild_id, followed.name.clone());
        if followed.kind != kind::ANNOUNCEMENT {
            return Err(ApiError::wrong_channel_type());
        }
        let channel = self.channel_for(target, by, Permissions::MANAGE_WEBHOOKS)?;
        if !matches!(channel.kind, kind::TEXT | kind::ANNOUNCEMENT) {
            return Err(ApiError::wrong_channel_type());
        }
        let guild = from.and_then(|id| self.guilds.get(&id)).ok_or_else(ApiError::unknown_guild)?;
        let (name, avatar) = (format!("{} #{name}", guild.name), guild.icon.clone());
        let webhook = Webhook {
            id: self.next_id(),
            guild_id: channel.guild_id,
            channel_id: target,
            name: name.clone(),
            avatar,
            token: secret(68),
            application_id: None,
            creator: by,
            follows: Some(source),
        };
        let id = webhook.id;
        self.add_webhook(webhook, reason)?;
        let mut notice = Message::new(self.next_id(), target, Author::User(by));
        notice.kind = 12;
        notice.content = name;
        notice.reference = Some(Reference { kind: 0, channel_id: source, message_id: None, guild_id: from });
        self.publish(notice);
        Ok(id)
    }

    /// Publishes a message of an announcement channel to the channels that follow it.
    pub fn crosspost(&mut self, channel_id: Snowflake, id: Snowflake, by: Snowflake) -> ApiResult<()> {
        let channel = self.channel_for(channel_id, by, Permissions::SEND_MESSAGES)?;
        if channel.kind != kind::ANNOUNCEMENT {
            return Err(ApiError::wrong_channel_type());
        }
        let message = channel.messages.get(&id).ok_or_else(ApiError::unknown_message)?;
        if message.author_id() != Some(by) {
            self.require(channel_id, by, Permissions::MANAGE_MESSAGES)?;
        }
        if !matches!(message.kind, 0 | 19) {
            return Err(ApiError::invalid_message_type());
        }
        if message.flags & flag::CROSSPOSTED != 0 {
            return Err(ApiError::already_crossposted());
        }
        let original = message.clone();
        let followers: Vec<Webhook> =
            self.webhooks.values().filter(|webhook| webhook.follows == Some(channel_id)).cloned().collect();
        let copies: Vec<(Snowflake, Snowflake)> = followers
            .into_iter()
            .map(|webhook| {
                let author = Author::Webhook { name: webhook.name, avatar: webhook.avatar };
                let mut copy = Message::new(self.next_id(), webhook.channel_id, author);
                copy.webhook_id = Some(webhook.id);
                copy.reference = Some(Reference {
                    kind: 0,
                    channel_id,
                    message_id: Some(id),
                    guild_id: self.channels.get(&channel_id).and_then(|channel| channel.guild_id),
                });
                self.copy_content(&original, &mut copy);
                (webhook.channel_id, self.publish(copy))
            })
            .collect();
        if let Some(message) = self.any_message_mut(channel_id, id) {
            message.flags |= flag::CROSSPOSTED;
            message.crossposts = copies;
        }
        self.announce_edit(channel_id, id);
        Ok(())
    }

    /// Writes what a message says into a copy of it. Each copy has files of its own.
    fn copy_content(&mut self, original: &Message, copy: &mut Message) {
        copy.content.clone_from(&original.content);
        copy.embeds.clone_from(&original.embeds);
        copy.components.clone_from(&original.components);
        copy.stickers.clone_from(&original.stickers);
        copy.flags = flag::IS_CROSSPOST
            | original.flags
                & (flag::SUPPRESS_EMBEDS | flag::IS_COMPONENTS_V2 | flag::SUPPRESS_NOTIFICATIONS);
        for gone in &copy.attachments {
            self.files.remove(&gone.id);
        }
        let files = original.attachments.iter();
        copy.attachments = files
            .map(|file| {
                let id = self.next_id();
                if let Some(bytes) = self.files.get(&file.id).cloned() {
                    self.files.insert(id, bytes);
                }
                Attachment { id, channel_id: copy.channel_id, ..file.clone() }
            })
            .collect();
    }

    /// Carries an edit of a published message over to its copies.
    pub(super) fn edit_copies(&mut self, channel: Snowflake, id: Snowflake) {
        let Some(original) =
            self.message(channel, id).filter(|message| !message.crossposts.is_empty()).cloned()
        else {
            return;
        };
        for (there, copied) in original.crossposts.clone() {
            let Some(mut copy) = self.message(there, copied).cloned() else { continue };
            self.copy_content(&original, &mut copy);
            copy.edited.clone_from(&original.edited);
            if let Some(stored) = self.any_message_mut(there, copied) {
                *stored = copy;
            }
            self.announce_edit(there, copied);
        }
    }

    /// Marks the copies of a deleted message.
    pub(super) fn empty_copies(&mut self, original: &Message) {
        let now = clock::iso(self.clock.now());
        for (there, copied) in &original.crossposts {
            let Some(copy) = self.any_message_mut(*there, *copied) else { continue };
            copy.flags |= flag::SOURCE_MESSAGE_DELETED;
            "[Original Message Deleted]".clone_into(&mut copy.content);
            copy.edited = Some(now.clone());
            copy.embeds.clear();
            copy.components.clear();
            copy.stickers.clear();
            for gone in std::mem::take(&mut copy.attachments) {
                self.files.remove(&gone.id);
            }
            self.announce_edit(*there, *copied);
        }
    }
}
