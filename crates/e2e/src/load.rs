//! A steady load of interactions, each tracked until its answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use sandbox::client::Run;
use sandbox::{Client, Sandbox};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::numbers::Numbers;

/// Number of error texts that are kept.
const SAMPLES: usize = 5;

/// The outcomes of the interactions of a load.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Interactions sent.
    pub sent: u64,
    /// Interactions that were not answered in time.
    pub lost: u64,
    /// Interactions that were answered more than once.
    pub doubled: u64,
    /// Interactions that were answered with something other than the command's own text.
    pub failed: u64,
    /// Milliseconds from an interaction to its first response.
    pub acknowledged: Numbers,
    /// Texts of the first failures.
    pub samples: Vec<String>,
}

impl Tally {
    /// Adds the outcomes of others.
    pub fn add(&mut self, other: Self) {
        self.sent += other.sent;
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.failed += other.failed;
        self.acknowledged.add(other.acknowledged);
        self.samples.extend(other.samples);
        self.samples.truncate(SAMPLES);
    }

    /// Returns the numbers of interactions, without their times.
    pub fn to_json(&self) -> Value {
        json!({ "sent": self.sent, "lost": self.lost, "doubled": self.doubled, "failed": self.failed })
    }

    /// Returns whether every interaction was answered once and correctly.
    pub fn is_clean(&self) -> bool {
        self.lost == 0 && self.doubled == 0 && self.failed == 0
    }
}

/// A running load.
pub struct Load {
    stop: Arc<AtomicBool>,
    task: tokio::task::JoinHandle<()>,
    sent: Arc<AtomicU64>,
    tally: Arc<Mutex<Tally>>,
}

impl Load {
    /// Runs `command` as users do, `per_second` times per second, and expects answers that begin with `expected`.
    pub fn start(sandbox: &Sandbox, command: &str, expected: &'static str, per_second: u32) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let sent = Arc::new(AtomicU64::new(0));
        let tally = Arc::new(Mutex::new(Tally::default()));
        let task = tokio::spawn(run(
            sandbox.client(),
            command.to_owned(),
            expected,
            Duration::from_secs(1) / per_second.max(1),
            stop.clone(),
            sent.clone(),
            tally.clone(),
        ));
        Self { stop, task, sent, tally }
    }

    /// Returns the number of interactions sent so far.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Returns the outcomes so far.
    pub fn so_far(&self) -> Tally {
        self.tally.lock().clone()
    }

    /// Ends the load, waits for interactions in progress, and returns the outcomes.
    ///
    /// # Panics
    /// If the load itself panicked.
    pub async fn stop(self) -> Tally {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await.expect("the load does not panic");
        std::mem::take(&mut *self.tally.lock())
    }
}

async fn run(
    client: Client,
    command: String,
    expected: &'static str,
    period: Duration,
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    tally: Arc<Mutex<Tally>>,
) {
    let mut ticks = tokio::time::interval(period);
    // Late ticks are made up for, so that the rate holds on a busy machine.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut calls = JoinSet::new();
    while !stop.load(Ordering::Relaxed) {
        ticks.tick().await;
        sent.fetch_add(1, Ordering::Relaxed);
        let (client, command, tally) = (client.clone(), command.clone(), tally.clone());
        calls.spawn(async move {
            let outcome = client.run(Run::typed(command)).await;
            let mut tally = tally.lock();
            tally.sent += 1;
            if let Some(ms) = outcome.as_ref().ok().and_then(|answer| answer.acknowledged_ms) {
                tally.acknowledged.push(ms);
            }
            let problem = match outcome {
                Err(error) => {
                    tally.failed += 1;
                    error.to_string()
                }
                Ok(answer) if answer.callbacks > 1 => {
                    tally.doubled += 1;
                    format!("{} answered {} times", answer.interaction, answer.callbacks)
                }
                Ok(answer) if answer.error.is_some() => {
                    tally.lost += 1;
                    answer.error.unwrap_or_default()
                }
                Ok(answer) if !answer.content.starts_with(expected) => {
                    tally.failed += 1;
                    answer.content
                }
                Ok(_) => return,
            };
            if tally.samples.len() < SAMPLES {
                tally.samples.push(problem);
            }
        });
        while calls.try_join_next().is_some() {}
    }
    while calls.join_next().await.is_some() {}
}
