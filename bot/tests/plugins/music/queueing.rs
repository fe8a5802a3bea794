//! The order of waiting tracks: shuffle, move, remove, jump, clear.

use super::band::Band;

async fn four_songs() -> Band {
    let band = Band::of(&["carol"]).await;
    for song in ["Alpha", "Beta", "Gamma", "Delta"] {
        band.told("carol", &format!("/play what:{song}")).await;
    }
    band
}

/// Returns the titles of the waiting tracks, in order.
async fn waiting(band: &Band) -> Vec<String> {
    let queue = band.queue().await;
    let lines = queue.lines().filter(|line| line.starts_with('`'));
    lines.map(|line| line.split(' ').nth(1).unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_track_is_moved_removed_and_jumped_to_by_its_number() {
    let band = four_songs().await;
    assert_eq!(waiting(&band).await, ["Beta", "Gamma", "Delta"]);
    assert_eq!(band.told("carol", "/move from:3 to:1").await, "**Delta** is number 1 in the queue now.");
    assert_eq!(waiting(&band).await, ["Delta", "Beta", "Gamma"]);
    assert_eq!(band.told("carol", "/remove track:2").await, "**Beta** taken out of the queue.");
    assert_eq!(waiting(&band).await, ["Delta", "Gamma"]);
    assert_eq!(band.told("carol", "/jump track:2").await, "On to **Gamma**.");
    assert_eq!(waiting(&band).await, Vec::<String>::new());
    assert!(band.queue().await.contains("Now: **Gamma**"));
}

#[tokio::test]
async fn several_are_removed_at_once_and_clear_takes_the_rest() {
    let band = four_songs().await;
    assert_eq!(band.told("carol", "/remove track:2 to:1").await, "2 tracks taken out of the queue.");
    assert_eq!(waiting(&band).await, ["Delta"]);
    assert_eq!(band.told("carol", "/clear").await, "The queue is empty; 1 track taken out.");
    assert!(band.queue().await.contains("Now: **Alpha**"));
}

#[tokio::test]
async fn shuffle_keeps_every_track() {
    let band = four_songs().await;
    assert_eq!(band.told("carol", "/shuffle").await, "3 tracks in a new order.");
    let mut tracks = waiting(&band).await;
    tracks.sort();
    assert_eq!(tracks, ["Beta", "Delta", "Gamma"]);
}

#[tokio::test]
async fn numbers_are_offered_with_their_titles() {
    let band = four_songs().await;
    assert_eq!(band.choices("/jump track:").await, ["1. Beta", "2. Gamma", "3. Delta"]);
    assert_eq!(band.choices("/remove track:3").await, ["3. Delta"]);
    assert_eq!(band.choices("/move from:2").await, ["2. Gamma"]);
}
