//! Commands about the current track: pause, skip, votes, seek, loop, volume, stop.

use super::band::Band;

#[tokio::test]
async fn pause_silences_and_resume_plays_on() {
    let band = Band::of(&["carol"]).await;
    band.told("carol", "/play what:Alpha").await;
    band.is_heard().await;
    assert_eq!(band.told("carol", "/pause").await, "Paused; /resume plays on.");
    assert!(band.queue().await.contains("Paused: **Alpha**"));
    assert_eq!(band.told("carol", "/resume").await, "Playing on.");
    band.is_heard().await;
    assert!(band.queue().await.contains("Now: **Alpha**"));
}

#[tokio::test]
async fn skip_goes_on_by_one_or_several_and_previous_goes_back() {
    let band = Band::of(&["carol"]).await;
    for song in ["Alpha", "Beta", "Gamma", "Delta"] {
        band.told("carol", &format!("/play what:{song}")).await;
    }
    assert_eq!(band.told("carol", "/skip").await, "Skipped **Alpha**.");
    assert_eq!(band.told("carol", "/previous").await, "Back to **Alpha**.");
    let queue = band.queue().await;
    assert!(queue.contains("Now: **Alpha**") && queue.contains("`1.` Beta"), "{queue}");
    assert_eq!(band.told("carol", "/skip count:3").await, "Skipped 3 tracks.");
    assert!(band.queue().await.contains("Now: **Delta**"));
    band.is_heard().await;
    assert_eq!(band.told("carol", "/skip").await, "Skipped **Delta**.");
    assert!(band.queue().await.contains("Nothing is playing."));
}

#[tokio::test]
async fn the_listeners_skip_together_and_votes_begin_anew_with_each_track() {
    let band = Band::of(&["bob", "carol", "dave"]).await;
    band.has_djs().await;
    band.told("bob", "/play what:Alpha").await;
    band.told("bob", "/play what:Beta").await;
    // 60 % of three are two.
    assert_eq!(band.told("carol", "/voteskip").await, "A vote to skip **Alpha**: 1 of 2.");
    let again = band.refused("carol", "/voteskip").await;
    assert_eq!(again, "You have voted already; it is 1 of 2 votes.");
    assert_eq!(band.told("dave", "/voteskip").await, "Skipped **Alpha** with 2 of 2 votes.");
    assert_eq!(band.told("carol", "/voteskip").await, "A vote to skip **Beta**: 1 of 2.");
    // A user who has left neither counts nor is needed: one of two listeners is not enough, both are.
    band.bot.people.leave_voice(&band.bot.guild(), "carol").await.unwrap();
    assert_eq!(band.told("dave", "/voteskip").await, "A vote to skip **Beta**: 1 of 2.");
    assert_eq!(band.told("bob", "/voteskip").await, "Skipped **Beta** with 2 of 2 votes.");
    assert!(band.queue().await.contains("Nothing is playing."));
}

#[tokio::test]
async fn seek_goes_to_a_time_or_from_here() {
    let band = Band::of(&["carol"]).await;
    band.told("carol", "/play what:Alpha").await;
    band.is_heard().await;
    // Paused, so that the position does not change.
    band.told("carol", "/pause").await;
    assert_eq!(band.told("carol", "/seek to:1:30").await, "On to 1:30.");
    assert_eq!(band.told("carol", "/seek to:+10s").await, "On to 1:40.");
    assert_eq!(band.told("carol", "/seek to:-1m").await, "On to 0:40.");
    assert_eq!(band.told("carol", "/seek to:-10m").await, "On to 0:00.");
    band.told("carol", "/resume").await;
    band.is_heard().await;
}

#[tokio::test]
async fn loop_repeats_the_track_or_the_queue() {
    let band = Band::of(&["carol"]).await;
    band.told("carol", "/play what:Alpha").await;
    band.told("carol", "/play what:Beta").await;
    assert_eq!(band.told("carol", "/loop mode:queue").await, "From now on the queue repeats.");
    band.told("carol", "/skip").await;
    let queue = band.queue().await;
    assert!(queue.contains("Now: **Beta**") && queue.contains("`1.` Alpha"), "{queue}");
    assert!(queue.ends_with("the queue repeats"), "{queue}");
    assert_eq!(band.told("carol", "/loop mode:track").await, "From now on the track repeats.");
    // A repeated track starts again at its end.
    band.told("carol", "/seek to:1:58").await;
    band.is_heard().await;
    band.is_heard().await;
    band.is_heard().await;
    assert!(band.queue().await.contains("Now: **Beta**"));
    assert_eq!(band.told("carol", "/loop mode:off").await, "From now on nothing repeats.");
}

#[tokio::test]
async fn volume_is_shown_and_set_up_to_what_the_server_allows() {
    let band = Band::of(&["carol"]).await;
    band.told("carol", "/play what:Alpha").await;
    assert_eq!(band.told("carol", "/volume").await, "The volume is 100 %.");
    assert_eq!(band.told("carol", "/volume percent:40").await, "The volume is 40 % now.");
    assert_eq!(band.told("carol", "/volume").await, "The volume is 40 %.");
    band.bot.say("alice", "/settings max_volume:150").await;
    assert_eq!(band.told("carol", "/volume percent:150").await, "The volume is 150 % now.");
}

#[tokio::test]
async fn stop_ends_the_music_and_the_bot_stays() {
    let band = Band::of(&["carol"]).await;
    for song in ["Alpha", "Beta", "Gamma"] {
        band.told("carol", &format!("/play what:{song}")).await;
    }
    assert_eq!(band.told("carol", "/stop").await, "Stopped; 2 tracks that waited will not be played.");
    assert_eq!(band.refused("carol", "/skip").await, "Nothing is playing right now.");
    assert_eq!(band.told("carol", "/play what:Delta").await, "Playing **Delta**.");
    assert_eq!(band.told("carol", "/stop").await, "Stopped.");
}
