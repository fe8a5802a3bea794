//! What a bot gets of an interaction: its data, where it comes from, and the installations that it is based on.

use serde_json::{Value, json};

use super::{Live, Trigger};
use crate::error::ApiResult;
use crate::snowflake::Snowflake;
use crate::state::World;
use crate::state::channel::Channel;
use crate::state::installation::Owners;

/// Largest file in an answer.
pub(crate) const ATTACHMENT_LIMIT: u64 = 10 << 20;

impl Live<'_> {
    /// Returns the installations that an interaction is based on.
    pub(super) fn installations(&self, trigger: &Trigger, channel: &Channel) -> Owners {
        let Some(application) = self.applications.get(&trigger.application) else {
            return Owners { guild: None, user: None };
        };
        let id = trigger.command.as_ref().and_then(|_| trigger.data["id"].as_str()?.parse().ok());
        let command = id.and_then(|id| {
            application.commands.get(channel.guild_id, id).or_else(|| application.commands.get(None, id))
        });
        World::owners(self, application, command, trigger.user, channel)
    }

    /// Returns the metadata of the interaction that a message answers. A component of it rests on the same installation,
    /// whoever uses it.
    pub(super) fn metadata_of(&self, channel: Snowflake, message: Snowflake) -> Option<Value> {
        self.any_message(channel, message)?
            .interaction_metadata
            .as_ref()
            .map(|metadata| Value::clone(metadata))
    }

    /// Returns the data of an interaction, in whose resolved channels the bot's permissions are, if it is in the guild.
    fn with_app_permissions(&self, trigger: &Trigger, channel: &Channel) -> Value {
        let mut data = trigger.data.clone();
        let bot = trigger.application;
        let guild = channel.guild_id.and_then(|id| self.guilds.get(&id));
        if guild.is_some_and(|guild| guild.members.contains_key(&bot))
            && let Some(channels) = data.pointer_mut("/resolved/channels").and_then(Value::as_object_mut)
        {
            for (id, resolved) in channels {
                let found = id.parse().ok().and_then(|id: Snowflake| self.channels.get(&id));
                if let Some(found) = found {
                    resolved["app_permissions"] = json!(self.permissions_in(bot, found));
                }
            }
        }
        data
    }

    pub(super) fn payload(
        &self,
        trigger: &Trigger,
        channel: &Channel,
        id: Snowflake,
        token: &str,
        owners: &Value,
    ) -> ApiResult<Value> {
        let user = self.user(trigger.user)?;
        let app_permissions = World::app_permissions(self, trigger.application, trigger.user, channel);
        let permissions = self.permissions_in(trigger.user, channel);
        let shown_channel = if channel.is_dm() {
            self.channel_json(channel, Some(trigger.application))
        } else {
            channel.partial_json(permissions)
        };
        let mut payload = json!({
            "id": id,
            "application_id": trigger.application,
            "type": trigger.kind,
            "data": self.with_app_permissions(trigger, channel),
            "channel": shown_channel,
            "channel_id": channel.id,
            "token": token,
            "version": 1,
            "app_permissions": app_permissions,
            "locale": user.locale,
            "entitlements": self.store.of(trigger.application, trigger.user, channel.guild_id, self.clock.now()),
            "authorizing_integration_owners": owners,
            "context": self.context_of(channel, trigger.application),
            "attachment_size_limit": ATTACHMENT_LIMIT,
        });
        if let Some(guild) = channel.guild_id.and_then(|id| self.guilds.get(&id)) {
            payload["guild_id"] = json!(guild.id);
            payload["guild_locale"] = json!(guild.preferred_locale);
            payload["guild"] =
                json!({ "id": guild.id, "locale": guild.preferred_locale, "features": guild.features() });
            let mut member = self.member_json(guild.id, trigger.user)?;
            member["permissions"] = json!(permissions);
            payload["member"] = member;
        } else {
            payload["user"] = user.json();
        }
        if let Some(message) = trigger.message.and_then(|id| self.any_message(channel.id, id)) {
            payload["message"] = message.json(self, Some(trigger.application));
        }
        Ok(payload)
    }
}
