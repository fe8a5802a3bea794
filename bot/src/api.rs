//! The way to Discord's REST interface, or to the server that DISCORD_API_URL names.

use std::time::Duration;

use sdk::serenity::all::{Http, HttpBuilder};

use crate::config::{ApiUrl, Token};

pub(crate) mod plain;
mod relay;

use relay::Relay;

/// Longest wait for a connection to open, and for the next bytes of an answer.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
const ANSWER_WITHIN: Duration = Duration::from_mins(1);

/// Makes serenity's HTTP clients; what it started ends with it.
pub(crate) struct Api {
    client: reqwest::Client,
    token: Token,
    _relay: Option<Relay>,
}

impl Api {
    /// Gets ready to talk to `target`, or to Discord itself.
    ///
    /// # Errors
    /// One sentence when this machine gives no port or no certificates.
    pub(crate) async fn new(token: Token, target: Option<&ApiUrl>) -> Result<Self, String> {
        let relay = match target {
            Some(target) => Some(Relay::start(target.clone()).await?),
            None => None,
        };
        let builder = match &relay {
            Some(relay) => relay.client(),
            None => Ok(reqwest::Client::builder().use_rustls_tls()),
        };
        let client = builder
            .and_then(|builder| builder.connect_timeout(CONNECT_WITHIN).read_timeout(ANSWER_WITHIN).build())
            .map_err(|error| format!("No HTTP client can be made on this machine: {}.", cause(&error)))?;
        Ok(Self { client, token, _relay: relay })
    }

    /// Gives the HTTP client below serenity, on the same way to Discord and without a ratelimiter.
    pub(crate) fn client(&self) -> reqwest::Client {
        self.client.clone()
    }

    /// Makes a client with serenity's ratelimiter on.
    pub(crate) fn http(&self) -> Http {
        HttpBuilder::new(self.token.expose()).client(self.client.clone()).build()
    }
}

/// Gives the innermost reason of an error, which is the one that a person can act on.
pub(crate) fn cause(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
