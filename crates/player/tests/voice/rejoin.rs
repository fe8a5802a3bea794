//! The handling of a lost connection.

use std::time::Duration;

use sandbox::fault::{On, Rule, VoiceConnectEffect, VoiceConnectRule, VoiceServerEffect, VoiceServerRule};
use sdk_core::voice::{At, ConnectionState, VoiceError, VoiceEventKind};
use tracing::Level;

use super::log;
use super::rig::Rig;

/// Similarity of the received audio to its source, after Opus.
const ALIKE: f64 = 0.9;
/// Length of the sound in seconds.
const LONG: u32 = 90;

/// Joins and plays. Returns the position in the sound.
async fn playing(rig: &mut Rig) -> f64 {
    rig.join().await;
    rig.player().enqueue(vec![rig.sound(1, LONG)], At::End).await.unwrap();
    let place = rig.hear(1, LONG as usize).await;
    assert!(place.likeness > ALIKE, "{place:?}");
    rig.events();
    place.at
}

/// Checks that the sound continues after `before`, without having started again, and returns the position.
async fn goes_on(rig: &Rig, before: f64) -> f64 {
    let place = rig.hear(1, LONG as usize).await;
    assert!(place.likeness > ALIKE && place.at > before, "{place:?} {before}");
    place.at
}

pub(crate) async fn what_can_be_resumed_is_resumed() {
    let mut rig = Rig::start().await;
    let mut at = playing(&mut rig).await;
    for code in [4009, 4015] {
        rig.close(code).await;
        at = goes_on(&rig, at).await;
    }
    let events = rig.events();
    assert!(events.is_empty(), "{events:?}");
}

pub(crate) async fn a_session_that_is_gone_is_replaced_and_the_song_goes_on() {
    let mut rig = Rig::start().await;
    let mut at = playing(&mut rig).await;
    for code in [4006, 4011, 4001, 4020] {
        rig.close(code).await;
        let why = rig
            .event("the connection is lost", |kind| match kind {
                VoiceEventKind::Lost { why } => Some(why.clone()),
                _ => None,
            })
            .await;
        assert!(why.contains(&code.to_string()), "{why}");
        rig.event("it is back", |kind| matches!(kind, VoiceEventKind::Restored { .. }).then_some(())).await;
        at = goes_on(&rig, at).await;
    }
}

pub(crate) async fn what_is_final_is_final() {
    let mut rig = Rig::start().await;
    for code in [4004, 4017, 4021, 4022] {
        playing(&mut rig).await;
        rig.close(code).await;
        let why = rig
            .event("it gives up", |kind| match kind {
                VoiceEventKind::GaveUp { why } => Some(why.clone()),
                VoiceEventKind::Restored { .. } | VoiceEventKind::Lost { .. } => panic!("{kind}"),
                _ => None,
            })
            .await;
        assert!(why.contains(&code.to_string()) && why.ends_with('.'), "{why}");
        let status = rig.status("it is out", |status| status.channel.is_none()).await;
        assert_eq!(status.connection, ConnectionState::Disconnected);
        // The position is kept for when the bot joins again.
        assert!(status.current.unwrap().position > Duration::ZERO);
        rig.player().join(rig.channel(0)).await.unwrap();
        rig.hear(1, LONG as usize).await;
        rig.player().leave().await.unwrap();
    }
}

pub(crate) async fn a_moderators_move_plays_on() {
    let mut rig = Rig::start().await;
    let at = playing(&mut rig).await;
    rig.enter("bob", 1).await;
    let bot = rig.bot().to_owned();
    rig.enter(&bot, 1).await;
    let from = rig
        .event("it is moved", |kind| match kind {
            VoiceEventKind::Moved { from } => Some(*from),
            VoiceEventKind::Left { .. } | VoiceEventKind::GaveUp { .. } => panic!("{kind}"),
            _ => None,
        })
        .await;
    assert_eq!(from, rig.channel(0));
    let at = goes_on(&rig, at).await;
    assert_eq!(rig.player().status().channel, Some(rig.channel(1)));
    // And back, by a command.
    rig.player().join(rig.channel(0)).await.unwrap();
    goes_on(&rig, at).await;
    assert_eq!(rig.player().status().channel, Some(rig.channel(0)));
    // None of this is logged as a warning.
    let lines = log::lines();
    assert!(lines.iter().all(|(level, _)| *level >= Level::INFO), "{lines:#?}");
    let moves = |(level, line): &&(Level, String)| {
        *level == Level::INFO && line.contains("moved to another voice channel")
    };
    assert_eq!(lines.iter().filter(moves).count(), 2, "{lines:#?}");
}

