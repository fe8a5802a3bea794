//! Users, guilds, channels, roles, memberships and bots, created and changed as by admins.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, patch, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{BadRequest, Control, Path, Request, find};
use crate::gateway::{Command, Target};
use crate::live::{Live, MemberChange};
use crate::permissions::Permissions;
use crate::snowflake::Snowflake;
use crate::state::channel::{Channel, kind};
use crate::state::clock;
use crate::state::guild::{Guild, Role};
use crate::state::scenario;
use crate::state::user::{self, Application, User};
use crate::validate::Change;
use crate::validate::channel::{keeps_its_name, text_channel_name};
use crate::validate::command::LOCALES;

pub(super) fn routes() -> Router<Control> {
    Router::new()
        .route("/sandbox", get(overview))
        .route("/sandbox/users", get(users).post(create_user))
        .route("/sandbox/users/{user}", patch(edit_user))
        .route("/sandbox/bots", post(create_bot))
        .route("/sandbox/bots/{bot}/token", post(reset_token))
        .route("/sandbox/guilds", post(create_guild))
        .route("/sandbox/guilds/{guild}/channels", post(create_channel))
        .route("/sandbox/guilds/{guild}/roles", post(create_role))
        .route("/sandbox/guilds/{guild}/members/{user}", put(join).patch(edit_member).delete(leave))
        .route("/sandbox/guilds/{guild}/commands/{command}/permissions", put(command_permissions))
        .route("/sandbox/presences/{user}", put(presence))
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
        json!({ "id": application.id, "name": application.name, "online": live.is_online(application.id) })
    });
    Json(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "url": live.base_url,
        "api_url": format!("{}/api/v10", live.base_url),
        "gateway_url": live.base_url.replacen("http", "ws", 1),
        "voice": super::voice::overview(control.discord.voice()),
        "bots": bots.collect::<Vec<_>>(),
        "guilds": guilds.collect::<Vec<_>>(),
        "users": people(&live),
        "totals": live.interactions.totals,
    }))
}

fn people(live: &Live<'_>) -> Value {
    live.users.values().map(as_seen_here).collect()
}

async fn users(State(control): State<Control>) -> Json<Value> {
    Json(people(&control.discord.lock()))
}

#[derive(Debug, Deserialize)]
struct NewUser {
    username: String,
    global_name: Option<String>,
    locale: Option<String>,
    /// Guild to join at once.
    guild: Option<String>,
}

async fn create_user(
    State(control): State<Control>,
    Request(new): Request<NewUser>,
) -> Result<Json<Value>, BadRequest> {
    let name = new.username.trim().to_lowercase();
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '.');
    if !(2..=32).contains(&name.len()) || !name.chars().all(fits) {
        return Err(BadRequest::new("A username has 2 to 32 of a-z, 0-9, dot and underscore."));
    }
    let locale = new.locale.as_deref().map(known_locale).transpose()?;
    let mut live = control.discord.lock();
    if live.users.values().any(|user| user.username == name) {
        return Err(BadRequest::new(format!("There is a user \"{name}\" already.")));
    }
    let id = live.create_user(&name, new.global_name.as_deref());
    if let (Some(locale), Some(user)) = (locale, live.users.get_mut(&id)) {
        user.locale = locale;
    }
    if let Some(guild) = new.guild {
        let guild = find::guild(&live, Some(&guild))?.id;
        live.join(guild, id)?;
    }
    Ok(Json(as_seen_here(live.user(id)?)))
}

/// Changes of a user's account.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EditUser {
    /// Language of their client. Null is English (US), the default.
    #[serde(default)]
    locale: Change<String>,
}

/// Changes a user's account. There is no event of a locale for bots: it is in the next interaction.
async fn edit_user(
    State(control): State<Control>,
    Path(user): Path<String>,
    Request(edit): Request<EditUser>,
) -> Result<Json<Value>, BadRequest> {
    let locale = edit.locale.try_map(|locale| known_locale(&locale))?;
    let mut live = control.discord.lock();
    let id = find::person(&live, &user)?.id;
    if let Some(user) = live.users.get_mut(&id) {
        locale.apply_or(&mut user.locale, user::DEFAULT_LOCALE.to_owned());
    }
    Ok(Json(as_seen_here(live.user(id)?)))
}

/// Returns the locale in Discord's spelling, ignoring case; an error if Discord does not have it.
fn known_locale(wanted: &str) -> Result<String, BadRequest> {
    let known = LOCALES.iter().find(|locale| locale.eq_ignore_ascii_case(wanted));
    known.map(|locale| (*locale).to_owned()).ok_or_else(|| {
        BadRequest::new(format!("There is no locale \"{wanted}\"; there are {}.", LOCALES.join(", ")))
    })
}

