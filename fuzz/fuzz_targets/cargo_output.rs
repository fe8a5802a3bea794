//! Output of cargo and rustc: messages, calls, and dep-info.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    hotcord_fuzz::within(16 << 20, || hmr::fuzzing::cargo_output(bytes));
});
