//! `sandbox fault event`: faults of dispatched events.

use clap::{Args, Subcommand};
use sandbox::Client;
use sandbox::fault::{GatewayEffect, GatewayRule, On, Rule};

use super::super::{Failure, Outcome};
use super::{add, find};

#[derive(Debug, Args)]
pub(in crate::cli) struct Event {
    /// Name of the event, as in MESSAGE_CREATE; '*' is any.
    name: String,
    #[command(subcommand)]
    what: What,
    /// Bot that is meant, by name or id; any unless given.
    #[arg(long, global = true)]
    bot: Option<String>,
    /// How often the rule strikes; always unless given.
    #[arg(long, global = true)]
    count: Option<u64>,
    /// How many events pass unharmed first.
    #[arg(long, global = true, default_value_t = 0)]
    skip: u64,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Lose it.
    Drop,
    /// Hold it back, and those behind it.
    Delay {
        /// Milliseconds.
        ms: u64,
    },
    /// Send it again, under the same sequence number.
    Duplicate {
        /// How many times more.
        #[arg(default_value_t = 1)]
        extra: u32,
    },
    /// Cut its payload off, so that it is no JSON.
    Truncate {
        /// Bytes that still arrive.
        bytes: usize,
    },
    /// Change its data by a merge patch (RFC 7396): sandbox fault event MESSAGE_CREATE patch '{"content": null}'
    Patch {
        /// What is laid over the data, as JSON; null takes a field away.
        merge: String,
    },
}

pub(super) async fn run(client: &Client, event: Event) -> Result<Outcome, Failure> {
    let (effect, delay_ms) = match event.what {
        What::Drop => (GatewayEffect::Ignore, 0),
        What::Delay { ms } => (GatewayEffect::Pass, ms),
        What::Duplicate { extra } => (GatewayEffect::Duplicate { extra }, 0),
        What::Truncate { bytes } => (GatewayEffect::Truncate { bytes }, 0),
        What::Patch { merge } => {
            let merge = serde_json::from_str(&merge)
                .map_err(|error| Failure(format!("this is no JSON to lay over an event: {error}")))?;
            (GatewayEffect::Patch { merge }, 0)
        }
    };
    let bot = match &event.bot {
        Some(name) => Some(find(client, name).await?),
        None => None,
    };
    let name = Some(event.name.to_uppercase()).filter(|name| name != "*");
    let mut rule =
        Rule::new(On::Dispatch(GatewayRule { event: name, bot, effect, ..GatewayRule::default() }));
    (rule.count, rule.skip, rule.delay_ms) = (event.count, event.skip, delay_ms);
    add(client, &rule).await
}
