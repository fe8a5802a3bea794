//! Benchmarks: the time from a save to the first new answer that a user sees.
//!
//! All values of a comparison are measured in the same run, edit by edit in turn: the reload, then the same edit
//! compiled by bare rustc (the same call that the engine replays, without the engine, on a copy that is not watched). A
//! restart is `cargo build` and a new process, until it answers with the new code.

use std::io;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clap::Args;
use hmr::build::rustc::Replay;
use sandbox::Sandbox;
use sandbox::event_log::Kind;
use serde_json::{Value, json};

use crate::bot::PATIENCE;
use crate::busy::Busy;
use crate::kept::{Kept, Show};
use crate::load::{Load, Tally};
use crate::numbers::Numbers;
use crate::plugins::Sample;
use crate::{Bot, Playground};

/// Words of the command line.
#[derive(Args, Debug)]
pub struct Options {
    /// Reloads measured for each plugin
    #[arg(long, default_value_t = 30)]
    n: usize,
    /// Restarts measured for each plugin
    #[arg(long, default_value_t = 5)]
    restarts: usize,
    /// Reloads under load
    #[arg(long, default_value_t = 100)]
    load_reloads: usize,
    /// Interactions a second under load
    #[arg(long, default_value_t = 200)]
    load_rate: u32,
    /// Measure load alone, with so many other programs beside that never rest: with reloads and without, in turn
    #[arg(long, value_name = "LOOPS")]
    busy: Option<usize>,
    /// Print one JSON object instead of tables
    #[arg(long)]
    json: bool,
}

/// Reloads between two periods without any, if both are compared.
const TURN: usize = 5;

/// The measurements of one plugin.
#[derive(Default)]
struct Measured {
    reload: Numbers,
    parts: Vec<(String, Numbers)>,
    bare: Numbers,
    restart: Numbers,
}

impl Measured {
    fn ratio(&self) -> f64 {
        self.reload.p50() / self.bare.p50()
    }

    fn to_json(&self) -> Value {
        let parts: serde_json::Map<_, _> =
            self.parts.iter().map(|(name, numbers)| (name.clone(), numbers.to_json())).collect();
        json!({
            "reload_ms": self.reload.to_json(),
            "parts_ms": parts,
            "bare_rustc_ms": self.bare.to_json(),
            "ratio": (self.ratio() * 1000.0).round() / 1000.0,
            "restart_ms": self.restart.to_json(),
        })
    }
}

/// The outcome of interactions during reloads.
#[derive(Default)]
struct UnderLoad {
    tally: Tally,
    reload: Numbers,
    /// The same load without reloads, if both were compared.
    quiet: Tally,
}

/// All measurements.
#[derive(Default)]
struct Outcome {
    json: bool,
    /// Number of busy programs, if only load is measured.
    busy: Option<usize>,
    small: Measured,
    large: Measured,
    load: UnderLoad,
    identifies: u64,
}

impl Outcome {
    fn is_clean(&self) -> bool {
        self.load.tally.is_clean() && self.load.quiet.is_clean() && self.identifies == 1
    }
}

impl Show for Outcome {
    fn show(&self, is_whole: bool) {
        let UnderLoad { tally, reload, quiet } = &self.load;
        if self.json {
            let tally_json = |tally: &Tally| {
                json!({
                    "sent": tally.sent, "lost": tally.lost, "doubled": tally.doubled, "failed": tally.failed,
                    "acknowledged_ms": tally.acknowledged.to_json(),
                })
            };
            let object = json!({
                "whole": is_whole,
                "busy": self.busy,
                "small": self.small.to_json(),
                "large": self.large.to_json(),
                "load": {
                    "reload_ms": reload.to_json(), "reloads": reload.len(), "sent": tally.sent,
                    "with_reloads": tally_json(tally), "without": tally_json(quiet),
                },
                "lost": tally.lost,
                "doubled": tally.doubled,
                "failed": tally.failed,
                "identifies": self.identifies,
            });
            println!("{object}");
            return;
        }
        if !is_whole {
            println!("\nIt ended before its time; this was measured until then.");
        }
        if !self.small.reload.is_empty() {
            print_table(&self.small, &self.large);
        }
        if !reload.is_empty() {
            println!(
                "\nUnder load: {} reloads, p50 {:.0} ms, p95 {:.0} ms;",
                reload.len(),
                reload.p50(),
                reload.percentile(95.0)
            );
        }
        for (words, tally) in [("with reloads", tally), ("without", quiet)] {
            if tally.sent > 0 {
                let Tally { sent, lost, doubled, failed, acknowledged, .. } = tally;
                println!(
                    "  {words:<13}{sent} interactions, {lost} lost, {doubled} doubled, {failed} failed; answered after p50 \
                     {:.0} ms, p99 {:.0} ms, max {:.0} ms",
                    acknowledged.p50(),
                    acknowledged.percentile(99.0),
                    acknowledged.max()
                );
            }
            for sample in &tally.samples {
                println!("    went wrong: {sample}");
            }
        }
        println!("  {} IDENTIFY", self.identifies);
    }
}

