//! The server for hosts: Discord's gateway v10 in JSON without compression, and two paths of its own.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::StatusCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async_with_config};

use crate::Core;

mod events;
mod host;

/// Path of raw events.
pub(crate) const EVENTS: &str = "/events";
/// Path of reports about interactions.
pub(crate) const ANSWERS: &str = "/answers";
/// Longest message of a host. Discord allows 4096 bytes.
const LONGEST: usize = 16 << 10;
/// Longest wait for a handshake, for a secret, and for a host that takes nothing.
const PATIENCE: Duration = Duration::from_secs(30);

type Socket = WebSocketStream<TcpStream>;

/// Accepts hosts. Never returns.
pub(crate) async fn serve(core: Arc<Core>, listener: TcpListener) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let _ = stream.set_nodelay(true);
                    connections.spawn(connection(core.clone(), stream));
                }
                Err(error) => {
                    tracing::warn!(%error, "a host's connection cannot be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(core: Arc<Core>, stream: TcpStream) {
    let (mut path, mut query) = (String::new(), String::new());
    #[allow(clippy::result_large_err)] // tungstenite's own.
    let look = |request: &Request, response: Response| {
        // A page in a browser sends where it is from; a bot does not.
        if request.headers().contains_key("origin") {
            return Err(refusal(StatusCode::FORBIDDEN));
        }
        request.uri().path().clone_into(&mut path);
        request.uri().query().unwrap_or_default().clone_into(&mut query);
        match path.as_str() {
            "" | "/" | EVENTS | ANSWERS => Ok(response),
            _ => Err(refusal(StatusCode::NOT_FOUND)),
        }
    };
    let config = WebSocketConfig::default().max_message_size(Some(LONGEST)).max_frame_size(Some(LONGEST));
    let accepted = accept_hdr_async_with_config(stream, look, Some(config));
    let Ok(Ok(socket)) = timeout(PATIENCE, accepted).await else { return };
    let ended = match path.as_str() {
        EVENTS => events::send(&core, socket, names(&query)).await,
        ANSWERS => events::answers(&core, socket).await,
        _ => host::Host::new(core, socket).run().await,
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a host's connection has ended");
    }
}

fn refusal(status: StatusCode) -> ErrorResponse {
    let mut response = ErrorResponse::new(None);
    *response.status_mut() = status;
    response
}

/// Reads `names=A,B` of a query. No names mean all.
fn names(query: &str) -> BTreeSet<String> {
    let names = query.split('&').find_map(|pair| pair.strip_prefix("names=")).unwrap_or_default();
    names.split(',').filter(|name| crate::frame::is_name(name)).map(str::to_owned).collect()
}

async fn close(socket: &mut Socket, code: u16, reason: &str) -> Result<(), Error> {
    // A close frame has room for 123 bytes.
    let reason: String = reason.chars().take(40).collect();
    let frame = CloseFrame { code: code.into(), reason: reason.into() };
    let end = async {
        socket.close(Some(frame)).await?;
        while let Some(message) = socket.next().await {
            message?;
        }
        Ok(())
    };
    timeout(Duration::from_secs(1), end).await.unwrap_or(Ok(()))
}

/// Sends a message, unless the other side takes nothing for a while.
async fn send(socket: &mut Socket, message: Message) -> Result<(), Error> {
    timeout(PATIENCE, socket.send(message))
        .await
        .map_err(|_| Error::Io(std::io::ErrorKind::TimedOut.into()))?
}
