//! Metadata of media: title, artist, album and length.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use demux::Tags;

use super::probe::probe;
use crate::source::SourceError;

/// Metadata of media.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::source) struct MediaInfo {
    pub(in crate::source) tags: Tags,
    pub(in crate::source) duration: Option<Duration>,
    /// Whether the length is an estimate.
    pub(in crate::source) is_about: bool,
    /// Whether it is HE-AAC, of which only the lower half of the spectrum is played.
    pub(in crate::source) is_core_only: bool,
}

/// Reads the metadata of a file.
pub(in crate::source) fn of_file(file: File) -> Result<MediaInfo, SourceError> {
    let read = catch_unwind(AssertUnwindSafe(|| probe(Box::new(file), false, true)));
    Ok(read.unwrap_or(Err(SourceError::Broken))?.form.info)
}
