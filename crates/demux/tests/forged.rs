//! No bytes require more memory than audio needs, and none end the process.

mod common;
#[path = "common/memory.rs"]
mod memory;

use common::{FILES, file, survive};
use memory::{Counting, peak_of};
use proptest::prelude::*;
use symphonia::core::checksum::Crc32;
use symphonia::core::codecs::{CODEC_TYPE_PCM_S16LE, CODEC_TYPE_VORBIS, CodecParameters};
use symphonia::core::io::Monitor as _;

#[global_allocator]
static MEMORY: Counting = Counting;

/// Maximum number of bytes that a file may make the bot hold, without its own.
const MOST: usize = 64 << 20;
/// Number of packets that are decoded of each forgery.
const PACKETS: usize = 40;

/// Plays a file both ways, and returns the most memory that it required.
fn cost(bytes: &[u8]) -> usize {
    let play = |is_seekable| peak_of(|| drop(survive(bytes, is_seekable, PACKETS))).1;
    play(true).max(play(false))
}

#[track_caller]
fn is_cheap(what: &str, bytes: &[u8]) {
    let cost = cost(bytes);
    assert!(cost < MOST, "{what}: {cost} bytes");
}

/// Corrects the checksums of Ogg pages.
fn sealed(name: &str, mut bytes: Vec<u8>) -> Vec<u8> {
    if !["melody.ogg", "melody.opus"].contains(&name) {
        return bytes;
    }
    let mut at = 0;
    while let Some(head) = bytes.get(at..at + 27) {
        if !head.starts_with(b"OggS") {
            at += 1;
            continue;
        }
        let lengths = bytes.get(at + 27..at + 27 + usize::from(head[26])).unwrap_or_default();
        let end = at + 27 + lengths.len() + lengths.iter().copied().map(usize::from).sum::<usize>();
        let Some(page) = bytes.get_mut(at..end) else { break };
        page[22..26].fill(0);
        let mut sum = Crc32::new(0);
        sum.process_buf_bytes(page);
        page[22..26].copy_from_slice(&sum.crc().to_le_bytes());
        at = end;
    }
    bytes
}

/// Overwrites a part of a file.
fn put(bytes: &mut [u8], at: usize, what: &[u8]) {
    for (byte, new) in bytes.iter_mut().skip(at).zip(what) {
        *byte = *new;
    }
}

#[test]
fn the_files_themselves_are_cheap() {
    for name in FILES {
        let cost = cost(&file(name));
        assert!(cost < 8 << 20, "{name}: {cost} bytes");
    }
}

#[test]
fn every_number_in_a_head_or_table_may_be_forged() {
    const NUMBERS: [&[u8]; 3] = [&[0xff; 4], &[0x7f, 0xff, 0xff, 0x7f], &[0x01, 0x40, 0, 0, 0, 0, 0, 0x10]];
    for name in FILES {
        let whole = file(name);
        // What follows describes only the audio; the table of MP4 is at the end.
        let tail = if name == "melody.m4a" { whole.len() - 2_600 } else { whole.len() };
        for at in (0..500).chain(tail..whole.len()) {
            for number in NUMBERS {
                let mut forged = whole.clone();
                put(&mut forged, at, number);
                let forged = sealed(name, forged);
                let (_, cost) = peak_of(|| survive(&forged, true, 8));
                assert!(cost < MOST, "{name} at {at}, {number:x?}: {cost} bytes");
            }
        }
    }
}

#[test]
fn lengths_of_ebml_may_be_forged() {
    // A head with a stated length of 2^55 bytes, and in it a text of 2^54.
    let mut forged = b"\x1a\x45\xdf\xa3\x01\x80\0\0\0\0\0\0\x42\x82\x01\x40\0\0\0\0\0\0".to_vec();
    is_cheap("a head", &forged);
    forged.resize(1 << 16, 0);
    is_cheap("a head, and zeros", &forged);
    // Sizes in a block that splits it into packets.
    let whole = file("melody.webm");
    let block = whole.windows(1).position(|at| at == b"\xa3").unwrap();
    for at in block..whole.len().min(block + 4_000) {
        let mut forged = whole.clone();
        put(&mut forged, at, b"\xa3\x10\x01\0\0\x81\0\0\x86\xff\x08\xff\xff\xff\xff\xff\xff\xff");
        is_cheap(&format!("laces at {at}"), &forged);
    }
}

