//! Media, as anyone may attach it.
#![no_main]

use hotcord_fuzz::{forgive_libraries, ogg, processor_time, within};

/// Most bytes that a file may have the bot hold, its own copies aside.
const MOST: usize = 64 << 20;

libfuzzer_sys::fuzz_target!(init: forgive_libraries(), |bytes: &[u8]| {
    within(MOST + 8 * bytes.len(), || player::fuzzing::demux_decode(bytes, &processor_time));
});

libfuzzer_sys::fuzz_mutator!(|bytes: &mut [u8], length: usize, most: usize, seed: u32| {
    let length = libfuzzer_sys::fuzzer_mutate(bytes, length, most);
    // Now and then one whose sums are wrong.
    if seed % 16 != 0 {
        ogg::seal(&mut bytes[..length]);
    }
    length
});
