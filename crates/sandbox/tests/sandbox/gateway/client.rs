//! A gateway client that does exactly what a test tells it, and supports every transport.

use std::collections::VecDeque;
use std::io::Read;
use std::time::Duration;

use flate2::{Decompress, FlushDecompress};
use futures_util::{SinkExt, StreamExt};
use sandbox::gateway::Intents;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use zstd::stream::raw::{Decoder, InBuffer, Operation, OutBuffer};

use super::terms;
use super::world::TOKEN;

/// Longer than anything here takes. Only a failing test waits that long.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

enum Inflate {
    /// Text, or single payloads that are zlib streams of their own.
    Json,
    Zlib(Decompress),
    Zstd(Decoder<'static>),
}

pub(crate) struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    inflate: Inflate,
    /// Whether both sides send ETF.
    etf: bool,
    /// Number of payloads in binary frames.
    pub(crate) binary: usize,
    /// Payloads that a test skipped.
    skipped: VecDeque<Value>,
    /// Whether a sequence number may be repeated.
    pub(crate) repeats: bool,
    /// Last sequence number.
    pub(crate) seq: Option<u64>,
    pub(crate) session_id: String,
}

/// How the server ended the connection.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    Close(u16),
    Gone,
}

impl Client {
    pub(crate) async fn connect(url: &str) -> Self {
        let (socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
        let inflate = if url.contains("zlib-stream") {
            Inflate::Zlib(Decompress::new(true))
        } else if url.contains("zstd-stream") {
            Inflate::Zstd(Decoder::new().unwrap())
        } else {
            Inflate::Json
        };
        let (skipped, session_id) = (VecDeque::new(), String::new());
        let etf = url.contains("encoding=etf");
        Self { socket, inflate, etf, binary: 0, skipped, repeats: false, seq: None, session_id }
    }

    pub(crate) async fn send(&mut self, op: u64, data: Value) {
        let payload = json!({"op": op, "d": data});
        let message = if self.etf {
            Message::Binary(terms::pack(&payload).into())
        } else {
            Message::Text(payload.to_string().into())
        };
        self.send_raw(message).await;
    }

    pub(crate) async fn send_raw(&mut self, message: Message) {
        self.socket.send(message).await.unwrap();
    }

    pub(crate) async fn identify(&mut self, intents: Intents) {
        self.send(2, identify(intents)).await;
    }

    pub(crate) async fn resume(&mut self, session_id: &str, seq: u64) {
        self.send(6, json!({"token": TOKEN, "session_id": session_id, "seq": seq})).await;
    }

    /// Waits for the next payload and returns it.
    pub(crate) async fn payload(&mut self) -> Value {
        if let Some(payload) = self.skipped.pop_front() {
            return payload;
        }
        match self.read().await {
            Ok(payload) => payload,
            Err(end) => panic!("the connection ended: {end:?}"),
        }
    }

    /// Waits for the next payload, which must be the event of this name, and returns its data.
    pub(crate) async fn event(&mut self, name: &str) -> Value {
        let payload = self.payload().await;
        assert_eq!(payload["t"], name, "{payload}");
        payload["d"].clone()
    }

    /// Waits for the next payload, which must have this opcode, and returns its data.
    pub(crate) async fn op(&mut self, op: u64) -> Value {
        let payload = self.payload().await;
        assert_eq!(payload["op"], op, "{payload}");
        payload["d"].clone()
    }

    /// Sends a heartbeat and reads up to its acknowledgement. Returns everything before it.
    pub(crate) async fn until_ack(&mut self) -> Vec<Value> {
        self.send(1, json!(self.seq)).await;
        let mut before = Vec::new();
        loop {
            let payload = self.payload().await;
            if payload["op"] == 11 {
                return before;
            }
            before.push(payload);
        }
    }

    /// Reads to the end, and returns how the connection ended.
    pub(crate) async fn end(&mut self) -> End {
        loop {
            if let Err(end) = self.read().await {
                return end;
            }
        }
    }

    pub(crate) async fn close(mut self, code: u16) {
        let frame = CloseFrame { code: code.into(), reason: "".into() };
        self.socket.close(Some(frame)).await.unwrap();
        self.end().await;
    }

    /// Waits for the next payload and returns its text, JSON or not.
    pub(crate) async fn text(&mut self) -> String {
        self.read_text().await.unwrap_or_else(|end| panic!("the connection ended: {end:?}"))
    }

    async fn read(&mut self) -> Result<Value, End> {
        let text = self.read_text().await?;
        let payload: Value = serde_json::from_str(&text).unwrap();
        if payload["op"] == 0 {
            let seq = payload["s"].as_u64().unwrap();
            let fits = |last| seq > last || (self.repeats && seq == last);
            assert!(self.seq.is_none_or(fits), "{seq} after {:?}", self.seq);
            self.seq = Some(seq);
            if payload["t"] == "READY" {
                payload["d"]["session_id"].as_str().unwrap().clone_into(&mut self.session_id);
            }
        }
        Ok(payload)
    }

    async fn read_text(&mut self) -> Result<String, End> {
        loop {
            let message = timeout(PATIENCE, self.socket.next()).await.expect("nothing came in time");
            let text = match message {
                None | Some(Err(_)) => return Err(End::Gone),
                Some(Ok(Message::Text(text))) => text.as_str().to_owned(),
                Some(Ok(Message::Binary(bytes))) => {
                    self.binary += 1;
                    self.inflate.text(&bytes, self.etf)
                }
                Some(Ok(Message::Close(frame))) => {
                    return Err(frame.map_or(End::Gone, |frame| End::Close(frame.code.into())));
                }
                Some(Ok(_)) => continue,
            };
            return Ok(text);
        }
    }
}

impl Inflate {
    fn text(&mut self, bytes: &[u8], etf: bool) -> String {
        let text = match self {
            Self::Json if etf => bytes.to_vec(),
            Self::Json => {
                let mut text = String::new();
                flate2::read::ZlibDecoder::new(bytes).read_to_string(&mut text).unwrap();
                return text;
            }
            Self::Zlib(inflate) => {
                assert!(bytes.ends_with(&[0, 0, 0xff, 0xff]));
                let mut text = Vec::with_capacity(4 << 20);
                inflate.decompress_vec(bytes, &mut text, FlushDecompress::Sync).unwrap();
                text
            }
            Self::Zstd(decoder) => {
                let mut text = vec![0; 4 << 20];
                let mut input = InBuffer::around(bytes);
                let mut output = OutBuffer::around(&mut text[..]);
                while input.pos() < bytes.len() {
                    decoder.run(&mut input, &mut output).unwrap();
                }
                let length = output.pos();
                text.truncate(length);
                text
            }
        };
        if etf { terms::unpack(&text).to_string() } else { String::from_utf8(text).unwrap() }
    }
}

/// Returns the data of an IDENTIFY.
pub(crate) fn identify(intents: Intents) -> Value {
    let properties = json!({"os": "linux", "browser": "test", "device": "test"});
    json!({"token": TOKEN, "intents": intents.bits(), "properties": properties})
}
