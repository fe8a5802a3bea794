//! Guilds, channels, roles and memberships, created and changed as by admins.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{BadRequest, Control, Path, Request, accounts, find};
use crate::live::MemberChange;
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::state::channel::{Channel, kind};
use crate::state::clock;
use crate::state::guild::{Guild, Role};
use crate::state::user::Application;
use crate::validate::Change;
use crate::validate::application::command_permissions as command_permissions_of;
use crate::validate::channel::{keeps_its_name, text_channel_name};

pub(super) fn routes() -> Router<Control> {
    Router::new()
        .route("/sandbox", get(overview))
        .route("/sandbox/guilds", post(create_guild))
        .route("/sandbox/guilds/{guild}/channels", post(create_channel))
        .route("/sandbox/guilds/{guild}/roles", post(create_role))
        .route("/sandbox/guilds/{guild}/members/{user}", put(join).patch(edit_member).delete(leave))
        .route("/sandbox/guilds/{guild}/commands/{command}/permissions", put(command_permissions))
}

/// Returns an overview: addresses, bots, guilds with channels and members, users. No tokens.
async fn overview(State(control): State<Control>) -> Json<Value> {
    let live = control.discord.lock();
    let channel = |id: &Snowflake| {
        let channel = live.channels.get(id)?;
        Some(json!({ "id": id, "name": channel.name, "type": channel.kind, "parent_id": channel.parent_id }))
    };
    let guilds = live.guilds.values().map(|guild| {
        json!({
            "id": guild.id,
            "name": guild.name,
            "owner": guild.owner_id,
            "channels": guild.channels.iter().chain(&guild.threads).filter_map(channel).collect::<Vec<_>>(),
            "roles": guild.roles.values().map(|role| json!({ "id": role.id, "name": role.name })).collect::<Vec<_>>(),
            "members": guild.members.keys().collect::<Vec<_>>(),
        })
    });
    let bots = live.applications.values().map(|application| {
        json!({
            "id": application.id,
            "name": application.name,
            "online": live.is_online(application.id),
            "public_key": application.key_pair.public(),
        })
    });
    Json(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "url": live.base_url,
        "api_url": format!("{}/api/v10", live.base_url),
        "gateway_url": control
            .discord
            .hub()
            .public_url()
            .map_or_else(|| live.base_url.replacen("http", "ws", 1), str::to_owned),
        "voice": super::voice::overview(control.discord.voice()),
        "bots": bots.collect::<Vec<_>>(),
        "guilds": guilds.collect::<Vec<_>>(),
        "users": accounts::people(&live),
        "totals": live.interactions.totals,
    }))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewGuild {
    name: String,
    owner: String,
    /// Bots to add, by id or name. The default is all.
    bots: Option<Vec<String>>,
    /// Other members.
    #[serde(default)]
    members: Vec<String>,
}

