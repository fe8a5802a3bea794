#!/usr/bin/env bash
# symphonia: with gapless playback on, a VBR MP3 without a Xing header loses its end.
#
# A good guess: without a Xing or VBRI header the length of an MP3 is unknown or guessed, and a wrong guess spoils the
#   shown length and seeking only. Gapless trims the encoder's delay and padding, which such a file does not state.
# What happens: the reader guesses the length from the size of the first frames (17 frames or 16 KiB), and gapless trims
#   each packet past that guess as if it was padding. Packets come to the end of the file, and decode to nothing.
# Package: symphonia 0.5.5 (symphonia-bundle-mp3 0.5.5), feature "mp3", FormatOptions::enable_gapless, source seekable.
# Source: symphonia-bundle-mp3 src/demuxer.rs, estimate_num_mpeg_frames and next_packet; symphonia-core
#   src/formats.rs, util::trim_packet; src/decoder.rs, which trims the decoded samples.
#   Format: ISO/IEC 11172-3, 2.4.1.3 (header: each frame has its own bitrate index) and 2.4.1.7 (side information).
# Affected: players that set enable_gapless; files whose beginning has a higher bitrate than the rest. Not streams that
#   cannot seek, nor files with a Xing, Info or VBRI header.
#
# How it is shown: 40 frames of 320 kbit/s, then 960 of 32 kbit/s, MPEG-1 layer III, 44.1 kHz, mono, all silence, are
# decoded with gapless off and on, and the samples counted.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
mkdir src

cat >Cargo.toml <<'TOML'
[package]
name = "finding"
version = "0.0.0"
edition = "2021"

[dependencies]
symphonia = { version = "=0.5.5", default-features = false, features = ["mp3"] }
# Where it happens; pinned since symphonia accepts any newer 0.5.
symphonia-bundle-mp3 = { version = "=0.5.5", default-features = false, features = ["mp3"] }
symphonia-core = "=0.5.5"

[profile.dev]
debug = false
incremental = false
TOML

cat >src/main.rs <<'RUST'
use std::io::Cursor;

use symphonia::core::codecs::DecoderOptions;
use symphonia::core::formats::FormatOptions;
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::MetadataOptions;
use symphonia::core::probe::Hint;

/// A frame of silence: header, zeroed side information, zeroed main data.
fn frame(bitrate_index: u8, kbits: usize) -> Vec<u8> {
    let mut bytes = vec![0; 144 * kbits * 1000 / 44100];
    bytes[..4].copy_from_slice(&[0xff, 0xfb, bitrate_index << 4, 0xc0]);
    bytes
}

/// How many packets the file has, and how many samples they decode to.
fn decoded(file: Vec<u8>, enable_gapless: bool) -> (usize, usize) {
    let stream = MediaSourceStream::new(Box::new(Cursor::new(file)), Default::default());
    let options = FormatOptions { enable_gapless, ..Default::default() };
    let mut hint = Hint::new();
    hint.with_extension("mp3");
    let probed = symphonia::default::get_probe().format(&hint, stream, &options, &MetadataOptions::default()).unwrap();
    let mut reader = probed.format;
    let parameters = reader.tracks()[0].codec_params.clone();
    let mut decoder = symphonia::default::get_codecs().make(&parameters, &DecoderOptions::default()).unwrap();
    let (mut packets, mut samples) = (0, 0);
    while let Ok(packet) = reader.next_packet() {
        packets += 1;
        samples += decoder.decode(&packet).unwrap().frames();
    }
    (packets, samples)
}

fn main() {
    let mut file = frame(14, 320).repeat(40);
    file.extend(frame(1, 32).repeat(960));
    let off = decoded(file.clone(), false);
    let on = decoded(file, true);

    let holds = off == (1000, 1_152_000) && on.0 == 1000 && on.1 < 200_000;
    let word = if holds { "holds" } else { "CHANGED" };
    let seconds = |samples| samples as f64 / 44100.0;
    println!(
        "{word}: symphonia 0.5.5, a VBR MP3 of {} frames without a Xing header decodes to {:.1} s, and with \
         enable_gapless to {:.1} s ({} packets)",
        off.0,
        seconds(off.1),
        seconds(on.1),
        on.0
    );
    std::process::exit(i32::from(!holds));
}
RUST

CARGO_TARGET_DIR=$dir/target cargo run --quiet
