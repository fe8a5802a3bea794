//! Positions of the links of a chain, and its length.

use symphonia::core::errors::{Error, Result};
use symphonia::core::io::{MediaSource as _, MediaSourceStream, ReadBytes as _};

use super::page::Page;
use super::{Current, Links, Ogg, TAIL};
use crate::bytes::go;
use crate::tags::Tags;

/// Maximum number of links of a file that are recorded.
const LINKS: usize = 4_096;
/// Number of parts of a file, between which it is read to find out whether it is a chain.
const LOOKS: u64 = 4;

/// Link of a chain.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    /// Position of its first page.
    pub(super) place: u64,
    /// Time at which it begins.
    pub(super) at: u64,
}

impl Ogg {
    /// Determines the links of the whole, the first of which begins at `place`, and returns its length; `None` where it
    /// is unknown.
    pub(super) fn survey(&mut self, place: u64, is_near: bool) -> Result<Option<u64>> {
        let Some(whole) = self.stream.byte_len().filter(|_| self.stream.is_seekable()) else {
            return Ok(None);
        };
        let back = self.stream.pos();
        let tail = whole.saturating_sub(TAIL).max(self.link.begins).min(whole);
        // A file whose end cannot be read is played all the same.
        let last = self.last(tail).unwrap_or(None);
        let (mut is_chain, last) = match last {
            Some(Last::Own(granule)) => (false, Some(granule)),
            Some(Last::Other) => (true, None),
            None => (false, None),
        };
        // All links may have the first one's number.
        is_chain = is_chain || is_near && self.goes_back(whole);
        let mut length = last.map(|last| self.time(self.link.logical.time_of(last)));
        if is_chain {
            (self.links, length) = (Links::Unknown, None);
            if is_near && let Ok((links, all)) = self.walk(place) {
                (self.links, length) = (Links::All(links), Some(all));
            }
        }
        go(&mut self.stream, back)?;
        Ok(length)
    }

    /// Reads the last pages, from a position on, and returns to which link they belong; `None` if no time is found.
    fn last(&mut self, from: u64) -> Result<Option<Last>> {
        go(&mut self.stream, from)?;
        let mut last = None;
        while let Some(page) = page(&mut self.stream)? {
            if !self.link.beside.contains(&page.serial) {
                return Ok(Some(Last::Other));
            }
            if page.serial == self.link.logical.serial {
                last = page.granule.map(Last::Own).or(last);
            }
        }
        Ok(last)
    }

    /// Returns whether times go back, or another link begins, at some point on the way to the end.
    fn goes_back(&mut self, whole: u64) -> bool {
        let begins = self.link.begins;
        let mut before = 0;
        for look in 1..LOOKS {
            let place = begins + whole.saturating_sub(begins) / LOOKS * look;
            if go(&mut self.stream, place).is_err() {
                return false;
            }
            while let Ok(Some(page)) = page(&mut self.stream) {
                if page.is_first() || !self.link.beside.contains(&page.serial) {
                    return true;
                }
                if let Some(granule) = page.granule.filter(|_| page.serial == self.link.logical.serial) {
                    if granule < before {
                        return true;
                    }
                    before = granule;
                    break;
                }
            }
        }
        false
    }

    /// Reads the whole file, and returns its links and its length.
    fn walk(&mut self, place: u64) -> Result<(Vec<Link>, u64)> {
        go(&mut self.stream, place)?;
        let mut links = Vec::new();
        let mut at = 0;
        let mut next = page(&mut self.stream)?;
        while let Some(first) = next.take() {
            if links.len() >= LINKS {
                return Err(Error::LimitError("a chain of more links than are noted"));
            }
            links.push(Link { place: first.place, at });
            let Current { mut logical, .. } =
                Current::begin(&mut self.stream, first, self.gapless, at, &mut Tags::default())?;
            let mut told = logical.told();
            while let Some(page) = page(&mut self.stream)? {
                if page.is_first() {
                    next = Some(page);
                    break;
                }
                if page.serial == logical.serial {
                    told = page.granule.map(|granule| logical.time_of(granule)).or(told);
                }
            }
            logical.packets.clear();
            at += self.units(&logical, told.unwrap_or(0));
        }
        Ok((links, at))
    }
}

/// What the last pages belong to.
enum Last {
    /// The first link, at this time.
    Own(u64),
    /// A link that follows.
    Other,
}

/// Reads a page; returns `None` at the end.
fn page(stream: &mut MediaSourceStream) -> Result<Option<Page>> {
    match Page::read(stream) {
        Ok(page) => Ok(Some(page)),
        Err(Error::IoError(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(None),
        Err(Error::DecodeError(_)) => Ok(None),
        Err(error) => Err(error),
    }
}
