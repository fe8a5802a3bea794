//! What is switched off in a server, and its prefix: kept in memory for all servers.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serenity::all::GuildId;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::Servers;
use crate::database::{DatabaseError, Document, DocumentChange, DocumentKey, Engine, Scope, StoredDocument};
use crate::{Error, PluginId};

/// Name under which the host's own documents are kept. A plugin's has its folder in it.
const HOST: &str = "hotcord";
/// Waits before further attempts to load the rules.
const AGAIN: Duration = Duration::from_secs(1);
const AGAIN_AT_MOST: Duration = Duration::from_mins(1);

/// What the host itself keeps for a server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ServerRules {
    /// Plugins that are switched off, by their ids.
    pub plugins_off: BTreeSet<String>,
    /// Commands that are switched off, by their names without a slash.
    pub commands_off: BTreeSet<String>,
    /// Prefix of text commands, in place of the bot's.
    pub prefix: Option<String>,
}

impl Document for ServerRules {
    const NAME: &'static str = "server_rules";
}

/// A server's rules with the revision of their document.
pub(super) struct Known {
    revision: u64,
    rules: Arc<ServerRules>,
}

impl Servers {
    /// Returns whether a plugin is switched off in a server, or one of its commands, if one is given.
    pub fn is_off(&self, guild: GuildId, plugin: &PluginId, command: Option<&str>) -> bool {
        self.0.rules.read().get(&guild).is_some_and(|Known { rules, .. }| {
            rules.plugins_off.contains(plugin.as_str())
                || command.is_some_and(|command| rules.commands_off.contains(command))
        })
    }

    /// Returns a server's own prefix of text commands, if it has set one.
    pub fn prefix(&self, guild: GuildId) -> Option<String> {
        self.0.rules.read().get(&guild).and_then(|known| known.rules.prefix.clone())
    }

    /// Returns the rules of a server.
    pub fn rules(&self, guild: GuildId) -> Arc<ServerRules> {
        self.0.rules.read().get(&guild).map(|known| known.rules.clone()).unwrap_or_default()
    }

    /// Changes the rules of a server. They apply when this returns. Returns what `change` returns.
    pub(crate) async fn change_rules<R>(
        &self,
        guild: GuildId,
        change: impl FnMut(&mut ServerRules) -> R,
    ) -> Result<R, Error> {
        let changed = self.documents(PluginId::new(HOST), guild).update(change).await?;
        if let Some(engine) = &self.0.engine {
            self.refresh(&**engine, guild).await?;
        }
        Ok(changed)
    }

    /// Begins to follow changes of rules, those of other processes included.
    pub fn watch_rules(&self) -> RulesWatch {
        let changes = self.0.engine.as_ref().map(|engine| engine.document_changes());
        RulesWatch { servers: self.clone(), changes, is_loaded: false, is_reported: false }
    }

    /// Forgets the rules of a server, whose document was erased.
    pub(crate) fn forget(&self, guild: GuildId) {
        self.0.rules.write().remove(&guild);
    }

    fn revisions(&self) -> HashMap<GuildId, u64> {
        self.0.rules.read().iter().map(|(guild, known)| (*guild, known.revision)).collect()
    }

    async fn load(&self, engine: &dyn Engine) -> Result<(), DatabaseError> {
        let before = self.revisions();
        let found = engine.documents_of(&PluginId::new(HOST), ServerRules::NAME).await?;
        let there: HashSet<GuildId> = found.iter().filter_map(|(key, _)| key.scope.guild()).collect();
        for (key, stored) in found {
            self.apply(&key, &stored);
        }
        // What was erased meanwhile is gone. What has changed since is newer than what was read.
        self.0.rules.write().retain(|guild, known| {
            there.contains(guild) || before.get(guild).is_none_or(|revision| *revision < known.revision)
        });
        Ok(())
    }

    async fn refresh(&self, engine: &dyn Engine, guild: GuildId) -> Result<(), DatabaseError> {
        let key = DocumentKey {
            plugin: PluginId::new(HOST),
            kind: ServerRules::NAME.to_owned(),
            scope: Scope::Guild(guild),
        };
        let before = self.0.rules.read().get(&guild).map(|known| known.revision);
        match engine.document(&key).await? {
            Some(stored) => self.apply(&key, &stored),
            None => {
                let mut all = self.0.rules.write();
                if all.get(&guild).map(|known| known.revision) == before {
                    all.remove(&guild);
                }
            }
        }
        Ok(())
    }

    /// Takes the rules of a document, unless newer ones are known.
    fn apply(&self, key: &DocumentKey, stored: &StoredDocument) {
        let Some(guild) = key.scope.guild() else { return };
        let rules = match ServerRules::deserialize(&stored.value) {
            Ok(rules) => Arc::new(rules),
            Err(error) => {
                tracing::warn!(%guild, %error, "the rules of a server cannot be read and are not applied");
                return;
            }
        };
        let mut all = self.0.rules.write();
        if all.get(&guild).is_none_or(|known| known.revision < stored.revision) {
            all.insert(guild, Known { revision: stored.revision, rules });
        }
    }
}

/// Keeps the rules in memory up to date.
pub struct RulesWatch {
    servers: Servers,
    changes: Option<Receiver<DocumentChange>>,
    is_loaded: bool,
    is_reported: bool,
}

impl RulesWatch {
    /// Loads the rules of all servers, and again after a while if the database cannot be read. Until then everything
    /// counts as switched on.
    pub async fn load(&mut self) {
        let mut wait = AGAIN;
        while let Some(engine) = &self.servers.0.engine
            && !self.is_loaded
        {
            match self.servers.load(&**engine).await {
                Ok(()) => (self.is_loaded, self.is_reported) = (true, false),
                Err(error) => {
                    if !std::mem::replace(&mut self.is_reported, true) {
                        tracing::warn!(%error, "what servers have switched off cannot be read; what is not known counts as switched on");
                    }
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(AGAIN_AT_MOST);
                }
            }
        }
    }

    /// Applies changes until the future is dropped.
    pub async fn follow(mut self) {
        loop {
            self.load().await;
            let Some(changes) = &mut self.changes else { return };
            match changes.recv().await {
                Ok(DocumentChange::One(key)) => self.changed(&key).await,
                Ok(DocumentChange::All) | Err(RecvError::Lagged(_)) => self.is_loaded = false,
                Err(RecvError::Closed) => return,
            }
        }
    }

    async fn changed(&mut self, key: &DocumentKey) {
        let is_ours = key.plugin.as_str() == HOST && key.kind == ServerRules::NAME;
        if let (true, Some(guild), Some(engine)) = (is_ours, key.scope.guild(), &self.servers.0.engine)
            && self.servers.refresh(&**engine, guild).await.is_err()
        {
            self.is_loaded = false;
        }
    }
}
