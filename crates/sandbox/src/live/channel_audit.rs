//! What the audit log says about channels, threads and overwrites.

use serde_json::{Value, json};

use super::{Live, changes};
use crate::permissions::{Overwrite, OverwriteKind};
use crate::snowflake::Snowflake;

impl Live<'_> {
    /// Writes that a channel or thread differs from `before`, its object, if it does.
    pub fn audit_channel(&mut self, id: Snowflake, before: &Value, by: Snowflake, reason: Option<&str>) {
        let Some(channel) = self.channels.get(&id) else { return };
        let Some(guild) = channel.guild_id else { return };
        let (action, fields) =
            if channel.is_thread() { (111, changes::THREAD) } else { (11, changes::CHANNEL) };
        let changes = changes::renamed(&changes::flat(before), &changes::flat(&channel.json()), fields);
        if !changes.is_empty() {
            self.audit(guild, action, by, Some(id), reason, changes);
        }
    }

    /// Writes that a thread was opened.
    pub(super) fn audit_thread(&mut self, id: Snowflake, by: Snowflake) {
        let Some(channel) = self.channels.get(&id) else { return };
        let Some(guild) = channel.guild_id else { return };
        let changes = changes::renamed(&Value::Null, &changes::flat(&channel.json()), changes::THREAD);
        self.audit(guild, 110, by, Some(id), None, changes);
    }

    /// Writes that an overwrite of a channel was added, changed or removed.
    pub fn audit_overwrite(
        &mut self,
        id: Snowflake,
        before: Option<Overwrite>,
        after: Option<Overwrite>,
        by: Snowflake,
        reason: Option<&str>,
    ) {
        let Some(guild) = self.channels.get(&id).and_then(|channel| channel.guild_id) else { return };
        let Some(overwrite) = after.or(before).filter(|_| before != after) else { return };
        let (action, fields) = match (before, after) {
            (None, _) => (13, &["id", "type", "allow", "deny"][..]),
            (_, None) => (15, &["id", "type", "allow", "deny"][..]),
            _ => (14, &["allow", "deny"][..]),
        };
        let is_role = overwrite.kind == OverwriteKind::Role;
        let mut options = json!({ "id": overwrite.id, "type": if is_role { "0" } else { "1" } });
        let role = self.guilds.get(&guild).and_then(|guild| guild.roles.get(&overwrite.id));
        if let Some(role) = role.filter(|_| is_role) {
            options["role_name"] = role.name.clone().into();
        }
        let changes = changes::between(&json!(before), &json!(after), fields);
        self.write_audit(
            guild,
            json!({ "action_type": action, "user_id": by, "target_id": id, "options": options, "changes": changes }),
            reason,
        );
    }
}
