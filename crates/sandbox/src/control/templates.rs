//! New guilds from templates, as users make them. Bots cannot since July 2025.

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::Value;

use super::{BadRequest, Control, Path, Request, find};
use crate::permissions::Permissions;
use crate::state::guild::Guild;

pub(super) fn routes() -> Router<Control> {
    Router::new().route("/sandbox/templates/{code}", post(create_guild))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewGuild {
    name: String,
    owner: String,
    /// Bots to add, by id or name. The default is all.
    bots: Option<Vec<String>>,
}

/// Creates a guild from a template and returns the guild object.
async fn create_guild(
    State(control): State<Control>,
    Path(code): Path<String>,
    Request(new): Request<NewGuild>,
) -> Result<Json<Value>, BadRequest> {
    let mut live = control.discord.lock();
    let owner = find::person(&live, &new.owner)?.id;
    let bots = match &new.bots {
        Some(names) => names
            .iter()
            .map(|name| find::user(&live, name).map(|user| user.id))
            .collect::<Result<Vec<_>, _>>()?,
        None => live.applications.keys().copied().collect(),
    };
    let template = live.templates.get_mut(&code);
    let template =
        template.ok_or_else(|| BadRequest::missing(format!("There is no template \"{code}\".")))?;
    template.uses += 1;
    let snapshot = template.snapshot.clone();
    let id = live.create_from(&snapshot, &new.name, owner);
    for bot in bots {
        live.install_bot(id, bot, Permissions::ADMINISTRATOR);
    }
    Ok(Json(live.guilds.get(&id).map(Guild::json).unwrap_or_default()))
}
