//! Leaving when the bot is alone, and when nothing is played.

use std::time::Duration;

use sdk_core::voice::{At, GuildSettings, VoiceError, VoiceEventKind, WhenAlone};

use super::rig::Rig;

async fn playing(settings: GuildSettings) -> Rig {
    let rig = Rig::start().await;
    rig.host().voice().set_settings(rig.guild, settings);
    rig.join().await;
    rig.player().enqueue(vec![rig.sound(1, 120)], At::End).await.unwrap();
    rig.hear(1, 120).await;
    rig
}

pub(crate) async fn nobody_left_pauses_and_somebody_back_goes_on() {
    let mut rig = playing(GuildSettings::default()).await;
    rig.leave("alice").await;
    rig.event("it is alone", |kind| matches!(kind, VoiceEventKind::Alone).then_some(())).await;
    let alone =
        rig.status("it pauses", |status| status.current.as_ref().is_some_and(|on| on.paused_alone)).await;
    assert_eq!(alone.listeners, 0);
    rig.enter("bob", 0).await;
    rig.event("it has company", |kind| matches!(kind, VoiceEventKind::Company).then_some(())).await;
    let place = rig.hear(1, 120).await;
    assert!(place.likeness > 0.9, "{place:?}");
}

pub(crate) async fn nobody_left_leaves_where_the_guild_wants_that() {
    let settings = GuildSettings { when_alone: WhenAlone::Leave, ..GuildSettings::default() };
    let mut rig = playing(settings).await;
    rig.leave("alice").await;
    let why = rig
        .event("it leaves", |kind| match kind {
            VoiceEventKind::Left { why } => Some(why.clone()),
            _ => None,
        })
        .await;
    assert!(why.contains("nobody else"), "{why}");
}

pub(crate) async fn an_idle_bot_leaves() {
    let mut rig = playing(GuildSettings::default()).await;
    let settings = GuildSettings { idle_timeout: Some(Duration::from_secs(2)), ..GuildSettings::default() };
    rig.host().voice().set_settings(rig.guild, settings.clone());
    // A playing track is not idle, however long it is.
    rig.hear(1, 120).await;
    rig.player().stop().await.unwrap();
    let why = rig
        .event("it leaves", |kind| match kind {
            VoiceEventKind::Left { why } => Some(why.clone()),
            _ => None,
        })
        .await;
    assert!(why.contains("nothing has been played"), "{why}");

    rig.host().voice().set_settings(rig.guild, GuildSettings { stay: true, ..settings });
    rig.join().await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(rig.player().status().channel, Some(rig.channel(0)));
}

pub(crate) async fn a_guild_that_is_left_is_forgotten() {
    let mut rig = playing(GuildSettings { vote_ratio: 90, ..GuildSettings::default() }).await;
    let (guild, bot) = (rig.guild.to_string(), rig.bot().to_owned());
    let before = rig.player();
    rig.people.leave(&guild, &bot).await.unwrap();
    rig.event("it is in the guild no more", |kind| matches!(kind, VoiceEventKind::GuildGone).then_some(()))
        .await;
    let voice = rig.host().voice();
    assert!(voice.existing(rig.guild).is_none());
    assert_eq!(voice.settings(rig.guild), GuildSettings::default());
    assert_eq!(before.pause().await, Err(VoiceError::Closing));

    rig.people.join(&guild, &bot).await.unwrap();
    rig.knows_its_guild().await;
    rig.enter("alice", 0).await;
    rig.join().await;
    rig.player().enqueue(vec![rig.sound(2, 60)], At::End).await.unwrap();
    let place = rig.hear(2, 60).await;
    assert!(place.likeness > 0.9, "{place:?}");
}
