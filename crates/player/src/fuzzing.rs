//! Entry points for `fuzz/`: they pass untrusted bytes to the code that reads them. Nothing in this workspace enables
//! the feature.
//!
//! Each function panics if a rule is broken.

use std::time::Duration;

use crate::source::fuzzing as source;

/// Opens, decodes and seeks in media as the player does. `clock` returns the processor time of this thread.
pub fn demux_decode(bytes: &[u8], clock: &dyn Fn() -> Duration) {
    source::play(bytes, clock);
    source::compare(bytes);
}

/// Reads a playlist: one line with its media type, one with its path, then its text.
pub fn playlists(bytes: &[u8]) {
    source::playlist(bytes);
}

/// Extracts titles from a station's stream. The first byte is the interval, the second one seeds the positions of the
/// cuts.
pub fn icy(bytes: &[u8]) {
    source::icy(bytes);
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn seeds(target: &str) -> Vec<Vec<u8>> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(target);
        let seeds: Vec<_> = std::fs::read_dir(folder).unwrap().map(|seed| seed.unwrap().path()).collect();
        assert!(!seeds.is_empty());
        seeds.iter().map(|seed| std::fs::read(seed).unwrap()).collect()
    }

    #[test]
    fn every_seed_keeps_the_rules() {
        for seed in seeds("demux_decode") {
            // The duration is measured by fuzzing only, with a processor clock.
            demux_decode(&seed, &|| Duration::ZERO);
        }
        for seed in seeds("playlists") {
            playlists(&seed);
        }
        for seed in seeds("icy") {
            icy(&seed);
        }
    }
}
