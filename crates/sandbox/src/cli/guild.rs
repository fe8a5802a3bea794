//! Guilds as their owners and members see them: boosts, features, vanity code, invites.

use clap::Args;
use sandbox::Client;
use sandbox::state::clock;
use serde_json::{Map, Value, json};

use super::{Failure, Outcome, terminal};

#[derive(Debug, Args)]
pub(super) struct Guild {
    /// Guild by name or id.
    #[arg(default_value = "Sandbox")]
    guild: String,
    /// Number of boosts: 2, 7 and 14 reach the levels 1 to 3.
    #[arg(long, required_unless_present_any = ["feature", "without", "vanity"])]
    boosts: Option<u64>,
    /// Features to add, as in COMMUNITY,ROLE_ICONS.
    #[arg(long, value_name = "FEATURES", value_delimiter = ',')]
    feature: Vec<String>,
    /// Features to remove.
    #[arg(long, value_name = "FEATURES", value_delimiter = ',')]
    without: Vec<String>,
    /// Vanity code; an empty one removes it.
    #[arg(long, value_name = "CODE")]
    vanity: Option<String>,
}

pub(super) async fn guild(client: &Client, change: Guild) -> Result<Outcome, Failure> {
    let mut body = Map::new();
    body.insert("boosts".to_owned(), change.boosts.into());
    body.insert("add_features".to_owned(), change.feature.into());
    body.insert("remove_features".to_owned(), change.without.into());
    if let Some(code) = change.vanity {
        body.insert("vanity_url_code".to_owned(), Some(code).filter(|code| !code.is_empty()).into());
    }
    let shown = client.edit_guild(&change.guild, &Value::Object(body)).await?;
    let features: Vec<&str> =
        shown["features"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let name = terminal::inline(shown["name"].as_str().unwrap_or_default());
    let (boosts, tier) = (&shown["premium_subscription_count"], &shown["premium_tier"]);
    let features = terminal::inline(&features.join(" "));
    terminal::line(&format!("{name}: {boosts} boosts, level {tier}, features: {features}"))?;
    Ok(Outcome::Good)
}

#[derive(Debug, Args)]
pub(super) struct CreateGuild {
    /// Name of the guild.
    name: String,
    /// Code of a template that it is made from.
    #[arg(long, value_name = "CODE")]
    template: Option<String>,
    /// User who owns it.
    #[arg(long = "as", value_name = "USER", default_value = "alice")]
    owner: String,
}

pub(super) async fn create(client: &Client, new: CreateGuild) -> Result<Outcome, Failure> {
    let shown = match &new.template {
        Some(code) => client.create_from_template(code, &new.name, &new.owner).await?,
        None => client.create_guild(&new.name, &new.owner).await?,
    };
    terminal::line(&terminal::inline(shown["id"].as_str().unwrap_or_default()))?;
    Ok(Outcome::Good)
}

#[derive(Debug, Args)]
pub(super) struct Accept {
    /// Code of an invite, or vanity code of a guild.
    code: String,
    /// User who joins.
    #[arg(long = "as", value_name = "USER", default_value = "alice")]
    user: String,
}

pub(super) async fn accept(client: &Client, accept: Accept) -> Result<Outcome, Failure> {
    client.accept_invite(&accept.code, &accept.user).await?;
    terminal::line(&format!("{} has accepted {}.", accept.user, accept.code))?;
    Ok(Outcome::Good)
}

#[derive(Debug, Args)]
pub(super) struct Seen {
    /// Unique name or id.
    user: String,
    /// Days since they were last active.
    days: u32,
}

pub(super) async fn seen(client: &Client, seen: Seen) -> Result<Outcome, Failure> {
    let now = client.clock().await?["now"].as_str().and_then(clock::parse);
    let now = now.ok_or_else(|| Failure("the sandbox has no clock".to_owned()))?;
    let at = clock::iso(now - time::Duration::days(seen.days.into()));
    let shown = client.edit_user(&seen.user, &json!({ "last_seen": at })).await?;
    let text = |field: &str| terminal::inline(shown[field].as_str().unwrap_or_default());
    terminal::line(&format!("{} was last seen at {}.", text("username"), text("last_seen")))?;
    Ok(Outcome::Good)
}
