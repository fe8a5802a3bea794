//! Values that outlive every reload, kept by the host as data and never as a plugin's own type.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::checkpoint::Changes;
use crate::{Error, PluginId};

type Values = BTreeMap<(PluginId, String), Value>;

/// All plugins' values; a plugin sees its own through [`Data::store`](crate::Data::store).
#[derive(Clone, Debug, Default)]
pub struct Store {
    values: Arc<Mutex<Values>>,
    changes: Changes,
}

impl Store {
    pub(crate) fn new(changes: Changes) -> Self {
        Self { values: Arc::default(), changes }
    }

    /// Gives everything, to be kept.
    pub(crate) fn all(&self) -> BTreeMap<PluginId, BTreeMap<String, Value>> {
        let mut all = BTreeMap::<PluginId, BTreeMap<String, Value>>::new();
        for ((plugin, key), value) in self.values.lock().iter() {
            all.entry(plugin.clone()).or_default().insert(key.clone(), value.clone());
        }
        all
    }

    /// Takes over what was kept.
    pub(crate) fn restore(&self, all: BTreeMap<PluginId, BTreeMap<String, Value>>) {
        let values = all.into_iter().flat_map(|(plugin, values)| {
            values.into_iter().map(move |(key, value)| ((plugin.clone(), key), value))
        });
        self.values.lock().extend(values);
    }

    /// Gives the part of the store that belongs to `plugin`.
    pub fn of(&self, plugin: &PluginId) -> PluginStore {
        PluginStore { store: self.clone(), plugin: plugin.clone() }
    }
}

/// One plugin's values, by key, serialised as JSON.
#[derive(Clone, Debug)]
pub struct PluginStore {
    store: Store,
    plugin: PluginId,
}

impl PluginStore {
    /// Reads a value.
    ///
    /// # Errors
    /// When the value does not have the shape of `T`, which a changed struct may cause.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Error> {
        let Some(value) = self.locked(key).value().cloned() else { return Ok(None) };
        T::deserialize(&value).map(Some).map_err(|error| self.unfit(key, &error))
    }

    /// Writes a value.
    ///
    /// # Errors
    /// When `value` cannot be serialised.
    pub fn put<T: Serialize>(&self, key: &str, value: &T) -> Result<(), Error> {
        let value = serde_json::to_value(value).map_err(|error| self.unfit(key, &error))?;
        self.locked(key).set(value);
        self.store.changes.mark();
        Ok(())
    }

    /// Changes a value in one step that no other caller sees half done, and gives what `change` returns.
    ///
    /// # Errors
    /// As [`get`](Self::get) and [`put`](Self::put); the value is then as it was.
    pub fn update<T: DeserializeOwned + Serialize, R>(
        &self,
        key: &str,
        change: impl FnOnce(Option<&mut T>) -> R,
    ) -> Result<R, Error> {
        let mut locked = self.locked(key);
        let Some(value) = locked.value() else { return Ok(change(None)) };
        let mut typed = T::deserialize(&*value).map_err(|error| self.unfit(key, &error))?;
        let result = change(Some(&mut typed));
        *value = serde_json::to_value(&typed).map_err(|error| self.unfit(key, &error))?;
        self.store.changes.mark();
        Ok(result)
    }

    /// Removes a value and says whether there was one.
    pub fn remove(&self, key: &str) -> bool {
        let was_there = self.store.values.lock().remove(&self.key(key)).is_some();
        self.store.changes.mark();
        was_there
    }

    fn key(&self, key: &str) -> (PluginId, String) {
        (self.plugin.clone(), key.to_owned())
    }

    fn locked(&self, key: &str) -> Locked<'_> {
        Locked { values: self.store.values.lock(), key: self.key(key) }
    }

    fn unfit(&self, key: &str, error: &serde_json::Error) -> Error {
        format!("the stored value '{key}' of {} does not fit its type: {error}", self.plugin).into()
    }
}

/// One key of the locked store; not generic, so that plugins do not compile the map and the lock again.
struct Locked<'a> {
    values: MutexGuard<'a, Values>,
    key: (PluginId, String),
}

impl Locked<'_> {
    fn value(&mut self) -> Option<&mut Value> {
        self.values.get_mut(&self.key)
    }

    fn set(mut self, value: Value) {
        self.values.insert(self.key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plugins_do_not_see_each_others_values() {
        let store = Store::default();
        let (one, two) = (store.of(&PluginId::new("commands/one")), store.of(&PluginId::new("commands/two")));
        one.put("key", &1).unwrap();
        assert_eq!(one.get::<u32>("key").unwrap(), Some(1));
        assert_eq!(two.get::<u32>("key").unwrap(), None);
    }

    #[test]
    fn a_value_of_another_shape_is_named_and_kept() {
        let store = Store::default().of(&PluginId::new("commands/one"));
        store.put("key", &"text").unwrap();
        let error = store.update::<u32, _>("key", |_| ()).unwrap_err();
        assert!(error.to_string().contains("'key' of commands/one"), "{error}");
        assert_eq!(store.get::<String>("key").unwrap().as_deref(), Some("text"));
    }
}
