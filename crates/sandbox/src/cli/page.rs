//! `sandbox page`: an address of the page, for a browser.

use clap::Args;
use sandbox::Client;

use super::{Failure, Outcome, terminal};

#[derive(Debug, Args)]
pub(super) struct Page {
    /// User that the page acts as first; by default the oldest.
    #[arg(long = "as", value_name = "USER")]
    user: Option<String>,
}

/// Prints an address that can be opened once.
pub(super) async fn print(client: &Client, page: Page) -> Result<Outcome, Failure> {
    terminal::line(&client.page_url(page.user.as_deref()).await?)?;
    Ok(Outcome::Good)
}
