//! Commands as users type them.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    hotcord_fuzz::within(16 << 20, || sandbox::fuzzing::typed_command(bytes));
});
