//! The box that describes the tracks.

use symphonia::core::codecs::CodecParameters;
use symphonia::core::errors::{Error, Result};
use symphonia::core::units::TimeBase;

use super::boxes::{children, find};
use super::edit::Edit;
use super::entry;
use super::fragment::Defaults;
use super::table::Table;
use crate::bytes::Cursor;
use crate::tags::{Kind, Tags};

/// Track that is played.
pub(super) struct Movie {
    pub(super) id: u32,
    pub(super) params: CodecParameters,
    pub(super) base: TimeBase,
    pub(super) table: Table,
    pub(super) edit: Edit,
    /// Defaults for all fragments, where there are any.
    pub(super) defaults: Option<Defaults>,
}

impl Movie {
    /// Reads a `moov`.
    pub(super) fn read(moov: &[u8], tags: &mut Tags) -> Result<Self> {
        if let Some(list) = find(moov, &[b"udta", b"meta"]) {
            read_tags(list, tags);
        }
        let traks = children(moov).filter(|(kind, _)| kind == b"trak");
        let mut found = traks.filter_map(|(_, trak)| Self::of(moov, trak));
        found.next().ok_or(Error::Unsupported("an MP4 file without known sound"))
    }

    fn of(moov: &[u8], trak: &[u8]) -> Option<Self> {
        let media = find(trak, &[b"mdia"])?;
        if find(media, &[b"hdlr"])?.get(8..12)? != b"soun" {
            return None;
        }
        let stbl = find(media, &[b"minf", b"stbl"])?;
        let mut params = entry::read(find(stbl, &[b"stsd"])?)?;
        let (scale, length) = times(find(media, &[b"mdhd"])?)?;
        let base = TimeBase::new(1, scale);
        params.with_time_base(base);
        let id = id(find(trak, &[b"tkhd"])?)?;
        let defaults = find(moov, &[b"mvex"]).map(|mvex| Defaults::read(mvex, id));
        let whole = || {
            let mehd = find(moov, &[b"mvex", b"mehd"])?;
            let length = if *mehd.first()? == 0 {
                Cursor(mehd.get(4..)?).u32()?.into()
            } else {
                Cursor(mehd.get(4..)?).u64()?
            };
            let (movie, _) = times(find(moov, &[b"mvhd"])?)?;
            u64::try_from(u128::from(length) * u128::from(scale) / u128::from(movie)).ok()
        };
        let movie = find(moov, &[b"mvhd"]).and_then(times).map_or(1, |(movie, _)| movie);
        let edit = Edit::read(trak, movie, scale);
        // The length of a whole fragmented movie is one of the presentation.
        let length = edit.length(length).or_else(whole);
        if let Some(length) = length.filter(|length| *length > 0) {
            params.with_n_frames(length);
        }
        Some(Self { id, params, base, table: Table::read(stbl)?, edit, defaults })
    }
}

/// Reads the units of a second and the length from an `mdhd` or `mvhd`.
fn times(data: &[u8]) -> Option<(u32, Option<u64>)> {
    let mut data = Cursor(data);
    let is_long = data.u32()? >> 24 == 1;
    data.take(if is_long { 16 } else { 8 })?;
    let scale = data.u32().filter(|scale| *scale > 0)?;
    let length = if is_long { data.u64()? } else { data.u32()?.into() };
    let is_told = !matches!(length, 0 | 0xffff_ffff | u64::MAX);
    Some((scale, is_told.then_some(length)))
}

/// Reads the number from a `tkhd`.
fn id(tkhd: &[u8]) -> Option<u32> {
    let mut data = Cursor(tkhd);
    let is_long = data.u32()? >> 24 == 1;
    data.take(if is_long { 16 } else { 8 })?;
    data.u32()
}

/// Reads tags in the form of iTunes.
fn read_tags(meta: &[u8], tags: &mut Tags) {
    // QuickTime leaves out the version.
    let meta = if meta.get(4..8) == Some(b"hdlr") { meta } else { meta.get(4..).unwrap_or_default() };
    for (kind, item) in find(meta, &[b"ilst"]).into_iter().flat_map(children) {
        let kind = match &kind {
            b"\xa9nam" => Kind::Title,
            b"\xa9ART" => Kind::Artist,
            b"\xa9alb" => Kind::Album,
            _ => continue,
        };
        if let Some(text) = find(item, &[b"data"]).and_then(|data| data.get(8..)) {
            tags.note(kind, &String::from_utf8_lossy(text));
        }
    }
}
