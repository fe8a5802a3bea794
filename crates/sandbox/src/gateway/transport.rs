//! Framing of payloads: JSON or ETF, plain or compressed in one of Discord's three ways.

use std::io;

use axum::body::Bytes;
use axum::extract::ws::Message;
use flate2::{Compress, Compression, FlushCompress};
use sandbox_net::Close;
use zstd::stream::raw::{Encoder, InBuffer, Operation, OutBuffer};

use super::close;
use super::etf::{self, Keys};
use super::payload::Raw;

/// Compression level of zstd; its own default.
const ZSTD_LEVEL: i32 = 3;
/// Free space that a compressor gets beyond what it has used.
const STEP: usize = 4 << 10;

/// Encoding of payloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// JSON.
    Json,
    /// Erlang's external term format.
    Etf,
}

/// Encoding and framing of one connection.
pub(super) struct Transport {
    encoding: Encoding,
    framing: Framing,
}

/// The framing of one connection, with any compression state between frames.
enum Framing {
    /// Without compression of the transport: text frames of JSON, binary ones of ETF. After an IDENTIFY with `compress`,
    /// long payloads of JSON are binary frames, each a zlib stream of its own.
    Plain {
        /// Length in bytes from which payloads are compressed by themselves; `None`: never.
        compress_from: Option<usize>,
        /// Reset between payloads, since creating one costs more than using it.
        zlib: Option<Box<Compress>>,
    },
    /// Binary frames of one zlib stream; each ends with an empty stored block (`00 00 ff ff`).
    Zlib(Box<Compress>),
    /// Binary frames of one zstd frame that is flushed after each payload and never ended.
    Zstd(Box<Encoder<'static>>),
}

impl Transport {
    /// Returns the transport without any compression.
    pub(super) fn plain(encoding: Encoding) -> Self {
        Self { encoding, framing: Framing::Plain { compress_from: None, zlib: None } }
    }

    /// Returns the transport for the query parameter `compress`; `None` if there is none of this name.
    pub(super) fn new(encoding: Encoding, compress: Option<&str>) -> Option<Self> {
        let framing = match compress {
            None | Some("") => return Some(Self::plain(encoding)),
            Some("zlib-stream") => Framing::Zlib(Box::new(new_zlib())),
            Some("zstd-stream") => Framing::Zstd(Box::new(Encoder::new(ZSTD_LEVEL).ok()?)),
            Some(_) => return None,
        };
        Some(Self { encoding, framing })
    }

    /// Returns its name: the compression as in the query parameter, else the encoding.
    pub(super) fn name(&self) -> &'static str {
        match (&self.framing, self.encoding) {
            (Framing::Plain { .. }, Encoding::Json) => "json",
            (Framing::Plain { .. }, Encoding::Etf) => "etf",
            (Framing::Zlib(_), Encoding::Json) => "zlib-stream",
            (Framing::Zlib(_), Encoding::Etf) => "etf, zlib-stream",
            (Framing::Zstd(_), Encoding::Json) => "zstd-stream",
            (Framing::Zstd(_), Encoding::Etf) => "etf, zstd-stream",
        }
    }

    /// Enables payload compression, which only JSON has. Transport compression has precedence.
    pub(super) fn compress_payloads(&mut self, from: usize) {
        if let (Framing::Plain { compress_from, .. }, Encoding::Json) = (&mut self.framing, self.encoding) {
            *compress_from = Some(from);
        }
    }

    /// Reads a client's frame up to its opcode.
    pub(super) fn read(&self, bytes: &[u8], is_text: bool) -> Result<Raw, Close> {
        match self.encoding {
            Encoding::Json => Raw::read(bytes),
            Encoding::Etf if is_text => Err(close::decode("ETF is sent in binary frames")),
            Encoding::Etf => etf::decode(bytes, Keys::Texts).map_err(close::decode).and_then(Raw::from_value),
        }
    }

    /// Returns whether a payload of this length is a text frame.
    fn is_sent_as_it_is(&self, length: usize) -> bool {
        let Framing::Plain { compress_from, .. } = &self.framing else { return false };
        self.encoding == Encoding::Json && compress_from.is_none_or(|from| length < from)
    }

    /// Frames one payload, given as JSON.
    pub(super) fn frame(&mut self, payload: String) -> io::Result<Message> {
        if self.is_sent_as_it_is(payload.len()) {
            return Ok(Message::Text(payload.into()));
        }
        let bytes = match self.encoding {
            Encoding::Json => Bytes::from(payload),
            // What an injected fault has cut off is no JSON and no term either.
            Encoding::Etf => match serde_json::from_str(&payload) {
                Ok(value) => etf::encode(&value).into(),
                Err(_) => Bytes::from(payload),
            },
        };
        match &mut self.framing {
            // Only JSON is compressed by itself, and this payload is long enough.
            Framing::Plain { compress_from: Some(_), zlib } => {
                let zlib = zlib.get_or_insert_with(|| Box::new(new_zlib()));
                zlib.reset();
                deflate(zlib, &bytes, FlushCompress::Finish).map(binary)
            }
            Framing::Plain { .. } => Ok(Message::Binary(bytes)),
            Framing::Zlib(zlib) => deflate(zlib, &bytes, FlushCompress::Sync).map(binary),
            Framing::Zstd(encoder) => flush_zstd(encoder, &bytes).map(binary),
        }
    }
}

