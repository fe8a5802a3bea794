//! The card of the current track: title, progress and buttons.

use std::time::Duration;

use sdk::prelude::*;
use sdk::text;
use sdk::voice::{ConnectionState, Current, Loop, PlayerStatus, Track};
use serenity::{
    ButtonStyle, CreateActionRow, CreateButton, CreateEmbed, CreateEmbedAuthor, CreateEmbedFooter,
};

use crate::bar::bar;
use crate::display;
use crate::look::{COLOR, Look};

/// Step in seconds in which the moving position is shown, so that a card is not edited every second.
const STEP: u64 = 5;
/// Maximum number of characters of a user's name; Discord allows 32.
const NAME: usize = 64;

/// The actions of the buttons. A card's buttons belong to one start of a track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Pause,
    Skip,
    Loop,
    Stop,
}

const ACTS: [(Act, &str); 4] =
    [(Act::Pause, "pause"), (Act::Skip, "skip"), (Act::Loop, "loop"), (Act::Stop, "stop")];

impl Act {
    /// Returns a button's custom id, for example `music:skip:17`.
    fn id(self, number: u64) -> String {
        let word = ACTS.iter().find(|(act, _)| *act == self).map_or("", |(_, word)| word);
        format!("music:{word}:{number}")
    }

    /// Parses a custom id after its prefix, for example `skip:17`.
    pub(crate) fn read(id: &str) -> Option<(Self, u64)> {
        let (word, number) = id.split_once(':')?;
        let (act, _) = ACTS.iter().find(|(_, name)| *name == word)?;
        Some((*act, number.parse().ok()?))
    }
}

/// Draws the card of the current track.
pub(crate) fn now(status: &PlayerStatus) -> Look {
    let Some(current) = &status.current else { return Look::text(idle(status)) };
    let embed = about(&current.track)
        .author(CreateEmbedAuthor::new(headline(status, current)))
        .description(progress(current))
        .footer(CreateEmbedFooter::new(footer(status, current)));
    let is_out = status.connection == ConnectionState::Disconnected;
    Look { embed, rows: if is_out { Vec::new() } else { vec![buttons(status, current)] } }
}

/// Draws the card that is posted when a track starts.
pub(crate) fn announcement(track: &Track) -> CreateEmbed {
    let mut facts: Vec<_> = track.artist.iter().map(|artist| display::plain(artist)).collect();
    facts.extend(display::length(track));
    let embed = about(track).author(CreateEmbedAuthor::new("Now playing")).description(facts.join(" · "));
    embed.footer(CreateEmbedFooter::new(asked(track)))
}

fn about(track: &Track) -> CreateEmbed {
    let mut embed = CreateEmbed::new().title(display::plain(&track.title)).color(COLOR);
    if let Some(url) = &track.url {
        embed = embed.url(url.as_str());
    }
    if let Some(artwork) = &track.artwork {
        embed = embed.thumbnail(artwork.as_str());
    }
    embed
}

fn idle(status: &PlayerStatus) -> &'static str {
    match status.connection {
        ConnectionState::Disconnected => "Nothing is playing, and I am in no voice channel; /play begins.",
        _ => "Nothing is playing; /play puts something on.",
    }
}

fn headline(status: &PlayerStatus, current: &Current) -> &'static str {
    match status.connection {
        ConnectionState::Disconnected => "Not connected; /join plays on",
        ConnectionState::Rejoining { .. } => "The connection is lost; on the way back",
        _ if status.waits_to_speak => "Waiting to speak on the stage",
        _ if current.paused_alone => "Paused until somebody listens",
        _ if current.paused => "Paused",
        _ if current.opening => "Loading",
        _ => "Now playing",
    }
}

fn progress(current: &Current) -> String {
    // A station sends its titles itself.
    let artist = current.title.as_deref().or(current.track.artist.as_deref()).map(display::plain);
    let position = if current.paused {
        current.position
    } else {
        Duration::from_secs(current.position.as_secs() / STEP * STEP)
    };
    let shown = text::clock(position);
    let line = match (current.track.duration, display::length(&current.track)) {
        (Some(length), Some(told)) => format!("{}\n{shown} / {told}", bar(position, length)),
        _ => format!("{shown}, open end"),
    };
    let dull =
        current.is_core_only.then(|| "HE-AAC: only the lower half of its spectrum is played".to_owned());
    artist.into_iter().chain([line]).chain(dull).collect::<Vec<_>>().join("\n")
}

fn footer(status: &PlayerStatus, current: &Current) -> String {
    let mut facts = vec![asked(&current.track), format!("volume {} %", status.volume)];
    if status.repeat != Loop::Off {
        facts.push(display::repeat(status.repeat).to_owned());
    }
    if let Some(next) = status.upcoming.first() {
        facts.push(format!("next: {}", foreign(&next.label(), Surface::Label, 60)));
    }
    facts.join(" · ")
}

