//! Where an application is installed: to servers, whose member its bot is, and to users.
//!
//! Sources: "Installation Context" of applications and commands, and "Authorizing Integration Owners Object" in Discord's
//! documentation.

use serde_json::{Map, Value, json};

use super::World;
use super::channel::Channel;
use super::command::Command;
use super::user::Application;
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;

/// Interaction contexts.
pub mod context {
    /// A server.
    pub const GUILD: u8 = 0;
    /// Direct messages with the application's bot.
    pub const BOT_DM: u8 = 1;
    /// Direct messages with others.
    pub const PRIVATE_CHANNEL: u8 = 2;
}

const GUILD_INSTALL: u8 = 0;
const USER_INSTALL: u8 = 1;

impl Command {
    /// Returns whether a command is for an installation of this kind. Without a choice it is for both, as the application
    /// here is.
    fn is_for(&self, install: u8) -> bool {
        let guilds_own = self.identity.guild_id.is_some() && install == GUILD_INSTALL;
        let chosen = self.definition.integration_types.as_ref();
        guilds_own
            || (self.identity.guild_id.is_none() && chosen.is_none_or(|chosen| chosen.contains(&install)))
    }

    /// Returns whether a user who has installed the application can run a command in this context.
    fn runs_for_user(&self, context: u8) -> bool {
        let anywhere = || context == context::GUILD || self.definition.dm_permission;
        self.is_for(USER_INSTALL)
            && self.definition.contexts.as_ref().map_or_else(anywhere, |chosen| chosen.contains(&context))
    }
}

/// The installations that an interaction is based on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owners {
    /// That of a server, or of the bot whose direct messages it is in.
    pub guild: Option<Snowflake>,
    /// That of a user.
    pub user: Option<Snowflake>,
}

impl Owners {
    /// Returns `authorizing_integration_owners`.
    pub fn json(self) -> Value {
        let mut owners = Map::new();
        if let Some(guild) = self.guild {
            owners.insert(GUILD_INSTALL.to_string(), json!(guild));
        }
        if let Some(user) = self.user {
            owners.insert(USER_INSTALL.to_string(), json!(user));
        }
        Value::Object(owners)
    }
}

impl World {
    /// Returns the interaction context of a channel for an application.
    pub fn context_of(&self, channel: &Channel, application: Snowflake) -> u8 {
        match channel.guild_id {
            Some(_) => context::GUILD,
            None if channel.recipients.contains(&application) => context::BOT_DM,
            None => context::PRIVATE_CHANNEL,
        }
    }

    /// Returns the installations for which a user can run a command of an application in a channel; without a command,
    /// those that matter there at all.
    pub fn owners(
        &self,
        application: &Application,
        command: Option<&Command>,
        user: Snowflake,
        channel: &Channel,
    ) -> Owners {
        let place = self.context_of(channel, application.id);
        let in_guild = channel.guild_id.filter(|id| {
            self.guilds.get(id).is_some_and(|guild| guild.members.contains_key(&application.id))
        });
        // The "server" of direct messages with the bot has the id 0.
        let here = in_guild.or_else(|| (place == context::BOT_DM).then_some(Snowflake(0)));
        let by_guild = |command: &Command| command.is_for(GUILD_INSTALL) && command.runs_in(place);
        let installed = application.users.contains(&user);
        Owners {
            guild: here.filter(|_| command.is_none_or(by_guild)),
            user: Some(user)
                .filter(|_| installed && command.is_none_or(|command| command.runs_for_user(place))),
        }
    }

    /// Returns the commands that are offered to a user in a channel, of bots that are there and of those that the user has
    /// installed.
    pub fn commands_for(&self, user: Snowflake, channel: &Channel) -> Vec<(&Application, &Command)> {
        let offered = |application| {
            move |command: &&Command| {
                let owners = self.owners(application, Some(command), user, channel);
                owners.guild.is_some() || owners.user.is_some()
            }
        };
        let mut commands = Vec::new();
        for application in self.applications.values() {
            let there = self.owners(application, None, user, channel).guild.is_some();
            let visible = application.commands.visible(channel.guild_id.filter(|_| there));
            commands.extend(
                visible.into_iter().filter(offered(application)).map(|command| (application, command)),
            );
        }
        commands
    }

    /// Returns the permissions that an application has where a user interacts with it. In a server in which its bot is
    /// not, they are those of the user, who speaks through it.
    pub fn app_permissions(&self, application: Snowflake, user: Snowflake, channel: &Channel) -> Permissions {
        let direct = Permissions::ATTACH_FILES | Permissions::EMBED_LINKS | Permissions::MENTION_EVERYONE;
        match self.context_of(channel, application) {
            context::GUILD => {
                let guild = channel.guild_id.and_then(|id| self.guilds.get(&id));
                let there = guild.is_some_and(|guild| guild.members.contains_key(&application));
                self.permissions_in(if there { application } else { user }, channel)
            }
            context::BOT_DM => direct | Permissions::USE_EXTERNAL_EMOJIS,
            _ => direct,
        }
    }

    /// Returns whether answers are for the user alone, since they may not speak through an application that only they
    /// have installed.
    pub fn answers_in_private(&self, owners: Owners, user: Snowflake, channel: &Channel) -> bool {
        let sending = if channel.is_thread() {
            Permissions::SEND_MESSAGES_IN_THREADS
        } else {
            Permissions::SEND_MESSAGES
        };
        channel.guild_id.is_some()
            && owners.guild.is_none()
            && !self.permissions_in(user, channel).contains(Permissions::USE_EXTERNAL_APPS | sending)
    }
}
