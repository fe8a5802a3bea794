//! The world's clock.

use clap::Args;
use sandbox::Client;
use sandbox::state::clock;

use super::{Failure, Outcome, terminal};

#[derive(Debug, Args)]
pub(super) struct Clock {
    /// How far to move it, as in +16m, +1h30m or +2d, or a moment in ISO 8601; without it, the time is only shown.
    #[arg(allow_hyphen_values = true)]
    to: Option<String>,
}

pub(super) async fn clock(client: &Client, asked: Clock) -> Result<Outcome, Failure> {
    let shown = match asked.to.as_deref() {
        None => client.clock().await?,
        Some(to) => match to.strip_prefix('+') {
            Some(length) => {
                let by = clock::length(length).ok_or_else(|| {
                    Failure(format!("\"{to}\" is no length of time, such as +30s, +16m, +1h30m or +2d"))
                })?;
                client.advance_clock(by).await?
            }
            None if to.starts_with('-') => return Err(Failure("the clock only moves forward".to_owned())),
            None => client.advance_clock_to(to).await?,
        },
    };
    terminal::line(&terminal::inline(shown["now"].as_str().unwrap_or_default()))?;
    Ok(Outcome::Good)
}
