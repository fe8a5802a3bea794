//! Every seed that is checked in keeps the rules.

use std::path::Path;

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(target);
    let seeds: Vec<_> = std::fs::read_dir(folder).unwrap().map(|seed| seed.unwrap().path()).collect();
    assert!(!seeds.is_empty());
    seeds.iter().map(|seed| std::fs::read(seed).unwrap()).collect()
}

#[tokio::test]
async fn every_request_of_the_seeds_is_answered() {
    for seed in seeds("rest_bodies") {
        super::rest_bodies(&seed).await;
    }
}

#[tokio::test]
async fn every_frame_of_the_seeds_is_taken() {
    for seed in seeds("gateway_frames") {
        super::gateway_frames(&seed).await;
    }
}

#[test]
fn every_command_of_the_seeds_is_typed() {
    for seed in seeds("typed_command") {
        super::typed_command(&seed);
    }
}
