//! Benchmarks: the time from a save to the first new answer that a user sees.
//!
//! All values of a comparison are measured in the same run, edit by edit in turn: the reload, the same edit in another
//! revision of this repository, and the same edit compiled by bare rustc (the same call that the engine replays, without
//! the engine, on a copy that is not watched). A restart is `cargo build` and a new process, until it answers with the
//! new code.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use clap::Args;
use sandbox::Sandbox;
use sandbox::event_log::Kind;

use self::edited::Edited;
use self::outcome::{Measured, Outcome, Parts, UnderLoad};
use self::revision::Revision;
use self::rustc::Bare;
use crate::bot::PATIENCE;
use crate::busy::Busy;
use crate::kept::Kept;
use crate::load::Load;
use crate::plugins::Sample;
use crate::{Bot, Playground};

mod dispatch;
mod edited;
mod outcome;
mod revision;
mod rustc;

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
    /// Another commit, whose host makes the same edits in turn
    #[arg(long, value_name = "COMMIT")]
    against: Option<String>,
    /// Compare what an interaction takes with a bot of poise alone, in production and in development
    #[arg(long)]
    dispatch: bool,
    /// Rounds of that comparison at each rate
    #[arg(long, default_value_t = 10, requires = "dispatch")]
    rounds: usize,
    /// Seconds of load for each bot in a round
    #[arg(long, default_value_t = 5, requires = "dispatch")]
    seconds: u64,
    /// Print one JSON object instead of tables
    #[arg(long)]
    json: bool,
}

/// Reloads between two periods without any, if both are compared.
const TURN: usize = 5;

/// Measures and prints. Returns whether nothing was lost or doubled under load.
///
/// # Errors
/// If something to be measured does not work at all. The measurements made until then are printed.
pub async fn run(options: &Options) -> io::Result<bool> {
    if options.dispatch {
        return dispatch::run(options).await;
    }
    let told = |words: &str| {
        if !options.json {
            println!("{words}");
        }
    };
    let mut revision = match &options.against {
        Some(commit) => {
            told(&format!("Building {commit} in a clone, which takes minutes the first time ..."));
            Some(Revision::start(commit).await?)
        }
        None => None,
    };
    told("Copying the workspace and its builds ...");
    let playground = Playground::bare()?;
    let playground = if options.busy.is_none() { playground.with_ordinary_build()? } else { playground };
    let plugins = Edited::all(playground.root())?;
    let sandbox = Sandbox::builder().bot_name("Hotcord").start().await?;

    told("Starting the development host ...");
    let mut bot = Bot::start(&playground, &sandbox, &[]).await?;
    let mut outcome = Kept::new(Outcome { json: options.json, busy: options.busy, ..Outcome::default() });
    let reloads = if options.busy.is_none() { options.n } else { 0 };
    for (index, edited) in plugins.iter().enumerate() {
        outcome.plugins.push(Measured { name: edited.name, title: edited.title, ..Measured::default() });
        if reloads > 0 {
            told(&format!("{}: {reloads} reloads ...", edited.title));
            let mut host = Bench { playground: &playground, sandbox: &sandbox, bot: &mut bot };
            let bare = Bare::of(&playground, edited)?;
            let measured = &mut outcome.plugins[index];
            host.reloads(index, edited, &bare, reloads, revision.as_mut(), measured).await?;
            told(&format!("  {}", measured.summary()));
            host.mistakes(edited, &bare, reloads.div_ceil(3), measured).await?;
        }
    }
    if let Some(revision) = revision {
        revision.stop().await?;
    }
    told(&format!("{} reloads under {} interactions a second ...", options.load_reloads, options.load_rate));
    let mut host = Bench { playground: &playground, sandbox: &sandbox, bot: &mut bot };
    let under_load = host.reload_under_load(&plugins[0], options, &mut outcome.load).await;
    outcome.identifies = sandbox.event_log().count(Kind::Identified);
    under_load.map_err(|error| {
        let lines = bot.lines_from(0);
        let last = &lines[lines.len().saturating_sub(20)..];
        io::Error::other(format!("{error}; the host said last:\n{}", last.join("\n")))
    })?;
    bot.stop().await?;

    if options.busy.is_none() {
        for (index, sample) in [Sample::SMALL, Sample::LARGE].into_iter().enumerate() {
            told(&format!("{}: {} restarts ...", sample.name, options.restarts));
            sample.list(&playground)?;
            let measured = &mut outcome.plugins[index];
            measure_restarts(&playground, &sandbox, &plugins[index], options.restarts, measured).await?;
            told(&format!("  p50 {:.0} ms", measured.restart.p50()));
        }
    }
    Ok(outcome.finish().is_clean())
}

