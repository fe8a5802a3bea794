//! The result of a format search that was not done, which songbird requires.

use symphonia::core::errors::{Result, unsupported_error};
use symphonia::core::formats::{Cue, FormatOptions, FormatReader, Packet, SeekMode, SeekTo, SeekedTo, Track};
use symphonia::core::io::{MediaSourceStream, MediaSourceStreamOptions, ReadOnlySource};
use symphonia::core::meta::{Metadata, MetadataLog, MetadataOptions};
use symphonia::core::probe::{Descriptor, Hint, Instantiate, Probe, ProbedMetadata, QueryDescriptor};
use symphonia::core::support_format;

/// The first bytes of a format without audio. The search reads 16 bytes.
const MARK: [u8; 16] = *b"nothing to probe";

/// Returns the tags that a search found outside of a format: none. symphonia has no other way to create the value.
///
/// # Errors
/// Never, as long as symphonia finds a format by its first bytes.
pub(super) fn metadata() -> Result<ProbedMetadata> {
    let mut probe = Probe::default();
    probe.register_all::<Silent>();
    let stream = MediaSourceStream::new(
        Box::new(ReadOnlySource::new(MARK.as_slice())),
        MediaSourceStreamOptions::default(),
    );
    let found = probe.format(&Hint::new(), stream, &FormatOptions::default(), &MetadataOptions::default())?;
    Ok(found.metadata)
}

/// A format without audio.
struct Silent(MediaSourceStream, MetadataLog);

impl QueryDescriptor for Silent {
    fn query() -> &'static [Descriptor] {
        &[support_format!("silent", "A format without sound", &[], &[], &[&MARK])]
    }

    fn score(_: &[u8]) -> u8 {
        255
    }
}

impl FormatReader for Silent {
    fn try_new(stream: MediaSourceStream, _: &FormatOptions) -> Result<Self> {
        Ok(Self(stream, MetadataLog::default()))
    }

    fn cues(&self) -> &[Cue] {
        &[]
    }

    fn metadata(&mut self) -> Metadata<'_> {
        self.1.metadata()
    }

    fn seek(&mut self, _: SeekMode, _: SeekTo) -> Result<SeekedTo> {
        unsupported_error("there is no sound")
    }

    fn tracks(&self) -> &[Track] {
        &[]
    }

    fn next_packet(&mut self) -> Result<Packet> {
        unsupported_error("there is no sound")
    }

    fn into_inner(self: Box<Self>) -> MediaSourceStream {
        self.0
    }
}
