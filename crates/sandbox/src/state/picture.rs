//! Width and height of a picture, read from its first bytes, its media type, and pictures in bodies.

use std::hash::{DefaultHasher, Hash, Hasher};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{File, World};
use crate::error::{ApiError, ApiResult, FieldError};
use crate::snowflake::Snowflake;

/// A picture that was sent in a body.
#[derive(Debug, Clone)]
pub struct Picture {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Whether it is a GIF, which can be animated.
    pub gif: bool,
}

impl Picture {
    /// Returns the hash under which Discord would serve it: the same for the same bytes, and with a mark if it is
    /// animated.
    pub fn hash(&self, animated: bool) -> String {
        let part = |salt: u8| {
            let mut hasher = DefaultHasher::new();
            (salt, &self.bytes).hash(&mut hasher);
            hasher.finish()
        };
        format!("{}{:016x}{:016x}", if self.gif && animated { "a_" } else { "" }, part(0), part(1))
    }
}

/// Returns the number under which the picture with this hash is among the files of a world: half of the hash.
fn file_id(hash: &str) -> Option<Snowflake> {
    let digits = hash.strip_prefix("a_").unwrap_or(hash).get(..16)?;
    u64::from_str_radix(digits, 16).ok().map(Snowflake)
}

impl World {
    /// Keeps a picture, such as an avatar, and returns its hash. It stays when another takes its place, as old messages of a
    /// webhook have its hash.
    pub fn keep_picture(&mut self, bytes: Vec<u8>, animated: bool) -> String {
        let kind = sniff(&bytes).unwrap_or("application/octet-stream");
        let picture = Picture { gif: kind == "image/gif", bytes };
        let hash = picture.hash(animated);
        if let Some(id) = file_id(&hash) {
            let bytes = picture.bytes.into();
            self.files.insert(id, File { filename: hash.clone(), content_type: kind.to_owned(), bytes });
        }
        hash
    }

    /// Returns the picture with this hash, if it was kept.
    pub fn picture(&self, hash: &str) -> Option<&File> {
        self.files.get(&file_id(hash)?).filter(|file| file.filename == hash)
    }
}

/// Reads a picture from a `data:` URI at this field of a body.
///
/// # Errors
/// Discord's error of the field, if it is no picture.
pub fn read(data: &str, field: &str) -> ApiResult<Picture> {
    let wrong = || ApiError::field(&[field], FieldError::new("IMAGE_INVALID", "Invalid image data"));
    let (head, encoded) = data.split_once(',').ok_or_else(wrong)?;
    if !head.starts_with("data:image/") || !head.ends_with(";base64") {
        return Err(wrong());
    }
    let bytes = STANDARD.decode(encoded.trim()).map_err(|_| wrong())?;
    let is_avif = bytes.get(4..12) == Some(b"ftypavif");
    let kind = sniff(&bytes);
    if kind.is_none() && !is_avif {
        return Err(wrong());
    }
    Ok(Picture { gif: kind == Some("image/gif"), bytes })
}

pub use discord_rules::media::picture::sniff;

/// Returns the width and height of a PNG, GIF or JPEG.
pub fn dimensions(bytes: &[u8]) -> Option<(u32, u32)> {
    match sniff(bytes)? {
        "image/png" => Some((be32(bytes, 16)?, be32(bytes, 20)?)),
        "image/gif" => Some((le16(bytes, 6)?, le16(bytes, 8)?)),
        "image/jpeg" => jpeg(bytes),
        _ => None,
    }
}

/// Reads the segments of a JPEG up to its frame header, and returns width and height.
fn jpeg(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut at = 2;
    loop {
        let [0xff, marker] = *bytes.get(at..at + 2)? else { return None };
        let length = usize::try_from(be16(bytes, at + 2)?).ok()?;
        let frame = matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc);
        if frame {
            return Some((be16(bytes, at + 7)?, be16(bytes, at + 5)?));
        }
        at += 2 + length;
    }
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn be16(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?).into())
}

fn le16(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?).into())
}

/// Returns the media type by the extension of a file's name.
pub fn content_type_of(filename: &str) -> &'static str {
    let extension = filename.rsplit_once('.').map(|(_, end)| end.to_ascii_lowercase());
    match extension.as_deref() {
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("gif") => "image/gif",
        Some("webp") => "image/webp",
        Some("txt" | "log") => "text/plain; charset=utf-8",
        Some("md") => "text/markdown; charset=utf-8",
        Some("csv") => "text/csv; charset=utf-8",
        Some("json") => "application/json",
        Some("pdf") => "application/pdf",
        Some("zip") => "application/zip",
        Some("mp3") => "audio/mpeg",
        Some("ogg") => "audio/ogg",
        Some("wav") => "audio/x-wav",
        Some("flac") => "audio/flac",
        Some("mp4") => "video/mp4",
        Some("webm") => "video/webm",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_png_and_a_gif_tell_their_size() {
        let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        png.extend([0, 0, 1, 0, 0, 0, 0, 64]);
        assert_eq!(dimensions(&png), Some((256, 64)));
        assert_eq!(dimensions(b"GIF89a\x10\0\x20\0"), Some((16, 32)));
    }

    #[test]
    fn a_picture_is_read_from_a_body() {
        let gif = read("data:image/gif;base64,R0lGODlh", "icon").unwrap();
        assert!(gif.gif && gif.hash(true).starts_with("a_") && !gif.hash(false).starts_with("a_"));
        assert_eq!(gif.hash(false), read("data:image/png;base64,R0lGODlh", "icon").unwrap().hash(false));
        for bad in [
            "",
            "R0lGODlh",
            "data:image/png;base64,",
            "data:image/png;base64,AAAA",
            "data:text/plain;base64,R0lGODlh",
            "data:image/gif,GIF89a",
        ] {
            let error = read(bad, "icon").unwrap_err();
            assert_eq!(error.errors().unwrap().at(&["icon"])[0].code, "IMAGE_INVALID", "{bad}");
        }
    }

    #[test]
    fn a_picture_is_kept_under_its_hash() {
        let mut world = World::default();
        let hash = world.keep_picture(b"GIF89a".to_vec(), true);
        assert!(hash.starts_with("a_"));
        assert_eq!(world.picture(&hash).map(|file| &*file.content_type), Some("image/gif"));
        for other in ["", "a_", "0123", &hash[2..], &format!("{}0", &hash[..hash.len() - 1])] {
            assert!(other == hash || world.picture(other).is_none(), "{other}");
        }
    }

    #[test]
    fn a_jpeg_tells_its_size_past_other_segments() {
        let bytes = [0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, 0xff, 0xc0, 0, 11, 8, 0, 48, 0, 96, 1, 1, 0x11, 0];
        assert_eq!(dimensions(&bytes), Some((96, 48)));
    }

    proptest! {
        #[test]
        fn any_bytes_are_looked_at_without_a_panic(bytes: Vec<u8>, head in 0..3) {
            let heads: [&[u8]; 3] = [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a"];
            let mut all = heads[usize::try_from(head).unwrap_or(0)].to_vec();
            all.extend(bytes);
            let _ = dimensions(&all);
        }
    }
}
