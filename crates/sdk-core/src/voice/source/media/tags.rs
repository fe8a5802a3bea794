//! What media says of itself: title, artist, album and length.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use symphonia::core::meta::{MetadataRevision, StandardTagKey};
use symphonia::core::probe::ProbeResult;

use super::demux::demux;
use crate::voice::source::SourceError;

/// Most characters of a tag that are kept.
const MOST: usize = 200;

/// What media says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::voice::source) struct Facts {
    pub(in crate::voice::source) title: Option<String>,
    pub(in crate::voice::source) artist: Option<String>,
    pub(in crate::voice::source) album: Option<String>,
    pub(in crate::voice::source) duration: Option<Duration>,
}

impl Facts {
    pub(super) fn of(probed: &mut ProbeResult) -> Self {
        let mut facts = Self::default();
        // Tags within the format say more than those put around it.
        if let Some(tags) = probed.format.metadata().skip_to_latest() {
            facts.read(tags);
        }
        if let Some(mut tags) = probed.metadata.get()
            && let Some(tags) = tags.skip_to_latest()
        {
            facts.read(tags);
        }
        facts
    }

    fn read(&mut self, tags: &MetadataRevision) {
        for tag in tags.tags() {
            let place = match (tag.std_key, tag.key.to_ascii_lowercase().as_str()) {
                // Matroska's tags come without a standard key.
                (Some(StandardTagKey::TrackTitle), _) | (None, "title") => &mut self.title,
                (Some(StandardTagKey::Artist), _) | (None, "artist") => &mut self.artist,
                (Some(StandardTagKey::Album), _) | (None, "album") => &mut self.album,
                _ => continue,
            };
            let value: String =
                tag.value.to_string().chars().filter(|c| !c.is_control()).take(MOST).collect();
            let value = value.trim();
            if place.is_none() && !value.is_empty() {
                *place = Some(value.to_owned());
            }
        }
    }
}

/// Reads what a file says of itself.
pub(in crate::voice::source) fn of_file(file: File) -> Result<Facts, SourceError> {
    let read = catch_unwind(AssertUnwindSafe(|| demux(Box::new(file), false)));
    Ok(read.unwrap_or(Err(SourceError::Broken))?.form.facts)
}