/// Returns who requested a track. A footer shows no markup.
fn asked(track: &Track) -> String {
    match &track.requester {
        Some(requester) => format!("for {}", foreign(&requester.name, Surface::Label, NAME)),
        None => "chosen by autoplay".to_owned(),
    }
}

fn buttons(status: &PlayerStatus, current: &Current) -> CreateActionRow {
    let pause = if current.paused { "Resume" } else { "Pause" };
    let repeat = match status.repeat {
        Loop::Off => "Loop: off",
        Loop::Track => "Loop: track",
        Loop::Queue => "Loop: queue",
    };
    let button = |act: Act, label: &str, style: ButtonStyle| {
        CreateButton::new(act.id(current.number)).label(label).style(style)
    };
    CreateActionRow::Buttons(vec![
        button(Act::Pause, pause, ButtonStyle::Primary),
        button(Act::Skip, "Skip", ButtonStyle::Secondary),
        button(Act::Loop, repeat, ButtonStyle::Secondary),
        button(Act::Stop, "Stop", ButtonStyle::Danger),
    ])
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use sdk::voice::Playable;
    use serde_json::Value;

    use super::*;

    fn status(position: u64, length: Option<u64>) -> PlayerStatus {
        let mut track = Track::new("A *song*", Playable::Library { path: "song.ogg".to_owned() });
        track.duration = length.map(Duration::from_secs);
        let current = Current {
            track: Arc::new(track),
            title: None,
            is_core_only: false,
            number: 17,
            position: Duration::from_secs(position),
            opening: false,
            paused: false,
            paused_alone: false,
        };
        PlayerStatus {
            guild: serenity::GuildId::new(1),
            channel: Some(serenity::ChannelId::new(2)),
            connection: ConnectionState::Connected,
            current: Some(current),
            upcoming: Arc::new([]),
            history: Arc::new([]),
            repeat: Loop::Off,
            waits_to_speak: false,
            volume: 80,
            listeners: 1,
        }
    }

    fn shown(status: &PlayerStatus) -> (Value, Value) {
        let look = now(status);
        (serde_json::to_value(look.embed).unwrap(), serde_json::to_value(look.rows).unwrap())
    }

    #[test]
    fn a_card_changes_in_steps_while_it_plays_and_is_exact_when_paused() {
        assert_eq!(now(&status(85, Some(180))), now(&status(89, Some(180))));
        let (embed, _) = shown(&status(89, Some(180)));
        assert_eq!(embed["description"], "▬▬▬▬▬▬▬▬🔘▬▬▬▬▬▬▬▬▬\n1:25 / 3:00");
        let mut paused = status(89, Some(180));
        paused.current.as_mut().unwrap().paused = true;
        let (embed, rows) = shown(&paused);
        assert!(embed["description"].as_str().unwrap().ends_with("1:29 / 3:00"), "{embed}");
        assert_eq!(embed["author"]["name"], "Paused");
        assert_eq!(rows[0]["components"][0]["label"], "Resume");
    }

    #[test]
    fn a_track_without_an_end_has_no_bar() {
        let (embed, _) = shown(&status(63, None));
        assert_eq!(embed["description"], "1:00, open end");
        assert_eq!(embed["title"], r"A \*song\*");
        assert_eq!(embed["footer"]["text"], "chosen by autoplay · volume 80 %");
    }

    #[test]
    fn a_length_that_is_a_guess_and_a_sound_that_is_not_whole_are_told_so() {
        let mut guessed = status(85, Some(180));
        let current = guessed.current.as_mut().unwrap();
        Arc::make_mut(&mut current.track).is_about = true;
        current.is_core_only = true;
        let (embed, _) = shown(&guessed);
        let told = embed["description"].as_str().unwrap();
        assert!(told.contains("1:25 / about 3:00\nHE-AAC: only the lower half"), "{told}");
    }

    #[test]
    fn every_button_reads_back_with_the_start_it_is_for() {
        let (_, rows) = shown(&status(0, None));
        let buttons = rows[0]["components"].as_array().unwrap();
        let read = buttons.iter().map(|button| {
            let id = button["custom_id"].as_str().unwrap();
            Act::read(id.strip_prefix("music:").unwrap()).unwrap()
        });
        let expected = [Act::Pause, Act::Skip, Act::Loop, Act::Stop].map(|act| (act, 17));
        assert_eq!(read.collect::<Vec<_>>(), expected);
        for other in ["page:3", "skip", "skip:x", ""] {
            assert_eq!(Act::read(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_kept_while_the_bot_is_out_says_how_it_goes_on_and_has_no_buttons() {
        let mut out = status(89, Some(180));
        out.connection = ConnectionState::Disconnected;
        let (embed, rows) = shown(&out);
        assert_eq!(embed["author"]["name"], "Not connected; /join plays on");
        assert_eq!(rows, serde_json::json!([]));
    }

    #[test]
    fn nothing_on_has_no_buttons() {
        let mut idle = status(0, None);
        idle.current = None;
        assert_eq!(now(&idle).rows, []);
    }
}
