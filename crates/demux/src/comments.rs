//! Vorbis comments, as Ogg and FLAC hold them: <https://xiph.org/vorbis/doc/v-comment.html>.

use crate::bytes::Cursor;
use crate::tags::{Kind, Tags};

/// Reads comments; those before the point where they are cut off count.
pub(crate) fn read(bytes: &[u8], tags: &mut Tags) {
    let _ = all(Cursor(bytes), tags);
}

fn all(mut bytes: Cursor<'_>, tags: &mut Tags) -> Option<()> {
    let vendor = bytes.u32_le()?;
    bytes.take_long(vendor)?;
    for _ in 0..bytes.u32_le()? {
        let length = bytes.u32_le()?;
        let comment = bytes.take_long(length)?;
        let at = comment.iter().position(|byte| *byte == b'=').unwrap_or(comment.len());
        let (name, text) = comment.split_at(at);
        if let (Some(kind), [b'=', text @ ..]) = (std::str::from_utf8(name).ok().and_then(Kind::of), text) {
            tags.note(kind, &String::from_utf8_lossy(text));
        }
    }
    Some(())
}
