//! The whole path from a saved file to a new answer, under load, and every kind of broken edit.
//!
//! It works on a copy of the real plugins' sources. Each step prints what was tried and what was observed.

use std::io;
use std::time::{Duration, Instant};

use clap::Args;
use sandbox::Sandbox;
use sandbox::event_log::Kind;

use crate::bot::PATIENCE;
use crate::faults::row::{After, Group};
use crate::faults::{ROWS, Stage, trial};
use crate::load::Load;

/// Words of the command line.
#[derive(Args, Debug)]
pub struct Options {
    /// Reloads under load
    #[arg(long, default_value_t = 20)]
    reloads: usize,
    /// Interactions a second under load
    #[arg(long, default_value_t = 100)]
    rate: u32,
}

/// The edited file of the real plugin.
const PING: &str = "commands/general/src/ping.rs";
const WELCOME: &str = "events/welcome/src/lib.rs";

/// Runs everything. Returns whether all results were as expected.
///
/// # Errors
/// If something does not work at all.
pub async fn run(options: &Options) -> io::Result<bool> {
    let began = Instant::now();
    println!("Copying the workspace and its builds ...");
    let mut stage = Stage::new().await?;
    let mut checks = Checks::default();

    let original = stage.playground.read(PING)?;
    checks.expect("the first answer", answers(&stage.sandbox, "Pong!").await);
    if checks.failed > 0 {
        return Err(io::Error::other(format!("the host said:\n{}", stage.said().join("\n"))));
    }

    let load = Load::start(&stage.sandbox, "/ping", "Pong!", options.rate);
    for round in 1..=options.reloads {
        let lines = stage.bot()?.line_count();
        stage.playground.save(PING, &original.replace("Pong!", &format!("Pong! ({round})")))?;
        stage.bot()?.wait_for_line(lines, "commands/general ").await?;
        let expected = format!("Pong! ({round})");
        if !answers(&stage.sandbox, &expected).await {
            checks.expect(&format!("the answer after reload {round}"), false);
        }
    }
    let tally = load.stop().await;
    checks.expect(
        &format!(
            "{} reloads under {} interactions a second: {} sent, {} lost, {} doubled, {} failed",
            options.reloads, options.rate, tally.sent, tally.lost, tally.doubled, tally.failed
        ),
        tally.is_clean() && tally.sent > 0,
    );
    tally.samples.iter().for_each(|sample| println!("         {sample}"));

    let harmless = |row: &&crate::faults::Row| {
        row.group == Group::Code && row.after == After::OldAnswers && !row.wears_out_the_host()
    };
    for row in ROWS.iter().filter(harmless) {
        let outcome = trial::run(row, &mut stage).await?;
        checks.expect(
            &format!("{}: {}, and the developer is told", row.name, outcome.answers),
            outcome.wrong.is_empty(),
        );
        println!("         {}", outcome.observed);
        outcome.wrong.iter().for_each(|wrong| println!("         {wrong}"));
    }

    checks.expect("a new greeting, and only the new one, after a reload of events/welcome", {
        let lines = stage.bot()?.line_count();
        stage.playground.edit(WELCOME, "\"Welcome to", "\"Warmly welcome to")?;
        let line = stage.bot()?.wait_for_line(lines, "events/welcome ").await?;
        println!("         {line}");
        greetings(&stage.sandbox, "Warmly welcome").await? == (1, 1)
    });
    checks.expect("exactly one IDENTIFY, and no connection closed", {
        let record = stage.sandbox.event_log();
        record.count(Kind::Identified) == 1 && record.count(Kind::Closed) == 0
    });
    checks
        .expect("the bot ends well after SIGTERM", stage.end().await?.is_some_and(|status| status.success()));

    println!(
        "\nsmoke: {} passed, {} failed, in {} s",
        checks.passed,
        checks.failed,
        began.elapsed().as_secs()
    );
    Ok(checks.failed == 0)
}

#[derive(Default)]
struct Checks {
    passed: usize,
    failed: usize,
}

impl Checks {
    fn expect(&mut self, words: &str, holds: bool) {
        println!("  {} {words}", if holds { "ok    " } else { "FAILED" });
        *(if holds { &mut self.passed } else { &mut self.failed }) += 1;
    }
}

/// Waits until `/ping` answers once, with a text that begins with `words`. Returns whether it did; prints the answer if
/// not.
async fn answers(sandbox: &Sandbox, words: &str) -> bool {
    let client = sandbox.client();
    let began = Instant::now();
    loop {
        let said = match client.say("/ping").await {
            Ok(answer) if answer.content.starts_with(words) && answer.callbacks == 1 => return true,
            Ok(answer) => answer.error.unwrap_or(answer.content),
            // While a registration is in progress, the command does not exist yet.
            Err(_) if began.elapsed() < PATIENCE => {
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            }
            Err(error) => error.to_string(),
        };
        println!("         it said {said:?}");
        return false;
    }
}

/// Lets a new member join. Returns the number of greetings that contain `words`, and of all.
async fn greetings(sandbox: &Sandbox, words: &str) -> io::Result<(usize, usize)> {
    let client = sandbox.client();
    let failed = |error: sandbox::client::Error| io::Error::other(error.to_string());
    let before = client.messages("alice", "general", 100).await.map_err(failed)?.len();
    client.create_user("newcomer").await.map_err(failed)?;
    client.join("Sandbox", "newcomer").await.map_err(failed)?;
    let began = Instant::now();
    loop {
        let messages = client.messages("alice", "general", 100).await.map_err(failed)?;
        let new = messages.iter().skip(before).filter(|message| message["author"]["bot"] == true);
        let texts: Vec<_> = new.map(ToString::to_string).collect();
        if !texts.is_empty() || began.elapsed() > PATIENCE {
            // Any other listener has received the event by the time that a later event is answered.
            let _ = client.say("/ping").await;
            return Ok((texts.iter().filter(|text| text.contains(words)).count(), texts.len()));
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