async fn create_guild(
    State(control): State<Control>,
    Request(new): Request<NewGuild>,
) -> Result<Json<Value>, BadRequest> {
    let mut live = control.discord.lock();
    let owner = find::person(&live, &new.owner)?.id;
    let bots = match &new.bots {
        Some(names) => {
            names.iter().map(|name| find::user(&live, name).map(|u| u.id)).collect::<Result<Vec<_>, _>>()?
        }
        None => live.applications.keys().copied().collect(),
    };
    let members = new
        .members
        .iter()
        .map(|name| find::person(&live, name).map(|u| u.id))
        .collect::<Result<Vec<_>, _>>()?;
    let id = live.create_guild(&new.name, owner);
    for member in members {
        live.join(id, member)?;
    }
    for bot in bots {
        live.install_bot(id, bot, Permissions::ADMINISTRATOR);
    }
    let guild = live.guilds.get(&id).map(Guild::json).unwrap_or_default();
    Ok(Json(guild))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewChannel {
    name: String,
    /// Discord's number of the type, 0 for text.
    #[serde(rename = "type", default)]
    kind: u8,
    parent: Option<String>,
    topic: Option<String>,
    #[serde(default)]
    nsfw: bool,
}

async fn create_channel(
    State(control): State<Control>,
    Path(guild): Path<String>,
    Request(new): Request<NewChannel>,
) -> Result<Json<Value>, BadRequest> {
    let kinds =
        [kind::TEXT, kind::VOICE, kind::CATEGORY, kind::ANNOUNCEMENT, kind::STAGE, kind::FORUM, kind::MEDIA];
    if !kinds.contains(&new.kind) {
        return Err(BadRequest::new(format!("A channel's type is one of {kinds:?}, not {}.", new.kind)));
    }
    let mut live = control.discord.lock();
    let guild = find::guild(&live, Some(&guild))?;
    let name = if keeps_its_name(new.kind) { new.name } else { text_channel_name(&new.name) };
    let mut channel = Channel::new(live.next_id(), new.kind, Some(guild.id), &name, live.clock.now());
    channel.position = i64::try_from(guild.channels.len()).unwrap_or(i64::MAX);
    channel.topic = new.topic;
    channel.nsfw = new.nsfw;
    if let Some(parent) = &new.parent {
        let mut all = guild.channels.iter().filter_map(|id| live.channels.get(id));
        let same = |c: &&Channel| c.name.eq_ignore_ascii_case(parent) || c.id.to_string() == *parent;
        channel.parent_id = all.find(same).map(|channel| channel.id);
    }
    let shown = channel.json();
    live.add_channel(channel);
    Ok(Json(shown))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRole {
    name: String,
    #[serde(default)]
    permissions: Permissions,
    #[serde(default)]
    color: u32,
    #[serde(default)]
    mentionable: bool,
}

async fn create_role(
    State(control): State<Control>,
    Path(guild): Path<String>,
    Request(new): Request<NewRole>,
) -> Result<Json<Value>, BadRequest> {
    let mut live = control.discord.lock();
    let guild = find::guild(&live, Some(&guild))?.id;
    let mut role = Role::new(live.next_id(), &new.name);
    role.permissions = new.permissions;
    role.color = new.color;
    role.mentionable = new.mentionable;
    let shown = role.json();
    live.add_role(guild, role);
    Ok(Json(shown))
}

async fn join(
    State(control): State<Control>,
    Path((guild, user)): Path<(String, String)>,
) -> Result<Json<Value>, BadRequest> {
    let mut live = control.discord.lock();
    let (guild, user) = find::member(&live, &guild, &user)?;
    if live.applications.contains_key(&user) {
        if live.member(guild, user).is_err() {
            live.install_bot(guild, user, Permissions::ADMINISTRATOR);
        }
    } else {
        live.join(guild, user)?;
    }
    Ok(Json(live.member_json(guild, user)?))
}

async fn leave(
    State(control): State<Control>,
    Path((guild, user)): Path<(String, String)>,
) -> Result<StatusCode, BadRequest> {
    let mut live = control.discord.lock();
    let (guild, user) = find::member(&live, &guild, &user)?;
    live.leave(guild, user)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Changes of a member: an absent field stays, null clears it, as in Discord's own `PATCH
/// /guilds/{guild.id}/members/{user.id}`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct EditMember {
    /// Nickname. An empty text clears it.
    nick: Change<String>,
    /// All roles, by id or name.
    roles: Change<Vec<String>>,
    /// End of a timeout in ISO 8601. An empty text lifts it, as null does.
    timeout_until: Change<String>,
    /// Muted in voice.
    mute: Change<bool>,
    /// Deafened in voice.
    deaf: Change<bool>,
}

async fn edit_member(
    State(control): State<Control>,
    Path((guild, user)): Path<(String, String)>,
    Request(edit): Request<EditMember>,
) -> Result<Json<Value>, BadRequest> {
    let mut live = control.discord.lock();
    let (guild_id, user) = find::member(&live, &guild, &user)?;
    let guild = find::guild(&live, Some(&guild))?;
    let roles = edit.roles.try_map(|names| names.iter().map(|name| find::role(guild, name)).collect())?;
    let timeout = filled(edit.timeout_until).try_map(|text| {
        clock::parse(&text).ok_or_else(|| BadRequest::new(format!("\"{text}\" is no time in ISO 8601.")))
    })?;
    let nick = filled(edit.nick);
    let (mute, deaf) = (edit.mute, edit.deaf);
    let change = MemberChange { nick, roles, mute, deaf, timeout, ..MemberChange::default() };
    live.change_member(guild_id, user, change)?;
    Ok(Json(live.member_json(guild_id, user)?))
}

/// Treats an empty text as a cleared field.
fn filled(change: Change<String>) -> Change<String> {
    match change {
        Change::Set(text) if text.is_empty() => Change::Clear,
        change => change,
    }
}

/// Whether a role, a user or a channel may use a command.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct PermissionRule {
    id: Snowflake,
    /// 1 for a role, 2 for a user, 3 for a channel.
    #[serde(rename = "type")]
    kind: u8,
    permission: bool,
}

/// Sets the permissions of a command, as an admin does in the guild's integration settings: a list of `{id, type,
/// permission}`.
async fn command_permissions(
    State(control): State<Control>,
    Path((guild, command)): Path<(String, Snowflake)>,
    Request(list): Request<Vec<PermissionRule>>,
) -> Result<Json<Value>, BadRequest> {
    let list = command_permissions_of(&json!({ "permissions": list }))?;
    let mut live = control.discord.lock();
    let (guild, admin) = find::guild(&live, Some(&guild)).map(|guild| (guild.id, guild.owner_id))?;
    let owns = |app: &&mut Application| {
        app.id == command
            || app.commands.get(Some(guild), command).or(app.commands.get(None, command)).is_some()
    };
    let found = live.applications.values_mut().find(owns);
    let application = found.ok_or_else(|| BadRequest::missing(format!("There is no command {command}.")))?;
    let id = application.id;
    live.set_command_permissions(id, guild, command, &list, admin);
    Ok(Json(json!({ "id": command, "application_id": id, "guild_id": guild, "permissions": list })))
}
