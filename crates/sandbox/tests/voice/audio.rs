//! The audio side of a voice client: packets sealed and opened with the ciphers themselves, not with the sandbox's
//! code.

use std::time::Duration;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use opus2::{Application, Channels, Decoder, Encoder};
use serde_json::{Value, json};
use tokio::net::UdpSocket;
use tokio::time::timeout;

use crate::client::Client;
use crate::world::PATIENCE;

/// Frames of a packet of 20 ms.
pub(crate) const FRAME: usize = 960;

pub(crate) struct Audio {
    pub(crate) socket: UdpSocket,
    pub(crate) ssrc: u32,
    pub(crate) mode: String,
    key: Vec<u8>,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    nonce: u32,
}

impl Audio {
    /// Discovers its address, selects the protocol and receives the key.
    pub(crate) async fn open(client: &mut Client, ready: &Value, mode: &str) -> Self {
        let ssrc = u32::try_from(ready["ssrc"].as_u64().unwrap()).unwrap();
        let port = u16::try_from(ready["port"].as_u64().unwrap()).unwrap();
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.connect((ready["ip"].as_str().unwrap(), port)).await.unwrap();
        let (address, port) = discover(&socket, ssrc).await;
        assert_eq!((&*address, port), ("127.0.0.1", socket.local_addr().unwrap().port()));
        let data = json!({ "address": address, "port": port, "mode": mode });
        client.send(1, json!({ "protocol": "udp", "data": data })).await;
        let described = loop {
            let payload = client.payload().await;
            if payload["op"] == 4 {
                break payload["d"].clone();
            }
        };
        assert_eq!(described["mode"], mode);
        let key: Vec<u8> = serde_json::from_value(described["secret_key"].clone()).unwrap();
        assert_eq!(key.len(), 32);
        Self { socket, ssrc, mode: mode.to_owned(), key, sequence: 65_530, timestamp: 90_000, nonce: 0 }
    }

    /// Sends that it speaks.
    pub(crate) async fn speak(&self, client: &mut Client) {
        client.send(5, json!({ "speaking": 1, "delay": 0, "ssrc": self.ssrc })).await;
    }

    /// Returns a header that continues the stream.
    pub(crate) fn header(&mut self) -> Vec<u8> {
        let mut header = vec![0x80, 0x78];
        header.extend(self.sequence.to_be_bytes());
        header.extend(self.timestamp.to_be_bytes());
        header.extend(self.ssrc.to_be_bytes());
        self.skip(1);
        header
    }

    /// Skips packets without sending them.
    pub(crate) fn skip(&mut self, packets: u16) {
        self.sequence = self.sequence.wrapping_add(packets);
        self.timestamp = self.timestamp.wrapping_add(u32::from(packets) * u32::try_from(FRAME).unwrap());
    }

    /// Returns a whole packet with this clear header and body.
    pub(crate) fn seal(&mut self, header: &[u8], body: &[u8]) -> Vec<u8> {
        let nonce = self.nonce.to_be_bytes();
        self.nonce += 1;
        let payload = Payload { msg: body, aad: header };
        let sealed = if self.mode.contains("gcm") {
            let cipher = Aes256Gcm::new_from_slice(&self.key).unwrap();
            cipher.encrypt(Nonce::from_slice(&long(nonce, 12)), payload).unwrap()
        } else {
            let cipher = XChaCha20Poly1305::new_from_slice(&self.key).unwrap();
            cipher.encrypt(XNonce::from_slice(&long(nonce, 24)), payload).unwrap()
        };
        [header, &sealed, &nonce].concat()
    }

    /// Sends the next Opus frame.
    pub(crate) async fn send(&mut self, frame: &[u8]) {
        let header = self.header();
        let packet = self.seal(&header, frame);
        self.socket.send(&packet).await.unwrap();
    }

