//! Users who go on asking while something goes wrong, and what each of them got.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use sandbox::client::Run;
use sandbox::{Client, Sandbox};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::MissedTickBehavior;

/// Time between two questions.
const PERIOD: Duration = Duration::from_millis(50);

/// One question and what came of it.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Moment of the question.
    pub at: Instant,
    /// What the user saw, or why the user saw nothing.
    pub seen: Result<String, String>,
    /// The interaction's id, when it was one.
    pub interaction: Option<String>,
    /// Initial responses that came.
    pub callbacks: u32,
    /// Time until the answer was seen.
    pub took: Duration,
}

/// Questions that are asked at a steady pace.
pub struct Pulse {
    asked: Arc<Mutex<Vec<Asked>>>,
    stop: tokio::sync::watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
    abort: AbortHandle,
}

impl Pulse {
    /// Begins to run `command`.
    pub fn start(sandbox: &Sandbox, command: &str) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let task = tokio::spawn(run(sandbox.client(), command.to_owned(), asked.clone(), stopped));
        let abort = task.abort_handle();
        Self { asked, stop, task, abort }
    }

    /// Waits until a question asked from now on has been answered with `words`, for at most `patience`.
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

    /// Ends, waits for the answers that are under way, and gives the account.
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
                // Refused by the sandbox: there is no such command, or no bot, so nothing was sent that could be lost.
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
