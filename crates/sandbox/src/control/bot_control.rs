//! The control socket of a bot with hot reload, for those who use the control API: lines of JSON in both directions. The
//! sandbox knows nothing of what they say, but for the request that follows events.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Map, Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::UnixStream;
use tokio::sync::mpsc;

use super::{BadRequest, Control, Request};

pub(super) fn routes() -> Router<Control> {
    Router::new().route("/sandbox/bot-control", get(state).post(ask))
}

/// Longest wait for the reply to a request; a reload builds first.
const REPLY_WITHIN: Duration = Duration::from_mins(10);
/// Time between two attempts to reach a bot that is not there.
const AGAIN: Duration = Duration::from_secs(1);
/// Events that a slow reader may be behind. The bot ends a connection whose reader is slower.
const BEHIND: usize = 256;

/// Opens the socket. Where its path is too long for one, the file beside it with the ending `path` names another.
async fn connect(socket: &Path) -> io::Result<Lines<BufReader<UnixStream>>> {
    let stream = match UnixStream::connect(socket).await {
        Ok(stream) => stream,
        Err(error) => match tokio::fs::read_to_string(socket.with_extension("path")).await {
            Ok(named) => UnixStream::connect(named.trim()).await?,
            Err(_) => return Err(error),
        },
    };
    // Another user's program in its place would receive commands.
    let (peer, own) = (stream.peer_cred()?.uid(), rustix::process::geteuid().as_raw());
    if peer != own && peer != 0 {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it belongs to another user"));
    }
    Ok(BufReader::new(stream).lines())
}

async fn send(lines: &mut Lines<BufReader<UnixStream>>, request: &Value) -> io::Result<()> {
    lines.get_mut().get_mut().write_all(format!("{request}\n").as_bytes()).await
}

async fn state(State(control): State<Control>) -> Json<Value> {
    let reachable = match &control.bot_control {
        Some(socket) => connect(socket).await.is_ok(),
        None => false,
    };
    Json(json!({ "configured": control.bot_control.is_some(), "reachable": reachable }))
}

/// Sends one request to the bot, and returns its reply.
async fn ask(
    State(control): State<Control>,
    Request(request): Request<Map<String, Value>>,
) -> Result<Json<Value>, BadRequest> {
    let socket = control.bot_control.as_deref().ok_or_else(|| {
        BadRequest::missing(
            "This sandbox knows no bot's control socket; `serve --bot-control PATH` names one.",
        )
    })?;
    let reply = tokio::time::timeout(REPLY_WITHIN, exchange(socket, &Value::Object(request))).await;
    match reply {
        Ok(Ok(Some(line))) => serde_json::from_str(&line)
            .map(Json)
            .map_err(|_| BadRequest::with_status(StatusCode::BAD_GATEWAY, "The bot's reply is no JSON.")),
        Ok(Ok(None)) => Err(BadRequest::with_status(
            StatusCode::BAD_GATEWAY,
            "The bot ended the connection without a reply.",
        )),
        Ok(Err(error)) => Err(BadRequest::with_status(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("No bot answers at its control socket ({error}); is it running, with hot reload?"),
        )),
        Err(_) => Err(BadRequest::with_status(
            StatusCode::GATEWAY_TIMEOUT,
            "The bot has not replied in 10 minutes.",
        )),
    }
}

async fn exchange(socket: &Path, request: &Value) -> io::Result<Option<String>> {
    let mut lines = connect(socket).await?;
    send(&mut lines, request).await?;
    lines.next_line().await
}

/// Returns a receiver of the bot's events: the last ones, and those to come, also of its successors. Null stands for the
/// end of a connection.
pub(super) fn follow(socket: PathBuf, last: usize) -> mpsc::Receiver<Value> {
    let (sender, receiver) = mpsc::channel(BEHIND);
    tokio::spawn(async move {
        loop {
            if events(&socket, last, &sender).await.is_err() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(AGAIN) => {}
                () = sender.closed() => return,
            }
        }
    });
    receiver
}

/// Nobody reads any more.
struct Unread;

async fn events(socket: &Path, last: usize, sender: &mpsc::Sender<Value>) -> Result<(), Unread> {
    let Ok(mut lines) = connect(socket).await else { return Ok(()) };
    if send(&mut lines, &json!({ "do": "events", "last": last, "follow": true })).await.is_err() {
        return Ok(());
    }
    loop {
        let line = tokio::select! {
            line = lines.next_line() => line,
            () = sender.closed() => return Err(Unread),
        };
        let Ok(Some(line)) = line else { return sender.send(Value::Null).await.map_err(|_| Unread) };
        if let Ok(event) = serde_json::from_str(&line) {
            sender.send(event).await.map_err(|_| Unread)?;
        }
    }
}
