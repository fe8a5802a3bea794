//! What the bot remembers, as rows.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::PluginId;
use crate::state_history::Saved;
use crate::voice::SavedVoice;

/// Key of a row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RowKey {
    pub(super) area: String,
    /// Empty for what belongs to no plugin.
    pub(super) plugin: String,
    pub(super) key: String,
}

/// Rows with their JSON.
pub(super) type Rows = BTreeMap<RowKey, String>;

/// Values of [`Data::store`](crate::Data::store), by their key.
const VALUE: &str = "value";
/// The state of a plugin.
const STATE: &str = "state";
/// A snapshot of a plugin's state, by its number.
const SNAPSHOT: &str = "snapshot";
/// The number of a plugin's last snapshot.
const LAST_SNAPSHOT: &str = "last_snapshot";
/// The player of a guild.
const PLAYER: &str = "player";
/// The settings of a guild's player.
const PLAYER_SETTINGS: &str = "player_settings";
/// Whether the players were closed by an orderly end.
const PLAYERS_CLOSED: &str = "players_closed";

/// What the bot remembers, except for timers.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Contents {
    pub(super) store: BTreeMap<PluginId, BTreeMap<String, Value>>,
    pub(super) plugins: BTreeMap<PluginId, Saved>,
    pub(super) voice: SavedVoice,
}

fn put<T: Serialize>(
    rows: &mut Rows,
    area: &str,
    plugin: &str,
    key: &dyn ToString,
    body: &T,
) -> serde_json::Result<()> {
    let key = RowKey { area: area.to_owned(), plugin: plugin.to_owned(), key: key.to_string() };
    rows.insert(key, serde_json::to_string(body)?);
    Ok(())
}

impl Contents {
    /// Returns the rows.
    pub(super) fn rows(&self) -> serde_json::Result<Rows> {
        let mut rows = Rows::new();
        for (plugin, values) in &self.store {
            for (key, value) in values {
                put(&mut rows, VALUE, plugin.as_str(), key, value)?;
            }
        }
        for (plugin, saved) in &self.plugins {
            let plugin = plugin.as_str();
            if let Some(state) = &saved.parked {
                put(&mut rows, STATE, plugin, &"", state)?;
            }
            for snapshot in &saved.kept {
                put(&mut rows, SNAPSHOT, plugin, &snapshot.number, snapshot)?;
            }
            if !saved.kept.is_empty() {
                put(&mut rows, LAST_SNAPSHOT, plugin, &"", &saved.last)?;
            }
        }
        for (guild, player) in &self.voice.players {
            put(&mut rows, PLAYER, "", guild, player)?;
        }
        for (guild, settings) in &self.voice.settings {
            put(&mut rows, PLAYER_SETTINGS, "", guild, settings)?;
        }
        put(&mut rows, PLAYERS_CLOSED, "", &"", &self.voice.closed)?;
        Ok(rows)
    }

    /// Returns what rows contain, and the keys of those that cannot be read, with the reason. Areas of a newer bot are
    /// ignored.
    pub(super) fn read(rows: &Rows) -> (Self, Vec<(RowKey, String)>) {
        let (mut contents, mut unread) = (Self::default(), Vec::new());
        for (key, body) in rows {
            if let Err(error) = contents.take(key, body) {
                unread.push((key.clone(), error));
            }
        }
        for saved in contents.plugins.values_mut() {
            // As text, 10 comes before 9.
            saved.kept.make_contiguous().sort_by_key(|snapshot| snapshot.number);
        }
        (contents, unread)
    }

    fn take(&mut self, RowKey { area, plugin, key }: &RowKey, body: &str) -> Result<(), String> {
        let id = || PluginId::new(plugin);
        match area.as_str() {
            VALUE => _ = self.store.entry(id()).or_default().insert(key.clone(), json(body)?),
            STATE => self.plugins.entry(id()).or_default().parked = Some(json(body)?),
            SNAPSHOT => self.plugins.entry(id()).or_default().kept.push_back(json(body)?),
            LAST_SNAPSHOT => self.plugins.entry(id()).or_default().last = json(body)?,
            PLAYER => _ = self.voice.players.insert(guild(key)?, json(body)?),
            PLAYER_SETTINGS => _ = self.voice.settings.insert(guild(key)?, json(body)?),
            PLAYERS_CLOSED => self.voice.closed = json(body)?,
            _ => {}
        }
        Ok(())
    }
}

fn guild(key: &str) -> Result<serenity::all::GuildId, String> {
    key.parse().map_err(|_| "its key is no id of a guild".to_owned())
}

fn json<T: DeserializeOwned>(body: &str) -> Result<T, String> {
    serde_json::from_str(body).map_err(|error| error.to_string())
}
