//! Stages, on which the bot must become a speaker to be heard.

use sdk_core::voice::{At, VoiceEventKind};
use serde_json::json;

use super::rig::Rig;

/// Similarity of the received audio to its source, after Opus.
const ALIKE: f64 = 0.9;
/// Length of the sound in seconds.
const LONG: u32 = 90;

/// Opens a stage with alice in its audience. Returns its index among the rig's channels.
async fn opened(rig: &mut Rig) -> usize {
    let stage = rig.open("forum", 13).await;
    rig.enter("alice", stage).await;
    stage
}

/// Waits for the sentence in which the bot reports that it cannot be heard.
async fn suppressed(rig: &mut Rig) -> String {
    rig.event("nobody hears it", |kind| match kind {
        VoiceEventKind::Suppressed { why } => Some(why.clone()),
        _ => None,
    })
    .await
}

/// Removes the Administrator permission from the bot.
async fn no_administrator(rig: &Rig) {
    let role = json!({ "deny": ["ADMINISTRATOR"], "allow": ["VIEW_CHANNEL", "CONNECT", "SPEAK"] });
    rig.people.edit_role(&rig.guild.to_string(), "Sandbot", &role).await.unwrap();
}

pub(crate) async fn with_the_permission_it_becomes_a_speaker() {
    let mut rig = Rig::start().await;
    let stage = opened(&mut rig).await;
    rig.player().join(rig.channel(stage)).await.unwrap();
    rig.player().enqueue(vec![rig.sound(1, LONG)], At::End).await.unwrap();
    let place = rig.hear(1, LONG as usize).await;
    assert!(place.likeness > ALIKE, "{place:?}");
    // A new session puts it into the audience again.
    rig.close(4006).await;
    rig.event("it is back", |kind| matches!(kind, VoiceEventKind::Restored { .. }).then_some(())).await;
    let again = rig.hear(1, LONG as usize).await;
    assert!(again.likeness > ALIKE && again.at > place.at, "{again:?} {place:?}");
}

pub(crate) async fn without_it_the_music_waits_until_a_moderator_lets_it_speak() {
    let mut rig = Rig::start().await;
    no_administrator(&rig).await;
    let stage = opened(&mut rig).await;
    let (guild, bot) = (rig.guild.to_string(), rig.bot().to_owned());
    rig.player().join(rig.channel(stage)).await.unwrap();
    rig.player().enqueue(vec![rig.sound(1, LONG)], At::End).await.unwrap();
    let why = suppressed(&mut rig).await;
    assert!(why.starts_with("I have asked to speak on <#"), "{why}");
    assert!(why.ends_with("give me the permission Mute Members there."), "{why}");
    let waiting = rig.status("it waits", |status| status.waits_to_speak).await;
    assert_eq!(waiting.current.unwrap().position.as_secs(), 0);
    let states = rig.people.voice(&guild).await.unwrap();
    let own = states.iter().find(|state| state["bot"] == true).unwrap();
    assert!(own["request_to_speak_timestamp"].is_string(), "{own}");

    rig.people.suppress_voice(&guild, &bot, false).await.unwrap();
    let place = rig.hear(1, LONG as usize).await;
    assert!(place.likeness > ALIKE, "{place:?}");
    // The bot does not act against a moderator who puts it into the audience, and nothing of the song is lost.
    rig.people.suppress_voice(&guild, &bot, true).await.unwrap();
    let why = suppressed(&mut rig).await;
    assert!(why.starts_with("I was put into the audience of <#"), "{why}");
    let held = rig.status("it waits again", |status| status.waits_to_speak).await;
    let held = held.current.unwrap().position.as_secs_f64();
    rig.people.suppress_voice(&guild, &bot, false).await.unwrap();
    let place = rig.hear(1, LONG as usize).await;
    assert!(place.likeness > ALIKE && place.at > held - 5.0, "{place:?} {held}");
}

pub(crate) async fn who_may_not_even_ask_is_told_so() {
    let mut rig = Rig::start().await;
    no_administrator(&rig).await;
    let stage = opened(&mut rig).await;
    let guild = rig.guild.to_string();
    let deny = json!({ "deny": ["REQUEST_TO_SPEAK"] });
    rig.people.edit_overwrite(&guild, "forum", "Sandbot", &deny).await.unwrap();
    rig.player().join(rig.channel(stage)).await.unwrap();
    let why = suppressed(&mut rig).await;
    assert!(why.starts_with("I may neither speak on <#"), "{why}");
}

pub(crate) async fn a_channel_in_which_it_may_not_speak_is_told() {
    let mut rig = Rig::start().await;
    no_administrator(&rig).await;
    rig.join().await;
    let (guild, bot) = (rig.guild.to_string(), rig.bot().to_owned());
    let deny = json!({ "deny": ["SPEAK"] });
    rig.people.edit_overwrite(&guild, "stage-two", "Sandbot", &deny).await.unwrap();
    rig.enter(&bot, 1).await;
    let why = suppressed(&mut rig).await;
    assert!(why.ends_with("give me the permission Speak there."), "{why}");
}