#[test]
fn a_packet_is_read_up_to_a_limit_and_no_further() {
    let whole = file("melody.webm");
    let cluster = whole.windows(4).position(|at| at == b"\x1f\x43\xb6\x75").unwrap();
    let block = cluster + whole[cluster..].iter().position(|byte| *byte == 0xa3).unwrap();
    // 100 MB that exist, in a block of the track that is played.
    let mut forged = whole[..block].to_vec();
    forged.extend(b"\xa3\x15\xf5\xe1\x00\x81\0\0\0");
    forged.resize(forged.len() + 100_000_000, 0);
    for is_seekable in [true, false] {
        let own = forged.len();
        let (_, cost) = peak_of(|| survive(&forged, is_seekable, PACKETS));
        assert!(cost < own + (8 << 20), "{cost} bytes of {own}");
    }
}

#[test]
fn lengths_of_tags_may_be_forged() {
    for size in [0x7fff_ffff_u32, 0xffff_fff0, 200 << 20] {
        for version in [2_u8, 3, 4] {
            let mut id3 =
                [b"ID3", &[version, 0, 0, 0x7f, 0x7f, 0x7f, 0x7f][..], b"TIT2", &size.to_be_bytes()].concat();
            id3.extend(file("melody.mp3"));
            is_cheap("ID3", &id3);
        }
        let comment =
            [&4_u32.to_le_bytes()[..], b"none", &1_u32.to_le_bytes(), &size.to_le_bytes(), b"TITLE=x"]
                .concat();
        let info = &file("melody.flac")[8..42];
        let length = &u32::try_from(comment.len()).unwrap().to_be_bytes()[1..];
        is_cheap("a comment in FLAC", &[b"fLaC\0\0\0\x22", info, b"\x84", length, &comment].concat());
        let picture = [&3_u32.to_be_bytes()[..], &size.to_be_bytes(), b"image/png"].concat();
        let length = &u32::try_from(picture.len()).unwrap().to_be_bytes()[1..];
        is_cheap("a picture in FLAC", &[b"fLaC\0\0\0\x22", info, b"\x86", length, &picture].concat());
        let list = [b"LIST", &size.to_le_bytes()[..], b"INFOINAM", &size.to_le_bytes(), b"x"].concat();
        let wav = file("melody.wav");
        is_cheap("a list in WAV", &[&wav[..12], &list, &wav[12..]].concat());
        let whole = file("melody.opus");
        let tags = whole.windows(8).position(|at| at == b"OpusTags").unwrap();
        for at in (tags + 8..tags + 400).step_by(1) {
            let mut forged = whole.clone();
            put(&mut forged, at, &size.to_le_bytes());
            is_cheap("a comment in Ogg", &sealed("melody.opus", forged));
        }
    }
}

#[test]
fn counts_of_mp4_may_be_forged() {
    let whole = file("melody.m4a");
    for kind in [b"stsz", b"stts", b"stsc", b"stco", b"hdlr", b"esds", b"stsd", b"mdhd", b"ilst", b"data"] {
        let at = whole.windows(4).position(|at| at == kind).unwrap();
        for count in [u32::MAX, 1 << 31, 1 << 28, 1 << 24] {
            for after in 4..24 {
                let mut forged = whole.clone();
                put(&mut forged, at + after, &count.to_be_bytes());
                is_cheap(&format!("{} + {after}: {count}", String::from_utf8_lossy(kind)), &forged);
                // With boxes around it that are as large as they state.
                for size in [u32::MAX, 1 << 30] {
                    put(&mut forged, at - 4, &size.to_be_bytes());
                    is_cheap(&format!("{} of {size}", String::from_utf8_lossy(kind)), &forged);
                }
            }
        }
    }
}