fn binary(bytes: Vec<u8>) -> Message {
    Message::Binary(bytes.into())
}

fn new_zlib() -> Compress {
    Compress::new(Compression::fast(), true)
}

/// Compresses all of `input` and flushes. The end is reached when the compressor leaves free space in the output.
fn deflate(zlib: &mut Compress, input: &[u8], flush: FlushCompress) -> io::Result<Vec<u8>> {
    let start = zlib.total_in();
    let mut output = Vec::with_capacity(input.len() / 2 + 64);
    loop {
        let used = usize::try_from(zlib.total_in() - start).unwrap_or(usize::MAX);
        zlib.compress_vec(&input[used..], &mut output, flush).map_err(io::Error::other)?;
        if output.len() < output.capacity() {
            return Ok(output);
        }
        output.reserve(STEP);
    }
}

fn flush_zstd(encoder: &mut Encoder<'static>, input: &[u8]) -> io::Result<Vec<u8>> {
    let mut input = InBuffer::around(input);
    let mut output = Vec::with_capacity(input.src.len() / 2 + 64);
    loop {
        let written = output.len();
        output.resize(written + STEP, 0);
        let mut buffer = OutBuffer::around_pos(&mut output[..], written);
        let waiting = if input.pos() < input.src.len() {
            encoder.run(&mut input, &mut buffer)?;
            1
        } else {
            encoder.flush(&mut buffer)?
        };
        let written = buffer.pos();
        output.truncate(written);
        if waiting == 0 {
            return Ok(output);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use axum::extract::ws::Message;
    use flate2::{Decompress, FlushDecompress};
    use proptest::collection::vec;
    use proptest::prelude::*;
    use zstd::stream::raw::{Decoder, InBuffer, Operation, OutBuffer};

    use super::{Encoding, Transport};

    fn bytes(message: Message) -> Vec<u8> {
        match message {
            Message::Binary(bytes) => bytes.to_vec(),
            other => panic!("{other:?}"),
        }
    }

    /// Returns payloads with and without repetition, of any length.
    fn payloads() -> impl Strategy<Value = Vec<String>> {
        vec(
            prop_oneof![".{0,200}", "[ab]{0,30}".prop_map(|text| text.repeat(700)), "[a-zA-Z0-9]{5000,9000}"],
            1..8,
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn every_zlib_frame_ends_with_the_suffix_and_yields_its_payload_at_once(payloads in payloads()) {
            let mut transport = Transport::new(Encoding::Json, Some("zlib-stream")).unwrap();
            let mut inflate = Decompress::new(true);
            for payload in payloads {
                let frame = bytes(transport.frame(payload.clone()).unwrap());
                prop_assert!(frame.ends_with(&[0, 0, 0xff, 0xff]));
                let mut text = Vec::with_capacity(payload.len() + 1);
                inflate.decompress_vec(&frame, &mut text, FlushDecompress::Sync).unwrap();
                prop_assert_eq!(text, payload.into_bytes());
            }
        }

        #[test]
        fn every_zstd_frame_yields_its_payload_at_once(payloads in payloads()) {
            let mut transport = Transport::new(Encoding::Json, Some("zstd-stream")).unwrap();
            let mut decoder = Decoder::new().unwrap();
            for payload in payloads {
                let frame = bytes(transport.frame(payload.clone()).unwrap());
                let mut text = vec![0; payload.len() + 64];
                let mut input = InBuffer::around(&frame);
                let mut output = OutBuffer::around(&mut text[..]);
                while input.pos() < frame.len() {
                    decoder.run(&mut input, &mut output).unwrap();
                }
                let length = output.pos();
                prop_assert_eq!(&text[..length], payload.as_bytes());
            }
        }

        #[test]
        fn compressed_payloads_are_whole_zlib_streams(payloads in payloads()) {
            let mut transport = Transport::plain(Encoding::Json);
            transport.compress_payloads(100);
            for payload in payloads {
                match transport.frame(payload.clone()).unwrap() {
                    Message::Text(text) => prop_assert!(payload.len() < 100 && text.as_str() == payload),
                    message => {
                        prop_assert!(payload.len() >= 100);
                        let mut text = String::new();
                        flate2::read::ZlibDecoder::new(&bytes(message)[..]).read_to_string(&mut text).unwrap();
                        prop_assert_eq!(text, payload);
                    }
                }
            }
        }
    }

    #[test]
    fn an_unknown_compression_is_no_transport() {
        assert!(Transport::new(Encoding::Json, Some("brotli-stream")).is_none());
    }
}
