//! Tests of players that break down, and of tracks that kill the bot.

use std::time::Duration;

use sdk_core::voice::{At, Playable, SavedQueue, SavedVoice, Track, VoiceError};
use serenity::all::UserId;
use tokio::time::timeout;

use super::*;
use crate::saved::now;

const GUILD: GuildId = GuildId::new(1);

fn track(name: &str) -> Arc<Track> {
    Arc::new(Track::new(name, Playable::Library { path: name.to_owned() }))
}

/// Returns the saved state of a player with one current track and one that waits.
fn saved() -> SavedVoice {
    let player = SavedPlayer {
        channel: None,
        queue: SavedQueue {
            current: Some(track("deadly")),
            upcoming: vec![track("next")],
            ..SavedQueue::default()
        },
        position: Duration::ZERO,
        paused: false,
        volume: 50,
        at: now(),
        deaths: 0,
    };
    SavedVoice { players: [(GUILD, player)].into(), ..SavedVoice::default() }
}

fn new_engine() -> Engine {
    Engine::new(Changes::default(), broadcast::Sender::new(64))
}

/// Waits until the guild's player has handled all earlier messages.
async fn settled(engine: &Engine) -> PlayerStatus {
    let player = engine.player(GUILD);
    assert_eq!(player.leave().await, Err(VoiceError::NotConnected));
    player.status()
}

#[tokio::test]
async fn a_player_that_breaks_down_is_told_forgotten_and_made_anew() {
    let engine = new_engine();
    engine.0.shards.identify(1, UserId::new(9));
    engine.restore(saved());
    engine.guild_came(GUILD);
    assert_eq!(settled(&engine).await.upcoming.len(), 1);
    assert_eq!(engine.saved().players.len(), 1);
    let (player, mut events) = (engine.player(GUILD), engine.0.events.subscribe());

    engine.send(GUILD, TaskMessage::Break);
    let event = events.recv().await.unwrap();
    assert!(matches!(&event.kind, VoiceEventKind::Left { why } if why.contains("broke down")), "{event:?}");
    assert!(engine.existing(GUILD).is_none());
    assert!(engine.saved().players.is_empty(), "what it broke down on would break it down again");
    assert_eq!(player.pause().await, Err(VoiceError::Closing));
    let anew = engine.player(GUILD);
    assert_eq!(anew.enqueue(Vec::new(), At::End).await, Err(VoiceError::NotConnected));
    assert!(engine.existing(GUILD).is_some());
}

#[tokio::test]
async fn what_the_bot_dies_on_again_and_again_is_left_out() {
    let mut left = saved();
    // A clean shutdown does not count.
    for (closed, deaths) in [(false, 1), (true, 1), (false, 2)] {
        let engine = new_engine();
        left.closed = closed;
        assert_eq!(engine.restore(left), !closed);
        assert_eq!(engine.saved().players[&GUILD].deaths, deaths, "it is there before the guild comes");
        engine.guild_came(GUILD);
        assert_eq!(settled(&engine).await.current.unwrap().track.title, "deadly");
        left = engine.saved();
        assert_eq!(left.players[&GUILD].deaths, deaths);
    }
    let engine = new_engine();
    let mut events = engine.0.events.subscribe();
    assert!(engine.restore(left));
    engine.guild_came(GUILD);
    let event = events.recv().await.unwrap();
    let VoiceEventKind::TrackFailed { track, why } = event.kind else { panic!("{event:?}") };
    assert!(track.title == "deadly" && why.ends_with('.'), "{why}");
    assert_eq!(settled(&engine).await.current.unwrap().track.title, "next");
    assert_eq!(engine.saved().players[&GUILD].deaths, 0);
}

#[tokio::test]
async fn what_proves_harmless_is_not_suspected_any_more() {
    let engine = new_engine();
    assert!(engine.restore(saved()));
    engine.guild_came(GUILD);
    assert_eq!(settled(&engine).await.upcoming.len(), 1);
    // Skipped, so that another track is current.
    engine.player(GUILD).skip(1).await.unwrap();
    assert_eq!(engine.saved().players[&GUILD].deaths, 0);
}

#[tokio::test]
async fn a_guild_that_is_gone_is_told_once_and_nothing_of_it_is_saved() {
    let engine = new_engine();
    let mut events = engine.0.events.subscribe();
    engine.set_settings(GUILD, GuildSettings { stay: true, ..GuildSettings::default() });
    engine.restore(SavedVoice { settings: engine.saved().settings, ..saved() });
    engine.guild_gone(GUILD);
    assert!(matches!(events.recv().await.unwrap().kind, VoiceEventKind::GuildGone));
    let saved = engine.saved();
    assert!(saved.settings.is_empty() && saved.players.is_empty());
    // A player that is never used again: its task publishes the event.
    let player = engine.player(GUILD);
    engine.guild_gone(GUILD);
    assert!(matches!(events.recv().await.unwrap().kind, VoiceEventKind::GuildGone));
    assert_eq!(player.pause().await, Err(VoiceError::Closing));
    assert!(events.try_recv().is_err());
    // It does not matter either whether the player has other handles. Its task receives messages and commands in any
    // order.
    for _ in 0..50 {
        drop(engine.player(GUILD));
        engine.guild_gone(GUILD);
        let told = timeout(Duration::from_secs(10), events.recv()).await;
        assert!(matches!(told.expect("it is told").unwrap().kind, VoiceEventKind::GuildGone));
    }
}
