#!/usr/bin/env bash
# serenity-voice-model: a debug build prints every binary DAVE message to stderr.
#
# A good guess: a data model prints nothing, and what songbird's driver logs goes through tracing and its filters.
# What happens: with debug assertions, deserialize_binary_event writes length, opcode and the first 16 bytes of each
#   message with eprintln!. No log filter sees it, and structured logs on stderr get lines that are not theirs.
# Package: serenity-voice-model 0.3.0.
# Source: src/binary.rs, deserialize_binary_event. songbird 0.6.1 calls it from src/ws.rs.
# Protocol: discord/discord-api-docs, developers/topics/opcodes-and-status-codes.mdx, voice opcodes 25, 27, 29 and 30.
# Affected: debug builds of bots in end-to-end encrypted voice channels: lines whenever somebody joins or leaves. A way
#   around: debug-assertions = false for this package in the manifest's [profile.dev.package].
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
serenity-voice-model = "=0.3.0"

[profile.dev]
debug = false
incremental = false
TOML

cat >src/main.rs <<'RUST'
use serenity_voice_model::deserialize_binary_event;

fn main() {
    // Opcode 27, DAVE MLS Proposals: operation type 1 (revoke), a vector of one reference.
    for reference in 0..10 {
        deserialize_binary_event(&[27, 1, 2, 1, reference]).unwrap();
    }
}
RUST

export CARGO_TARGET_DIR=$dir/target
cargo build --quiet
lines=$("$CARGO_TARGET_DIR/debug/finding" 2>&1 >/dev/null | grep -c '^\[DAVE Binary\] Received' || true)

word=holds
[[ $lines == 10 ]] || word=CHANGED
printf '%s: serenity-voice-model 0.3.0, debug build: 10 DAVE messages read without error print %s lines on stderr\n' \
    "$word" "$lines"
[[ $word == holds ]]
