#!/usr/bin/env bash
# serenity-voice-model: a binary DAVE message with its sequence number is refused, or read as another message.
#
# A good guess: deserialize_binary_event takes the binary message as Discord documents it, and as the module's own
#   documentation has it: sequence number (two bytes), opcode, payload.
# What happens: it takes the first byte for the opcode; a TODO in the function says that version 8 of the voice gateway
#   needs more. With a sequence number that byte is the number's upper half: mostly an unknown opcode, and for 6400 to
#   6655 opcode 25, so that proposals are returned as an external sender.
# Package: serenity-voice-model 0.3.0.
# Source: src/binary.rs, deserialize_binary_event; its module documentation (docs.rs/serenity-voice-model/0.3.0).
# Protocol: discord/discord-api-docs, developers/topics/voice-connections.mdx, "Binary Websocket Messages" and "Voice
#   Gateway Versioning" (8 is recommended); developers/topics/opcodes-and-status-codes.mdx, voice opcodes 25 and 27.
# Affected: whoever uses the package with voice gateway version 8: cut the first two bytes off. The package's own
#   constant GATEWAY_VERSION is 4, and songbird 0.6.1 connects with it.
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

# It prints each message to stderr where these are on.
[profile.dev.package.serenity-voice-model]
debug-assertions = false
TOML

cat >src/main.rs <<'RUST'
use serenity_voice_model::{deserialize_binary_event, Event};

/// Opcode 27, DAVE MLS Proposals: operation type 1 (revoke), a vector of one reference.
const PROPOSALS: [u8; 5] = [27, 1, 2, 1, 0xaa];

fn read(sequence: Option<u16>) -> String {
    let mut message = sequence.map(|number| number.to_be_bytes().to_vec()).unwrap_or_default();
    message.extend(PROPOSALS);
    match deserialize_binary_event(&message) {
        Ok(Event::DaveMlsProposals(_)) => "proposals".to_owned(),
        Ok(Event::DaveMlsExternalSender(_)) => "external sender".to_owned(),
        Ok(_) => "another event".to_owned(),
        Err(error) => error.to_string().to_lowercase(),
    }
}

fn main() {
    let (none, first, later) = (read(None), read(Some(1)), read(Some(6400)));
    let holds = none == "proposals" && first == "invalid opcode: 0" && later == "external sender";
    let word = if holds { "holds" } else { "CHANGED" };
    println!(
        "{word}: serenity-voice-model 0.3.0, DAVE proposals are read as: without sequence number {none:?}, with \
         number 1 {first:?}, with number 6400 {later:?}"
    );
    std::process::exit(i32::from(!holds));
}
RUST

CARGO_TARGET_DIR=$dir/target cargo run --quiet
