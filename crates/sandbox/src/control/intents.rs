//! The privileged intents of a bot, switched on and off as on the page "Bot" of its application.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{BadRequest, Control, Path, Request};
use crate::gateway::Intents;
use crate::state::user::Application;

pub(super) fn routes() -> Router<Control> {
    Router::new().route("/sandbox/bots/{bot}/intents", get(show).patch(change))
}

/// Privileged intents by name, such as `GUILD_MEMBERS`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Change {
    enable: Vec<String>,
    disable: Vec<String>,
}

/// Switches privileged intents. Sessions that are open keep what they have identified with.
async fn change(
    State(control): State<Control>,
    Path(bot): Path<String>,
    Request(change): Request<Change>,
) -> Result<Json<Value>, BadRequest> {
    let enabled = Intents::privileged_named(&change.enable).map_err(BadRequest::new)?;
    let disabled = Intents::privileged_named(&change.disable).map_err(BadRequest::new)?;
    let mut live = control.discord.lock();
    let id = super::find::bot(&live, &bot)?;
    let application = live.applications.get_mut(&id);
    let application = application.ok_or_else(|| BadRequest::missing("There is no such bot."))?;
    application.privileged = application.privileged.difference(disabled).union(enabled);
    Ok(Json(shown(application)))
}

async fn show(State(control): State<Control>, Path(bot): Path<String>) -> Result<Json<Value>, BadRequest> {
    let live = control.discord.lock();
    let id = super::find::bot(&live, &bot)?;
    Ok(Json(live.applications.get(&id).map(shown).unwrap_or_default()))
}

fn shown(application: &Application) -> Value {
    json!({
        "id": application.id,
        "name": application.name,
        "privileged": application.privileged.names().collect::<Vec<_>>(),
        "flags": application.intent_flags(),
    })
}
