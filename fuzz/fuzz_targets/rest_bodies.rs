//! Requests to the local Discord's REST API.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    hotcord_fuzz::within(128 << 20, || hotcord_fuzz::block_on(sandbox::fuzzing::rest_bodies(bytes)));
});
