//! Permissions: roles, channels and their overwrites, as admins set them.

use axum::extract::State;
use axum::routing::patch;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{BadRequest, Control, Path, Request, find};
use crate::live::Live;
use crate::permissions::{Overwrite, OverwriteKind, Permissions};
use crate::snowflake::Snowflake;
use crate::state::guild::Guild;
use crate::validate;

pub(super) fn routes() -> Router<Control> {
    Router::new()
        .route("/sandbox/guilds/{guild}/channels/{channel}", patch(edit_channel))
        .route("/sandbox/guilds/{guild}/channels/{channel}/permissions/{who}", patch(edit_overwrite))
        .route("/sandbox/guilds/{guild}/roles/{role}/permissions", patch(edit_role))
}

/// Changes a channel: the fields of Discord's own `PATCH /channels/{id}`, such as `user_limit`.
async fn edit_channel(
    State(control): State<Control>,
    Path((guild, channel)): Path<(String, String)>,
    Request(change): Request<Value>,
) -> Result<Json<Value>, BadRequest> {
    let mut live = control.discord.lock();
    let id = channel_of(&live, &guild, &channel)?;
    let body = validate::channel::modify(&change, live.channel(id)?.kind)?;
    live.edit_channel(id, body)?;
    Ok(Json(live.channel(id)?.json()))
}

/// Permissions by name.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    #[serde(default)]
    allow: Vec<String>,
    #[serde(default)]
    deny: Vec<String>,
    /// In a channel: neither allowed nor denied there.
    #[serde(default)]
    inherit: Vec<String>,
}

impl Change {
    /// Returns the permissions to allow, to deny and to inherit.
    fn sets(&self) -> Result<[Permissions; 3], BadRequest> {
        Ok([set(&self.allow)?, set(&self.deny)?, set(&self.inherit)?])
    }
}

fn set(names: &[String]) -> Result<Permissions, BadRequest> {
    let one = |name: &String| {
        Permissions::named(name).ok_or_else(|| {
            BadRequest::new(format!("There is no permission \"{name}\"; SEND_MESSAGES is one."))
        })
    };
    names.iter().try_fold(Permissions::NONE, |all, name| Ok(all | one(name)?))
}

/// Changes a channel's permission overwrite for a role or member.
async fn edit_overwrite(
    State(control): State<Control>,
    Path((guild, channel, who)): Path<(String, String, String)>,
    Request(change): Request<Change>,
) -> Result<Json<Value>, BadRequest> {
    let [allow, deny, inherit] = change.sets()?;
    let mut live = control.discord.lock();
    let id = channel_of(&live, &guild, &channel)?;
    let (target, kind) = role_or_member(&live, find::guild(&live, Some(&guild))?, &who)?;
    let before = live.channel(id)?.overwrites.iter().find(|overwrite| overwrite.id == target).copied();
    let before =
        before.unwrap_or(Overwrite { id: target, kind, allow: Permissions::NONE, deny: Permissions::NONE });
    let overwrite = Overwrite {
        allow: before.allow & !(deny | inherit) | allow,
        deny: before.deny & !(allow | inherit) | deny,
        ..before
    };
    live.set_overwrite(id, overwrite)?;
    Ok(Json(json!({
        "id": target,
        "type": kind,
        "allow": overwrite.allow.names().collect::<Vec<_>>(),
        "deny": overwrite.deny.names().collect::<Vec<_>>(),
    })))
}

/// Changes a role's permissions in the whole guild.
async fn edit_role(
    State(control): State<Control>,
    Path((guild, role)): Path<(String, String)>,
    Request(change): Request<Change>,
) -> Result<Json<Value>, BadRequest> {
    let [allow, deny, inherit] = change.sets()?;
    let mut live = control.discord.lock();
    let guild = find::guild(&live, Some(&guild))?;
    let (guild, id) = (guild.id, find::role(guild, &role)?);
    let before = live.access(guild);
    let role = live.guild_mut(guild)?.roles.get_mut(&id);
    let role = role.ok_or_else(|| BadRequest::missing(format!("There is no role {id}.")))?;
    role.permissions = role.permissions & !(deny | inherit) | allow;
    let shown = json!({ "id": id, "name": role.name, "allow": role.permissions.names().collect::<Vec<_>>() });
    live.role_changed(guild, id);
    live.access_changed(guild, &before, None);
    Ok(Json(shown))
}

fn channel_of(live: &Live<'_>, guild: &str, channel: &str) -> Result<Snowflake, BadRequest> {
    let id = find::by_name(live, channel, Some(guild))?;
    let guild = find::guild(live, Some(guild))?;
    if live.channel(id)?.guild_id == Some(guild.id) {
        return Ok(id);
    }
    Err(BadRequest::missing(format!("There is no channel {id} in {}.", guild.name)))
}

/// Finds a role, or otherwise a member, by id or name. A bot has a role with its own name, so `@NAME` means the member.
fn role_or_member(
    live: &Live<'_>,
    guild: &Guild,
    who: &str,
) -> Result<(Snowflake, OverwriteKind), BadRequest> {
    if let Some(name) = who.strip_prefix('@')
        && name != "everyone"
    {
        return Ok((member(live, guild, name)?, OverwriteKind::Member));
    }
    match find::role(guild, who) {
        Ok(id) => Ok((id, OverwriteKind::Role)),
        Err(_) => Ok((member(live, guild, who)?, OverwriteKind::Member)),
    }
}

fn member(live: &Live<'_>, guild: &Guild, name: &str) -> Result<Snowflake, BadRequest> {
    let user = find::user(live, name)?;
    if guild.members.contains_key(&user.id) {
        return Ok(user.id);
    }
    Err(BadRequest::missing(format!("{} is no member of {}.", user.username, guild.name)))
}
