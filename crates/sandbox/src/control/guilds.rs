//! Guilds as their owners and members see them: settings that no bot can change.

use axum::extract::State;
use axum::routing::{patch, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::Value;

use super::{BadRequest, Control, Path, Request, find};
use crate::live::changes;
use crate::state::guild::Guild;
use crate::state::perks::Vanity;
use crate::validate::Change;

pub(super) fn routes() -> Router<Control> {
    Router::new()
        .route("/sandbox/guilds/{guild}", patch(edit))
        .route("/sandbox/guilds/{guild}/members/{user}/screening", post(pass_screening))
}

/// Changes of a guild. An absent field stays.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct EditGuild {
    /// Number of boosts.
    boosts: Option<u64>,
    /// Features to add.
    add_features: Vec<String>,
    /// Features to remove.
    remove_features: Vec<String>,
    /// Vanity code; null removes it.
    vanity_url_code: Change<String>,
}

/// Changes a guild as its owner, or as Discord does for it.
async fn edit(
    State(control): State<Control>,
    Path(guild): Path<String>,
    Request(edit): Request<EditGuild>,
) -> Result<Json<Value>, BadRequest> {
    let mut live = control.discord.lock();
    let found = find::guild(&live, Some(&guild))?;
    let (id, owner, before) = (found.id, found.owner_id, found.json());
    let name = |name: &String| name.trim().to_uppercase();
    if let Change::Set(code) = &edit.vanity_url_code {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if !(2..=25).contains(&code.len()) || !code.chars().all(fits) {
            return Err(BadRequest::new("A vanity code has 2 to 25 of a-z, 0-9 and hyphens."));
        }
        if live.invite(code).is_some_and(|invite| invite.guild_id != id) || live.invites.contains_key(code) {
            return Err(BadRequest::new(format!("The code \"{code}\" is taken.")));
        }
    }
    let mut perks = found.perks.clone();
    perks.boosts = edit.boosts.unwrap_or(perks.boosts);
    for feature in edit.add_features.iter().map(name) {
        perks.grant(&feature);
    }
    for feature in edit.remove_features.iter().map(name) {
        perks.granted.remove(&feature);
    }
    if matches!(edit.vanity_url_code, Change::Set(_)) && !perks.has("VANITY_URL") {
        return Err(BadRequest::new("A vanity code needs the feature VANITY_URL, or 14 boosts."));
    }
    edit.vanity_url_code.map(|code| Vanity { code, uses: 0 }).apply(&mut perks.vanity);
    live.set_perks(id, perks)?;
    let after = live.guild_mut(id)?.json();
    if before != after {
        let changes = changes::renamed(&before, &after, changes::GUILD);
        if !changes.is_empty() {
            live.audit(id, 1, owner, Some(id), None, changes);
        }
    }
    Ok(Json(live.guilds.get(&id).map(Guild::json).unwrap_or_default()))
}

/// Accepts the rules of a guild with membership screening as a new member.
async fn pass_screening(
    State(control): State<Control>,
    Path((guild, user)): Path<(String, String)>,
) -> Result<Json<Value>, BadRequest> {
    let mut live = control.discord.lock();
    let (guild, user) = find::member(&live, &guild, &user)?;
    live.member(guild, user)?;
    if let Some(member) = live.guild_mut(guild)?.members.get_mut(&user)
        && std::mem::take(&mut member.pending)
    {
        live.member_changed(guild, user);
    }
    Ok(Json(live.member_json(guild, user)?))
}
