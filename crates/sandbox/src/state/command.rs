//! Application commands as an application registered them, globally and for single guilds.

use std::collections::HashMap;

use indexmap::IndexMap;
use serde_json::Value;

use crate::snowflake::Snowflake;
use crate::validate::command::{Definition, Identity, ShownIn};

/// A registered command.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Command {
    /// The fields that Discord sets.
    pub identity: Identity,
    /// The fields that its author sets.
    pub definition: Definition,
}

impl Command {
    /// Returns whether it can be run in this interaction context (0 guild, 1 DM with the bot, 2 other DMs).
    pub fn runs_in(&self, context: u8) -> bool {
        match (&self.definition.contexts, context) {
            _ if self.identity.guild_id.is_some() => context == 0,
            (Some(contexts), _) => contexts.contains(&context),
            (None, 1) => self.definition.dm_permission,
            (None, _) => context == 0,
        }
    }

    /// Returns the command object.
    pub fn json(&self, shown: ShownIn<'_>) -> Value {
        self.definition.to_json(&self.identity, shown)
    }
}

/// Commands of one application.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Commands {
    #[serde(with = "super::pairs")]
    scopes: HashMap<Option<Snowflake>, IndexMap<Snowflake, Command>>,
}

impl Commands {
    /// Returns the commands of a guild, or the global ones, in order of registration.
    pub fn scope(&self, guild: Option<Snowflake>) -> impl Iterator<Item = &Command> {
        self.scopes.get(&guild).into_iter().flat_map(IndexMap::values)
    }

    /// Returns the same mutably.
    pub fn scope_mut(&mut self, guild: Option<Snowflake>) -> &mut IndexMap<Snowflake, Command> {
        self.scopes.entry(guild).or_default()
    }

    /// Returns a command by id in this scope.
    pub fn get(&self, guild: Option<Snowflake>, id: Snowflake) -> Option<&Command> {
        self.scopes.get(&guild)?.get(&id)
    }

    /// Returns a command by name and type in this scope.
    pub fn named(&self, guild: Option<Snowflake>, name: &str, kind: u8) -> Option<&Command> {
        self.scope(guild).find(|command| command.definition.kind == kind && command.definition.name == name)
    }

    /// Returns the commands that a user sees in a guild, or in direct messages. The guild's commands hide global ones
    /// of the same name and type.
    pub fn visible(&self, guild: Option<Snowflake>) -> Vec<&Command> {
        let mut visible: Vec<&Command> =
            if guild.is_some() { self.scope(guild).collect() } else { Vec::new() };
        let own = visible.len();
        for command in self.scope(None) {
            let same = |other: &&Command| {
                other.definition.kind == command.definition.kind
                    && other.definition.name == command.definition.name
            };
            if !visible[..own].iter().any(same) {
                visible.push(command);
            }
        }
        visible
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::validate::command::{self, Scope};

    fn command(id: u64, guild: Option<u64>, body: &Value) -> Command {
        let scope = if guild.is_some() { Scope::Guild } else { Scope::Global };
        let identity = Identity {
            id: Snowflake(id),
            application_id: Snowflake(1),
            guild_id: guild.map(Snowflake),
            version: Snowflake(3),
        };
        Command { identity, definition: command::create(body, scope).unwrap() }
    }

    #[test]
    fn a_guild_command_hides_the_global_one_of_its_name() {
        let mut commands = Commands::default();
        let body = json!({"name": "ping", "description": "d"});
        let (global, local) = (command(2, None, &body), command(5, Some(9), &body));
        commands.scope_mut(None).insert(global.identity.id, global);
        commands.scope_mut(Some(Snowflake(9))).insert(local.identity.id, local);
        let ids = |guild| -> Vec<u64> { commands.visible(guild).iter().map(|c| c.identity.id.0).collect() };
        assert_eq!(ids(Some(Snowflake(9))), [5]);
        assert_eq!(ids(Some(Snowflake(8))), [2]);
        assert_eq!(ids(None), [2]);
    }

    #[test]
    fn a_command_runs_where_its_contexts_say() {
        let anywhere = command(2, None, &json!({"name": "a", "description": "d"}));
        assert!(anywhere.runs_in(0) && anywhere.runs_in(1) && !anywhere.runs_in(2));
        let dm_only = command(2, None, &json!({"name": "a", "description": "d", "contexts": [1]}));
        assert!(!dm_only.runs_in(0) && dm_only.runs_in(1));
    }
}
