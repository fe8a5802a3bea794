//! Media, as any user may attach it.
#![no_main]

use hotcord_fuzz::{forgive_libraries, ogg, processor_time, within};

/// Most bytes of memory that a file may use, apart from copies of the file itself.
const MOST: usize = 64 << 20;

libfuzzer_sys::fuzz_target!(init: forgive_libraries(), |bytes: &[u8]| {
    within(MOST + 8 * bytes.len(), || player::fuzzing::demux_decode(bytes, &processor_time));
});

libfuzzer_sys::fuzz_mutator!(|bytes: &mut [u8], length: usize, most: usize, seed: u32| {
    let length = libfuzzer_sys::fuzzer_mutate(bytes, length, most);
    // Sometimes the checksums stay wrong.
    if seed % 16 != 0 {
        ogg::seal(&mut bytes[..length]);
    }
    length
});
