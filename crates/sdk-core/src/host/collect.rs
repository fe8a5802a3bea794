//! Collecting the status of a host.

use std::collections::BTreeMap;

use super::Host;
use crate::PluginId;
use crate::clock::milliseconds;
use crate::generation::Generation;
use crate::status::{GenerationStatus, HostStatus, SessionStatus, Status};

impl Status {
    /// Collects the status.
    pub async fn of(host: &Host) -> Self {
        let registry = host.registry();
        let live = registry.snapshot();
        let memory = registry.mapped_bytes();
        let of = |generation: &Generation| GenerationStatus::of(generation, &memory);
        Self {
            host: HostStatus::of(host).await,
            reload: host.reloader().map(|reloader| reloader.status()).unwrap_or_default(),
            live: live.generations().values().map(|generation| of(generation)).collect(),
            retired: registry.lingering().iter().map(|generation| of(generation)).collect(),
            failures: host.bus().failures(),
            creations: host.creations(),
            withdrawn: host.withdrawn(),
        }
    }
}

impl HostStatus {
    async fn of(host: &Host) -> Self {
        let sources = host.voice().sources().status();
        Self {
            pid: std::process::id(),
            version: host.version().to_owned(),
            environment: host.settings().environment.as_str().to_owned(),
            uptime_ms: milliseconds(host.uptime()),
            memory_bytes: private_memory(),
            sessions: sessions(host).await,
            database: host.database().map(|engine| engine.address()),
            library: sources.library.to_string(),
            yt_dlp: sources.yt_dlp.to_string(),
        }
    }
}

impl GenerationStatus {
    fn of(generation: &Generation, memory: &BTreeMap<(PluginId, u64), u64>) -> Self {
        Self {
            plugin: generation.plugin().clone(),
            generation: generation.number(),
            version: generation.manifest().version.clone(),
            age_ms: milliseconds(generation.age()),
            calls: generation.calls_under_way(),
            tasks: {
                let tasks = generation.tasks().into_iter().map(|task| task.to_string());
                tasks.chain(generation.hooks().into_iter().map(|hook| hook.to_string())).collect()
            },
            commands: generation.commands().len(),
            listeners: generation.subscriptions().len(),
            memory_bytes: memory.get(&(generation.plugin().clone(), generation.number())).copied(),
        }
    }
}

async fn sessions(host: &Host) -> Vec<SessionStatus> {
    let Some(shards) = host.shards() else { return Vec::new() };
    let mut sessions: Vec<_> = shards
        .runners
        .lock()
        .await
        .iter()
        .map(|(shard, runner)| SessionStatus {
            shard: shard.0,
            stage: runner.stage.to_string(),
            latency_ms: runner.latency.map(milliseconds),
        })
        .collect();
    sessions.sort_by_key(|session| session.shard);
    sessions
}

/// Returns the bytes of memory that no other process shares, which is what reloads add to.
fn private_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/smaps_rollup").ok()?;
    let kilobytes = |name: &str| -> Option<u64> {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.trim().strip_suffix("kB")?.trim().parse().ok()
    };
    Some((kilobytes("Private_Clean")? + kilobytes("Private_Dirty")?) * 1024)
}
