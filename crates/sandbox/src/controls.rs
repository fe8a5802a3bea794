//! Control characters in texts that others wrote.
//!
//! Names, messages and answers are written by users and bots, and a terminal executes control characters: they can hide
//! lines, set its title, or type for its user.

use std::fmt::Write as _;

/// Returns whether a character controls the terminal or the direction of text around it, or breaks a line in some
/// readers: C0, DEL and C1, Unicode's bidirectional controls (UAX #9, and the deprecated ones beside them), and its
/// line separators.
pub fn is_control(character: char) -> bool {
    matches!(character,
        '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2066}'..='\u{206f}')
}

/// Returns text that is safe within a line of a terminal: controls as escapes, such as `\u{1b}` and `\n`, and a tab as
/// four spaces.
pub fn escape(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\t' => shown.push_str("    "),
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            character if is_control(character) => {
                let _ = write!(shown, "\\u{{{:x}}}", u32::from(character));
            }
            character => shown.push(character),
        }
    }
    shown
}
