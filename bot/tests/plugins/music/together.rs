//! Requests of several users at the same moment.

use tokio::join;

use super::band::Band;

/// Runs a command. Returns the text of its answer, refused or not.
async fn said(band: &Band, user: &str, command: &str) -> String {
    let answer = band.bot.say(user, command).await;
    assert_eq!(answer.callbacks, 1, "{command}: {answer:?}");
    answer.content
}

#[tokio::test]
async fn votes_that_come_together_skip_one_track() {
    let band = Band::of(&["bob", "carol", "dave", "erin"]).await;
    band.has_djs().await;
    for song in ["Alpha", "Beta", "Gamma"] {
        band.told("bob", &format!("/play what:{song}")).await;
    }
    // 60 % of four are three.
    band.told("carol", "/voteskip").await;
    band.told("dave", "/voteskip").await;
    let both = join!(said(&band, "erin", "/voteskip"), said(&band, "bob", "/voteskip"));
    let told = [both.0, both.1];
    let skipped = told.iter().filter(|words| words.starts_with("Skipped **Alpha** with")).count();
    assert_eq!(skipped, 1, "{told:?}");
    assert!(band.queue().await.contains("Now: **Beta**"), "{told:?}");
}

#[tokio::test]
async fn skips_that_come_together_skip_one_track_by_command_and_by_button() {
    let band = Band::of(&["bob", "carol"]).await;
    for song in ["Alpha", "Beta", "Gamma", "Delta"] {
        band.told("bob", &format!("/play what:{song}")).await;
    }
    let card = band.bot.say("bob", "/nowplaying").await.message.unwrap();
    let (one, other) = join!(band.presses("bob", &card, "Skip"), band.presses("carol", &card, "Skip"));
    let refused = [&one, &other].map(|answer| match answer {
        Ok(answer) => answer.content == "That track is over; /nowplaying shows what is on.",
        // The card already has the button of the next track.
        Err(error) => error.to_string().contains("no component"),
    });
    assert_ne!(refused[0], refused[1], "{one:?} {other:?}");
    assert!(band.queue().await.contains("Now: **Beta**"));
}

#[tokio::test]
async fn removals_that_come_together_take_out_what_was_meant() {
    let band = Band::of(&["bob", "carol", "dave"]).await;
    band.has_djs().await;
    band.told("bob", "/play what:Alpha").await;
    band.told("dave", "/play what:Beta").await;
    band.told("carol", "/play what:Gamma").await;
    // Number 1 is dave's; afterwards it is carol's, which dave may not remove.
    let both = join!(said(&band, "dave", "/remove track:1"), said(&band, "dave", "/remove track:1"));
    let told = [both.0, both.1];
    assert!(told.contains(&"**Beta** taken out of the queue.".to_owned()), "{told:?}");
    assert!(band.queue().await.contains("`1.` Gamma"), "{told:?}");
}
