//! Applications that a user has installed to their account.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::put;

use super::{BadRequest, Control, Path, find};
use crate::live::Live;
use crate::snowflake::Snowflake;

pub(super) fn routes() -> Router<Control> {
    Router::new().route("/sandbox/users/{user}/apps/{bot}", put(install).delete(uninstall))
}

/// Returns the application and the user that a path names.
fn named(live: &Live<'_>, user: &str, bot: &str) -> Result<(Snowflake, Snowflake), BadRequest> {
    Ok((find::bot(live, bot)?, find::person(live, user)?.id))
}

async fn install(
    State(control): State<Control>,
    Path((user, bot)): Path<(String, String)>,
) -> Result<StatusCode, BadRequest> {
    let mut live = control.discord.lock();
    let (bot, user) = named(&live, &user, &bot)?;
    live.install_for(bot, user);
    Ok(StatusCode::NO_CONTENT)
}

/// Removes an application from those that the user has authorized, so that its access tokens are void too.
async fn uninstall(
    State(control): State<Control>,
    Path((user, bot)): Path<(String, String)>,
) -> Result<StatusCode, BadRequest> {
    let mut live = control.discord.lock();
    let (bot, user) = named(&live, &user, &bot)?;
    live.deauthorize(bot, user);
    Ok(StatusCode::NO_CONTENT)
}