/// Measures and prints. Returns whether nothing was lost or doubled under load.
///
/// # Errors
/// If something to be measured does not work at all. The measurements made until then are printed.
pub async fn run(options: &Options) -> io::Result<bool> {
    let told = |words: &str| {
        if !options.json {
            println!("{words}");
        }
    };
    told("Copying the workspace and its builds ...");
    let playground = Playground::bare()?;
    let playground = if options.busy.is_none() { playground.with_ordinary_build()? } else { playground };
    for sample in [Sample::SMALL, Sample::LARGE] {
        sample.write(&playground, "commands", "v0")?;
        sample.write(&playground, "bare", "v0")?;
    }
    let sandbox = Sandbox::builder().bot_name("Hotcord").start().await?;

    told("Starting the development host ...");
    let mut bot = Bot::start(&playground, &sandbox, &[]).await?;
    let mut outcome = Kept::new(Outcome { json: options.json, busy: options.busy, ..Outcome::default() });
    if options.busy.is_none() {
        for sample in [Sample::SMALL, Sample::LARGE] {
            told(&format!("{} ({} commands): {} reloads ...", sample.name, sample.commands, options.n));
            let measured =
                if sample.name == Sample::SMALL.name { &mut outcome.small } else { &mut outcome.large };
            measure_reloads(&playground, &sandbox, &mut bot, sample, options.n, measured).await?;
            told(&format!("  p50 {:.0} ms, bare rustc {:.0} ms", measured.reload.p50(), measured.bare.p50()));
        }
    }
    told(&format!("{} reloads under {} interactions a second ...", options.load_reloads, options.load_rate));
    let under_load = reload_under_load(&playground, &sandbox, &mut bot, options, &mut outcome.load).await;
    outcome.identifies = sandbox.event_log().count(Kind::Identified);
    under_load.map_err(|error| {
        let lines = bot.lines_from(0);
        let last = &lines[lines.len().saturating_sub(20)..];
        io::Error::other(format!("{error}; the host said last:\n{}", last.join("\n")))
    })?;
    bot.stop().await?;

    if options.busy.is_none() {
        for sample in [Sample::SMALL, Sample::LARGE] {
            told(&format!("{}: {} restarts ...", sample.name, options.restarts));
            let measured =
                if sample.name == Sample::SMALL.name { &mut outcome.small } else { &mut outcome.large };
            measure_restarts(&playground, &sandbox, sample, options.restarts, measured).await?;
            told(&format!("  p50 {:.0} ms", measured.restart.p50()));
        }
    }
    Ok(outcome.finish().is_clean())
}

fn print_table(small: &Measured, large: &Measured) {
    println!("\n{:<34}{:>10}{:>10}{:>10}", "milliseconds", "p50", "p95", "max");
    let row = |words: &str, numbers: &Numbers| {
        println!(
            "{words:<34}{:>10.1}{:>10.1}{:>10.1}",
            numbers.p50(),
            numbers.percentile(95.0),
            numbers.max()
        );
    };
    for (name, measured) in [("small, 3 commands", small), ("large, 24 commands", large)] {
        println!("{name}");
        row("  save -> first new answer", &measured.reload);
        for (part, numbers) in &measured.parts {
            row(&format!("    {part}"), numbers);
        }
        row("  bare rustc, the same edit", &measured.bare);
        row("  cargo build and restart", &measured.restart);
        println!(
            "  reload / bare rustc {:.2}, restart / reload {:.1}",
            measured.ratio(),
            measured.restart.p50() / measured.reload.p50()
        );
    }
}

