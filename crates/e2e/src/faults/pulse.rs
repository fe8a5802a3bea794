//! Users who keep running a command during a fault, and the answers that they get.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use sandbox::client::Run;
use sandbox::{Client, Sandbox};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::MissedTickBehavior;

/// Time between two calls.
const PERIOD: Duration = Duration::from_millis(50);

/// A call and its outcome.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Time of the call.
    pub at: Instant,
    /// What the user saw, or why they saw nothing.
    pub seen: Result<String, String>,
    /// The interaction's id, if there was one.
    pub interaction: Option<String>,
    /// Number of initial responses received.
    pub callbacks: u32,
    /// Time until the answer was seen.
    pub took: Duration,
}

/// Calls at a steady rate.
pub struct Pulse {
    asked: Arc<Mutex<Vec<Asked>>>,
    stop: tokio::sync::watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
    abort: AbortHandle,
}

impl Pulse {
    /// Starts to run `command`.
    pub fn start(sandbox: &Sandbox, command: &str) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let task = tokio::spawn(run(sandbox.client(), command.to_owned(), asked.clone(), stopped));
        let abort = task.abort_handle();
        Self { asked, stop, task, abort }
    }

    /// Waits until a call from now on has been answered with `words`, for at most `patience`. Returns whether that
    /// happened.
    pub async fn answers(&self, words: &str, patience: Duration) -> bool {
        let from = Instant::now();
        while from.elapsed() < patience {
            let answered = |asked: &Asked| asked.at >= from && asked.seen.as_deref() == Ok(words);
            if self.asked.lock().iter().any(answered) {
                return true;
            }
            tokio::time::sleep(PERIOD).await;
        }
        false
    }

    /// Stops, waits for the answers to calls in progress, and returns all calls.
    pub async fn stop(mut self) -> Vec<Asked> {
        let _ = self.stop.send(true);
        let _ = (&mut self.task).await;
        std::mem::take(&mut *self.asked.lock())
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.abort.abort();
    }
}

async fn run(
    client: Client,
    command: String,
    account: Arc<Mutex<Vec<Asked>>>,
    mut stopped: tokio::sync::watch::Receiver<bool>,
) {
    let mut ticks = tokio::time::interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut asking = JoinSet::new();
    loop {
        tokio::select! {
            _ = stopped.changed() => break,
            _ = ticks.tick() => {}
        }
        let (client, command, account) = (client.clone(), command.clone(), account.clone());
        asking.spawn(async move {
            let at = Instant::now();
            let outcome = client.run(Run::typed(command)).await;
            let took = at.elapsed();
            let asked = match outcome {
                Ok(answer) => Asked {
                    at,
                    interaction: Some(answer.interaction.to_string()),
                    callbacks: answer.callbacks,
                    seen: answer.error.map_or(Ok(answer.content), Err),
                    took,
                },
                // The sandbox refused it: there is no such command, or no bot, so nothing was sent that could be lost.
                Err(error) => {
                    Asked { at, seen: Err(error.to_string()), interaction: None, callbacks: 0, took }
                }
            };
            account.lock().push(asked);
        });
        while asking.try_join_next().is_some() {}
    }
    while asking.join_next().await.is_some() {}
}
