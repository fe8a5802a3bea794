//! Voice for users and moderators: joining, moving, leaving, other regions, and the audio that the servers receive.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{BadRequest, Control, Path, Query, Request, find};
use crate::live::Live;
use crate::snowflake::Snowflake;
use crate::state::channel::kind;
use crate::state::guild::VoiceState;
use crate::state::picture_hash;
use crate::voice::{Command, Heard, Target, Voice, wav};

pub(super) fn routes() -> Router<Control> {
    Router::new()
        .route("/sandbox/voice", get(servers))
        .route("/sandbox/voice/connections", post(command))
        .route("/sandbox/guilds/{guild}/voice", get(present))
        .route("/sandbox/guilds/{guild}/voice/{user}", put(enter).patch(floor).delete(leave))
        .route("/sandbox/guilds/{guild}/voice/{user}/heard", get(heard).delete(forget))
        .route("/sandbox/guilds/{guild}/voice/{user}/heard.wav", get(heard_wav))
        .route("/sandbox/guilds/{guild}/channels/{channel}/region", put(region))
}

/// Returns the route of the certificate that clients of voice must trust.
pub(super) fn root_certificate() -> Router<Control> {
    Router::new().route("/sandbox/voice/root.pem", get(root))
}

/// Returns the servers by region, and the root of their certificates.
pub(super) fn overview(voice: &Voice) -> Value {
    let endpoints: Map<String, Value> =
        voice.endpoints().map(|(region, endpoint)| (region.to_owned(), endpoint.into())).collect();
    json!({ "endpoints": endpoints, "root_certificate": voice.root_certificate() })
}

async fn servers(State(control): State<Control>) -> Json<Value> {
    Json(overview(control.discord.voice()))
}

async fn root(State(control): State<Control>) -> Response {
    let pem = control.discord.voice().root_certificate().to_owned();
    ([(CONTENT_TYPE, "application/x-pem-file")], pem).into_response()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    #[serde(default)]
    target: Target,
    command: Command,
}

/// Sends a command to live voice connections: drops or closes them.
async fn command(State(control): State<Control>, Request(order): Request<Order>) -> Json<Value> {
    Json(json!({ "connections": control.discord.voice().command(order.target, &order.command) }))
}

