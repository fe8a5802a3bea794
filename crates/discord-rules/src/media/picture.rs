//! Kinds of pictures, by their first bytes.

/// Returns the media type, if the bytes are those of a picture that Discord displays.
pub fn sniff(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        [_, _, _, _, b'f', b't', b'y', b'p', b'a', b'v', b'i', b'f' | b's', ..] => Some("image/avif"),
        _ => None,
    }
}

/// Returns whether a picture of this media type moves.
pub fn is_animated(kind: &str, bytes: &[u8]) -> bool {
    // The extended header of WebP has a flag for it; AVIF has a brand of its own for sequences.
    let webp = bytes.get(12..16) == Some(b"VP8X") && bytes.get(20).is_some_and(|flags| flags & 2 != 0);
    kind == "image/gif" || kind == "image/webp" && webp || bytes.get(8..12) == Some(b"avis")
}

/// Returns the extension of a file of this media type.
pub fn extension(kind: &str) -> &'static str {
    match kind {
        "image/jpeg" => "jpg",
        "image/gif" => "gif",
        "image/webp" => "webp",
        "image/avif" => "avif",
        _ => "png",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_is_known_by_its_header() {
        let webp = |flags| [b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0".as_slice(), &[flags]].concat();
        for (bytes, kind, moves) in [
            (b"GIF89a".to_vec(), "image/gif", true),
            (webp(2), "image/webp", true),
            (webp(16), "image/webp", false),
            (b"\0\0\0\x20ftypavif".to_vec(), "image/avif", false),
            (b"\0\0\0\x20ftypavis".to_vec(), "image/avif", true),
            (vec![0xff, 0xd8, 0xff], "image/jpeg", false),
        ] {
            assert_eq!(sniff(&bytes), Some(kind));
            assert_eq!(is_animated(kind, &bytes), moves, "{kind}");
        }
        assert_eq!(sniff(b"RIFF\0\0\0\0WAVE"), None);
    }
}
