//! Guilds: creation, settings, roles, and bots that join and leave.

use serde_json::{Value, json};

use super::Live;
use super::authorizations::Installed;
use crate::snowflake::Snowflake;
use crate::state::clock;
use crate::state::guild::Role;

/// Number of audit log entries kept for one guild.
const AUDIT_LIMIT: usize = 1000;

impl Live<'_> {
    /// Sends the event of a guild's changed settings.
    pub fn guild_changed(&self, guild: Snowflake) {
        if let Some(guild) = self.guilds.get(&guild) {
            self.dispatch_guild(guild.id, "GUILD_UPDATE", guild.json());
        }
    }

    /// Adds a bot to a guild, and sends it the guild for the first time.
    pub fn install_bot(
        &mut self,
        guild: Snowflake,
        bot: Snowflake,
        permissions: crate::permissions::Permissions,
    ) {
        self.install(guild, bot, permissions);
        if let Some(guild) = self.guilds.get(&guild) {
            let mut event = self.guild_create_json(guild, bot);
            // Libraries distinguish a guild that is joined from one that is available again by the lack of this field.
            if let Some(object) = event.as_object_mut() {
                object.remove("unavailable");
            }
            self.dispatch_bot(bot, "GUILD_CREATE", Some(guild.id), event);
        }
        self.dispatch_joined(guild, bot);
        let found =
            self.guilds.get(&guild).and_then(|guild| Some((guild.integration_of(bot)?.id, guild.owner_id)));
        if let Some((integration, owner)) = found {
            self.integration_added(guild, integration, owner);
            self.authorized(bot, owner, &["applications.commands", "bot"], Installed::In(guild));
        }
    }

    /// Adds a role and sends the event.
    pub fn add_role(&mut self, guild: Snowflake, role: Role) {
        let event = json!({ "guild_id": guild, "role": role.json() });
        if let Some(guild) = self.guilds.get_mut(&guild) {
            guild.roles.insert(role.id, role);
        }
        self.dispatch_guild(guild, "GUILD_ROLE_CREATE", event);
    }

    /// Sends the event of a changed role.
    pub fn role_changed(&self, guild: Snowflake, role: Snowflake) {
        if let Some(role) = self.guilds.get(&guild).and_then(|guild| guild.roles.get(&role)) {
            self.dispatch_guild(
                guild,
                "GUILD_ROLE_UPDATE",
                json!({ "guild_id": guild, "role": role.json() }),
            );
        }
    }

    /// Deletes a role and removes it from all members.
    pub fn delete_role(&mut self, guild_id: Snowflake, role: Snowflake) {
        let access = self.access(guild_id);
        let Some(guild) = self.guilds.get_mut(&guild_id) else { return };
        if let Some(gone) = guild.roles.shift_remove(&role) {
            // Roles above it move down, without events of their own, as discord.py counts them (`Guild._remove_role`).
            for above in guild.roles.values_mut().filter(|above| above.position > gone.position) {
                above.position -= 1;
            }
        }
        guild.community.forget_role(role);
        for member in guild.members.values_mut() {
            member.roles.retain(|id| *id != role);
        }
        let channels = guild.channels.clone();
        for id in channels {
            if let Some(channel) = self.channels.get_mut(&id) {
                channel.overwrites.retain(|overwrite| overwrite.id != role);
            }
        }
        self.dispatch_guild(guild_id, "GUILD_ROLE_DELETE", json!({ "guild_id": guild_id, "role_id": role }));
        self.access_changed(guild_id, &access, None);
    }

    /// Adds an entry to the audit log and sends the event.
    pub fn audit(
        &mut self,
        guild_id: Snowflake,
        action: u64,
        by: Snowflake,
        target: Option<Snowflake>,
        reason: Option<&str>,
        changes: Vec<Value>,
    ) {
        self.audit_with(guild_id, action, by, target, reason, changes, None);
    }

    /// Adds an entry with `changes` and `options` to the audit log and sends the event.
    #[expect(clippy::too_many_arguments, reason = "the fields of an entry")]
    pub(super) fn audit_with(
        &mut self,
        guild_id: Snowflake,
        action: u64,
        by: Snowflake,
        target: Option<Snowflake>,
        reason: Option<&str>,
        changes: Vec<Value>,
        options: Option<&Value>,
    ) {
        let mut entry = json!({ "action_type": action, "user_id": by, "target_id": target });
        if !changes.is_empty() {
            entry["changes"] = changes.into();
        }
        if let Some(options) = options {
            entry["options"] = options.clone();
        }
        self.write_audit(guild_id, entry, reason);
    }

    /// Adds an entry with `options` to the audit log, such as where, and how many or which, and sends the event.
    pub fn audit_with_options(
        &mut self,
        guild_id: Snowflake,
        action: u64,
        by: Snowflake,
        target: Option<Snowflake>,
        reason: Option<&str>,
        options: &Value,
    ) {
        self.audit_with(guild_id, action, by, target, reason, Vec::new(), Some(options));
    }

    pub(super) fn write_audit(&mut self, guild_id: Snowflake, mut entry: Value, reason: Option<&str>) {
        entry["id"] = json!(self.next_id());
        if let Some(reason) = reason {
            entry["reason"] = reason.into();
        }
        if let Some(guild) = self.guilds.get_mut(&guild_id) {
            guild.audit_log.push_back(entry.clone());
            if guild.audit_log.len() > AUDIT_LIMIT {
                guild.audit_log.pop_front();
            }
        }
        entry["guild_id"] = json!(guild_id);
        self.dispatch_guild(guild_id, "GUILD_AUDIT_LOG_ENTRY_CREATE", entry);
    }

    /// Sets a user's presence in all their guilds, and sends the events.
    pub fn set_presence(&mut self, user: Snowflake, presence: &Value) {
        let mut presence = presence.clone();
        let begun = self.clock.now().unix_timestamp_nanos() / 1_000_000;
        let guilds: Vec<Snowflake> = self.guilds_of(user).map(|guild| guild.id).collect();
        let mut of_guilds = guilds.iter().filter_map(|id| self.guilds.get(id));
        let before = of_guilds.find_map(|guild| guild.presences.get(&user));
        let was_online = before.is_some();
        let activities = presence.get_mut("activities").and_then(Value::as_array_mut);
        for activity in activities.into_iter().flatten() {
            let same =
                |other: &&Value| other["name"] == activity["name"] && other["type"] == activity["type"];
            let going = before.and_then(|before| before["activities"].as_array()?.iter().find(same));
            let since = going.map_or_else(|| json!(begun), |going| going["created_at"].clone());
            if let Some(fields) = activity.as_object_mut() {
                fields.entry("created_at").or_insert(since);
            }
        }
        let offline = matches!(presence["status"].as_str(), Some("offline" | "invisible"));
        if offline {
            presence["status"] = "offline".into();
        }
        if was_online || !offline {
            self.saw(user);
        }
        let mut offline_in = Vec::new();
        for id in guilds {
            let Some(guild) = self.guilds.get_mut(&id) else { continue };
            if offline {
                if guild.presences.remove(&user).is_none() {
                    continue;
                }
                offline_in.push(id);
            } else if guild.presences.insert(user, presence.clone()).as_ref() == Some(&presence) {
                continue;
            }
            self.dispatch_guild(
                id,
                "PRESENCE_UPDATE",
                crate::state::presence_json(user, Some(id), &presence),
            );
        }
        for id in offline_in {
            self.end_visit(id, user);
        }
    }

    /// Withdraws the presence of a bot that has no session any more.
    pub fn go_offline(&mut self, bot: Snowflake) {
        if self.hub.sessions().iter().all(|session| session.bot != bot) {
            self.set_presence(bot, &json!({ "status": "offline", "activities": [] }));
        }
    }

    /// Returns the current time in the form of events.
    pub fn now(&self) -> String {
        clock::iso(self.clock.now())
    }
}
