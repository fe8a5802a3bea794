//! The soak: continuous reloads under load, and the resources that the host keeps after each.
//!
//! # Theory of operation
//!
//! Five plugins are edited in turn, each edit a real save, build and swap, while users run commands and members come
//! and go. After every reload the host's memory, mapped libraries, descriptors, threads, tasks and generations are
//! read. The first reloads warm up caches and are not counted. Over the others the growth of memory is the median
//! slope, and a count grows if the minimum of each third of them is at least the maximum of the third before it, and
//! above that one's minimum.

use std::io;
use std::time::{Duration, Instant};

use clap::Args;
use sandbox::Sandbox;
use serde_json::{Value, json};

use crate::kept::{self, Kept, Shown};
use crate::load::{Load, Tally};
use crate::numbers::Numbers;
use crate::{Bot, Playground};

pub mod fit;
pub mod inside;
pub mod plugins;
pub mod process;

use inside::Inside;
use plugins::Reloaded;
use process::Held;

/// Words of the command line.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// How long to go on
    #[arg(long, default_value_t = 30, conflicts_with = "reloads")]
    pub minutes: u64,
    /// How many reloads to count, instead of minutes
    #[arg(long)]
    pub reloads: Option<u64>,
    /// Interactions a second
    #[arg(long, default_value_t = 20)]
    pub rate: u32,
    /// Reload only plugins whose id holds this
    #[arg(long, value_name = "NAME")]
    pub only: Option<String>,
    /// Print one JSON object instead of a table
    #[arg(long)]
    pub json: bool,
    /// What is not counted at the beginning.
    #[arg(skip)]
    pub warm_up: WarmUp,
}

/// What is not counted at the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WarmUp {
    /// Reloads during which the allocator's arenas and the pool of connections fill up.
    pub reloads: u64,
    /// Time for resources that are allocated once a minute at most and then stay.
    pub time: Duration,
}

impl Default for WarmUp {
    fn default() -> Self {
        Self { reloads: 30, time: Duration::from_secs(90) }
    }
}

/// Maximum growth of private memory per reload, in KiB.
pub const KIB_PER_RELOAD: f64 = 48.0;

/// Number of commands timed at the beginning and at the end.
const TIMED: usize = 200;

/// Maximum factor by which dispatch may be slower at the end. The effect of a busy machine on a median is below it.
const SLOWER: f64 = 2.0;

/// Measurements after a reload.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// Number of the reload.
    pub reload: u64,
    /// Resources of the process.
    pub held: Held,
    /// The host's own status.
    pub inside: Inside,
}

/// Response times at one point.
#[derive(Clone, Debug, Default)]
pub struct Times {
    /// Milliseconds from an interaction to its first response.
    pub dispatch: Numbers,
    /// Milliseconds of a request that the host does not handle, alternating with the others: the load of the machine.
    pub machine: Numbers,
}

impl Times {
    fn relative(&self) -> f64 {
        self.dispatch.p50() / self.machine.p50()
    }
}

/// The outcome of a soak.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Measurements, oldest first, without the warm-up.
    pub samples: Vec<Sample>,
    /// Times of dispatch before the reloads.
    pub before: Times,
    /// Times of dispatch after them.
    pub after: Times,
    /// The outcomes of the users' commands.
    pub tally: Tally,
    /// Number of times that the bot identified at the gateway.
    pub identifies: u64,
}

impl Outcome {
    /// Returns the growth of private memory, in KiB per reload.
    pub fn kib_per_reload(&self) -> f64 {
        let points: Vec<_> =
            self.samples.iter().map(|sample| (sample.reload, sample.held.private_kib)).collect();
        fit::slope(&points)
    }

    /// Returns how many times slower dispatch is at the end, relative to the machine.
    pub fn slower(&self) -> f64 {
        self.after.relative() / self.before.relative()
    }

