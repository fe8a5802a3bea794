//! Documents that were read or written lately.

use std::sync::Arc;

use lru::LruCache;
use parking_lot::Mutex;
use sdk_core::database::{DocumentKey, StoredDocument};

/// Most bytes of JSON in the cache.
const BYTES: usize = 64 * 1024 * 1024;
/// What a key and its bookkeeping take, roughly.
const OVERHEAD: usize = 200;

/// What is known of a document.
#[derive(Clone, Debug)]
struct Entry {
    /// The newest revision that is known; 0 if there was never a document.
    revision: u64,
    known: Known,
    bytes: usize,
}

#[derive(Clone, Debug)]
enum Known {
    /// The document itself, or that there is none.
    Contents(Option<Arc<StoredDocument>>),
    /// Another process has written it.
    Outdated,
}

/// What [`Cache::get`] returns.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Lookup {
    /// The document, or `None` if there is none.
    Known(Option<Arc<StoredDocument>>),
    /// The database has to be asked.
    Unknown,
}

/// A cache of documents, bounded by their size. An entry is replaced only by one of a newer revision, so a slow reader
/// never puts back what a writer has replaced.
#[derive(Debug)]
pub(crate) struct Cache(Mutex<Entries>);

#[derive(Debug)]
struct Entries {
    documents: LruCache<DocumentKey, Entry>,
    bytes: usize,
    /// Grows when everything is dropped, so that what was read before does not come back.
    era: u64,
    /// Off while changes of other processes are not heard of.
    on: bool,
}

impl Cache {
    pub(crate) fn new(on: bool) -> Self {
        Self(Mutex::new(Entries { documents: LruCache::unbounded(), bytes: 0, era: 0, on }))
    }

    /// Returns what is known of a document.
    pub(crate) fn get(&self, key: &DocumentKey) -> Lookup {
        match self.0.lock().documents.get(key).map(|entry| &entry.known) {
            Some(Known::Contents(document)) => Lookup::Known(document.clone()),
            Some(Known::Outdated) | None => Lookup::Unknown,
        }
    }

    /// Returns the current era, for [`put`](Self::put).
    pub(crate) fn era(&self) -> u64 {
        self.0.lock().era
    }

    /// Takes what was read or written since an era; `bytes` is the size of its JSON.
    pub(crate) fn put(
        &self,
        era: u64,
        key: &DocumentKey,
        revision: u64,
        document: Option<Arc<StoredDocument>>,
        bytes: usize,
    ) {
        let entry = Entry { revision, known: Known::Contents(document), bytes: bytes + OVERHEAD };
        let mut entries = self.0.lock();
        if entries.era == era {
            entries.insert(key, entry);
        }
    }

    /// Notes that another process has written a document.
    pub(crate) fn outdate(&self, key: &DocumentKey, revision: u64) {
        self.0.lock().insert(key, Entry { revision, known: Known::Outdated, bytes: OVERHEAD });
    }

    /// Forgets everything.
    pub(crate) fn forget(&self) {
        let on = self.0.lock().on;
        self.restart(on);
    }

    /// Forgets everything; with `on` false, also keeps nothing until it is turned on again.
    pub(crate) fn restart(&self, on: bool) {
        let mut entries = self.0.lock();
        entries.documents.clear();
        entries.bytes = 0;
        entries.era += 1;
        entries.on = on;
    }
}

impl Entries {
    fn insert(&mut self, key: &DocumentKey, entry: Entry) {
        let entries = self;
        if !entries.on {
            return;
        }
        if let Some(old) = entries.documents.peek(key) {
            let is_newer = entry.revision > old.revision
                || (entry.revision == old.revision && matches!(entry.known, Known::Contents(_)));
            if !is_newer {
                return;
            }
        }
        entries.bytes += entry.bytes;
        if let Some(old) = entries.documents.put(key.clone(), entry) {
            entries.bytes -= old.bytes;
        }
        while entries.bytes > BYTES
            && let Some((_, old)) = entries.documents.pop_lru()
        {
            entries.bytes -= old.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use sdk_core::PluginId;
    use sdk_core::database::Scope;
    use serde_json::json;

    use super::*;

    fn key(kind: &str) -> DocumentKey {
        DocumentKey { plugin: PluginId::new("commands/one"), kind: kind.to_owned(), scope: Scope::Global }
    }

    fn stored(revision: u64) -> Arc<StoredDocument> {
        Arc::new(StoredDocument { version: 1, revision, value: json!(revision) })
    }

    #[test]
    fn a_slow_reader_does_not_put_back_what_was_replaced() {
        let cache = Cache::new(true);
        cache.put(cache.era(), &key("a"), 2, Some(stored(2)), 1);
        cache.put(cache.era(), &key("a"), 1, Some(stored(1)), 1);
        assert_eq!(cache.get(&key("a")), Lookup::Known(Some(stored(2))));
        cache.outdate(&key("a"), 3);
        cache.put(cache.era(), &key("a"), 2, Some(stored(2)), 1);
        assert_eq!(cache.get(&key("a")), Lookup::Unknown);
        cache.put(cache.era(), &key("a"), 3, Some(stored(3)), 1);
        assert_eq!(cache.get(&key("a")), Lookup::Known(Some(stored(3))));
        cache.outdate(&key("a"), 3);
        assert_eq!(cache.get(&key("a")), Lookup::Known(Some(stored(3))));
        // Deleted, which is a revision too.
        cache.put(cache.era(), &key("a"), 4, None, 0);
        assert_eq!(cache.get(&key("a")), Lookup::Known(None));
    }

    #[test]
    fn it_is_bounded_by_size_and_keeps_what_was_used_last() {
        let cache = Cache::new(true);
        for number in 0..70 {
            cache.put(cache.era(), &key(&number.to_string()), 1, Some(stored(1)), 1024 * 1024);
            assert_ne!(cache.get(&key("0")), Lookup::Unknown);
        }
        assert_eq!(cache.get(&key("1")), Lookup::Unknown);
        assert_ne!(cache.get(&key("69")), Lookup::Unknown);
        assert!(cache.0.lock().bytes <= BYTES);
        cache.restart(false);
        cache.put(cache.era(), &key("a"), 1, Some(stored(1)), 1);
        assert_eq!(cache.get(&key("a")), Lookup::Unknown);
        assert_eq!(cache.0.lock().bytes, 0);
    }
}
