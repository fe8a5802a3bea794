//! Messages that follow the player, and messages without a command.

use serde_json::{Value, json};

use super::band::{Band, refusal};
use crate::bot::{id, words};

async fn sent(band: &Band, user: &str, command: &str) -> Value {
    let answer = band.bot.say(user, command).await;
    assert!(answer.is_ok() && !answer.ephemeral, "{answer:?}");
    answer.message.unwrap()
}

#[tokio::test]
async fn the_card_of_what_is_on_follows_the_player_and_its_buttons_steer() {
    let band = Band::of(&["carol"]).await;
    for song in ["Alpha", "Beta", "Gamma"] {
        band.told("carol", &format!("/play what:{song}")).await;
    }
    let card = sent(&band, "carol", "/nowplaying").await;
    let first = band.shows(&card, &["Alpha", "/ 2:00", "for carol · volume 100 % · next: Beta"]).await;
    // The time on it advances by itself.
    band.shows(&card, &["0:05 / 2:00"]).await;
    // The effect of a command is shown too.
    band.told("carol", "/volume percent:70").await;
    band.shows(&card, &["volume 70 %"]).await;

    assert!(band.press("carol", &first, "Pause").await.is_ok());
    let paused = band.shows(&card, &["Paused\nAlpha", "Resume"]).await;
    assert!(band.press("carol", &paused, "Resume").await.is_ok());
    let looped = band.shows(&card, &["Now playing\nAlpha"]).await;
    assert!(band.press("carol", &looped, "Loop: off").await.is_ok());
    band.shows(&card, &["the track repeats", "Loop: track"]).await;
    // The buttons of a track do not affect the next one, while the card does not show that yet.
    band.bot.hold_next_edit(1_000).await;
    band.told("carol", "/skip").await;
    let late = band.press("carol", &looped, "Skip").await;
    assert_eq!(refusal(&late), "That track is over; /nowplaying shows what is on.");
    let next = band.shows(&card, &["Beta", "next: Gamma"]).await;
    assert!(band.press("carol", &next, "Skip").await.is_ok());
    let next = band.shows(&card, &["Gamma"]).await;
    assert!(band.press("carol", &next, "Stop").await.is_ok());
    let stopped = band.shows(&card, &["Nothing is playing;"]).await;
    assert_eq!(stopped["components"].as_array().unwrap().len(), 0, "{stopped}");
}

#[tokio::test]
async fn a_button_asks_the_same_of_its_user_as_the_command() {
    let band = Band::of(&["bob", "carol", "dave"]).await;
    band.has_djs().await;
    band.told("bob", "/play what:Alpha").await;
    band.told("bob", "/play what:Beta").await;
    let card = sent(&band, "bob", "/nowplaying").await;
    for button in ["Pause", "Loop: off", "Stop"] {
        assert!(refusal(&band.press("dave", &card, button).await).starts_with("Only a DJ"), "{button}");
    }
    assert!(refusal(&band.press("alice", &card, "Stop").await).starts_with("You are in no voice channel"));
    // A user who may not skip votes instead.
    assert_eq!(band.press("dave", &card, "Skip").await.content, "A vote to skip **Alpha**: 1 of 2.");
    assert_eq!(band.press("carol", &card, "Skip").await.content, "Skipped **Alpha** with 2 of 2 votes.");
    band.shows(&card, &["Beta"]).await;
}

#[tokio::test]
async fn the_queue_is_turned_page_by_page_and_follows_what_is_added() {
    let band = Band::of(&["carol"]).await;
    for _ in 0..12 {
        band.told("carol", "/play what:Beta").await;
    }
    let queue = sent(&band, "carol", "/queue").await;
    let first = band.shows(&queue, &["`10.` Beta", "Page 1 of 2 · 11 tracks"]).await;
    // Any user may turn its pages.
    assert!(band.press("bob", &first, "Next").await.is_ok());
    let second = band.shows(&queue, &["`11.` Beta", "Page 2 of 2"]).await;
    band.told("carol", "/play what:Gamma").await;
    band.shows(&queue, &["`12.` Gamma", "Page 2 of 2 · 12 tracks"]).await;
    assert!(band.press("bob", &second, "Back").await.is_ok());
    band.shows(&queue, &["Page 1 of 2"]).await;
    // A newer one replaces it.
    let newer = sent(&band, "carol", "/queue").await;
    // The answer arrives before the command has stored that it is the live one.
    let channel = queue["channel_id"].as_str().unwrap();
    let is_retired = |old: &Value| old["id"] == queue["id"] && old["components"] == json!([]);
    band.bot.message("alice", channel, is_retired).await;
    band.told("carol", "/clear").await;
    band.shows(&newer, &["Nothing waits;"]).await;
    band.shows(&queue, &["`10.` Beta"]).await;
}

