//! Whether the bot can be heard in its channel: on a stage it must become a speaker.
//!
//! Source: "Modify Current User Voice State" in Discord's documentation: a user who joins a stage is in its audience; a
//! member with MUTE_MEMBERS can become a speaker directly, one with REQUEST_TO_SPEAK may ask to be made one.

use std::time::Duration;

use futures_util::future::BoxFuture;
use serenity::all::{ChannelId, EditVoiceState, GuildId, Http, HttpError, Mentionable as _, StatusCode};
use tokio::time::timeout;

/// Longest wait for Discord to make the bot a speaker.
const WITHIN: Duration = Duration::from_secs(15);

/// The bot's state in a channel, as far as being heard is concerned.
#[derive(Debug, Default)]
pub(super) struct StageSpeaker {
    place: Option<Place>,
    is_suppressed: bool,
    has_asked: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) channel: ChannelId,
    pub(super) is_stage: bool,
}

/// The player's reaction to a voice state.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Action {
    Nothing,
    /// The bot is to become a speaker.
    Ask(ChannelId),
    /// The bot cannot be heard. Contains the reason as a sentence.
    Tell(String),
}

/// The result of becoming a speaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Speaks,
    /// The bot may not make itself a speaker, and has asked to be made one.
    Requested,
    Refused,
    Failed,
}

impl StageSpeaker {
    /// Handles the bot's own voice state.
    pub(super) fn handle_state(&mut self, place: Option<Place>, is_suppressed: bool) -> Action {
        if self.place != place {
            *self = Self { place, ..Self::default() };
        }
        let Some(Place { channel, is_stage }) = place else { return Action::Nothing };
        let was_suppressed = std::mem::replace(&mut self.is_suppressed, is_suppressed);
        if was_suppressed || !is_suppressed {
            return Action::Nothing;
        }
        let name = channel.mention();
        match (is_stage, std::mem::replace(&mut self.has_asked, true)) {
            (true, false) => Action::Ask(channel),
            // A moderator has put the bot into the audience, to silence it.
            (true, true) => Action::Tell(format!(
                "I was put into the audience of {name}; invite me to speak there, and I play on."
            )),
            (false, _) => {
                Action::Tell(format!("Nobody hears me in {name}; give me the permission Speak there."))
            }
        }
    }

    /// Returns whether the music waits until the bot may speak on a stage.
    pub(super) fn waits(&self) -> bool {
        self.is_suppressed && self.place.is_some_and(|place| place.is_stage)
    }
}

impl Asked {
    /// Returns a sentence on why the bot does not speak; `None` if it does.
    pub(super) fn words(self, channel: ChannelId) -> Option<String> {
        let name = channel.mention();
        let way = "invite me to speak, or give me the permission Mute Members there";
        match self {
            Self::Speaks => None,
            Self::Requested => Some(format!("I have asked to speak on {name}; {way}.")),
            Self::Refused => Some(format!("I may neither speak on {name} nor ask to; {way}.")),
            Self::Failed => Some(format!("I could not become a speaker on {name}; {way}.")),
        }
    }
}

/// Makes the bot a speaker, or asks for that.
pub(super) fn ask(
    http: std::sync::Arc<Http>,
    guild: GuildId,
    channel: ChannelId,
) -> BoxFuture<'static, Asked> {
    let edit = async move |change: EditVoiceState| {
        use serenity::builder::Builder as _;
        change.execute(&*http, (guild, channel, None)).await
    };
    let asking = async move {
        match edit(EditVoiceState::new().suppress(false)).await {
            Ok(()) => return Asked::Speaks,
            Err(error) if is_forbidden(&error) => {}
            Err(error) => return failed(guild, &error),
        }
        match edit(EditVoiceState::new().request_to_speak(true)).await {
            Ok(()) => Asked::Requested,
            Err(error) if is_forbidden(&error) => Asked::Refused,
            Err(error) => failed(guild, &error),
        }
    };
    Box::pin(async move { timeout(WITHIN, asking).await.unwrap_or(Asked::Failed) })
}

fn is_forbidden(error: &serenity::Error) -> bool {
    matches!(error, serenity::Error::Http(HttpError::UnsuccessfulRequest(answer))
        if answer.status_code == StatusCode::FORBIDDEN)
}

fn failed(guild: GuildId, error: &serenity::Error) -> Asked {
    tracing::warn!(%guild, %error, "the bot could not become a speaker");
    Asked::Failed
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAGE: Place = Place { channel: ChannelId::new(7), is_stage: true };
    const ROOM: Place = Place { channel: ChannelId::new(8), is_stage: false };

    #[test]
    fn on_a_stage_the_bot_asks_once_and_waits_until_it_may_speak() {
        let mut speaker = StageSpeaker::default();
        assert_eq!(speaker.handle_state(Some(STAGE), true), Action::Ask(STAGE.channel));
        assert!(speaker.waits());
        assert_eq!(speaker.handle_state(Some(STAGE), true), Action::Nothing);
        assert_eq!(speaker.handle_state(Some(STAGE), false), Action::Nothing);
        assert!(!speaker.waits());
        let Action::Tell(words) = speaker.handle_state(Some(STAGE), true) else { panic!("it is told") };
        assert!(words.contains("audience of <#7>") && speaker.waits(), "{words}");
    }

    #[test]
    fn whoever_comes_back_asks_again() {
        let mut speaker = StageSpeaker::default();
        speaker.handle_state(Some(STAGE), true);
        assert_eq!(speaker.handle_state(None, false), Action::Nothing);
        assert!(!speaker.waits());
        assert_eq!(speaker.handle_state(Some(STAGE), true), Action::Ask(STAGE.channel));
    }

    #[test]
    fn without_the_permission_to_speak_nobody_waits_but_somebody_is_told() {
        let mut speaker = StageSpeaker::default();
        let Action::Tell(words) = speaker.handle_state(Some(ROOM), true) else { panic!("it is told") };
        assert!(words.contains("permission Speak") && !speaker.waits(), "{words}");
        assert_eq!(speaker.handle_state(Some(ROOM), true), Action::Nothing);
    }
}
