//! The bot's metrics, for Prometheus.
//!
//! Names, units and suffixes follow OpenMetrics; `docs/metrics.md` lists them all, and a test compares. The values of
//! labels are names that plugins register, numbers of shards, or words of a fixed list, never users, servers or their
//! input.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use sdk::EventKind;
use sdk::tokio::sync::Mutex;

use catalogue::{Catalogue, Fraction, Labelled, Sum};

mod catalogue;
mod follow;
mod gather;
#[cfg(test)]
mod tests;

/// All metrics.
pub(crate) struct Metrics {
    registry: Registry,
    /// Serialises updates of the gauges.
    looking: Mutex<()>,
    memory: Gauge,
    /// Counters of `events`, by kind.
    event: Vec<OnceLock<Counter>>,
    events: Labelled<Counter, 1>,
    commands: Labelled<Counter, 3>,
    command_duration: Labelled<Histogram, 2>,
    autocompletes: Labelled<Counter, 2>,
    interactions: Labelled<Counter, 3>,
    interaction_duration: Labelled<Histogram, 2>,
    turned_away: Labelled<Counter, 1>,
    panics: Labelled<Counter, 1>,
    connected: Labelled<Gauge, 1>,
    latency: Labelled<Fraction, 1>,
    identifies: Labelled<Counter, 1>,
    resumes: Labelled<Counter, 1>,
    reconnects: Labelled<Counter, 1>,
    rest_waits: Labelled<Counter, 1>,
    rest_waited: Sum,
    calls: Gauge,
    playing: Gauge,
    tracks_started: Counter,
    tracks_failed: Counter,
    connections_lost: Counter,
    rejoins: Labelled<Counter, 1>,
    frames: Counter,
    frames_late: Counter,
    mixing: Fraction,
    generations: Labelled<Gauge, 1>,
    retired: Gauge,
    #[cfg_attr(not(feature = "hmr"), allow(dead_code))]
    reloads: Labelled<Counter, 2>,
    #[cfg_attr(not(feature = "hmr"), allow(dead_code))]
    reload_duration: Labelled<Histogram, 1>,
}

/// Buckets around the 3 s after which Discord shows the user that there was no response.
fn call_seconds() -> Histogram {
    Histogram::new([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0])
}

fn reload_seconds() -> Histogram {
    Histogram::new([0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0])
}

impl Metrics {
    pub(crate) fn new() -> Self {
        Self::catalogued().0
    }