/// Returns the user object with the locale, which bots see only in interactions.
fn as_seen_here(user: &User) -> Value {
    let mut shown = user.json();
    shown["locale"] = json!(user.locale);
    shown
}

#[derive(Debug, Deserialize)]
struct NewBot {
    name: String,
    token: Option<String>,
    /// Owner. The default is the first user.
    owner: Option<String>,
    /// Guilds to be in at once. The default is the oldest.
    guilds: Option<Vec<String>>,
    /// Permissions of its role. The default is administrator.
    permissions: Option<Permissions>,
}

/// Creates a bot. Only this answer contains its token.
async fn create_bot(
    State(control): State<Control>,
    Request(new): Request<NewBot>,
) -> Result<Json<Value>, BadRequest> {
    let mut live = control.discord.lock();
    let owner = match &new.owner {
        Some(owner) => find::person(&live, owner)?.id,
        None => live.users.values().find(|user| !user.bot).map(|user| user.id).unwrap_or_default(),
    };
    let guilds = match &new.guilds {
        Some(names) => names
            .iter()
            .map(|name| find::guild(&live, Some(name)).map(|g| g.id))
            .collect::<Result<Vec<_>, _>>()?,
        None => vec![find::guild(&live, None)?.id],
    };
    let id = live.next_id();
    let token = live.create_application(id, &new.name, owner, new.token);
    for guild in guilds {
        live.install_bot(guild, id, new.permissions.unwrap_or(Permissions::ADMINISTRATOR));
    }
    Ok(Json(json!({ "id": id, "name": new.name, "token": token })))
}

#[derive(Debug, Deserialize)]
struct ResetToken {
    /// The new token. By default one is generated.
    token: Option<String>,
}

/// Replaces a bot's token, as "Reset Token" does: requests with the old one get 401, its connections 4004.
async fn reset_token(
    State(control): State<Control>,
    Path(bot): Path<String>,
    Request(reset): Request<ResetToken>,
) -> Result<Json<Value>, BadRequest> {
    let mut live = control.discord.lock();
    let id = live.find_user(&bot).map(|user| user.id).filter(|id| live.applications.contains_key(id));
    let Some(id) = id else { return Err(BadRequest::new(format!("There is no bot \"{bot}\"."))) };
    let token = reset.token.unwrap_or_else(|| scenario::token(id));
    live.reset_token(id, token.clone());
    drop(live);
    let target = Target { bot: Some(id), ..Target::default() };
    let reason = "Authentication failed.".to_owned();
    control.discord.hub().command(&target, &Command::Close { code: 4004, reason });
    Ok(Json(json!({ "id": id, "token": token })))
}

#[derive(Debug, Deserialize)]
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
    let mut channel = Channel::new(live.next_id(), new.kind, Some(guild.id), &name);
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
    let change = MemberChange { nick, roles, mute: edit.mute, deaf: edit.deaf, timeout, flags: Change::Keep };
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

/// Sets the permissions of a command, as an admin does in the guild's integration settings: a list of `{id, type,
/// permission}`.
async fn command_permissions(
    State(control): State<Control>,
    Path((guild, command)): Path<(String, Snowflake)>,
    Request(list): Request<Vec<Value>>,
) -> Result<Json<Value>, BadRequest> {
    let mut live = control.discord.lock();
    let guild = find::guild(&live, Some(&guild))?.id;
    let owns = |app: &&mut Application| {
        app.id == command
            || app.commands.get(Some(guild), command).or(app.commands.get(None, command)).is_some()
    };
    let found = live.applications.values_mut().find(owns);
    let application = found.ok_or_else(|| BadRequest::missing(format!("There is no command {command}.")))?;
    application.command_permissions.insert((guild, command), list.clone());
    let id = application.id;
    let event = json!({ "id": command, "application_id": id, "guild_id": guild, "permissions": list });
    live.tell_bot(id, "APPLICATION_COMMAND_PERMISSIONS_UPDATE", Some(guild), event.clone());
    Ok(Json(event))
}

async fn presence(
    State(control): State<Control>,
    Path(user): Path<String>,
    Request(presence): Request<Value>,
) -> Result<StatusCode, BadRequest> {
    let status = presence["status"].as_str().unwrap_or_default();
    if !matches!(status, "online" | "idle" | "dnd" | "offline") {
        return Err(BadRequest::new("A status is online, idle, dnd or offline."));
    }
    let mut live = control.discord.lock();
    let user = find::person(&live, &user)?.id;
    live.set_presence(user, &presence);
    Ok(StatusCode::NO_CONTENT)
}
