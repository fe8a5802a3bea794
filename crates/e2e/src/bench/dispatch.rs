//! What an interaction takes in Hotcord, compared with a bot of poise alone (`crates/plain-poise`).
//!
//! Both answer the same command, each on a sandbox of its own, in turn: time from the interaction to its answer, and
//! processor time of the bot's process. Hotcord is measured as the production binary and as the development host.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use sandbox::Sandbox;
use serde_json::{Value, json};

use super::{Options, until_answer};
use crate::kept::{Kept, Outcome, Shown};
use crate::load::{Load, Tally};
use crate::numbers::Numbers;
use crate::playground::{build, workspace};
use crate::{Bot, Playground};

/// Interactions a second.
const RATES: [u32; 2] = [200, 2000];
/// Beginning of both answers.
const ANSWER: &str = "Pong!";
/// Load before the first measurement, which fills caches and opens connections.
const WARM_UP: Duration = Duration::from_secs(2);

/// Measures and prints. Returns whether nothing was lost or doubled.
///
/// # Errors
/// If a bot does not build, start or answer.
pub(super) async fn run(options: &Options) -> io::Result<bool> {
    let told = |words: &str| {
        if !options.json {
            println!("{words}");
        }
    };
    told("Building both bots, optimised and for development ...");
    let target = workspace().join("target");
    build(&workspace(), &["--profile", "production", "-p", "bot"])?;
    build(&workspace(), &["--profile", "production", "-p", "plain-poise"])?;
    build(&workspace(), &["-p", "plain-poise", "-p", "workspace-hack"])?;
    let playground = Playground::bare()?;
    let mut outcome = Kept::new(Shown {
        json: options.json,
        outcome: Compared { rounds: options.rounds, kinds: Vec::new() },
    });
    for (kind, plain, hotcord, variables) in [
        ("production", target.join("production/plain-poise"), target.join("production/hotcord"), &[][..]),
        (
            "development",
            target.join("debug/plain-poise"),
            playground.path("target/hmr/debug/hotcord"),
            &[("ENABLE_HMR", "true")][..],
        ),
    ] {
        let plain = Side::start(&playground, plain, &[]).await?;
        let hotcord = Side::start(&playground, hotcord, variables).await?;
        let kinds = &mut outcome.outcome.kinds;
        kinds.push(Kind { name: kind, rates: Vec::new() });
        for rate in RATES {
            told(&format!("{kind}, {rate} interactions a second, {} rounds ...", options.rounds));
            let Some(measured) = kinds.last_mut().map(|kind| kind.begin(rate)) else { continue };
            for round in 0..options.rounds {
                let (plain, hotcord) = if round % 2 == 0 {
                    let plain = plain.measure(rate, options.seconds).await?;
                    (plain, hotcord.measure(rate, options.seconds).await?)
                } else {
                    let hotcord = hotcord.measure(rate, options.seconds).await?;
                    (plain.measure(rate, options.seconds).await?, hotcord)
                };
                measured.add(&plain, &hotcord);
                told(&format!("  {}", measured.line()));
            }
        }
        plain.bot.stop().await?;
        hotcord.bot.stop().await?;
    }
    Ok(outcome.finish().outcome.is_clean())
}

/// A bot on a sandbox of its own.
struct Side {
    sandbox: Sandbox,
    bot: Bot,
}

impl Side {
    async fn start(
        playground: &Playground,
        program: PathBuf,
        variables: &[(&str, &str)],
    ) -> io::Result<Self> {
        let sandbox = Sandbox::builder().bot_name("Hotcord").start().await?;
        let bot = Bot::run(playground, program, &sandbox, variables).await?;
        until_answer(&sandbox, "/ping", None, Instant::now()).await?;
        let side = Self { sandbox, bot };
        side.load(RATES[0], WARM_UP).await;
        Ok(side)
    }

    async fn load(&self, rate: u32, time: Duration) -> Tally {
        let load = Load::start(&self.sandbox, "/ping", ANSWER, rate);
        tokio::time::sleep(time).await;
        load.stop().await
    }

    /// Puts this bot under load for some seconds.
    async fn measure(&self, rate: u32, seconds: u64) -> io::Result<Sample> {
        let pid = self.bot.host_pid()?;
        let before = processor_time(pid)?;
        let tally = self.load(rate, Duration::from_secs(seconds)).await;
        let used = processor_time(pid)?.saturating_sub(before);
        Ok(Sample { tally, used })
    }
}

/// What one bot did under load.
struct Sample {
    tally: Tally,
    /// Processor time of its process.
    used: Duration,
}

impl Sample {
    /// Returns the processor time of an interaction, in microseconds.
    #[allow(clippy::cast_precision_loss)] // Far fewer than 2^52.
    fn each(&self) -> f64 {
        self.used.as_secs_f64() * 1e6 / self.tally.sent.max(1) as f64
    }
}

/// Returns the processor time that all threads of a process have used, those that have ended included.
///
/// # Errors
/// If the process is gone, or the system has no `/proc`.
fn processor_time(pid: u32) -> io::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let ticks =
        ticks_of(&stat).ok_or_else(|| io::Error::other(format!("/proc/{pid}/stat has another form")))?;
    let second = rustix::param::clock_ticks_per_second();
    Ok(Duration::from_millis(ticks * 1000 / second.max(1)))
}

