//! A station's stream with titles in it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    hotcord_fuzz::within(16 << 20, || player::fuzzing::icy(bytes));
});