/// Returns the members in voice, their channels and connections.
async fn present(
    State(control): State<Control>,
    Path(guild): Path<String>,
) -> Result<Json<Value>, BadRequest> {
    let live = control.discord.lock();
    let guild = find::guild(&live, Some(&guild))?;
    let members = guild.voice_states.values().map(|state| {
        let mut shown = guild.voice_json(state, Some(state.channel_id));
        shown["name"] = live.users.get(&state.user_id).map(|user| user.username.clone()).into();
        shown["channel"] = live.channels.get(&state.channel_id).map(|channel| channel.name.clone()).into();
        shown["bot"] = live.applications.contains_key(&state.user_id).into();
        shown["connection"] =
            control.discord.voice().session(guild.id, state.user_id).map_or(Value::Null, |session| {
                json!({
                    "connected": session.conn().is_some(),
                    "ssrc": session.ssrc,
                    "mode": session.mode(),
                    "max_dave_protocol_version": session.max_dave,
                })
            });
        shown
    });
    Ok(Json(members.collect()))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Enter {
    channel: String,
    #[serde(default)]
    self_mute: bool,
    #[serde(default)]
    self_deaf: bool,
}

/// Moves a user into a voice channel. A bot that is in voice is moved as by a moderator.
async fn enter(
    State(control): State<Control>,
    Path((guild, user)): Path<(String, String)>,
    Request(asked): Request<Enter>,
) -> Result<StatusCode, BadRequest> {
    let mut live = control.discord.lock();
    let (guild_id, user) = find::member(&live, &guild, &user)?;
    let channel = find::channel(&mut live, &asked.channel, Some(&guild), user)?;
    let (id, name) = (channel.id, channel.name.clone());
    if !channel.is_voice() {
        return Err(BadRequest::new(format!("#{name} is no voice channel.")));
    }
    live.member(guild_id, user)?;
    if live.applications.contains_key(&user) {
        let who = live.user(user)?.username.clone();
        return match live.move_voice(guild_id, user, Some(id)) {
            Ok(()) => Ok(StatusCode::NO_CONTENT),
            Err(_) => {
                Err(BadRequest::new(format!("{who} is a bot and in no voice channel; it joins by itself.")))
            }
        };
    }
    if let Err(why) = live.may_join(guild_id, id, user) {
        let who = &live.user(user)?.username;
        return Err(BadRequest::with_status(
            StatusCode::FORBIDDEN,
            format!("{who} can't enter {name}: {why}."),
        ));
    }
    let before = live.guilds.get(&guild_id).and_then(|guild| guild.voice_states.get(&user));
    let session_id = before.map_or_else(picture_hash, |state| state.session_id.clone());
    let (suppress, request_to_speak) = live.floor(guild_id, id, user, &session_id);
    let state = VoiceState {
        user_id: user,
        channel_id: id,
        session_id,
        self_mute: asked.self_mute,
        self_deaf: asked.self_deaf,
        self_video: false,
        suppress,
        request_to_speak,
    };
    live.set_voice(guild_id, user, Some(state));
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Suppress {
    suppress: bool,
}

/// Makes a bot a speaker on a stage, or moves any member into the audience, as a moderator of the stage.
async fn floor(
    State(control): State<Control>,
    Path((guild, user)): Path<(String, String)>,
    Request(asked): Request<Suppress>,
) -> Result<StatusCode, BadRequest> {
    let mut live = control.discord.lock();
    let (guild, user) = find::member(&live, &guild, &user)?;
    let state = live.guilds.get(&guild).and_then(|guild| guild.voice_states.get(&user)).cloned();
    let Some(mut state) = state else {
        return Err(BadRequest::new("They are in no voice channel.".to_owned()));
    };
    let channel = live.channel(state.channel_id)?;
    if channel.kind != kind::STAGE {
        return Err(BadRequest::new(format!("#{} is no stage channel.", channel.name)));
    }
    (state.suppress, state.request_to_speak) = (asked.suppress, None);
    live.set_voice(guild, user, Some(state));
    Ok(StatusCode::NO_CONTENT)
}

/// Removes a user from voice. A bot is disconnected as by a moderator.
async fn leave(
    State(control): State<Control>,
    Path((guild, user)): Path<(String, String)>,
) -> Result<StatusCode, BadRequest> {
    let mut live = control.discord.lock();
    let (guild, user) = find::member(&live, &guild, &user)?;
    live.set_voice(guild, user, None);
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Region {
    /// Id of the region. The default is the next one.
    region: Option<String>,
}

/// Moves a channel's call to the server of another region.
async fn region(
    State(control): State<Control>,
    Path((guild, channel)): Path<(String, String)>,
    Request(asked): Request<Region>,
) -> Result<Json<Value>, BadRequest> {
    let regions = control.discord.voice().regions();
    let mut live = control.discord.lock();
    let owner = find::guild(&live, Some(&guild))?.owner_id;
    let channel = find::channel(&mut live, &channel, Some(&guild), owner)?;
    if !channel.is_voice() {
        return Err(BadRequest::new(format!("#{} is no voice channel.", channel.name)));
    }
    let (id, now) = (channel.id, channel.rtc_region.as_deref());
    let at = regions.iter().position(|id| Some(id.as_str()) == now).unwrap_or(0);
    let wanted = match &asked.region {
        Some(wanted) if regions.contains(wanted) => Some(wanted.clone()),
        Some(wanted) => {
            return Err(BadRequest::missing(format!(
                "There is no region \"{wanted}\"; there are {}.",
                regions.join(", ")
            )));
        }
        None => regions.get((at + 1) % regions.len().max(1)).cloned(),
    };
    live.channel_mut(id)?.rtc_region.clone_from(&wanted);
    live.channel_changed(id);
    live.change_server(id);
    Ok(Json(json!({ "channel": id, "region": wanted })))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wait {
    /// Number of packets to wait for.
    packets: Option<u64>,
    /// Longest wait in milliseconds. The default is 30,000.
    within_ms: Option<u64>,
}

async fn heard(
    State(control): State<Control>,
    Path((guild, user)): Path<(String, String)>,
    Query(wait): Query<Wait>,
) -> Result<Json<Heard>, BadRequest> {
    let voice = control.discord.voice();
    let (guild, user, name) = named(&control.discord.lock(), &guild, &user)?;
    let heard = match wait.packets {
        None => voice.heard(guild, user),
        Some(packets) => {
            let within = Duration::from_millis(wait.within_ms.unwrap_or(30_000));
            voice.heard_when(guild, user, within, |heard| heard.counts.packets >= packets).await
        }
    };
    heard.map(Json).ok_or_else(|| unheard(&name))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    /// First frame. The default is the oldest that is kept.
    #[serde(default)]
    from: u64,
    /// Most frames.
    frames: Option<usize>,
}

async fn heard_wav(
    State(control): State<Control>,
    Path((guild, user)): Path<(String, String)>,
    Query(part): Query<Part>,
) -> Result<Response, BadRequest> {
    let voice = control.discord.voice();
    let (guild, user, name) = named(&control.discord.lock(), &guild, &user)?;
    voice.heard(guild, user).ok_or_else(|| unheard(&name))?;
    let samples = voice.pcm(guild, user, part.from, part.frames.unwrap_or(usize::MAX));
    Ok(([(CONTENT_TYPE, "audio/wav")], wav::write(&samples)).into_response())
}

async fn forget(
    State(control): State<Control>,
    Path((guild, user)): Path<(String, String)>,
) -> Result<StatusCode, BadRequest> {
    let (guild, user, name) = named(&control.discord.lock(), &guild, &user)?;
    if control.discord.voice().forget(guild, user) { Ok(StatusCode::NO_CONTENT) } else { Err(unheard(&name)) }
}

fn named(live: &Live<'_>, guild: &str, user: &str) -> Result<(Snowflake, Snowflake, String), BadRequest> {
    let (guild, user) = find::member(live, guild, user)?;
    Ok((guild, user, live.user(user)?.username.clone()))
}

fn unheard(name: &str) -> BadRequest {
    BadRequest::missing(format!("{name} has had no voice connection in this guild."))
}