#[tokio::test]
async fn a_live_message_that_is_deleted_is_left_alone() {
    let band = Band::of(&["carol"]).await;
    band.told("carol", "/play what:Alpha").await;
    let (card, queue) = (sent(&band, "carol", "/nowplaying").await, sent(&band, "carol", "/queue").await);
    band.bot.people.delete("alice", id(&card)).await.unwrap();
    band.told("carol", "/pause").await;
    band.shows(&queue, &["Paused: **Alpha**"]).await;
    let again = sent(&band, "carol", "/nowplaying").await;
    band.told("carol", "/resume").await;
    band.shows(&again, &["Now playing\nAlpha"]).await;
}

#[tokio::test]
async fn each_track_is_announced_in_place_of_the_one_before() {
    let band = Band::of(&["carol"]).await;
    let answer = band.bot.say("alice", "/settings announce:#general").await;
    assert!(answer.is_ok(), "{answer:?}");
    for song in ["Alpha", "Beta"] {
        band.told("carol", &format!("/play what:{song}")).await;
    }
    let announced = async |song: &str| {
        let holds =
            |message: &Value| words(&message["embeds"][0]).starts_with(&format!("Now playing\n{song}"));
        band.bot.message("alice", "general", holds).await
    };
    announced("Alpha").await;
    band.told("carol", "/skip").await;
    announced("Beta").await;
    let all = band.bot.people.messages("alice", "general", 50).await.unwrap();
    assert_eq!(all.iter().filter(|message| !message["embeds"].as_array().unwrap().is_empty()).count(), 1);
    band.told("carol", "/stop").await;
    band.bot
        .until("the announcement is taken back", async || {
            let all = band.bot.people.messages("alice", "general", 50).await.unwrap();
            all.iter().all(|message| message["embeds"].as_array().unwrap().is_empty()).then_some(())
        })
        .await;
}

#[tokio::test]
async fn trouble_is_told_where_the_music_was_asked_for() {
    let band = Band::of(&["carol"]).await;
    band.told("carol", "/play what:Alpha").await;
    band.loses("Beta");
    band.told("carol", "/play what:Beta").await;
    band.told("carol", "/skip").await;
    let told = |message: &Value, part: &str| message["content"].as_str().unwrap_or_default().contains(part);
    band.bot.message("carol", "bot-test", |message| told(message, "⚠️ **Beta** could not be played: ")).await;
    // A moderator disconnects the bot.
    band.told("carol", "/play what:Alpha").await;
    band.bot.people.leave_voice(&band.bot.guild(), &band.bot.id()).await.unwrap();
    band.bot
        .message("carol", "bot-test", |message| told(message, "I was disconnected from the voice channel."))
        .await;
    assert_eq!(band.refused("carol", "/skip").await, "Nothing is playing right now.");
}

#[tokio::test]
async fn the_card_says_when_the_bot_has_given_up_and_what_plays_on() {
    let band = Band::of(&["carol"]).await;
    band.told("carol", "/play what:Alpha").await;
    band.is_heard().await;
    let card = sent(&band, "carol", "/nowplaying").await;
    let close = sandbox::voice::Command::Close { code: 4017, reason: String::new() };
    band.bot.people.voice_command(sandbox::voice::Target::default(), &close).await.unwrap();
    let out = band.shows(&card, &["Not connected; /join plays on\nAlpha"]).await;
    assert_eq!(out["components"].as_array().unwrap().len(), 0, "{out}");
    let told = |message: &Value| {
        message["content"].as_str().unwrap_or_default().contains("The voice connection is lost")
    };
    band.bot.message("carol", "bot-test", told).await;
    assert!(band.queue().await.contains("Not connected, so that this waits: **Alpha**"));
    assert!(band.told("carol", "/join").await.ends_with("> now."));
    band.is_heard().await;
}
