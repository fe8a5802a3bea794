//! Figures of what the bot does, as Prometheus reads them.
//!
//! Names, units and suffixes follow OpenMetrics; `docs/metrics.md` lists them all, and a test compares. A label's values
//! are names that plugins register, numbers of shards, or words of a fixed list: never a user, a server or anything typed.

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
    /// Has one look at the gauges follow another.
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

/// Around the 3 s after which Discord tells a user that nobody answered.
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
            "The bot's version, and whether it was built with hot reload (yes or no)",
            Info::new([("version", env!("CARGO_PKG_VERSION")), ("reload", reload)]),
        );
        let began: Fraction = c.single(
            "process_start_time",
            Some(Unit::Seconds),
            "When the bot began, in seconds since 1970; a restart with `exec` is a new beginning",
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
                "Events that have come in from the gateway, by the name that serenity gives them",
            ),
            commands: c.counters(
                "commands",
                ["command", "kind", "outcome"],
                "Commands that have ended; kind: slash, user, message (menus) or text; outcome: ok, error, refused (told \
                 why it cannot be: no permission, nothing playing, a wrong argument) or panic",
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
                "Suggestions that were asked for while somebody typed a command",
            ),
            interactions: c.counters(
                "interactions",
                ["kind", "handler", "outcome"],
                "Presses and choices (kind component) and modals (kind modal) that were handled; handler: the prefix of \
                 custom ids that it is registered for, or (awaited) where a command had waited for it; outcomes as above",
            ),
            interaction_duration: c.seconds(
                "interaction_duration",
                ["kind", "handler"],
                "Time from such an event to the end of its handling",
                call_seconds,
            ),
            turned_away: c.counters(
                "interactions_turned_away",
                ["reason"],
                "Interactions that nobody handled; reason: closing, unknown_command or unknown_component",
            ),
            panics: c.counters(
                "panics",
                ["plugin"],
                "Panics that were contained in a plugin's commands, handlers and timers",
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
                "Time from the shard's last heartbeat to its answer; absent before the first one",
            ),
            identifies: c.counters(
                "gateway_identifies",
                ["shard"],
                "Sessions that the shard has begun: IDENTIFY, answered with READY",
            ),
            resumes: c.counters(
                "gateway_resumes",
                ["shard"],
                "Sessions that the shard has taken up again: RESUME, answered with RESUMED; no event is lost",
            ),
            reconnects: c.counters(
                "gateway_reconnects",
                ["shard"],
                "Times that the shard was connected again, by either way, after its first session",
            ),
            rest_waits: c.counters(
                "rest_rate_limit_waits",
                ["scope"],
                "Requests to Discord that had to wait for a rate limit; scope: route or global",
            ),
            rest_waited: c.single(
                "rest_rate_limit_wait",
                Some(Unit::Seconds),
                "Time that they were told to wait",
            ),
            calls: c.single("voice_calls", None, "Voice channels that the bot is connected to"),
            playing: c.single(
                "voice_tracks_playing",
                None,
                "Tracks that can be heard: connected, open and not paused",
            ),
            tracks_started: c.single("voice_tracks_started", None, "Tracks that began to be heard"),
            tracks_failed: c.single(
                "voice_tracks_failed",
                None,
                "Tracks that could not be played, or not to their end",
            ),
            connections_lost: c.single(
                "voice_connections_lost",
                None,
                "Voice connections that were lost, so that the bot went on its way back",
            ),
            rejoins: c.counters(
                "voice_rejoins",
                ["outcome"],
                "Ways back into a call that have ended; outcome: restored, or gave_up",
            ),
            frames: c.single("voice_frames", None, "Frames of 20 ms that the mixers have taken from tracks"),
            frames_late: c.single(
                "voice_frames_late",
                None,
                "Those of them that were taken more than 20 ms late, seen from the earliest of the last 5 seconds, so \
                 that they were sent late; the network and what a source leaves out are not in it",
            ),
            mixing: c.single(
                "voice_mixing",
                Some(Unit::Seconds),
                "Time that the slowest mixer took for its last frame, to send, mix, encode and encrypt; more than 0.02 \
                 cannot be kept up",
            ),
            generations: c.gauges(
                "plugin_generation",
                None,
                ["plugin"],
                "Number of the plugin's live generation; 1 for good without hot reload",
            ),
            retired: c.single(
                "generations_retired",
                None,
                "Generations that were replaced and in which something still runs or is held",
            ),
            reloads: c.counters(
                "reloads",
                ["plugin", "outcome"],
                "With hot reload: saves and requests that have ended, but for a plugin's first load; outcome: live, \
                 failed or rolled_back; no plugin where it concerns none alone",
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

    /// Counts a session that a shard has taken up again.
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

    /// Writes everything in OpenMetrics' text.
    fn write(&self) -> String {
        let mut text = String::new();
        // A String takes everything that is written to it.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// Brings a counter to what something else has counted.
fn bring(counter: &Counter<u64, AtomicU64>, to: u64) {
    counter.inner().fetch_max(to, Ordering::Relaxed);
}
