//! The initial world of a sandbox: one guild, three users and a bot.

use super::channel::{Channel, kind};
use super::guild::{Guild, Member, Role};
use super::integration::Integration;
use super::key_pair::KeyPair;
use super::user::{Application, User};
use super::{Home, World, secret};
use crate::gateway::Intents;
use crate::permissions::{Overwrite, OverwriteKind, Permissions};
use crate::snowflake::Snowflake;

/// Ids and token of the default world that callers need.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// The bot's application, and its user.
    pub application: Snowflake,
    /// Its token.
    pub token: String,
    /// The guild "Sandbox".
    pub guild: Snowflake,
}

/// Id of the default bot. It is fixed, so that it can be used in an example.
pub(crate) const BOT: Snowflake = Snowflake(1_100_000_000_000_000_001);

/// Returns a new token for a bot, in the form that clients check: base64 of the id, a time, a secret.
///
/// It is random, since a client that has it can act as the bot. It is valid only in a sandbox.
pub fn token(bot: Snowflake) -> String {
    use base64::Engine;
    let id = base64::engine::general_purpose::STANDARD_NO_PAD.encode(bot.to_string());
    format!("{id}.{}.{}", secret(6), secret(38))
}

impl World {
    /// Adds a bot with its application and returns its token. Without a token it gets a new one.
    pub fn create_application(
        &mut self,
        id: Snowflake,
        name: &str,
        owner: Snowflake,
        token_given: Option<String>,
    ) -> String {
        let token = token_given.unwrap_or_else(|| token(id));
        let application = Application {
            id,
            name: name.to_owned(),
            description: String::new(),
            owner,
            token: token.clone(),
            key_pair: KeyPair::of_token(&token),
            privileged: Intents::PRIVILEGED,
            users: std::collections::BTreeSet::new(),
            tags: Vec::new(),
            icon: None,
            cover_image: None,
            settings: std::collections::HashMap::new(),
            events_given_up: 0,
            role_metadata: Vec::new(),
            role_connections: std::collections::HashMap::new(),
            emojis: indexmap::IndexMap::new(),
            commands: super::command::Commands::default(),
            command_permissions: std::collections::HashMap::new(),
        };
        self.add_application(application, User::bot(id, name, self.clock.now()));
        token
    }

    /// Adds a user with this unique name and returns their id.
    pub fn create_user(&mut self, username: &str, global_name: Option<&str>) -> Snowflake {
        let id = self.next_id();
        self.users.insert(id, User::person(id, username, global_name, self.clock.now()));
        id
    }

    /// Adds a channel at the end of a guild's list and returns its id.
    pub fn create_channel(
        &mut self,
        guild: Snowflake,
        kind: u8,
        name: &str,
        parent: Option<Snowflake>,
    ) -> Snowflake {
        let id = self.next_id();
        let mut channel = Channel::new(id, kind, Some(guild), name, self.clock.now());
        channel.parent_id = parent;
        if let Some(guild) = self.guilds.get_mut(&guild) {
            channel.position = i64::try_from(guild.channels.len()).unwrap_or(i64::MAX);
            guild.channels.push(id);
        }
        self.channels.insert(id, channel);
        id
    }

    /// Adds a role above all others so far and returns its id.
    pub fn create_role(
        &mut self,
        guild: Snowflake,
        name: &str,
        color: u32,
        permissions: Permissions,
    ) -> Snowflake {
        let mut role = Role::new(self.next_id(), name);
        role.color = color;
        role.permissions = permissions;
        let id = role.id;
        if let Some(guild) = self.guilds.get_mut(&guild) {
            role.position = guild.roles.values().map(|role| role.position).max().unwrap_or(0) + 1;
            guild.roles.insert(id, role);
        }
        id
    }

    /// Adds a guild with its owner, a category and a text channel, like a new one on Discord, and returns its id.
    pub fn create_guild(&mut self, name: &str, owner: Snowflake) -> Snowflake {
        let id = self.next_id();
        let mut guild = Guild::new(id, name, owner, Permissions::EVERYONE);
        guild.members.insert(owner, Member::new(owner, self.clock.now()));
        self.guilds.insert(id, guild);
        let category = self.create_channel(id, kind::CATEGORY, "Text channels", None);
        let general = self.create_channel(id, kind::TEXT, "general", Some(category));
        if let Some(guild) = self.guilds.get_mut(&id) {
            guild.system_channel_id = Some(general);
        }
        id
    }

    /// Adds a bot to a guild, with a role of its own that has these permissions.
    pub fn install(&mut self, guild: Snowflake, application: Snowflake, permissions: Permissions) {
        let name = self.applications.get(&application).map(|a| a.name.clone()).unwrap_or_default();
        let role = self.create_role(guild, &name, 0, permissions);
        let integration = self.next_id();
        let now = self.clock.now();
        if let Some(guild) = self.guilds.get_mut(&guild) {
            if let Some(role) = guild.roles.get_mut(&role) {
                role.managed = true;
                role.bot_id = Some(application);
            }
            let mut member = Member::new(application, now);
            member.roles.push(role);
            guild.members.insert(application, member);
            let integration = Integration::of_bot(integration, application, &name, guild.owner_id, now);
            guild.integrations.insert(integration.id, integration);
        }
    }

