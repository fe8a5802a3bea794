//! Users' authorizations of applications.

use clap::Args;
use sandbox::Client;

use super::{Failure, Outcome, terminal};

#[derive(Debug, Args)]
pub(super) struct Authorize {
    /// Bot whose application is authorized, by name or id.
    bot: String,
    /// What it is authorized for, as in identify,guilds.
    #[arg(long, value_delimiter = ',', default_value = "identify")]
    scopes: Vec<String>,
    /// User who authorizes it.
    #[arg(long = "as", value_name = "USER", default_value = "alice")]
    user: String,
}

/// Prints the access token.
pub(super) async fn authorize(client: &Client, asked: Authorize) -> Result<Outcome, Failure> {
    let scopes: Vec<&str> = asked.scopes.iter().map(String::as_str).collect();
    let made = client.authorize(&asked.user, &asked.bot, &scopes).await?;
    terminal::line(&terminal::inline(made["access_token"].as_str().unwrap_or_default()))?;
    Ok(Outcome::Good)
}