/// Returns user and system time in ticks. The name of the program before them may contain spaces and brackets.
fn ticks_of(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

/// The measurements of both bots at one rate.
struct Rate {
    rate: u32,
    plain: Numbers,
    hotcord: Numbers,
    /// Microseconds of processor time for an interaction, one number for each round.
    plain_used: Numbers,
    hotcord_used: Numbers,
    /// Outcomes of the interactions.
    plain_tally: Tally,
    hotcord_tally: Tally,
}

impl Rate {
    fn new(rate: u32) -> Self {
        Self {
            rate,
            plain: Numbers::default(),
            hotcord: Numbers::default(),
            plain_used: Numbers::default(),
            hotcord_used: Numbers::default(),
            plain_tally: Tally::default(),
            hotcord_tally: Tally::default(),
        }
    }

    fn add(&mut self, plain: &Sample, hotcord: &Sample) {
        self.plain_used.push(plain.each());
        self.hotcord_used.push(hotcord.each());
        self.plain.add(plain.tally.acknowledged.clone());
        self.hotcord.add(hotcord.tally.acknowledged.clone());
        self.plain_tally.add(plain.tally.clone());
        self.hotcord_tally.add(hotcord.tally.clone());
    }

    /// Returns Hotcord's median time to an answer, as a multiple of plain poise's.
    fn ratio(&self) -> f64 {
        self.hotcord.p50() / self.plain.p50()
    }

    /// The same of the processor time.
    fn ratio_used(&self) -> f64 {
        self.hotcord_used.p50() / self.plain_used.p50()
    }

    fn line(&self) -> String {
        format!(
            "{:>5} a second: answered after p50 {:.2} ms, plain poise {:.2} ms, {:.2} times; p99 {:.1} and {:.1} ms; processor time \
             {:.0} µs, plain poise {:.0} µs, {:.2} times",
            self.rate,
            self.hotcord.p50(),
            self.plain.p50(),
            self.ratio(),
            self.hotcord.percentile(99.0),
            self.plain.percentile(99.0),
            self.hotcord_used.p50(),
            self.plain_used.p50(),
            self.ratio_used()
        )
    }

    fn to_json(&self) -> Value {
        json!({
            "per_second": self.rate,
            "hotcord_ms": self.hotcord.to_json(), "plain_ms": self.plain.to_json(), "ratio": self.ratio(),
            "hotcord_processor_us": self.hotcord_used.to_json(), "plain_processor_us": self.plain_used.to_json(),
            "processor_ratio": self.ratio_used(),
            "hotcord": self.hotcord_tally.to_json(), "plain": self.plain_tally.to_json(),
        })
    }
}

/// The production binary or the development host.
struct Kind {
    name: &'static str,
    rates: Vec<Rate>,
}

impl Kind {
    /// Begins the measurements at another rate.
    fn begin(&mut self, rate: u32) -> &mut Rate {
        self.rates.push(Rate::new(rate));
        let last = self.rates.len() - 1;
        &mut self.rates[last]
    }
}

/// All measurements.
#[derive(Default)]
struct Compared {
    rounds: usize,
    kinds: Vec<Kind>,
}

impl Compared {
    /// Returns whether every interaction of Hotcord's was answered once and correctly.
    fn is_clean(&self) -> bool {
        self.kinds.iter().flat_map(|kind| &kind.rates).all(|rate| rate.hotcord_tally.is_clean())
    }
}

impl Outcome for Compared {
    fn to_json(&self) -> Value {
        let kinds = self.kinds.iter();
        let kinds: serde_json::Map<_, _> = kinds
            .map(|kind| (kind.name.to_owned(), kind.rates.iter().map(Rate::to_json).collect()))
            .collect();
        json!({ "rounds": self.rounds, "dispatch": kinds })
    }

    fn print(&self, is_whole: bool) {
        if !is_whole {
            println!("\nIt ended before its time; this was measured until then.");
        }
        for kind in &self.kinds {
            println!("\n{}", kind.name);
            for rate in &kind.rates {
                println!("  {}", rate.line());
                for (name, tally) in [("Hotcord", &rate.hotcord_tally), ("plain poise", &rate.plain_tally)] {
                    if !tally.is_clean() {
                        let Tally { sent, lost, doubled, failed, .. } = tally;
                        println!(
                            "    {name}: of {sent} interactions {lost} lost, {doubled} doubled, {failed} failed"
                        );
                    }
                    tally.samples.iter().for_each(|sample| println!("    went wrong: {sample}"));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_time_follows_a_name_with_brackets() {
        let stat = "7 (a) b (c)) S 1 7 7 0 -1 4194304 100 0 0 0 12 30 0 0 20 0 5 0 99 1000 10";
        assert_eq!(ticks_of(stat), Some(42));
        assert_eq!(ticks_of("7 (a"), None);
        let own = processor_time(std::process::id()).unwrap();
        let began = Instant::now();
        while processor_time(std::process::id()).unwrap() <= own {
            assert!(began.elapsed() < Duration::from_mins(1), "a busy process uses processor time");
        }
    }

    #[test]
    fn ratios_are_of_medians() {
        let sample = |milliseconds: &[f64], used: u64| Sample {
            tally: Tally {
                sent: 1000,
                acknowledged: milliseconds.iter().copied().collect(),
                ..Tally::default()
            },
            used: Duration::from_millis(used),
        };
        let mut rate = Rate::new(200);
        rate.add(&sample(&[1.0, 2.0, 100.0], 100), &sample(&[3.0, 1.0, 3.0], 150));
        assert!(
            (rate.ratio() - 1.5).abs() < 1e-9 && (rate.ratio_used() - 1.5).abs() < 1e-9,
            "{}",
            rate.line()
        );
        assert_eq!(rate.to_json()["plain_processor_us"]["p50"], 100.0);
    }
}
