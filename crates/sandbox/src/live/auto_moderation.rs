//! Auto moderation: creating, changing and deleting rules.
//!
//! `judge` carries them out.

mod judge;

use serde_json::{Value, json};

use super::Live;
use super::changes::changes;
use crate::error::{ApiError, ApiResult, FieldError, FormErrors};
use crate::gateway::Intents;
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::state::auto_moderation::Rule;
use crate::validate::auto_moderation::{Action, RuleBody, trigger};

/// Fields of a rule that no entry of the audit log names.
const NO_CHANGE: &[&str] = &["id", "guild_id", "creator_id"];

impl Live<'_> {
    /// Creates a rule, sends the event and writes the audit log.
    pub fn create_rule(
        &mut self,
        guild_id: Snowflake,
        body: RuleBody,
        by: Snowflake,
        reason: Option<&str>,
    ) -> ApiResult<Value> {
        self.check_actions(guild_id, by, body.actions.as_deref())?;
        let rule = Rule::new(self.next_id(), guild_id, by, body);
        let kind = rule.trigger.kind();
        let rules = &mut self.guild_mut(guild_id)?.auto_moderation;
        let most = if kind == trigger::KEYWORD { 6 } else { 1 };
        if rules.values().filter(|other| other.trigger.kind() == kind).count() >= most {
            return Err(too_many_rules());
        }
        let (id, shown, is_first) = (rule.id, rule.json(), rules.is_empty());
        rules.insert(id, rule);
        self.dispatch_moderators(guild_id, "AUTO_MODERATION_RULE_CREATE", &shown);
        self.audit(guild_id, 140, by, Some(id), reason, changes(&Value::Null, &shown, NO_CHANGE));
        if is_first {
            self.guild_changed(guild_id);
        }
        Ok(shown)
    }

    /// Changes a rule. If it differs, sends the event and writes the audit log.
    pub fn edit_rule(
        &mut self,
        guild_id: Snowflake,
        id: Snowflake,
        body: RuleBody,
        by: Snowflake,
        reason: Option<&str>,
    ) -> ApiResult<Value> {
        self.check_actions(guild_id, by, body.actions.as_deref())?;
        let rule = self.guild_mut(guild_id)?.auto_moderation.get_mut(&id).ok_or_else(ApiError::not_found)?;
        let before = rule.json();
        rule.apply(body);
        let after = rule.json();
        if before != after {
            self.dispatch_moderators(guild_id, "AUTO_MODERATION_RULE_UPDATE", &after);
            self.audit(guild_id, 141, by, Some(id), reason, changes(&before, &after, NO_CHANGE));
        }
        Ok(after)
    }

    /// Deletes a rule, sends the event and writes the audit log.
    pub fn delete_rule(
        &mut self,
        guild_id: Snowflake,
        id: Snowflake,
        by: Snowflake,
        reason: Option<&str>,
    ) -> ApiResult<()> {
        let rules = &mut self.guild_mut(guild_id)?.auto_moderation;
        let gone = rules.shift_remove(&id).ok_or_else(ApiError::not_found)?.json();
        let was_last = rules.is_empty();
        self.dispatch_moderators(guild_id, "AUTO_MODERATION_RULE_DELETE", &gone);
        self.audit(guild_id, 142, by, Some(id), reason, changes(&gone, &Value::Null, NO_CHANGE));
        if was_last {
            self.guild_changed(guild_id);
        }
        Ok(())
    }

    /// Checks that a user may give a rule these actions: alerts go to a channel in which they can write, and a timeout
    /// requires its permission.
    fn check_actions(
        &self,
        guild_id: Snowflake,
        user: Snowflake,
        actions: Option<&[Action]>,
    ) -> ApiResult<()> {
        let guild = self.guilds.get(&guild_id).ok_or_else(ApiError::unknown_guild)?;
        let has = self.guild_permissions(user, guild);
        for (index, action) in actions.unwrap_or_default().iter().enumerate() {
            match action {
                Action::Timeout { .. } if !has.contains(Permissions::MODERATE_MEMBERS) => {
                    return Err(ApiError::missing_permissions());
                }
                Action::Alert { channel_id } => {
                    let found = self.channels.get(channel_id);
                    let here =
                        found.filter(|channel| channel.guild_id == Some(guild_id) && channel.is_text());
                    let needed = Permissions::VIEW_CHANNEL | Permissions::SEND_MESSAGES;
                    if !here.is_some_and(|channel| self.permissions_in(user, channel).contains(needed)) {
                        let code = "INVALID_AUTO_MODERATION_CHANNEL_FLAG_ACTION_ACCESS";
                        let error =
                            FieldError::new(code, "You must be able to view and send in this channel");
                        let index = index.to_string();
                        return Err(ApiError::field(&["actions", &index, "metadata", "channel_id"], error));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Sends an event to the bots in a guild that have MANAGE_GUILD, which all events of auto moderation require.
    fn dispatch_moderators(&self, guild_id: Snowflake, name: &'static str, data: &Value) {
        let Some(guild) = self.guilds.get(&guild_id) else { return };
        let intents = Intents::for_event(name, true);
        let moderates =
            |bot: &Snowflake| self.guild_permissions(*bot, guild).contains(Permissions::MANAGE_GUILD);
        let bots = self.bots_in(guild_id).into_iter().filter(moderates);
        self.dispatch_each(bots, name, Some(guild_id), intents, |_| Some(data.clone()));
    }
}

fn too_many_rules() -> ApiError {
    let mut errors = FormErrors::default();
    let code = "AUTO_MODERATION_MAX_RULES_OF_TYPE_EXCEEDED";
    errors.push([], FieldError::new(code, "Maximum number of rules of this trigger type reached"));
    ApiError::form(errors)
}

/// Returns one field of an embed that clients show in a special way.
fn field(name: &str, value: &(impl ToString + ?Sized)) -> Value {
    json!({ "name": name, "value": value.to_string(), "inline": false })
}
