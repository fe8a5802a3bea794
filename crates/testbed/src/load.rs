//! A steady load of interactions, each followed to its answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use sandbox::client::Run;
use sandbox::{Client, Sandbox};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

/// What became of the interactions of a load.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Interactions sent.
    pub sent: u64,
    /// Interactions that nobody answered in time.
    pub lost: u64,
    /// Interactions that were answered more than once.
    pub doubled: u64,
    /// Interactions answered by something else than the command's own words.
    pub failed: u64,
    /// What the first few that went wrong said.
    pub samples: Vec<String>,
}

impl Tally {
    /// Says whether every interaction was answered once and well.
    pub fn is_clean(&self) -> bool {
        self.lost == 0 && self.doubled == 0 && self.failed == 0
    }
}

/// A load that is running.
pub struct Load {
    stop: Arc<AtomicBool>,
    task: tokio::task::JoinHandle<Tally>,
    sent: Arc<AtomicU64>,
}

impl Load {
    /// Runs `command` as users do, `per_second` times a second, and expects answers that begin with `expected`.
    pub fn start(sandbox: &Sandbox, command: &str, expected: &'static str, per_second: u32) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let sent = Arc::new(AtomicU64::new(0));
        let task = tokio::spawn(run(
            sandbox.client(),
            command.to_owned(),
            expected,
            Duration::from_secs(1) / per_second.max(1),
            stop.clone(),
            sent.clone(),
        ));
        Self { stop, task, sent }
    }

    /// Counts the interactions sent so far.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Ends the load, waits for what is under way, and gives the account.
    ///
    /// # Panics
    /// When the load itself panicked.
    pub async fn stop(self) -> Tally {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await.expect("the load does not panic")
    }
}

async fn run(
    client: Client,
    command: String,
    expected: &'static str,
    period: Duration,
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
) -> Tally {
    let tally = Arc::new(Mutex::new(Tally::default()));
    let mut ticks = tokio::time::interval(period);
    // A tick that came late is made up for, so that the rate holds on a busy machine.
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
            if tally.samples.len() < 5 {
                tally.samples.push(problem);
            }
        });
        while calls.try_join_next().is_some() {}
    }
    while calls.join_next().await.is_some() {}
    std::mem::take(&mut *tally.lock())
}
