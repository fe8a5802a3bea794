//! Rules of auto moderation, as the owner of a guild sets them in its settings.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, patch};
use axum::{Json, Router};
use serde_json::Value;

use super::{BadRequest, Control, Path, Request, find};
use crate::live::Live;
use crate::snowflake::Snowflake;
use crate::state::auto_moderation::Rule;
use crate::validate;

pub(super) fn routes() -> Router<Control> {
    Router::new()
        .route("/sandbox/guilds/{guild}/auto-moderation/rules", get(list).post(create))
        .route("/sandbox/guilds/{guild}/auto-moderation/rules/{rule}", patch(edit).delete(remove))
}

/// Finds a rule by id or name.
fn rule<'a>(live: &'a Live<'_>, guild: &str, wanted: &str) -> Result<&'a Rule, BadRequest> {
    let rules = &find::guild(live, Some(guild))?.auto_moderation;
    let by_id = wanted.parse().ok().and_then(|id: Snowflake| rules.get(&id));
    by_id
        .or_else(|| rules.values().find(|rule| rule.name.eq_ignore_ascii_case(wanted)))
        .ok_or_else(|| BadRequest::missing(format!("There is no rule \"{wanted}\".")))
}

async fn list(State(control): State<Control>, Path(guild): Path<String>) -> Result<Json<Value>, BadRequest> {
    let live = control.discord.lock();
    Ok(Json(find::guild(&live, Some(&guild))?.auto_moderation.values().map(Rule::json).collect()))
}

async fn create(
    State(control): State<Control>,
    Path(guild): Path<String>,
    Request(body): Request<Value>,
) -> Result<Json<Value>, BadRequest> {
    let body = validate::auto_moderation::create(&body)?;
    let mut live = control.discord.lock();
    let guild = find::guild(&live, Some(&guild))?;
    let (guild, owner) = (guild.id, guild.owner_id);
    Ok(Json(live.create_rule(guild, body, owner, None)?))
}

async fn edit(
    State(control): State<Control>,
    Path((guild, wanted)): Path<(String, String)>,
    Request(body): Request<Value>,
) -> Result<Json<Value>, BadRequest> {
    let mut live = control.discord.lock();
    let rule = rule(&live, &guild, &wanted)?;
    let (id, kind) = (rule.id, rule.trigger.kind());
    let body = validate::auto_moderation::modify(&body, kind)?;
    let guild = find::guild(&live, Some(&guild))?;
    let (guild, owner) = (guild.id, guild.owner_id);
    Ok(Json(live.edit_rule(guild, id, body, owner, None)?))
}

async fn remove(
    State(control): State<Control>,
    Path((guild, wanted)): Path<(String, String)>,
) -> Result<StatusCode, BadRequest> {
    let mut live = control.discord.lock();
    let id = rule(&live, &guild, &wanted)?.id;
    let guild = find::guild(&live, Some(&guild))?;
    let (guild, owner) = (guild.id, guild.owner_id);
    live.delete_rule(guild, id, owner, None)?;
    Ok(StatusCode::NO_CONTENT)
}