/// Runs a command until it answers, with `answer` if given. Returns the milliseconds since `began`.
async fn until_answer(
    sandbox: &Sandbox,
    command: &str,
    answer: Option<&str>,
    began: Instant,
) -> io::Result<f64> {
    let client = sandbox.client();
    let mut last = String::new();
    let asked = Instant::now();
    while asked.elapsed() < PATIENCE {
        match client.say(command).await {
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

/// The host that is measured.
struct Bench<'a> {
    playground: &'a Playground,
    sandbox: &'a Sandbox,
    bot: &'a mut Bot,
}

impl Bench<'_> {
    fn root(&self) -> &Path {
        self.playground.root()
    }

    /// Makes an edit. Returns the milliseconds until the first new answer, and the host's line.
    async fn reload(&mut self, edited: &Edited, answer: &str) -> io::Result<(f64, String)> {
        let lines = self.bot.line_count();
        let began = Instant::now();
        edited.save(self.root(), "commands", answer)?;
        // Requests before that would use the processors on which the compiler is measured.
        let line = self.bot.went_live(lines, &edited.plugin()).await?;
        let took = until_answer(self.sandbox, &edited.command, Some(answer), began).await?;
        Ok((took, line))
    }

    /// Measures reloads of the plugin at `index`, in turn with what they are compared with.
    async fn reloads(
        &mut self,
        index: usize,
        edited: &Edited,
        bare: &Bare<'_>,
        n: usize,
        mut revision: Option<&mut Revision>,
        measured: &mut Measured,
    ) -> io::Result<()> {
        // The first edit of each kind fills caches and is not counted.
        for round in 0..=n {
            let answer = format!("v{}", round + 1);
            let (took, line) = self.reload(edited, &answer).await?;
            let alone = bare.compile(&answer)?;
            let against = match &mut revision {
                Some(revision) => Some(revision.reload(index, &answer).await?),
                None => None,
            };
            let passes = bare.passes(&answer)?;
            if round > 0 {
                measured.reload.push(took);
                measured.bare.push(alone);
                if let Some(took) = against {
                    measured.against.push(took);
                }
                measured.add_parts(parts_of(&line));
                measured.add_passes(passes);
            }
        }
        Ok(())
    }

    /// Measures how long a mistake takes to be shown, and mends it.
    async fn mistakes(
        &mut self,
        edited: &Edited,
        bare: &Bare<'_>,
        n: usize,
        measured: &mut Measured,
    ) -> io::Result<()> {
        bare.fail(0)?;
        for round in 1..=n {
            let lines = self.bot.line_count();
            let began = Instant::now();
            edited.save_wrong(self.root(), "commands", round)?;
            self.bot.wait_for_line(lines, "mismatched types").await?;
            measured.diagnosis.push(began.elapsed().as_secs_f64() * 1e3);
            self.bot.decided(lines, &edited.plugin()).await?;
            measured.bare_diagnosis.push(bare.fail(round)?);
        }
        self.reload(edited, "v").await.map(|_| ())
    }

    /// Reloads under load. With busy programs, every few reloads alternate with an equal period without any.
    async fn reload_under_load(
        &mut self,
        edited: &Edited,
        options: &Options,
        under_load: &mut UnderLoad,
    ) -> io::Result<()> {
        until_answer(self.sandbox, &edited.command, None, Instant::now()).await?;
        let _busy = options.busy.map(Busy::start).transpose()?;
        let turn = if options.busy.is_some() { TURN } else { options.load_reloads.max(1) };
        let mut rounds = 0..options.load_reloads;
        while !rounds.is_empty() {
            let load = Load::start(self.sandbox, &edited.command, "v", options.load_rate);
            let so_far = under_load.tally.clone();
            let turn_began = Instant::now();
            let mut outcome = Ok(());
            for round in rounds.by_ref().take(turn) {
                let reloaded = self.reload(edited, &format!("v-load-{round}")).await;
                under_load.tally = so_far.clone();
                under_load.tally.add(load.so_far());
                match reloaded {
                    Ok((took, _)) => under_load.reload.push(took),
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
                let load = Load::start(self.sandbox, &edited.command, "v", options.load_rate);
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
}

/// Parses the fields `watch=7.1 build=418.0 ...` of the engine's line.
fn parts_of(line: &str) -> Parts {
    const PARTS: [&str; 5] = ["watch", "build", "probe", "preflight", "swap"];
    line.split(' ')
        .filter_map(|field| field.split_once('='))
        .filter(|(name, _)| PARTS.contains(name))
        .filter_map(|(name, number)| Some((name.to_owned(), number.parse().ok()?)))
        .collect()
}

async fn measure_restarts(
    playground: &Playground,
    sandbox: &Sandbox,
    edited: &Edited,
    n: usize,
    measured: &mut Measured,
) -> io::Result<()> {
    let mut running: Option<Bot> = None;
    // The first build loads the plugin and is not counted.
    for round in 0..=n {
        let answer = format!("v-restart-{round}");
        let began = Instant::now();
        edited.save(playground.root(), "commands", &answer)?;
        playground.build_ordinarily()?;
        if let Some(old) = running.take() {
            old.stop().await?;
        }
        running = Some(Bot::run(playground, playground.path("target/debug/hotcord"), sandbox, &[]).await?);
        let took = until_answer(sandbox, &edited.command, Some(&answer), began).await?;
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
