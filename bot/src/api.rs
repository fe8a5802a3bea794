//! The way to Discord's REST interface, or to the server that DISCORD_API_URL names.

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

/// Longest wait for a connection to open, and for the next bytes of an answer.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
const ANSWER_WITHIN: Duration = Duration::from_mins(1);

/// Makes serenity's HTTP clients; what it started ends with it.
pub(crate) struct Api {
    client: reqwest::Client,
    token: Token,
    relay: Relay,
    limiter: Arc<Limiter>,
}

impl Api {
    /// Gets ready to talk to `target`, or to Discord itself; `plain` lets requests go to public addresses without TLS.
    ///
    /// # Errors
    /// One sentence when this machine gives no port or no certificates.
    pub(crate) async fn new(token: Token, target: Option<&ApiUrl>, plain: bool) -> Result<Self, String> {
        let limiter = Arc::new(Limiter::new());
        let relay = Relay::start(target.cloned(), plain, limiter.clone()).await?;
        let client = client(&relay, HeaderMap::new())?;
        Ok(Self { client, token, relay, limiter })
    }

    /// Sets what is called for each request that had to wait for a rate limit; the first call counts.
    pub(crate) fn tell_waits(&self, waited: Waited) {
        self.limiter.tell_waits(waited);
    }

    /// Keeps a host's account of initial responses to interactions; the first call counts.
    pub(crate) fn keep_answers(&self, answers: Arc<Answers>) {
        self.relay.tell_answers(Box::new(move |interaction| answers.note(interaction.get().into())));
    }

    /// Returns the HTTP client below serenity, on the same way to Discord.
    pub(crate) fn client(&self) -> reqwest::Client {
        self.client.clone()
    }

    /// Makes a client for the host's own requests.
    pub(crate) fn http(&self) -> Http {
        self.http_over(self.client.clone())
    }

    /// Makes a client for a plugin's requests, which is known by its name where requests wait.
    ///
    /// # Errors
    /// One sentence when this machine gives no certificates.
    pub(crate) fn http_of(&self, plugin: &PluginId) -> Result<Http, String> {
        let mut headers = HeaderMap::new();
        // Ids are made of letters, digits, `-` and `/`.
        headers.extend(HeaderValue::from_str(&plugin.to_string()).ok().map(|name| (PLUGIN, name)));
        Ok(self.http_over(client(&self.relay, headers)?))
    }

    /// Returns how many requests wait for a rate limit.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.limiter.waiting()
    }

    /// Returns how many requests have come to the relay.
    #[cfg(test)]
    pub(crate) fn entered(&self) -> u64 {
        self.limiter.entered()
    }

    /// Makes a client without serenity's ratelimiter, whose work the relay does.
    fn http_over(&self, client: reqwest::Client) -> Http {
        HttpBuilder::new(self.token.expose()).client(client).ratelimiter_disabled(true).build()
    }
}

fn client(relay: &Relay, headers: HeaderMap) -> Result<reqwest::Client, String> {
    relay
        .client()
        .map(|builder| builder.default_headers(headers))
        // The relay itself bounds how long it waits for the rate limit, for a connection and for an answer.
        .and_then(|builder| {
            builder
                .connect_timeout(CONNECT_WITHIN)
                .read_timeout(WAIT_WITHIN + CONNECT_WITHIN + ANSWER_WITHIN)
                .build()
        })
        .map_err(|error| format!("No HTTP client can be made on this machine: {}.", cause(&error)))
}

/// Gives the innermost reason of an error, which is the one that a person can act on.
pub(crate) fn cause(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
