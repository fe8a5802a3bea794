//! What a host says to the gateway, and asks of it, beside serenity's connection.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::RawEvent;
use crate::downstream::{ANSWERS, EVENTS};

/// Time between two attempts to connect.
const AGAIN: Duration = Duration::from_millis(500);
/// Longest wait for an answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Connects and gives the secret.
async fn connect(url: &str, token: &str) -> Result<Socket, Error> {
    let connected = async {
        let (mut socket, _) = connect_async(url).await?;
        socket.send(Message::text(json!({ "token": token }).to_string())).await?;
        match socket.next().await {
            Some(Ok(Message::Text(_))) => Ok(socket),
            Some(Err(error)) => Err(error),
            _ => Err(Error::ConnectionClosed),
        }
    };
    timeout(ANSWER_WITHIN, connected).await.unwrap_or(Err(Error::ConnectionClosed))
}

fn address(gateway: &str, path: &str) -> String {
    format!("{}{path}", gateway.trim_end_matches('/'))
}

/// Reports which interactions the host answers, so that the next host is not handed them. Clones share the connection.
///
/// It has a connection of its own, because serenity sends a message of its user with up to 500 ms of delay.
#[derive(Clone, Debug)]
pub struct Answers {
    ids: mpsc::UnboundedSender<u64>,
}

impl Answers {
    /// Connects, and connects again whenever the connection is lost, until the last clone is dropped. Waits for the first
    /// connection, but not for ever.
    pub async fn connect(gateway: &str, token: &str) -> Self {
        let (ids, mut waiting) = mpsc::unbounded_channel::<u64>();
        let (url, token) = (address(gateway, ANSWERS), token.to_owned());
        let mut first = connect(&url, &token).await.ok();
        tokio::spawn(async move {
            loop {
                let socket = match first.take() {
                    Some(socket) => Ok(socket),
                    None => connect(&url, &token).await,
                };
                if let Ok(mut socket) = socket
                    && report(&mut socket, &mut waiting).await.is_ok()
                {
                    return;
                }
                sleep(AGAIN).await;
            }
        });
        Self { ids }
    }

    /// Reports that the host answers an interaction.
    pub fn answer(&self, interaction: u64) {
        let _ = self.ids.send(interaction);
    }
}

/// Sends reports until there are no more, or the connection is lost.
async fn report(socket: &mut Socket, waiting: &mut mpsc::UnboundedReceiver<u64>) -> Result<(), Error> {
    loop {
        tokio::select! {
            id = waiting.recv() => match id {
                Some(id) => socket.send(Message::text(format!("\"{id}\""))).await?,
                None => return Ok(()),
            },
            message = socket.next() => match message {
                Some(message) => drop(message?),
                None => return Err(Error::ConnectionClosed),
            },
        }
    }
}

/// Raw events of a gateway in another process.
#[derive(Debug)]
pub struct Events {
    socket: Socket,
}

impl Events {
    /// Subscribes to events by name; with no names, to all.
    ///
    /// # Errors
    /// A sentence without the token, if the gateway cannot be reached or refuses.
    pub async fn subscribe(gateway: &str, token: &str, names: &[&str]) -> Result<Self, String> {
        let url = address(gateway, &format!("{EVENTS}?names={}", names.join(",")));
        let socket = connect(&url, token)
            .await
            .map_err(|error| format!("the gateway at {gateway} gives no raw events: {error}"))?;
        Ok(Self { socket })
    }

    /// Waits for the next event; `None` after the connection has ended.
    pub async fn recv(&mut self) -> Option<RawEvent> {
        #[derive(Deserialize)]
        struct Line<'a> {
            shard: u32,
            t: &'a str,
            #[serde(borrow)]
            d: &'a RawValue,
        }
        loop {
            let message = self.socket.next().await?.ok()?;
            if let Message::Text(text) = message
                && let Ok(line) = serde_json::from_str::<Line<'_>>(&text)
            {
                return Some(RawEvent { name: line.t.into(), data: line.d.get().into(), shard: line.shard });
            }
        }
    }
}
