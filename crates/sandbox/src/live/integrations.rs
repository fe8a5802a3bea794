//! Integrations of guilds, with their events and audit log entries.

use serde_json::{Value, json};

use super::{Live, changes};
use crate::error::{ApiError, ApiResult};
use crate::snowflake::Snowflake;
use crate::state::integration::{Integration, Kind};

/// Fields of an integration in the audit log.
const FIELDS: &[&str] =
    &["type", "name", "enabled", "role_id", "expire_behavior", "expire_grace_period", "enable_emoticons"];

impl Live<'_> {
    /// Returns an integration as events have it; null if there is none.
    fn integration_now(&self, guild: Snowflake, id: Snowflake) -> Value {
        let found = self.guilds.get(&guild).and_then(|guild| guild.integrations.get(&id));
        let mut value = found.map(|integration| integration.json(self)).unwrap_or_default();
        if let Some(fields) = value.as_object_mut() {
            fields.remove("user");
            fields.insert("guild_id".to_owned(), json!(guild));
        }
        value
    }

    fn integrations_changed(&self, guild: Snowflake) {
        self.dispatch_guild(guild, "GUILD_INTEGRATIONS_UPDATE", json!({ "guild_id": guild }));
    }

    /// Sends the events of a new integration and writes the audit log.
    pub(super) fn integration_added(&mut self, guild: Snowflake, id: Snowflake, by: Snowflake) {
        let now = self.integration_now(guild, id);
        let made = changes::between(&Value::Null, &now, FIELDS);
        self.dispatch_guild(guild, "INTEGRATION_CREATE", now);
        self.integrations_changed(guild);
        self.audit(guild, 80, by, Some(id), None, made);
    }

    /// Adds an integration to a guild.
    pub fn add_integration(
        &mut self,
        guild: Snowflake,
        integration: Integration,
        by: Snowflake,
    ) -> ApiResult<()> {
        let id = integration.id;
        self.guild_mut(guild)?.integrations.insert(id, integration);
        self.integration_added(guild, id, by);
        Ok(())
    }

    /// Replaces an integration of a guild, if anything has changed.
    pub fn change_integration(
        &mut self,
        guild: Snowflake,
        integration: Integration,
        by: Snowflake,
    ) -> ApiResult<()> {
        let id = integration.id;
        let before = self.integration_now(guild, id);
        self.guild_mut(guild)?.integrations.insert(id, integration);
        let now = self.integration_now(guild, id);
        let changed = changes::between(&before, &now, FIELDS);
        if !changed.is_empty() {
            self.dispatch_guild(guild, "INTEGRATION_UPDATE", now);
            self.integrations_changed(guild);
            self.audit(guild, 81, by, Some(id), None, changed);
        }
        Ok(())
    }

    /// Takes the integration of a bot that has left out of a guild, and sends the events.
    pub(super) fn integration_left(&mut self, guild_id: Snowflake, bot: Snowflake) {
        let Some(guild) = self.guilds.get_mut(&guild_id) else { return };
        let Some(id) = guild.integration_of(bot).map(|integration| integration.id) else { return };
        guild.integrations.shift_remove(&id);
        self.integration_gone(guild_id, id, Some(bot));
    }

    fn integration_gone(&self, guild: Snowflake, id: Snowflake, application: Option<Snowflake>) {
        let mut event = json!({ "id": id, "guild_id": guild });
        if let Some(application) = application {
            event["application_id"] = json!(application);
        }
        self.dispatch_guild(guild, "INTEGRATION_DELETE", event);
        self.integrations_changed(guild);
    }

    /// Deletes an integration. A bot loses its webhooks, and is removed.
    pub fn delete_integration(
        &mut self,
        guild_id: Snowflake,
        id: Snowflake,
        by: Snowflake,
        reason: Option<&str>,
    ) -> ApiResult<()> {
        let guild = self.guild_mut(guild_id)?;
        let found = guild.integrations.get(&id).cloned().ok_or_else(ApiError::unknown_integration)?;
        if found.kind == Kind::GuildSubscription {
            return Err(ApiError::cannot_delete_subscription_integration());
        }
        let lost = changes::between(&self.integration_now(guild_id, id), &Value::Null, FIELDS);
        match found.application {
            Some(bot) => {
                let theirs = |guild: Option<Snowflake>, owner: Option<Snowflake>| {
                    guild == Some(guild_id) && owner == Some(bot)
                };
                let all = self.webhooks.values().filter(|hook| theirs(hook.guild_id, hook.application_id));
                let mut channels: Vec<Snowflake> = all.map(|hook| hook.channel_id).collect();
                self.webhooks.retain(|_, hook| !theirs(hook.guild_id, hook.application_id));
                channels.dedup();
                for channel in channels {
                    self.webhooks_changed(channel);
                }
                // Written first, so that a bot that removes itself still hears of it.
                self.audit(guild_id, 82, by, Some(id), reason, lost);
                self.leave(guild_id, bot)?;
            }
            None => {
                self.guild_mut(guild_id)?.integrations.shift_remove(&id);
                self.integration_gone(guild_id, id, None);
                self.audit(guild_id, 82, by, Some(id), reason, lost);
            }
        }
        Ok(())
    }
}
