//! A voice client that does exactly what a test tells it.

use std::collections::VecDeque;
use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use sandbox::Sandbox;
use sandbox::snowflake::Snowflake;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{self, Message};

use crate::world::PATIENCE;

/// The data with which a bot connects to voice.
#[derive(Clone, Debug)]
pub(crate) struct Ticket {
    pub(crate) guild: Snowflake,
    pub(crate) user: Snowflake,
    pub(crate) session_id: String,
    pub(crate) token: String,
    pub(crate) endpoint: String,
}

impl Ticket {
    pub(crate) fn identify(&self) -> Value {
        json!({
            "server_id": self.guild, "user_id": self.user, "session_id": self.session_id, "token": self.token,
        })
    }
}

/// How the server ended the connection.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    Close(u16),
    Gone,
}

pub(crate) struct Client {
    socket: WebSocketStream<TlsStream<TcpStream>>,
    skipped: VecDeque<Value>,
    /// Newest sequence number, or -1.
    pub(crate) seq: i64,
}

/// Opens a websocket that trusts only this sandbox's root.
pub(crate) async fn open(
    sandbox: &Sandbox,
    endpoint: &str,
    query: &str,
) -> Result<WebSocketStream<TlsStream<TcpStream>>, tungstenite::Error> {
    let mut roots = RootCertStore::empty();
    let pem = sandbox.voice().root_certificate();
    roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let (host, _) = endpoint.rsplit_once(':').unwrap();
    let name = ServerName::try_from(host.to_owned()).unwrap();
    let stream = TcpStream::connect(endpoint).await?;
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
    Ok(tokio_tungstenite::client_async(format!("wss://{endpoint}/?{query}"), stream).await?.0)
}

impl Client {
    pub(crate) async fn connect(sandbox: &Sandbox, endpoint: &str, query: &str) -> Self {
        let socket = open(sandbox, endpoint, query).await.unwrap();
        Self { socket, skipped: VecDeque::new(), seq: -1 }
    }

    pub(crate) async fn send(&mut self, op: u64, data: Value) {
        self.send_raw(Message::text(json!({ "op": op, "d": data }).to_string())).await;
    }

    pub(crate) async fn send_raw(&mut self, message: Message) {
        self.socket.send(message).await.unwrap();
    }

    /// Waits for the next text frame and returns it.
    pub(crate) async fn payload(&mut self) -> Value {
        if let Some(payload) = self.skipped.pop_front() {
            return payload;
        }
        match self.read().await {
            Ok(payload) => payload,
            Err(end) => panic!("the connection ended: {end:?}"),
        }
    }

    /// Waits for the next frame of text or bytes and returns it.
    pub(crate) async fn message(&mut self) -> Message {
        timeout(PATIENCE, self.socket.next()).await.expect("a frame in time").expect("a frame").unwrap()
    }

    async fn read(&mut self) -> Result<Value, End> {
        loop {
            match timeout(PATIENCE, self.socket.next()).await.expect("a frame in time") {
                Some(Ok(Message::Text(text))) => {
                    let payload: Value = serde_json::from_str(&text).unwrap();
                    if let Some(seq) = payload["seq"].as_i64() {
                        self.seq = seq;
                    }
                    return Ok(payload);
                }
                Some(Ok(Message::Close(Some(CloseFrame { code, .. })))) => {
                    return Err(End::Close(code.into()));
                }
                Some(Ok(Message::Close(None)) | Err(_)) | None => return Err(End::Gone),
                Some(Ok(_)) => {}
            }
        }
    }

    /// Waits for the next frame, whose opcode must be this one, and returns its data.
    pub(crate) async fn op(&mut self, op: u64) -> Value {
        let payload = self.payload().await;
        assert_eq!(payload["op"], op, "{payload}");
        payload["d"].clone()
    }

    /// Returns how the connection ends. Frames before that are dropped.
    pub(crate) async fn end(&mut self) -> End {
        loop {
            if let Err(end) = self.read().await {
                return end;
            }
        }
    }

    /// Sends a heartbeat of version 8 and reads up to its acknowledgement. Returns everything before it.
    pub(crate) async fn until_ack(&mut self) -> Vec<Value> {
        self.send(3, json!({ "t": 77, "seq_ack": self.seq })).await;
        let mut before = Vec::new();
        loop {
            let payload = self.payload().await;
            if payload["op"] == 6 {
                assert_eq!(payload["d"], json!({ "t": 77 }));
                return before;
            }
            before.push(payload);
        }
    }

    /// Reads HELLO, identifies, and returns READY.
    pub(crate) async fn identified(&mut self, ticket: &Ticket) -> Value {
        self.op(8).await;
        self.send(0, ticket.identify()).await;
        self.op(2).await
    }

    /// Closes with a code and waits for the end.
    pub(crate) async fn close(mut self, code: u16) {
        let frame = CloseFrame { code: code.into(), reason: "".into() };
        self.socket.close(Some(frame)).await.unwrap();
        while let Some(Ok(_)) = self.socket.next().await {}
    }
}