pub(crate) async fn a_moderators_disconnect_ends_it() {
    let mut rig = Rig::start().await;
    playing(&mut rig).await;
    let bot = rig.bot().to_owned();
    rig.leave(&bot).await;
    left(&mut rig).await;
    let status = rig.status("it is out", |status| status.channel.is_none()).await;
    assert!(status.current.is_none() && status.upcoming.is_empty());
    assert_eq!(rig.player().leave().await, Err(VoiceError::NotConnected));
}

/// Waits until the bot has left, and has not come back.
async fn left(rig: &mut Rig) {
    let why = rig
        .event("it has left", |kind| match kind {
            VoiceEventKind::Left { why } => Some(why.clone()),
            VoiceEventKind::Restored { .. } | VoiceEventKind::Joined => panic!("{kind}"),
            _ => None,
        })
        .await;
    assert!(why.contains("disconnected"), "{why}");
}

pub(crate) async fn a_disconnect_without_a_word_ends_it() {
    let mut rig = Rig::start().await;
    playing(&mut rig).await;
    rig.close(4014).await;
    left(&mut rig).await;
    let status = rig.status("it is out", |status| status.channel.is_none()).await;
    assert_eq!(status.connection, ConnectionState::Disconnected);
}

pub(crate) async fn a_join_after_a_disconnect_without_a_word_joins_at_once() {
    for channel in [0, 1] {
        let mut rig = Rig::start().await;
        let at = playing(&mut rig).await;
        rig.close(4014).await;
        rig.status("the connection is gone", |status| status.connection != ConnectionState::Connected).await;
        rig.player().join(rig.channel(channel)).await.unwrap();
        let status = rig.player().status();
        assert_eq!(
            (status.connection, status.channel),
            (ConnectionState::Connected, Some(rig.channel(channel)))
        );
        rig.enter("bob", channel).await;
        goes_on(&rig, at).await;
    }
}

pub(crate) async fn a_change_of_region_plays_on() {
    let mut rig = Rig::start().await;
    let at = playing(&mut rig).await;
    let (guild, channel) = (rig.guild.to_string(), rig.channel(0).to_string());
    rig.people.change_region(&guild, &channel, None).await.unwrap();
    rig.event("it is back", |kind| match kind {
        VoiceEventKind::Restored { .. } => Some(()),
        VoiceEventKind::Left { .. } | VoiceEventKind::GaveUp { .. } => panic!("{kind}"),
        _ => None,
    })
    .await;
    goes_on(&rig, at).await;
}

pub(crate) async fn a_server_that_never_answers_is_told() {
    let rig = Rig::start().await;
    let withheld = VoiceServerRule { effect: VoiceServerEffect::Withhold, ..VoiceServerRule::default() };
    rig.people.add_fault(&Rule::new(On::VoiceServer(withheld))).await.unwrap();
    let why = rig.player().join(rig.channel(0)).await.unwrap_err();
    assert!(matches!(&why, VoiceError::JoinFailed(why) if why.contains("did not answer")), "{why:?}");
    assert_eq!(rig.player().status().connection, ConnectionState::Disconnected);
    rig.people.remove_fault(None).await.unwrap();

    let refused = VoiceConnectRule { effect: VoiceConnectEffect::Refuse { status: 503 } };
    rig.people.add_fault(&Rule::new(On::VoiceConnect(refused))).await.unwrap();
    let why = rig.player().join(rig.channel(0)).await.unwrap_err();
    assert!(matches!(&why, VoiceError::JoinFailed(why) if why.contains("cannot be reached")), "{why:?}");
    rig.people.remove_fault(None).await.unwrap();
    rig.join().await;
}

