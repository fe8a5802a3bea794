//! The endpoints of a bot: where its interactions and webhook events are sent.

use clap::Args;
use sandbox::Client;
use serde_json::{Value, json};

use super::{Failure, Outcome, terminal};

#[derive(Debug, Args)]
pub(super) struct Endpoint {
    /// Bot by name or id; by default the first.
    bot: Option<String>,
    /// Address for interactions, in place of the gateway; empty for the gateway.
    #[arg(long, value_name = "URL")]
    interactions: Option<String>,
    /// Address for webhook events; empty for none.
    #[arg(long, value_name = "URL")]
    events: Option<String>,
    /// Types of webhook events to subscribe to, as in ENTITLEMENT_CREATE,LOBBY_MESSAGE_CREATE; switches them on, and off if
    /// empty.
    #[arg(long, value_name = "TYPES", value_delimiter = ',')]
    event_types: Option<Vec<String>>,
    /// Set addresses that do not answer yet.
    #[arg(long)]
    unverified: bool,
    /// Verify the addresses again, as Discord does from time to time, and remove one that fails.
    #[arg(long)]
    check: bool,
}

/// Changes or checks the endpoints of a bot, and prints them.
pub(super) async fn endpoint(client: &Client, asked: Endpoint) -> Result<Outcome, Failure> {
    let bot = match asked.bot {
        Some(bot) => bot,
        None => client.overview().await?["bots"][0]["id"].as_str().unwrap_or_default().to_owned(),
    };
    let mut change = json!({});
    for (field, url) in
        [("interactions_endpoint_url", asked.interactions), ("event_webhooks_url", asked.events)]
    {
        if let Some(url) = url {
            change[field] = if url.is_empty() { Value::Null } else { url.into() };
        }
    }
    if let Some(types) = asked.event_types {
        let types: Vec<String> = types.into_iter().filter(|name| !name.is_empty()).collect();
        change["event_webhooks_status"] = if types.is_empty() { 1 } else { 2 }.into();
        change["event_webhooks_types"] = json!(types);
    }
    let mut shown = if change == json!({}) {
        client.endpoints(&bot).await?
    } else {
        change["verify"] = (!asked.unverified).into();
        client.edit_endpoints(&bot, &change).await?
    };
    if asked.check {
        shown = client.check_endpoints(&bot).await?;
    }
    print(&shown)?;
    let removed = shown["removed"].as_object().filter(|removed| !removed.is_empty());
    for reason in removed.into_iter().flat_map(serde_json::Map::values) {
        terminal::warn(&format!("removed: {}", reason.as_str().unwrap_or_default()));
    }
    Ok(if removed.is_some() { Outcome::NoAnswer } else { Outcome::Good })
}

fn print(shown: &Value) -> Result<(), Failure> {
    let text = |field: &str| terminal::inline(shown[field].as_str().unwrap_or("none"));
    let interactions = shown["interactions_endpoint_url"].as_str().map(terminal::inline);
    let status = match shown["event_webhooks_status"].as_u64() {
        Some(2) => "on",
        Some(3) => "disabled, since too many were not acknowledged",
        _ => "off",
    };
    let types: Vec<&str> =
        shown["event_webhooks_types"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    terminal::line(&format!("{}, public key {}", text("name"), text("public_key")))?;
    terminal::line(&format!("  interactions  {}", interactions.unwrap_or_else(|| "the gateway".to_owned())))?;
    terminal::line(&format!("  events        {}, {status}", text("event_webhooks_url")))?;
    if !types.is_empty() {
        terminal::line(&format!("  types         {}", terminal::inline(&types.join(" "))))?;
    }
    Ok(())
}
