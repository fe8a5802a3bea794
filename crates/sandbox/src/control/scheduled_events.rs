//! Scheduled events and stages of users: creating, changing, and subscribing.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, patch, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{BadRequest, Control, Path, Request, find};
use crate::live::Live;
use crate::snowflake::Snowflake;
use crate::state::scheduled_event::ScheduledEvent;
use crate::validate;

pub(super) fn routes() -> Router<Control> {
    Router::new()
        .route("/sandbox/guilds/{guild}/scheduled-events", get(list).post(create))
        .route("/sandbox/guilds/{guild}/scheduled-events/{event}", patch(edit).delete(remove))
        .route(
            "/sandbox/guilds/{guild}/scheduled-events/{event}/users/{user}",
            put(subscribe).delete(unsubscribe),
        )
        .route("/sandbox/stages", post(open_stage))
        .route("/sandbox/stages/{channel}", patch(edit_stage).delete(close_stage))
}

/// A user, and the fields of Discord's own request.
#[derive(Debug, Deserialize)]
struct By {
    #[serde(rename = "as")]
    user: String,
    #[serde(flatten)]
    fields: serde_json::Map<String, Value>,
}

impl By {
    fn body(self) -> Value {
        Value::Object(self.fields)
    }
}

/// Finds an event by id or name.
fn event(live: &Live<'_>, guild: &str, wanted: &str) -> Result<(Snowflake, Snowflake), BadRequest> {
    let guild = find::guild(live, Some(guild))?;
    let events = &guild.scheduled_events;
    let by_id = wanted.parse().ok().and_then(|id: Snowflake| events.get(&id));
    let named = |event: &&ScheduledEvent| event.is_open() && event.body.name.eq_ignore_ascii_case(wanted);
    let found = by_id.or_else(|| events.values().find(named));
    let found = found.ok_or_else(|| BadRequest::missing(format!("There is no event \"{wanted}\".")))?;
    Ok((guild.id, found.id))
}

fn shown(live: &Live<'_>, guild: Snowflake, id: Snowflake) -> Json<Value> {
    let event = live.guilds.get(&guild).and_then(|guild| guild.scheduled_events.get(&id));
    Json(event.map(|event| event.shown(live, true)).unwrap_or_default())
}

async fn list(State(control): State<Control>, Path(guild): Path<String>) -> Result<Json<Value>, BadRequest> {
    let live = control.discord.lock();
    let events = find::guild(&live, Some(&guild))?.scheduled_events.values();
    Ok(Json(events.map(|event| event.shown(&live, true)).collect()))
}

async fn create(
    State(control): State<Control>,
    Path(guild): Path<String>,
    Request(by): Request<By>,
) -> Result<Json<Value>, BadRequest> {
    let mut live = control.discord.lock();
    let (guild, user) = (find::guild(&live, Some(&guild))?.id, find::person(&live, &by.user)?.id);
    let body = validate::scheduled_event::create(&by.body(), live.clock.now())?;
    let id = live.create_event(guild, body, user, None)?;
    Ok(shown(&live, guild, id))
}

async fn edit(
    State(control): State<Control>,
    Path((guild, wanted)): Path<(String, String)>,
    Request(by): Request<By>,
) -> Result<Json<Value>, BadRequest> {
    let mut live = control.discord.lock();
    let ((guild, id), user) = (event(&live, &guild, &wanted)?, find::person(&live, &by.user)?.id);
    let body = validate::scheduled_event::modify(&by.body(), live.clock.now())?;
    live.edit_event(guild, id, body, user, None)?;
    Ok(shown(&live, guild, id))
}

async fn remove(
    State(control): State<Control>,
    Path((guild, wanted)): Path<(String, String)>,
    Request(by): Request<By>,
) -> Result<StatusCode, BadRequest> {
    let mut live = control.discord.lock();
    let ((guild, id), user) = (event(&live, &guild, &wanted)?, find::person(&live, &by.user)?.id);
    live.delete_event(guild, id, user, None)?;
    Ok(StatusCode::NO_CONTENT)
}

/// A subscription to the event, or to one occurrence of it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Subscription {
    exception: Option<Snowflake>,
}

async fn subscribe(
    State(control): State<Control>,
    Path(path): Path<(String, String, String)>,
    Request(asked): Request<Subscription>,
) -> Result<Json<Value>, BadRequest> {
    set_subscription(&control, &path, &asked, true)
}

async fn unsubscribe(
    State(control): State<Control>,
    Path(path): Path<(String, String, String)>,
    Request(asked): Request<Subscription>,
) -> Result<Json<Value>, BadRequest> {
    set_subscription(&control, &path, &asked, false)
}

fn set_subscription(
    control: &Control,
    (guild, wanted, user): &(String, String, String),
    asked: &Subscription,
    interested: bool,
) -> Result<Json<Value>, BadRequest> {
    let mut live = control.discord.lock();
    let ((guild, id), user) = (event(&live, guild, wanted)?, find::person(&live, user)?.id);
    live.subscribe(guild, id, user, asked.exception, interested)?;
    Ok(shown(&live, guild, id))
}

/// Finds a stage channel that a user sees.
fn stage(live: &mut Live<'_>, wanted: &str, user: &str) -> Result<(Snowflake, Snowflake), BadRequest> {
    let user = find::person(live, user)?.id;
    Ok((find::channel(live, wanted, None, user)?.id, user))
}

async fn open_stage(
    State(control): State<Control>,
    Request(by): Request<By>,
) -> Result<Json<Value>, BadRequest> {
    let mut live = control.discord.lock();
    let channel = by.fields.get("channel").and_then(Value::as_str).unwrap_or_default();
    let (channel, user) = stage(&mut live, channel, &by.user)?;
    let mut body = by.body();
    body["channel_id"] = json!(channel);
    Ok(Json(live.create_stage(validate::stage::create(&body)?, user, None)?))
}

async fn edit_stage(
    State(control): State<Control>,
    Path(channel): Path<String>,
    Request(by): Request<By>,
) -> Result<Json<Value>, BadRequest> {
    let mut live = control.discord.lock();
    let (channel, user) = stage(&mut live, &channel, &by.user)?;
    let (topic, privacy) = validate::stage::modify(&by.body())?;
    Ok(Json(live.edit_stage(channel, topic, privacy, user, None)?))
}

async fn close_stage(
    State(control): State<Control>,
    Path(channel): Path<String>,
    Request(by): Request<By>,
) -> Result<StatusCode, BadRequest> {
    let mut live = control.discord.lock();
    let (channel, user) = stage(&mut live, &channel, &by.user)?;
    live.delete_stage(channel, user, None)?;
    Ok(StatusCode::NO_CONTENT)
}
