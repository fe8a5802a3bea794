//! From a track to audio that the mixer can play at once: opened, and sought to its position.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use sdk_core::voice::Playable;
use sdk_core::voice::source::SourceError;
use songbird::input::Parsed;
use songbird::tracks::PlayError;
use symphonia::core::errors::Error as SymphoniaError;
use symphonia::core::formats::{SeekMode, SeekTo};
use symphonia::core::units::Time;
use tokio::sync::watch;
use tokio::task::JoinError;
use tokio::time::timeout;

use super::source::{Opened as Source, Sources, TrackUpdate};
use crate::length::believed;

/// Audio that the mixer can play at once.
pub(super) struct Opened {
    pub(super) sound: Parsed,
    /// Time into the track at which it starts.
    pub(super) start: Duration,
    /// The track's length, if its format states it.
    pub(super) duration: Option<Duration>,
    /// Whether the length is an estimate.
    pub(super) is_about: bool,
    /// Whether it is HE-AAC, of which only the lower half of the spectrum is played.
    pub(super) is_core_only: bool,
    /// Whether seeking is not possible.
    pub(super) is_live: bool,
    /// Milliseconds of silence that were played in place of audio.
    pub(super) silence: Arc<AtomicU64>,
    /// Updates of the track while it plays.
    pub(super) updates: watch::Receiver<TrackUpdate>,
}

/// Why a track's audio cannot be opened. The text is one sentence for the guild.
#[derive(Debug)]
pub(super) enum OpenError {
    /// The source has no audio.
    Source(SourceError),
    /// The thread that reads and decodes broke down.
    Decoder(JoinError),
    /// The source cannot go to the position.
    Seek(SymphoniaError),
    /// The source did not answer within this time.
    TimedOut(Duration),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source(error) => error.fmt(f),
            Self::Decoder(_) => f.write_str("Its decoder broke down on it."),
            Self::Seek(error) => f.write_str(&sentence("Its source cannot go to another position", error)),
            Self::TimedOut(within) => {
                write!(f, "Its source did not answer within {} seconds.", within.as_secs())
            }
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Source(error) => Some(error),
            Self::Decoder(error) => Some(error),
            Self::Seek(error) => Some(error),
            Self::TimedOut(_) => None,
        }
    }
}

/// Opens a track's audio at a time into it.
///
/// # Errors
/// When that is not possible.
pub(super) async fn open(
    sources: Arc<Sources>,
    playable: Playable,
    at: Duration,
) -> Result<Opened, OpenError> {
    let within = sources.within(&playable);
    let opening = async {
        let opened = if at.is_zero() {
            sources.begin_track(&playable).await
        } else {
            sources.open_track(&playable).await
        };
        let source = opened.map_err(OpenError::Source)?;
        let (is_about, is_core_only) = (source.is_about(), source.is_core_only());
        let Source { updates, silence, is_live, sound, .. } = source;
        // A live stream always starts at its present position.
        let at = if is_live { Duration::ZERO } else { at };
        // Seeking reads from the source and may block.
        let sought = tokio::task::spawn_blocking(move || {
            let mut sound = sound;
            let start = if at.is_zero() { Ok(at) } else { seek(&mut sound, at) };
            start.map(|start| (sound, start))
        });
        let sought = sought.await.map_err(OpenError::Decoder)?;
        let (sound, start) = sought.map_err(OpenError::Seek)?;
        let duration = duration(&sound);
        Ok(Opened { sound, start, duration, is_about, is_core_only, is_live, silence, updates })
    };
    timeout(within, opening).await.unwrap_or(Err(OpenError::TimedOut(within)))
}

/// Seeks to a time, and returns the time that was reached.
fn seek(parsed: &mut Parsed, at: Duration) -> Result<Duration, SymphoniaError> {
    let to = SeekTo::Time { time: Time::from(at.as_secs_f64()), track_id: Some(parsed.track_id) };
    let reached = parsed.format.seek(SeekMode::Accurate, to)?;
    parsed.decoder.reset();
    Ok(parsed.decoder.codec_params().time_base.map_or(at, |base| time(base.calc_time(reached.actual_ts))))
}

fn duration(parsed: &Parsed) -> Option<Duration> {
    let track = parsed.format.tracks().iter().find(|track| track.id == parsed.track_id)?;
    let (base, frames) = (track.codec_params.time_base?, track.codec_params.n_frames?);
    believed(time(base.calc_time(frames)))
}

fn time(time: Time) -> Duration {
    let part = Duration::try_from_secs_f64(time.frac).unwrap_or_default();
    Duration::from_secs(time.seconds).saturating_add(part)
}

/// Returns a sentence on why the mixer could not continue.
pub(super) fn words(error: &PlayError) -> String {
    match error {
        PlayError::Decode(error) => sentence("Its audio is damaged", &**error),
        PlayError::Seek(error) => sentence("Its source cannot go to another position", &**error),
        _ => "It cannot be opened.".to_owned(),
    }
}

/// Returns a sentence with a cause, if the cause's text is suitable.
fn sentence(what: &str, cause: &dyn std::error::Error) -> String {
    let cause = cause.to_string();
    // An HTTP client's errors quote addresses, which may contain a secret.
    if cause.is_empty() || cause.contains("://") || cause.contains('\n') {
        return format!("{what}.");
    }
    format!("{what}: {}.", cause.trim_end_matches('.'))
}
