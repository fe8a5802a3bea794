//! Applications that a user has installed to their account.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::put;

use super::{BadRequest, Control, Path, find};
use crate::state::user::Application;

pub(super) fn routes() -> Router<Control> {
    Router::new().route("/sandbox/users/{user}/apps/{bot}", put(install).delete(uninstall))
}

fn change(
    control: &Control,
    user: &str,
    bot: &str,
    change: impl FnOnce(&mut Application, crate::snowflake::Snowflake),
) -> Result<StatusCode, BadRequest> {
    let mut live = control.discord.lock();
    let (user, bot) = (find::person(&live, user)?.id, find::bot(&live, bot)?);
    if let Some(application) = live.applications.get_mut(&bot) {
        change(application, user);
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn install(
    State(control): State<Control>,
    Path((user, bot)): Path<(String, String)>,
) -> Result<StatusCode, BadRequest> {
    change(&control, &user, &bot, |application, user| {
        application.users.insert(user);
    })
}

async fn uninstall(
    State(control): State<Control>,
    Path((user, bot)): Path<(String, String)>,
) -> Result<StatusCode, BadRequest> {
    change(&control, &user, &bot, |application, user| {
        application.users.remove(&user);
    })
}
