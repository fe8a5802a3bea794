//! Websocket frames to the local Discord's gateway.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    hotcord_fuzz::within(128 << 20, || hotcord_fuzz::block_on(sandbox::fuzzing::gateway_frames(bytes)));
});
