//! `sandbox serve`: where the bot gets its interactions and webhook events.

use clap::Args;
use sandbox::Builder;

#[derive(Debug, Args)]
pub(super) struct Endpoints {
    /// Address to which the bot's interactions are sent instead of through the gateway, as in
    /// http://127.0.0.1:3000/interactions. The bot may start later; it verifies requests by DISCORD_PUBLIC_KEY, which
    /// `sandbox env` prints.
    #[arg(long, value_name = "URL")]
    interactions_endpoint_url: Option<String>,
    /// Address to which the bot's webhook events are sent.
    #[arg(long, value_name = "URL")]
    event_webhooks_url: Option<String>,
    /// Types of webhook events to send, as in ENTITLEMENT_CREATE,APPLICATION_AUTHORIZED; by default all.
    #[arg(long, value_name = "TYPES", value_delimiter = ',', requires = "event_webhooks_url")]
    event_webhooks_types: Vec<String>,
    /// Host outside of private networks to which interactions and webhook events may be sent. Can be given several times.
    #[arg(long, value_name = "HOST")]
    endpoint_host: Vec<String>,
}

impl Endpoints {
    pub(super) fn apply(&self, mut builder: Builder) -> Builder {
        if let Some(url) = &self.interactions_endpoint_url {
            builder = builder.interactions_endpoint_url(url);
        }
        if let Some(url) = &self.event_webhooks_url {
            builder = builder.event_webhooks(url, &self.event_webhooks_types);
        }
        builder.endpoint_hosts(&self.endpoint_host)
    }
}
