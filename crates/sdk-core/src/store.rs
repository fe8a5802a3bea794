//! Values that outlive every reload. The host keeps them as data, never as a plugin's own type.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::changes::Changes;
use crate::state::{MAX_BYTES, json_bytes};
use crate::{Error, PluginId};

/// Most bytes of a key.
pub const MAX_KEY: usize = 1_024;

type Values = BTreeMap<(PluginId, String), Stored>;

/// A value, and the size of its key and value as JSON.
#[derive(Clone, Debug)]
struct Stored {
    value: Value,
    bytes: usize,
}

impl Stored {
    fn new(key: &str, value: Value) -> Self {
        let bytes = key.len() + json_bytes(&value);
        Self { value, bytes }
    }
}

/// All plugins' values. A plugin accesses its own through [`Data::store`](crate::Data::store).
#[derive(Clone, Debug, Default)]
pub struct Store {
    values: Arc<Mutex<Values>>,
    changes: Changes,
}

impl Store {
    pub(crate) fn new(changes: Changes) -> Self {
        Self { values: Arc::default(), changes }
    }

    /// Returns all values, for storing.
    pub(crate) fn all(&self) -> BTreeMap<PluginId, BTreeMap<String, Value>> {
        let mut all = BTreeMap::<PluginId, BTreeMap<String, Value>>::new();
        for ((plugin, key), stored) in self.values.lock().iter() {
            all.entry(plugin.clone()).or_default().insert(key.clone(), stored.value.clone());
        }
        all
    }

    /// Restores stored values.
    pub(crate) fn restore(&self, all: BTreeMap<PluginId, BTreeMap<String, Value>>) {
        let values = all.into_iter().flat_map(|(plugin, values)| {
            values.into_iter().map(move |(key, value)| {
                let stored = Stored::new(&key, value);
                ((plugin.clone(), key), stored)
            })
        });
        self.values.lock().extend(values);
    }

    /// Returns the part of the store that belongs to `plugin`.
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
    /// If the value does not have the shape of `T`, for example because the struct has changed.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Error> {
        let Some(value) = self.locked(key).value().cloned() else { return Ok(None) };
        T::deserialize(&value).map(Some).map_err(|error| self.unfit(key, &error))
    }

    /// Writes a value.
    ///
    /// # Errors
    /// If `value` cannot be serialised, if the key is longer than [`MAX_KEY`], or if the plugin's values would be larger
    /// than [`MAX_BYTES`] with it. The old value then stays.
    pub fn put<T: Serialize>(&self, key: &str, value: &T) -> Result<(), Error> {
        let value = serde_json::to_value(value).map_err(|error| self.unfit(key, &error))?;
        self.locked(key).set(value)?;
        self.store.changes.mark();
        Ok(())
    }

    /// Changes a value in one step, of which no other caller sees an intermediate result. Returns what `change`
    /// returns.
    ///
    /// # Errors
    /// As [`get`](Self::get) and [`put`](Self::put). The value is then unchanged.
    pub fn update<T: DeserializeOwned + Serialize, R>(
        &self,
        key: &str,
        change: impl FnOnce(Option<&mut T>) -> R,
    ) -> Result<R, Error> {
        let locked = self.locked(key);
        let Some(value) = locked.value() else { return Ok(change(None)) };
        let mut typed = T::deserialize(value).map_err(|error| self.unfit(key, &error))?;
        let result = change(Some(&mut typed));
        locked.set(serde_json::to_value(&typed).map_err(|error| self.unfit(key, &error))?)?;
        self.store.changes.mark();
        Ok(result)
    }

    /// Removes a value. Returns whether there was one.
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

/// A key of the locked store. It is not generic, so that plugins do not compile the map and the lock again.
struct Locked<'a> {
    values: MutexGuard<'a, Values>,
    key: (PluginId, String),
}

impl Locked<'_> {
    fn value(&self) -> Option<&Value> {
        self.values.get(&self.key).map(|stored| &stored.value)
    }

    fn set(mut self, value: Value) -> Result<(), Error> {
        let (plugin, key) = &self.key;
        if key.contains('\0') || key.len() > MAX_KEY {
            return Err(format!(
                "a key of {plugin} has a zero byte or more than {MAX_KEY} bytes, which not every database keeps"
            )
            .into());
        }
        let stored = Stored::new(key, value);
        let own =
            self.values.range((plugin.clone(), String::new())..).take_while(|((of, _), _)| of == plugin);
        let others: usize = own.filter(|((_, other), _)| other != key).map(|(_, stored)| stored.bytes).sum();
        let bytes = others + stored.bytes;
        if bytes > MAX_BYTES {
            return Err(format!(
                "the stored values of {plugin} would be {bytes} bytes with '{key}', and at most {MAX_BYTES} are kept; \
                 remove some first"
            )
            .into());
        }
        self.values.insert(self.key, stored);
        Ok(())
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
    fn what_a_plugin_keeps_is_bounded_and_what_was_there_stays() {
        let all = Store::default();
        let store = all.of(&PluginId::new("commands/one"));
        // Two quotes and a key of one character count too.
        let text = |length: usize| "x".repeat(length - 3);
        store.put("a", &text(MAX_BYTES / 2)).unwrap();
        store.put("b", &text(MAX_BYTES / 2)).unwrap();
        let refused = store.put("c", &1).unwrap_err().to_string();
        assert!(refused.contains("commands/one") && refused.contains("remove some"), "{refused}");
        assert!(store.update("b", |text: Option<&mut String>| text.unwrap().push('x')).is_err());
        assert_eq!(store.get::<String>("b").unwrap().unwrap().len(), MAX_BYTES / 2 - 3);
        // A value of the same size replaces it, and another plugin has a limit of its own.
        store.put("b", &text(MAX_BYTES / 2)).unwrap();
        all.of(&PluginId::new("commands/two")).put("c", &1).unwrap();
        store.remove("a");
        store.put("c", &1).unwrap();
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