/// Writes numbers of any width, as Vorbis does.
#[derive(Default)]
struct Bits(Vec<bool>);

impl Bits {
    fn put(&mut self, number: u32, width: u32) -> &mut Self {
        self.0.extend((0..width).map(|bit| number >> bit & 1 == 1));
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let byte = |bits: &[bool]| bits.iter().enumerate().map(|(at, bit)| u8::from(*bit) << at).sum();
        self.0.chunks(8).map(byte).collect()
    }
}

#[test]
fn codebooks_of_vorbis_may_be_forged() {
    let whole = file("melody.ogg");
    let at = whole.windows(7).position(|at| at == b"\x01vorbis").unwrap();
    let ident = &whole[at..at + 30];
    for (dimensions, entries, width) in
        [(65_535, 0xff_ffff, 24), (1, 0xff_ffff, 24), (2, 1 << 20, 21), (65_535, 2, 2)]
    {
        let mut bits = Bits::default();
        bits.put(255, 8);
        for _ in 0..256 {
            // In order of length, all entries with the same one; a table of values by a number that is one.
            bits.put(0x56_4342, 24)
                .put(dimensions, 16)
                .put(entries, 24)
                .put(1, 1)
                .put(23, 5)
                .put(entries, width);
            bits.put(1, 4).put(0, 32).put(0, 32).put(0, 4).put(0, 1).put(0, 1);
        }
        let extra = [ident, b"\x05vorbis", &bits.bytes()].concat();
        let mut params = CodecParameters::new();
        params.for_codec(CODEC_TYPE_VORBIS).with_extra_data(extra.into());
        let (checked, cost) = peak_of(|| demux::check(&params));
        assert!(checked.is_err() && cost < 1 << 20, "{dimensions} {entries}: {cost} bytes");
    }
}

#[test]
fn packets_of_a_decoder_may_be_forged() {
    let mut params = CodecParameters::new();
    params.for_codec(CODEC_TYPE_PCM_S16LE).with_max_frames_per_packet(1 << 32);
    assert!(demux::check(&params).is_err());
    params.with_max_frames_per_packet(1_152);
    assert!(demux::check(&params).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_cheap(
        name in prop::sample::select(FILES.as_slice()),
        edits in prop::collection::vec((any::<prop::sample::Index>(), prop::collection::vec(any::<u8>(), 1..9), any::<bool>()), 0..12),
        cut in prop::option::of(any::<prop::sample::Index>()),
        doubled in prop::option::of((any::<prop::sample::Index>(), any::<prop::sample::Index>())),
    ) {
        let mut bytes = file(name);
        for (at, new, near) in edits {
            // Heads are tried more often than audio.
            let within = if near { bytes.len().min(1_000) } else { bytes.len() };
            put(&mut bytes, at.index(within), &new);
        }
        if let Some((from, to)) = doubled {
            let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
            let part = bytes[from..bytes.len().min(from + 3_000)].to_vec();
            bytes.splice(to..to, part);
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let cost = cost(&sealed(name, bytes));
        prop_assert!(cost < MOST, "{name}: {cost} bytes");
    }

    #[test]
    fn noise_is_cheap(
        head in prop::sample::select(vec![&b""[..], b"OggS", b"fLaC", b"RIFF\0\0\0\0WAVE", b"ID3\x03\0", b"\x1a\x45\xdf\xa3", b"\0\0\0\x08ftyp", b"\xff\xfb", b"\xff\xf1"]),
        noise in prop::collection::vec(any::<u8>(), 0..3_000),
    ) {
        let cost = cost(&[head, &noise].concat());
        prop_assert!(cost < MOST, "{cost} bytes");
    }
}
