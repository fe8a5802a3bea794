//! The queue in pages.

use std::time::Duration;

use sdk::prelude::*;
use sdk::text;
use sdk::voice::{ConnectionState, PlayerStatus, Track};
use serenity::{CreateActionRow, CreateButton, CreateEmbed, CreateEmbedFooter, Mentionable as _};

use crate::display;
use crate::look::{COLOR, Look};

/// Number of tracks on one page.
const TRACKS: usize = 10;

/// Parses a custom id after its prefix, for example `page:3`. Pages count from 0.
pub(crate) fn read(id: &str) -> Option<usize> {
    id.strip_prefix("page:")?.parse().ok()
}

/// Returns the page to show for `page`: the last one if there are fewer by now.
pub(crate) fn within(status: &PlayerStatus, page: usize) -> usize {
    page.min(pages(status) - 1)
}

/// Draws a page of the queue, the last one if there are fewer.
pub(crate) fn page(status: &PlayerStatus, page: usize) -> Look {
    let (page, pages) = (within(status, page), pages(status));
    let first = page * TRACKS;
    let mut lines = vec![on(status)];
    if status.upcoming.is_empty() {
        lines.push("\nNothing waits; /play adds to the queue.".to_owned());
    }
    let waiting = status.upcoming.iter().enumerate().skip(first).take(TRACKS);
    lines.extend(waiting.map(|(index, track)| line(index + 1, track)));
    let embed = CreateEmbed::new()
        .title("Queue")
        .description(text::cut(lines.join("\n"), text::EMBED_DESCRIPTION))
        .color(COLOR)
        .footer(CreateEmbedFooter::new(footer(status, page, pages)));
    let rows = if pages > 1 { vec![buttons(page, pages)] } else { Vec::new() };
    Look { embed, rows }
}

fn pages(status: &PlayerStatus) -> usize {
    status.upcoming.len().div_ceil(TRACKS).max(1)
}

fn on(status: &PlayerStatus) -> String {
    match &status.current {
        None => "Nothing is playing.".to_owned(),
        Some(current) => {
            let what = match status.connection {
                ConnectionState::Disconnected => "Not connected, so that this waits",
                _ if current.paused => "Paused",
                _ => "Now",
            };
            format!("{what}: **{}**{}\n", display::linked(&current.track), length(&current.track))
        }
    }
}

fn line(number: usize, track: &Track) -> String {
    let asked = track.requester.as_ref().map(|requester| format!(" · {}", requester.id.mention()));
    format!("`{number}.` {}{}{}", display::linked(track), length(track), asked.unwrap_or_default())
}

fn length(track: &Track) -> String {
    display::length(track).map(|length| format!(" · {length}")).unwrap_or_default()
}

fn footer(status: &PlayerStatus, page: usize, pages: usize) -> String {
    let mut facts = Vec::new();
    if pages > 1 {
        facts.push(format!("Page {} of {pages}", page + 1));
    }
    facts.push(text::count(status.upcoming.len(), "track"));
    // Without the current track, whose remaining time decreases each second.
    let length =
        status.upcoming.iter().try_fold(Duration::ZERO, |sum, track| sum.checked_add(track.duration?));
    if let Some(length) = length.filter(|length| !length.is_zero()) {
        facts.push(text::clock(length));
    }
    facts.push(display::repeat(status.repeat).to_owned());
    facts.join(" · ")
}

fn buttons(page: usize, pages: usize) -> CreateActionRow {
    let button = |to: usize, label: &str, works: bool| {
        CreateButton::new(format!("music:page:{to}")).label(label).disabled(!works)
    };
    CreateActionRow::Buttons(vec![
        button(page.saturating_sub(1), "Back", page > 0),
        button(page + 1, "Next", page + 1 < pages),
    ])
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use sdk::voice::{Loop, Playable, Requester};
    use serde_json::Value;

    use super::*;

    fn status(waiting: usize) -> PlayerStatus {
        let track = |index: usize| {
            let mut track = Track::new(&format!("Song {index}"), Playable::Library { path: String::new() });
            track.duration = Some(Duration::from_mins(1));
            track.requester = Some(Requester { id: serenity::UserId::new(9), name: "Nine".to_owned() });
            Arc::new(track)
        };
        PlayerStatus {
            guild: serenity::GuildId::new(1),
            channel: None,
            connection: ConnectionState::Connected,
            current: None,
            upcoming: (1..=waiting).map(track).collect(),
            history: Arc::new([]),
            repeat: Loop::Queue,
            waits_to_speak: false,
            volume: 100,
            listeners: 0,
        }
    }

    fn shown(waiting: usize, at: usize) -> (String, String, Vec<(String, bool)>) {
        let look = page(&status(waiting), at);
        let embed = serde_json::to_value(look.embed).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let rows = serde_json::to_value(look.rows).unwrap();
        let buttons = rows.as_array().unwrap().iter().flat_map(|row| row["components"].as_array().unwrap());
        let buttons = buttons.map(|button| (text(&button["custom_id"]), button["disabled"] == true));
        (text(&embed["description"]), text(&embed["footer"]["text"]), buttons.collect())
    }

    #[test]
    fn ten_tracks_are_a_page_and_one_page_needs_no_buttons() {
        let (lines, footer, buttons) = shown(10, 0);
        assert_eq!(lines.matches("Song").count(), 10);
        assert!(lines.contains("`10.` Song 10 · 1:00 · <@9>"), "{lines}");
        assert_eq!(footer, "10 tracks · 10:00 · the queue repeats");
        assert_eq!(buttons, []);
        assert!(shown(0, 0).0.contains("Nothing waits"));
    }

    #[test]
    fn buttons_lead_from_page_to_page_and_end_at_the_ends() {
        let button = |page: usize, disabled| (format!("music:page:{page}"), disabled);
        let (lines, footer, buttons) = shown(25, 1);
        assert!(lines.contains("`11.`") && lines.contains("`20.`") && !lines.contains("`21.`"), "{lines}");
        assert!(footer.starts_with("Page 2 of 3 · 25 tracks"), "{footer}");
        assert_eq!(buttons, [button(0, false), button(2, false)]);
        assert_eq!(shown(25, 0).2, [button(0, true), button(1, false)]);
        assert_eq!(shown(25, 2).2, [button(1, false), button(3, true)]);
    }

    #[test]
    fn a_page_that_is_no_more_is_the_last_one() {
        assert_eq!(shown(25, 99), shown(25, 2));
        assert_eq!(within(&status(25), usize::MAX), 2);
        assert_eq!(read("page:3"), Some(3));
        assert_eq!(read("page:-1"), None);
    }

    #[test]
    fn the_longest_titles_fit_a_page() {
        let mut status = status(10);
        let long = |track: &Arc<Track>| {
            let mut track = Track::clone(track);
            track.title = "*".repeat(300);
            track.url = Some(format!("https://example.org/{}", "x".repeat(200)));
            Arc::new(track)
        };
        status.upcoming = status.upcoming.iter().map(long).collect();
        let embed = serde_json::to_value(page(&status, 0).embed).unwrap();
        let lines = embed["description"].as_str().unwrap();
        assert!(lines.chars().count() <= text::EMBED_DESCRIPTION && lines.contains("`10.`"), "{lines}");
    }
}
