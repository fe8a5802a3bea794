//! The picture of a guild's widget, in each of Discord's styles, and pictures of members without one.

use super::{BLURPLE, Canvas, Color, DARK, DARKER, GREEN, GREY, WHITE};

/// Width of all styles but the shield.
const WIDTH: usize = 320;
/// Longest name of a guild that is written, in characters.
const LONGEST_NAME: usize = 17;

/// Style of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// A small shield with the number of members who are online.
    Shield,
    /// Name and number, with a line below.
    Banner1,
    /// Name and number, with a mark on the right.
    Banner2,
    /// Name and number, with a mark and an invitation below.
    Banner3,
    /// A mark on top, name and number, and a button below.
    Banner4,
}

impl Style {
    /// All styles with their names.
    pub(crate) const ALL: [(&'static str, Self); 5] = [
        ("shield", Self::Shield),
        ("banner1", Self::Banner1),
        ("banner2", Self::Banner2),
        ("banner3", Self::Banner3),
        ("banner4", Self::Banner4),
    ];
}

/// Returns the picture of a widget as PNG.
pub(crate) fn widget(style: Style, name: &str, online: usize) -> Vec<u8> {
    let name: String = name.chars().take(LONGEST_NAME).collect();
    let canvas = match style {
        Style::Shield => shield(online),
        Style::Banner1 => {
            let mut canvas = banner(76, 0, &name, online);
            canvas.rectangle(0, 56, WIDTH, 20, DARKER);
            canvas.text(100, 63, 1, GREY, "POWERED BY SANDBOX");
            canvas
        }
        Style::Banner2 => {
            let mut canvas = banner(56, 0, &name, online);
            canvas.rectangle(WIDTH - 56, 0, 56, 56, BLURPLE);
            mark(&mut canvas, WIDTH - 44, 16, 2, BLURPLE);
            canvas
        }
        Style::Banner3 => {
            let mut canvas = banner(92, 0, &name, online);
            canvas.rectangle(0, 56, WIDTH, 36, BLURPLE);
            mark(&mut canvas, 12, 66, 1, BLURPLE);
            canvas.text(WIDTH - 112, 69, 2, WHITE, "CHAT NOW");
            canvas
        }
        Style::Banner4 => {
            let mut canvas = banner(164, 64, &name, online);
            canvas.rectangle(0, 0, WIDTH, 64, BLURPLE);
            mark(&mut canvas, 136, 16, 3, BLURPLE);
            canvas.rectangle(12, 126, WIDTH - 24, 28, GREEN);
            canvas.text(70, 135, 2, WHITE, "JOIN MY SERVER");
            canvas
        }
    };
    canvas.png()
}

/// Returns the picture of a member without one, as PNG: a disc in the colour of this number.
pub(crate) fn avatar(number: u64) -> Vec<u8> {
    const COLORS: [Color; 6] =
        [BLURPLE, GREY, GREEN, [0xfa, 0xa6, 0x1a], [0xed, 0x42, 0x45], [0xeb, 0x45, 0x9e]];
    let color = COLORS[usize::try_from(number % 6).unwrap_or(0)];
    let mut canvas = Canvas::new(64, 64, color);
    canvas.disc(20, 12, 24, WHITE);
    canvas.disc(10, 40, 44, WHITE);
    canvas.png()
}

/// Returns the banner of a pack of stickers, as PNG: a disc in each of these colours.
pub(crate) fn lights(colors: &[Color]) -> Vec<u8> {
    let mut canvas = Canvas::new(64 * colors.len(), 64, DARKER);
    for (place, color) in colors.iter().enumerate() {
        canvas.disc(64 * place + 8, 8, 48, *color);
    }
    canvas.png()
}

fn shield(online: usize) -> Canvas {
    let text = format!("{online} ONLINE");
    let right = 10 + text.len() * 6;
    let mut canvas = Canvas::new(26 + right, 20, BLURPLE);
    canvas.rectangle(0, 0, 26, 20, DARK);
    mark(&mut canvas, 5, 4, 1, DARK);
    canvas.text(32, 8, 1, WHITE, &text);
    canvas
}

/// Returns a banner with the icon, the name and the number of members who are online below `top`.
fn banner(height: usize, top: usize, name: &str, online: usize) -> Canvas {
    let mut canvas = Canvas::new(WIDTH, height, DARK);
    canvas.disc(10, top + 8, 40, GREY);
    if let Some(first) = name.chars().next() {
        canvas.text(23, top + 20, 3, DARKER, &first.to_string());
    }
    canvas.text(60, top + 14, 2, WHITE, name);
    canvas.disc(60, top + 33, 9, GREEN);
    canvas.text(74, top + 35, 1, GREY, &format!("{online} ONLINE"));
    canvas
}

/// Draws the sandbox's mark, a face with two eyes, 16 by 12 squares of this size.
fn mark(canvas: &mut Canvas, x: usize, y: usize, scale: usize, eyes: Color) {
    canvas.rectangle(x + 2 * scale, y, 12 * scale, 12 * scale, WHITE);
    canvas.rectangle(x, y + 3 * scale, 16 * scale, 6 * scale, WHITE);
    canvas.rectangle(x + 4 * scale, y + 4 * scale, 2 * scale, 4 * scale, eyes);
    canvas.rectangle(x + 10 * scale, y + 4 * scale, 2 * scale, 4 * scale, eyes);
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::state::picture::dimensions;

    #[test]
    fn every_style_is_a_picture_of_its_own_that_depends_on_what_it_shows() {
        let sizes = [(84, 20), (320, 76), (320, 56), (320, 92), (320, 164)];
        let mut all = HashSet::new();
        for ((_, style), size) in Style::ALL.into_iter().zip(sizes) {
            assert_eq!(dimensions(&widget(style, "Tea & cake", 3)), Some(size), "{style:?}");
            for (name, online) in [("Tea & cake", 3), ("Tea & cake", 4)] {
                assert!(all.insert(widget(style, name, online)), "{style:?} {name} {online}");
            }
        }
        assert!(all.insert(widget(Style::Banner1, "Coffee", 3)));
    }

    #[test]
    fn any_name_is_drawn() {
        for name in ["", "\u{1f431}", &"w".repeat(100)] {
            assert_eq!(dimensions(&widget(Style::Banner2, name, usize::MAX)), Some((320, 56)));
        }
    }
}
