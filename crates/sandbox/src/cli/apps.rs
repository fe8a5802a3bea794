//! Applications that a user installs to their account.

use clap::Args;
use sandbox::Client;

use super::{Failure, Outcome, terminal};

#[derive(Debug, Args)]
pub(super) struct App {
    /// Bot by name or id.
    bot: String,
    /// User who installs it.
    #[arg(long = "as", value_name = "USER", default_value = "alice")]
    user: String,
}

pub(super) async fn install(client: &Client, app: App) -> Result<Outcome, Failure> {
    client.install_app(&app.user, &app.bot).await?;
    terminal::line(&format!("{} has installed {}.", app.user, app.bot))?;
    Ok(Outcome::Good)
}

pub(super) async fn uninstall(client: &Client, app: App) -> Result<Outcome, Failure> {
    client.uninstall_app(&app.user, &app.bot).await?;
    terminal::line(&format!("{} has removed {}.", app.user, app.bot))?;
    Ok(Outcome::Good)
}
