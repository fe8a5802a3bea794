//! Connects to Discord's REST interface, or to the server in DISCORD_API_URL.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderValue};
use sdk::PluginId;
use sdk::answers::Answers;
use sdk::serenity::all::{Http, HttpBuilder};

use crate::config::{ApiUrl, Token};

mod limiter;
pub(crate) mod plain;
mod relay;

use limiter::{Limiter, WAIT_WITHIN};
pub(crate) use limiter::{Scope, Waited};
use relay::{PLUGIN, Relay};

/// Longest wait for a connection to open, and for the next bytes of a response.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
const ANSWER_WITHIN: Duration = Duration::from_mins(1);

/// Creates serenity's HTTP clients. The relay and the limiter end when this is dropped.
pub(crate) struct Api {
    client: reqwest::Client,
    token: Token,
    relay: Relay,
    limiter: Arc<Limiter>,
}

impl Api {
    /// Prepares requests to `target`, or to Discord itself. `plain` allows requests to public addresses without TLS.
    ///
    /// # Errors
    /// If this machine provides no port, random numbers or certificates.
    pub(crate) async fn new(token: Token, target: Option<&ApiUrl>, plain: bool) -> Result<Self, ApiError> {
        let limiter = Arc::new(Limiter::new());
        let relay = Relay::start(target.cloned(), plain, limiter.clone()).await?;
        let client = client(&relay, HeaderMap::new())?;
        Ok(Self { client, token, relay, limiter })
    }

    /// Sets the function that is called for each request that had to wait for a rate limit. Only the first call has an
    /// effect.
    pub(crate) fn tell_waits(&self, waited: Waited) {
        self.limiter.tell_waits(waited);
    }

    /// Keeps a host's record of initial responses to interactions up to date. Only the first call has an effect.
    /// `held` reports them to a held gateway as well.
    pub(crate) fn keep_answers(&self, answers: Arc<Answers>, held: Option<gateway::client::Answers>) {
        self.relay.tell_answers(Box::new(move |interaction| {
            answers.note(interaction.get().into());
            if let Some(held) = &held {
                held.answer(interaction.get());
            }
        }));
    }

    /// Returns the HTTP client below serenity, which also goes through the relay.
    pub(crate) fn client(&self) -> reqwest::Client {
        self.client.clone()
    }

    /// Creates a client for the host's own requests.
    pub(crate) fn http(&self) -> Http {
        self.http_over(self.client.clone())
    }

    /// Creates a client for a plugin's requests. Where requests wait, they are attributed to the plugin.
    ///
    /// # Errors
    /// If this machine provides no certificates.
    pub(crate) fn http_of(&self, plugin: &PluginId) -> Result<Http, ApiError> {
        let mut headers = HeaderMap::new();
        // Ids consist of letters, digits, `-` and `/`.
        headers.extend(HeaderValue::from_str(&plugin.to_string()).ok().map(|name| (PLUGIN, name)));
        Ok(self.http_over(client(&self.relay, headers)?))
    }

    /// Returns how many requests wait for a rate limit.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.limiter.waiting()
    }

    /// Returns how many requests have arrived at the relay.
    #[cfg(test)]
    pub(crate) fn entered(&self) -> u64 {
        self.limiter.entered()
    }

    /// Creates a client without serenity's ratelimiter. The relay limits requests instead.
    fn http_over(&self, client: reqwest::Client) -> Http {
        HttpBuilder::new(self.token.expose()).client(client).ratelimiter_disabled(true).build()
    }
}

fn client(relay: &Relay, headers: HeaderMap) -> Result<reqwest::Client, ApiError> {
    relay
        .client()
        .map(|builder| builder.default_headers(headers))
        // The relay itself limits the waits for the rate limit, for a connection and for a response.
        .and_then(|builder| {
            builder
                .connect_timeout(CONNECT_WITHIN)
                .read_timeout(WAIT_WITHIN + CONNECT_WITHIN + ANSWER_WITHIN)
                .build()
        })
        .map_err(ApiError::Client)
}

/// Why no request can be made on this machine.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    #[error("No loopback port can be opened for requests to Discord: {0}.")]
    Port(#[source] io::Error),
    #[error("This machine gives no random numbers, which the way to Discord needs.")]
    Random,
    #[error("No certificate can be made for requests to Discord: {0}.")]
    Certificate(#[source] Box<dyn Error + Send + Sync>),
    #[error("No HTTP client can be made on this machine: {}.", cause(.0))]
    Client(#[source] reqwest::Error),
    #[error("No HTTP client can be made for Discord: {}.", cause(.0))]
    Outgoing(#[source] reqwest::Error),
}

/// Returns the innermost cause of an error, which is the one that a user can act on.
pub(crate) fn cause(error: &dyn Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
