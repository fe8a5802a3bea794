//! symphonia's interface of a reader, in one place for all containers of this crate.

use symphonia::core::errors::{Result, unsupported_error};
use symphonia::core::formats::{Cue, FormatOptions, FormatReader, Packet, SeekMode, SeekTo, SeekedTo, Track};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::{Metadata, MetadataBuilder, MetadataLog, StandardTagKey, Tag, Value};
use symphonia::core::units::TimeBase;

use crate::tags::Tags;

/// Opened container, of which one track is read.
pub(crate) trait Container: Send + Sync + 'static {
    /// Returns the track as it is now.
    fn track(&self) -> &Track;

    /// Returns the unit of its times.
    fn base(&self) -> TimeBase;

    /// Takes the tags of a stream that has followed another one.
    fn news(&mut self) -> Option<Tags> {
        None
    }

    /// Seeks to a time; returns the one at which the next packet begins, which is that time or before.
    ///
    /// # Errors
    /// When that time is not in it, or it cannot be reached.
    fn seek(&mut self, to: u64) -> Result<u64>;

    /// Reads a packet.
    ///
    /// # Errors
    /// At the end, and when reading fails.
    fn next_packet(&mut self) -> Result<Packet>;

    /// Returns the stream.
    fn into_stream(self) -> MediaSourceStream;
}

/// Reads a container for symphonia.
pub(crate) struct Reader<C> {
    container: C,
    /// Tags are read when a file is opened, and stored elsewhere; this holds those of streams that follow.
    metadata: MetadataLog,
}

impl<C> Reader<C> {
    pub(crate) fn new(container: C) -> Self {
        Self { container, metadata: MetadataLog::default() }
    }
}

impl<C: Container> FormatReader for Reader<C> {
    fn try_new(_: MediaSourceStream, _: &FormatOptions) -> Result<Self> {
        unsupported_error("a container is opened otherwise")
    }

    fn cues(&self) -> &[Cue] {
        &[]
    }

    fn metadata(&mut self) -> Metadata<'_> {
        if let Some(tags) = self.container.news() {
            let mut revision = MetadataBuilder::new();
            let told = [
                (StandardTagKey::TrackTitle, tags.title),
                (StandardTagKey::Artist, tags.artist),
                (StandardTagKey::Album, tags.album),
            ];
            for (key, text) in told {
                if let Some(text) = text {
                    revision.add_tag(Tag::new(Some(key), "", Value::from(text)));
                }
            }
            self.metadata.push(revision.metadata());
        }
        self.metadata.metadata()
    }

    fn seek(&mut self, _: SeekMode, to: SeekTo) -> Result<SeekedTo> {
        let required_ts = match to {
            SeekTo::Time { time, .. } => self.container.base().calc_timestamp(time),
            SeekTo::TimeStamp { ts, .. } => ts,
        };
        let actual_ts = self.container.seek(required_ts)?;
        Ok(SeekedTo { track_id: self.container.track().id, required_ts, actual_ts })
    }

    fn tracks(&self) -> &[Track] {
        std::slice::from_ref(self.container.track())
    }

    fn next_packet(&mut self) -> Result<Packet> {
        self.container.next_packet()
    }

    fn into_inner(self: Box<Self>) -> MediaSourceStream {
        self.container.into_stream()
    }
}
