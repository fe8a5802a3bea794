//! Untrusted text, made safe for the place where it is shown.
//!
//! # Theory of operation
//!
//! Names, titles, lyrics, messages and responses of servers are untrusted. Shown unchanged, they could mention, link,
//! format and hide; with Unicode's bidirectional controls they could reverse the text beside them; and with a line
//! break they could write a line of a log. So all of them pass through [`foreign`], once, when they are shown and not
//! when they are stored: only then it is known what is harmful.
//!
//! Discord's client takes a backslash before any ASCII punctuation as an escape. Characters that have a meaning
//! anywhere in a line are escaped everywhere, those that have one at the beginning of a line are escaped there, and
//! pairs (`||`, `~~`) only as pairs, so that ordinary titles stay unchanged. In messages, mentions are also switched
//! off by `allowed_mentions`, because Discord finds mentions that notify someone regardless of backslashes.
//!
//! Source: "Message Formatting" in Discord's documentation, and "Markdown Text 101" of its support pages.

use std::fmt::Write as _;

/// Marks the end of a text that was cut.
const ELLIPSIS: char = '…';
/// Replaces a text that would be empty, because Discord refuses fields and buttons without text.
const NOTHING: char = '\u{fffd}';

/// Where untrusted text is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surface {
    /// Unformatted text: buttons, choices, footers, an embed's author, files. One line.
    Label,
    /// Part of a line of formatted text: messages, and the titles, descriptions and fields of embeds.
    Line,
    /// Formatted text of several lines, which keeps its line breaks.
    Lines,
    /// Formatted text of several lines as a quotation: each line is marked, so that none looks like text of the bot.
    Quote,
    /// Between two backticks of the caller.
    Code,
    /// A line of a log or a terminal. Control characters are shown as escapes, such as `\n` and `\u{202e}`.
    Log,
}

/// Returns whether a character controls a terminal or the direction of text, or breaks lines.
///
/// These are C0, DEL and C1, Unicode's bidirectional controls (UAX #9, and related deprecated ones), and its line and
/// paragraph separators.
pub const fn is_control(character: char) -> bool {
    matches!(character, '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{2028}' | '\u{2029}')
        || is_directional(character)
}

const fn is_directional(character: char) -> bool {
    matches!(character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{206f}')
}

/// Returns untrusted text in a form that is safe on `surface`, with at most `most` characters, escapes included.
///
/// Control characters are removed and markup has no effect. A text that was cut ends with an ellipsis. The result is
/// empty only if `text` is.
///
/// All untrusted text has to pass through here: titles, lyrics, names, messages, file names, responses of servers.
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
            // Blank lines around the text may have consisted of control characters.
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

/// Returns a line without control characters: those of direction are removed, others are replaced by blanks.
fn clean(text: &str) -> String {
    let characters = text.strip_suffix('\r').unwrap_or(text).chars();
    let kept = characters.filter(|character| !is_directional(*character));
    kept.map(|character| if is_control(character) { ' ' } else { character }).collect()
}

/// Appends a line without control characters, with its markup escaped.
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

/// Returns whether a character has a meaning for Discord between these parts of its line. `rest` begins with it.
fn is_markup(before: &str, character: char, rest: &str) -> bool {
    match character {
        '\\' | '*' | '_' | '`' | '[' | ']' | '<' | '@' => true,
        // A pair strikes out or hides text.
        '~' | '|' => rest[1..].starts_with(character) || before.ends_with(character),
        // An address would become a link.
        ':' => rest.starts_with("://"),
        // An invitation needs no scheme.
        '/' => ["discord.gg", "discord.com/invite", "discordapp.com/invite"]
            .iter()
            .any(|invitation| ends_with_ignoring_case(before, invitation)),
        // At the beginning of a line they start headings, quotations and lists.
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

/// Appends text in one line with its control characters as escapes.
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
            // Writing to a string does not fail.
            control => drop(write!(escape, "\\u{{{:x}}}", u32::from(control))),
        }
        shown.push(&escape.chars().collect::<Vec<_>>());
    }
}

/// A text that grows up to a limit, by parts that are never split.
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
