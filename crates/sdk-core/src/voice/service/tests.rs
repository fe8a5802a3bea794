//! Tests of what becomes of players that break down, and of what the bot dies on.

use serenity::all::UserId;

use super::*;
use crate::voice::{At, Loop, Playable, Queue, Track, VoiceError};

const GUILD: GuildId = GuildId::new(1);

fn track(name: &str) -> Arc<Track> {
    Arc::new(Track::new(name, Playable::Library { path: name.to_owned() }))
}

/// What is kept of a player with one track on and one that waits.
fn kept() -> Kept {
    let player = KeptPlayer {
        channel: None,
        queue: Queue::of(Some(track("deadly")), &[track("next")], &[], Loop::Off),
        position: Duration::ZERO,
        paused: false,
        volume: 50,
        at: now(),
        deaths: 0,
    };
    Kept { players: [(GUILD, player)].into(), ..Kept::default() }
}

/// Waits until the guild's player has done all that it was told to.
async fn settled(voice: &Voice) -> PlayerStatus {
    let player = voice.player(GUILD);
    assert_eq!(player.leave().await, Err(VoiceError::NotConnected));
    player.status()
}

#[tokio::test]
async fn a_player_that_breaks_down_is_told_forgotten_and_made_anew() {
    let voice = Voice::new(Changes::default());
    voice.0.shards.identify(1, UserId::new(9));
    voice.restore(kept());
    voice.guild_came(GUILD);
    assert_eq!(settled(&voice).await.upcoming.len(), 1);
    assert_eq!(voice.kept().players.len(), 1);
    let (player, mut events) = (voice.player(GUILD), voice.listen());

    voice.note(GUILD, Note::Break);
    let event = events.recv().await.unwrap();
    assert!(matches!(&event.kind, VoiceEventKind::Left { why } if why.contains("broke down")), "{event:?}");
    assert!(voice.existing(GUILD).is_none());
    assert!(voice.kept().players.is_empty(), "what it broke down on would break it down again");
    assert_eq!(player.pause().await, Err(VoiceError::Closing));
    let anew = voice.player(GUILD);
    assert_eq!(anew.enqueue(Vec::new(), At::End).await, Err(VoiceError::NotConnected));
    assert!(voice.existing(GUILD).is_some());
}

#[tokio::test]
async fn what_the_bot_dies_on_again_and_again_is_left_out() {
    let mut left = kept();
    // An end in order counts for nothing.
    for (closed, deaths) in [(false, 1), (true, 1), (false, 2)] {
        let voice = Voice::new(Changes::default());
        left.closed = closed;
        assert_eq!(voice.restore(left), !closed);
        assert_eq!(voice.kept().players[&GUILD].deaths, deaths, "it is there before the guild comes");
        voice.guild_came(GUILD);
        assert_eq!(settled(&voice).await.current.unwrap().track.title, "deadly");
        left = voice.kept();
        assert_eq!(left.players[&GUILD].deaths, deaths);
    }
    let voice = Voice::new(Changes::default());
    let mut events = voice.listen();
    assert!(voice.restore(left));
    voice.guild_came(GUILD);
    let event = events.recv().await.unwrap();
    let VoiceEventKind::TrackFailed { track, why } = event.kind else { panic!("{event:?}") };
    assert!(track.title == "deadly" && why.ends_with('.'), "{why}");
    assert_eq!(settled(&voice).await.current.unwrap().track.title, "next");
    assert_eq!(voice.kept().players[&GUILD].deaths, 0);
}

#[tokio::test]
async fn what_proves_harmless_is_not_suspected_any_more() {
    let voice = Voice::new(Changes::default());
    assert!(voice.restore(kept()));
    voice.guild_came(GUILD);
    assert_eq!(settled(&voice).await.upcoming.len(), 1);
    // Skipped, so that another track is on.
    voice.player(GUILD).skip(1).await.unwrap();
    assert_eq!(voice.kept().players[&GUILD].deaths, 0);
}

#[tokio::test]
async fn a_guild_that_is_gone_is_told_once_and_nothing_of_it_is_kept() {
    let voice = Voice::new(Changes::default());
    let mut events = voice.listen();
    voice.set_settings(GUILD, GuildSettings { stay: true, ..GuildSettings::default() });
    voice.restore(Kept { settings: voice.kept().settings, ..kept() });
    voice.guild_gone(GUILD);
    assert!(matches!(events.recv().await.unwrap().kind, VoiceEventKind::GuildGone));
    let kept = voice.kept();
    assert!(kept.settings.is_empty() && kept.players.is_empty());
    // One that is never used anew; its task tells.
    let player = voice.player(GUILD);
    voice.guild_gone(GUILD);
    assert!(matches!(events.recv().await.unwrap().kind, VoiceEventKind::GuildGone));
    assert_eq!(player.pause().await, Err(VoiceError::Closing));
    assert!(events.try_recv().is_err());
    // Nor does it matter whether anybody else has the player; its task looks at notes and commands in any order.
    for _ in 0..50 {
        drop(voice.player(GUILD));
        voice.guild_gone(GUILD);
        let told = timeout(Duration::from_secs(10), events.recv()).await;
        assert!(matches!(told.expect("it is told").unwrap().kind, VoiceEventKind::GuildGone));
    }
}
