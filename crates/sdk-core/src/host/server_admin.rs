//! What a manager of a server can see and change: settings of all live plugins, what is switched off, and the prefix.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serenity::all::{Context, GuildId, UserId};

use crate::definition::CommandKind;
use crate::routing_table::RoutingTable;
use crate::server::{self, ServerRules, Servers, SettingDeclaration, SettingSource, SettingValue};
use crate::settings::Settings;
use crate::text::{Surface, foreign, is_control};
use crate::{Data, Error, PluginId, Refusal};

/// Maximum number of characters of a prefix.
const PREFIX: usize = 10;
/// Maximum number of characters of what a user has entered that an answer repeats.
const REPEATED: usize = 50;

/// Access to everything that a server can change. It belongs to no plugin; whoever uses it checks permissions.
pub struct ServerAdmin {
    guild: GuildId,
    live: Arc<RoutingTable>,
    servers: Servers,
    settings: Arc<Settings>,
    context: Option<Context>,
}

/// A setting that a live plugin declares.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveSetting {
    /// Name with the plugin's, for example `welcome.channel`.
    pub name: String,
    /// The plugin.
    pub plugin: PluginId,
    /// Its declaration.
    pub declaration: SettingDeclaration,
}

/// What can be switched off.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Switch {
    /// A plugin, with all its commands and listeners.
    Plugin(PluginId),
    /// A command with all its subcommands.
    Command {
        /// Its name.
        name: String,
        /// Whether it is a slash command.
        is_slash: bool,
    },
}

impl fmt::Display for Switch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plugin(id) => id.fmt(f),
            Self::Command { name, is_slash: true } => write!(f, "/{name}"),
            Self::Command { name, is_slash: false } => f.write_str(name),
        }
    }
}

impl Data {
    /// Returns access to everything that managers of a server can change, in all live plugins.
    pub fn server_admin(&self, guild: GuildId) -> ServerAdmin {
        ServerAdmin {
            guild,
            live: self.live(),
            servers: self.services().servers().clone(),
            settings: self.settings(),
            context: self.serenity_context(),
        }
    }
}

impl ServerAdmin {
    /// Returns the settings that live plugins declare, sorted by their plugins.
    pub fn settings(&self) -> Vec<LiveSetting> {
        let mut shorts = BTreeMap::<&str, u32>::new();
        for plugin in self.live.generations().keys() {
            *shorts.entry(plugin.short()).or_default() += 1;
        }
        let live = self.live.generations().iter();
        live.flat_map(|(plugin, generation)| {
            let prefix = if shorts[plugin.short()] == 1 { plugin.short() } else { plugin.as_str() };
            generation.server_settings().iter().map(move |declaration| LiveSetting {
                name: format!("{prefix}.{}", declaration.name),
                plugin: plugin.clone(),
                declaration: *declaration,
            })
        })
        .collect()
    }

    /// Finds a setting by its name.
    ///
    /// # Errors
    /// If no live plugin declares it.
    pub fn setting(&self, name: &str) -> Result<LiveSetting, Refusal> {
        let entered = name.trim();
        let is_it = |setting: &LiveSetting| {
            let full = format!("{}.{}", setting.plugin, setting.declaration.name);
            setting.name.eq_ignore_ascii_case(entered) || full.eq_ignore_ascii_case(entered)
        };
        self.settings().into_iter().find(is_it).ok_or_else(|| {
            let entered = foreign(entered, Surface::Code, REPEATED);
            Refusal::new(format!("There is no setting `{entered}`; /config show lists them."))
        })
    }

    /// Returns a setting's value and where it comes from.
    ///
    /// # Errors
    /// If the database does not answer, or the bot's variable does not fit.
    pub async fn value(&self, setting: &LiveSetting) -> Result<(Option<SettingValue>, SettingSource), Error> {
        self.of(setting).value(setting.declaration).await
    }