    /// Waits for the next packet of another client, and returns header and body.
    pub(crate) async fn receive(&self) -> (Vec<u8>, Vec<u8>) {
        let mut buffer = vec![0; 2000];
        let length = loop {
            let received = timeout(PATIENCE, self.socket.recv(&mut buffer)).await;
            let length = received.expect("a packet in time").unwrap();
            // Not a late answer of IP discovery, if it was asked for again meanwhile.
            if !buffer.starts_with(&[0, 2]) {
                break length;
            }
        };
        let packet = &buffer[..length];
        let (header, sealed) = packet.split_at(12);
        let (msg, nonce) = sealed.split_at(sealed.len() - 4);
        let payload = Payload { msg, aad: header };
        let nonce = nonce.try_into().unwrap();
        let body = if self.mode.contains("gcm") {
            let cipher = Aes256Gcm::new_from_slice(&self.key).unwrap();
            cipher.decrypt(Nonce::from_slice(&long(nonce, 12)), payload).unwrap()
        } else {
            let cipher = XChaCha20Poly1305::new_from_slice(&self.key).unwrap();
            cipher.decrypt(XNonce::from_slice(&long(nonce, 24)), payload).unwrap()
        };
        (header.to_vec(), body)
    }
}

fn long(nonce: [u8; 4], length: usize) -> Vec<u8> {
    let mut long = nonce.to_vec();
    long.resize(length, 0);
    long
}

/// Returns a request of IP discovery.
pub(crate) fn question(ssrc: u32) -> Vec<u8> {
    let mut packet = vec![0, 1, 0, 70];
    packet.extend(ssrc.to_be_bytes());
    packet.resize(74, 0);
    packet
}

/// Requests the client's own address and returns it. Asks again until there is an answer, as clients do: the system
/// drops datagrams when the buffer of a socket is full.
pub(crate) async fn discover(socket: &UdpSocket, ssrc: u32) -> (String, u16) {
    let mut answer = [0; 100];
    let asking = async {
        loop {
            socket.send(&question(ssrc)).await.unwrap();
            if let Ok(received) = timeout(Duration::from_millis(200), socket.recv(&mut answer)).await {
                break received.unwrap();
            }
        }
    };
    let length = timeout(PATIENCE, asking).await.expect("an answer in time");
    assert_eq!(length, 74);
    assert_eq!(answer[..4], [0, 2, 0, 70]);
    assert_eq!(answer[4..8], ssrc.to_be_bytes());
    let text = answer[8..72].split(|byte| *byte == 0).next().unwrap();
    (String::from_utf8(text.to_vec()).unwrap(), u16::from_be_bytes([answer[72], answer[73]]))
}

/// Returns a tone as samples of 48 kHz stereo, with this frequency on the left and half of it on the right.
#[expect(clippy::cast_possible_truncation, reason = "12,000 fits into 16 bits")]
pub(crate) fn tone(hertz: f64, time: Duration) -> Vec<i16> {
    let frames = u32::try_from(time.as_millis() * 48).unwrap();
    let sample = |frame: u32, hertz: f64| {
        let angle = f64::from(frame) / 48_000.0 * hertz * std::f64::consts::TAU;
        (angle.sin() * 12_000.0) as i16
    };
    (0..frames).flat_map(|frame| [sample(frame, hertz), sample(frame, hertz / 2.0)]).collect()
}

/// Encodes Opus packets of 20 ms.
pub(crate) fn encode(samples: &[i16]) -> Vec<Vec<u8>> {
    let mut encoder = Encoder::new(48_000, Channels::Stereo, Application::Audio).unwrap();
    encoder.set_bitrate(opus2::Bitrate::Bits(128_000)).unwrap();
    samples.chunks_exact(FRAME * 2).map(|frame| encoder.encode_vec(frame, 1000).unwrap()).collect()
}

/// Decodes Opus packets into samples.
pub(crate) fn decode(packets: &[Vec<u8>]) -> Vec<i16> {
    let mut decoder = Decoder::new(48_000, Channels::Stereo).unwrap();
    let mut samples = Vec::new();
    for packet in packets {
        let mut frame = vec![0; FRAME * 2];
        assert_eq!(decoder.decode(packet, &mut frame, false).unwrap(), FRAME);
        samples.extend(frame);
    }
    samples
}

/// Returns the similarity of two pieces of audio, the best one if one may lag behind the other by 20 ms: 1 for the
/// same.
pub(crate) fn likeness(heard: &[i16], source: &[i16]) -> f64 {
    let correlation = |lag: usize| {
        let (mut product, mut heard_power, mut source_power) = (0.0, 0.0, 0.0);
        for (heard, source) in heard[lag * 2..].iter().zip(source) {
            let (heard, source) = (f64::from(*heard), f64::from(*source));
            product += heard * source;
            heard_power += heard * heard;
            source_power += source * source;
        }
        product / (heard_power * source_power).sqrt()
    };
    (0..FRAME).map(correlation).fold(f64::MIN, f64::max)
}
