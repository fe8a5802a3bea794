//! Raw events, and reports about interactions, for a host in another process. The first message is `{"token": "..."}`.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use futures_util::StreamExt as _;
use serde::Deserialize;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::{PATIENCE, Socket, close};
use crate::Core;
use crate::frame::Id;

#[derive(Deserialize)]
struct Login {
    token: String,
}

/// Waits for the secret. Returns whether it is the right one.
async fn is_admitted(core: &Core, socket: &mut Socket) -> Result<bool, Error> {
    let Ok(Some(message)) = timeout(PATIENCE, socket.next()).await else { return Ok(false) };
    let login: Option<Login> = message?.to_text().ok().and_then(|text| serde_json::from_str(text).ok());
    if login.is_some_and(|login| core.is_token(&login.token)) {
        return Ok(true);
    }
    tracing::warn!("a connection without the bot's token was refused");
    close(socket, 4004, "Authentication failed.").await?;
    Ok(false)
}

/// Sends events as `{"shard": 0, "t": "NAME", "d": {...}}`.
pub(super) async fn send(core: &Core, mut socket: Socket, names: BTreeSet<String>) -> Result<(), Error> {
    if !is_admitted(core, &mut socket).await? {
        return Ok(());
    }
    let mut events = core.tap.subscribe(names);
    super::send(&mut socket, Message::text(r#"{"ok":true}"#)).await?;
    loop {
        tokio::select! {
            event = events.recv() => {
                let Some(event) = event else { return Ok(()) };
                let text = format!(r#"{{"shard":{},"t":"{}","d":{}}}"#, event.shard, event.name, event.data);
                super::send(&mut socket, Message::text(text)).await?;
            }
            message = socket.next() => match message {
                Some(message) => drop(message?),
                None => return Ok(()),
            },
        }
    }
}

/// Reads the ids of interactions that a host answers, one for each message.
pub(super) async fn answers(core: &Core, mut socket: Socket) -> Result<(), Error> {
    if !is_admitted(core, &mut socket).await? {
        return Ok(());
    }
    core.answering.fetch_add(1, Ordering::Relaxed);
    let ended = read_answers(core, &mut socket).await;
    core.answering.fetch_sub(1, Ordering::Relaxed);
    ended
}

async fn read_answers(core: &Core, socket: &mut Socket) -> Result<(), Error> {
    super::send(socket, Message::text(r#"{"ok":true}"#)).await?;
    while let Some(message) = socket.next().await {
        if let Message::Text(text) = message?
            && let Ok(Id(interaction)) = serde_json::from_str(&text)
        {
            for shard in core.all() {
                shard.answered(interaction);
            }
        }
    }
    Ok(())
}