    /// Sets a setting to what a user has entered: a mention, an id or a name, `yes`, `1h 30m`. It applies when this
    /// returns.
    ///
    /// # Errors
    /// If it does not fit the declaration, or names nothing in this server; the sentence says what does.
    pub async fn set(&self, setting: &LiveSetting, entered: &str) -> Result<SettingValue, Error> {
        let kind = &setting.declaration.kind;
        let value = {
            let guild = self.context.as_ref().and_then(|ctx| ctx.cache.guild(self.guild));
            if guild.is_none() && kind.is_of_guild() {
                let words = "This server is not known well enough yet. Please try again in a moment.";
                return Err(Refusal::new(words).into());
            }
            server::parse(kind, entered, guild.as_deref())
        };
        let unfit = |expected: &str| {
            let (name, entered) = (&setting.name, foreign(entered, Surface::Code, REPEATED));
            Refusal::new(format!("`{name}` {expected}, not `{entered}`."))
        };
        let value = value.map_err(|expected| unfit(&expected))?;
        if let SettingValue::User(user) = value
            && !self.is_member(user).await?
        {
            return Err(unfit("has to be a member of this server").into());
        }
        self.of(setting).store(setting.declaration.name, Some(&value)).await?;
        Ok(value)
    }

    /// Removes what the server has set. Returns whether it had set something.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn reset(&self, setting: &LiveSetting) -> Result<bool, Error> {
        self.of(setting).store(setting.declaration.name, None).await
    }

    /// Returns what can be switched off: plugins first, then commands.
    pub fn switches(&self) -> Vec<Switch> {
        let mut all = Vec::new();
        for (plugin, generation) in self.live.generations() {
            if generation.is_always_on() {
                continue;
            }
            all.push(Switch::Plugin(plugin.clone()));
            for key in generation.definitions().keys() {
                let is_slash = key.kind == CommandKind::Slash;
                all.push(Switch::Command { name: key.name.clone(), is_slash });
            }
            let text = generation.commands().iter().filter(|command| command.prefix_action.is_some());
            let only_text = text.filter(|command| command.slash_action.is_none());
            all.extend(
                only_text.map(|command| Switch::Command { name: command.name.to_string(), is_slash: false }),
            );
        }
        all.sort();
        all.dedup();
        all
    }

    /// Returns what is switched off, also if it is not live at the moment.
    pub fn switched_off(&self) -> Vec<Switch> {
        let rules = self.servers.rules(self.guild);
        let known = self.switches();
        let plugins = rules.plugins_off.iter().map(|id| Switch::Plugin(PluginId::new(id)));
        let commands = rules.commands_off.iter().map(|off| {
            let is_it = |switch: &&Switch| matches!(switch, Switch::Command { name, .. } if name == off);
            // The slash command comes last in the order.
            let live = known.iter().rev().find(is_it).cloned();
            live.unwrap_or_else(|| Switch::Command { name: off.clone(), is_slash: true })
        });
        plugins.chain(commands).collect()
    }

    /// Finds a plugin or a command by its name among `switches`. Returns `None` if there is none.
    fn find(switches: Vec<Switch>, entered: &str) -> Option<Switch> {
        let bare = entered.strip_prefix('/').unwrap_or(entered);
        let is_it = |switch: &Switch| match switch {
            Switch::Plugin(id) => id.as_str().eq_ignore_ascii_case(entered),
            Switch::Command { name, .. } => name.to_lowercase() == bare.to_lowercase(),
        };
        let mut found: Vec<_> = switches.into_iter().filter(is_it).collect();
        found.pop()
    }

    /// Switches a plugin or command off or on, by its name. It applies when this returns. Returns what it was, and
    /// whether that has changed anything.
    ///
    /// # Errors
    /// If there is none of that name, if it cannot be switched off, or if the database does not answer.
    pub async fn switch(&self, entered: &str, on: bool) -> Result<(Switch, bool), Error> {
        let entered = entered.trim();
        let among = if on {
            self.switched_off().into_iter().chain(self.switches()).collect()
        } else {
            self.switches()
        };
        let switch = Self::find(among, entered).ok_or_else(|| self.unknown(entered))?;
        let changed = self.servers.change_rules(self.guild, |rules: &mut ServerRules| match &switch {
            Switch::Plugin(id) if on => rules.plugins_off.remove(id.as_str()),
            Switch::Plugin(id) => rules.plugins_off.insert(id.to_string()),
            Switch::Command { name, .. } if on => rules.commands_off.remove(name),
            Switch::Command { name, .. } => rules.commands_off.insert(name.clone()),
        });
        let changed = changed.await?;
        Ok((switch, changed))
    }

    /// Returns the plugin of a command if the server has switched that plugin off.
    pub fn plugin_off(&self, switch: &Switch) -> Option<PluginId> {
        let Switch::Command { name, .. } = switch else { return None };
        let has = |command: &crate::Command| command.name == *name;
        let mut live = self.live.generations().values();
        let owner = live.find(|generation| {
            generation.definitions().keys().any(|key| key.name == *name)
                || generation.commands().iter().any(has)
        })?;
        owner.is_off(Some(self.guild), None).then(|| owner.plugin().clone())
    }

    /// Returns the server's own prefix of text commands, and the bot's.
    pub fn prefix(&self) -> (Option<String>, Option<String>) {
        (self.servers.prefix(self.guild), self.settings.prefix.clone())
    }

    /// Sets the prefix of text commands in this server, or goes back to the bot's. It applies when this returns.
    ///
    /// # Errors
    /// If it cannot be a prefix, or text commands are turned off for the bot.
    pub async fn set_prefix(&self, prefix: Option<&str>) -> Result<(), Error> {
        let prefix = prefix.map(str::trim);
        if let Some(prefix) = prefix {
            if self.settings.prefix.is_none() {
                let words = "Text commands are turned off for this bot; whoever runs it can turn them on with COMMAND_PREFIX.";
                return Err(Refusal::new(words).into());
            }
            let is_wrong = |c: char| c.is_whitespace() || is_control(c);
            if prefix.is_empty() || prefix.chars().count() > PREFIX || prefix.contains(is_wrong) {
                let words = format!("A prefix has to be 1 to {PREFIX} characters without spaces.");
                return Err(Refusal::new(words).into());
            }
            if prefix.starts_with('/') {
                return Err(Refusal::new(
                    "A prefix cannot begin with /, because Discord takes that for slash commands.",
                )
                .into());
            }
        }
        let prefix = prefix.map(str::to_owned);
        self.servers.change_rules(self.guild, |rules| rules.prefix.clone_from(&prefix)).await
    }

    fn of(&self, setting: &LiveSetting) -> server::Server {
        self.servers.settings_of(setting.plugin.clone(), self.guild, self.settings.clone())
    }

    fn unknown(&self, entered: &str) -> Refusal {
        let bare = entered.strip_prefix('/').unwrap_or(entered);
        let mut live = self.live.generations().iter().filter(|(_, generation)| generation.is_always_on());
        let is_protected = live.any(|(plugin, generation)| {
            plugin.as_str() == entered || generation.definitions().keys().any(|key| key.name == bare)
        });
        let entered = foreign(entered, Surface::Code, REPEATED);
        Refusal::new(if is_protected {
            format!("`{entered}` cannot be switched off.")
        } else {
            format!("There is no plugin or command `{entered}`.")
        })
    }

    async fn is_member(&self, user: UserId) -> Result<bool, Error> {
        let Some(context) = &self.context else { return Ok(false) };
        match self.guild.member(context, user).await {
            Ok(_) => Ok(true),
            Err(error) if is_unknown(&error) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

/// Returns whether Discord knows no such member.
fn is_unknown(error: &serenity::Error) -> bool {
    matches!(
        error,
        serenity::Error::Http(serenity::all::HttpError::UnsuccessfulRequest(answer))
            if answer.status_code.as_u16() == 404
    )
}
