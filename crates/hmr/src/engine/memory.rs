//! The memory of libraries, from the swap that installs one until its code is not needed any more.
//!
//! Everything here runs in the background: no reload and no event waits for it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use sdk_core::PluginId;
use sdk_core::generation::Generation;
use sdk_core::host::Host;

use super::report;
use crate::build::mapping::Mapping;
use crate::policy::SharedPolicy;

/// Libraries that this process has mapped. Cheap to clone.
#[derive(Clone)]
pub(super) struct Libraries(Arc<Inner>);

struct Inner {
    host: Host,
    policy: SharedPolicy,
    mapped: Mutex<BTreeMap<(PluginId, u64), Mapping>>,
    files: Mutex<BTreeMap<(PluginId, u64), PathBuf>>,
    /// Whether a restart has been proposed.
    is_told: AtomicBool,
}

impl Libraries {
    pub(super) fn new(host: Host, policy: SharedPolicy) -> Self {
        Self(Arc::new(Inner {
            host,
            policy,
            mapped: Mutex::default(),
            files: Mutex::default(),
            is_told: AtomicBool::new(false),
        }))
    }

    /// Measures the library that was built for the generation `code_of`.
    pub(super) fn came_in(&self, plugin: &PluginId, code_of: u64, library: PathBuf) {
        let (this, plugin) = (self.0.clone(), plugin.clone());
        this.files.lock().insert((plugin.clone(), code_of), library.clone());
        tokio::task::spawn_blocking(move || {
            if let Some(mapping) = Mapping::of(&library) {
                this.host.registry().set_memory(&plugin, code_of, mapping.memory());
                this.mapped.lock().insert((plugin, code_of), mapping);
            }
        });
    }

    /// Returns the file that a generation's code was loaded from. It may not exist any more.
    pub(super) fn file(&self, plugin: &PluginId, code_of: u64) -> Option<PathBuf> {
        self.0.files.lock().get(&(plugin.clone(), code_of)).cloned()
    }

    /// Releases memory of a retired generation's library once nothing refers to the generation any more.
    pub(super) fn retired(&self, generation: &Arc<Generation>) {
        let (this, key) = (self.0.clone(), (generation.plugin().clone(), generation.code().of()));
        let generation = Arc::downgrade(generation);
        tokio::spawn(async move {
            this.host.registry().ended(&generation).await;
            // Only the weak reference is left, and it keeps the generation's memory.
            drop::<Weak<_>>(generation);
            let _ = tokio::task::spawn_blocking(move || this.give_back(&key)).await;
        });
    }
}

impl Inner {
    fn give_back(&self, key: &(PluginId, u64)) {
        let (plugin, code_of) = key;
        // Another generation may have been created from the same code.
        if self.host.registry().is_code_live(plugin, *code_of) {
            return;
        }
        let Some(mapping) = self.mapped.lock().get(key).cloned() else { return };
        let given_back = mapping.give_back();
        let memory = mapping.memory();
        self.host.registry().set_memory(plugin, *code_of, memory);
        tracing::debug!(%plugin, code_of, given_back, private = memory.private, "retired code is at rest");
        self.propose_restart();
    }

    /// Proposes a restart, once, if retired code takes more memory than allowed.
    fn propose_restart(&self) {
        let (bytes, budget) = (self.host.registry().retired_bytes(), self.policy.load().memory_budget);
        if bytes <= budget || self.is_told.swap(true, Ordering::Relaxed) {
            return;
        }
        let (kib, allowed_kib) = (bytes >> 10, budget >> 10);
        tracing::warn!(
            kib,
            allowed_kib,
            "the code of retired generations takes more than HMR_MEMORY_MB; /dev restart gives it back"
        );
        let words = format!(
            "the code of retired generations takes {kib} KiB, and HMR_MEMORY_MB allows {allowed_kib} KiB; /dev restart \
             gives them back at a quiet moment"
        );
        report::note(&self.host, None, words);
    }
}
