//! Waiting for what no event announces.

use std::io;
use std::time::{Duration, Instant};

use sandbox::Sandbox;
use serde_json::Value;

use crate::bot::PATIENCE;

/// Looks until `look` finds something, and returns it.
///
/// # Errors
/// If it does not.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> io::Result<T> {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        if let Some(found) = look().await {
            return Ok(found);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Err(io::Error::other(format!("waited in vain until {what}")))
}

/// Waits until alice can run a command that `fits`.
///
/// # Errors
/// If there is none.
pub async fn until_registered(sandbox: &Sandbox, fits: impl Fn(&Value) -> bool) -> io::Result<()> {
    let client = sandbox.client();
    until("the commands are registered", async || {
        let commands = client.commands("alice", "bot-test").await.unwrap_or_default();
        commands.iter().any(&fits).then_some(())
    })
    .await
}