/// Waits until the host logs that the sample is live. Returns that line.
///
/// Requests in the meantime would use the cores on which the compiler is measured.
async fn until_live(bot: &mut Bot, lines: usize, sample: Sample) -> io::Result<String> {
    bot.went_live(lines, &format!("commands/{}", sample.name)).await
}

/// Runs the sample's command until it answers, with `answer` if given. Returns the milliseconds since `began`.
async fn until_answer(
    sandbox: &Sandbox,
    sample: Sample,
    answer: Option<&str>,
    began: Instant,
) -> io::Result<f64> {
    let client = sandbox.client();
    let command = format!("/{}", sample.command());
    let mut last = String::new();
    let asked = Instant::now();
    while asked.elapsed() < PATIENCE {
        match client.say(&command).await {
            Ok(seen) if answer.is_none_or(|answer| seen.content == answer) && seen.error.is_none() => {
                return Ok(began.elapsed().as_secs_f64() * 1e3);
            }
            Ok(seen) => last = seen.error.unwrap_or(seen.content),
            Err(error) => last = error.to_string(),
        }
        // A registration or a restart is in progress.
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    Err(io::Error::other(format!("{command} did not come to answer {answer:?}; it said {last:?}")))
}

async fn measure_reloads(
    playground: &Playground,
    sandbox: &Sandbox,
    bot: &mut Bot,
    sample: Sample,
    n: usize,
    measured: &mut Measured,
) -> io::Result<()> {
    // The first edit of each kind fills caches and is not counted.
    for round in 0..=n {
        let answer = format!("v{}", round + 1);
        let lines = bot.line_count();
        let began = Instant::now();
        playground.save(&format!("commands/{}", sample.file()), &sample.source(&answer))?;
        let line = until_live(bot, lines, sample).await?;
        let took = until_answer(sandbox, sample, Some(&answer), began).await?;
        let bare = bare_rustc(playground, sample, &answer)?;
        if round == 0 {
            continue;
        }
        measured.reload.push(took);
        measured.bare.push(bare);
        for (part, milliseconds) in parts_of(&line) {
            match measured.parts.iter_mut().find(|(name, _)| *name == part) {
                Some((_, numbers)) => numbers.push(milliseconds),
                None => measured.parts.push((part, Numbers::from_iter([milliseconds]))),
            }
        }
    }
    Ok(())
}

/// Parses the fields `watch=7.1 build=418.0 ...` of the engine's line.
fn parts_of(line: &str) -> Vec<(String, f64)> {
    const PARTS: [&str; 5] = ["watch", "build", "probe", "preflight", "swap"];
    line.split(' ')
        .filter_map(|field| field.split_once('='))
        .filter(|(name, _)| PARTS.contains(name))
        .filter_map(|(name, number)| Some((name.to_owned(), number.parse().ok()?)))
        .collect()
}

/// Makes the same edit in the copy that is not watched. Returns the time of rustc for it in milliseconds.
fn bare_rustc(playground: &Playground, sample: Sample, answer: &str) -> io::Result<f64> {
    let kept = playground.path(&format!("target/hmr/plugins/commands-{}/call.json", sample.name));
    let captured = hmr::build::cargo::kept(&kept)
        .ok_or_else(|| io::Error::other(format!("{} holds no call of rustc", kept.display())))?;
    let folder = playground.path(&format!("target/bare/{}", sample.name));
    std::fs::create_dir_all(&folder)?;
    let replay =
        Replay { folder, suffix: "-bare".to_owned(), colour: true, working_folder: playground.path("") };
    let call = replay.call(&captured);
    let watched = format!("commands/{}/src/lib.rs", sample.name);
    let words = call.words.iter().map(|word| {
        if word.ends_with(&watched) { format!("bare/{}/src/lib.rs", sample.name) } else { word.clone() }
    });
    let mut words = words.collect::<Vec<_>>().into_iter();
    let program = words.next().unwrap_or_default();
    playground.save(&format!("bare/{}", sample.file()), &sample.source(answer))?;
    let began = Instant::now();
    let output = Command::new(program)
        .args(words)
        .envs(&call.environment)
        .current_dir(playground.path(""))
        .stdin(Stdio::null())
        .output()?;
    let took = began.elapsed().as_secs_f64() * 1e3;
    if output.status.success() {
        Ok(took)
    } else {
        Err(io::Error::other(format!("bare rustc failed:\n{}", String::from_utf8_lossy(&output.stderr))))
    }
}

/// Reloads under load. With busy programs, every few reloads alternate with an equal period without any.
async fn reload_under_load(
    playground: &Playground,
    sandbox: &Sandbox,
    bot: &mut Bot,
    options: &Options,
    under_load: &mut UnderLoad,
) -> io::Result<()> {
    let sample = Sample::SMALL;
    let command = format!("/{}", sample.command());
    until_answer(sandbox, sample, None, Instant::now()).await?;
    let _busy = options.busy.map(Busy::start).transpose()?;
    let turn = if options.busy.is_some() { TURN } else { options.load_reloads.max(1) };
    let mut rounds = 0..options.load_reloads;
    while !rounds.is_empty() {
        let load = Load::start(sandbox, &command, "v", options.load_rate);
        let so_far = under_load.tally.clone();
        let turn_began = Instant::now();
        let mut outcome = Ok(());
        for round in rounds.by_ref().take(turn) {
            let reloaded = reload_once(playground, sandbox, bot, sample, &format!("v-load-{round}")).await;
            under_load.tally = so_far.clone();
            under_load.tally.add(load.so_far());
            match reloaded {
                Ok(took) => under_load.reload.push(took),
                Err(error) => {
                    outcome = Err(error);
                    break;
                }
            }
        }
        let lasted = turn_began.elapsed();
        under_load.tally = so_far;
        under_load.tally.add(load.stop().await);
        outcome?;
        if options.busy.is_some() {
            let load = Load::start(sandbox, &command, "v", options.load_rate);
            tokio::time::sleep(lasted).await;
            under_load.quiet.add(load.stop().await);
        }
        if !options.json {
            let UnderLoad { tally, reload, .. } = &*under_load;
            println!(
                "  {} reloads, p50 {:.0} ms; {} interactions, {} lost",
                reload.len(),
                reload.p50(),
                tally.sent,
                tally.lost
            );
        }
    }
    Ok(())
}

async fn reload_once(
    playground: &Playground,
    sandbox: &Sandbox,
    bot: &mut Bot,
    sample: Sample,
    answer: &str,
) -> io::Result<f64> {
    let lines = bot.line_count();
    let began = Instant::now();
    playground.save(&format!("commands/{}", sample.file()), &sample.source(answer))?;
    until_live(bot, lines, sample).await?;
    until_answer(sandbox, sample, Some(answer), began).await
}

async fn measure_restarts(
    playground: &Playground,
    sandbox: &Sandbox,
    sample: Sample,
    n: usize,
    measured: &mut Measured,
) -> io::Result<()> {
    sample.list(playground)?;
    let mut running: Option<Bot> = None;
    // The first build loads the plugin and is not counted.
    for round in 0..=n {
        let answer = format!("v-restart-{round}");
        let began = Instant::now();
        playground.save(&format!("commands/{}", sample.file()), &sample.source(&answer))?;
        playground.build_ordinarily()?;
        if let Some(old) = running.take() {
            old.stop().await?;
        }
        running = Some(Bot::run(playground, playground.path("target/debug/hotcord"), sandbox, &[]).await?);
        let took = until_answer(sandbox, sample, Some(&answer), began).await?;
        if round > 0 {
            measured.restart.push(took);
        }
    }
    if let Some(last) = running {
        last.stop().await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_are_read_from_the_engines_line() {
        let line = "INFO hmr::engine::report: reloaded plugin=commands/small from=1 to=2 ms=426 watch=7.0 build=418.2 swap=0.1";
        let expected = [("watch", 7.0), ("build", 418.2), ("swap", 0.1)];
        assert_eq!(parts_of(line), expected.map(|(name, number)| (name.to_owned(), number)));
    }
}
