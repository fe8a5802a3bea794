//! What one shard's session knows, as raw JSON that events change. Fields that nobody here knows are kept.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::value::RawValue;

use crate::frame::Id;

mod apply;
mod guild;
#[cfg(test)]
mod tests;

pub(crate) use guild::{Fields, Guild};

/// The state of one shard.
#[derive(Debug)]
pub(crate) struct State {
    /// Data of READY, without the guilds.
    ready: Option<Fields>,
    /// The bot's own id.
    me: Option<u64>,
    /// The guilds whose contents are known.
    guilds: BTreeMap<u64, Guild>,
    /// The guilds that are known to exist, without contents.
    unavailable: BTreeSet<u64>,
    /// Most members kept of a guild.
    members: usize,
}

impl State {
    /// Creates a state that knows nothing, and will keep at most so many members of a guild.
    pub(crate) fn new(members: usize) -> Self {
        Self { ready: None, me: None, guilds: BTreeMap::new(), unavailable: BTreeSet::new(), members }
    }

    /// Begins again with the data of a READY. Returns whether it is one.
    pub(crate) fn reset(&mut self, ready: &str) -> bool {
        let Ok(mut fields) = serde_json::from_str::<Fields>(ready) else { return false };
        let guilds = fields.shift_remove("guilds");
        self.unavailable = guilds.map(|guilds| ids(guilds.get())).unwrap_or_default();
        self.me = fields.get("user").and_then(|user| crate::frame::Ids::of(user.get()).id).map(|Id(id)| id);
        self.guilds.clear();
        self.ready = Some(fields);
        true
    }

    /// Returns whether READY was received.
    pub(crate) fn is_ready(&self) -> bool {
        self.ready.is_some()
    }

    /// Returns the guilds whose contents are known.
    pub(crate) fn known(&self) -> Vec<u64> {
        self.guilds.keys().copied().collect()
    }

    /// Returns the data of a READY for a new session: all guilds are listed as unavailable, as Discord does.
    pub(crate) fn ready(&self, session: &str, address: &str, shard: (u32, u32)) -> Option<String> {
        let ready = self.ready.as_ref()?;
        let guilds: BTreeSet<u64> = self.guilds.keys().chain(&self.unavailable).copied().collect();
        let guilds: Vec<String> =
            guilds.iter().map(|id| format!(r#"{{"id":"{id}","unavailable":true}}"#)).collect();
        let mut fields = ready.clone();
        let mut set = |name: &str, text: String| {
            if let Ok(value) = RawValue::from_string(text) {
                fields.insert(name.to_owned(), value);
            }
        };
        set("guilds", format!("[{}]", guilds.join(",")));
        set("session_id", serde_json::to_string(session).ok()?);
        set("resume_gateway_url", serde_json::to_string(address).ok()?);
        set("shard", format!("[{},{}]", shard.0, shard.1));
        serde_json::to_string(&fields).ok()
    }

    /// Returns the data of the READY that this state began with, without its guilds.
    pub(crate) fn original_ready(&self) -> Option<String> {
        serde_json::to_string(self.ready.as_ref()?).ok()
    }

    /// Returns the data of a GUILD_CREATE of a guild as it is now; `None` if its contents are not known.
    pub(crate) fn guild(&self, id: u64) -> Option<String> {
        self.guilds.get(&id).map(Guild::render)
    }

    /// Returns the guilds that exist without known contents.
    pub(crate) fn unavailable(&self) -> Vec<u64> {
        self.unavailable.iter().copied().collect()
    }

    /// Notes guilds that exist without known contents.
    pub(crate) fn expect(&mut self, guilds: &[u64]) {
        self.unavailable.extend(guilds.iter().filter(|id| !self.guilds.contains_key(id)));
    }

    /// Returns the size of the JSON that is kept, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.guilds.values().map(Guild::bytes).sum()
    }
}

/// Returns the ids of a list of objects.
fn ids(list: &str) -> BTreeSet<u64> {
    #[derive(serde::Deserialize)]
    struct Entry {
        id: Id,
    }
    let entries: Vec<Entry> = serde_json::from_str(list).unwrap_or_default();
    entries.into_iter().map(|entry| entry.id.0).collect()
}
