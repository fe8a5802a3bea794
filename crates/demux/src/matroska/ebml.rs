//! Elements of EBML: RFC 8794.

use symphonia::core::errors::{Error, Result};
use symphonia::core::io::{MediaSourceStream, ReadBytes as _};

use crate::bytes::Cursor;

/// Head of an element.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element {
    pub(super) id: u32,
    /// Length of what follows, in bytes; `None` where it is not stated.
    pub(super) length: Option<u64>,
}

impl Element {
    pub(super) fn read(stream: &mut MediaSourceStream) -> Result<Self> {
        let mut head = [0; 12];
        head[0] = stream.read_u8()?;
        let id = width(head[0], 4).ok_or(broken())?;
        stream.read_buf_exact(&mut head[1..=id])?;
        let length = width(head[id], 8).ok_or(broken())?;
        stream.read_buf_exact(&mut head[id + 1..id + length])?;
        Self::of(&mut Cursor(&head)).ok_or(broken())
    }

    fn of(bytes: &mut Cursor<'_>) -> Option<Self> {
        let length = width(*bytes.0.first()?, 4)?;
        let id = bytes.take(length)?.iter().fold(0, |id, byte| id << 8 | u32::from(*byte));
        let (length, unknown) = bits(bytes)?;
        Some(Self { id, length: Some(length).filter(|length| *length != unknown) })
    }
}

/// Returns the elements in memory, up to the first broken one.
pub(super) fn children(bytes: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    let mut bytes = Cursor(bytes);
    std::iter::from_fn(move || {
        let Element { id, length } = Element::of(&mut bytes)?;
        let data = bytes.take_long(length?)?;
        Some((id, data))
    })
}

/// Reads a number of variable length.
pub(super) fn number(bytes: &mut Cursor<'_>) -> Option<u64> {
    let (number, most) = bits(bytes)?;
    (number != most).then_some(number)
}

/// Reads a number of variable length, and returns it with the one that is reserved for an unknown length: all bits set.
fn bits(bytes: &mut Cursor<'_>) -> Option<(u64, u64)> {
    let length = width(*bytes.0.first()?, 8)?;
    let number = bytes.take(length)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
    let most = (1 << (7 * length)) - 1;
    Some((number & most, most))
}

/// Returns the length in bytes of a number that begins with `first`; `None` if it is more than `most`.
fn width(first: u8, most: usize) -> Option<usize> {
    let width = first.leading_zeros() as usize + 1;
    (width <= most).then_some(width)
}

/// Reads a whole number.
pub(super) fn unsigned(data: &[u8]) -> Option<u64> {
    (data.len() <= 8).then(|| data.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

/// Reads a floating-point number.
pub(super) fn float(data: &[u8]) -> Option<f64> {
    match data.len() {
        4 => data.try_into().ok().map(|data| f32::from_be_bytes(data).into()),
        8 => data.try_into().ok().map(f64::from_be_bytes),
        _ => None,
    }
}

/// Reads text, which zeros may follow.
pub(super) fn text(data: &[u8]) -> String {
    let end = data.iter().position(|byte| *byte == 0).unwrap_or(data.len());
    String::from_utf8_lossy(&data[..end]).into_owned()
}

pub(super) fn broken() -> Error {
    Error::DecodeError("a broken element of EBML")
}