    /// Returns what has grown, was lost or has become slow.
    pub fn wrong(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let memory = self.kib_per_reload();
        if memory > KIB_PER_RELOAD {
            wrong.push(format!("private memory grows by {memory:.1} KiB a reload, of which {KIB_PER_RELOAD} are accounted for"));
        }
        for (what, count) in COUNTS {
            let counts: Vec<_> = self.samples.iter().map(count).collect();
            if fit::grows(&counts) {
                let (first, last) = (counts.first().unwrap_or(&0), counts.last().unwrap_or(&0));
                wrong.push(format!("{what} have grown from {first} to {last}"));
            }
        }
        if self.slower() > SLOWER {
            wrong.push(format!("dispatch is {:.1} times slower than at the beginning", self.slower()));
        }
        if !self.tally.is_clean() {
            wrong.push(format!("users were not served: {:?}", self.tally));
        }
        if self.identifies != 1 {
            wrong.push(format!("the bot has logged in {} times", self.identifies));
        }
        wrong
    }
}

type Count = (&'static str, fn(&Sample) -> u64);

/// Counts that must not grow at all.
const COUNTS: [Count; 5] = [
    ("file descriptors", |sample| sample.held.descriptors),
    ("threads", |sample| sample.held.threads),
    ("tasks", |sample| sample.inside.tasks),
    ("listeners", |sample| sample.inside.listeners),
    ("retired generations in use", |sample| sample.inside.retired),
];

impl kept::Outcome for Outcome {
    fn to_json(&self) -> Value {
        let ends = [self.samples.first(), self.samples.last()].map(|sample| {
            sample.map(|Sample { reload, held, inside }| {
                json!({
                    "reload": reload, "private_kib": held.private_kib, "mapped_kib": held.mapped_kib,
                    "descriptors": held.descriptors, "threads": held.threads, "tasks": inside.tasks,
                    "listeners": inside.listeners, "retired": inside.retired,
                })
            })
        });
        json!({
            "reloads": self.samples.len(), "start": ends[0], "end": ends[1],
            "private_kib_per_reload": (self.kib_per_reload() * 10.0).round() / 10.0,
            "dispatch_ms": {"start": self.before.dispatch.to_json(), "end": self.after.dispatch.to_json()},
            "machine_ms": {"start": self.before.machine.to_json(), "end": self.after.machine.to_json()},
            "sent": self.tally.sent, "lost": self.tally.lost, "doubled": self.tally.doubled,
            "failed": self.tally.failed, "identifies": self.identifies, "wrong": self.wrong(),
        })
    }

    fn print(&self, is_whole: bool) {
        if !is_whole {
            println!("\nIt ended before its time; this was seen until then.");
        }
        let (Some(first), Some(last)) = (self.samples.first(), self.samples.last()) else {
            println!("There was no reload to count.");
            return;
        };
        let reloads = last.reload - first.reload;
        println!(
            "\n{reloads} reloads: private memory grows by {:.1} KiB a reload (at most {KIB_PER_RELOAD}), mapped libraries \
             by {} KiB",
            self.kib_per_reload(),
            (last.held.mapped_kib.saturating_sub(first.held.mapped_kib)) / reloads.max(1)
        );
        if is_whole {
            println!(
                "dispatch: p50 {:.2} ms before, {:.2} ms after, {:.2} times slower beyond the machine's own",
                self.before.dispatch.p50(),
                self.after.dispatch.p50(),
                self.slower()
            );
            for wrong in self.wrong() {
                println!("FAILED {wrong}");
            }
        }
        println!(
            "{} commands sent, {} lost, {} doubled, {} failed",
            self.tally.sent, self.tally.lost, self.tally.doubled, self.tally.failed
        );
    }
}

/// Soaks a host and prints its resources. Returns whether nothing grew beyond the limits.
///
/// # Errors
/// If a reload does not go live. What was measured until then is printed.
pub async fn run(options: &Options) -> io::Result<bool> {
    let mut shown = Kept::new(Shown { json: options.json, ..Shown::default() });
    soak(options, &mut shown.outcome, |sample| {
        if !options.json {
            print(sample);
        }
    })
    .await?;
    if shown.outcome.samples.is_empty() {
        return Err(io::Error::other("there was no reload to count"));
    }
    Ok(shown.finish().outcome.wrong().is_empty())
}

fn print(sample: &Sample) {
    let Sample { reload, held, inside } = sample;
    println!(
        "{reload:>7}{:>14}{:>14}{:>8}{:>9}{:>7}{:>11}{:>9}",
        held.private_kib,
        held.mapped_kib,
        held.descriptors,
        held.threads,
        inside.tasks,
        inside.listeners,
        inside.retired
    );
}

/// Reloads continuously and adds the measurements to `outcome`. Calls `shown` with a few samples during the run.
///
/// # Errors
/// If a reload does not go live.
pub async fn soak(options: &Options, outcome: &mut Outcome, shown: impl Fn(&Sample)) -> io::Result<()> {
    let playground = Playground::new()?;
    let mut all = Reloaded::all(&playground)?;
    let sandbox = Sandbox::builder().bot_name("Hotcord").start().await?;
    let mut bot = Bot::start(&playground, &sandbox, &[]).await?;
    all.retain(|reloaded| options.only.as_ref().is_none_or(|only| reloaded.plugin.contains(only)));
    if all.is_empty() {
        return Err(io::Error::other("no plugin of the soak has that name"));
    }
    // Its registration is the last one for which the load has to wait.
    bot.wait_for_line(0, "command=/small3").await?;
    let load = Load::start(&sandbox, "/small1", "v", options.rate);
    let visits = tokio::spawn(visits(sandbox.client()));
    let (started, mut began, mut shown_at) = (Instant::now(), Instant::now(), Instant::now());
    if !options.json {
        println!(
            "{:>7}{:>14}{:>14}{:>8}{:>9}{:>7}{:>11}{:>9}",
            "reload", "private KiB", "mapped KiB", "files", "threads", "tasks", "listeners", "retired"
        );
    }
    for reload in 1.. {
        let reloaded = &all[usize::try_from(reload).unwrap_or_default() % all.len()];
        let reloaded = reload_once(reloaded, &playground, &mut bot, reload).await;
        outcome.tally = load.so_far();
        outcome.identifies = sandbox.event_log().count(sandbox::event_log::Kind::Identified);
        reloaded?;
        if reload < options.warm_up.reloads
            || outcome.samples.is_empty() && started.elapsed() < options.warm_up.time
        {
            continue;
        }
        if outcome.samples.is_empty() {
            outcome.before = times(&sandbox).await?;
            began = Instant::now();
        }
        let pid = bot.host_pid()?;
        let sample = Sample { reload, held: Held::of(pid)?, inside: Inside::of(&playground).await? };
        outcome.samples.push(sample);
        let is_last = match options.reloads {
            Some(reloads) => outcome.samples.len() as u64 > reloads,
            None => began.elapsed() >= Duration::from_mins(options.minutes),
        };
        if is_last || outcome.samples.len() == 1 || shown_at.elapsed() > Duration::from_secs(30) {
            shown(&sample);
            shown_at = Instant::now();
        }
        if is_last {
            break;
        }
    }
    outcome.after = times(&sandbox).await?;
    visits.abort();
    outcome.tally = load.stop().await;
    outcome.identifies = sandbox.event_log().count(sandbox::event_log::Kind::Identified);
    bot.stop().await.map(drop)
}

async fn reload_once(
    reloaded: &Reloaded,
    playground: &Playground,
    bot: &mut Bot,
    round: u64,
) -> io::Result<()> {
    let lines = bot.line_count();
    reloaded.save(playground, round)?;
    bot.went_live(lines, reloaded.plugin).await.map(drop)
}

/// Returns the times of commands, run one after the other, and of requests between them that the sandbox answers by
/// itself.
async fn times(sandbox: &Sandbox) -> io::Result<Times> {
    let of_sandbox = |error: sandbox::client::Error| io::Error::other(error.to_string());
    let client = sandbox.client();
    let mut times = Times::default();
    for _ in 0..TIMED {
        let answer = client.say("/small1").await.map_err(of_sandbox)?;
        answer.acknowledged_ms.into_iter().for_each(|ms| times.dispatch.push(ms));
        let asked = Instant::now();
        client.stats().await.map_err(of_sandbox)?;
        times.machine.push(asked.elapsed().as_secs_f64() * 1e3);
    }
    Ok(times)
}

/// Lets a member leave and join repeatedly, to trigger listeners.
async fn visits(client: sandbox::Client) {
    loop {
        // Slower than Discord's limit for one channel, so that no greeting waits.
        tokio::time::sleep(Duration::from_secs(3)).await;
        // A failed visit shows only as a missing greeting.
        let _ = client.leave("Sandbox", "carol").await;
        let _ = client.join("Sandbox", "carol").await;
        let _ = client.say("/keep").await;
    }
}
