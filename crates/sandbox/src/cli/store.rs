//! The store: SKUs, purchases, entitlements and subscriptions.

use clap::{Args, ValueEnum};
use sandbox::Client;
use serde_json::{Value, json};

use super::{Failure, Outcome, terminal};

/// Prints everything in the store.
pub(super) async fn all(client: &Client) -> Result<Outcome, Failure> {
    terminal::json_line(&client.store().await?)?;
    Ok(Outcome::Good)
}

/// What an SKU is.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    Durable,
    Consumable,
    UserSubscription,
    GuildSubscription,
}

#[derive(Debug, Args)]
pub(super) struct Sku {
    /// Name of what is sold.
    name: String,
    /// What it is.
    #[arg(long = "type", value_enum, default_value_t = Kind::UserSubscription)]
    kind: Kind,
    /// Price, by which a change of subscriptions is an upgrade or a downgrade.
    #[arg(long, default_value_t = 0)]
    price: u32,
    /// Bot that sells it, by name or id; the first one unless given.
    #[arg(long)]
    bot: Option<String>,
}

pub(super) async fn sku(client: &Client, sku: Sku) -> Result<Outcome, Failure> {
    let bot = match sku.bot {
        Some(bot) => bot,
        None => {
            let all = client.overview().await?;
            let first = all["bots"][0]["id"].as_str().map(str::to_owned);
            first.ok_or_else(|| Failure("there is no bot".to_owned()))?
        }
    };
    let kind = match sku.kind {
        Kind::Durable => "durable",
        Kind::Consumable => "consumable",
        Kind::UserSubscription => "user_subscription",
        Kind::GuildSubscription => "guild_subscription",
    };
    let body = json!({ "name": sku.name, "type": kind, "price": sku.price });
    show(&client.create_sku(&bot, &body).await?)
}

/// Prints the id of an object.
fn show(made: &Value) -> Result<Outcome, Failure> {
    terminal::line(&terminal::inline(made["id"].as_str().unwrap_or_default()))?;
    Ok(Outcome::Good)
}

#[derive(Debug, Args)]
pub(super) struct Buy {
    /// SKU by id or name.
    sku: String,
    /// User who buys.
    #[arg(long = "as", value_name = "USER", default_value = "alice")]
    user: String,
    /// Guild that a guild subscription is for.
    #[arg(long)]
    guild: Option<String>,
    /// Buy in the application's test mode.
    #[arg(long)]
    test_mode: bool,
}

pub(super) async fn buy(client: &Client, buy: Buy) -> Result<Outcome, Failure> {
    let body = json!({ "as": buy.user, "sku": buy.sku, "guild": buy.guild, "test_mode": buy.test_mode });
    let bought = client.buy(&body).await?;
    for what in ["subscription", "entitlement"] {
        if let Some(id) = bought[what]["id"].as_str() {
            terminal::line(&format!("{what} {}", terminal::inline(id)))?;
        }
    }
    Ok(Outcome::Good)
}

#[derive(Debug, Args)]
pub(super) struct Entitlement {
    /// Its id.
    id: String,
    /// What happens to it.
    #[arg(value_parser = ["consume", "refund"])]
    action: String,
}

pub(super) async fn entitlement(client: &Client, on: Entitlement) -> Result<Outcome, Failure> {
    terminal::json_line(&client.on_entitlement(&on.id, &on.action).await?)?;
    Ok(Outcome::Good)
}

#[derive(Debug, Args)]
pub(super) struct Subscription {
    /// Its id.
    id: String,
    /// What happens to it.
    #[arg(value_parser = ["cancel", "resume", "renew", "expire", "refund", "delete"])]
    action: String,
}

pub(super) async fn subscription(client: &Client, on: Subscription) -> Result<Outcome, Failure> {
    terminal::json_line(&client.on_subscription(&on.id, &on.action).await?)?;
    Ok(Outcome::Good)
}
