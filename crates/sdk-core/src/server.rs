//! What each server has set: settings that plugins declare, plugins and commands that are switched off, and a prefix.
//!
//! # Theory of operation
//!
//! A plugin [declares](SettingDeclaration) its settings, and the declarations are part of its generation. The host
//! stores the values: one document for each plugin and guild, so the cache of documents answers reads and a write of
//! one process reaches the others. A stored value is compared with the declaration when it is read. One that does not
//! fit counts as not set, so a reload with other declarations needs no migration.
//!
//! What every event asks for, the [rules](ServerRules) of a guild, is kept for all guilds in memory and never read from
//! the database on the way of an event: the documents are loaded at the start, and again when the connection was lost;
//! each change is applied when it is written here, or when the database reports that another process has written it.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use serenity::all::GuildId;

use crate::database::{Document, DocumentKey, Documents, Engine, Scope, StoredDocument};
use crate::settings::Settings;
use crate::{Error, PluginId};

mod declaration;
mod parse;
mod rules;
mod value;

pub(crate) use declaration::problems;
pub use declaration::{ServerSetting, SettingDeclaration, SettingKind};
pub use parse::{duration, parse};
pub use rules::{RulesWatch, ServerRules};
pub use value::{SettingType, SettingValue};

/// Most stored values that the log names because they do not fit their declarations.
const UNFIT_LOGGED: usize = 1000;

/// The settings and rules of all servers. Cheap to clone.
#[derive(Clone)]
pub struct Servers(Arc<Inner>);

struct Inner {
    engine: Option<Arc<dyn Engine>>,
    rules: RwLock<HashMap<GuildId, rules::Known>>,
    /// Values that the log has named because they do not fit.
    unfit: Mutex<HashSet<(PluginId, GuildId, &'static str)>>,
}

/// Where a setting's value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingSource {
    /// The server has set it.
    Server,
    /// The bot's variable that the declaration names.
    Bot,
    /// The declaration.
    Default,
}

/// The values that a server has set for a plugin, by the names of its settings.
#[derive(Default, Serialize, Deserialize)]
#[serde(transparent)]
struct StoredValues(Map<String, Value>);

impl Document for StoredValues {
    const NAME: &'static str = "hotcord_settings";
}

impl Servers {
    pub(crate) fn new(engine: Option<Arc<dyn Engine>>) -> Self {
        Self(Arc::new(Inner { engine, rules: RwLock::default(), unfit: Mutex::default() }))
    }

    /// Returns a plugin's settings in a server. `settings` has the variables that are their defaults.
    pub fn settings_of(&self, plugin: PluginId, guild: GuildId, settings: Arc<Settings>) -> Server {
        Server { servers: self.clone(), settings, plugin, guild }
    }

    fn documents<T: Document>(&self, plugin: PluginId, guild: GuildId) -> Documents<T> {
        Documents::new(self.0.engine.clone(), plugin, Scope::Guild(guild))
    }

    /// Returns the document with a plugin's values, or `None` if the server has set none.
    async fn stored(&self, plugin: &PluginId, guild: GuildId) -> Result<Option<Arc<StoredDocument>>, Error> {
        let Some(engine) = &self.0.engine else { return Ok(None) };
        let key = DocumentKey {
            plugin: plugin.clone(),
            kind: StoredValues::NAME.to_owned(),
            scope: Scope::Guild(guild),
        };
        Ok(engine.document(&key).await?)
    }

    /// Logs that a stored value does not fit its declaration, once.
    fn report_unfit(&self, plugin: &PluginId, guild: GuildId, setting: &'static str, value: &Value) {
        let mut unfit = self.0.unfit.lock();
        if unfit.len() < UNFIT_LOGGED && unfit.insert((plugin.clone(), guild, setting)) {
            tracing::warn!(%plugin, %guild, setting, %value, "a stored value does not fit its declaration and counts as not set");
        }
    }
}

impl fmt::Debug for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Servers").field("rules", &self.0.rules.read().len()).finish_non_exhaustive()
    }
}

/// A plugin's settings in one server: `ctx.data().server(guild).get(CHANNEL).await?`.
#[derive(Clone, Debug)]
pub struct Server {
    servers: Servers,
    settings: Arc<Settings>,
    plugin: PluginId,
    guild: GuildId,
}

impl Server {
    /// Returns the value of a setting: what the server has set, otherwise the bot's variable, otherwise the default.
    ///
    /// # Errors
    /// If the database does not answer, or if the bot's variable does not fit.
    pub async fn get<T: SettingType>(&self, setting: ServerSetting<T>) -> Result<T, Error> {
        Ok(T::from_value(self.value(setting.declaration()).await?.0))
    }

    /// Returns whether this plugin is switched on in the server. Where it is not, the host calls none of its commands
    /// and handlers; only calls of its services have to ask.
    pub fn is_on(&self) -> bool {
        !self.servers.is_off(self.guild, &self.plugin, None)
    }

    /// Returns the value of a declared setting and where it comes from; `None` if it has no value.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn value(
        &self,
        declaration: SettingDeclaration,
    ) -> Result<(Option<SettingValue>, SettingSource), Error> {
        let stored = self.servers.stored(&self.plugin, self.guild).await?;
        if let Some(stored) = stored.as_ref().and_then(|stored| stored.value.get(declaration.name)) {
            match declaration.kind.read(stored) {
                Some(value) => return Ok((Some(value), SettingSource::Server)),
                None => self.servers.report_unfit(&self.plugin, self.guild, declaration.name, stored),
            }
        }
        let variable = declaration.variable.and_then(|name| Some((name, self.settings.variable(name)?)));
        let Some((name, text)) = variable else {
            return Ok((declaration.kind.default_value(), SettingSource::Default));
        };
        match parse(&declaration.kind, text, None) {
            Ok(value) => Ok((Some(value), SettingSource::Bot)),
            Err(expected) => Err(format!("{name} {expected}, not '{text}'").into()),
        }
    }

    /// Stores a value that was checked against the setting's declaration, or removes what is stored. Returns whether a
    /// value was stored before.
    pub(crate) async fn store(
        &self,
        setting: &'static str,
        value: Option<&SettingValue>,
    ) -> Result<bool, Error> {
        let documents = self.servers.documents::<StoredValues>(self.plugin.clone(), self.guild);
        if value.is_none() && documents.find().await?.is_none_or(|stored| !stored.0.contains_key(setting)) {
            return Ok(false);
        }
        self.servers.0.unfit.lock().remove(&(self.plugin.clone(), self.guild, setting));
        let change = |stored: &mut StoredValues| match value {
            Some(value) => stored.0.insert(setting.to_owned(), value.to_json()).is_some(),
            None => stored.0.remove(setting).is_some(),
        };
        documents.update(change).await
    }
}
