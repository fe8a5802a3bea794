//! One guild, as GUILD_CREATE describes it: its fields, and its lists by id.

use indexmap::IndexMap;
use serde_json::value::RawValue;

use crate::frame::{Id, Ids};

/// An object whose values are not read.
pub(crate) type Fields = IndexMap<String, Box<RawValue>>;

/// A list of a guild that events change entry by entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum List {
    Channels,
    Threads,
    Roles,
    Members,
    VoiceStates,
    Presences,
    Stages,
    ScheduledEvents,
    Sounds,
    Emojis,
    Stickers,
}

impl List {
    pub(crate) const ALL: [Self; 11] = [
        Self::Channels,
        Self::Threads,
        Self::Roles,
        Self::Members,
        Self::VoiceStates,
        Self::Presences,
        Self::Stages,
        Self::ScheduledEvents,
        Self::Sounds,
        Self::Emojis,
        Self::Stickers,
    ];

    /// Returns the list's name in GUILD_CREATE.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Channels => "channels",
            Self::Threads => "threads",
            Self::Roles => "roles",
            Self::Members => "members",
            Self::VoiceStates => "voice_states",
            Self::Presences => "presences",
            Self::Stages => "stage_instances",
            Self::ScheduledEvents => "guild_scheduled_events",
            Self::Sounds => "soundboard_sounds",
            Self::Emojis => "emojis",
            Self::Stickers => "stickers",
        }
    }

    /// Returns the key of an entry.
    pub(crate) fn key(self, entry: &str) -> Option<u64> {
        let ids = Ids::of(entry);
        let id = match self {
            Self::Members | Self::Presences => ids.user.map(|user| user.id),
            Self::VoiceStates => ids.user_id,
            Self::Sounds => ids.sound_id,
            _ => ids.id,
        };
        id.map(|Id(id)| id)
    }
}

/// A guild whose contents are known.
#[derive(Debug, Default)]
pub(crate) struct Guild {
    /// Everything but the lists.
    fields: Fields,
    lists: [IndexMap<u64, Box<RawValue>>; List::ALL.len()],
    bytes: usize,
}

impl Guild {
    /// Reads the data of a GUILD_CREATE; `None` if it is no object. `bound` limits each list of members.
    pub(crate) fn read(data: &str, bound: impl Fn(List) -> usize, me: Option<u64>) -> Option<Self> {
        let mut guild = Self { fields: serde_json::from_str(data).ok()?, ..Self::default() };
        for list in List::ALL {
            if let Some(entries) = guild.fields.shift_remove(list.name()) {
                guild.replace(list, entries.get(), bound(list), me);
            }
        }
        guild.bytes += guild.fields.iter().map(|(name, value)| name.len() + value.get().len()).sum::<usize>();
        Some(guild)
    }

    /// Returns the data of a GUILD_CREATE.
    pub(crate) fn render(&self) -> String {
        let mut text = String::with_capacity(self.bytes + self.bytes / 8 + 256);
        text.push('{');
        for (name, value) in &self.fields {
            text.push_str(&serde_json::Value::from(name.as_str()).to_string());
            text.push(':');
            text.push_str(value.get());
            text.push(',');
        }
        for list in List::ALL {
            text.push('"');
            text.push_str(list.name());
            text.push_str("\":[");
            for (index, entry) in self.list(list).values().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                text.push_str(entry.get());
            }
            text.push_str("],");
        }
        text.pop();
        text.push('}');
        text
    }

    /// Returns the size of the JSON that is kept, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns an entry of a list.
    pub(crate) fn get(&self, list: List, key: u64) -> Option<&RawValue> {
        self.list(list).get(&key).map(AsRef::as_ref)
    }

    /// Returns a list.
    pub(crate) fn list(&self, list: List) -> &IndexMap<u64, Box<RawValue>> {
        &self.lists[list as usize]
    }

    /// Sets an entry, unless the list is full and the entry new.
    pub(crate) fn set(&mut self, list: List, key: u64, entry: Box<RawValue>, bound: usize) {
        let entries = &mut self.lists[list as usize];
        if entries.len() >= bound && !entries.contains_key(&key) {
            return;
        }
        self.bytes += entry.get().len();
        if let Some(before) = entries.insert(key, entry) {
            self.bytes -= before.get().len();
        }
    }

    /// Removes an entry. Returns whether there was one.
    pub(crate) fn remove(&mut self, list: List, key: u64) -> bool {
        let before = self.lists[list as usize].shift_remove(&key);
        self.bytes -= before.as_ref().map_or(0, |entry| entry.get().len());
        before.is_some()
    }

    /// Replaces a list by the entries of a JSON array. The bot's own entry is kept whatever the bound is.
    pub(crate) fn replace(&mut self, list: List, entries: &str, bound: usize, me: Option<u64>) {
        let old = std::mem::take(&mut self.lists[list as usize]);
        self.bytes -= old.values().map(|entry| entry.get().len()).sum::<usize>();
        let entries: Vec<Box<RawValue>> = serde_json::from_str(entries).unwrap_or_default();
        for entry in entries {
            if let Some(key) = list.key(entry.get()) {
                let bound = if Some(key) == me { usize::MAX } else { bound };
                self.set(list, key, entry, bound);
            }
        }
    }

    /// Sets a field that is no list.
    pub(crate) fn set_field(&mut self, name: &str, value: Box<RawValue>) {
        self.bytes += value.get().len();
        match self.fields.insert(name.to_owned(), value) {
            Some(before) => self.bytes -= before.get().len(),
            None => self.bytes += name.len(),
        }
    }

    /// Adds to a field that is a number.
    pub(crate) fn add_to(&mut self, name: &str, by: i64) {
        let number = self.fields.get(name).and_then(|value| value.get().parse::<i64>().ok());
        if let Some(value) = number.and_then(|number| RawValue::from_string((number + by).to_string()).ok()) {
            self.set_field(name, value);
        }
    }
}
