//! Restoring players after a restart of the host.

use sdk_core::voice::{At, ConnectionState, Loop, VoiceEventKind};

use super::rig::{Rig, until};

const LONG: u32 = 90;

async fn playing() -> (Rig, f64) {
    let rig = Rig::start().await;
    rig.join().await;
    let player = rig.player();
    player.enqueue(vec![rig.sound(1, LONG), rig.sound(2, 30)], At::End).await.unwrap();
    player.set_loop(Loop::Queue).await.unwrap();
    player.set_volume(80).await.unwrap();
    let place = rig.hear(1, LONG as usize).await;
    assert!(place.likeness > 0.9, "{place:?}");
    (rig, place.at)
}

pub(crate) async fn a_restart_plays_on_where_it_was_once() {
    let (mut rig, before) = playing().await;
    rig.shut_down().await;
    rig.boot().await;
    rig.event("it is back", |kind| matches!(kind, VoiceEventKind::Restored { .. }).then_some(())).await;
    let place = rig.hear(1, LONG as usize).await;
    assert!(place.likeness > 0.9 && place.at > before && place.at < before + 30.0, "{place:?} {before}");
    let status = rig.player().status();
    assert_eq!((status.volume, status.repeat, status.upcoming.len()), (80, Loop::Queue, 1));

    // It left before the next restart, so there is nothing to rejoin.
    rig.player().leave().await.unwrap();
    rig.shut_down().await;
    rig.boot().await;
    assert!(rig.host().voice().existing(rig.guild).is_none());
}

pub(crate) async fn a_restart_to_an_empty_channel_stays_out() {
    let (mut rig, _) = playing().await;
    rig.shut_down().await;
    rig.leave("alice").await;
    rig.boot().await;
    let player = until("the player is restored", async || rig.host().voice().existing(rig.guild)).await;
    let status = rig.status("its queue is there", |status| status.current.is_some()).await;
    assert_eq!(status.channel, None);
    assert!(status.current.unwrap().position.as_secs() > 0);
    // After a join it continues.
    rig.enter("bob", 0).await;
    player.join(rig.channel(0)).await.unwrap();
    let place = rig.hear(1, LONG as usize).await;
    assert!(place.likeness > 0.9 && place.at > 0.5, "{place:?}");
}

pub(crate) async fn a_return_that_fails_at_first_is_tried_again() {
    let (mut rig, before) = playing().await;
    rig.shut_down().await;
    rig.refuse_connections().await;
    rig.boot().await;
    until("the player is restored", async || rig.host().voice().existing(rig.guild)).await;
    let again = |attempt| attempt >= 2;
    rig.status(
        "it tries again",
        |status| matches!(status.connection, ConnectionState::Rejoining { attempt } if again(attempt)),
    )
    .await;
    rig.people.remove_fault(None).await.unwrap();
    rig.event("it is back", |kind| matches!(kind, VoiceEventKind::Restored { .. }).then_some(())).await;
    let place = rig.hear(1, LONG as usize).await;
    assert!(place.likeness > 0.9 && place.at > before, "{place:?} {before}");
}
