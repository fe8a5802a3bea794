//! The permissions that admins set on commands.

use serde_json::{Value, json};

use super::Live;
use crate::snowflake::Snowflake;

impl Live<'_> {
    /// Replaces the permissions of a command, or with the application's id those of all its commands, and sends the
    /// event.
    pub fn set_command_permissions(
        &mut self,
        application: Snowflake,
        guild: Snowflake,
        command: Snowflake,
        list: &[Value],
        by: Snowflake,
    ) {
        let Some(found) = self.applications.get_mut(&application) else { return };
        let before = found.command_permissions.insert((guild, command), list.to_vec()).unwrap_or_default();
        if before == list {
            return;
        }
        let event =
            json!({ "id": command, "application_id": application, "guild_id": guild, "permissions": list });
        self.dispatch_bot(application, "APPLICATION_COMMAND_PERMISSIONS_UPDATE", Some(guild), event);
        let mut entry = json!({
            "action_type": 121,
            "user_id": by,
            "target_id": command,
            "options": { "application_id": application },
        });
        entry["changes"] = changes(&before, list).into();
        self.write_audit(guild, entry, None);
    }
}

/// Returns a change for each role, user or channel whose permission differs; its key is the id.
fn changes(before: &[Value], after: &[Value]) -> Vec<Value> {
    let of = |list: &[Value], id: &Value| list.iter().find(|entry| entry["id"] == *id).cloned();
    let gone = before.iter().filter(|old| of(after, &old["id"]).is_none());
    let all = after.iter().chain(gone);
    all.filter_map(|entry| {
        let (old, new) = (of(before, &entry["id"]), of(after, &entry["id"]));
        if old == new {
            return None;
        }
        let mut change = json!({ "key": entry["id"] });
        for (side, value) in [("old_value", old), ("new_value", new)] {
            if let Some(value) = value {
                change[side] = value;
            }
        }
        Some(change)
    })
    .collect()
}
