//! ID3v2 tags, of versions 2.2 to 2.4, as described in <https://id3.org/id3v2.4.0-structure> and its predecessors.

use symphonia::core::errors::{Error, Result};
use symphonia::core::io::{MediaSourceStream, ReadBytes as _};

use crate::TAG;
use crate::bytes::{Cursor, skip, take};
use crate::tags::{Kind, Tags};

/// Reads a tag, as far as it is needed, and leaves the stream behind it.
pub(crate) fn read(stream: &mut MediaSourceStream, tags: &mut Tags) -> Result<()> {
    let mut header = [0; 10];
    stream.read_buf_exact(&mut header)?;
    let [b'I', b'D', b'3', version, _, flags, a, b, c, d] = header else {
        return Err(Error::DecodeError("no ID3v2 tag"));
    };
    let size = u64::from(synchsafe([a, b, c, d]));
    let kept = size.min(TAG as u64);
    let mut body = take(stream, kept, TAG)?;
    let footer = if version == 4 && flags & 0x10 != 0 { 10 } else { 0 };
    skip(stream, size - kept + footer)?;
    if flags & 0x80 != 0 && version < 4 {
        body = synchronised(&body);
    }
    // The frames before the point where a tag is cut off count.
    let _ = frames(Cursor(&body), version, flags, tags);
    Ok(())
}

fn frames(mut body: Cursor<'_>, version: u8, flags: u8, tags: &mut Tags) -> Option<()> {
    if version >= 3 && flags & 0x40 != 0 {
        let size = body.array()?;
        let size = if version == 3 { u32::from_be_bytes(size) } else { synchsafe(size).checked_sub(4)? };
        body.take_long(size)?;
    }
    loop {
        let (kind, size, flags) = match version {
            2 => (kind(body.take(3)?), body.u24()?, 0),
            3 => (kind(body.take(4)?), body.u32()?, body.u16()?),
            4 => (kind(body.take(4)?), synchsafe(body.array()?), body.u16()?),
            _ => return None,
        };
        let frame = body.take_long(size)?;
        // A frame that is compressed or encrypted, or has more before its text than any tagger writes, is skipped.
        let is_plain = flags & if version == 4 { 0x4c } else { 0xe0 } == 0;
        if let Some(kind) = kind.filter(|_| is_plain) {
            let frame = if version == 4 && flags & 1 != 0 { frame.get(4..)? } else { frame };
            let text = if version == 4 && flags & 2 != 0 { text(&synchronised(frame)) } else { text(frame) };
            tags.note(kind, &text);
        }
    }
}

fn kind(id: &[u8]) -> Option<Kind> {
    match id {
        b"TIT2" | b"TT2" => Some(Kind::Title),
        b"TPE1" | b"TP1" => Some(Kind::Artist),
        b"TALB" | b"TAL" => Some(Kind::Album),
        _ => None,
    }
}

/// Reads the first text of a frame.
fn text(frame: &[u8]) -> String {
    let Some((encoding, text)) = frame.split_first() else { return String::new() };
    let wide = |text: &[u8], read: fn([u8; 2]) -> u16| -> String {
        let units = text.as_chunks().0.iter().map(|unit| read(*unit)).take_while(|unit| *unit != 0);
        char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    };
    let end = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
    match (encoding, text) {
        (0, _) => text[..end].iter().copied().map(char::from).collect(),
        (1, [0xff, 0xfe, text @ ..]) => wide(text, u16::from_le_bytes),
        (1, [0xfe, 0xff, text @ ..]) | (1 | 2, text) => wide(text, u16::from_be_bytes),
        _ => String::from_utf8_lossy(&text[..end]).into_owned(),
    }
}

/// Reads four bytes of seven bits each.
fn synchsafe(bytes: [u8; 4]) -> u32 {
    bytes.into_iter().fold(0, |size, byte| size << 7 | u32::from(byte & 0x7f))
}

/// Removes the zeros that keep 0xff from looking like the beginning of a frame.
fn synchronised(bytes: &[u8]) -> Vec<u8> {
    let mut before = 0;
    let kept =
        bytes.iter().copied().filter(|byte| std::mem::replace(&mut before, *byte) != 0xff || *byte != 0);
    kept.collect()
}