    /// Returns the ids and the token of a world that was read. A token that is given replaces that of its first bot.
    pub(crate) fn resume(&mut self, token: Option<String>) -> Scenario {
        let first = |world: &Self| Some((*world.applications.keys().next()?, *world.guilds.keys().next()?));
        let home = self.home.or_else(|| first(self).map(|(application, guild)| Home { application, guild }));
        let Home { application, guild } = home.unwrap_or(Home { application: BOT, guild: Snowflake(0) });
        if let Some(token) = token {
            self.reset_token(application, token);
        }
        let token = self.applications.get(&application).map(|application| application.token.clone());
        Scenario { application, token: token.unwrap_or_default(), guild }
    }

    /// Creates the default world, with a bot of this name and, if given, this token.
    pub fn scenario(bot_name: &str, bot_token: Option<String>) -> (Self, Scenario) {
        let mut world = Self::default();
        let alice = world.create_user("alice", Some("Alice"));
        let bob = world.create_user("bob", Some("Bob"));
        let carol = world.create_user("carol", None);
        let application = bot_token.as_deref().and_then(bot_of).unwrap_or(BOT);
        let token = world.create_application(application, bot_name, alice, bot_token);
        let guild = world.create_guild("Sandbox", alice);
        let text = world.guilds[&guild].channels[0];
        world.create_channel(guild, kind::TEXT, "bot-test", Some(text));
        let log = world.create_channel(guild, kind::TEXT, "mod-log", Some(text));
        let voice = world.create_channel(guild, kind::CATEGORY, "Voice channels", None);
        world.create_channel(guild, kind::VOICE, "Lounge", Some(voice));
        world.create_role(guild, "Member", 0x0034_98db, Permissions::NONE);
        let moderator = world.create_role(
            guild,
            "Moderator",
            0x00e6_7e22,
            Permissions::KICK_MEMBERS
                | Permissions::BAN_MEMBERS
                | Permissions::MANAGE_MESSAGES
                | Permissions::MODERATE_MEMBERS
                | Permissions::MANAGE_ROLES,
        );
        world.install(guild, application, Permissions::ADMINISTRATOR);
        if let Some(log) = world.channels.get_mut(&log) {
            let rule = |id, kind, allow, deny| Overwrite { id, kind, allow, deny };
            log.overwrites = vec![
                rule(guild, OverwriteKind::Role, Permissions::NONE, Permissions::VIEW_CHANNEL),
                rule(moderator, OverwriteKind::Role, Permissions::VIEW_CHANNEL, Permissions::NONE),
            ];
        }
        let now = world.clock.now();
        if let Some(guild) = world.guilds.get_mut(&guild) {
            // So that every type of channel can be tried at once.
            guild.perks.granted.insert("NEWS".to_owned());
            for user in [bob, carol] {
                guild.members.insert(user, Member::new(user, now));
            }
            if let Some(bob) = guild.members.get_mut(&bob) {
                bob.roles.push(moderator);
            }
        }
        world.home = Some(Home { application, guild });
        (world, Scenario { application, token, guild })
    }
}

/// Returns the bot's id in the first part of a token.
pub(crate) fn bot_of(token: &str) -> Option<Snowflake> {
    use base64::Engine;
    let first = token.split('.').next()?.trim_end_matches('=');
    let bytes = base64::engine::general_purpose::STANDARD_NO_PAD.decode(first).ok()?;
    std::str::from_utf8(&bytes).ok()?.parse().ok()
}

/// Returns a token to answer an interaction with.
pub fn interaction_token(interaction: Snowflake) -> String {
    use base64::Engine;
    let text = format!("interaction:{interaction}:{}", secret(48));
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_begins_with_the_bots_id() {
        let (world, scenario) = World::scenario("Helper", None);
        assert_eq!(bot_of(&scenario.token), Some(scenario.application));
        assert_eq!(world.bot_by_token(&scenario.token), Some(scenario.application));
        assert_eq!(world.bot_by_token("MTIz.other.token"), None);
        assert_eq!(world.bot_by_token(&token(scenario.application)), None, "a token can be guessed");
    }

    #[test]
    fn the_default_guild_has_its_people_and_channels() {
        let (world, scenario) = World::scenario("Helper", None);
        let guild = &world.guilds[&scenario.guild];
        let names: Vec<&str> = guild.channels.iter().map(|id| world.channels[id].name.as_str()).collect();
        for name in ["general", "bot-test", "mod-log", "Lounge"] {
            assert!(names.contains(&name), "{name} is missing");
        }
        let alice = world.find_user("alice").unwrap();
        assert_eq!(guild.owner_id, alice.id);
        let log = guild.channels.iter().map(|id| &world.channels[id]).find(|c| c.name == "mod-log").unwrap();
        let carol = world.find_user("carol").unwrap().id;
        assert!(!world.permissions_in(carol, log).contains(Permissions::VIEW_CHANNEL));
        assert!(world.permissions_in(scenario.application, log).contains(Permissions::SEND_MESSAGES));
    }
}
