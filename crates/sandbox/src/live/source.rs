//! The part of a bot that has sent a request, where it says so.
//!
//! A bot may name it in the header `X-Sandbox-Source`, such as the plugin or module that answers. It is kept with the
//! messages that the request makes or changes, for people who look at the bot. Bots never see it.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::http::{HeaderMap, HeaderName};
use futures_util::future::Either;

use super::Live;
use crate::snowflake::Snowflake;

/// Name of the header.
const HEADER: HeaderName = HeaderName::from_static("x-sandbox-source");
/// Longest name, in bytes. A longer one is ignored.
const LONGEST: usize = 100;

tokio::task_local! {
    static SOURCE: Arc<str>;
}

/// The part of a bot that wrote a message.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Source {
    /// Its name.
    pub name: Arc<str>,
    /// When what led to the message began: the interaction that it answers, or else the message itself. Milliseconds of
    /// Unix time, by the machine's clock.
    pub at_ms: u64,
}

/// Returns the source that a request names.
pub(crate) fn named(headers: &HeaderMap) -> Option<Arc<str>> {
    let name = headers.get(HEADER)?.to_str().ok()?;
    (!name.is_empty() && name.len() <= LONGEST).then(|| name.into())
}

/// Returns the handler of a request, to be run as one from this source.
pub(crate) fn run<F: Future>(source: Option<Arc<str>>, handler: F) -> impl Future<Output = F::Output> {
    match source {
        Some(source) => Either::Left(SOURCE.scope(source, handler)),
        None => Either::Right(handler),
    }
}

impl Live<'_> {
    /// Returns the source of the request that is being handled, with the time of the interaction that it answers.
    pub(super) fn source(&self, interaction: Option<Snowflake>) -> Option<Source> {
        let name = SOURCE.try_with(Clone::clone).ok()?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let age = interaction.and_then(|id| self.interactions.get(id)).map(|found| found.created.elapsed());
        let at = now.saturating_sub(age.unwrap_or_default());
        Some(Source { name, at_ms: u64::try_from(at.as_millis()).unwrap_or(u64::MAX) })
    }
}
