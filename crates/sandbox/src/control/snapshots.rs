//! Snapshots of the whole world: saved, restored, listed and deleted while bots are connected.

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::{BadRequest, Control, Path};
use crate::seed::{self, Mistake, Seed};
use crate::snapshots::is_name;
use crate::state::saved::{self, Files, Unreadable};
use crate::state::{World, clock};

/// Largest snapshot that is sent to a sandbox.
const BODY_LIMIT: usize = 1 << 30;

pub(super) fn routes() -> Router<Control> {
    Router::new()
        .route("/sandbox/snapshots", get(list))
        .route("/sandbox/snapshots/{name}", put(save).delete(delete))
        .route("/sandbox/snapshots/{name}/restore", post(restore))
        .route("/sandbox/seed", get(export).post(plant))
        .route("/sandbox/world", get(download).put(upload).layer(DefaultBodyLimit::max(BODY_LIMIT)))
}

impl From<Unreadable> for BadRequest {
    fn from(why: Unreadable) -> Self {
        Self::new(format!("This is not restored: {why}."))
    }
}

fn failed(error: &dyn std::fmt::Display) -> BadRequest {
    BadRequest::with_status(
        StatusCode::INTERNAL_SERVER_ERROR,
        format!("The snapshots can't be used: {error}."),
    )
}

/// Runs what takes long for a large world on a thread of its own.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BadRequest> + Send + 'static,
) -> Result<T, BadRequest> {
    tokio::task::spawn_blocking(work).await.map_err(|error| failed(&error))?
}

fn named(name: &str) -> Result<(), BadRequest> {
    if is_name(name) {
        return Ok(());
    }
    Err(BadRequest::new("A snapshot's name has 1 to 64 of a-z, A-Z, 0-9, hyphens and underscores."))
}

/// Returns a snapshot of this length in the list, from its first bytes.
fn shown(name: &str, bytes: u64, head: &[u8]) -> Value {
    match saved::header(head) {
        Ok((header, _)) => json!({
            "name": name,
            "bytes": bytes,
            "saved_at": header.saved_at,
            "guilds": header.guilds,
            "channels": header.channels,
            "messages": header.messages,
        }),
        Err(why) => json!({ "name": name, "bytes": bytes, "error": why.to_string() }),
    }
}

/// Lists the snapshots. One that cannot be read has an `error` in place of its header.
async fn list(State(control): State<Control>) -> Result<Json<Vec<Value>>, BadRequest> {
    aside(move || {
        let names = control.snapshots.names().map_err(|error| failed(&error))?;
        let mut list = Vec::new();
        for name in names {
            match control.snapshots.head(&name) {
                Ok(Some((bytes, head))) => list.push(shown(&name, bytes, &head)),
                // It was deleted since.
                Ok(None) => {}
                Err(error) => {
                    list.push(json!({ "name": name, "error": format!("it can't be read ({error})") }));
                }
            }
        }
        Ok(Json(list))
    })
    .await
}

async fn save(
    State(control): State<Control>,
    Path(name): Path<String>,
) -> Result<(StatusCode, Json<Value>), BadRequest> {
    named(&name)?;
    aside(move || {
        let bytes = control.discord.lock().save(Files::Inside).map_err(|error| failed(&error))?;
        let answer = shown(&name, bytes.len() as u64, &bytes);
        control.snapshots.put(&name, bytes).map_err(|error| failed(&error))?;
        Ok((StatusCode::CREATED, Json(answer)))
    })
    .await
}

async fn delete(State(control): State<Control>, Path(name): Path<String>) -> Result<StatusCode, BadRequest> {
    named(&name)?;
    aside(move || {
        let was_there = control.snapshots.remove(&name).map_err(|error| failed(&error))?;
        if was_there { Ok(StatusCode::NO_CONTENT) } else { Err(no_snapshot(&control, &name)) }
    })
    .await
}

async fn restore(
    State(control): State<Control>,
    Path(name): Path<String>,
) -> Result<Json<Value>, BadRequest> {
    named(&name)?;
    aside(move || {
        let bytes = control.snapshots.get(&name).map_err(|error| failed(&error))?;
        replace(&control, &bytes.ok_or_else(|| no_snapshot(&control, &name))?)
    })
    .await
}

fn no_snapshot(control: &Control, name: &str) -> BadRequest {
    let names = control.snapshots.names().unwrap_or_default();
    let others = if names.is_empty() { "none yet".to_owned() } else { names.join(", ") };
    BadRequest::missing(format!("There is no snapshot \"{name}\"; there are: {others}."))
}

async fn download(State(control): State<Control>) -> Result<impl IntoResponse, BadRequest> {
    let bytes = aside(move || control.discord.lock().save(Files::Inside).map_err(|error| failed(&error)));
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], bytes.await?))
}

async fn upload(State(control): State<Control>, body: Bytes) -> Result<Json<Value>, BadRequest> {
    aside(move || replace(&control, &body)).await
}

/// Returns the world as a seed file.
async fn export(State(control): State<Control>) -> Result<impl IntoResponse, BadRequest> {
    let yaml = aside(move || seed::export(&control.discord.lock()).to_yaml().map_err(|error| failed(&error)));
    Ok(([(header::CONTENT_TYPE, "application/yaml")], yaml.await?))
}

/// Adds what a seed file describes, whole or not at all.
async fn plant(State(control): State<Control>, body: String) -> Result<Json<Value>, BadRequest> {
    let refused = |mistake: Mistake| BadRequest::new(mistake.to_string());
    let seed = Seed::read(&body, "seed").map_err(refused)?;
    aside(move || {
        let mut live = control.discord.lock();
        let added = seed::plant(&seed, &mut live).map_err(refused)?;
        live.planted(&added);
        Ok(Json(json!({ "guilds": added.guilds })))
    })
    .await
}

/// Puts a saved world in place of the present one, if it can be read whole.
fn replace(control: &Control, bytes: &[u8]) -> Result<Json<Value>, BadRequest> {
    let (base_url, files_url) = {
        let live = control.discord.lock();
        (live.base_url.clone(), live.files_url.clone())
    };
    let missing = |_| Err(std::io::ErrorKind::NotFound.into());
    let world = World::load(bytes, &base_url, &files_url, missing)?;
    let mut live = control.discord.lock();
    let sessions = live.restore(world);
    control.limits.clear();
    Ok(Json(
        json!({ "now": clock::iso(live.clock.now()), "sessions_ended": sessions, "guilds": live.guilds.len() }),
    ))
}
