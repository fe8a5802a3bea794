//! Small pictures: rectangles, text and discs on a canvas, encoded as PNG. Those of a guild's widget are drawn with it.

mod font;
mod png;
mod widget;

pub(crate) use widget::{Style, avatar, lights, widget};

/// Red, green, blue.
type Color = [u8; 3];

const WHITE: Color = [0xff, 0xff, 0xff];
const BLURPLE: Color = [0x58, 0x65, 0xf2];
const GREEN: Color = [0x23, 0xa5, 0x5a];
const DARK: Color = [0x2b, 0x2d, 0x31];
const DARKER: Color = [0x1e, 0x1f, 0x22];
const GREY: Color = [0x94, 0x9b, 0xa4];

/// A picture that is being drawn. What lies outside is not drawn.
#[derive(Debug, Clone)]
struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<Color>,
}

impl Canvas {
    fn new(width: usize, height: usize, color: Color) -> Self {
        Self { width, height, pixels: vec![color; width * height] }
    }

    fn set(&mut self, x: usize, y: usize, color: Color) {
        if x < self.width
            && let Some(pixel) = self.pixels.get_mut(y * self.width + x)
        {
            *pixel = color;
        }
    }

    fn rectangle(&mut self, x: usize, y: usize, width: usize, height: usize, color: Color) {
        for row in y..y + height {
            for column in x..x + width {
                self.set(column, row, color);
            }
        }
    }

    /// Draws a disc into the square at this corner.
    fn disc(&mut self, x: usize, y: usize, size: usize, color: Color) {
        for row in 0..size {
            for column in 0..size {
                let distance = |place: usize| (2 * place + 1).abs_diff(size);
                if distance(row).pow(2) + distance(column).pow(2) <= size * size {
                    self.set(x + column, y + row, color);
                }
            }
        }
    }

    /// Draws text whose pixels are squares of this size, and returns where it ends.
    fn text(&mut self, x: usize, y: usize, scale: usize, color: Color, text: &str) -> usize {
        let mut left = x;
        for c in text.chars() {
            for (row, bits) in font::glyph(c).into_iter().enumerate() {
                for column in (0..font::WIDTH).filter(|column| bits >> (font::WIDTH - 1 - column) & 1 == 1) {
                    self.rectangle(left + column * scale, y + row * scale, scale, scale, color);
                }
            }
            left += (font::WIDTH + 1) * scale;
        }
        left
    }
}