pub(crate) async fn a_new_gateway_session_takes_the_call_along() {
    let mut rig = Rig::start().await;
    let at = playing(&mut rig).await;
    let invalid = sandbox::gateway::Command::InvalidSession { resumable: false };
    rig.people.gateway(&sandbox::gateway::Target::default(), &invalid).await.unwrap();
    rig.event("it is back", |kind| matches!(kind, VoiceEventKind::Restored { .. }).then_some(())).await;
    goes_on(&rig, at).await;
}

pub(crate) async fn a_disconnect_while_it_tries_again_ends_it() {
    let mut rig = Rig::start().await;
    playing(&mut rig).await;
    rig.refuse_connections().await;
    rig.close(4006).await;
    rig.status(
        "it has tried several times",
        |status| matches!(status.connection, ConnectionState::Rejoining { attempt } if attempt >= 3),
    )
    .await;
    let bot = rig.bot().to_owned();
    rig.leave(&bot).await;
    left(&mut rig).await;
    rig.people.remove_fault(None).await.unwrap();
    assert_eq!(rig.player().status().connection, ConnectionState::Disconnected);
    let present = rig.people.voice(&rig.guild.to_string()).await.unwrap();
    assert!(present.iter().all(|state| state["bot"] == false), "{present:?}");
    // The echo of its own leaves is not taken for a moderator's disconnect.
    playing(&mut rig).await;
}

pub(crate) async fn a_move_to_where_it_cannot_be_heard_is_told() {
    let mut rig = Rig::start().await;
    playing(&mut rig).await;
    rig.enter("bob", 1).await;
    rig.refuse_connections().await;
    let bot = rig.bot().to_owned();
    rig.enter(&bot, 1).await;
    let why = rig
        .event("it gives up", |kind| match kind {
            VoiceEventKind::GaveUp { why } => Some(why.clone()),
            VoiceEventKind::Moved { .. } | VoiceEventKind::Joined => panic!("{kind}"),
            _ => None,
        })
        .await;
    assert!(why.contains("cannot be reached") && why.ends_with('.'), "{why}");
    let status = rig.status("it is out", |status| status.channel.is_none()).await;
    assert!(status.current.unwrap().position > Duration::ZERO);
    rig.people.remove_fault(None).await.unwrap();
    rig.player().join(rig.channel(1)).await.unwrap();
    goes_on(&rig, 0.5).await;
}

pub(crate) async fn a_join_that_fails_goes_back_to_where_it_played() {
    let mut rig = Rig::start().await;
    let at = playing(&mut rig).await;
    let withheld = VoiceServerRule { effect: VoiceServerEffect::Withhold, ..VoiceServerRule::default() };
    rig.people.add_fault(&Rule::new(On::VoiceServer(withheld)).times(1)).await.unwrap();
    let why = rig.player().join(rig.channel(1)).await.unwrap_err();
    assert!(matches!(&why, VoiceError::JoinFailed(why) if why.contains("did not answer")), "{why:?}");
    rig.event("it is back", |kind| match kind {
        VoiceEventKind::Restored { .. } => Some(()),
        VoiceEventKind::Left { .. } | VoiceEventKind::GaveUp { .. } => panic!("{kind}"),
        _ => None,
    })
    .await;
    assert_eq!(rig.player().status().channel, Some(rig.channel(0)));
    goes_on(&rig, at).await;
}

pub(crate) async fn a_join_that_fails_leaves_nothing_open() {
    let mut rig = Rig::start().await;
    playing(&mut rig).await;
    rig.close(4017).await;
    rig.event("it gives up", |kind| matches!(kind, VoiceEventKind::GaveUp { .. }).then_some(())).await;
    rig.refuse_connections().await;
    rig.player().join(rig.channel(0)).await.unwrap_err();
    let status = rig.status("it is out", |status| status.channel.is_none()).await;
    // The source that was opened for it is closed again, and the position is kept.
    let current = status.current.unwrap();
    assert!(!current.opening && current.number == 0 && current.position > Duration::ZERO, "{current:?}");
    rig.people.remove_fault(None).await.unwrap();
    rig.player().join(rig.channel(0)).await.unwrap();
    goes_on(&rig, 0.5).await;
}
