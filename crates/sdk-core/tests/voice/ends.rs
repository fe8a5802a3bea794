//! When nobody listens, and when nothing is played.

use std::time::Duration;

use sdk_core::voice::{At, GuildSettings, VoiceEventKind, WhenAlone};

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
    // What plays is not idle, however long it does.
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
