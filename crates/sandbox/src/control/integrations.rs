//! Integrations that admins add to their guilds, change and remove.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, patch};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{BadRequest, Control, Path, Request, find};
use crate::snowflake::Snowflake;
use crate::state::integration::{Integration, Kind, Subscribers};
use crate::validate::Change;

pub(super) fn routes() -> Router<Control> {
    Router::new()
        .route("/sandbox/guilds/{guild}/integrations", get(list).post(add))
        .route("/sandbox/guilds/{guild}/integrations/{integration}", patch(edit).delete(remove))
}

async fn list(State(control): State<Control>, Path(guild): Path<String>) -> Result<Json<Value>, BadRequest> {
    let live = control.discord.lock();
    let guild = find::guild(&live, Some(&guild))?;
    Ok(Json(guild.integrations.values().map(|integration| integration.json(&live)).collect()))
}

/// A channel elsewhere. Bots get theirs when they join.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    #[serde(rename = "type")]
    kind: Kind,
    name: String,
    /// Admin. The default is the owner.
    #[serde(rename = "as")]
    user: Option<String>,
}

async fn add(
    State(control): State<Control>,
    Path(guild): Path<String>,
    Request(new): Request<New>,
) -> Result<Json<Value>, BadRequest> {
    if new.kind == Kind::Discord {
        return Err(BadRequest::new("A bot's integration appears when it joins the guild."));
    }
    let mut live = control.discord.lock();
    let (guild, owner) = find::guild(&live, Some(&guild)).map(|guild| (guild.id, guild.owner_id))?;
    let by = match &new.user {
        Some(name) => find::person(&live, name)?.id,
        None => owner,
    };
    let id = live.next_id();
    let integration = Integration {
        id,
        kind: new.kind,
        account: new.kind.account(id),
        name: new.name,
        enabled: true,
        application: None,
        user: (new.kind != Kind::GuildSubscription).then_some(by),
        subscribers: Subscribers::default(),
        synced_at: live.clock.now(),
    };
    let shown = integration.json(&live);
    live.add_integration(guild, integration, by)?;
    Ok(Json(shown))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Edit {
    name: Option<String>,
    enabled: Option<bool>,
    /// Role by id or name.
    role: Change<String>,
    expire_behavior: Option<u8>,
    expire_grace_period: Option<u8>,
    enable_emoticons: Option<bool>,
}

async fn edit(
    State(control): State<Control>,
    Path((guild, id)): Path<(String, Snowflake)>,
    Request(edit): Request<Edit>,
) -> Result<Json<Value>, BadRequest> {
    if edit.expire_behavior.is_some_and(|behavior| behavior > 1) {
        return Err(BadRequest::new("expire_behavior is 0 or 1."));
    }
    if edit.expire_grace_period.is_some_and(|days| ![1, 3, 7, 14, 30].contains(&days)) {
        return Err(BadRequest::new("expire_grace_period is 1, 3, 7, 14 or 30 days."));
    }
    let mut live = control.discord.lock();
    let found = find::guild(&live, Some(&guild))?;
    let (guild, owner) = (found.id, found.owner_id);
    let integration = found.integrations.get(&id).cloned();
    let mut integration =
        integration.ok_or_else(|| BadRequest::missing(format!("There is no integration {id}.")))?;
    let role = edit.role.try_map(|name| find::role(found, &name))?;
    integration.name = edit.name.unwrap_or(integration.name);
    integration.enabled = edit.enabled.unwrap_or(integration.enabled);
    let subscribers = &mut integration.subscribers;
    role.apply(&mut subscribers.role);
    subscribers.expire_behavior = edit.expire_behavior.unwrap_or(subscribers.expire_behavior);
    subscribers.expire_grace_period = edit.expire_grace_period.unwrap_or(subscribers.expire_grace_period);
    subscribers.enable_emoticons = edit.enable_emoticons.unwrap_or(subscribers.enable_emoticons);
    let shown = json!(integration.json(&live));
    live.change_integration(guild, integration, owner)?;
    Ok(Json(shown))
}

async fn remove(
    State(control): State<Control>,
    Path((guild, id)): Path<(String, Snowflake)>,
) -> Result<StatusCode, BadRequest> {
    let mut live = control.discord.lock();
    let (guild, owner) = find::guild(&live, Some(&guild)).map(|guild| (guild.id, guild.owner_id))?;
    live.delete_integration(guild, id, owner, None)?;
    Ok(StatusCode::NO_CONTENT)
}
