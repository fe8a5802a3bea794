//! What media says of itself: title, artist, album and length.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use demux::Tags;

use super::probe::probe;
use crate::source::SourceError;

/// What media says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::source) struct MediaInfo {
    pub(in crate::source) tags: Tags,
    pub(in crate::source) duration: Option<Duration>,
    /// The length was estimated.
    pub(in crate::source) is_about: bool,
    /// It is HE-AAC, of which the lower half of the spectrum is played.
    pub(in crate::source) is_core_only: bool,
}

/// Reads what a file says of itself.
pub(in crate::source) fn of_file(file: File) -> Result<MediaInfo, SourceError> {
    let read = catch_unwind(AssertUnwindSafe(|| probe(Box::new(file), false, true)));
    Ok(read.unwrap_or(Err(SourceError::Broken))?.form.info)
}
