//! Websocket frames to the gateway, through its router and websocket, on a stream in memory.

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::serve::Listener as _;
use flate2::{Decompress, FlushDecompress};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::sync::mpsc;

use super::{Ids, Place};

/// Separates the frames of an input.
const SEPARATOR: u8 = 0x1e;
/// Most frames of an input.
const FRAMES: usize = 12;
/// Bytes that may be in transit.
const ROOM: usize = 1 << 20;

thread_local! {
    static PLACE: RefCell<Option<Place>> = const { RefCell::new(None) };
}

/// Accepts streams in memory as connections.
struct Listener(mpsc::UnboundedReceiver<DuplexStream>);

impl axum::serve::Listener for Listener {
    type Io = DuplexStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (DuplexStream, SocketAddr) {
        match self.0.recv().await {
            Some(stream) => (stream, SocketAddr::from(([127, 0, 0, 1], 1))),
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(SocketAddr::from(([127, 0, 0, 1], 0)))
    }
}

/// Sends frames. The first byte selects the compression and whether the bot identifies first. Each frame begins with
/// its kind: `t` for text, `b` for binary, `c` for close, `p` for ping, and `r` for bytes that are sent as they are.
pub async fn gateway_frames(bytes: &[u8]) {
    let Some((how, frames)) = bytes.split_first() else { return };
    let mut place = PLACE.take().unwrap_or_else(Place::new);
    let ids = place.reset();
    let (connections, listener) = mpsc::unbounded_channel();
    let listener = Listener(listener);
    debug_assert!(listener.local_addr().is_ok());
    let server = tokio::spawn(axum::serve(listener, place.router.clone()).into_future());
    let (client, stream) = duplex(ROOM);
    connections.send(stream).expect("the server is there");
    converse(client, *how, frames, &ids).await;
    server.abort();
    // The connection's task ends after its stream, and its session a moment later.
    while !place.discord.hub().sessions().is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    place.discord.voice().close_all();
    PLACE.set(Some(place));
}

async fn converse(mut client: DuplexStream, how: u8, frames: &[u8], ids: &Ids) {
    let compress = ["", "&compress=zlib-stream", "&compress=zstd-stream", ""][usize::from(how & 3)];
    let head = format!(
        "GET /?v=10&encoding=json{compress} HTTP/1.1\r\nHost: 127.0.0.1:8787\r\nUpgrade: websocket\r\n\
         Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    client.write_all(head.as_bytes()).await.expect("the server reads");
    let mut received = Vec::new();
    while !received.ends_with(b"\r\n\r\n") {
        received.push(client.read_u8().await.expect("an answer to the upgrade"));
    }
    let mut sent = Vec::new();
    if how & 4 == 0 {
        let identify = r#"{"op":2,"d":{"token":"$T","intents":53608447,"properties":{},"compress":true}}"#;
        frame(&mut sent, 1, &ids.fill(identify.as_bytes()));
    }
    for part in frames.split(|byte| *byte == SEPARATOR).take(FRAMES) {
        let Some((kind, payload)) = part.split_first() else { continue };
        let payload = ids.fill(payload);
        match kind {
            b't' => frame(&mut sent, 1, &payload),
            b'b' => frame(&mut sent, 2, &payload),
            b'c' => frame(&mut sent, 8, &payload[..payload.len().min(125)]),
            b'p' => frame(&mut sent, 9, &payload[..payload.len().min(125)]),
            b'r' => sent.extend(payload),
            _ => {}
        }
    }
    let (mut reader, mut writer) = tokio::io::split(client);
    let writing = async {
        // The gateway may have closed the connection before it has read everything.
        let _ = writer.write_all(&sent).await;
        let _ = writer.shutdown().await;
    };
    let reading = async {
        let read = reader.read_to_end(&mut received).await;
        assert!(read.is_ok(), "{read:?}");
    };
    tokio::join!(writing, reading);
    judge(&received, how & 3);
}

/// Writes a frame, masked with zeros.
fn frame(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    out.push(0x80 | opcode);
    match payload.len() {
        length @ 0..=125 => out.push(0x80 | u8::try_from(length).unwrap_or(0)),
        length @ 126..=0xffff => {
            out.push(0xfe);
            out.extend(u16::try_from(length).unwrap_or(0).to_be_bytes());
        }
        length => {
            out.push(0xff);
            out.extend((length as u64).to_be_bytes());
        }
    }
    out.extend([0; 4]);
    out.extend_from_slice(payload);
}

/// Splits a frame of the server into opcode, payload and the rest of the bytes.
fn next(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (head, rest) = bytes.split_at_checked(2)?;
    assert!(head[0] & 0xf0 == 0x80 && head[1] & 0x80 == 0, "a frame of the server's begins with {head:x?}");
    let (length, rest) = match head[1] {
        126 => {
            rest.split_first_chunk().map(|(length, rest)| (u64::from(u16::from_be_bytes(*length)), rest))?
        }
        127 => rest.split_first_chunk().map(|(length, rest)| (u64::from_be_bytes(*length), rest))?,
        length => (u64::from(length), rest),
    };
    let (payload, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    Some((head[0] & 0xf, payload, rest))
}

/// Checks what the gateway has sent: whole frames, each a payload as documented, numbered in order, and one close at
/// the end.
fn judge(received: &[u8], compression: u8) {
    let end = received.windows(4).position(|word| word == b"\r\n\r\n").expect("an answer to the upgrade");
    assert!(received.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&received[..end]));
    let (mut rest, mut last, mut closed) = (&received[end + 4..], 0, None);
    let mut zlib = Decompress::new(true);
    let mut zstd = zstd::stream::raw::Decoder::new().expect("a decoder");
    while let Some((opcode, payload, after)) = next(rest) {
        rest = after;
        assert!(closed.is_none(), "a frame after the close");
        let text = match opcode {
            1 => payload.to_vec(),
            2 => inflate(payload, compression, &mut zlib, &mut zstd),
            8 => {
                closed = Some(payload.first_chunk().map(|code| u16::from_be_bytes(*code)));
                continue;
            }
            10 => continue,
            opcode => panic!("a frame of opcode {opcode}"),
        };
        let text = String::from_utf8(text).expect("text");
        let payload: Value = serde_json::from_str(&text).expect("JSON");
        assert!(matches!(payload["op"].as_u64(), Some(0 | 1 | 7 | 9 | 10 | 11)), "{text}");
        if payload["op"] == 0 {
            let seq = payload["s"].as_u64().expect("a number");
            assert!(payload["t"].is_string() && seq == last + 1, "{seq} after {last}");
            last = seq;
        }
    }
    assert!(rest.is_empty(), "{} bytes of a frame", rest.len());
    if let Some(Some(code)) = closed {
        assert!(matches!(code, 1000..=1015 | 3000..=4999), "closed with {code}");
    }
}

fn inflate(
    payload: &[u8],
    compression: u8,
    zlib: &mut Decompress,
    zstd: &mut zstd::stream::raw::Decoder<'static>,
) -> Vec<u8> {
    use zstd::stream::raw::{InBuffer, Operation as _, OutBuffer};
    let mut text = Vec::new();
    if compression == 2 {
        let mut room = vec![0; 1 << 16];
        let mut input = InBuffer::around(payload);
        loop {
            let mut output = OutBuffer::around(&mut room[..]);
            zstd.run(&mut input, &mut output).expect("zstd");
            let length = output.pos();
            text.extend_from_slice(&room[..length]);
            if input.pos() == payload.len() && length < room.len() {
                return text;
            }
        }
    }
    let mut own = Decompress::new(true);
    let zlib = if compression == 1 { zlib } else { &mut own };
    let start = zlib.total_in();
    loop {
        text.reserve(1 << 14);
        let used = usize::try_from(zlib.total_in() - start).unwrap_or(usize::MAX);
        zlib.decompress_vec(&payload[used..], &mut text, FlushDecompress::Sync).expect("zlib");
        if text.len() < text.capacity() {
            return text;
        }
    }
}
