//! Boosts of a guild.

use clap::Args;
use sandbox::Client;
use serde_json::json;

use super::{Failure, Outcome, terminal};

#[derive(Debug, Args)]
pub(super) struct Boost {
    /// Number of boosts that the guild has; its level is 1 from 2 on, 2 from 7, 3 from 14.
    boosts: u32,
    /// Let Discord have verified the guild, so that it takes Lottie stickers.
    #[arg(long)]
    verified: bool,
    /// Guild by name or id.
    #[arg(long, default_value = "Sandbox")]
    guild: String,
}

pub(super) async fn boost(client: &Client, boost: Boost) -> Result<Outcome, Failure> {
    let perks = json!({ "boosts": boost.boosts, "verified": boost.verified });
    let set = client.set_perks(&boost.guild, &perks).await?;
    terminal::line(&format!("{} has level {}.", boost.guild, set["premium_tier"]))?;
    Ok(Outcome::Good)
}
