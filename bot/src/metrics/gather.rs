//! Gauges, read with each request.

use std::time::{SystemTime, UNIX_EPOCH};

use sdk::host::Host;
use sdk::voice::ConnectionState;

use super::{Metrics, bring};
use crate::health::Standing;

impl Metrics {
    /// Updates the gauges and returns all metrics in OpenMetrics' text format.
    pub(crate) async fn text(&self, standing: &Standing) -> String {
        let _looking = self.looking.lock().await;
        if let Some(memory) = resident_memory() {
            self.memory.set(memory);
        }
        self.look_at_shards(standing).await;
        if let Some(host) = standing.host() {
            self.look_at_plugins(host);
            self.look_at_voice(host).await;
        }
        self.write()
    }

    async fn look_at_shards(&self, standing: &Standing) {
        let connections = standing.connections().await;
        self.connected.clear();
        self.latency.clear();
        // A shard that is being restarted is not listed.
        for shard in standing.own() {
            self.connected.of([&shard.to_string()]).set(0);
        }
        for shard in connections {
            let number = shard.number.to_string();
            self.connected.of([&number]).set(shard.connected.into());
            if let Some(latency) = shard.latency {
                self.latency.of([&number]).set(latency.as_secs_f64());
            }
        }
    }

    fn look_at_plugins(&self, host: &Host) {
        self.generations.clear();
        let live = host.registry().snapshot();
        for (plugin, generation) in live.generations() {
            self.generations.of([plugin.as_str()]).set(whole(generation.number()));
        }
        self.retired.set(count(host.registry().lingering().len()));
    }

    async fn look_at_voice(&self, host: &Host) {
        let players = host.voice().players().into_iter().map(|player| player.status());
        let connected: Vec<_> =
            players.filter(|status| status.connection == ConnectionState::Connected).collect();
        let heard = connected.iter().filter_map(|status| status.current.as_ref());
        let heard = heard.filter(|current| !current.paused && !current.opening).count();
        self.calls.set(count(connected.len()));
        self.playing.set(count(heard));
        let frames = host.voice().frames();
        bring(&self.frames, frames.mixed);
        bring(&self.frames_late, frames.late);
        let mixing = if connected.is_empty() { None } else { host.voice().mixing_time().await };
        self.mixing.set(mixing.unwrap_or_default().as_secs_f64());
    }
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Returns the seconds since 1970.
pub(super) fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// Returns the bytes of RAM that the process uses. Source: proc_pid_status(5).
fn resident_memory() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: i64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}
