//! Accounts of users and bots, created and changed as by their owners.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, patch, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{BadRequest, Control, Path, Request, find};
use crate::gateway::{Command, Target};
use crate::live::Live;
use crate::permissions::Permissions;
use crate::state::user::{self, User};
use crate::state::{clock, picture, scenario};
use crate::validate::Change;
use crate::validate::command::LOCALES;

pub(super) fn routes() -> Router<Control> {
    Router::new()
        .route("/sandbox/users", get(users).post(create_user))
        .route("/sandbox/users/{user}", patch(edit_user))
        .route("/sandbox/bots", post(create_bot))
        .route("/sandbox/bots/{bot}/token", post(reset_token))
        .route("/sandbox/presences/{user}", put(presence))
}

/// Returns all users as admins see them.
pub(super) fn people(live: &Live<'_>) -> Value {
    live.users.values().map(as_seen_here).collect()
}

async fn users(State(control): State<Control>) -> Json<Value> {
    Json(people(&control.discord.lock()))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
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
    live.world_changed();
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
    /// Their avatar as a `data:` URI of a picture. Null is none.
    #[serde(default)]
    avatar: Change<String>,
    /// When they were last active, in ISO 8601, which decides who is pruned.
    last_seen: Option<String>,
}

/// Changes a user's account. There is no event of a locale for bots: it is in the next interaction.
async fn edit_user(
    State(control): State<Control>,
    Path(user): Path<String>,
    Request(edit): Request<EditUser>,
) -> Result<Json<Value>, BadRequest> {
    let locale = edit.locale.try_map(|locale| known_locale(&locale))?;
    let last_seen = edit.last_seen.map(|text| {
        clock::parse(&text).ok_or_else(|| BadRequest::new(format!("\"{text}\" is no time in ISO 8601.")))
    });
    let last_seen = last_seen.transpose()?;
    let mut live = control.discord.lock();
    let id = find::person(&live, &user)?.id;
    let pictured = edit.avatar.is_change();
    let avatar = edit.avatar.try_map(|data| picture::read(&data, "avatar"))?;
    let avatar = avatar.map(|picture| live.keep_picture(picture.bytes, true));
    if let Some(user) = live.users.get_mut(&id) {
        avatar.apply(&mut user.avatar);
        locale.apply_or(&mut user.locale, user::DEFAULT_LOCALE.to_owned());
        user.last_seen = last_seen.unwrap_or(user.last_seen);
    }
    if pictured {
        live.user_changed(id);
    }
    live.world_changed();
    Ok(Json(as_seen_here(live.user(id)?)))
}

/// Returns the locale in Discord's spelling, ignoring case; an error if Discord does not have it.
fn known_locale(wanted: &str) -> Result<String, BadRequest> {
    let known = LOCALES.iter().find(|locale| locale.eq_ignore_ascii_case(wanted));
    known.map(|locale| (*locale).to_owned()).ok_or_else(|| {
        BadRequest::new(format!("There is no locale \"{wanted}\"; there are {}.", LOCALES.join(", ")))
    })
}

/// Returns the user object with the locale, which bots see only in interactions, and the time of the last activity.
fn as_seen_here(user: &User) -> Value {
    let mut shown = user.json();
    shown["locale"] = json!(user.locale);
    shown["last_seen"] = clock::iso(user.last_seen).into();
    shown
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
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
    live.world_changed();
    for guild in guilds {
        live.install_bot(guild, id, new.permissions.unwrap_or(Permissions::ADMINISTRATOR));
    }
    Ok(Json(json!({ "id": id, "name": new.name, "token": token })))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
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
    let id = find::bot(&live, &bot)?;
    let token = reset.token.unwrap_or_else(|| scenario::token(id));
    live.reset_token(id, token.clone());
    drop(live);
    let target = Target { bot: Some(id), ..Target::default() };
    let reason = "Authentication failed.".to_owned();
    control.discord.hub().command(&target, &Command::Close { code: 4004, reason });
    Ok(Json(json!({ "id": id, "token": token })))
}

/// Sets the presence of a user.
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