    fn catalogued() -> (Self, Vec<catalogue::Entry>) {
        let mut c = Catalogue::new();
        let reload = if cfg!(feature = "hmr") { "yes" } else { "no" };
        c.add(
            "build",
            None,
            vec!["version", "reload"],
            "Version of the bot, and whether it was built with hot reload (yes or no)",
            Info::new([("version", env!("CARGO_PKG_VERSION")), ("reload", reload)]),
        );
        let began: Fraction = c.single(
            "process_start_time",
            Some(Unit::Seconds),
            "Start of the bot, in seconds since 1970; a restart with `exec` counts as a start",
        );
        began.set(gather::now());
        let memory =
            c.single("process_resident_memory", Some(Unit::Bytes), "Memory that the process holds in RAM");
        let metrics = Self {
            looking: Mutex::default(),
            memory,
            event: EventKind::ALL.iter().map(|_| OnceLock::new()).collect(),
            events: c.counters(
                "events",
                ["type"],
                "Events received from the gateway, by serenity's name",
            ),
            commands: c.counters(
                "commands",
                ["command", "kind", "outcome"],
                "Commands that ended; kind: slash, user, message (menus) or text; outcome: ok, error, refused (it \
                 answered with the reason: no permission, nothing playing, a wrong argument) or panic",
            ),
            command_duration: c.seconds(
                "command_duration",
                ["command", "kind"],
                "Time from a command's event to its end",
                call_seconds,
            ),
            autocompletes: c.counters(
                "autocompletes",
                ["command", "outcome"],
                "Autocomplete requests",
            ),
            interactions: c.counters(
                "interactions",
                ["kind", "handler", "outcome"],
                "Component interactions (kind component) and modals (kind modal) that were handled; handler: the \
                 registered prefix of custom ids, or (awaited) if a command was waiting for it; outcome: as for \
                 commands",
            ),
            interaction_duration: c.seconds(
                "interaction_duration",
                ["kind", "handler"],
                "Time from such an interaction's event to the end of its handler",
                call_seconds,
            ),
            turned_away: c.counters(
                "interactions_turned_away",
                ["reason"],
                "Interactions without a handler; reason: closing, unknown_command or unknown_component",
            ),
            panics: c.counters(
                "panics",
                ["plugin"],
                "Panics caught in a plugin's commands, handlers and timers",
            ),
            connected: c.gauges(
                "gateway_connected",
                None,
                ["shard"],
                "1 while the shard has a session and is connected, else 0",
            ),
            latency: c.gauges(
                "gateway_heartbeat_latency",
                Some(Unit::Seconds),
                ["shard"],
                "Time from the shard's last heartbeat to its acknowledgement; absent before the first one",
            ),
            identifies: c.counters(
                "gateway_identifies",
                ["shard"],
                "Sessions that the shard started (IDENTIFY, answered by READY)",
            ),
            resumes: c.counters(
                "gateway_resumes",
                ["shard"],
                "Sessions that the shard resumed (RESUME, answered by RESUMED), without losing events",
            ),
            reconnects: c.counters(
                "gateway_reconnects",
                ["shard"],
                "Reconnections of the shard after its first session, by IDENTIFY or RESUME",
            ),
            rest_waits: c.counters(
                "rest_rate_limit_waits",
                ["scope"],
                "Requests to Discord that waited for a rate limit; scope: route or global",
            ),
            rest_waited: c.single(
                "rest_rate_limit_wait",
                Some(Unit::Seconds),
                "Total time that requests to Discord had to wait for rate limits",
            ),
            calls: c.single("voice_calls", None, "Voice channels that the bot is connected to"),
            playing: c.single(
                "voice_tracks_playing",
                None,
                "Tracks that are audible: connected, open and not paused",
            ),
            tracks_started: c.single("voice_tracks_started", None, "Tracks that started to play"),
            tracks_failed: c.single(
                "voice_tracks_failed",
                None,
                "Tracks that could not be played, or not to their end",
            ),
            connections_lost: c.single(
                "voice_connections_lost",
                None,
                "Voice connections that were lost, so that the bot tried to rejoin",
            ),
            rejoins: c.counters(
                "voice_rejoins",
                ["outcome"],
                "Rejoins that ended; outcome: restored or gave_up",
            ),
            frames: c.single("voice_frames", None, "Frames of 20 ms that the mixers took from tracks"),
            frames_late: c.single(
                "voice_frames_late",
                None,
                "Frames that were taken more than 20 ms after their time, by the earliest of the last 5 seconds, and \
                 so were sent late; excludes the network and gaps in a source",
            ),
            mixing: c.single(
                "voice_mixing",
                Some(Unit::Seconds),
                "Time that the slowest mixer needed for its last frame, to send, mix, encode and encrypt; above 0.02 \
                 it falls behind",
            ),
            generations: c.gauges(
                "plugin_generation",
                None,
                ["plugin"],
                "Number of the plugin's live generation; always 1 without hot reload",
            ),
            retired: c.single(
                "generations_retired",
                None,
                "Replaced generations in which something still runs or is held",
            ),
            reloads: c.counters(
                "reloads",
                ["plugin", "outcome"],
                "With hot reload: saves and requests that ended, except a plugin's first load; outcome: live, failed \
                 or rolled_back; no plugin if it concerns several or none",
            ),
            reload_duration: c.seconds(
                "reload_duration",
                ["plugin"],
                "With hot reload: time from a save to the swap that made it live",
                reload_seconds,
            ),
            registry: c.registry,
        };
        (metrics, c.entries)
    }

    /// Counts a new session of a shard.
    pub(crate) fn identified(&self, shard: u32) {
        let shard = shard.to_string();
        if self.identifies.of([&shard]).inc() > 0 {
            self.reconnects.of([&shard]).inc();
        }
    }

    /// Counts a resumed session of a shard.
    pub(crate) fn resumed(&self, shard: u32) {
        let shard = shard.to_string();
        self.resumes.of([&shard]).inc();
        self.reconnects.of([&shard]).inc();
    }

    /// Counts a request that has to wait.
    pub(crate) fn limited(&self, global: bool, wait: Duration) {
        self.rest_waits.of([if global { "global" } else { "route" }]).inc();
        self.rest_waited.inc_by(wait.as_secs_f64());
    }

    /// Returns all metrics in OpenMetrics' text format.
    fn write(&self) -> String {
        let mut text = String::new();
        // Writing to a String does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// Raises a counter to a value counted elsewhere.
fn bring(counter: &Counter<u64, AtomicU64>, to: u64) {
    counter.inner().fetch_max(to, Ordering::Relaxed);
}
