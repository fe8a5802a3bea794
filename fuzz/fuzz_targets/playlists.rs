//! Playlists, as any server may send them.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    hotcord_fuzz::within(16 << 20, || player::fuzzing::playlists(bytes));
});
