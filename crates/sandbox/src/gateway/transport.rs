//! Framing of payloads: plain, or compressed in one of Discord's three ways.

use std::io;

use axum::extract::ws::Message;
use flate2::{Compress, Compression, FlushCompress};
use zstd::stream::raw::{Encoder, InBuffer, Operation, OutBuffer};

/// Compression level of zstd; its own default.
const ZSTD_LEVEL: i32 = 3;
/// Free space that a compressor gets beyond what it has used.
const STEP: usize = 4 << 10;

/// The framing of one connection, with any compression state between frames.
pub(super) enum Transport {
    /// Text frames; after an IDENTIFY with `compress`, long payloads are binary frames, each a zlib stream of its own.
    Json {
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
    /// Returns the transport for the query parameter `compress`; `None` if there is none of this name.
    pub(super) fn new(compress: Option<&str>) -> Option<Self> {
        match compress {
            None | Some("") => Some(Self::Json { compress_from: None, zlib: None }),
            Some("zlib-stream") => Some(Self::Zlib(Box::new(new_zlib()))),
            Some("zstd-stream") => Encoder::new(ZSTD_LEVEL).ok().map(|encoder| Self::Zstd(Box::new(encoder))),
            Some(_) => None,
        }
    }

    /// Returns its name, as in the query parameter, or `json`.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Json { .. } => "json",
            Self::Zlib(_) => "zlib-stream",
            Self::Zstd(_) => "zstd-stream",
        }
    }

    /// Enables payload compression. Transport compression has precedence.
    pub(super) fn compress_payloads(&mut self, from: usize) {
        if let Self::Json { compress_from, .. } = self {
            *compress_from = Some(from);
        }
    }

    /// Frames one payload.
    pub(super) fn frame(&mut self, payload: String) -> io::Result<Message> {
        match self {
            Self::Json { compress_from: Some(from), zlib } if payload.len() >= *from => {
                let zlib = zlib.get_or_insert_with(|| Box::new(new_zlib()));
                zlib.reset();
                deflate(zlib, payload.as_bytes(), FlushCompress::Finish).map(binary)
            }
            Self::Json { .. } => Ok(Message::Text(payload.into())),
            Self::Zlib(zlib) => deflate(zlib, payload.as_bytes(), FlushCompress::Sync).map(binary),
            Self::Zstd(encoder) => flush_zstd(encoder, payload.as_bytes()).map(binary),
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

    use super::Transport;

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
            let mut transport = Transport::new(Some("zlib-stream")).unwrap();
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
            let mut transport = Transport::new(Some("zstd-stream")).unwrap();
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
            let mut transport = Transport::new(None).unwrap();
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
        assert!(Transport::new(Some("brotli-stream")).is_none());
    }
}
