//! The fault matrix: every fault is caused for real, and the outcomes are printed as a table.
//!
//! # Theory of operation
//!
//! A [`Stage`] is a playground with a plugin made to fail, a host and a sandbox. A [`Row`] is data: the fault, the
//! expected log messages, and what has to hold afterwards. During a row, users run the plugin's command twenty times a
//! second, so that the table can show which version answered and how fast. Each of these calls has to be answered once,
//! or be named in the log. Afterwards everything is repaired, and the next row begins with a working version that
//! answers. Rows of [`voice`] run on a host that plays.

use std::io;
use std::time::{Duration, Instant};

use clap::Args;

use crate::kept::{Kept, Show};

pub mod disk;
pub mod foreign;
pub mod plugin;
pub mod programs;
pub mod pulse;
pub mod row;
pub mod scenarios;
pub mod stage;
pub mod table;
pub mod trial;
pub mod voice;

pub use row::{Group, Row};
pub use stage::Stage;
pub use table::ROWS;
pub use trial::Outcome;

/// Words of the command line.
#[derive(Args, Debug)]
pub struct Options {
    /// Try only rows whose name holds this, or one of these, with commas between them
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    only: Vec<String>,
    /// Print one JSON object a row instead of a table
    #[arg(long)]
    json: bool,
}

/// Longest time without answers after a host has died.
const BACK_WITHIN: Duration = Duration::from_secs(2);

/// Runs all rows and prints the table. Returns whether all outcomes were as expected.
///
/// # Errors
/// If no row can be run at all, or none has the name.
pub async fn run(options: &Options) -> io::Result<bool> {
    let began = Instant::now();
    let chosen =
        |name: &str| options.only.is_empty() || options.only.iter().any(|words| name.contains(words));
    let mut names = ROWS.iter().map(|row| row.name).chain(voice::ROWS.iter().map(|row| row.name));
    if !names.clone().any(chosen) {
        let names: Vec<_> = names.by_ref().collect();
        return Err(io::Error::other(format!("no row has that name; there are:\n{}", names.join("\n"))));
    }
    if !options.json {
        println!("{:<8}{:<44}| {:<100} | who answers, of how many asked", "", "tried", "observed");
    }
    let mut sums = Kept::new(Sums { json: options.json, began: Some(began), ..Sums::default() });
    for group in Group::ALL {
        let rows: Vec<_> = ROWS.iter().filter(|row| row.group == group && chosen(row.name)).collect();
        if rows.is_empty() {
            continue;
        }
        let mut stage = Stage::new().await?;
        for row in rows {
            let mut outcome = match trial::run(row, &mut stage).await {
                Ok(outcome) => outcome,
                // The state of this stage is unknown; the other rows get a new one.
                Err(error) => {
                    let words = error.to_string();
                    stage = Stage::new().await?;
                    Outcome { wrong: vec![words], ..Outcome::of(row.name) }
                }
            };
            if outcome.back.is_some_and(|back| back > BACK_WITHIN) {
                outcome.wrong.push(format!("the host has to be back within {} s", BACK_WITHIN.as_secs()));
            }
            sums.add(&outcome, options);
        }
        stage.end().await?;
    }
    let rows: Vec<_> = voice::ROWS.iter().filter(|row| chosen(row.name)).collect();
    if !rows.is_empty() {
        let mut stage = voice::Stage::new().await?;
        for row in rows {
            let outcome = match voice::run(row, &mut stage).await {
                Ok(outcome) => outcome,
                Err(error) => {
                    let words = error.to_string();
                    stage = voice::Stage::new().await?;
                    Outcome { wrong: vec![words], ..Outcome::of(row.name) }
                }
            };
            sums.add(&outcome, options);
        }
        stage.end().await?;
    }
    Ok(sums.finish().failed == 0)
}

/// The outcomes of all rows.
#[derive(Default)]
struct Sums {
    json: bool,
    began: Option<Instant>,
    passed: usize,
    failed: usize,
    skipped: usize,
}

impl Show for Sums {
    fn show(&self, is_whole: bool) {
        let Self { json, began, passed, failed, skipped } = self;
        if !json {
            let seconds = began.map_or(0, |began| began.elapsed().as_secs());
            let until = if is_whole { "" } else { ", then it ended before its time" };
            println!(
                "\nfaults: {passed} as they have to be, {failed} failed, {skipped} skipped, in {seconds} s{until}"
            );
        }
    }
}

impl Sums {
    /// Counts the outcome of a row and prints it.
    fn add(&mut self, outcome: &Outcome, options: &Options) {
        match (&outcome.skipped, outcome.wrong.is_empty()) {
            (Some(_), _) => self.skipped += 1,
            (None, true) => self.passed += 1,
            (None, false) => self.failed += 1,
        }
        if options.json {
            println!("{}", outcome.to_json());
        } else {
            println!("{}", outcome.to_line());
        }
    }
}
