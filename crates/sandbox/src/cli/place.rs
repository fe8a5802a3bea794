//! Members who come and go.

use clap::Args;
use sandbox::Client;

use super::{Failure, Outcome};

#[derive(Debug, Args)]
pub(super) struct Join {
    /// Unique name or id.
    user: String,
    /// Guild by name or id.
    #[arg(long, default_value = "Sandbox")]
    guild: String,
}

pub(super) async fn join(client: &Client, join: Join) -> Result<Outcome, Failure> {
    let all = client.overview().await?;
    let known = all["users"].as_array().into_iter().flatten().any(|user| {
        user["username"].as_str().is_some_and(|name| name.eq_ignore_ascii_case(&join.user))
            || user["id"] == join.user.as_str()
    });
    if !known {
        client.create_user(&join.user).await?;
    }
    client.join(&join.guild, &join.user).await?;
    println!("{} is in {}.", join.user, join.guild);
    Ok(Outcome::Good)
}

#[derive(Debug, Args)]
pub(super) struct Leave {
    /// Unique name or id.
    user: String,
    /// Guild by name or id.
    #[arg(long, default_value = "Sandbox")]
    guild: String,
}

pub(super) async fn leave(client: &Client, leave: Leave) -> Result<Outcome, Failure> {
    client.leave(&leave.guild, &leave.user).await?;
    println!("{} has left {}.", leave.user, leave.guild);
    Ok(Outcome::Good)
}
