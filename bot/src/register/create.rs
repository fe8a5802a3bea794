//! The requests that create or replace commands.
//!
//! They bypass serenity's ratelimiter, which would wait as long as Discord requires before it returns: hours, when the
//! day's creations are used up.

use std::time::Duration;

use sdk::serenity::http::DiscordJsonError;
use sdk::tokio::time::sleep;
use sdk::{serenity, tokio};
use serde_json::Value;

use super::failure::Failure;

/// Longest wait that is not treated as a failure.
const WAIT_AT_MOST: Duration = Duration::from_secs(30);

/// What Discord has accepted.
pub(super) struct Accepted {
    /// Whether a command's name is new in its scope.
    pub(super) is_new: bool,
    /// The command, or the commands, as returned by Discord.
    pub(super) json: Value,
}

/// Sends the request that `make` builds until the response is something other than a short wait.
pub(super) async fn send(
    make: impl Fn() -> Result<reqwest::RequestBuilder, serenity::Error>,
    body: &Value,
) -> Result<Accepted, Failure> {
    loop {
        let request = make().map_err(|error| Failure::new(error, Some(body)))?;
        let answer = request.send().await.map_err(Failure::unreachable)?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let seconds = |name: &str| -> Option<Duration> {
            Duration::try_from_secs_f64(headers.get(name)?.to_str().ok()?.parse().ok()?).ok()
        };
        let bytes = answer.bytes().await.map_err(Failure::unreachable)?;
        let json: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        if status.is_success() {
            if headers.get("x-ratelimit-remaining").is_some_and(|left| left == "0")
                && let Some(wait) = seconds("x-ratelimit-reset-after")
            {
                sleep(wait.min(WAIT_AT_MOST)).await;
            }
            return Ok(Accepted { is_new: status == reqwest::StatusCode::CREATED, json });
        }
        let in_body = json["retry_after"].as_f64().and_then(|s| Duration::try_from_secs_f64(s).ok());
        let retry_after = in_body.or_else(|| seconds("retry-after"));
        let error: Option<DiscordJsonError> = serde_json::from_value(json).ok();
        let failure = Failure::of_answer(status.as_u16(), error.as_ref(), retry_after, Some(body));
        match retry_after {
            Some(wait) if matches!(failure, Failure::Passing(_)) && wait <= WAIT_AT_MOST => {
                tokio::time::sleep(wait).await;
            }
            _ => return Err(failure),
        }
    }
}
