//! Files of stickers: PNG, APNG, GIF and Lottie, with Discord's limits ("Create Guild Sticker").

use serde_json::Value;

use super::bytes::{be16, be32, le16};
use crate::error::{ApiError, ApiResult};

/// Largest file, in bytes.
pub const MAX_BYTES: usize = 512 << 10;
/// Greatest width and height.
const MAX_SIDE: u32 = 320;
/// Most frames.
const MAX_FRAMES: u32 = 1000;
/// Longest animation, in seconds.
const MAX_SECONDS: f64 = 5.0;

/// Format of a sticker, by Discord's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[repr(u8)]
pub enum Format {
    /// A still picture.
    Png = 1,
    /// A PNG that moves.
    Apng = 2,
    /// A drawing that moves, in JSON.
    Lottie = 3,
    /// A GIF.
    Gif = 4,
}

impl Format {
    /// Returns the extension of the file's address.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Png | Self::Apng => "png",
            Self::Lottie => "json",
            Self::Gif => "gif",
        }
    }

    /// Returns the media type of the file.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Png | Self::Apng => "image/png",
            Self::Lottie => "application/json",
            Self::Gif => "image/gif",
        }
    }
}

/// Size and length of a picture.
#[derive(Debug, Default, PartialEq)]
struct Picture {
    width: u32,
    height: u32,
    frames: u32,
    seconds: f64,
}

/// Returns the format of a file that may be a sticker.
pub fn check(bytes: &[u8]) -> ApiResult<Format> {
    if bytes.len() > MAX_BYTES {
        return Err(ApiError::file_too_large());
    }
    let (format, picture) = match super::picture::sniff(bytes) {
        Some("image/png") => {
            let (animated, picture) = png(bytes).ok_or_else(ApiError::invalid_file)?;
            (if animated { Format::Apng } else { Format::Png }, picture)
        }
        Some("image/gif") => (Format::Gif, gif(bytes).ok_or_else(ApiError::invalid_file)?),
        Some(_) => return Err(ApiError::invalid_file()),
        None => (Format::Lottie, lottie(bytes)?),
    };
    if picture.width.max(picture.height) > MAX_SIDE {
        let lottie = format == Format::Lottie;
        return Err(if lottie { ApiError::lottie_dimensions() } else { ApiError::invalid_file() });
    }
    if picture.frames > MAX_FRAMES {
        return Err(ApiError::sticker_frames());
    }
    if picture.seconds > MAX_SECONDS {
        return Err(ApiError::sticker_duration());
    }
    Ok(format)
}

/// Reads the chunks of a PNG. Returns whether it moves, too.
fn png(bytes: &[u8]) -> Option<(bool, Picture)> {
    let mut picture = Picture { width: be32(bytes, 16)?, height: be32(bytes, 20)?, ..Picture::default() };
    let (mut at, mut animated) = (8, false);
    if bytes.get(12..16)? != b"IHDR" {
        return None;
    }
    loop {
        let length = usize::try_from(be32(bytes, at)?).ok()?;
        let data = at + 8;
        match bytes.get(at + 4..data)? {
            b"IEND" => return bytes.get(data..data + 4).map(|_| (animated, picture)),
            b"acTL" => {
                animated = true;
                picture.frames = be32(bytes, data)?;
            }
            b"fcTL" => {
                let parts = be16(bytes, data + 22)?;
                let parts = if parts == 0 { 100 } else { parts };
                picture.seconds += f64::from(be16(bytes, data + 20)?) / f64::from(parts);
            }
            _ => {}
        }
        // Each chunk ends with a checksum.
        at = data.checked_add(length)?.checked_add(4)?;
    }
}

/// Reads the blocks of a GIF.
fn gif(bytes: &[u8]) -> Option<Picture> {
    let mut picture = Picture { width: le16(bytes, 6)?, height: le16(bytes, 8)?, ..Picture::default() };
    let table = |flags: u8| if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) };
    let mut at = 13 + table(*bytes.get(10)?);
    loop {
        match *bytes.get(at)? {
            0x3b => return Some(picture),
            0x21 => {
                // A graphic control extension holds the delay of the next frame, in hundredths of a second.
                if *bytes.get(at + 1)? == 0xf9 {
                    picture.seconds += f64::from(le16(bytes, at + 4)?) / 100.0;
                }
                at = past_blocks(bytes, at + 2)?;
            }
            0x2c => {
                picture.frames += 1;
                at = past_blocks(bytes, at + 11 + table(*bytes.get(at + 9)?))?;
            }
            _ => return None,
        }
    }
}

/// Returns where a row of blocks of a GIF ends.
fn past_blocks(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *bytes.get(at)? {
            0 => return Some(at + 1),
            length => at += 1 + usize::from(length),
        }
    }
}

/// Reads a Lottie animation.
fn lottie(bytes: &[u8]) -> ApiResult<Picture> {
    let file: Value = serde_json::from_slice(bytes).map_err(|_| ApiError::lottie_json())?;
    let number = |key: &str| file[key].as_f64().ok_or_else(ApiError::lottie_json);
    let (width, height) = (number("w")?, number("h")?);
    let (rate, frames) = (number("fr")?, number("op")? - number("ip")?);
    if !file["layers"].is_array() {
        return Err(ApiError::lottie_json());
    }
    let is_picture = |asset: &Value| asset["p"].is_string();
    if file["assets"].as_array().is_some_and(|assets| assets.iter().any(is_picture)) {
        return Err(ApiError::lottie_raster());
    }
    if rate <= 0.0 {
        return Err(ApiError::sticker_frame_rate());
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturates, which is what is meant"
    )]
    let whole = |number: f64| number.ceil() as u32;
    Ok(Picture { width: whole(width), height: whole(height), frames: whole(frames), seconds: frames / rate })
}

#[cfg(test)]
mod tests;
