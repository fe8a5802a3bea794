//! Text of others, made harmless for the place where it is shown.
//!
//! # Theory of operation
//!
//! Names, titles, lyrics, messages and the answers of servers are written by people whom nobody has checked. Shown as they
//! are, they could mention, link, format and hide; with Unicode's bidirectional controls they turn round what stands beside
//! them; and with a line break they write a line of a log. So all of them come through [`foreign`], once, where they are
//! shown and not where they are kept: only there it is known what does harm.
//!
//! Discord's client takes a backslash before any ASCII punctuation for "as it is". What has a meaning anywhere in a line is
//! escaped everywhere, what has one at the beginning of a line is escaped there, and pairs (`||`, `~~`) where they are
//! pairs, so that ordinary titles stay as they are. Mentions are switched off in messages as well, by their
//! `allowed_mentions`: Discord looks for those that notify somebody without regard to backslashes.
//!
//! Source: "Message Formatting" in Discord's documentation, and "Markdown Text 101" of its support pages.

use std::fmt::Write as _;

/// Ends a text that was cut.
const ELLIPSIS: char = '…';
/// Stands for a text of which nothing is left, since Discord refuses fields and buttons without text.
const NOTHING: char = '\u{fffd}';

/// Where text of others is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surface {
    /// Where Discord formats nothing: buttons, choices, footers, an embed's author, files. One line.
    Label,
    /// Within a line of formatted text: messages, and the titles, descriptions and fields of embeds.
    Line,
    /// Formatted text of several lines, whose line breaks stay.
    Lines,
    /// The same as a quotation: each line is marked, so that none could be anybody else's.
    Quote,
    /// Between two backticks of the caller.
    Code,
    /// A line of a log or a terminal; what cannot stand there is shown as an escape, such as `\n` and `\u{202e}`.
    Log,
}

/// Returns whether a character controls a terminal or the direction of text, or breaks lines.
///
/// These are C0, DEL and C1, Unicode's bidirectional controls (UAX #9, and the deprecated ones beside them), and its line
/// and paragraph separators.
pub const fn is_control(character: char) -> bool {
    matches!(character, '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{2028}' | '\u{2029}')
        || is_directional(character)
}

const fn is_directional(character: char) -> bool {
    matches!(character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{206f}')
}

/// Returns text of others as it may be shown on a surface, of at most `most` characters, escapes included.
///
/// Controls are gone and markup does nothing; what was cut off ends with an ellipsis. Of a text that is not empty something
/// is always shown.
///
/// All text that somebody else has written goes through here: titles, lyrics, names, messages, file names, words of servers.
pub fn foreign(text: &str, surface: Surface, most: usize) -> String {
    let mut shown = Shown { text: String::new(), length: 0, most, last: (0, 0), is_full: false };
    match surface {
        Surface::Log => log(text, &mut shown),
        Surface::Label => clean(text).trim().chars().for_each(|character| shown.push(&[character])),
        Surface::Code => {
            let text = clean(text);
            let characters = text.trim().chars();
            characters.for_each(|character| shown.push(&[if character == '`' { '\'' } else { character }]));
        }
        Surface::Line => line(clean(text).trim(), &mut shown),
        Surface::Lines | Surface::Quote => {
            let lines: Vec<_> = text.lines().map(clean).collect();
            // Blank lines around the text may have been controls alone.
            let begin = lines.iter().position(|line| !line.trim().is_empty()).unwrap_or(lines.len());
            let end = lines.iter().rposition(|line| !line.trim().is_empty()).map_or(begin, |last| last + 1);
            for (index, text) in lines[begin..end].iter().enumerate() {
                if index > 0 {
                    shown.push(&['\n']);
                }
                if surface == Surface::Quote {
                    shown.push(&['>', ' ']);
                }
                line(text.trim_end(), &mut shown);
            }
        }
    }
    if shown.text.is_empty() && !text.is_empty() {
        shown.push(&[NOTHING]);
    }
    shown.text
}

/// Returns a line without controls: those of direction are left out, others are blanks.
fn clean(text: &str) -> String {
    let characters = text.strip_suffix('\r').unwrap_or(text).chars();
    let kept = characters.filter(|character| !is_directional(*character));
    kept.map(|character| if is_control(character) { ' ' } else { character }).collect()
}

/// Shows a line without controls so that its markup does nothing.
fn line(text: &str, shown: &mut Shown) {
    for (index, character) in text.char_indices() {
        let (before, rest) = text.split_at(index);
        if is_markup(before, character, rest) {
            shown.push(&['\\', character]);
        } else {
            shown.push(&[character]);
        }
    }
}

/// Returns whether a character means something to Discord between these parts of its line; `rest` begins with it.
fn is_markup(before: &str, character: char, rest: &str) -> bool {
    match character {
        '\\' | '*' | '_' | '`' | '[' | ']' | '<' | '@' => true,
        // Twice they strike out and hide.
        '~' | '|' => rest[1..].starts_with(character) || before.ends_with(character),
        // An address would be a link.
        ':' => rest.starts_with("://"),
        // An invitation is one without a scheme, too.
        '/' => ["discord.gg", "discord.com/invite", "discordapp.com/invite"]
            .iter()
            .any(|invitation| ends_with_ignoring_case(before, invitation)),
        // At the beginning of a line they make headings, quotations and lists.
        '#' | '>' | '-' | '+' => before.trim_start().is_empty(),
        '.' => {
            let number = before.trim_start();
            !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
        }
        _ => false,
    }
}

fn ends_with_ignoring_case(text: &str, end: &str) -> bool {
    let from = text.len().checked_sub(end.len());
    from.and_then(|from| text.get(from..)).is_some_and(|last| last.eq_ignore_ascii_case(end))
}

/// Shows text in one line with its controls as escapes.
fn log(text: &str, shown: &mut Shown) {
    let mut escape = String::new();
    for character in text.chars() {
        if !is_control(character) {
            shown.push(&[character]);
            continue;
        }
        escape.clear();
        match character {
            '\n' => escape.push_str("\\n"),
            '\r' => escape.push_str("\\r"),
            '\t' => escape.push_str("\\t"),
            // Writing to a text does not fail.
            control => drop(write!(escape, "\\u{{{:x}}}", u32::from(control))),
        }
        shown.push(&escape.chars().collect::<Vec<_>>());
    }
}

/// Text that grows up to a length, by parts that are never cut.
struct Shown {
    text: String,
    /// Characters of the text.
    length: usize,
    most: usize,
    /// Bytes and characters before the last part.
    last: (usize, usize),
    is_full: bool,
}

impl Shown {
    fn push(&mut self, part: &[char]) {
        if self.is_full {
            return;
        }
        if self.length + part.len() > self.most {
            self.is_full = true;
            if self.length == self.most {
                self.text.truncate(self.last.0);
                self.length = self.last.1;
            }
            if self.most > 0 {
                self.text.push(ELLIPSIS);
            }
            return;
        }
        self.last = (self.text.len(), self.length);
        self.text.extend(part);
        self.length += part.len();
    }
}

#[cfg(test)]
mod tests;
